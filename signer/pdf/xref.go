package pdf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"antin/internal/text"
)

const (
	// entryLen is the length of one entry of a table (ISO 32000-2, 7.5.4).
	entryLen = 20
	// readEntries is how many entries are read at once.
	readEntries = 1024
)

// xrefReader follows the chain of cross-reference sections. It trusts no number
// that it reads: offsets are checked before use, counts against the file's size.
type xrefReader struct {
	body
	origin int64 // what offsets in the file count from
	budget int64 // entries that may still be read
	faults map[Irregularity]bool
	known  *File  // whose sections need not be read again; nil when there are none
	block  []byte // room for reading entries, used again for every subsection
}

// chain reads the section at start and every one behind it, newest first.
func (x *xrefReader) chain(start int64) ([]*Section, error) {
	var sections []*Section
	seen := map[int64]bool{}
	for at := start; at >= 0; {
		if seen[at] {
			return nil, needsRepair("cross-reference sections form a loop at %d", at)
		}
		seen[at] = true
		if rest := x.taken(at, seen); rest != nil {
			return append(sections, rest...), nil
		}
		if len(sections) == x.lim.Sections {
			return nil, exceeded("more than %d cross-reference sections", x.lim.Sections)
		}
		s, err := x.section(at)
		if err != nil {
			return nil, fmt.Errorf("cross-reference section at %d: %w", at, err)
		}
		if s.XRefStm >= 0 {
			if seen[s.XRefStm] {
				return nil, needsRepair("cross-reference sections form a loop at %d", s.XRefStm)
			}
			seen[s.XRefStm] = true
		}
		sections = append(sections, s)
		at = s.Prev
	}
	return sections, nil
}

// taken returns the sections from at on of the known file; nil when it has none there.
func (x *xrefReader) taken(at int64, seen map[int64]bool) []*Section {
	if x.known == nil {
		return nil
	}
	rest := x.known.sections
	for len(rest) > 0 && rest[0].at != at {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil
	}
	for i, s := range rest {
		if s.reach > x.known.end || i > 0 && seen[s.at] || s.XRefStm >= 0 && seen[s.XRefStm] {
			return nil // to be read and found wanting
		}
	}
	for _, i := range x.known.Irregularities() {
		x.faults[i] = true
	}
	return rest
}

// section reads the one section at off, of either kind.
func (x *xrefReader) section(off int64) (*Section, error) {
	if off < 0 || off >= x.end {
		return nil, needsRepair("offset lies outside the file")
	}
	src := x.open(off, x.end)
	defer x.close(src)
	src.skipBlank()
	begin := src.offset()
	if src.literal("xref") {
		s, err := x.table(begin, src)
		if err == nil {
			s.at = off
		}
		return s, err
	}
	if c, ok := src.peek(); !ok || !isDigit(c) {
		return nil, x.fault(src, "neither a table nor a stream")
	}
	s, err := x.stream(begin)
	if err == nil {
		s.at = off
	}
	return s, err
}

// fault returns the error for a cross-reference that cannot be taken as it stands.
func (x *xrefReader) fault(src *source, format string, args ...any) error {
	if src.err != nil {
		return src.err
	}
	return needsRepair("%s at %d", fmt.Sprintf(format, args...), src.offset())
}

func (x *xrefReader) table(at int64, src *source) (*Section, error) {
	s := &Section{Offset: at, Kind: SectionTable, own: &entries{}, XRefStm: -1}
	for {
		src.skipSpace()
		if src.literal("trailer") {
			break
		}
		if err := x.subsection(src, s.own); err != nil {
			return nil, err
		}
	}
	if num, ok := s.own.seal(); !ok {
		return nil, needsRepair("object %d has two entries in one table", num)
	}
	p := parser{src: src, lim: x.lim}
	o, err := p.object(0)
	if err != nil {
		return nil, asRepair(err)
	}
	dict, ok := o.(*Dict)
	if !ok {
		return nil, x.fault(src, "trailer is not a dictionary")
	}
	s.Trailer, s.End, s.reach = dict, src.offset(), src.offset()
	if s.Prev, err = x.previous(dict); err != nil {
		return nil, err
	}
	if dict.Has("XRefStm") {
		return s, x.hybrid(s)
	}
	return s, nil
}

// hybrid adds the stream that the trailer of s names.
func (x *xrefReader) hybrid(s *Section) error {
	n, _ := s.Trailer.Get("XRefStm").(Number)
	at, ok := n.Int64()
	if !ok || at < 0 || at+x.origin >= x.end {
		return needsRepair("XRefStm is not an offset in the file")
	}
	src := x.open(at+x.origin, x.end)
	defer x.close(src)
	src.skipBlank()
	hidden, err := x.stream(src.offset())
	if err != nil {
		return fmt.Errorf("stream of the hybrid section: %w", err)
	}
	s.Kind, s.XRefStm, s.hidden = SectionHybrid, at+x.origin, hidden.own
	s.reach = max(s.End, hidden.End)
	return nil
}

// previous returns the offset that /Prev gives, -1 when there is none.
func (x *xrefReader) previous(trailer *Dict) (int64, error) {
	o := trailer.Get("Prev")
	if o == nil || o == (Null{}) {
		return -1, nil
	}
	n, ok := o.(Number)
	if !ok {
		return -1, needsRepair("Prev is not a number")
	}
	at, ok := n.Int64()
	if !ok || at < 0 || at > maxPackedOffset {
		return -1, needsRepair("Prev is not an offset")
	}
	if at == 0 {
		// Some writers say 0 for "none"; nothing but the header can lie there.
		x.faults[PrevZero] = true
		return -1, nil
	}
	return at + x.origin, nil
}

