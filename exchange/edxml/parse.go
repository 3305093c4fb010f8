package edxml

import (
	"bytes"
	"io"
	"regexp"
)

// parser builds the element tree of one document. Attachments' content is not
// part of the tree: its place in the source is.
type parser struct {
	*scanner
	limits      Limits
	bindings    []binding
	attachments int
}

type binding struct{ prefix, space string }

const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
)

// parse reads one whole document and returns its root.
func parse(r io.Reader, l Limits) (*Element, error) {
	p := &parser{scanner: newScanner(r, l), limits: l}
	if err := p.prolog(); err != nil {
		return nil, err
	}
	root, err := p.startTag(nil)
	if err != nil {
		return nil, err
	}
	return root, p.epilog()
}

// prolog consumes the byte order mark, the XML declaration and comments, up to
// and including the < of the root.
func (p *parser) prolog() error {
	if _, err := p.accept("\xEF\xBB\xBF"); err != nil {
		return err
	}
	if ok, err := p.accept("<?xml"); err != nil {
		return err
	} else if ok {
		if err := p.declaration(); err != nil {
			return err
		}
	}
	if err := p.misc(); err != nil {
		return err
	}
	return p.expect("<")
}

// xmlDeclaration is what stands between "<?xml" and "?>", in lower case (XML 1.0,
// 2.8); the encoding's name is in group 1 or 2.
var xmlDeclaration = regexp.MustCompile(`^\s+version\s*=\s*(?:"1\.0"|'1\.0')` +
	`(?:\s+encoding\s*=\s*(?:"([a-z][a-z0-9._-]*)"|'([a-z][a-z0-9._-]*)'))?` +
	`(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*$`)

// declaration checks version and encoding: only UTF-8 is read, one decoder for all.
func (p *parser) declaration() error {
	decl, err := p.until("?>")
	if err != nil {
		return err
	}
	s := bytes.ToLower(decl)
	if len(s) == 0 || !isSpace(s[0]) {
		return p.malformed(keyInstruction)
	}
	m := xmlDeclaration.FindSubmatch(s)
	if m == nil {
		return p.malformed(keySyntax)
	}
	if e := string(m[1]) + string(m[2]); e != "" && e != "utf-8" && e != "utf8" {
		return p.malformed(keyEncoding)
	}
	return nil
}

// misc skips white space and comments outside the root.
func (p *parser) misc() error {
	for {
		if _, err := p.space(); err != nil {
			return err
		}
		if skipped, err := p.markup(); err != nil || !skipped {
			return err
		}
	}
}

// markup consumes a comment and refuses what no message may hold.
func (p *parser) markup() (skipped bool, err error) {
	switch {
	case p.is("<!--"):
		return true, p.comment()
	case p.is("<!DOCTYPE"), p.is("<!ENTITY"):
		return false, p.malformed(keyDoctype)
	case p.is("<?"):
		return false, p.malformed(keyInstruction)
	}
	return false, nil
}

// is is has for a choice between literals: a read error shows at the next byte.
func (p *parser) is(lit string) bool {
	ok, err := p.has(lit)
	return ok && err == nil
}

func (p *parser) comment() error {
	if err := p.count(); err != nil {
		return err
	}
	if err := p.expect("<!--"); err != nil {
		return err
	}
	if _, err := p.until("--"); err != nil {
		return err
	}
	return p.expect(">") // "--" may not stand inside a comment
}

func (p *parser) epilog() error {
	if err := p.misc(); err != nil {
		return err
	}
	if _, ok, err := p.peek(); err != nil || !ok {
		return err
	}
	return p.malformed(keyTrailing)
}

// startTag reads an element whose < is consumed, with everything inside it.
func (p *parser) startTag(parent *Element) (*Element, error) {
	if err := p.count(); err != nil {
		return nil, err
	}
	line := p.line
	raw, err := p.name()
	if err != nil {
		return nil, err
	}
	p.open = append(p.open, raw)
	defer func() { p.open = p.open[:len(p.open)-1] }()
	if len(p.open) > maxDepth {
		return nil, limitAt(line, raw, keyDepth, maxDepth)
	}
	scope := len(p.bindings)
	defer func() { p.bindings = p.bindings[:scope] }()
	attrs, empty, err := p.attributes()
	if err != nil {
		return nil, err
	}
	e := &Element{Line: line, prefixed: raw}
	if err := p.resolve(e, attrs); err != nil {
		return nil, err
	}
	switch isFile := parent != nil && parent.Name == "Attachment" && e.Name == "ContentTransferEncoded"; {
	case isFile:
		err = p.attachmentContent(e, empty)
	case !empty:
		err = p.content(e)
	}
	if err != nil || empty {
		return e, err
	}
	return e, p.endTag(raw)
}

type rawAttr struct{ name, value string }

// attributes reads up to the end of the start tag and puts namespace
// declarations in scope.
func (p *parser) attributes() (attrs []rawAttr, empty bool, err error) {
	for {
		spaced, err := p.space()
		if err != nil {
			return nil, false, err
		}
		if ok, err := p.accept("/>"); ok || err != nil {
			return attrs, true, err
		}
		if ok, err := p.accept(">"); ok || err != nil {
			return attrs, false, err
		}
		if !spaced {
			return nil, false, p.unexpected()
		}
		if len(attrs) == maxAttributes {
			return nil, false, limitAt(p.line, p.element(), keyAttributes, maxAttributes)
		}
		a, err := p.attribute()
		if err != nil {
			return nil, false, err
		}
		for _, b := range attrs {
			if a.name == b.name {
				return nil, false, p.malformed(keyAttribute, a.name)
			}
		}
		attrs = append(attrs, a)
	}
}

func (p *parser) attribute() (a rawAttr, err error) {
	if err = p.count(); err != nil {
		return a, err
	}
	if a.name, err = p.name(); err != nil {
		return a, err
	}
	if _, err = p.space(); err != nil {
		return a, err
	}
	if err = p.expect("="); err != nil {
		return a, err
	}
	if _, err = p.space(); err != nil {
		return a, err
	}
	a.value, err = p.quoted()
	if err != nil {
		return a, err
	}
	return a, p.declare(a)
}

// quoted reads an attribute's value; white space in it becomes spaces.
func (p *parser) quoted() (string, error) {
	quote, err := p.next()
	if err != nil {
		return "", err
	}
	if quote != '"' && quote != '\'' {
		return "", p.malformed(keySyntax)
	}
	var out []byte
	for {
		b, ok, err := p.peek()
		switch {
		case err != nil:
			return "", err
		case !ok:
			return "", p.malformed(keyTruncated)
		case b == '<':
			return "", p.malformed(keySyntax)
		case b == '&':
			r, err := p.reference()
			if err != nil {
				return "", err
			}
			out = append(out, string(r)...)
			continue
		}
		if _, err := p.next(); err != nil {
			return "", err
		}
		switch {
		case b == quote:
			return string(out), p.checkText(out)
		case b == '\r' && p.is("\n"): // one line end, one space
		case isSpace(b):
			out = append(out, ' ')
		default:
			out = append(out, b)
		}
	}
}
