package validation_test

import (
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/validation"
)

var policyOID = asn1.ObjectIdentifier{1, 2, 704, 1, 1, 1}

func TestEveryStatementOfTheSignerIsInTheReport(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	digest := digestOf([]byte("Quy chế ký số"))
	doc := b.sign(plain(), pades.Options{}, as{stamp: true, content: true, params: func(p *cms.AttributeParams) {
		p.Role, p.CommitmentType, p.AlgorithmProtection = "Chủ tịch UBND xã", cms.OIDProofOfApproval, true
		p.Policy = &cms.Policy{OID: policyOID, Hash: crypto.SHA256, HashValue: digest, URI: "https://example.vn/quy-che.pdf"}
	}})
	b.wait(time.Minute)
	r := b.judge(b.online(), doc)
	expect(t, r, validation.Valid, "")
	a := r.Signatures[0].Attributes
	if !slices.Equal(a.SigningCertificate, []string{"v2"}) || !slices.Equal(a.Commitments, []string{"proof-of-approval"}) ||
		!slices.Equal(a.Roles, []string{"Chủ tịch UBND xã"}) || a.AlgorithmProtection != validation.StatementOK || a.CertifiedRoles || len(a.Others) > 0 {
		t.Errorf("%+v", a)
	}
	if want := (validation.SignaturePolicy{OID: "1.2.704.1.1.1", URI: "https://example.vn/quy-che.pdf", Digest: hex.EncodeToString(digest),
		Status: validation.StatementNotChecked}); a.Policy != want {
		t.Errorf("policy %+v", a.Policy)
	}
	if len(a.ContentTimestamps) != 1 || a.ContentTimestamps[0].Indication != ades.TotalPassed {
		t.Errorf("content time-stamps %+v", a.ContentTimestamps)
	}
}

func TestASignaturePolicyIsJudgedAsFarAsItIsKnown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	digest := digestOf([]byte("Quy chế ký số"))
	doc := b.sign(plain(), pades.Options{}, as{params: func(p *cms.AttributeParams) {
		p.Policy = &cms.Policy{OID: policyOID, Hash: crypto.SHA256, HashValue: digest}
	}})
	known := func(digests ...string) map[string]validation.KnownSignaturePolicy {
		return map[string]validation.KnownSignaturePolicy{policyOID.String(): {Digests: digests}}
	}
	for name, c := range map[string]struct {
		rule  validation.Rule
		known map[string]validation.KnownSignaturePolicy
		sub   ades.SubIndication
		code  validation.ReasonCode
	}{
		"known":             {validation.RuleInconclusive, known(hex.EncodeToString(digest)), "", ""},
		"another document":  {validation.RuleSilent, known("00"), ades.PolicyProcessingError, validation.ReasonPolicyProcessing},
		"unknown, demanded": {validation.RuleInconclusive, nil, ades.SignaturePolicyNotAvailable, validation.ReasonSignaturePolicy},
		"unknown, noted":    {validation.RuleNote, nil, "", validation.ReasonSignaturePolicy},
		"unknown, accepted": {validation.RuleSilent, nil, "", ""},
	} {
		v := b.online()
		v.Policy = policy(t, validation.DefaultPolicy)
		v.Policy.UncheckedSignaturePolicy, v.Policy.SignaturePolicies = c.rule, c.known
		r := b.judge(v, doc)
		if s := r.Signatures[0]; s.SubIndication != c.sub || (c.code != "" && !has(r, c.code)) || (c.code == "" && len(r.Reasons) > 0) {
			t.Errorf("%s: %s", name, explain(r))
		}
	}
}

