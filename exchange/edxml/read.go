package edxml

import (
	"io"
	"strings"

	"antin/internal/text"
)

// Read reads one message of size bytes from src. Attachments stay in src: it must
// remain readable, and unchanged, for as long as they are opened.
//
// An error about the message is a *text.Error of code edxml-malformed or
// too-large that names line and element; any other error is src's.
func Read(src io.ReaderAt, size int64, l Limits) (*Message, error) {
	l = l.withDefaults()
	if size > l.Message {
		return nil, text.Detailed(text.TooLarge, nil, keyMessageSize, l.Message>>20)
	}
	root, err := parse(io.NewSectionReader(src, 0, size), l)
	if err != nil {
		return nil, err
	}
	d := &decoder{m: &Message{}, src: src, size: size, limits: l}
	if err := d.document(root); err != nil {
		return nil, err
	}
	return d.m, nil
}

// decoder turns the element tree into a Message. It looks at local names only:
// prefixes and namespaces differ between producers.
type decoder struct {
	m      *Message
	src    io.ReaderAt
	size   int64
	limits Limits
}

// The paths of the envelope's parts, by the names that Write uses.
const (
	pathRoot        = "edXML"
	pathEnvelope    = "edXMLEnvelope"
	pathHeader      = "edXMLHeader"
	pathMessage     = "MessageHeader"
	pathTrace       = "TraceHeaderList"
	pathBody        = "edXMLBody"
	pathManifest    = "edXMLManifest"
	pathAttachments = "AttachmentEncoded"
)

// canonical maps the spellings of older dialects to those of the SDK.
func canonical(name string) string {
	switch name {
	case "EdXMLEnvelope":
		return pathEnvelope
	case "EdXMLHeader":
		return pathHeader
	case "Manifest":
		return pathManifest
	case "Author":
		return "SignerInfo"
	case "Function":
		return "Position"
	}
	if rest, ok := strings.CutPrefix(name, "Business"); ok {
		return "Bussiness" + rest
	}
	return name
}

// document finds the parts of the message in whatever envelope they come.
func (d *decoder) document(root *Element) error {
	soap := root.Name == "Envelope"
	if !soap && root.Name != pathRoot && canonical(root.Name) != pathEnvelope {
		return malformedAt(root.Line, root.prefixed, keyRoot)
	}
	d.m.Dialect = dialect(root, soap)
	parts, err := findParts(root)
	if err != nil {
		return err
	}
	head := parts[pathMessage]
	if head == nil {
		return malformedAt(root.Line, root.prefixed, keyMissing, pathMessage)
	}
	if err := d.header(head.element); err != nil {
		return err
	}
	if t := parts[pathTrace]; t != nil {
		if err := d.trace(t.element); err != nil {
			return err
		}
	}
	if man := parts[pathManifest]; man != nil {
		if err := d.manifest(man.element); err != nil {
			return err
		}
	}
	if err := d.attachments(root, parts[pathAttachments]); err != nil {
		return err
	}
	d.surroundings(root, parts)
	return nil
}

func dialect(root *Element, soap bool) Dialect {
	switch {
	case soap:
		return DialectSOAP
	case root.Space == Namespace && root.Name == pathRoot:
		return DialectSDK
	}
	return DialectNone
}

// part is an element of the envelope and the one around it.
type part struct{ element, parent *Element }

