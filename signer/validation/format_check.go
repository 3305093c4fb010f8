package validation

import (
	"slices"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/tsp"
)

// checkFormats is the format checking of EN 319 102-1, 5.2.2, with the rules that
// a PDF adds: where the signed ranges lie, and which revision they cover. What is
// missing or unclear is a format failure, never "unsigned".
func (v *validation) checkFormats() {
	for _, s := range v.subjects {
		v.checkFormat(s)
	}
	v.checkNesting()
	slices.SortStableFunc(v.subjects, func(a, b *subject) int { return a.revision - b.revision })
	v.checkTail()
}

func (v *validation) checkFormat(s *subject) {
	s.out.Covers = Coverage{Of: len(v.revs)}
	if why := v.checkRanges(s); why != "" {
		s.malformed(why)
		return
	}
	s.out.Covers.Revision, s.out.Covers.WholeFile = s.revision+1, s.revision == len(v.revs)-1
	s.out.Covers.Bytes = s.sig.ByteRange[2] + s.sig.ByteRange[3]
	if why := v.checkRevision(s); why != "" {
		s.malformed(why)
		return
	}
	for _, p := range s.sig.Problems {
		if p.Fatal() {
			s.malformed("validation.format.problem." + text.Key(p))
			return
		}
	}
	if s.timestamp() {
		s.parseToken()
		return
	}
	v.parseSignature(s)
}

// malformed concludes a format failure and says why.
func (s *subject) malformed(why text.Key) {
	s.conclude(ades.TotalFailed, ades.FormatFailure, ReasonFormat, text.Get(why))
}

// checkRanges judges /ByteRange and /Contents by position (ISO 32000-2, 12.8.1):
// the ranges are everything but the one string that holds the signature, and end
// where a revision ends. It returns the catalogue key of what is wrong, or "".
func (v *validation) checkRanges(s *subject) text.Key {
	switch {
	case s.sig.Has(pades.ProblemContentsMissing):
		return "validation.format.contents"
	case !s.sig.HasByteRange:
		return "validation.format.byterange"
	case s.sig.Has(pades.ProblemContentsUnlocated) || s.sig.Has(pades.ProblemContentsIndirect) || s.sig.ContentsEnd == 0:
		return "validation.format.unlocated"
	}
	r := s.sig.ByteRange
	size := v.in.Size
	for _, n := range r {
		if n < 0 || n > size {
			return "validation.format.byterange"
		}
	}
	// Every number is at most the file's size, so that no sum overflows.
	if r[0] != 0 || r[1] == 0 || r[2] <= r[1] || r[3] == 0 || r[2]+r[3] > size {
		return "validation.format.byterange"
	}
	if r[1] != s.sig.ContentsStart || r[2] != s.sig.ContentsEnd {
		return "validation.format.gap"
	}
	if !v.onlyHex(r[1], r[2]) {
		return "validation.format.gap"
	}
	end := r[2] + r[3]
	for i, rev := range v.revs {
		// The end-of-line marker after %%EOF belongs to the revision or does not.
		if end >= rev.EOF && end <= rev.End {
			s.revision = i
		}
	}
	if s.revision < 0 {
		return "validation.format.end"
	}
	s.ranges = [2][2]int64{{0, r[1]}, {r[2], end}}
	return ""
}

// maxContents bounds the signature value in the file, in bytes of its spelling:
// tokens with large CRLs inside reach a few megabytes.
const maxContents = 64 << 20

// onlyHex reports whether the gap is '<', an even number of hexadecimal digits
// and '>', and nothing else: white space or comments could hide something there.
func (v *validation) onlyHex(from, to int64) bool {
	n := to - from
	if n < 4 || n > maxContents || n%2 != 0 {
		return false
	}
	gap := room(&v.scratch, int(n))
	if m, err := v.in.Reader.ReadAt(gap, from); int64(m) < n && err != nil {
		return false
	}
	if gap[0] != '<' || gap[n-1] != '>' {
		return false
	}
	wrong, digits := byte(0), gap[1:n-1]
	for ; len(digits) >= 8; digits = digits[8:] {
		if d := (*[8]byte)(digits); *d != padding { // what most of the room holds
			wrong |= notHex[d[0]] | notHex[d[1]] | notHex[d[2]] | notHex[d[3]] | notHex[d[4]] | notHex[d[5]] | notHex[d[6]] | notHex[d[7]]
		}
	}
	for _, c := range digits {
		wrong |= notHex[c]
	}
	return wrong == 0
}

// padding is eight digits of the room that a signature does not fill.
var padding = [8]byte{'0', '0', '0', '0', '0', '0', '0', '0'}

// notHex is 0 for a hexadecimal digit and 1 for any other byte.
var notHex = func() (t [256]byte) {
	for c := range t {
		if c := byte(c); (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			t[c] = 1
		}
	}
	return t
}()

