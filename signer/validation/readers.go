package validation

import (
	"bytes"
	"slices"

	"antin/internal/text"
	"antin/signer/pdf"
)

const (
	// maxSearched bounds how much of the signed revisions is searched for second
	// definitions of objects, in bytes: what was appended later is always searched.
	maxSearched = 8 << 20
	// maxSearchedLater bounds that search: appended revisions of this size are scans.
	maxSearchedLater = 64 << 20
	// maxSuspects bounds the definitions that are looked at closely; uncompressed
	// attachments may hold some thousands.
	maxSuspects = 4_000
)

// checkReaders looks for what programs of different makers read differently. What
// an appended revision holds in two readings makes the file invalid: one of them was
// never compared. In what the signer signed it is a note.
func (v *validation) checkReaders() {
	first := v.firstSigned()
	if first < 0 {
		return
	}
	v.noteIrregularities()
	begin := int64(0)
	for i, rev := range v.revs {
		v.compareReadings(i, begin, i > first)
		begin = rev.End
	}
}

// noteIrregularities names what readers forgive, each in its own way.
func (v *validation) noteIrregularities() {
	for _, i := range v.file.Irregularities() {
		switch i {
		case pdf.LooseEntries, pdf.WrongLength, pdf.StructureLength, pdf.NoEOFMarker, pdf.NoEndObj, pdf.WrongSize:
			v.readersDiffer(ValidWithNotes, "validation.readers."+text.Key(i))
		case pdf.HeaderMoved: // said with what stands before the header
		case pdf.PrevZero: // read alike by all
		}
	}
}

// compareReadings looks for two readings of revision i, which begins at begin and, with
// later, was appended to what is signed.
func (v *validation) compareReadings(i int, begin int64, later bool) {
	verdict := ValidWithNotes
	if later {
		verdict = Invalid
	}
	if contradicts(v.revs[i]) {
		v.readersDiffer(verdict, "validation.readers.hybrid")
	}
	if num := v.secondDefinition(i, begin, v.revs[i].End, later); num != 0 {
		v.readersDiffer(verdict, "validation.readers.duplicate", pdf.Ref{Num: num}.String())
	}
}

// firstSigned is the first revision that a signature covers, -1 for none.
func (v *validation) firstSigned() int {
	first := -1
	for _, s := range v.subjects {
		if s.revision >= 0 && (first < 0 || s.revision < first) {
			first = s.revision
		}
	}
	return first
}

func (v *validation) readersDiffer(verdict Verdict, why text.Key, args ...any) {
	code := ReasonReaders
	if verdict == Invalid {
		code = ReasonMalformed
	}
	v.report.because(verdict, Reason{Code: code, Message: say(reasonKey(ReasonReaders), say(why, args...))})
}

// contradicts reports whether a hybrid section's table and stream both list an
// object as in use, in two places: old readers know the table only, and of the new
// ones not all prefer it.
func contradicts(rev pdf.Revision) bool {
	for _, section := range rev.Sections {
		if section.XRefStm < 0 {
			continue
		}
		listed := map[int]pdf.Entry{}
		for e := range section.Entries() {
			before, twice := listed[e.Num]
			if twice && !before.Free && !e.Free && (before.Offset != e.Offset || before.ObjStm != e.ObjStm || before.Index != e.Index) {
				return true
			}
			listed[e.Num] = e
		}
	}
	return false
}

// secondDefinition looks between two offsets for an object that the cross-reference
// does not lead to though it bears the number of one that it does: programs that
// rebuild a file take the last one they find. Behind the signed revisions an unlisted
// number of an earlier revision is one as well. 0 is none.
func (v *validation) secondDefinition(i int, from, to int64, later bool) int {
	if to-from > searchLimit(later) {
		return 0
	}
	return v.redefined(i, v.definitionsIn(i, from, to), later)
}

// redefined is the number of the first of the definitions found in revision i, or behind
// it, that gives an object a second reading.
func (v *validation) redefined(i int, found []definition, later bool) int {
	if len(found) == 0 {
		return 0
	}
	listed := listedIn(v.revs[i], found)
	suspects := 0
	for _, d := range found {
		at, known := listed[d.num]
		switch {
		case known && at == d.at:
			continue
		case !known && (!later || !v.usedBefore(i, d.num)):
			continue
		}
		if suspects++; suspects > maxSuspects {
			return 0
		}
		if !v.insideAnother(i, d) && !v.sameObject(i, d) {
			return d.num
		}
	}
	return 0
}

