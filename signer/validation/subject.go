package validation

import (
	"crypto"
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pdf"
	"antin/signer/tsp"
)

// subject is one signature, or document time-stamp, under validation.
type subject struct {
	sig      pades.Signature
	file     *pdf.File // the revision in which it was found
	out      *Signature
	revision int // index of the revision it covers; -1 when it covers none
	// standalone says that the signature is a file of its own and not in a document.
	standalone bool
	ranges     [2][2]int64

	data  *cms.SignedData
	info  *cms.SignerInfo
	token *tsp.Token // of a document time-stamp

	digests map[crypto.Hash]*sink
	cert    *certs.Certificate
	chain   certs.Path
	// baseline is false when a mandatory attribute is missing or a forbidden one present.
	baseline bool

	best       time.Time
	bestSource TimeSource
	stamps     []stamp    // its signature time-stamps
	archives   []*archive // its valid archive time-stamps, the newest first
	// younger is the time of its latest valid content time-stamp; zero without one.
	younger  time.Time
	longTerm bool // everything needed to validate it offline is in the document

	reasons []Reason
}

// newSubject starts the report on one signature.
func newSubject(sig pades.Signature, f *pdf.File) *subject {
	s := &subject{sig: sig, file: f, revision: -1}
	s.out = &Signature{Field: sig.Field, Type: ApprovalSignature, Format: format(sig.SubFilter), SubFilter: sig.SubFilter,
		Integrity: IntegrityNotChecked, Level: sig.SubFilter, ClaimedTime: Time{sig.M.UTC()}, Timestamps: []Timestamp{},
		Revocation: Revocation{Status: certs.StatusUnknown, Source: certs.SourceNone},
		Permission: permissionWord(permission(&sig)), Modifications: ModificationNone, Chain: []string{}, BestTimeSource: TimeNow,
		Attributes: newAttributes()}
	s.out.Page, s.out.Box = placeOf(&sig)
	switch {
	case sig.DocumentTimestamp():
		s.out.Type = DocumentTimestamp
	case sig.Certification:
		s.out.Type = CertificationSignature
	}
	return s
}

func format(subFilter string) string {
	switch subFilter {
	case pades.SubFilterCAdES, pades.SubFilterRFC3161:
		return "PAdES"
	case pades.SubFilterPKCS7, pades.SubFilterPKCS7SHA1, pades.SubFilterX509RSA:
		return "PDF-CMS"
	}
	return "PDF"
}

// name is how messages call the signature.
func (s *subject) name() string {
	if s.sig.Field == "" {
		return "?"
	}
	return s.sig.Field
}

func (s *subject) timestamp() bool { return s.out.Type == DocumentTimestamp }

func (s *subject) passed() bool { return s.out.Indication == ades.TotalPassed }

// failed reports whether an indication has been reached that later steps do not better.
func (s *subject) failed() bool { return s.out.Indication != "" }

// conclude sets the indication, unless an earlier step did, and its reason.
func (s *subject) conclude(i ades.Indication, sub ades.SubIndication, code ReasonCode, args ...any) {
	if s.failed() {
		return
	}
	s.out.Indication, s.out.SubIndication = i, sub
	v := Valid
	switch i {
	case ades.TotalFailed:
		v = Invalid
	case ades.Indeterminate:
		v = Inconclusive
	case ades.TotalPassed:
		return
	}
	s.reason(v, code, args...)
}

// reason keeps a reason that makes v of the file.
func (s *subject) reason(v Verdict, code ReasonCode, args ...any) {
	if v == Valid {
		return
	}
	args = append([]any{s.name()}, args...)
	s.reasons = append(s.reasons, Reason{Code: code, Signature: s.sig.Field, Page: s.sig.Page,
		Message: say(reasonKey(code), args...), verdict: v})
}

// obey keeps a reason as heavy as the policy's rule.
func (s *subject) obey(rule Rule, code ReasonCode, args ...any) {
	s.reason(rule.verdict(), code, args...)
}

// hashes are the hash functions needed over the signed bytes.
func (s *subject) hashes() []crypto.Hash {
	if s.token != nil {
		return []crypto.Hash{s.token.Hash}
	}
	if s.info == nil {
		return nil
	}
	list := []crypto.Hash{s.info.Digest}
	if s.sig.SubFilter == pades.SubFilterPKCS7SHA1 {
		list = append(list, crypto.SHA1)
	}
	for _, der := range s.info.ContentTimestamps() {
		if t, err := tsp.ParseToken(der); err == nil {
			list = append(list, t.Hash)
		}
	}
	return append(list, s.archiveHashes()...)
}
