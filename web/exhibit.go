package web

import (
	"errors"
	"html/template"
	"image"
	"slices"
	"strconv"
	"strings"

	"antin/signer/validation"
	"antin/web/render"
)

const (
	// stripPictures is how many of the small pages of a strip have pictures; beyond
	// them only those with something on them do.
	stripPictures = 8
	// comparedPages bounds the pages of one view that are drawn twice, as signed and
	// as they are: each costs a rendering of its own.
	comparedPages = 6
	// shownChanges bounds the changes whose places are drawn.
	shownChanges = 200
	// hatchMargin is how far hatching reaches beyond what differs, in pixels, so that
	// one changed letter is seen.
	hatchMargin = 6
	// shownWords bounds the text of one page within a page of ours, in bytes.
	shownWords = 64 << 10
)

// exhibit is a document whose pages are shown with what was found about it.
type exhibit struct {
	name   string
	report *validation.Report // nil: nothing is known, so nothing is marked
	from   sender
	// draw makes page n of the file's first length bytes; 0: of the whole file.
	draw func(n int, length int64) (render.Page, error)
	// picture is the address of that page's image, drawn being nil for a page that is
	// not drawn yet; empty when it has none.
	picture func(n int, length int64, drawn *render.Page) template.URL
	// words is the address of that page's text; empty when it has none of its own.
	words func(n int, length int64) string
	// differences and ink look at images; what they found may be remembered.
	differences func(n int, length int64, was, now render.Page) ([]image.Rectangle, error)
	ink         func(drawn render.Page) render.Ink
	// pages and compared bound the pages shown, and those shown in both versions.
	pages, compared int
	// whole has every page drawn before it is shown, with its text beside it.
	whole bool
	// paged reports that further pages and other versions can be asked for.
	paged bool
}

// paperView is a document's pages as a page of ours shows them.
type paperView struct {
	Name    string
	Pages   []paperPage
	Strip   []leaf
	Count   int
	Earlier string // address of the pages before and after these, empty when none
	Later   string
	Left    int    // pages that are not shown and cannot be asked for here
	Working bool   // the first image is being made
	Problem string // why nothing can be shown
	Compare *comparison

	first int
}

// paperPage is one page, in the version of today and, where it was compared, in
// that which was signed.
type paperPage struct {
	N, Of         int
	Width, Height int
	Now, Was      template.URL
	NowWords      string // addresses of the text
	WasWords      string
	Text          string
	Marked        bool // drawn, so that marks have their places
	Frames        []frame
	Tags          []tag
	Hatches       []place
	Places        []place // of changes
	Note          string
}

// leaf is a page in the strip.
type leaf struct {
	N             int
	Picture       template.URL
	Width, Height int
	Frames        []frame
	Tags          []tag
	Differs       bool
	Href          string
}

// tag is a signature's verdict beside its page.
type tag struct {
	N       int
	Who     string
	Verdict verdictView
}

// place is a box in pixels of a page's image.
type place struct {
	ID         string
	X, Y, W, H int
	Bad        bool
}

// paper prepares the view.
func (x exhibit) paper(p *page) paperView {
	v := paperView{Name: x.name, first: 1}
	if n, err := strconv.Atoi(p.query.Get("from")); x.paged && err == nil && n > 1 {
		v.first = n
	}
	first, err := x.draw(v.first, 0)
	switch {
	case errors.Is(err, errRendering) || errors.Is(err, errManyImages):
		v.Working = true
		p.again(soon)
		return v
	case errors.Is(err, errNoRenderer):
		v.Problem = p.say("web.paper.none")
		return v
	case errors.Is(err, render.ErrLocked):
		v.Problem = p.say("web.paper.locked")
		return v
	case err != nil:
		v.Problem = p.say("web.paper.problem")
		return v
	}
	v.Count = first.Pages
	if v.Count < v.first {
		v.Count = v.first
	}
	v.Compare = x.compare(p)
	last := min(v.Count, v.first+x.pages-1)
	for n := v.first; n <= last; n++ {
		v.Pages = append(v.Pages, x.sheet(p, n, n == v.first, first, v.Compare))
	}
	for i := range v.Pages {
		v.Pages[i].Of = v.Count
	}
	v.Compare.conclude(p, v.Pages)
	v.strip()
	if !x.paged {
		v.Left = v.Count - last
		return v
	}
	at := func(n int) string { return withLang(addressOf(*p, "from", strconv.Itoa(n)), p.Lang) }
	if v.first > 1 {
		v.Earlier = at(max(1, v.first-x.pages))
	}
	if last < v.Count {
		v.Later = at(last + 1)
	}
	return v
}

