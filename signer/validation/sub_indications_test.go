package validation_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/validation"
)

// subCase leads to one sub-indication of EN 319 102-1, table 6.
type subCase struct {
	sub        ades.SubIndication
	indication ades.Indication
	clause     string
	report     func(b *bench) *validation.Report
}

// judged validates doc with a validator that change has altered.
func (b *bench) judged(v *validation.Validator, doc []byte, change func(*validation.Validator)) *validation.Report {
	b.t.Helper()
	if change != nil {
		v.Policy = policy(b.t, validation.DefaultPolicy)
		change(v)
	}
	return b.judge(v, doc)
}

var subCases = []subCase{
	{ades.FormatFailure, ades.TotalFailed, "5.2.2.4", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{alter: func(der []byte) []byte { der[0] = 0x04; return der }}))
	}},
	{ades.HashFailure, ades.TotalFailed, "5.2.7.4", func(b *bench) *validation.Report {
		doc := b.sign(plain(), pades.Options{}, as{})
		return b.judge(b.online(), bytes.Replace(doc, []byte("/MediaBox"), []byte("/MediaBoy"), 1))
	}},
	{ades.SigCryptoFailure, ades.TotalFailed, "5.2.7.4", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{foreign: b.Signer(certstest.RoleSealB).Key}))
	}},
	{ades.Revoked, ades.TotalFailed, "5.3.4: a content time-stamp proves that it was signed later", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleRevoked), content: true}))
	}},
	{ades.Expired, ades.TotalFailed, "5.3.4: likewise", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleExpired), content: true}))
	}},
	{ades.NotYetValid, ades.TotalFailed, "5.5.4: best signature time before the certificate", func(b *bench) *validation.Report {
		late := b.issue(certstest.Spec{NotBefore: day0.Add(24 * time.Hour)})
		doc := b.sign(plain(), pades.Options{}, as{who: late, stamp: true})
		b.wait(48 * time.Hour)
		return b.judge(b.online(), doc)
	}},
	{ades.SigConstraintsFailure, ades.Indeterminate, "5.2.8.4: an attribute that the profile forbids", func(b *bench) *validation.Report {
		return b.judged(b.online(), b.sign(plain(), pades.Options{}, as{signingAt: true}), func(v *validation.Validator) {
			v.Policy.BelowBaseline = validation.RuleInconclusive
		})
	}},
	{ades.ChainConstraintsFailure, ades.Indeterminate, "5.2.6.4: the certificate is for something else", func(b *bench) *validation.Report {
		server := b.issue(certstest.Spec{ExtKeyUsage: []asn1.ObjectIdentifier{certs.OIDExtKeyUsageServerAuth}})
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{who: server}))
	}},
	{ades.CertificateChainGeneralFailure, ades.Indeterminate, "5.2.6.4: a CA in the path has expired", func(b *bench) *validation.Report {
		ca := b.issue(certstest.Spec{CA: true, Name: "ca-short", Issuer: b.RootCA(), NotBefore: day0, NotAfter: day0.Add(24 * time.Hour)})
		doc := b.sign(plain(), pades.Options{}, as{who: b.issue(certstest.Spec{Issuer: ca, NotBefore: day0})})
		b.wait(48 * time.Hour)
		return b.judge(b.online(), doc)
	}},
	{ades.CryptoConstraintsFailure, ades.Indeterminate, "5.2.7 with RFC 8419: Ed448 is named and not judged", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{alter: func(der []byte) []byte {
			return replaceLast(b.t, der, encoded(b.t, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}), encoded(b.t, ed448))
		}}))
	}},
	{ades.CryptoConstraintsFailureNoPOE, ades.Indeterminate, "5.2.8.4: an algorithm past its date", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{hash: crypto.SHA1}))
	}},
	{ades.PolicyProcessingError, ades.Indeterminate, "5.2.4.4: another document than the one known", func(b *bench) *validation.Report {
		return b.judged(b.online(), b.sign(plain(), pades.Options{}, underPolicy), func(v *validation.Validator) {
			v.Policy.SignaturePolicies = map[string]validation.KnownSignaturePolicy{policyOID.String(): {Digests: []string{"00"}}}
		})
	}},
	{ades.SignaturePolicyNotAvailable, ades.Indeterminate, "5.2.4.4", func(b *bench) *validation.Report {
		return b.judged(b.online(), b.sign(plain(), pades.Options{}, underPolicy), func(v *validation.Validator) {
			v.Policy.UncheckedSignaturePolicy = validation.RuleInconclusive
		})
	}},
	{ades.TimestampOrderFailure, ades.Indeterminate, "5.5.4: the content time-stamp is younger than the signature's", func(b *bench) *validation.Report {
		doc := b.sign(plain(), pades.Options{}, as{content: true, stamp: true, params: func(*cms.AttributeParams) { b.wait(-2 * time.Hour) }})
		b.wait(3 * time.Hour)
		return b.judge(b.online(), doc)
	}},
	{ades.NoSigningCertificateFound, ades.Indeterminate, "5.2.3.4: the ESS attribute names another certificate", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{params: func(p *cms.AttributeParams) {
			p.Certificate = b.Signer(certstest.RoleSealB).Certificate
		}}))
	}},
	{ades.NoCertificateChainFound, ades.Indeterminate, "5.2.6.4", func(b *bench) *validation.Report {
		return b.judge(newBench(b.t).offline(), b.sign(plain(), pades.Options{}, as{}))
	}},
	{ades.NoCertificateChainFoundNoPOE, ades.Indeterminate, "5.2.6.4: the anchor was withdrawn", func(b *bench) *validation.Report {
		doc := b.sign(plain(), pades.Options{}, as{})
		b.wait(48 * time.Hour)
		v := b.online()
		v.Trust = dated{b.Anchors(), b.clock().Add(-time.Hour)}
		return b.judge(v, doc)
	}},
	{ades.RevokedNoPOE, ades.Indeterminate, "5.3.4", func(b *bench) *validation.Report {
		return b.judge(b.online(), b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleRevoked)}))
	}},
	{ades.RevokedCANoPOE, ades.Indeterminate, "5.2.6.4", func(b *bench) *validation.Report {
		doc := b.sign(plain(), pades.Options{}, as{})
		if err := b.Revoke(b.IssuingCA().Certificate, b.clock(), certstest.CessationOfOperation); err != nil {
			b.t.Fatal(err)
		}
		return b.judge(b.online(), doc)
	}},
	{ades.OutOfBoundsNoPOE, ades.Indeterminate, "5.2.6.4: expired, and no data say more", func(b *bench) *validation.Report {
		return b.judge(b.offline(), b.sign(plain(), pades.Options{}, as{who: b.Signer(certstest.RoleExpired)}))
	}},
	{ades.OutOfBoundsNotRevoked, ades.Indeterminate, "5.2.6.4: expired, and known not to have been revoked", func(b *bench) *validation.Report {
		short := b.issue(certstest.Spec{NotBefore: day0, NotAfter: day0.Add(time.Hour)})
		doc := b.sign(plain(), pades.Options{}, as{who: short})
		b.wait(time.Minute)
		doc = b.longTerm(doc, short)
		b.wait(2 * time.Hour)
		return b.judge(b.offline(), doc)
	}},
	{ades.RevocationOutOfBoundsNoPOE, ades.Indeterminate, "5.2.6.4: who made the revocation data has expired", func(b *bench) *validation.Report {
		// CAs, TSA and signer outlive the responder of the OCSP answer on the signer.
		end := day0.AddDate(24, 0, 0)
		ca := b.issue(certstest.Spec{CA: true, Name: "ca-long", Issuer: b.RootCA(), NotBefore: day0, NotAfter: end})
		person := b.issue(certstest.Spec{Issuer: ca, NotBefore: day0, NotAfter: end})
		b.tsa = b.issue(certstest.Spec{Issuer: b.RootCA(), ExtKeyUsage: []asn1.ObjectIdentifier{certs.OIDExtKeyUsageTimeStamping}, ExtKeyUsageCritical: true, NotAfter: end})
		doc := b.sign(plain(), pades.Options{}, as{who: person, stamp: true})
		b.wait(time.Minute)
		answer, err := b.OCSP(person.Certificate)
		if err != nil {
			b.t.Fatal(err)
		}
		list, err := b.CRL("root")
		if err != nil {
			b.t.Fatal(err)
		}
		doc = b.addEvidence(doc, pades.DSS{OCSPs: [][]byte{answer}, CRLs: [][]byte{list}})
		b.wait(16 * 365 * 24 * time.Hour)
		return b.judged(b.offline(), doc, func(v *validation.Validator) { v.Policy.ExpiredRevocationIssuer = validation.RuleInconclusive })
	}},
	{ades.TryLater, ades.Indeterminate, "5.2.6.4", func(b *bench) *validation.Report {
		return b.judge(b.offline(), b.sign(plain(), pades.Options{}, as{}))
	}},
	{ades.SignedDataNotFound, ades.Indeterminate, "5.2.7.4: a detached signature without what it is over", func(b *bench) *validation.Report {
		return b.judgeCMS(b.cms(digestOf([]byte("x")), as{who: b.Leader()}), nil)
	}},
}

