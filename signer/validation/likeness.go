package validation

import (
	"regexp"
	"slices"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf"
	"antin/signer/pdf/find"
)

const (
	// maxAnnotationsSeen bounds the annotations of one page that are looked at.
	maxAnnotationsSeen = 200
	// maxPicturesSeen bounds the pictures of one file whose colours are counted.
	maxPicturesSeen = 20
	// A seal measures 36 mm across, and less in many programs' pictures: from 15 mm to
	// 80 mm is looked at, in points.
	smallestSeal, largestSeal = 42.0, 227.0
	// sealInk and sealRed are the shares of a picture that must be drawn, and of that
	// in red, for it to look like a seal: a ring and a star of thin lines are little ink.
	sealInk, sealRed = 0.02, 0.6
)

var (
	// signedBy begins the text that programs put into the picture of a signature.
	signedBy = regexp.MustCompile(`(ky (so )?boi|nguoi ky|digitally signed by|electronically signed by|signed by) ?:? ?\S`)
	// signedAt is a time of signing, or a date as such texts give it.
	signedAt = regexp.MustCompile(`(ngay|thoi gian|gio) ky( so)? ?:?|signing time|date ?:|\d{1,4}[-./]\d{1,2}[-./]\d{1,4} ?,? ?\d{1,2}:\d{2}|\d{1,2}:\d{2}(:\d{2})?,? \d{1,4}[-./]\d{1,2}[-./]\d{1,4}`)
	// verdictWords are what viewers write over a signature that they have checked.
	verdictWords = regexp.MustCompile(`signature (not verified|valid|verified)|chu ky (so )?hop le|da ky so`)
)

// maxSignedText is how far behind "signed by" the time of a text block may stand, in bytes.
const maxSignedText = 300

// readsSigned reports whether folded text is what stands in a signature's picture.
func readsSigned(folded string) bool {
	for _, at := range signedBy.FindAllStringIndex(folded, 20) {
		if signedAt.MatchString(folded[at[1]:min(len(folded), at[1]+maxSignedText)]) {
			return true
		}
	}
	return false
}

// findLikenesses names the pages that look signed though no signature stands behind
// what looks so: text blocks, pictures of seals, annotations. In a file that somebody
// signed the content of pages is his word; only annotations are looked at there.
func (v *validation) findLikenesses(signed bool) {
	n, err := v.file.NumPages()
	if err != nil {
		return
	}
	pictures := maxPicturesSeen
	var dicts []*pdf.Dict // by page, as far as one walk finds them
	for p, err := range v.file.Pages() {
		if err != nil {
			break
		}
		dicts = append(dicts, p.Dict)
	}
	for page := 1; page <= n; page++ {
		if page > maxWordPages/2 && page <= n-maxWordPages/2 {
			page = n - maxWordPages/2 // the first and the last pages are where people sign
			continue
		}
		if v.ctx.Err() != nil {
			return
		}
		var d *pdf.Dict
		if page <= len(dicts) {
			d = dicts[page-1]
		} else if _, d, err = v.file.Page(page); err != nil {
			continue
		}
		what := v.likeAnnotation(d, &pictures)
		if what == "" && !signed {
			what = v.likePage(page, &pictures)
		}
		if what != "" {
			v.report.because(ValidWithNotes, Reason{Code: ReasonPicture, Page: page, Message: say(reasonKey(ReasonPicture), page, text.Get(what))})
		}
	}
}

// likePage looks at what the content of a page shows.
func (v *validation) likePage(page int, pictures *int) text.Key {
	words, err := v.room.Words(v.file, page, maxWordContent)
	if err == nil && readsSigned(foldWords(words)) {
		return "validation.like.text"
	}
	inks, err := v.room.Inks(v.file, page, maxWordContent)
	if err == nil && sealAmong(v.file, inks, pictures) {
		return "validation.like.seal"
	}
	return ""
}

// likeAnnotation looks at the annotations of a page that are no signature's.
func (v *validation) likeAnnotation(d *pdf.Dict, pictures *int) text.Key {
	list, _ := resolve(v.file, d.Get("Annots")).(pdf.Array)
	for _, o := range list[:min(len(list), maxAnnotationsSeen)] {
		a := dictOf(v.file, o)
		s := normalAppearance(v.file, a)
		if s == nil || faint(v.file, a) || v.isSignature(a, refNum(o)) {
			continue
		}
		folded := foldWords(v.appearanceWords(v.file, a))
		if readsSigned(folded) || verdictWords.MatchString(folded) {
			return "validation.like.annotation"
		}
		inks, err := v.room.FormInks(v.file, s, formResources(v.file), maxWordContent)
		box, _ := v.file.Rect(a.Get("Rect"))
		inner, _ := v.file.Rect(s.Dict.Get("BBox"))
		if areaOf(inner) > 0 {
			for i := range inks {
				inks[i].Box = place4(inks[i].Box, inner, box)
			}
		}
		if err == nil && sealAmong(v.file, inks, pictures) {
			return "validation.like.annotation"
		}
	}
	return ""
}

// isSignature reports whether a widget shows a signature, a document time-stamp
// included, that this run found; what is broken about it is said elsewhere.
func (v *validation) isSignature(a *pdf.Dict, num int) bool {
	for _, s := range v.subjects {
		if num != 0 && (num == s.sig.WidgetRef.Num || num == s.sig.FieldRef.Num || v.isKid(s.sig.FieldDict, num)) {
			return true
		}
	}
	for depth := 0; a != nil && depth < maxNesting; depth++ {
		if ft, ok := resolve(v.file, a.Get("FT")).(pdf.Name); ok && ft == "Sig" {
			return v.signedValue(a)
		}
		a = dictOf(v.file, a.Get("Parent"))
	}
	return false
}

// isKid reports whether object num is a widget of a field: not every program writes
// the way back.
func (v *validation) isKid(field *pdf.Dict, num int) bool {
	kids, _ := resolve(v.file, field.Get("Kids")).(pdf.Array)
	return slices.ContainsFunc(kids, func(k pdf.Object) bool { return refNum(k) == num })
}

func (v *validation) signedValue(a *pdf.Dict) bool {
	if dictOf(v.file, a.Get("V")).Has("Contents") {
		return true
	}
	return dictOf(v.file, dictOf(v.file, a.Get("Parent")).Get("V")).Has("Contents")
}

// sealAmong reports whether one of inks looks like a seal: round or square, of a
// seal's size, and red.
func sealAmong(f *pdf.File, inks []find.Ink, pictures *int) bool {
	for _, i := range inks {
		w, h := i.Box[2]-i.Box[0], i.Box[3]-i.Box[1]
		if min(w, h) < smallestSeal || max(w, h) > largestSeal || w > 1.3*h || h > 1.3*w {
			continue
		}
		if i.Red && i.Curves >= 4 {
			return true
		}
		if i.Image == nil || *pictures <= 0 {
			continue
		}
		*pictures--
		if drawn, red, ok := find.Redness(f, i.Image); ok && drawn >= sealInk && red >= sealRed {
			return true
		}
	}
	return false
}

// foldWords is the text of words in the spelling that patterns are written in.
func foldWords(words []find.Word) string {
	var s strings.Builder
	for _, w := range words {
		s.WriteString(w.Text)
		s.WriteByte(' ')
	}
	return find.Fold(s.String())
}
