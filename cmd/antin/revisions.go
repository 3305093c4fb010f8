package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// revisionsCmd lists the versions that a signed file holds and takes one out.
type revisionsCmd struct {
	File            string `arg:"" help:"${help_revisions_file}"`
	Extract         int    `help:"${help_extract}" placeholder:"N"`
	Output          string `short:"o" help:"${help_extract_output}" placeholder:"OUT"`
	PDFPasswordFile string `name:"pdf-password-file" help:"${help_pdf_password}" placeholder:"F"`
	JSON            bool   `name:"json" help:"${help_json}"`
	Force           bool   `help:"${help_force}"`
}

// revisionsLine is the answer of --json.
type revisionsLine struct {
	File      string         `json:"file"`
	Revisions []revisionLine `json:"revisions,omitempty"`
	Extracted int            `json:"extracted,omitempty"`
	Output    string         `json:"output,omitempty"`
	Error     *jsonError     `json:"error,omitempty"`
}

type revisionLine struct {
	Revision   int      `json:"revision"`
	Bytes      int64    `json:"bytes"`
	SHA256     string   `json:"sha256"`
	Signatures []string `json:"signatures"`
	Timestamps []string `json:"timestamps"`
}

// Run lists the revisions, or writes the one asked for.
func (c *revisionsCmd) Run(e *env) error {
	line, err := c.look()
	if err != nil && c.JSON {
		if err := printJSON(e.out, revisionsLine{File: c.File, Error: newJSONError(err, e.lang)}); err != nil {
			return err
		}
		return exitError(text.CodeOf(err).Exit())
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.out, line)
	}
	if c.Extract > 0 {
		e.say("revisions.extracted", line.Extracted, line.Output)
		return nil
	}
	var b strings.Builder
	for _, r := range line.Revisions {
		by := text.Get("revisions.unsigned").In(e.lang)
		if names := append(r.Signatures, r.Timestamps...); len(names) > 0 {
			by = strings.Join(names, ", ")
		}
		fmt.Fprintln(&b, text.Get("revisions.line", r.Revision, len(line.Revisions), r.Bytes, by).In(e.lang))
	}
	_, err = io.WriteString(e.out, b.String())
	return err
}

func (c *revisionsCmd) look() (*revisionsLine, error) {
	if (c.Extract != 0) != (c.Output != "") {
		return nil, text.Detailed(text.InvalidInput, nil, "revisions.need_both")
	}
	f, size, err := openInput(c.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	password, err := pdfPassword(c.PDFPasswordFile)
	if err != nil {
		return nil, err
	}
	doc, err := pdf.Open(f, size, pdf.Options{Password: password})
	if err != nil {
		return nil, err
	}
	list, err := pades.Revisions(doc)
	if err != nil {
		return nil, err
	}
	line := &revisionsLine{File: c.File}
	if c.Extract != 0 {
		return line, c.extract(line, f, list)
	}
	// One pass: every revision begins with the one before it.
	whole, at := sha256.New(), int64(0)
	for _, r := range list {
		if _, err := io.Copy(whole, io.NewSectionReader(f, at, r.Size-at)); err != nil {
			return nil, text.Errorf(text.StorageFull, err)
		}
		at = r.Size
		line.Revisions = append(line.Revisions, revisionLine{Revision: r.Number, Bytes: r.Size, SHA256: hex.EncodeToString(whole.Sum(nil)),
			Signatures: orEmpty(r.Signatures), Timestamps: orEmpty(r.Timestamps)})
	}
	return line, nil
}

// extract writes the bytes of one revision, which are that version of the document.
func (c *revisionsCmd) extract(line *revisionsLine, f io.ReaderAt, list []pades.SignedRevision) error {
	if c.Extract < 1 || c.Extract > len(list) {
		return text.Detailed(text.NotFound, nil, "revisions.none", c.Extract, len(list))
	}
	line.Extracted, line.Output = c.Extract, outputPath(c.Output, c.File, false)
	return writeFile(line.Output, c.Force, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(f, 0, list[c.Extract-1].Size))
		return err
	})
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
