package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"

	"antin/exchange/edxml"
	"antin/internal/text"
)

const (
	// headerName is the file that unpack writes beside the attachments and pack reads.
	headerName = "thong-diep.json"
	// maxHeader bounds a header given to pack, in bytes: what a message may hold besides
	// its attachments.
	maxHeader = edxml.MaxStructure
)

// edxmlUnpackCmd takes a message apart into files.
type edxmlUnpackCmd struct {
	File   string `arg:"" help:"${help_edxml_file}"`
	Output string `short:"o" required:"" help:"${help_edxml_unpack_output}" placeholder:"DIR"`
	JSON   bool   `name:"json" help:"${help_json}"`
	Force  bool   `help:"${help_force}"`
}

// Run writes the attachments and, last, the header that names them.
func (c *edxmlUnpackCmd) Run(e *env) error {
	line := explainLine{File: c.File}
	_, err := withMessage(c.File, func(m *edxml.Message) (exitError, error) {
		j, err := c.unpack(e.outputs(), m)
		line.messageJSON = j
		return 0, err
	})
	switch {
	case err != nil && c.JSON:
		if err := printJSON(e.out, explainLine{File: c.File, Error: newJSONError(err, e.lang)}); err != nil {
			return err
		}
		return exitError(text.CodeOf(err).Exit())
	case err != nil:
		return err
	case c.JSON:
		return printJSON(e.out, line)
	}
	e.say("edxml.cmd.unpacked", len(line.Attachments), filepath.Join(c.Output, headerName))
	return nil
}

func (c *edxmlUnpackCmd) unpack(o outputs, m *edxml.Message) (*messageJSON, error) {
	if err := o.on().MkdirAll(c.Output, 0o755); err != nil {
		return nil, storageError(err)
	}
	j := newMessageJSON(m)
	taken := map[string]bool{strings.ToLower(headerName): true}
	for i := range m.Attachments {
		a := &j.Attachments[i]
		a.File = freeName(taken, m.Attachments[i].Name)
		if err := o.writeFile(filepath.Join(c.Output, a.File), c.Force, func(w io.Writer) error { return copyAttachment(w, &m.Attachments[i], a) }); err != nil {
			return nil, err
		}
	}
	data, err := indentJSON(j)
	if err != nil {
		return nil, err
	}
	return j, o.writeFile(filepath.Join(c.Output, headerName), c.Force, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// freeName is a safe form of name that no other file of the message has, also where
// case does not count.
func freeName(taken map[string]bool, name string) string {
	safe := edxml.SafeName(name)
	ext := filepath.Ext(safe)
	free := safe
	for n := 2; taken[strings.ToLower(free)]; n++ {
		free = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(safe, ext), n, ext)
	}
	taken[strings.ToLower(free)] = true
	return free
}

// edxmlPackCmd makes a message of a header and files.
type edxmlPackCmd struct {
	Header string   `arg:"" help:"${help_edxml_header}"`
	Files  []string `arg:"" optional:"" name:"file" help:"${help_edxml_attach}"`
	Output string   `short:"o" required:"" help:"${help_edxml_pack_output}" placeholder:"OUT"`
	Raw    bool     `help:"${help_edxml_raw}"`
	JSON   bool     `name:"json" help:"${help_json}"`
	Force  bool     `help:"${help_force}"`
}

// packLine is the answer of pack --json.
type packLine struct {
	File     string          `json:"file"`
	Output   string          `json:"output,omitempty"`
	Findings []edxml.Finding `json:"findings,omitempty"`
	Error    *jsonError      `json:"error,omitempty"`
}

// Run packs, and prints what Lint finds in the message as it was written.
func (c *edxmlPackCmd) Run(e *env) error {
	findings, err := c.pack(e.outputs())
	line := packLine{File: c.Header, Findings: findings}
	switch {
	case err != nil && c.JSON:
		line.Error = newJSONError(err, e.lang)
		if err := printJSON(e.out, line); err != nil {
			return err
		}
		return exitError(text.CodeOf(err).Exit())
	case err != nil:
		return err
	}
	line.Output = c.Output
	if c.JSON {
		return printJSON(e.out, line)
	}
	for _, f := range findings {
		e.say("edxml.cmd.finding", f.Path, f.Message.In(e.lang))
	}
	e.say("edxml.cmd.packed", c.Output)
	return nil
}

func (c *edxmlPackCmd) pack(o outputs) (findings []edxml.Finding, err error) {
	j, err := readHeader(c.Header)
	if err != nil {
		return nil, err
	}
	place, err := openPlace(filepath.Dir(c.Header))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	m := j.message()
	for i, a := range j.Attachments {
		if a.File == "" {
			return nil, text.Detailed(text.InvalidInput, nil, "edxml.cmd.no_file", i+1)
		}
		file := filepath.FromSlash(a.File)
		if _, err := place.Stat(file); err != nil {
			return nil, inputError(a.File, err)
		}
		m.Attachments = append(m.Attachments, packed(a, func() (io.ReadCloser, error) { return place.Open(file) }))
	}
	for _, file := range c.Files {
		f, _, err := openInput(file)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, inputError(file, err)
		}
		m.Attachments = append(m.Attachments, packed(attachmentJSON{Name: filepath.Base(file)}, func() (io.ReadCloser, error) { return os.Open(file) }))
	}
	if len(c.Files) > 0 {
		m.References = nil // made anew, or the added files would stand in none
	}
	return c.write(o, m)
}

