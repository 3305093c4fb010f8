package exchange

import (
	"strings"
	"unicode"
)

const (
	// maxNameWords and maxGivenName bound what is shown of a masked name, in words and
	// in letters: what is longer is no person's name, and is not shown as if it were.
	maxNameWords = 8
	maxGivenName = 20
)

// MaskedName is a person's name of which anyone may be told: enough to compare with
// the sheet in hand, too little to learn it by. The rule:
//
//   - Of two words or more, the last one (the given name in Vietnamese) stands in
//     full, every other word is its first letter and "***".
//   - A name of one word is its first letter and "***".
//   - Where a word is hidden and has one letter only, nothing but "***" is left of it.
//   - Of more than maxNameWords words only the first maxNameWords-1 and the last are
//     shown, so that a page cannot be blown up by a name.
//   - A last word over maxGivenName letters is treated like the others: it is no
//     given name but a name written together.
//
// The number of asterisks is always three and tells no length. Names in any
// script follow the same rule; what is no letter or digit ends a word like a space.
func MaskedName(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
	if len(words) > maxNameWords {
		words = append(words[:maxNameWords-1:maxNameWords-1], words[len(words)-1])
	}
	out := make([]string, len(words))
	for i, w := range words {
		letters := []rune(w)
		switch {
		case i > 0 && i == len(words)-1 && len(letters) <= maxGivenName:
			out[i] = w
		case len(letters) == 1:
			out[i] = "***"
		default:
			out[i] = string(firstLetter(letters)) + "***"
		}
	}
	return strings.Join(out, " ")
}

// firstLetter is the first letter with the marks that stand on it.
func firstLetter(letters []rune) []rune {
	n := 1
	for n < len(letters) && unicode.IsMark(letters[n]) {
		n++
	}
	return letters[:n]
}
