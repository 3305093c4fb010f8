package pdf

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// afterSection is how far behind a section its startxref is looked for, in bytes,
// when it does not follow at once.
const afterSection = 4 << 10

// Revision is one state of the file: the original, or what one incremental update
// made of it (ISO 32000-2, 7.5.6).
type Revision struct {
	// StartXRef is the offset of the newest section of the revision, as an offset
	// in the file.
	StartXRef int64
	// EOF is the offset past the %%EOF of the revision, and End past the end-of-line
	// marker behind it too, where there is one.
	EOF, End int64
	// Sections are the sections that the revision added, newest first: one, or two
	// in a linearised original.
	Sections []Section

	first int // index of Sections[0] in File.sections
}

// ending is what stands behind a section: the offset after startxref, and the
// ends of the revision.
type ending struct {
	value    int64 // as written
	eof, end int64
	marker   bool // %%EOF is there
}

type endings struct {
	once sync.Once
	list []ending // by the index of the section; zero when there is none
}

// Sections returns the cross-reference sections, newest first.
func (f *File) Sections() []Section {
	list := make([]Section, len(f.sections))
	for i, s := range f.sections {
		list[i] = *s
	}
	return list
}

// Revisions returns the revisions of the file, oldest first, found by the chain of
// cross-reference sections and never by searching for %%EOF. A section that no
// startxref names belongs to the revision of the next newer one.
func (f *File) Revisions() []Revision {
	marks := f.boundaries()
	var list []Revision
	var from int
	var mark ending
	next := f.end + 1
	flush := func(to int) {
		r := Revision{StartXRef: f.sections[from].Offset, EOF: mark.eof, End: mark.end, first: from}
		for _, s := range f.sections[from:to] {
			r.Sections = append(r.Sections, *s)
		}
		list = append(list, r)
	}
	for i, m := range marks {
		if m.end == 0 || m.end >= next {
			continue
		}
		if i > 0 {
			flush(i)
		}
		from, mark, next = i, m, m.end
	}
	flush(len(f.sections))
	slices.Reverse(list)
	return list
}

// boundaries returns for each section the ending that names it.
func (f *File) boundaries() []ending {
	f.ends.once.Do(func() {
		f.ends.list = make([]ending, len(f.all))
		for i, s := range f.all {
			f.ends.list[i] = f.behind(s)
		}
	})
	named := make(map[int64]ending, len(f.sections))
	for _, e := range f.ends.list[f.first:] {
		if e.end > 0 {
			named[e.value+f.origin] = e
		}
	}
	list := make([]ending, len(f.sections))
	for i, s := range f.sections {
		if e, ok := named[s.at]; ok {
			list[i] = e
		} else if e, ok := named[s.Offset]; ok {
			list[i] = e
		}
	}
	if at, err := lastIndex(f.r, "startxref", max(f.header, f.end-tailWindow), f.end); err == nil && at >= 0 {
		if e, ok := f.trailerEnd(at); ok {
			list[0] = e
		}
	}
	return list
}

// behind finds the ending behind section s.
func (f *File) behind(s *Section) ending {
	src := f.open(s.End, f.fileEnd)
	defer f.close(src)
	src.skipSpace()
	if src.literal("startxref") {
		if e, ok := f.trailerEnd(src.offset() - int64(len("startxref"))); ok {
			return e
		}
		return ending{}
	}
	b := make([]byte, min(afterSection, f.fileEnd-s.End))
	if readFull(f.r, b, s.End) != nil {
		return ending{}
	}
	for i := 0; i+len("startxref") <= len(b); i++ {
		if string(b[i:i+len("startxref")]) == "startxref" {
			if e, ok := f.trailerEnd(s.End + int64(i)); ok {
				return e
			}
			return ending{}
		}
	}
	return ending{}
}

// trailerEnd reads from the word startxref at at to the end of the revision.
func (f *File) trailerEnd(at int64) (e ending, ok bool) {
	src := f.open(at, f.fileEnd)
	defer f.close(src)
	if !src.literal("startxref") {
		return e, false
	}
	src.skipSpace()
	if e.value, ok = src.digits(); !ok {
		return e, false
	}
	e.eof, e.end = src.offset(), src.offset()
	for {
		src.skipBlank()
		if src.literal("%%EOF") {
			e.eof, e.marker = src.offset(), true
			src.skipEOL()
			e.end = src.offset()
			return e, true
		}
		if c, more := src.peek(); !more || c != '%' {
			return e, true
		}
		src.skipLine()
	}
}

// At returns the file as of Revisions()[rev]: the bytes up to its end, read as a
// file of their own. It is an error when they are not one, because a section of
// the revision lies behind its end. The returned File may be used beside f.
func (f *File) At(rev int) (*File, error) {
	list := f.Revisions()
	if rev < 0 || rev >= len(list) {
		return nil, malformed("file has no revision %d", rev)
	}
	return f.AtRevision(list[rev])
}

// AtRevision is At for a revision that Revisions of f returned; it spares the list
// to callers that walk all revisions.
func (f *File) AtRevision(r Revision) (*File, error) {
	if r.first < 0 || r.first >= len(f.sections) {
		return nil, malformed("revision is not of this file")
	}
	g := &File{
		body:     body{r: f.r, end: r.End, lim: f.lim, searched: new(atomic.Int64), decoded: f.decoded, idle: f.idle},
		header:   f.header,
		version:  f.version,
		origin:   f.origin,
		start:    r.StartXRef,
		eof:      r.EOF,
		sections: f.sections[r.first:],
		shared:   f.shared,
		first:    f.first + r.first,
		faults:   map[Irregularity]bool{},
	}
	for _, i := range f.Irregularities() {
		g.faults[i] = true
	}
	for _, s := range g.sections {
		if s.reach > r.End {
			return nil, malformed("section at %d lies behind the end of its revision", s.Offset)
		}
	}
	if err := g.checkRoots(); err != nil {
		return nil, fmt.Errorf("reading the revision that ends at %d: %w", r.End, err)
	}
	return g, nil
}
