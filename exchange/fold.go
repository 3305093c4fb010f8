package exchange

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxWords bounds the words that one row can be found by, and maxQueryWords those
	// that one search may ask for: more narrow nothing further.
	maxWords      = 400
	maxQueryWords = 8
	// maxWord bounds one word, in bytes: longer ones are found by their beginning.
	maxWord = 40
)

// Fold returns s as searches compare it: lower case, without diacritics, đ as d.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ' || r == 'Đ':
			b.WriteByte('d')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// Words returns the different folded words of texts, sorted: runs of letters and
// digits, at most maxWords of them.
func Words(texts ...string) []string {
	var words []string
	for _, t := range texts {
		for w := range strings.FieldsFuncSeq(Fold(t), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			words = append(words, clipWord(w))
		}
	}
	slices.Sort(words)
	words = slices.Compact(words)
	return words[:min(len(words), maxWords)]
}

// QueryWords returns the words that a search for s asks for.
func QueryWords(s string) []string {
	words := Words(s)
	return words[:min(len(words), maxQueryWords)]
}

// clipWord cuts w between characters.
func clipWord(w string) string {
	if len(w) <= maxWord {
		return w
	}
	cut := maxWord
	for cut > 0 && w[cut]&0xc0 == 0x80 {
		cut--
	}
	return w[:cut]
}

// SearchWords returns what d is found by.
func (d Document) SearchWords() []string {
	i := d.Issuance
	return Words(i.Number.String(), d.Notation, d.Subject, d.Kind.Name, i.Signer.Name, d.Receivers, d.Hand.Columns.Receivers)
}

// SearchWords returns what r is found by.
func (r Result) SearchWords() []string {
	f := r.Form
	return Words(r.Issuance.Number.String(), f.Notation, f.Subject, f.Dossier, f.Procedure, f.ProcedureName, f.Owner, r.Issuance.Signer.Name)
}

// SearchWords returns what i is found by.
func (i InboxItem) SearchWords() []string {
	h := i.Header
	if i.Kind == KindStatus {
		return nil // a status is found by what it is about
	}
	return Words(h.FullNumber(), h.Subject, h.Kind.Name, h.SignerName, i.FromName, string(i.From), arrivalText(i.Arrival), i.Assignee)
}

func arrivalText(n int) string {
	if n == 0 {
		return ""
	}
	return itoa(n)
}
