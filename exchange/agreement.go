package exchange

import (
	"io"
	"slices"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/find"
	"antin/signer/validation"
)

// Whose names an Agreement compares.
const (
	AgreementSigner = "signer" // the person
	AgreementAgency = "agency" // the agency and its seal
)

// Agreement says whether three sources name the same signer or agency: the subject
// of the certificate, the text of the page, and the header of the message ("ba
// khớp"). Marks, case, abbreviations of office names and the order of a person's
// names do not count. The zero value is not meaningful.
type Agreement struct {
	Of string `json:"of"` // AgreementSigner or AgreementAgency
	// What each source says, in its own spelling; "" where it says nothing. Page is
	// the passage that comes nearest.
	Certificate string `json:"certificate"`
	Page        string `json:"page"`
	Header      string `json:"header"`
	Agrees      bool   `json:"agrees"`
	// Message says it in a sentence, with the two strings that differ.
	Message text.Message `json:"message"`
}

const (
	// maxAgreementPages bounds the pages read for names: signatures stand at the end,
	// the agency's name at the beginning.
	maxAgreementPages = 6
	// maxAgreementContent bounds the content decoded for one of them, in bytes.
	maxAgreementContent = 2 << 20
	// maxComparedWords bounds a name; the longest names of agencies have some twenty words.
	maxComparedWords = 40
	// nearest is the share of a name's words that a passage must share to be shown as
	// what the page says instead.
	nearest = 0.5
)

// Agree compares the names of one signed file. words are those of its pages in
// their order. It returns one line for the first personal signature and one for the
// first seal, as far as there are any, with what speaks against them first.
func Agree(report *validation.Report, words []string, h DocumentHeader) []Agreement {
	var list []Agreement
	seen := map[string]bool{}
	for i := range report.Signatures {
		s := &report.Signatures[i]
		if s.Type == validation.DocumentTimestamp || s.Signer.Subject == "" {
			continue
		}
		of, said := AgreementSigner, h.SignerName
		if organisational(s.Signer.Subject) {
			of, said = AgreementAgency, h.FromName
		}
		if seen[of] {
			continue
		}
		seen[of] = true
		list = append(list, agree(of, subjectPart(s.Signer.Subject, "CN"), said, words))
	}
	slices.SortStableFunc(list, func(a, b Agreement) int {
		if a.Agrees == b.Agrees {
			return 0
		}
		if a.Agrees {
			return 1
		}
		return -1
	})
	return list
}

func agree(of, certificate, header string, words []string) Agreement {
	a := Agreement{Of: of, Certificate: certificate, Header: header}
	page, onPage := passage(words, certificate)
	a.Page = page
	key := text.Key("agreement." + of)
	switch {
	case header != "" && !sameName(certificate, header):
		a.Message = text.Get(key+".header", certificate, header)
	case !onPage && page != "":
		a.Message = text.Get(key+".page", certificate, page)
	case !onPage:
		a.Message = text.Get(key+".absent", certificate)
	default:
		a.Agrees, a.Message = true, text.Get(key+".agrees", certificate)
	}
	return a
}

// shortened are the abbreviations of office names, as they read in full, folded.
var shortened = map[string]string{
	"ubnd": "uy ban nhan dan", "hdnd": "hoi dong nhan dan", "tp": "thanh pho", "tp.": "thanh pho", "tt": "thi tran", "vp": "van phong",
	"mttq": "mat tran to quoc", "ktxh": "kinh te xa hoi", "tnmt": "tai nguyen va moi truong", "gddt": "giao duc va dao tao",
}

// titles stand before a person's name and are no part of it.
var titles = []string{"ong", "ba", "ts", "ths", "gs", "pgs", "bs", "ky su", "dong chi"}

// nameWords are the words of a name in the spelling by which names are compared.
func nameWords(s string) []string {
	var list []string
	for _, w := range strings.FieldsFunc(find.Fold(s), func(r rune) bool { return strings.ContainsRune(" ,;:()-–_/", r) }) {
		w = strings.Trim(w, ".")
		if full, ok := shortened[w]; ok {
			list = append(list, strings.Fields(full)...)
			continue
		}
		if w != "" && (len(list) > 0 || !slices.Contains(titles, w)) {
			list = append(list, w)
		}
	}
	return list[:min(len(list), maxComparedWords)]
}

