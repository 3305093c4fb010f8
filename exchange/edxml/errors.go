package edxml

import (
	"errors"
	"fmt"

	"antin/internal/text"
)

// PositionError is where in a message's source reading stopped. It is the cause
// of every edxml-malformed and too-large error of Read.
type PositionError struct {
	Line    int    // from 1
	Element string // the element concerned, as written; empty before the root
	Err     error  // a cause outside the message (a read error), else nil
}

// Error implements error.
func (e *PositionError) Error() string {
	s := fmt.Sprintf("line %d, element <%s>", e.Line, e.Element)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the outside cause.
func (e *PositionError) Unwrap() error { return e.Err }

// The catalogue entries of this package. Those of reading take line and element
// before their own arguments.
const (
	keySyntax        text.Key = "edxml.syntax"
	keyEncoding      text.Key = "edxml.encoding"
	keyCharacter     text.Key = "edxml.character"
	keyDoctype       text.Key = "edxml.doctype"
	keyInstruction   text.Key = "edxml.instruction"
	keyEntity        text.Key = "edxml.entity"
	keyPrefix        text.Key = "edxml.prefix"
	keyName          text.Key = "edxml.name"
	keyAttribute     text.Key = "edxml.attribute-twice"
	keyEndTag        text.Key = "edxml.end-tag"
	keyTruncated     text.Key = "edxml.truncated"
	keyTrailing      text.Key = "edxml.trailing"
	keyRoot          text.Key = "edxml.root"
	keyTwice         text.Key = "edxml.twice"
	keyMissing       text.Key = "edxml.missing"
	keyBase64        text.Key = "edxml.base64"
	keyContentTwice  text.Key = "edxml.content-id-twice"
	keyDepth         text.Key = "edxml.depth"
	keyAttributes    text.Key = "edxml.attributes"
	keyElements      text.Key = "edxml.elements"
	keyStructure     text.Key = "edxml.structure"
	keyAttachments   text.Key = "edxml.attachments"
	keyMessageSize   text.Key = "edxml.message-size"
	keySize          text.Key = "edxml.attachment-size"
	keyZIP           text.Key = "edxml.zip"
	keyZIPBomb       text.Key = "edxml.zip-bomb"
	keyDestroyed     text.Key = "edxml.destroyed"
	keyDestroyedPDF  text.Key = "edxml.destroyed-pdf"
	keyWriteMissing  text.Key = "edxml.write-missing"
	keyWriteText     text.Key = "edxml.write-text"
	keyWriteTwice    text.Key = "edxml.write-twice"
	keyWriteTooLarge text.Key = "edxml.write-too-large"
	keyWriteStatus   text.Key = "edxml.write-status"
)

func malformedAt(line int, element string, key text.Key, args ...any) error {
	return coded(text.EdXMLMalformed, line, element, nil, key, args)
}

func tooLargeAt(line int, element string, key text.Key, args ...any) error {
	return coded(text.TooLarge, line, element, nil, key, args)
}

// limitAt is for a message of more parts than any real one has; its bytes may be few.
func limitAt(line int, element string, key text.Key, args ...any) error {
	return coded(text.LimitExceeded, line, element, nil, key, args)
}

func coded(code text.Code, line int, element string, cause error, key text.Key, args []any) error {
	if element == "" {
		element = "edXML"
	}
	all := append([]any{line, element}, args...)
	return text.Detailed(code, &PositionError{Line: line, Element: element, Err: cause}, key, all...)
}

// errRead marks a failure of the source itself: not the message's fault.
func errRead(err error) error { return fmt.Errorf("reading edXML: %w", err) }

var errNoContent = errors.New("attachment has no content source")