// checkRevision makes sure that the signed revision, read as a file of its own,
// holds this very signature dictionary.
func (v *validation) checkRevision(s *subject) text.Key {
	f, err := v.revision(s.revision)
	if err != nil {
		return "validation.format.revision"
	}
	if s.sig.ValueRef == (pdf.Ref{}) {
		return "validation.format.unlocated"
	}
	if f == s.file {
		return "" // it was found and located in this very revision
	}
	start, end, direct, err := f.SignatureSpan(s.sig.ValueRef, "Contents")
	if err != nil || !direct || start != s.sig.ContentsStart || end != s.sig.ContentsEnd {
		return "validation.format.revision"
	}
	// The dictionary that readers show must be the one that is signed.
	if !sameEntry(f, s.file, s.sig.ValueRef.Num) {
		return "validation.format.revision"
	}
	return ""
}

// checkNesting makes sure that no signature's ranges end inside another one's
// value: the ranges of honest signatures nest.
func (v *validation) checkNesting() {
	for _, s := range v.subjects {
		for _, o := range v.subjects {
			if s == o || s.revision < 0 || o.revision < 0 {
				continue
			}
			end := s.ranges[1][1]
			if o.sig.ContentsStart < end && end < o.sig.ContentsEnd || s.sig.ContentsStart == o.sig.ContentsStart {
				s.malformed("validation.format.crossing")
			}
		}
	}
}

// checkTail looks at what stands outside the revisions: before the header or
// behind the last %%EOF, where no signature reaches and readers differ.
func (v *validation) checkTail() {
	if len(v.subjects) == 0 {
		return
	}
	v.checkPolyglot()
	last := v.revs[len(v.revs)-1]
	if !v.blank(last.End, v.in.Size) {
		v.report.because(Invalid, Reason{Code: ReasonTrailingData, Message: text.Get(reasonKey(ReasonTrailingData))})
	}
	if v.file.HeaderOffset() != 0 {
		v.report.because(Invalid, Reason{Code: ReasonMalformed, Message: text.Get("validation.malformed.header")})
	}
}

// maxBlank bounds the white space tolerated behind the end, in bytes: transports
// add a line break, not a page.
const maxBlank = 1024

func (v *validation) blank(from, to int64) bool {
	if to-from > maxBlank {
		return false
	}
	b := make([]byte, max(to-from, 0))
	if m, err := v.in.Reader.ReadAt(b, from); m < len(b) && err != nil {
		return false
	}
	return !slices.ContainsFunc(b, func(c byte) bool { return c != '\r' && c != '\n' && c != ' ' && c != '\t' && c != 0 })
}

// parseToken reads the value of a document time-stamp.
func (s *subject) parseToken() {
	t, err := tsp.ParseToken(s.sig.Contents)
	if err != nil {
		s.malformed("validation.format.token")
		return
	}
	s.token, s.data = t, t.SignedData
	if len(t.SignedData.Signers) > 0 {
		s.info = t.SignedData.Signers[0]
	}
}

// parseSignature reads the CMS of a signature and its form (RFC 5652; EN 319 122-1).
func (v *validation) parseSignature(s *subject) {
	switch s.sig.SubFilter {
	case pades.SubFilterCAdES, pades.SubFilterPKCS7, pades.SubFilterPKCS7SHA1:
	default:
		s.conclude(ades.Indeterminate, ades.SigConstraintsFailure, ReasonUnsupported, s.sig.SubFilter)
		return
	}
	data, err := cms.ParseWith(s.sig.Contents, v.Verified.Parse)
	if err != nil || len(data.Signers) == 0 {
		s.malformed("validation.format.cms")
		return
	}
	s.data, s.info = data, data.Signers[0]
	s.out.Digest, s.out.Algorithm = algorithmNames(s.info)
	if t, ok := s.info.SigningTime(); ok {
		s.out.ClaimedTime = Time{t.UTC()}
	}
	detached := s.sig.SubFilter != pades.SubFilterPKCS7SHA1
	switch {
	case detached != (data.Content == nil):
		s.malformed("validation.format.content")
	case !data.ContentType.Equal(cms.OIDData):
		s.malformed("validation.format.content")
	case len(data.Signers) > 1 && s.sig.SubFilter == pades.SubFilterCAdES:
		s.malformed("validation.format.signers")
	case len(data.Signers) > 1:
		s.conclude(ades.Indeterminate, ades.SigConstraintsFailure, ReasonUnsupported, text.Get("validation.format.signers"))
	default:
		s.checkAttributes()
	}
}

// fatalProblems are departures of the CMS after which its meaning is unclear.
var fatalProblems = []cms.ProblemName{cms.DuplicateAttribute, cms.MultipleValues, cms.MalformedAttribute, cms.EmptyAttributes, cms.ProtectionMismatch}

// checkAttributes judges the signed attributes that the format asks for.
func (s *subject) checkAttributes() {
	for _, p := range fatalProblems {
		if s.info.Has(p) {
			s.malformed("validation.format.attributes")
			return
		}
	}
	if s.info.RawSignedAttrs == nil {
		if s.sig.SubFilter == pades.SubFilterCAdES {
			s.conclude(ades.Indeterminate, ades.SigConstraintsFailure, ReasonAttributes)
			return
		}
		return
	}
	if !s.info.ContentTypeAttr().Equal(s.data.ContentType) || s.info.MessageDigest() == nil {
		s.malformed("validation.format.attributes")
	}
}