// write gives the message its name only after it was read again: what receivers could
// not read is not made.
func (c *edxmlPackCmd) write(o outputs, m *edxml.Message) (findings []edxml.Finding, err error) {
	tmp, err := o.stage(c.Output, 0o644, c.Force, diskFile.Sync, func(w io.Writer) error {
		return edxml.Write(w, m, edxml.WriteOptions{Raw: c.Raw})
	})
	if err != nil {
		return nil, err
	}
	_, err = withMessage(tmp, func(m *edxml.Message) (exitError, error) {
		findings = edxml.Lint(m)
		return 0, nil
	})
	if err == nil {
		err = o.rename(tmp, c.Output, c.Force)
	}
	if err != nil {
		_ = o.on().Remove(tmp)
		return nil, err
	}
	return findings, o.syncDir(filepath.Dir(c.Output))
}

// packed is the file that a describes, with the type that its name tells when a
// names none.
func packed(a attachmentJSON, open func() (io.ReadCloser, error)) edxml.Attachment {
	if a.Name == "" {
		a.Name = filepath.Base(a.File)
	}
	if a.ContentType == "" {
		a.ContentType, _, _ = strings.Cut(mime.TypeByExtension(strings.ToLower(filepath.Ext(a.Name))), ";")
	}
	out := edxml.NewAttachment(a.Name, a.ContentType, open)
	out.ContentID, out.Description = a.ContentID, a.Description
	return out
}

// readHeader reads a header strictly: a key that means nothing is an error, not a loss.
func readHeader(file string) (*messageJSON, error) {
	f, size, err := openInput(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxHeader {
		return nil, text.Detailed(text.TooLarge, nil, "cli.path", file)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxHeader))
	if err != nil {
		return nil, inputError(file, err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var j messageJSON
	if err := d.Decode(&j); err != nil {
		return nil, text.Detailed(text.InvalidInput, err, "edxml.cmd.header", file, headerFault(err))
	}
	if d.More() {
		return nil, text.Detailed(text.InvalidInput, nil, "edxml.cmd.header", file, "}")
	}
	return &j, checkHeader(&j)
}

// headerFault is where and why a header is no header, as the decoder tells it.
func headerFault(err error) string {
	if kind := new(json.UnmarshalTypeError); errors.As(err, &kind) {
		return kind.Field
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// checkHeader refuses kept elements without a name, which cannot be written.
func checkHeader(j *messageJSON) error {
	kept := []*elementJSON{}
	for _, x := range j.Extra {
		if x.Element == nil {
			return text.Detailed(text.InvalidInput, nil, "edxml.cmd.header", "extra", "element")
		}
		kept = append(kept, x.Element)
	}
	for _, e := range []*elementJSON{j.Signature, j.Other.ReplyFors, j.Other.ReferenceCodes} {
		if e != nil {
			kept = append(kept, e)
		}
	}
	for len(kept) > 0 {
		e := kept[len(kept)-1]
		kept = kept[:len(kept)-1]
		if e == nil || !xmlName(e.Name) {
			return text.Detailed(text.InvalidInput, nil, "edxml.cmd.header", "element", "name")
		}
		for _, a := range e.Attrs {
			if !xmlName(a.Name) {
				return text.Detailed(text.InvalidInput, nil, "edxml.cmd.header", "attrs", "name")
			}
		}
		kept = append(kept, e.Children...)
	}
	return nil
}

// xmlName reports whether name may be the local name of an element: letters, digits,
// '-', '_' and '.', not beginning with a digit or a sign.
func xmlName(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r|0x20 && r|0x20 <= 'z' || r >= 0xC0
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return false
		}
	}
	return name != ""
}
