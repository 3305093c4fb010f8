package validation

// This file judges the archive time-stamps of a signature that is a file of its own
// (EN 319 122-1, 5.5.3): each is a proof of existence for the signature value and for
// what its hash index names (EN 319 102-1, 5.6.2.3).

import (
	"cmp"
	"crypto"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/tsp"
)

// maxArchived bounds the archive time-stamps judged of one signer: one every two years
// for a century are fifty.
const maxArchived = 64

// archive is one archive time-stamp.
type archive struct {
	value   []byte // of the attribute
	token   *tsp.Token
	index   *cms.HashIndex // nil when it cannot be read
	indexed *cms.Indexed
	entry   int // where it stands in the report
	valid   bool
	stamp   stamp
}

// archiveKinds are the archive time-stamps of a CMS, old ones first. Only the last is
// judged: the others were given up by the standard before baseline profiles used them.
var archiveKinds = []struct {
	oid     asn1.ObjectIdentifier
	version string
}{
	{cms.OIDArchiveTimestamp, "v1"}, {cms.OIDArchiveTimestampV2, "v2"}, {cms.OIDLongTermValidation, "long-term-validation"},
	{cms.OIDArchiveTimestampV3, "v3"},
}

// archiveTimestamps names the archive time-stamps that stand in the CMS, and judges
// those of the present kind where the signature is a file of its own: PAdES has
// document time-stamps in their place.
func (v *validation) archiveTimestamps(s *subject) {
	var list []*archive
	for _, kind := range archiveKinds {
		for _, one := range s.info.Unsigned {
			if !one.OID.Equal(kind.oid) {
				continue
			}
			for _, der := range one.Values {
				out := ArchiveTimestamp{Version: kind.version, Status: StatementNotChecked}
				a := &archive{value: der, entry: len(s.out.Attributes.ArchiveTimestamps)}
				if t, err := tsp.ParseToken(der); err == nil && a.entry < maxArchived {
					a.token, out.Time = t, Time{t.GenTime}
					if c, err := t.SigningCertificate(v.pool...); err == nil {
						out.TSA = c.Subject
					}
				}
				s.out.Attributes.ArchiveTimestamps = append(s.out.Attributes.ArchiveTimestamps, out)
				if kind.version == "v3" {
					list = append(list, a)
				}
			}
		}
	}
	if s.standalone && !s.failed() && len(list) > 0 && len(list) <= maxArchived {
		v.validateArchive(s, list)
	}
}

// validateArchive judges archive time-stamps from the newest to the oldest, so that
// each proves since when those before it exist.
func (v *validation) validateArchive(s *subject, list []*archive) {
	for _, a := range list {
		if a.token == nil || len(a.token.SignedData.Signers) != 1 {
			continue
		}
		if x, err := a.token.SignedData.Signers[0].HashIndex(); err == nil {
			a.index = x
		}
	}
	slices.SortStableFunc(list, func(a, b *archive) int {
		return cmp.Or(b.when().Compare(a.when()), cmp.Compare(b.size(), a.size()))
	})
	components := s.data.Components(s.info)
	for _, a := range list {
		why := v.judgeArchive(s, components, a)
		entry := &s.out.Attributes.ArchiveTimestamps[a.entry]
		entry.Indication, entry.SubIndication = a.stamp.indication, a.stamp.sub
		if a.stamp.indication != ades.TotalPassed {
			entry.Status = StatementBroken
			if a.stamp.indication == ades.Indeterminate {
				entry.Status = StatementNotChecked
			}
			s.reason(ValidWithNotes, ReasonTimestamp, why)
			continue
		}
		entry.Status, a.valid = StatementOK, true
		s.archives = append(s.archives, a)
		v.proofs = append(v.proofs, a.proof(s))
	}
}

func (a *archive) when() time.Time {
	if a.token == nil {
		return time.Time{}
	}
	return a.token.GenTime
}

func (a *archive) size() int {
	if a.index == nil {
		return 0
	}
	return len(a.index.Attributes)
}

