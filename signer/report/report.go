// Package report writes what a validation found for those who keep it: the
// contract's JSON, the XML of ETSI TS 119 102-2, and a PDF for people. It judges
// nothing and reads no clock: the same report gives the same bytes.
package report

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/validation"
	"antin/signer/validation/etsi"
)

// Format is the form of a written report. The set is closed.
type Format string

// The formats.
const (
	JSON Format = "json"
	XML  Format = "xml"
	PDF  Format = "pdf"
)

// MediaType is the format's name in HTTP; "" for an unknown one.
func (f Format) MediaType() string {
	switch f {
	case JSON:
		return "application/json"
	case XML:
		return "application/xml"
	case PDF:
		return "application/pdf"
	}
	return ""
}

// FormatOf is the format that a file's name asks for; invalid-input for another one.
func FormatOf(name string) (Format, error) {
	switch f := Format(strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))); f {
	case JSON, XML, PDF:
		return f, nil
	}
	return "", text.Detailed(text.InvalidInput, nil, "report.format", name)
}

// Options say what the report does not know of itself. The zero value is fine.
type Options struct {
	// Agency is who validated, as the PDF names it; may be empty.
	Agency string
	// Signed says that the PDF is going to be signed with Certificate; else it says of
	// itself that it is not.
	Signed bool
	// Certificate is that of who signs the report; nil leaves it out of the XML.
	Certificate *certs.Certificate
}

// Write returns r in the format f, ending with a line break where it is text. The
// PDF is not signed yet. An unknown format is invalid-input; a report too long for a
// paper is limit-exceeded.
func Write(r *validation.Report, f Format, o Options) ([]byte, error) {
	switch f {
	case JSON:
		b, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encoding the report: %w", err)
		}
		return append(b, '\n'), nil
	case XML:
		return etsi.XML(r, etsi.Options{Validator: o.Certificate})
	case PDF:
		return paper(r, o)
	}
	return nil, text.Detailed(text.InvalidInput, nil, "report.format", f)
}
