package validation

import (
	"crypto/sha256"
	"slices"

	"antin/certs"
)

// Material is what the judgement of one signature stands on, in the bytes in
// which it was found. It is not part of the JSON form: reports for auditors
// (package etsi) are made of it. The zero value is that of a Report read again
// from JSON. It is read-only.
type Material struct {
	// Path is the certification path, the signer first; empty when none was found,
	// and then Signer is all that is known.
	Path certs.Path
	// Signer is the signing certificate, nil when none was found.
	Signer *certs.Certificate
	// Evidence is the revocation data about the certificates of Path, the
	// document's own and what was asked for, each once, in the order of Path.
	Evidence []certs.Evidence
	// Contents is the CMS or the time-stamp token without padding.
	Contents []byte
	// Value is the signature value, MessageDigest the signed attribute; both are
	// nil for what could not be read.
	Value, MessageDigest []byte
	// ByteRange is as the signature dictionary has it; zero when it has none.
	ByteRange [4]int64
	// Timestamps are the valid signature time-stamp tokens in DER.
	Timestamps [][]byte
}

// material gathers what s was judged by.
func (v *validation) material(s *subject) Material {
	m := Material{Path: s.chain, Signer: s.cert, ByteRange: s.sig.ByteRange}
	switch {
	case s.token != nil:
		m.Contents = s.token.Raw
	case s.data != nil && s.data.Trailing <= len(s.sig.Contents):
		m.Contents = s.sig.Contents[:len(s.sig.Contents)-s.data.Trailing]
	}
	if s.info != nil {
		m.Value, m.MessageDigest = s.info.Signature, s.info.MessageDigest()
	}
	for _, st := range s.stamps {
		m.Timestamps = append(m.Timestamps, st.token.Raw)
	}
	seen := map[[32]byte]bool{}
	for i := range max(len(m.Path)-1, 0) {
		for _, e := range slices.Concat(v.about(m.Path[i]), v.fetched[m.Path[i].SHA256()].evidence) {
			sum := sha256.Sum256(e.DER)
			if seen[sum] || !speaksAbout(e, m.Path[i], m.Path[i+1]) {
				continue
			}
			seen[sum] = true
			m.Evidence = append(m.Evidence, e)
		}
	}
	return m
}

// speaksAbout keeps the document's other CRLs and OCSP responses out.
func speaksAbout(e certs.Evidence, c, issuer *certs.Certificate) bool {
	switch e.Kind {
	case certs.EvidenceCRL:
		l, err := certs.ParseCRL(e.DER)
		return err == nil && l.Issuer == c.Issuer
	case certs.EvidenceOCSP:
		r, err := certs.ParseOCSP(e.DER)
		return err == nil && slices.ContainsFunc(r.Responses, func(s certs.OCSPSingle) bool {
			return s.About(c, issuer)
		})
	}
	return false
}