var ed448 = asn1.ObjectIdentifier{1, 3, 101, 113}

var underPolicy = as{params: func(p *cms.AttributeParams) {
	p.Policy = &cms.Policy{OID: policyOID, Hash: crypto.SHA256, HashValue: digestOf([]byte("x"))}
}}

func (b *bench) issue(s certstest.Spec) *certstest.Entity {
	b.t.Helper()
	if s.CommonName == "" && s.Name == "" {
		s.CommonName = "Nguyễn Văn B"
	}
	e, err := b.Issue(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func (b *bench) judgeCMS(der, content []byte) *validation.Report {
	b.t.Helper()
	in := validation.CMSInput{Input: validation.Input{Reader: bytes.NewReader(der), Size: int64(len(der)), Name: "a.p7s"}}
	if content != nil {
		in.Content, in.ContentSize = bytes.NewReader(content), int64(len(content))
	}
	r, err := b.online().ValidateCMS(context.Background(), in, b.clock())
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// Every sub-indication comes about, each by the clause that gives it. NO_POE is the
// result of the past certificate validation inside 5.6.2.4, which returns today's
// indication; it stands beside that (TestAMissingProofOfExistenceIsNamed).
func TestEverySubIndicationIsReached(t *testing.T) {
	t.Parallel()
	reached := map[ades.SubIndication]bool{ades.NoPOE: true}
	for _, c := range subCases {
		reached[c.sub] = true
		t.Run(string(c.sub), func(t *testing.T) {
			t.Parallel()
			r := c.report(newBench(t))
			if s := r.Signatures[0]; s.SubIndication != c.sub || s.Indication != c.indication {
				t.Errorf("%s: %s", c.clause, explain(r))
			}
		})
	}
	for _, sub := range ades.SubIndications() {
		if !reached[sub] {
			t.Errorf("%s is reached by nothing", sub)
		}
	}
}

// EN 319 102-1, 5.6.2.2: the CA's key is lost later, and nothing proves that its word
// on the signer existed before.
func TestAMissingProofOfExistenceIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ca := b.issue(certstest.Spec{CA: true, Name: "ca-lost", Issuer: b.RootCA()})
	person := b.issue(certstest.Spec{Issuer: ca})
	doc := b.sign(plain(), pades.Options{}, as{who: person, stamp: true})
	b.wait(time.Minute)
	doc = b.longTerm(doc, person, ca)
	proven := b.archive(doc)
	b.wait(48 * time.Hour)
	lost := b.clock()
	if err := b.Revoke(ca.Certificate, lost, certstest.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	b.wait(time.Hour)
	r := b.judge(b.online(), doc)
	s := r.Signatures[0]
	if p := s.PastValidation; s.SubIndication != ades.RevokedCANoPOE || p == nil || p.SubIndication != ades.NoPOE || len(p.Missing) != 1 ||
		p.Missing[0].Kind == validation.ProofOfSignature || p.Missing[0].Subject == "" || p.ControlTime.After(lost) {
		t.Errorf("%+v, %s", s.PastValidation, explain(r))
	}
	expect(t, r, validation.Inconclusive, validation.ReasonNoProof)
	if s := b.judge(b.online(), proven).Signatures[0]; s.Indication != ades.TotalPassed || s.PastValidation != nil {
		t.Errorf("with an archive time-stamp: %s %s", s.Indication, s.SubIndication)
	}
}

// EN 319 102-1, 5.6.2.2: what an archive time-stamp proves to have been known while the
// certificate lived is not undone by a CA that dates a revocation back after its end.
func TestARevocationDatedBackAfterTheEndDoesNotUndoTheArchive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person := b.issue(certstest.Spec{NotBefore: day0, NotAfter: day0.Add(30 * 24 * time.Hour)})
	doc := b.sign(plain(), pades.Options{}, as{who: person, stamp: true})
	b.wait(time.Minute)
	doc = b.longTerm(doc, person)
	archived := b.archive(doc)
	b.wait(24 * time.Hour)
	if err := b.Revoke(person.Certificate, day0.Add(-time.Second), certstest.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	if s := b.judge(b.online(), archived).Signatures[0]; s.SubIndication != ades.RevokedNoPOE {
		t.Errorf("while the certificate lives: %s %s", s.Indication, s.SubIndication)
	}
	b.wait(60 * 24 * time.Hour)
	if s := b.judge(b.online(), archived).Signatures[0]; s.Indication != ades.TotalPassed || s.Level != "PAdES-B-LTA" {
		t.Errorf("after its end: %s %s", s.Indication, s.SubIndication)
	}
}