// sameName reports whether two names are one, whatever the order of their words.
func sameName(a, b string) bool {
	x, y := slices.Sorted(slices.Values(nameWords(a))), slices.Sorted(slices.Values(nameWords(b)))
	return len(x) > 0 && slices.Equal(x, y)
}

// passage looks for a name among the words of pages. It returns the passage in its own
// spelling, and whether it is the name; else the nearest one, or "".
func passage(words []string, name string) (found string, same bool) {
	want := slices.Sorted(slices.Values(nameWords(name)))
	if len(want) == 0 {
		return "", false
	}
	// One spelled word may stand for several.
	var folded []string
	var from []int
	for i, w := range words {
		for _, f := range nameWords("x " + w)[1:] {
			folded, from = append(folded, f), append(from, i)
		}
	}
	inOrder := nameWords(name)
	best, bestPlaced, at := 0, 0, -1
	for i := 0; i+len(want) <= len(folded); i++ {
		window := folded[i : i+len(want)]
		n, placed := shared(want, window), 0
		for j, w := range window {
			if w == inOrder[j] {
				placed++ // of two passages that share as much, the one that shares it in its place
			}
		}
		if n > best || n == best && placed > bestPlaced {
			best, bestPlaced, at = n, placed, i
		}
		if n == len(want) {
			break
		}
	}
	if at < 0 || float64(best) < nearest*float64(len(want)) {
		return "", false
	}
	return strings.Join(words[from[at]:from[at+len(want)-1]+1], " "), best == len(want)
}

// shared counts the words of sorted want that window holds too.
func shared(want, window []string) int {
	have := slices.Sorted(slices.Values(window))
	n := 0
	for i, j := 0, 0; i < len(want) && j < len(have); {
		switch strings.Compare(want[i], have[j]) {
		case 0:
			n, i, j = n+1, i+1, j+1
		case -1:
			i++
		default:
			j++
		}
	}
	return n
}

// organisational reports whether a certificate's subject is an organisation: it has a
// tax number or an organisation's identifier and no personal one.
func organisational(subject string) bool {
	uid := strings.ToUpper(subjectPart(subject, "UID"))
	if strings.HasPrefix(uid, "CCCD") || strings.HasPrefix(uid, "CMND") || strings.HasPrefix(uid, "HC:") {
		return false
	}
	return strings.HasPrefix(uid, "MST") || strings.HasPrefix(uid, "MNS") || subjectPart(subject, "organizationIdentifier") != "" ||
		uid == "" && sameName(subjectPart(subject, "CN"), subjectPart(subject, "O"))
}

// subjectPart is the first attribute of that type of a name by RFC 4514.
func subjectPart(subject, kind string) string {
	var part strings.Builder
	escaped := false
	end := func() (string, bool) {
		value, ok := strings.CutPrefix(part.String(), kind+"=")
		part.Reset()
		return value, ok
	}
	for _, r := range subject {
		switch {
		case escaped:
			part.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ',' || r == '+':
			if value, ok := end(); ok {
				return value
			}
		default:
			part.WriteRune(r)
		}
	}
	value, ok := end()
	if !ok {
		return ""
	}
	return value
}

// agreements compares the names of a signed attachment with its message. What cannot
// be read says nothing.
func agreements(r io.ReaderAt, size int64, report *validation.Report, h DocumentHeader) []Agreement {
	if len(report.Signatures) == 0 {
		return nil
	}
	f, err := pdf.Open(r, size, pdf.Options{})
	if err != nil {
		return nil
	}
	n, err := f.NumPages()
	if err != nil {
		return nil
	}
	var words []string
	for page := 1; page <= n; page++ {
		if page > maxAgreementPages/2 && page <= n-maxAgreementPages/2 {
			continue
		}
		list, err := find.Words(f, page, maxAgreementContent)
		if err != nil {
			continue
		}
		for _, w := range list {
			words = append(words, w.Text)
		}
	}
	return Agree(report, words, h)
}
