package validation

import (
	"bytes"
	"fmt"
	"strings"

	"antin/signer/pdf"
)

const (
	// namedChunk is how many bytes are searched for references at a time.
	namedChunk = 128 << 10
	// namedBack is how far a reference is followed back from its R, in bytes; what is
	// spelled with more room than that counts as named.
	namedBack = 1 << 10
	// maxNamedStreams bounds the decoded bytes of object streams that are searched:
	// reading the objects one by one costs no more from there on.
	maxNamedStreams = 8 << 20
)

// namedBefore reports whether a number that a step defines may have been referred to
// before: a dangling reference that comes to life shows what nobody signed. It looks
// at bytes, not at objects: at every place that spells a reference, whatever holds
// it, and at the decoded object streams. In doubt it says yes.
func (d *differ) namedBefore(steps []*step) (bool, error) {
	n := &naming{until: map[int]int64{}}
	end := int64(0)
	for _, s := range steps {
		end = d.revs[s.after].End
		for num := range s.added {
			n.until[num] = end // the last one counts, where a number was given up and used again
		}
	}
	if len(n.until) == 0 {
		return false, nil
	}
	if named, err := d.namedInStreams(n); named || err != nil {
		return named, err
	}
	buf := make([]byte, namedBack+namedChunk+1)
	for at := int64(0); at < end; at += namedChunk {
		if err := d.ctx.Err(); err != nil {
			return false, fmt.Errorf("comparing revisions: %w", err)
		}
		start := max(0, at-namedBack)
		b := buf[:min(at+namedChunk+1, end)-start]
		if m, err := d.in.ReadAt(b, start); m < len(b) && err != nil {
			return true, nil //nolint:nilerr // reading the objects reports it
		}
		if n.in(b, int(at-start), start == 0, func(i int) int64 { return start + int64(i) }) {
			return true, nil
		}
	}
	return false, nil
}

// namedInStreams looks into the object streams of all revisions that can be an older one.
func (d *differ) namedInStreams(n *naming) (bool, error) {
	seen, left := map[int]bool{}, int64(maxNamedStreams)
	for i := range d.revs[:len(d.revs)-1] {
		for _, section := range d.revs[i].Sections {
			if section.Kind == pdf.SectionTable {
				continue
			}
			for e := range section.Entries() {
				if err := d.spend(1); err != nil {
					return false, err
				}
				if e.ObjStm == 0 || seen[e.ObjStm] {
					continue
				}
				seen[e.ObjStm] = true
				data, ok := d.objectStream(e.ObjStm, i, left)
				place := func(int) int64 { return d.revs[i].End - 1 } // wherever the stream stands in it
				if left -= int64(len(data)); !ok || left <= 0 || n.in(data, 0, true, place) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// objectStream is the decoded object stream num, which every revision from i on that is
// compared must hold alike.
func (d *differ) objectStream(num, i int, limit int64) ([]byte, bool) {
	files := d.files[max(i, d.first) : len(d.files)-1]
	for _, f := range files {
		if !sameEntry(files[0], f, num) {
			return nil, false
		}
	}
	o, _ := load(files[0], num)
	st, ok := o.(*pdf.Stream)
	if !ok {
		return nil, false
	}
	data, err := files[0].Decode(st, limit)
	return data, err == nil
}

// naming is a search for references by their spelling, "n g R" (ISO 32000-2, 7.3.10).
type naming struct {
	until map[int]int64 // by number: before which offset it must not be named
}

// in reports whether b names one of the numbers where it must not. An R is looked at
// from index from on; before it is what may belong to its reference, and with whole
// nothing stands before b. place tells the offset of an index.
func (n *naming) in(b []byte, from int, whole bool, place func(i int) int64) bool {
	for i := from; i < len(b); i++ {
		r := bytes.IndexByte(b[i:], 'R')
		if r < 0 {
			return false
		}
		i += r
		if i == 0 || i+1 < len(b) && regular(b[i+1]) || !blank(b[i-1]) && !isDecimal(b[i-1]) {
			continue
		}
		num, sure := referenceEnding(b[:i], whole)
		if !sure || num > 0 && place(i) < n.until[num] {
			return true
		}
	}
	return false
}

// referenceEnding reads "n g" from the end of b; num is 0 when nothing of the kind
// stands there. sure is false where that cannot be told: where a comment may stand
// between the parts, or b, which is not whole, ends too early.
func referenceEnding(b []byte, whole bool) (num int, sure bool) {
	b, sure = withoutBlanks(b, whole)
	gen := digits(b)
	if !sure || gen == len(b) {
		return 0, sure
	}
	before := len(b[:gen])
	b, sure = withoutBlanks(b[:gen], whole)
	if !sure || len(b) == before {
		return 0, sure
	}
	begin := digits(b)
	const longest = 10 // digits of a number that a reference may begin with
	if begin == 0 && !whole {
		return 0, false
	}
	if len(b)-begin > longest {
		return 0, true
	}
	for _, c := range b[begin:] {
		num = num*10 + int(c-'0')
	}
	return num, true
}

// withoutBlanks cuts white space off the end of b. sure is false when a comment may
// end there too, or b begins too late to know.
func withoutBlanks(b []byte, whole bool) (rest []byte, sure bool) {
	end := blanks(b)
	rest = b[:end]
	if end == 0 {
		return rest, whole
	}
	if bytes.IndexByte(b[end:], '\n') < 0 && bytes.IndexByte(b[end:], '\r') < 0 {
		return rest, true
	}
	line := max(bytes.LastIndexByte(rest, '\n'), bytes.LastIndexByte(rest, '\r'))
	if line < 0 && !whole {
		return rest, false
	}
	return rest, bytes.IndexByte(rest[line+1:], '%') < 0
}

func isDecimal(c byte) bool { return c >= '0' && c <= '9' }

func blank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

// regular reports whether c can stand in a word (ISO 32000-2, 7.2.3).
func regular(c byte) bool { return !blank(c) && strings.IndexByte("()<>[]{}/%", c) < 0 }
