package edxml

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"antin/internal/text"
)

// emitter writes indented XML as the SDK does. The first error sticks; write
// errors come back unwrapped from flush.
type emitter struct {
	w     *bufio.Writer
	depth int
	extra map[string][]*Element
	err   error
}

func newEmitter(w io.Writer, extras []Extra) *emitter {
	e := &emitter{w: bufio.NewWriterSize(w, bufferSize), extra: map[string][]*Element{}}
	for _, x := range extras {
		e.extra[x.Parent] = append(e.extra[x.Parent], x.Element)
	}
	return e
}

func (e *emitter) raw(s string) {
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

func (e *emitter) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *emitter) line(s string) {
	e.raw(strings.Repeat("  ", e.depth))
	e.raw(s)
	e.raw("\n")
}

// open starts a container without a path of its own.
func (e *emitter) open(tag string) {
	e.line("<" + tag + ">")
	e.depth++
}

func (e *emitter) close(tag string) {
	e.depth--
	e.line("</" + tag + ">")
}

// group writes an envelope element with what body writes and the kept elements
// of its path. An element that would be empty is left out.
func (e *emitter) group(name, path string, present bool, body func()) {
	if !present && !e.holds(path) {
		return
	}
	e.open("edXML:" + name)
	if body != nil {
		body()
	}
	e.kept(path, "edXML:")
	e.close("edXML:" + name)
}

// holds reports whether elements are kept at path or below it.
func (e *emitter) holds(path string) bool {
	for p := range e.extra {
		if p == path || strings.HasPrefix(p, path+"/") {
			return true
		}
	}
	return false
}

// kept writes the elements kept at path, once. prefix is the one that stands for
// the message's namespace there, empty outside the envelope.
func (e *emitter) kept(path, prefix string) {
	for _, x := range e.extra[path] {
		e.element(x, prefix, Namespace, 0)
	}
	delete(e.extra, path)
}

// leaf writes a text element; an empty one is left out.
func (e *emitter) leaf(tag, value string) {
	value = strings.Trim(value, " \t\r\n")
	if value == "" {
		return
	}
	e.line("<" + tag + ">" + e.escape(tag, value) + "</" + tag + ">")
}

func (e *emitter) field(name, value string) { e.leaf("edXML:"+name, value) }

// escape makes value fit for text and attributes.
func (e *emitter) escape(where, value string) string {
	if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !isChar(r) }) {
		e.fail(text.Detailed(text.InvalidInput, nil, keyWriteText, where))
		return ""
	}
	return escaper.Replace(value)
}

// escaper writes a carriage return as a reference, since a reader would take a
// plain one for a line end.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#xD;")

// element writes a kept element. In the message's own namespace it takes the
// prefix of its surroundings, in another it declares that as its default; space
// is the namespace that a name without a prefix has here.
func (e *emitter) element(x *Element, prefix, space string, level int) {
	if level > maxDepth {
		e.fail(text.Detailed(text.InvalidInput, nil, keyWriteText, x.Name))
		return
	}
	tag, declared := x.Name, ""
	switch {
	case x.Space == Namespace && prefix != "":
		tag = prefix + x.Name
	case x.Space != space:
		declared, space = ` xmlns="`+e.escape(x.Name, x.Space)+`"`, x.Space
	}
	if !validPart(x.Name) {
		e.fail(text.Detailed(text.InvalidInput, nil, keyWriteText, x.Name))
		return
	}
	start := "<" + tag + declared + e.attributes(x)
	switch {
	case x.Text == "" && len(x.Children) == 0:
		e.line(start + "/>")
	case len(x.Children) == 0:
		e.line(start + ">" + e.escape(x.Name, x.Text) + "</" + tag + ">")
	default:
		e.line(start + ">" + e.escape(x.Name, x.Text))
		e.depth++
		for _, c := range x.Children {
			e.element(c, prefix, space, level+1)
		}
		e.close(tag)
	}
}

func (e *emitter) attributes(x *Element) string {
	var b strings.Builder
	for i, a := range x.Attrs {
		if !validPart(a.Name) {
			e.fail(text.Detailed(text.InvalidInput, nil, keyWriteText, x.Name))
			return ""
		}
		value := strings.NewReplacer("\n", "&#xA;", "\t", "&#x9;").Replace(e.escape(x.Name, a.Value))
		switch a.Space {
		case "":
			b.WriteString(" " + a.Name + `="` + value + `"`)
		case xmlSpace:
			b.WriteString(" xml:" + a.Name + `="` + value + `"`)
		default:
			p := "a" + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
			b.WriteString(" xmlns:" + p + `="` + e.escape(x.Name, a.Space) + `" ` + p + ":" + a.Name + `="` + value + `"`)
		}
	}
	return b.String()
}

func (e *emitter) flush() error {
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}