// subsection reads "first count" and its entries.
func (x *xrefReader) subsection(src *source, into *entries) error {
	first, ok := src.digits()
	if !ok {
		return x.fault(src, "table has neither a subsection nor a trailer")
	}
	src.skipSpace()
	count, ok := src.digits()
	if !ok || first > maxNumber || count > maxNumber || first+count > maxNumber+1 {
		return x.fault(src, "subsection has no proper count")
	}
	if count > (x.end-src.offset())/(entryLen-3) {
		return x.fault(src, "subsection is longer than the file")
	}
	if x.budget -= count; x.budget < 0 {
		return exceeded("too many cross-reference entries")
	}
	src.skipBlank()
	return x.entries(src, into, int(first), int(count))
}

// entries reads count entries. Those of exactly 20 bytes go through quickly; the
// first that is not makes the rest be read word by word, and is noted, because
// some readers then compute another place for it.
func (x *xrefReader) entries(src *source, into *entries, first, count int) error {
	if need := min(count, readEntries) * entryLen; len(x.block) < need {
		x.block = make([]byte, need)
	}
	into.list = slices.Grow(into.list, count)
	for done := 0; done < count; {
		n := min(count-done, readEntries)
		at := src.offset()
		b := x.block[:n*entryLen]
		if at+int64(len(b)) > x.end {
			b = b[:0]
			n = 0
		} else if err := readFull(x.r, b, at); err != nil {
			return err
		}
		good := 0
		for good < n {
			p, ok := tableEntry(b[good*entryLen:][:entryLen], x.origin)
			if !ok {
				break
			}
			into.add(first+done+good, p)
			good++
		}
		done += good
		src.seek(at + int64(good)*entryLen)
		if good < n || n == 0 {
			return x.looseEntries(src, into, first+done, count-done)
		}
	}
	return nil
}

// tableEntry reads one entry of the exact form.
func tableEntry(b []byte, origin int64) (packed, bool) {
	_ = b[entryLen-1]
	high, ok := eightDigits(b)
	low, ok2 := decimal(b[8:10])
	if !ok || !ok2 || b[10] != ' ' || b[16] != ' ' || !entryEnd(b[18], b[19]) {
		return 0, false
	}
	gen, ok := int64(0), true
	if binary.LittleEndian.Uint32(b[11:]) != zeros4 || b[15] != '0' { // of nearly all
		gen, ok = decimal(b[11:16])
	}
	if !ok {
		return 0, false
	}
	return tablePacked(b[17], high*100+low, gen, origin)
}

// zeros4 is the text "0000".
const zeros4 = 0x30303030

// eightDigits returns the value of the first eight bytes of b, which must be digits.
// It works on all of them at once: tables of large files have a million entries.
func eightDigits(b []byte) (int64, bool) {
	const zeros = 0x3030303030303030
	v := binary.LittleEndian.Uint64(b)
	// A digit has the high half 3, also after 6 is added to its low half.
	if (v&0xf0f0f0f0f0f0f0f0)|(((v+0x0606060606060606)&0xf0f0f0f0f0f0f0f0)>>4) != 0x3333333333333333 {
		return 0, false
	}
	v -= zeros
	v = v*10 + v>>8 // pairs, in every other byte
	const mask = 0x000000ff000000ff
	const hundreds, units = 100 + 1_000_000<<32, 1 + 10_000<<32
	return int64(((v&mask)*hundreds + (v>>16&mask)*units) >> 32), true
}

// entryEnd reports whether a and b end an entry: SP CR, SP LF or CR LF by the clause,
// and any two bytes of white space by its readers, who count on twenty bytes.
func entryEnd(a, b byte) bool { return isSpace(a) && isSpace(b) }

func tablePacked(kind byte, off, gen, origin int64) (packed, bool) {
	if gen > maxPackedIndex {
		return 0, false
	}
	switch {
	case kind == 'f', kind == 'n' && off == 0:
		// An object cannot lie at offset 0, where the header is.
		return pack(kindFree, 0, gen), true
	case kind == 'n' && off+origin <= maxPackedOffset:
		return pack(kindOffset, off+origin, gen), true
	}
	return 0, false
}

func decimal(b []byte) (int64, bool) {
	v := int64(0)
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	return v, true
}

// looseEntries reads entries that are not of exactly 20 bytes.
func (x *xrefReader) looseEntries(src *source, into *entries, first, count int) error {
	for i := range count {
		src.skipBlank()
		off, ok := src.digits()
		src.skipBlank()
		gen, ok2 := src.digits()
		src.skipBlank()
		kind, ok3 := src.next()
		if !ok || !ok2 || !ok3 {
			return x.fault(src, "entry of object %d has no proper form", first+i)
		}
		p, ok := tablePacked(kind, off, gen, x.origin)
		if !ok {
			return x.fault(src, "entry of object %d has no proper form", first+i)
		}
		if c, more := src.peek(); more && !isSpace(c) {
			return x.fault(src, "entry of object %d has no end", first+i)
		}
		x.faults[LooseEntries] = true
		into.add(first+i, p)
	}
	return nil
}

// asRepair turns a damaged object of the cross-reference into a cross-reference
// that needs repair. Limits and read errors stay what they are.
func asRepair(err error) error {
	var e *text.Error
	if errors.As(err, &e) && e.Code == text.PDFMalformed {
		return text.Errorf(text.PDFRepairNeeded, e.Err)
	}
	return err
}
