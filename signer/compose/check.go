package compose

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"antin/internal/text"
	"antin/signer/pdf/qr"
)

// Limits of one document. They bound time and memory for a form that came over
// the API; longer content belongs into annexes.
const (
	maxRunes   = 400_000
	maxLine    = 2_000 // of one text outside the body
	maxBlocks  = 10_000
	maxColumns = 12
	maxPages   = 300
)

func (in DocumentForm) check() error {
	switch {
	case strings.TrimSpace(in.Agency) == "":
		return text.Detailed(text.InvalidInput, nil, "compose.missing.agency")
	case strings.TrimSpace(in.Subject) == "":
		return text.Detailed(text.InvalidInput, nil, "compose.missing.subject")
	case strings.TrimSpace(in.Signer.Name) == "":
		return text.Detailed(text.InvalidInput, nil, "compose.missing.signer")
	case in.Created.IsZero():
		return text.Detailed(text.InvalidInput, nil, "compose.missing.created")
	}
	if err := in.Verify.check(); err != nil {
		return err
	}
	return in.checkLength()
}

func (in ResultForm) check() error {
	for _, s := range []string{in.DossierCode, in.Procedure, in.Owner} {
		if utf8.RuneCountInString(s) > maxLine {
			return text.Detailed(text.LimitExceeded, nil, "compose.limit.line", maxLine)
		}
	}
	return in.DocumentForm.check()
}

func (v Verify) check() error {
	if v == (Verify{}) {
		return nil
	}
	u, err := url.Parse(v.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || len(v.URL) > qr.MaxContent {
		return text.Detailed(text.InvalidInput, err, "compose.bad.url", qr.MaxContent)
	}
	return nil
}

func (in DocumentForm) checkLength() error {
	total := 0
	count := func(parts ...string) {
		for _, s := range parts {
			total += utf8.RuneCountInString(s)
		}
	}
	lines := append([]string{in.ParentAgency, in.Agency, in.Place, in.Type, in.Notation, in.Subject,
		in.Signer.Competence, in.Signer.Position, in.Signer.Name, in.Verify.Code}, in.Addressees...)
	for _, s := range append(lines, in.Receivers...) {
		if utf8.RuneCountInString(s) > maxLine {
			return text.Detailed(text.LimitExceeded, nil, "compose.limit.line", maxLine)
		}
	}
	count(lines...)
	count(in.Receivers...)
	for _, b := range in.Body {
		switch b := b.(type) {
		case Paragraph:
			count(b.Lead, b.Text)
		case Heading:
			if count(b.Text); utf8.RuneCountInString(b.Text) > maxLine {
				return text.Detailed(text.LimitExceeded, nil, "compose.limit.line", maxLine)
			}
		case Table:
			if len(b.Columns) == 0 || len(b.Columns) > maxColumns {
				return text.Detailed(text.InvalidInput, nil, "compose.bad.table", maxColumns)
			}
			for _, row := range b.Rows {
				if len(row) != len(b.Columns) {
					return text.Detailed(text.InvalidInput, nil, "compose.bad.table", maxColumns)
				}
				count(row...)
			}
			for _, c := range b.Columns {
				count(c.Title)
			}
			total += len(b.Rows)
		default:
			return text.Detailed(text.InvalidInput, nil, "compose.bad.block")
		}
	}
	if total > maxRunes || len(in.Body) > maxBlocks {
		return text.Detailed(text.LimitExceeded, nil, "compose.limit.text", maxRunes)
	}
	return nil
}

// vietnam is the zone in which official documents state times.
var vietnam = time.FixedZone("+07:00", 7*60*60)

// facts are the lines of the dossier, label and value.
func (in ResultForm) facts() [][2]string {
	var facts [][2]string
	add := func(label text.Key, value string) {
		if value = strings.TrimSpace(value); value != "" {
			facts = append(facts, [2]string{text.Get(label).VI, value})
		}
	}
	date := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(vietnam).Format("02/01/2006")
	}
	add("compose.dossier", in.DossierCode)
	add("compose.procedure", in.Procedure)
	add("compose.owner", in.Owner)
	add("compose.received", date(in.Received))
	add("compose.valid", date(in.ValidUntil))
	return facts
}
