package exchange

import (
	"slices"
	"strings"
	"unicode"
)

const (
	// minDistinct is how many different characters a password has at least.
	minDistinct = 5
	// minRun is the length from which neighbours on the keyboard or in the alphabet
	// count as one thing.
	minRun = 4
	// minLeft is how many characters must be left when all that is guessed first is
	// taken away: four letters that stand in no list are some 19 bits.
	minLeft = 4
	// manyWords different guessed words in one sentence are hard to guess in their order.
	manyWords = 4
	// minOwn is the length from which a word of the person's own names is taken away.
	minOwn = 3
)

// rows are what fingers run along.
var rows = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"}

// guessable reports whether password is made of what is guessed first: a repetition,
// sequences, years, words of guessedWords and of own, with a few characters around.
func guessable(password string, own ...string) bool {
	bare := bareText(Fold(password))
	if len(distinct(bare)) < minDistinct || repeats(bare) {
		return true
	}
	var names []string
	for _, o := range own {
		for _, w := range Words(o) {
			if len(w) >= minOwn {
				names = append(names, w)
			}
		}
		names = append(names, bareText(Fold(o)))
	}
	for _, form := range []string{bare, unmasked(password)} {
		left, words := without(form, names)
		if len([]rune(left)) < minLeft && words < manyWords {
			return true
		}
	}
	return false
}

func distinct(s string) map[rune]bool {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return seen
}

// repeats reports whether s is one part written again and again, the last time
// perhaps not to its end.
func repeats(s string) bool {
	r := []rune(s)
	for n := 1; n <= len(r)/2; n++ {
		same := true
		for i := n; i < len(r) && same; i++ {
			same = r[i] == r[i-n]
		}
		if same {
			return true
		}
	}
	return false
}

// unmasked is password in bare letters where digits and signs stand for letters that
// they look like.
func unmasked(password string) string {
	return bareText(strings.Map(func(r rune) rune {
		if i := strings.IndexRune("@4310!$578", r); i >= 0 {
			return rune("aaeloisstb"[i])
		}
		return r
	}, Fold(password)))
}

// without takes from s what is guessed first, and counts the different words among it.
func without(s string, own []string) (left string, words int) {
	list := slices.Concat(guessedWords, own)
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) }) // the longest first: no word is cut out of another
	for _, w := range list {
		if len(w) >= minOwn && strings.Contains(s, w) {
			s = strings.ReplaceAll(s, w, " ")
			words++
		}
	}
	s = withoutRuns(s)
	s = strings.Map(func(r rune) rune { // what digits are left are a year, a day, a count
		if r == ' ' || unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
	return s, words
}

// withoutRuns takes runs along a keyboard's row or the alphabet from s, either way,
// and one letter written many times.
func withoutRuns(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		n := runAt(s[i:])
		if n >= minRun {
			out.WriteByte(' ')
			i += n
			continue
		}
		out.WriteByte(s[i])
		i++
	}
	return out.String()
}

// runAt is the length of the longest run that s begins with.
func runAt(s string) int {
	longest := 1
	for longest < len(s) && s[longest] == s[0] {
		longest++
	}
	for _, row := range rows {
		for _, step := range []int{1, -1} {
			at, n := strings.IndexByte(row, s[0]), 0
			for at >= 0 && at < len(row) && n < len(s) && row[at] == s[n] {
				at, n = at+step, n+1
			}
			longest = max(longest, n)
		}
	}
	return longest
}