// counter is a countersignature by e over value (RFC 5652, 11.4).
func (b *bench) counter(e *certstest.Entity, value []byte) []byte {
	b.t.Helper()
	alg, err := cms.AlgorithmFor(e.Key.Public(), crypto.SHA256, false)
	if err != nil {
		b.t.Fatal(err)
	}
	attrs, err := cms.SignedAttributes(cms.AttributeParams{MessageDigest: digestOf(value), Certificate: e.Certificate, Algorithm: alg})
	if err != nil {
		b.t.Fatal(err)
	}
	signature, err := alg.Sign(rand.Reader, e.Key, attrs)
	if err != nil {
		b.t.Fatal(err)
	}
	der, err := cms.Build(cms.SignedDataParams{Algorithm: alg, Attributes: attrs, Signature: signature, Certificate: e.Certificate})
	if err != nil {
		b.t.Fatal(err)
	}
	var info struct {
		Type    asn1.ObjectIdentifier
		Content struct {
			Version      int
			Digests      asn1.RawValue
			Content      asn1.RawValue
			Certificates asn1.RawValue   `asn1:"optional,tag:0"`
			Signers      []asn1.RawValue `asn1:"set"`
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil || len(info.Content.Signers) != 1 {
		b.t.Fatal(err)
	}
	return info.Content.Signers[0].FullBytes
}

func TestCountersignaturesAreJudgedAndForbiddenByTheBaseline(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	sealer := b.Signer(certstest.RoleSealA)
	for name, c := range map[string]struct {
		over   []byte // nil: the signature value
		status validation.Statement
		code   validation.ReasonCode
	}{
		"over the value":      {nil, validation.StatementOK, validation.ReasonBelowBaseline},
		"over something else": {[]byte("khác"), validation.StatementBroken, validation.ReasonCounter},
	} {
		doc := b.sign(plain(), pades.Options{}, as{alter: func(der []byte) []byte {
			sd, err := cms.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			over := c.over
			if over == nil {
				over = sd.Signers[0].Signature
			}
			return withUnsigned(t, der, cms.OIDCounterSignature, b.counter(sealer, over))
		}})
		r := b.judge(b.online(), b.addEvidence(doc, pades.DSS{Certs: [][]byte{sealer.Certificate.Raw}}))
		if got := r.Signatures[0].Attributes.CounterSignatures; len(got) != 1 || got[0].Status != c.status || got[0].Signer != sealer.Certificate.Subject {
			t.Errorf("%s: %+v", name, got)
		}
		expect(t, r, validation.ValidWithNotes, c.code)
	}
}

// withUnsigned puts a further unsigned attribute into a CMS.
func withUnsigned(t *testing.T, der []byte, oid asn1.ObjectIdentifier, value []byte) []byte {
	t.Helper()
	with, err := cms.AddUnsigned(der, oid, value)
	if err != nil {
		t.Fatal(err)
	}
	return with
}

// replaceOID writes another attribute type in place of one, whatever its length.
func replaceOID(t *testing.T, der []byte, from, to asn1.ObjectIdentifier) []byte {
	t.Helper()
	a, err := asn1.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	b, err := asn1.Marshal(to)
	if err != nil {
		t.Fatal(err)
	}
	return rebuild(t, der, a, b)
}

// rebuild re-encodes der with the element old replaced by another one.
func rebuild(t *testing.T, der, old, now []byte) []byte {
	t.Helper()
	if slices.Equal(der, old) {
		return now
	}
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		t.Fatal(err)
	}
	if !v.IsCompound {
		return der
	}
	var content []byte
	for rest := v.Bytes; len(rest) > 0; {
		var one asn1.RawValue
		var err error
		before := rest
		if rest, err = asn1.Unmarshal(rest, &one); err != nil {
			t.Fatal(err)
		}
		content = append(content, rebuild(t, before[:len(before)-len(rest)], old, now)...)
	}
	v.FullBytes, v.Bytes = nil, content
	out, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// PAdES uses neither: both are named, judged by nobody and prove nothing.
func TestArchiveTimestampsAndAttributeCertificatesOfACMSAreNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wait(time.Hour)
	token := b.token(digestOf([]byte("anything")))
	attribute := encoded(t, asn1.RawValue{Class: 2, Tag: 2, IsCompound: true, Bytes: []byte{0x05, 0x00}})
	doc := b.sign(plain(), pades.Options{}, as{alter: func(der []byte) []byte {
		der = withUnsigned(t, der, cms.OIDArchiveTimestampV3, token)
		for _, old := range []asn1.ObjectIdentifier{cms.OIDArchiveTimestampV2, cms.OIDArchiveTimestamp, cms.OIDLongTermValidation} {
			der = withUnsigned(t, der, old, []byte{0x30, 0x00})
		}
		return withCertificates(t, der, [][]byte{attribute}, 2)
	}})
	r := b.judge(b.online(), doc)
	s := r.Signatures[0]
	list := s.Attributes.ArchiveTimestamps
	var versions []string
	for _, one := range list {
		versions = append(versions, one.Version)
		if one.Status != validation.StatementNotChecked || one.Indication != "" || one.Time.IsZero() != (one.Version != "v3") {
			t.Errorf("%+v", one)
		}
	}
	if !slices.Equal(versions, []string{"v1", "v2", "long-term-validation", "v3"}) || !list[3].Time.Equal(b.clock()) || list[3].TSA != b.TSA().Certificate.Subject {
		t.Errorf("%+v", list)
	}
	if s.Attributes.AttributeCertificates != 2 || s.BestTimeSource != validation.TimeNow || s.Level != "PAdES-B-B" || len(s.Attributes.Others) > 0 {
		t.Errorf("%+v %s", s.Attributes, s.Level)
	}
}