// addressOf is p's own address with one value of its query replaced.
func addressOf(p page, name, value string) string {
	q := make(map[string][]string, len(p.query))
	for k, v := range p.query {
		if k == "file" || k == "signed" || k == "from" { // what chooses a view; what a form held is not repeated
			q[k] = v
		}
	}
	q[name] = []string{value}
	var b strings.Builder
	for _, k := range []string{"file", "from", "signed"} {
		if len(q[k]) == 0 || q[k][0] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(k + "=" + template.URLQueryEscaper(q[k][0]))
	}
	return p.path + "?" + b.String()
}

// sheet is page n; first is the page drawn already, this one when done is set, whose
// size serves where the page's own is not known yet.
func (x exhibit) sheet(p *page, n int, done bool, first render.Page, c *comparison) paperPage {
	s := paperPage{N: n, Width: first.Width, Height: first.Height, NowWords: x.words(n, 0)}
	s.Tags = x.tags(p, n)
	var drawn *render.Page
	if done || x.whole || len(s.Tags) > 0 || x.touched(n) || c.wants(n) {
		now, err := first, error(nil)
		if !done {
			now, err = x.draw(n, 0)
		}
		switch {
		case err == nil:
			drawn = &now
			s.Width, s.Height, s.Text = now.Width, now.Height, clipped(strings.TrimSpace(now.Text))
		case errors.Is(err, errRendering) || errors.Is(err, errManyImages):
			c.pending = true
			p.again(soon)
		}
	}
	s.Now = x.picture(n, 0, drawn)
	if s.Now == "" {
		s.Note = p.say("web.paper.page.problem", n)
	}
	if drawn == nil {
		return s
	}
	s.Marked = true
	s.Frames = x.frames(p, n, *drawn)
	s.Places = x.places(n, *drawn)
	if c.wants(n) {
		x.beside(p, &s, *drawn, c)
	}
	return s
}

// beside adds the version that was signed to a page, and where the two differ.
func (x exhibit) beside(p *page, s *paperPage, now render.Page, c *comparison) {
	was, err := x.draw(s.N, c.length)
	switch {
	case errors.Is(err, errRendering) || errors.Is(err, errManyImages):
		c.pending = true
		p.again(soon)
		return
	case err != nil:
		s.Note = p.say("web.compare.nopage")
		c.missing = append(c.missing, s.N)
		return
	}
	boxes, err := x.differences(s.N, c.length, was, now)
	c.compared = append(c.compared, s.N)
	if err == nil && len(boxes) == 0 {
		return // the same picture twice helps nobody
	}
	c.differs = append(c.differs, s.N)
	s.Was, s.WasWords = x.picture(s.N, c.length, &was), x.words(s.N, c.length)
	if err != nil {
		s.Note = p.say("web.compare.size")
		return
	}
	for _, b := range boxes {
		b = b.Inset(-hatchMargin).Intersect(image.Rect(0, 0, now.Width, now.Height))
		s.Hatches = append(s.Hatches, place{X: b.Min.X, Y: b.Min.Y, W: b.Dx(), H: b.Dy()})
	}
}

// touched reports whether a change has its place on page n.
func (x exhibit) touched(n int) bool {
	return x.report != nil && slices.ContainsFunc(x.report.Changes, func(c validation.Change) bool { return c.Page == n && len(c.Box) == 4 })
}

// places are those of the changes on page n.
func (x exhibit) places(n int, drawn render.Page) (out []place) {
	if x.report == nil {
		return nil
	}
	for i, c := range x.report.Changes[:min(len(x.report.Changes), shownChanges)] {
		if c.Page != n {
			continue
		}
		if r, ok := drawn.Pixels(c.Box); ok {
			out = append(out, place{ID: changeID(i), X: r.Min.X, Y: r.Min.Y, W: r.Dx(), H: r.Dy(), Bad: !c.Allowed})
		}
	}
	return out
}

func changeID(i int) string { return "change-" + strconv.Itoa(i+1) }

func clipped(s string) string {
	if len(s) <= shownWords {
		return s
	}
	return strings.ToValidUTF8(s[:shownWords], "") + " …"
}

// strip makes the small pages; one page alone needs none.
func (v *paperView) strip() {
	if v.Count < 2 {
		return
	}
	for i, s := range v.Pages {
		l := leaf{N: s.N, Width: s.Width, Height: s.Height, Frames: s.Frames, Tags: s.Tags,
			Differs: v.Compare != nil && slices.Contains(v.Compare.differs, s.N), Href: "#page-" + strconv.Itoa(s.N)}
		if !strings.HasPrefix(string(s.Now), "data:") && (i < stripPictures || len(s.Frames) > 0 || l.Differs) {
			l.Picture = s.Now
		}
		v.Strip = append(v.Strip, l)
	}
}
