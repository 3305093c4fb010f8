package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// revisionsCmd lists the versions that a signed file holds and takes one out.
type revisionsCmd struct {
	File            string   `arg:"" help:"${help_revisions_file}"`
	Extract         int      `help:"${help_extract}" placeholder:"N"`
	Output          string   `short:"o" help:"${help_extract_output}" placeholder:"OUT"`
	Trust           []string `help:"${help_trust}" placeholder:"PATH" sep:"none"`
	At              string   `help:"${help_at}" placeholder:"RFC3339"`
	Offline         bool     `help:"${help_offline}"`
	Policy          string   `help:"${help_policy}" default:"vn-2026"`
	AllowHost       []string `name:"allow-host" help:"${help_allow_host}" placeholder:"HOST" sep:"none"`
	PDFPasswordFile string   `name:"pdf-password-file" help:"${help_pdf_password}" placeholder:"F"`
	JSON            bool     `name:"json" help:"${help_json}"`
	Force           bool     `help:"${help_force}"`
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
	// Verdict and Reasons are what antin verify says of this version alone; both are
	// empty where it cannot be judged, and Error then says why.
	Verdict string     `json:"verdict,omitempty"`
	Reasons []string   `json:"reasons,omitempty"`
	Error   *jsonError `json:"error,omitempty"`
}

// Run lists the revisions, or writes the one asked for.
func (c *revisionsCmd) Run(e *env, ctx *ctxHolder) error {
	line, err := c.look(ctx, e)
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
		said := text.Get("revisions.unjudged").In(e.lang)
		if r.Verdict != "" {
			verdict := validation.Verdict(r.Verdict)
			said = verdictMark(verdict) + " " + text.Get(text.Key("verdict."+r.Verdict)).In(e.lang)
		}
		fmt.Fprintln(&b, text.Get("revisions.line", r.Revision, len(line.Revisions), r.Bytes, by, said).In(e.lang))
	}
	_, err = io.WriteString(e.out, b.String())
	return err
}

func (c *revisionsCmd) look(ctx context.Context, e *env) (*revisionsLine, error) {
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
	judge, err := c.judge(ctx, e, f, password)
	if err != nil {
		return nil, err
	}
	// One pass: every revision begins with the one before it.
	whole, at := sha256.New(), int64(0)
	for _, r := range list {
		if _, err := io.Copy(whole, io.NewSectionReader(f, at, r.Size-at)); err != nil {
			return nil, text.Errorf(text.StorageFull, err)
		}
		at = r.Size
		one := revisionLine{Revision: r.Number, Bytes: r.Size, SHA256: hex.EncodeToString(whole.Sum(nil)),
			Signatures: orEmpty(r.Signatures), Timestamps: orEmpty(r.Timestamps)}
		if err := judge(r.Size, &one); err != nil {
			return nil, err
		}
		line.Revisions = append(line.Revisions, one)
	}
	return line, nil
}

// judge returns what fills in the verdict of the version that ends at size: the one
// that antin verify gives for its bytes.
func (c *revisionsCmd) judge(ctx context.Context, e *env, f io.ReaderAt, password string) (func(size int64, line *revisionLine) error, error) {
	flags := verifyCmd{Trust: c.Trust, At: c.At, Offline: c.Offline, Policy: c.Policy, AllowHost: c.AllowHost}
	v, at, err := flags.validator(e)
	if err != nil {
		return nil, err
	}
	return func(size int64, line *revisionLine) error {
		r, err := v.Validate(ctx, validation.Input{Reader: f, Size: size, Name: c.File, Password: password}, at)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			line.Error = newJSONError(err, e.lang)
			return nil //nolint:nilerr // said of this version; the others are judged
		}
		line.Verdict = string(r.Verdict)
		for _, reason := range r.Reasons {
			line.Reasons = append(line.Reasons, string(reason.Code))
		}
		return nil
	}, nil
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
