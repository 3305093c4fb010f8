package validation

import (
	"strings"

	"antin/signer/pdf"
	"antin/signer/pdf/find"
)

const (
	// maxWordContent bounds the content decoded for the words of one page or one
	// appearance, in bytes: a page of text has some tens of kilobytes.
	maxWordContent = 2 << 20
	// maxContentRun bounds the content that is run for one file in all, in bytes: looks
	// that are used a thousand times would otherwise cost minutes. Most files come to a
	// few hundred kilobytes.
	maxContentRun = 24 << 20
	// maxWordPages bounds the pages of one file whose words are compared or looked
	// through: each costs the running of its content, twice.
	maxWordPages = 16
	// maxWordPairs bounds the table that aligns the words of two versions; longer
	// differences are given as one.
	maxWordPairs = 1 << 20
	// maxWordings bounds the differences shown for one page.
	maxWordings = 5
	// maxWordingShown bounds the characters shown of one difference.
	maxWordingShown = 80
)

// Wording is a place whose text differs between two revisions.
type Wording struct {
	Page int `json:"page"` // from 1
	// Before and After are the words in question, "" where there were none.
	Before string `json:"before"`
	After  string `json:"after"`
	// Box is where the newer words stand, or the older ones where nothing came
	// instead: left, bottom, right, top in points of the page's user space.
	Box []float64 `json:"box"`
}

// compareWords lists the places where the words of two versions of a page differ.
func compareWords(page int, a, b []find.Word) []Wording {
	same := func(x, y find.Word) bool { return x.Text == y.Text }
	head, allA, allB := 0, a, b
	for head < len(a) && head < len(b) && same(a[head], b[head]) {
		head++
	}
	a, b = a[head:], b[head:]
	for len(a) > 0 && len(b) > 0 && same(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	if (len(a)+1)*(len(b)+1) > maxWordPairs {
		return []Wording{wording(page, a, b)}
	}
	return whole(align(page, a, b), allA, allB)
}

// align finds the longest common subsequence and lists what lies between its parts.
func align(page int, a, b []find.Word) []Wording {
	width := len(b) + 1
	table := make([]int32, (len(a)+1)*width) // length of the longest common subsequence of a[i:] and b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i].Text == b[j].Text {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	var list []Wording
	i, j, fromA, fromB := 0, 0, 0, 0
	flush := func() {
		if fromA < i || fromB < j {
			list = append(list, wording(page, a[fromA:i], b[fromB:j]))
		}
	}
	for i < len(a) && j < len(b) && len(list) < maxWordings {
		switch {
		case a[i].Text == b[j].Text:
			flush()
			i, j = i+1, j+1
			fromA, fromB = i, j
		case table[(i+1)*width+j] >= table[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	if len(list) < maxWordings {
		i, j = len(a), len(b)
		flush()
	}
	return list
}

func wording(page int, a, b []find.Word) Wording {
	at := b
	if len(b) == 0 {
		at = a
	}
	box := hull(at)
	return Wording{Page: page, Before: joined(a), After: joined(b), Box: box[:]}
}

// joined is what words say together, cut short for a sentence.
func joined(words []find.Word) string {
	var s strings.Builder
	runes := 0
	for i, w := range words {
		if i > 0 {
			s.WriteByte(' ')
			runes++
		}
		for _, r := range w.Text {
			if runes == maxWordingShown {
				return s.String() + "…"
			}
			s.WriteRune(r)
			runes++
		}
	}
	return s.String()
}

// hull is the smallest box around words; all zero for none.
func hull(words []find.Word) (box [4]float64) {
	for i, w := range words {
		if i == 0 {
			box = w.Box
			continue
		}
		box[0], box[1] = min(box[0], w.Box[0]), min(box[1], w.Box[1])
		box[2], box[3] = max(box[2], w.Box[2]), max(box[3], w.Box[3])
	}
	return box
}

// wordsOf gives the words of a page as of revision i; nil when they cannot be had.
// What was read is kept for the next question.
func (v *validation) wordsOf(i, page int) []find.Word {
	key := [2]int{i, page}
	if w, known := v.words[key]; known {
		return w
	}
	if len(v.words) >= 2*maxWordPages || v.files[i] == nil {
		return nil
	}
	w, err := v.room.Words(v.files[i], page, maxWordContent)
	if err != nil {
		w = nil
	}
	if v.words == nil {
		v.words = map[[2]int][]find.Word{}
	}
	v.words[key] = w
	return w
}

// pageWords lists how the words of the pages that f altered read before and after.
// A page is compared once for each revision, with the first change of it.
func (v *validation) pageWords(f *finding) []Wording {
	if f.level != ModificationForbidden || f.kind == ChangeEvidence || f.kind == ChangeSignature {
		return nil
	}
	first, last := f.page, f.page
	if f.page == 0 {
		if first, last = 1, 0; f.kind == ChangeContent || f.kind == ChangeOther {
			last = v.commonPages(f.after)
		}
	}
	var list []Wording
	for page := first; page <= last && len(list) < maxWordings; page++ {
		key := [2]int{f.after, page}
		if v.compared[key] {
			continue
		}
		if v.compared == nil {
			v.compared = map[[2]int]bool{}
		}
		v.compared[key] = true
		list = append(list, compareWords(page, v.wordsOf(f.after, page), v.wordsOf(f.after+1, page))...)
	}
	return list
}

// commonPages is how many pages of two revisions are worth comparing.
func (v *validation) commonPages(after int) int {
	n, errA := v.files[after].NumPages()
	m, errB := v.files[after+1].NumPages()
	if errA != nil || errB != nil {
		return 0
	}
	return min(max(n, m), maxWordPages/2)
}

// appearanceText is what the normal appearance of widget num says in f, "" when
// nothing can be read.
func (v *validation) appearanceText(f *pdf.File, num int) string {
	w, _ := resolve(f, refTo(f, num)).(*pdf.Dict)
	if w == nil {
		return ""
	}
	return joined(v.appearanceWords(f, w))
}

// appearanceWords lists the words of a widget's or annotation's normal appearance,
// in the appearance's own space.
func (v *validation) appearanceWords(f *pdf.File, d *pdf.Dict) []find.Word {
	s := normalAppearance(f, d)
	if s == nil {
		return nil
	}
	words, err := v.room.FormWords(f, s, formResources(f), maxWordContent)
	if err != nil {
		return nil
	}
	return words
}

// normalAppearance is the stream that shows an annotation, nil when it has none.
func normalAppearance(f *pdf.File, d *pdf.Dict) *pdf.Stream {
	ap, _ := resolve(f, d.Get("AP")).(*pdf.Dict)
	switch n := resolve(f, ap.Get("N")).(type) {
	case *pdf.Stream:
		return n
	case *pdf.Dict:
		state, _ := resolve(f, d.Get("AS")).(pdf.Name)
		s, _ := resolve(f, n.Get(state)).(*pdf.Stream)
		return s
	}
	return nil
}

// formResources are the resources that appearances without their own use.
func formResources(f *pdf.File) *pdf.Dict {
	_, root, err := f.Root()
	if err != nil {
		return nil
	}
	return dictOf(f, dictOf(f, root.Get("AcroForm")).Get("DR"))
}

// refTo is the reference to object num in f.
func refTo(f *pdf.File, num int) pdf.Ref {
	e, _ := f.Entry(num)
	return pdf.Ref{Num: num, Gen: e.Gen}
}
