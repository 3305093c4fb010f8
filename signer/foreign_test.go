package signer_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/cms"
	"antin/signer/pades/padestest"
)

// attribute is one signed attribute in DER.
func attribute(t *testing.T, oid asn1.ObjectIdentifier) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct {
		OID    asn1.ObjectIdentifier
		Values []string `asn1:"set"`
	}{oid, []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// foreign is the CMS of another party over p: with what params say, one attribute
// more where extra is set, and unsigned attributes.
func foreign(t *testing.T, e *certstest.Entity, p *signer.Prepared, params cms.AttributeParams, extra asn1.ObjectIdentifier, unsigned ...cms.Attribute) []byte {
	t.Helper()
	algorithm, err := cms.AlgorithmFor(e.Certificate.PublicKey, crypto.SHA256, false)
	if err != nil {
		t.Fatal(err)
	}
	params.MessageDigest, params.Certificate, params.Algorithm = p.DocumentDigest, e.Certificate, algorithm
	attributes, err := cms.SignedAttributes(params)
	if err != nil {
		t.Fatal(err)
	}
	if extra != nil {
		items, err := cms.Elements(attributes)
		if err != nil {
			t.Fatal(err)
		}
		raw := []asn1.RawValue{{FullBytes: attribute(t, extra)}}
		for _, i := range items {
			raw = append(raw, asn1.RawValue{FullBytes: i})
		}
		if attributes, err = asn1.MarshalWithParams(raw, "set"); err != nil {
			t.Fatal(err)
		}
	}
	value, err := algorithm.Sign(rand.Reader, e.Key, attributes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := cms.Build(cms.SignedDataParams{Algorithm: algorithm, Attributes: attributes, Signature: value,
		Certificate: e.Certificate, Certificates: e.Chain, Unsigned: unsigned})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestACMSOfSomebodyElseIsHeldToTheProfile(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	hash := sha256.Sum256(nil)
	policy := &cms.Policy{OID: policyOID, Hash: crypto.SHA256, HashValue: hash[:]}
	bare := signer.Request{Key: certstest.RoleLeader}
	reason, committed, ruled, inRole := bare, bare, bare, bare
	reason.Reason, committed.Commitment, ruled.Policy, inRole.Role = "x", cms.OIDProofOfApproval, policy, "x"
	for name, c := range map[string]struct {
		req      signer.Request
		params   cms.AttributeParams
		extra    asn1.ObjectIdentifier
		unsigned []cms.Attribute
		unfit    string // what the refusal names; empty: it is taken
	}{
		"nothing more":            {req: bare},
		"a commitment":            {req: bare, params: cms.AttributeParams{CommitmentType: cms.OIDProofOfOrigin}},
		"the commitment asked":    {req: committed, params: cms.AttributeParams{CommitmentType: cms.OIDProofOfApproval}},
		"the policy asked":        {req: ruled, params: cms.AttributeParams{Policy: policy}},
		"the role asked":          {req: inRole, params: cms.AttributeParams{Role: "x"}},
		"content-hints":           {req: bare, extra: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 4}, unfit: "content-hints"},
		"content-identifier":      {req: bare, extra: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 7}, unfit: "content-identifier"},
		"content-reference":       {req: bare, extra: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 10}, unfit: "content-reference"},
		"a countersignature":      {req: bare, unsigned: []cms.Attribute{{OID: cms.OIDCounterSignature, Values: [][]byte{{5, 0}}}}, unfit: "unsigned attribute"},
		"a commitment and reason": {req: reason, params: cms.AttributeParams{CommitmentType: cms.OIDProofOfOrigin}, unfit: "/Reason"},
		"a policy and reason":     {req: reason, params: cms.AttributeParams{Policy: policy}, unfit: "/Reason"},
		"another commitment":      {req: committed, params: cms.AttributeParams{CommitmentType: cms.OIDProofOfOrigin}, unfit: "commitment-type"},
		"no policy":               {req: ruled, unfit: "signature-policy"},
		"no role":                 {req: inRole, unfit: "signer-attributes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := suspended(t, a.signer(), data, c.req)
			der := foreign(t, a.Leader(), p, c.params, c.extra, c.unsigned...)
			_, err := a.signer().Complete(t.Context(), input(data), p, signer.Completion{CMS: der}, discard{})
			switch {
			case c.unfit == "" && err != nil:
				t.Error(err)
			case c.unfit != "" && (text.CodeOf(err) != text.CertificateMismatch || !strings.Contains(err.Error(), c.unfit)):
				t.Errorf("error %v does not name %s", err, c.unfit)
			}
		})
	}
}
