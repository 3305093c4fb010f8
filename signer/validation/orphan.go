package validation

import (
	"bytes"
	"regexp"
	"strconv"

	"antin/internal/text"
)

// findOrphans looks for a signature value that no field leads to any more and that
// no known signature covers. Such a file was signed, and then its form or its
// cross-reference was broken: it is not plainly unsigned, and what the lost
// signature covered is not vouched for by an earlier one that still shows. Only a
// file with more signature dictionaries in clear than were found is read again.
func (v *validation) findOrphans() {
	if v.byteRanges <= len(v.subjects) {
		return
	}
	known := map[int64]bool{}
	for _, s := range v.subjects {
		known[s.sig.ByteRange[1]] = true
	}
	buf := make([]byte, chunkSize+orphanOverlap)
	for at := int64(0); at < v.in.Size && v.ctx.Err() == nil; at += chunkSize {
		n := int(min(int64(len(buf)), v.in.Size-at))
		if m, err := v.in.Reader.ReadAt(buf[:n], at); m < n && err != nil {
			return
		}
		for _, m := range spelledRange.FindAllSubmatch(buf[:n], -1) {
			gap, err1 := strconv.ParseInt(string(m[1]), 10, 64)
			rest, err2 := strconv.ParseInt(string(m[2]), 10, 64)
			if err1 == nil && err2 == nil && !known[gap] && !v.signedBySome(gap) && v.holdsContents(gap, rest) {
				v.report.because(Invalid, Reason{Code: ReasonFormat, Message: text.Get("validation.format.orphan")})
				return
			}
		}
	}
}

// signedBySome reports whether the byte at lies in what some intact signature signs:
// whoever signed it has seen the file as it is.
func (v *validation) signedBySome(at int64) bool {
	for _, s := range v.subjects {
		if s.out.Integrity == IntegrityOK && (at < s.ranges[0][1] || s.ranges[1][0] <= at && at < s.ranges[1][1]) {
			return true
		}
	}
	return false
}

// orphanOverlap is as long as a /ByteRange may be spelled, in bytes.
const orphanOverlap = 256

var spelledRange = regexp.MustCompile(`/ByteRange\s{0,16}\[\s{0,16}0{1,20}\s{1,32}(\d{1,20})\s{1,32}(\d{1,20})\s{1,32}\d{1,20}`)

// holdsContents reports whether the gap between the ranges is a hexadecimal string
// in this file: the numbers in a page's text are not.
func (v *validation) holdsContents(gap, rest int64) bool {
	if gap < 0 || rest <= gap+1 || rest > v.in.Size {
		return false
	}
	var ends [2]byte
	for i, at := range []int64{gap, rest - 1} {
		if n, err := v.in.Reader.ReadAt(ends[i:i+1], at); n < 1 && err != nil {
			return false
		}
	}
	return bytes.Equal(ends[:], []byte("<>"))
}
