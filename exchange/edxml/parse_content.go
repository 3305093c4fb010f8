package edxml

import (
	"strings"
)

// declare puts a namespace declaration in scope; other attributes it ignores.
func (p *parser) declare(a rawAttr) error {
	prefix, isPrefix := strings.CutPrefix(a.name, "xmlns:")
	if a.name != "xmlns" && !isPrefix {
		return nil
	}
	if !isPrefix {
		prefix = ""
	}
	reserved := prefix == "xmlns" || (prefix == "xml") != (a.value == xmlSpace) || a.value == xmlnsSpace
	if reserved || isPrefix && a.value == "" {
		return p.malformed(keyPrefix, prefix)
	}
	p.bindings = append(p.bindings, binding{prefix, a.value})
	return nil
}

// lookup returns the namespace that prefix is bound to.
func (p *parser) lookup(prefix string) (string, bool) {
	for i := len(p.bindings) - 1; i >= 0; i-- {
		if p.bindings[i].prefix == prefix {
			return p.bindings[i].space, true
		}
	}
	if prefix == "xml" {
		return xmlSpace, true
	}
	return "", prefix == ""
}

// resolve gives e and its attributes their namespaces.
func (p *parser) resolve(e *Element, attrs []rawAttr) error {
	prefix, local, found := strings.Cut(e.prefixed, ":")
	if !found {
		prefix, local = "", e.prefixed
	}
	space, ok := p.lookup(prefix)
	if !ok || prefix == "xmlns" {
		return malformedAt(e.Line, e.prefixed, keyPrefix, prefix)
	}
	e.Space, e.Name = space, local
	for _, a := range attrs {
		if a.name == "xmlns" || strings.HasPrefix(a.name, "xmlns:") {
			continue
		}
		attr := Attr{Name: a.name, Value: a.value}
		if prefix, local, found := strings.Cut(a.name, ":"); found {
			if attr.Space, ok = p.lookup(prefix); !ok {
				return malformedAt(e.Line, e.prefixed, keyPrefix, prefix)
			}
			attr.Name = local
		}
		for _, b := range e.Attrs {
			if b.Space == attr.Space && b.Name == attr.Name {
				return malformedAt(e.Line, e.prefixed, keyAttribute, a.name)
			}
		}
		e.Attrs = append(e.Attrs, attr)
	}
	return nil
}

// content reads text and children up to the end tag.
func (p *parser) content(e *Element) error {
	var txt strings.Builder
	for {
		if skipped, err := p.markup(); err != nil {
			return err
		} else if skipped {
			continue
		}
		b, ok, err := p.peek()
		switch {
		case err != nil:
			return err
		case !ok:
			return p.malformed(keyTruncated)
		case p.is("</"):
			e.Text = strings.Trim(txt.String(), " \t\r\n")
			return nil
		case p.is("<![CDATA["):
			err = p.cdata(&txt)
		case b == '<':
			err = p.child(e)
		default:
			err = p.text(&txt)
		}
		if err != nil {
			return err
		}
	}
}

func (p *parser) child(e *Element) error {
	if err := p.expect("<"); err != nil {
		return err
	}
	c, err := p.startTag(e)
	if err != nil {
		return err
	}
	e.Children = append(e.Children, c)
	return nil
}

func (p *parser) cdata(out *strings.Builder) error {
	if err := p.count(); err != nil {
		return err
	}
	if err := p.expect("<![CDATA["); err != nil {
		return err
	}
	b, err := p.until("]]>")
	if err != nil {
		return err
	}
	out.WriteString(lineEnds(string(b)))
	return nil
}

// text reads one run of character data with its references.
func (p *parser) text(out *strings.Builder) error {
	if err := p.count(); err != nil {
		return err
	}
	var run []byte
	flush := func() error {
		err := p.checkText(run)
		out.WriteString(lineEnds(string(run)))
		run = run[:0]
		return err
	}
	for {
		b, ok, err := p.peek()
		switch {
		case err != nil:
			return err
		case !ok || b == '<':
			return flush()
		case b == '&':
			if err := flush(); err != nil {
				return err
			}
			r, err := p.reference()
			if err != nil {
				return err
			}
			out.WriteRune(r)
			continue
		case b != ']':
			plain, err := p.run("<&]")
			if err != nil {
				return err
			}
			run = append(run, plain...)
			continue
		case p.is("]]>"):
			return p.malformed(keySyntax)
		}
		if _, err := p.next(); err != nil {
			return err
		}
		run = append(run, b)
	}
}

func lineEnds(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func (p *parser) endTag(raw string) error {
	if err := p.expect("</"); err != nil {
		return err
	}
	got, err := p.name()
	if err != nil {
		return err
	}
	if got != raw {
		return p.malformed(keyEndTag, got)
	}
	if _, err := p.space(); err != nil {
		return err
	}
	return p.expect(">")
}

// attachmentContent notes where the content lies and what it seems to be.
func (p *parser) attachmentContent(e *Element, empty bool) error {
	if p.attachments++; p.attachments > p.limits.Attachments {
		return limitAt(p.line, p.element(), keyAttachments, p.limits.Attachments)
	}
	e.content = &span{start: p.offset(), line: p.line}
	if empty {
		return nil
	}
	scan := contentScan{scanner: p.scanner}
	var look probe
	for {
		run, err := scan.next()
		if err != nil {
			return err
		}
		if run == nil {
			break
		}
		if size := scan.size(); size > p.limits.Attachment {
			return tooLargeAt(p.line, p.element(), keySize, p.limits.Attachment>>20)
		}
		look.write(run)
	}
	e.content.size = scan.size()
	e.content.entry, e.content.zip = look.singleZIP()
	return nil
}
