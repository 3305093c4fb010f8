package validation

import (
	"strconv"
	"strings"

	"antin/internal/text"
	"antin/signer/pdf"
)

// explain completes a change with where it is and how its text reads before and after.
func (v *validation) explain(f *finding, c *Change) {
	c.Path, c.Box, c.Words = f.path, []float64{}, []Wording{}
	if w := f.widget; w != 0 {
		if box, ok := v.files[f.after+1].Rect(dictOf(v.files[f.after+1], refTo(v.files[f.after+1], w)).Get("Rect")); ok {
			c.Box = append(c.Box, box[:]...)
		}
	}
	switch {
	case f.kind == ChangeForm && f.level != ModificationForbidden:
		v.explainFill(f, c)
	case f.kind == ChangeAnnotation && f.widget != 0:
		v.explainAnnotation(f, c)
	default:
		v.explainPage(f, c)
	}
	v.overlap(f, c)
}

// explainPage says how the words of a page changed.
func (v *validation) explainPage(f *finding, c *Change) {
	c.Words = append(c.Words, v.pageWords(f)...)
	for i, w := range c.Words {
		if i == 0 && len(c.Box) == 0 && (f.page == 0 || w.Page == f.page) {
			c.Box = w.Box
		}
		if f.page == 0 && c.Page == 0 {
			c.Page = w.Page
		}
		c.Message = join(c.Message, w.sentence())
	}
}

// explainFill says what a field shows, where that is not its value: a viewer shows
// the appearance, a program reads the value.
func (v *validation) explainFill(f *finding, c *Change) {
	if f.widget == 0 {
		return
	}
	before, shown := v.appearanceText(v.files[f.after], f.widget), v.appearanceText(v.files[f.after+1], f.widget)
	was, is := before, shown
	if is == "" && was == "" {
		was, is = f.before, f.now
	}
	if was != is {
		c.Words = append(c.Words, Wording{Page: f.page, Before: was, After: is, Box: c.Box})
	}
	if shown != "" && f.now != "" && squeezed(shown) != squeezed(f.now) {
		c.Message = join(c.Message, say("change.words.shown", shown, f.now))
	} else if f.before == f.now && before != shown {
		c.Message = join(c.Message, say("change.words.look", before, shown))
	}
}

// explainAnnotation says what an added annotation states or shows.
func (v *validation) explainAnnotation(f *finding, c *Change) {
	file := v.files[f.after+1]
	d := dictOf(file, refTo(file, f.widget))
	said := joined(v.appearanceWords(file, d))
	if said == "" {
		if s, ok := resolve(file, d.Get("Contents")).(pdf.String); ok {
			said = cut(s.Text())
		}
	}
	if said == "" {
		return
	}
	c.Words = append(c.Words, Wording{Page: f.page, After: said, Box: c.Box})
	c.Message = join(c.Message, say("change.words.says", said))
}

// sentence says a difference in words.
func (w *Wording) sentence() text.Message {
	switch {
	case w.Before == "":
		return say("change.words.added", w.Page, w.After)
	case w.After == "":
		return say("change.words.removed", w.Page, w.Before)
	}
	return say("change.words.replaced", w.Page, w.Before, w.After)
}

// join puts two sentences behind one another.
func join(a, b text.Message) text.Message {
	return text.Message{VI: a.VI + " " + b.VI, EN: a.EN + " " + b.EN}
}

// squeezed is s without white space: an appearance breaks lines where it likes.
func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

// cut shortens s for a sentence.
func cut(s string) string {
	if r := []rune(s); len(r) > maxWordingShown {
		return string(r[:maxWordingShown]) + "…"
	}
	return s
}

// maxPathSteps bounds the objects named on the way to a changed one.
const maxPathSteps = 8

// objectPath says where object num hangs: from the page or the trailer that leads to
// it as far as the graph knows the way, else from the object that holds it.
func (s *step) objectPath(num int) string {
	path := ""
	for range maxPathSteps {
		if page := s.d.pages[num]; page > 0 {
			return pagePath(page) + path
		}
		if num == refNum(s.new.Trailer().Get("Root")) {
			return "trailer/Root" + path
		}
		l, ok := s.wayTo(num)
		if !ok {
			break
		}
		path = l.path + path
		if l.holder == 0 {
			return "trailer" + path
		}
		num = l.holder
	}
	if num == 0 {
		return "trailer" + path
	}
	return pdf.Ref{Num: num, Gen: s.gen(num)}.String() + path
}

// wayTo is a place that refers to num from above; what only leads back up is none.
func (s *step) wayTo(num int) (location, bool) {
	if s.d.graph == nil {
		return location{}, false
	}
	for _, l := range s.d.graph.refs[num] {
		switch l.path[strings.LastIndexByte(l.path, '/')+1:] {
		case "Parent", "P", "Dest", "Pg":
		default:
			return l, true
		}
	}
	return location{}, false
}

func pagePath(page int) string { return "page " + strconv.Itoa(page) }
