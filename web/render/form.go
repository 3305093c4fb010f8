package render

import (
	"strings"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/responses"
)

// maxFields bounds the form fields whose values are told: a page of a real form
// holds tens.
const maxFields = 500

// formText is what the fields of a page hold, a line each. PDFium's text of a page
// leaves them out, and with them the number and date that văn thư fills in. A form
// that cannot be read costs its values, never the page.
func formText(inst pdfium.Pdfium, at requests.Page) (out string) {
	defer func() { // PDFium's glue panics when the module traps
		if recover() != nil {
			out = ""
		}
	}()
	form, err := inst.GetForm(&requests.GetForm{Page: at})
	if err != nil {
		return ""
	}
	var lines []string
	for _, f := range form.Fields[:min(len(form.Fields), maxFields)] {
		value := fieldValue(f)
		if value == "" {
			continue
		}
		label := strings.TrimSpace(f.ToolTip)
		if label == "" {
			label = f.Name
		}
		lines = append(lines, label+": "+value)
	}
	return strings.Join(lines, "\n")
}

// fieldValue is a field's value as a reader sees it; empty when it holds none.
func fieldValue(f responses.FormField) string {
	switch {
	case f.IsChecked != nil:
		if *f.IsChecked {
			return "✓"
		}
		return ""
	case len(f.Values) > 0:
		return strings.Join(f.Values, "; ")
	case f.Value != nil:
		return strings.TrimSpace(*f.Value)
	}
	return ""
}