// findParts looks for the message's parts outside of each other. Two of a kind
// are refused: one program would read the first, another the last.
func findParts(root *Element) (map[string]*part, error) {
	parts := map[string]*part{}
	var walk func(e *Element) error
	walk = func(e *Element) error {
		for _, c := range e.Children {
			name := canonical(c.Name)
			switch name {
			case pathMessage, pathTrace, pathManifest, pathAttachments:
				if parts[name] != nil {
					return malformedAt(c.Line, c.prefixed, keyTwice)
				}
				parts[name] = &part{c, e}
			case "Signature", "Attachment":
			default:
				if err := walk(c); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return parts, walk(root)
}

// surroundings keeps what stands beside the parts.
func (d *decoder) surroundings(root *Element, parts map[string]*part) {
	keep := func(parent *Element, path string) {
		for _, c := range parent.Children {
			switch name := canonical(c.Name); name {
			case pathMessage, pathTrace, pathManifest, pathAttachments, pathEnvelope, pathHeader, pathBody,
				"Header", "Body", "Attachment":
			case "Signature":
				if d.m.Signature == nil && path == pathHeader {
					d.m.Signature = c
					continue
				}
				d.m.Extra = append(d.m.Extra, Extra{path, c})
			default:
				d.m.Extra = append(d.m.Extra, Extra{path, c})
			}
		}
	}
	header := parts[pathMessage].parent
	keep(header, pathHeader)
	if man := parts[pathManifest]; man != nil && man.parent != header {
		keep(man.parent, pathBody)
		if man.parent == root {
			return
		}
	}
	for _, c := range root.Children {
		if canonical(c.Name) == pathEnvelope && c != header {
			keep(c, pathEnvelope)
		}
	}
	if header != root {
		keep(root, pathRoot)
	}
}

// trace reads the hops and the business block; other producers put the block
// before, after or between them.
func (d *decoder) trace(e *Element) error {
	hops := 0
	return d.fields(e, pathTrace, fields{
		"TraceHeader": many(func(c *Element) error {
			hops++
			var h TraceHeader
			err := d.fields(c, indexed(pathTrace, "TraceHeader", hops), fields{
				"OrganId": d.text(&h.OrganID), "Timestamp": d.time(&h.Time),
			})
			d.m.Trace = append(d.m.Trace, h)
			return err
		}),
		"Bussiness": one(d.business),
	})
}

func (d *decoder) manifest(e *Element) error {
	n := 0
	return d.fields(e, pathManifest, fields{
		"Reference": many(func(c *Element) error {
			n++
			r := Reference{ContentID: strings.TrimSpace(c.Attr("href"))}
			err := d.fields(c, indexed(pathManifest, "Reference", n), fields{
				"ContentId": d.text(&r.ContentID), "ContentType": d.text(&r.ContentType),
				"Description": d.text(&r.Description), "AttachmentName": d.text(&r.Name),
			})
			d.m.References = append(d.m.References, r)
			return err
		}),
	})
}

// attachments reads the encoded files, beside the envelope or, in messages
// without the list, at the root.
func (d *decoder) attachments(root *Element, list *part) error {
	parent, path := root, pathRoot
	if list != nil {
		parent, path = list.element, pathAttachments
	}
	seen := map[string]bool{}
	for _, c := range parent.Children {
		if c.Name != "Attachment" {
			if list != nil {
				d.m.Extra = append(d.m.Extra, Extra{path, c})
			}
			continue
		}
		a, err := d.attachment(c, indexed(pathAttachments, "Attachment", len(d.m.Attachments)+1))
		if err != nil {
			return err
		}
		id := StripCID(a.ContentID)
		if id != "" && seen[id] {
			return malformedAt(c.Line, c.prefixed, keyContentTwice, a.ContentID)
		}
		seen[id] = true
		d.m.Attachments = append(d.m.Attachments, a)
	}
	return nil
}

func (d *decoder) attachment(e *Element, path string) (Attachment, error) {
	a := Attachment{line: e.Line, limit: d.limits.Attachment}
	var content *span
	err := d.fields(e, path, fields{
		"ContentId": d.text(&a.ContentID), "AttachmentName": d.text(&a.Name),
		"Description": d.text(&a.Description), "ContentType": d.text(&a.PayloadType),
		"ContentTransferEncoded": one(func(c *Element) error { content = c.content; return nil }),
	})
	if err != nil {
		return a, err
	}
	if content == nil {
		return a, malformedAt(e.Line, e.prefixed, keyMissing, "ContentTransferEncoded")
	}
	a.ContentType = a.PayloadType
	if r, ok := d.m.Reference(&a); ok {
		if a.Name == "" {
			a.Name = r.Name
		}
		if r.ContentType != "" {
			a.ContentType = r.ContentType
		}
	}
	a.PayloadSize = content.size
	a.Wrapped = content.zip && (!isZIPName(a.Name) || isWrapper(content.entry, a.Name))
	src, size, limits := d.src, d.size, d.limits
	a.open = func() (io.ReadCloser, error) {
		return payload{content.open(src, size, limits)}, nil
	}
	return a, nil
}
