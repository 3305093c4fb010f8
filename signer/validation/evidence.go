package validation

import (
	"crypto/sha256"
	"slices"

	"antin/certs"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/tsp"
)

// maxPool bounds the certificates taken from a document to build paths with.
const maxPool = 500

// collectEvidence gathers the certificates and revocation data that the document
// holds: in its security store (ISO 32000-2, 12.8.4.3) and in every CMS. All of
// it is a claim until a path or a signature proves it.
func (v *validation) collectEvidence() {
	known := map[[32]byte]bool{}
	add := func(list ...*certs.Certificate) {
		for _, c := range list {
			if c == nil || known[c.SHA256()] || len(v.pool) >= maxPool {
				continue
			}
			known[c.SHA256()] = true
			v.pool = append(v.pool, c)
		}
	}
	for _, s := range v.subjects {
		v.signatureEvidence(s, add)
	}
	if len(v.subjects) == 0 || v.file == nil {
		return
	}
	dss, err := pades.ReadDSS(v.file)
	if err != nil {
		return // what is unreadable proves nothing; the difference analysis judges it
	}
	v.store(dss, add)
	for _, related := range dss.VRI {
		v.store(related, add)
	}
}

// signatureEvidence takes what one CMS and the time-stamps in it hold.
func (v *validation) signatureEvidence(s *subject, add func(...*certs.Certificate)) {
	if s.data == nil {
		return
	}
	add(s.data.Certificates...)
	v.embedded(certs.EvidenceOCSP, s.data.OCSPs)
	v.embedded(certs.EvidenceCRL, s.data.CRLs)
	if s.info == nil {
		return
	}
	crls, ocsps := s.info.AdobeRevocation()
	v.embedded(certs.EvidenceOCSP, ocsps)
	v.embedded(certs.EvidenceCRL, crls)
	certificates, crls, ocsps := cms.Values(s.info.Unsigned)
	v.store(pades.DSS{Certs: certificates, CRLs: crls, OCSPs: ocsps}, add)
	for _, der := range slices.Concat(s.info.Timestamps(), s.info.ContentTimestamps(), s.archiveTokens()) {
		if t, err := tsp.ParseToken(der); err == nil {
			add(t.SignedData.Certificates...)
			v.embedded(certs.EvidenceOCSP, t.SignedData.OCSPs)
			v.embedded(certs.EvidenceCRL, t.SignedData.CRLs)
		}
	}
}

func (v *validation) store(d pades.DSS, add func(...*certs.Certificate)) {
	for _, der := range d.Certs {
		if len(v.pool) >= maxPool {
			break // what would not be kept need not be parsed
		}
		if c, err := certs.ParseCertificate(der); err == nil {
			add(c)
		}
	}
	v.embedded(certs.EvidenceOCSP, d.OCSPs)
	v.embedded(certs.EvidenceCRL, d.CRLs)
}

// maxEvidencePieces bounds the revocation data taken from one document: a
// signature brings some five, and one file holds at most maxSignatures.
const maxEvidencePieces = 2000

// embedded keeps revocation data of the document. OCSP responses are kept by the
// certificates they speak about, since a document that went far holds hundreds
// and each certificate is asked about by itself.
func (v *validation) embedded(kind certs.EvidenceKind, list [][]byte) {
	for _, der := range list {
		sum := sha256.Sum256(der)
		if v.seen[sum] || len(v.seen) >= maxEvidencePieces {
			continue
		}
		v.seen[sum] = true
		e := certs.Evidence{Kind: kind, DER: der, Origin: certs.OriginEmbedded}
		if kind == certs.EvidenceCRL {
			v.crls = append(v.crls, e)
			continue
		}
		r, err := certs.ParseOCSP(der)
		if err != nil {
			continue
		}
		for _, one := range r.Responses {
			serial := one.Serial.String()
			v.ocsps[serial] = append(v.ocsps[serial], e)
		}
	}
}

// about is the document's revocation data that may speak about c.
func (v *validation) about(c *certs.Certificate) []certs.Evidence {
	return slices.Concat(v.ocsps[c.Serial.String()], v.crls)
}
