package pdf

import (
	"cmp"
	"iter"
	"slices"
)

// SectionKind is the form of a cross-reference section.
type SectionKind string

// The forms of a cross-reference section (ISO 32000-2, 7.5.4, 7.5.8 and 7.5.8.4).
const (
	SectionTable  SectionKind = "table"
	SectionStream SectionKind = "stream"
	SectionHybrid SectionKind = "hybrid" // a table whose trailer names a stream as well
)

// Section is one cross-reference section: one table or stream with its trailer
// dictionary, and for a hybrid one both together.
type Section struct {
	// Offset is where the section begins in the file, in bytes, and End where its
	// trailer dictionary, or its stream object, ends.
	Offset, End int64
	Kind        SectionKind
	// Ref is the number of the cross-reference stream; zero for a table.
	Ref Ref
	// Trailer is the trailer dictionary. It is shared: clone it before a change.
	Trailer *Dict
	// Prev is the offset of the section before, -1 when there is none.
	Prev int64
	// XRefStm is the offset of a hybrid section's stream, -1 for the other kinds.
	XRefStm int64

	at     int64    // the offset by which it was reached, white space before Offset included
	reach  int64    // the end of its last byte, those of a hybrid section's stream included
	own    *entries // of the table or stream
	hidden *entries // of a hybrid section's stream
}

// Entry is where an object lives.
type Entry struct {
	Num int
	Gen int
	// Free is set for a number that the section marks as not in use; the other
	// fields but Num and Gen are then zero.
	Free bool
	// Offset is where "n g obj" begins in the file, for an object of its own.
	Offset int64
	// ObjStm is the number of the object stream that holds the object, 0 when it
	// stands alone, and Index its place in there.
	ObjStm int
	Index  int
	// Section is the index in Sections of the section that says so.
	Section int
}

// Entries returns the entries of the section in the order of its parts, those of
// the stream of a hybrid section last. A number may appear twice in a hybrid
// section only. Entry.Section is not set here.
func (s Section) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, part := range []*entries{s.own, s.hidden} {
			if part == nil {
				continue
			}
			for num, e := range part.all() {
				if !yield(e.entry(num)) {
					return
				}
			}
		}
	}
}

// packed is one entry in eight bytes: two bits of kind, 42 of offset or object
// stream number, 20 of generation or index. A million entries cost 8 MB.
type packed uint64

const (
	kindFree       = 0
	kindOffset     = 1
	kindCompressed = 2

	maxPackedOffset = 1<<42 - 1 // 4 TiB
	maxPackedIndex  = 1<<20 - 1
)

func pack(kind, where, index int64) packed {
	return packed(uint64(kind)<<62 | uint64(where)<<20 | uint64(index))
}

func (p packed) kind() int    { return int(p >> 62) }
func (p packed) where() int64 { return int64(p >> 20 & maxPackedOffset) }
func (p packed) index() int   { return int(p & maxPackedIndex) }

func (p packed) entry(num int) Entry {
	switch p.kind() {
	case kindOffset:
		return Entry{Num: num, Gen: p.index(), Offset: p.where()}
	case kindCompressed:
		return Entry{Num: num, ObjStm: int(p.where()), Index: p.index()}
	}
	return Entry{Num: num, Gen: p.index(), Free: true}
}

// entries holds the entries of one table or stream, by runs of numbers.
type entries struct {
	runs []run
	list []packed
}

// run is count entries from the number first on, which begin at place at of the list.
type run struct{ first, count, at int }

// add appends one entry, in the last run when it follows on.
func (e *entries) add(num int, p packed) {
	if n := len(e.runs); n > 0 && e.runs[n-1].first+e.runs[n-1].count == num {
		e.runs[n-1].count++
	} else {
		e.runs = append(e.runs, run{num, 1, len(e.list)})
	}
	e.list = append(e.list, p)
}

// extend says that the last count entries of the list are those from the number first on.
func (e *entries) extend(first, count int) {
	if n := len(e.runs); n > 0 && e.runs[n-1].first+e.runs[n-1].count == first {
		e.runs[n-1].count += count
	} else if count > 0 {
		e.runs = append(e.runs, run{first, count, len(e.list) - count})
	}
}

