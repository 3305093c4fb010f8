package main

import (
	"io"

	"antin/internal/text"
	"antin/signer/report"
	"antin/signer/validation"
)

// reportFormat reads --report before anything is validated: its format, that it
// is for one file, and that nothing is in its place.
func (c *verifyCmd) reportFormat() (report.Format, error) {
	if c.Report == "" {
		return "", nil
	}
	if len(c.Files) > 1 {
		return "", text.Detailed(text.InvalidInput, nil, "report.several")
	}
	format, err := report.FormatOf(c.Report)
	if err != nil {
		return "", err
	}
	return format, refuseExisting(c.Report, false)
}

// writeReport leaves the report beside what is printed, whole or not at all.
func writeReport(path string, format report.Format, r *validation.Report) error {
	data, err := report.Write(r, format, report.Options{})
	if err != nil {
		return err
	}
	return writeFile(path, false, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