// judgeArchive judges one, whose words are for a failure.
func (v *validation) judgeArchive(s *subject, components *cms.Components, a *archive) text.Message {
	a.stamp = stamp{indication: ades.TotalFailed, sub: ades.FormatFailure}
	// The index is made with the hash of the imprint (EN 319 122-1, 5.5.2): a weaker one
	// would let what it names be exchanged.
	if a.token == nil || a.index == nil || (a.index.Hash != a.token.Hash && a.index.Version >= 3) {
		return text.Get("validation.token.malformed")
	}
	var err error
	if a.indexed, err = components.Indexed(a.index); err != nil {
		a.stamp.sub, a.stamp.indication = ades.HashFailure, ades.TotalFailed
		if errors.Is(err, cms.ErrUnsupported) {
			a.stamp.sub, a.stamp.indication = ades.CryptoConstraintsFailure, ades.Indeterminate
			return text.Get("validation.token.unsupported")
		}
		return text.Get("validation.token.index")
	}
	imprint := s.data.ArchiveImprint(s.info, a.token.Hash, s.digest(a.token.Hash), a.index)
	var why text.Message
	a.stamp, why = v.judgeStamp(a.token, imprint, v.attributeExistence(s, cms.OIDArchiveTimestampV3, a.value))
	return why
}

// attributeExistence is since when an unsigned attribute of s is proven to exist: an
// archive time-stamp proves only those that its index names.
func (v *validation) attributeExistence(s *subject, oid asn1.ObjectIdentifier, value []byte) time.Time {
	if !s.standalone {
		at, _ := v.existence(s)
		return at
	}
	at := v.at
	for _, a := range s.archives {
		if a.token.GenTime.Before(at) && a.indexed.Holds(oid, value) {
			at = a.token.GenTime
		}
	}
	return at
}

// proof is a as a proof of existence of certificates and revocation data.
func (a *archive) proof(s *subject) *proof {
	p := &proof{at: a.token.GenTime, objects: map[[32]byte]bool{}}
	p.take(a.store())
	crls, ocsps := s.info.AdobeRevocation() // signed
	p.add(crls...)
	p.add(ocsps...)
	for _, one := range a.indexed.Unsigned {
		if one.OID.Equal(cms.OIDSignatureTimestamp) || one.OID.Equal(cms.OIDArchiveTimestampV3) {
			p.takeTokens(one.Values)
		}
	}
	p.takeTokens(s.info.ContentTimestamps()) // signed
	return p
}

// takeTokens lists what time-stamp tokens hold.
func (p *proof) takeTokens(list [][]byte) {
	for _, der := range list {
		if t, err := tsp.ParseToken(der); err == nil {
			p.takeCertificates(t.SignedData.Certificates)
			p.add(t.SignedData.OCSPs...)
			p.add(t.SignedData.CRLs...)
		}
	}
}

// store is what a names, in the form of a document's security store.
func (a *archive) store() pades.DSS {
	certificates, crls, ocsps := cms.Values(a.indexed.Unsigned)
	return pades.DSS{Certs: slices.Concat(a.indexed.Certificates, certificates), CRLs: slices.Concat(a.indexed.CRLs, crls),
		OCSPs: slices.Concat(a.indexed.OCSPs, ocsps)}
}

// archiveTokens are the tokens that are looked at.
func (s *subject) archiveTokens() [][]byte {
	all := s.info.ArchiveTimestamps()
	return all[:min(len(all), maxArchived)]
}

// archiveHashes are the hash functions over the content that the archive time-stamps
// of s need.
func (s *subject) archiveHashes() []crypto.Hash {
	var list []crypto.Hash
	if !s.standalone {
		return nil
	}
	for _, der := range s.archiveTokens() {
		if t, err := tsp.ParseToken(der); err == nil && !slices.Contains(list, t.Hash) {
			list = append(list, t.Hash)
		}
	}
	return list
}