// seal orders the runs for get, and reports a number that has two entries.
func (e *entries) seal() (twice int, ok bool) {
	slices.SortStableFunc(e.runs, func(a, b run) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(e.runs); i++ {
		if e.runs[i].first < e.runs[i-1].first+e.runs[i-1].count {
			return e.runs[i].first, false
		}
	}
	return 0, true
}

func (e *entries) get(num int) (packed, bool) {
	if e == nil {
		return 0, false
	}
	// The run behind the last that begins at or before num: written out, since files
	// of many objects ask for each of them.
	i, end := 0, len(e.runs)
	for i < end {
		if half := int(uint(i+end) >> 1); e.runs[half].first <= num {
			i = half + 1
		} else {
			end = half
		}
	}
	if i--; i < 0 || num >= e.runs[i].first+e.runs[i].count {
		return 0, false
	}
	return e.list[e.runs[i].at+num-e.runs[i].first], true
}

// highest returns the highest number with an entry, -1 when there is none.
func (e *entries) highest() int {
	if e == nil || len(e.runs) == 0 {
		return -1
	}
	last := e.runs[len(e.runs)-1]
	return last.first + last.count - 1
}

func (e *entries) all() iter.Seq2[int, packed] {
	return func(yield func(int, packed) bool) {
		for _, r := range e.runs {
			for i := range r.count {
				if !yield(r.first+i, e.list[r.at+i]) {
					return
				}
			}
		}
	}
}

// lookup returns the entry of num that holds from section first on, newest first.
// Within a hybrid section the order is: entries in use of the table, then its
// stream, then free entries of the table. Objects that only newer readers shall
// see are listed free in the table, so that free is not the last word
// (ISO 32000-2, 7.5.8.4).
func lookup(sections []*Section, num int) (Entry, bool) {
	for i, s := range sections {
		p, ok := s.get(num)
		if ok {
			e := p.entry(num)
			e.Section = i
			return e, true
		}
	}
	return Entry{}, false
}

func (s *Section) get(num int) (packed, bool) {
	own, found := s.own.get(num)
	if found && own.kind() != kindFree {
		return own, true
	}
	if p, ok := s.hidden.get(num); ok {
		return p, true
	}
	return own, found
}

// ledger finds entries fast in files of many sections: every entry of every
// section, sorted by number and then from the newest section to the oldest. A few
// large sections stay out of it, so that opening a crowded file with a handful of
// updates does not sort all of its entries. It is built once and shared by all
// revisions of the file.
type ledger struct {
	keys  []uint64 // number<<32 | index of the section
	vals  []packed
	large []largeSection
}

// largeSection is a section that is searched by itself.
type largeSection struct {
	index int
	*Section
}

const (
	// largeFrom is the number of entries from which a section is large.
	largeFrom = 512
	// maxLarge is the most sections that are searched by themselves.
	maxLarge = 8
)

// size returns the number of entries of both parts.
func (s *Section) size() int {
	n := len(s.own.list)
	if s.hidden != nil {
		n += len(s.hidden.list)
	}
	return n
}

func newLedger(sections []*Section) *ledger {
	type row struct {
		key uint64
		val packed
	}
	var rows []row
	l := &ledger{}
	for i, s := range sections {
		if len(l.large) < maxLarge && s.size() >= largeFrom {
			l.large = append(l.large, largeSection{i, s})
			continue
		}
		for _, part := range []*entries{s.own, s.hidden} {
			if part == nil {
				continue
			}
			for num, p := range part.all() {
				if part == s.hidden {
					if own, ok := s.own.get(num); ok && own.kind() != kindFree {
						continue
					}
				} else if _, ok := s.hidden.get(num); ok && p.kind() == kindFree {
					continue
				}
				rows = append(rows, row{uint64(num)<<32 | uint64(i), p})
			}
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	l.keys, l.vals = make([]uint64, len(rows)), make([]packed, len(rows))
	for i, r := range rows {
		l.keys[i], l.vals[i] = r.key, r.val
	}
	return l
}

// get returns the entry of num from section first on; Entry.Section counts from first.
func (l *ledger) get(num, first int) (Entry, bool) {
	key := uint64(num)<<32 | uint64(first)
	i, _ := slices.BinarySearch(l.keys, key)
	section, found, val := 0, i < len(l.keys) && int(l.keys[i]>>32) == num, packed(0)
	if found {
		section, val = int(l.keys[i]&0xffffffff), l.vals[i]
	}
	for _, s := range l.large { // newest first
		if s.index < first {
			continue
		}
		if found && s.index > section {
			break
		}
		if p, ok := s.get(num); ok {
			section, val, found = s.index, p, true
			break
		}
	}
	if !found {
		return Entry{}, false
	}
	e := val.entry(num)
	e.Section = section - first
	return e, true
}
