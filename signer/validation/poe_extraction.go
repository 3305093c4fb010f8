package validation

import (
	"crypto/sha256"
	"time"

	"antin/certs"
	"antin/signer/pades"
)

// proof is a valid document time-stamp as a proof of existence: everything that
// stands in the bytes it covers existed at its time; or an archive time-stamp of a
// signature file, for what its hash index names.
type proof struct {
	at time.Time
	by *subject // nil for an archive time-stamp, whose objects are listed at once
	// objects are the SHA-256 digests of the certificates and revocation data in
	// those bytes; nil until somebody asks.
	objects map[[32]byte]bool
}

// extractPOE is the POE extraction of EN 319 102-1, 5.6.2.3: a document time-stamp
// that was found valid proves the existence of what it covers. What that is gets
// listed only when it is asked for, which most documents never need.
func (v *validation) extractPOE(d *subject) {
	v.proofs = append(v.proofs, &proof{at: d.token.GenTime, by: d})
}

// existedAt is the earliest moment at which the object with these bytes, a
// certificate or a piece of revocation data, is proven to have existed; without a
// proof, the time of validation.
func (v *validation) existedAt(der []byte) time.Time {
	at := v.at
	if len(v.proofs) == 0 {
		return at
	}
	sum := sha256.Sum256(der)
	for _, p := range v.proofs {
		if p.at.Before(at) && v.covered(p)[sum] {
			at = p.at
		}
	}
	return at
}

// covered lists what p covers: the security store of the revision that it closes
// and what the signatures before it hold.
func (v *validation) covered(p *proof) map[[32]byte]bool {
	if p.objects != nil {
		return p.objects
	}
	p.objects = map[[32]byte]bool{}
	if f, err := v.revision(p.by.revision); err == nil {
		if store, err := pades.ReadDSS(f); err == nil {
			p.take(store)
			for _, related := range store.VRI {
				p.take(related)
			}
		}
	}
	for _, s := range v.subjects {
		if s != p.by && s.data != nil && s.revision >= 0 && s.sig.ContentsEnd <= p.by.sig.ContentsStart {
			p.takeSignature(s)
		}
	}
	return p.objects
}

func (p *proof) add(list ...[]byte) {
	for _, der := range list {
		p.objects[sha256.Sum256(der)] = true
	}
}

func (p *proof) take(d pades.DSS) {
	p.add(d.Certs...)
	p.add(d.OCSPs...)
	p.add(d.CRLs...)
}

// takeSignature lists what one CMS and the time-stamps in it hold.
func (p *proof) takeSignature(s *subject) {
	p.takeCertificates(s.data.Certificates)
	p.add(s.data.OCSPs...)
	p.add(s.data.CRLs...)
	if s.info == nil {
		return
	}
	crls, ocsps := s.info.AdobeRevocation()
	p.add(crls...)
	p.add(ocsps...)
	p.takeTokens(append(s.info.Timestamps(), s.info.ContentTimestamps()...))
}

func (p *proof) takeCertificates(list []*certs.Certificate) {
	for _, c := range list {
		p.add(c.Raw)
	}
}