// usedBefore reports whether the revision before i used object num.
func (v *validation) usedBefore(i, num int) bool {
	f, err := v.revision(i - 1)
	if err != nil {
		return false
	}
	e, ok := f.Entry(num)
	return ok && !e.Free
}

// listedIn gives the offsets at which a revision lists the numbers found; 0 for one
// in an object stream.
func listedIn(rev pdf.Revision, found []definition) map[int]int64 {
	wanted := make(map[int]bool, len(found))
	for _, d := range found {
		wanted[d.num] = true
	}
	listed := make(map[int]int64, len(found))
	for _, section := range rev.Sections {
		for e := range section.Entries() {
			if _, newer := listed[e.Num]; wanted[e.Num] && !e.Free && !newer {
				listed[e.Num] = e.Offset
			}
		}
		if section.Ref.Num != 0 { // a cross-reference stream need not list itself
			listed[section.Ref.Num] = section.Offset
		}
	}
	return listed
}

// insideAnother reports whether a definition lies inside an object of revision i: in
// the data of an attached file, as a rule.
func (v *validation) insideAnother(i int, d definition) bool {
	f, err := v.revision(i)
	if err != nil {
		return false
	}
	holder, below := 0, int64(-1)
	for _, section := range v.revs[i].Sections {
		if section.Offset < d.at && d.at < section.End {
			return true
		}
		for e := range section.Entries() {
			if !e.Free && e.ObjStm == 0 && e.Offset < d.at && e.Offset > below {
				holder, below = e.Num, e.Offset
			}
		}
	}
	_, end, err := f.Span(refTo(f, holder))
	return err == nil && d.at < end
}

// sameObject reports whether the object at d says the same as the one in use: a
// second copy changes nothing, whoever reads it.
func (v *validation) sameObject(i int, d definition) bool {
	f, err := v.revision(i)
	if err != nil {
		return false
	}
	start, end, err := f.Span(refTo(f, d.num))
	if err != nil || end-start > maxSearched || d.at+end-start > v.in.Size {
		return false
	}
	a, b := make([]byte, end-start), make([]byte, end-start)
	if n, err := v.in.Reader.ReadAt(a, start); n < len(a) && err != nil {
		return false
	}
	if n, err := v.in.Reader.ReadAt(b, d.at); n < len(b) && err != nil {
		return false
	}
	return bytes.Equal(a, b)
}

// maxPreamble is how far the first object of a file may stand from its beginning, in bytes.
const maxPreamble = 1024

// otherFormat reports whether the beginning of the file can be taken for something
// else: between the header and the first object stand only blank lines and comments
// without markup, and no other format's mark stands in its fixed place.
func (v *validation) otherFormat() bool {
	head := make([]byte, min(v.in.Size, maxPreamble))
	if n, err := v.in.Reader.ReadAt(head, 0); n < len(head) && err != nil {
		return false
	}
	for at, mark := range map[int]string{257: "ustar", 128: "DICM"} { // TAR, DICOM
		if len(head) > at+len(mark) && string(head[at:at+len(mark)]) == mark {
			return true
		}
	}
	for first := true; ; first = false {
		n := bytes.IndexAny(head, "\r\n")
		if n < 0 {
			return len(head) == maxPreamble && !first
		}
		var line []byte
		line, head = head[:n], head[n+1:]
		trimmed := bytes.TrimLeft(line, " \t\f\x00")
		switch {
		case first, len(trimmed) == 0:
		case trimmed[0] == '%':
			if markup(trimmed) {
				return true
			}
		default:
			return !startsObject(trimmed)
		}
	}
}

// startsObject reports whether a line begins an object or a cross-reference table.
func startsObject(line []byte) bool {
	return bytes.HasPrefix(line, []byte("xref")) || line[0] >= '0' && line[0] <= '9'
}

// markup reports whether a comment holds what another program would take for its own.
func markup(line []byte) bool {
	lower := bytes.ToLower(line)
	return slices.ContainsFunc([]string{"<html", "<!doctype", "<script", "<?xml", "<svg", "<body", "<iframe", "<?php", "%!ps", "%!"}, func(s string) bool {
		return bytes.Contains(lower, []byte(s))
	})
}
