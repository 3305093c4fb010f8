package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"testing"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/cms"
)

func TestWhatIsBuiltIsReadAndVerified(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		key    crypto.Signer
		hash   crypto.Hash
		pss    bool
		scheme ades.SignatureAlgorithm
		digest crypto.Hash
	}{
		{"RSA", rsaKey(), crypto.SHA256, false, ades.RSAPKCS1, crypto.SHA256},
		{"RSA", rsaKey(), crypto.SHA512, false, ades.RSAPKCS1, crypto.SHA512},
		{"RSA", rsaKey(), crypto.SHA3_256, false, ades.RSAPKCS1, crypto.SHA3_256},
		{"RSA-PSS", rsaKey(), crypto.SHA256, true, ades.RSAPSS, crypto.SHA256},
		{"RSA-PSS", rsaKey(), crypto.SHA384, true, ades.RSAPSS, crypto.SHA384},
		{"RSA-PSS", rsaKey(), crypto.SHA3_512, true, ades.RSAPSS, crypto.SHA3_512},
		{"P-256", p256(), 0, true, ades.ECDSA, crypto.SHA256},
		{"P-384", p384(), crypto.SHA384, false, ades.ECDSA, crypto.SHA384},
		{"P-384", p384(), crypto.SHA3_384, false, ades.ECDSA, crypto.SHA3_384},
		{"Ed25519", edKey(), crypto.SHA256, false, ades.Ed25519, crypto.SHA512},
	} {
		t.Run(fmt.Sprint(row.name, row.hash), func(t *testing.T) {
			t.Parallel()
			id := newIdentity(t, "Lãnh đạo", row.key)
			sd, s := parse(t, sign(t, id, row.hash, row.pss, nil))
			if s.SignatureAlgorithm != row.scheme || s.Digest != row.digest || s.SignatureHash != row.digest {
				t.Errorf("read as %s with %s and %s", s.SignatureAlgorithm, s.Digest, s.SignatureHash)
			}
			if len(s.Problems) > 0 || sd.BER || sd.Trailing != 0 {
				t.Errorf("problems %v, BER %v, trailing %d", s.Problems, sd.BER, sd.Trailing)
			}
			cert, err := s.SigningCertificate(sd.Certificates)
			if err != nil || !cert.Equal(id.cert) {
				t.Fatalf("certificate: %v", err)
			}
			v, err := s.Verify(cert)
			if err != nil || v.Resorted {
				t.Errorf("verifying: %v, %+v", err, v)
			}
			if !bytes.Equal(s.MessageDigest(), digest(row.digest, content)) || !s.ContentTypeAttr().Equal(cms.OIDData) {
				t.Error("message-digest or content-type differ")
			}
		})
	}
}

func TestAlteredSignatureDoesNotVerify(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{rsaKey(), p256(), edKey()} {
		id := newIdentity(t, "A", key)
		other := newIdentity(t, "B", must(cloneKind(key)))
		_, s := parse(t, sign(t, id, 0, false, nil))
		if err := s.VerifySignature(other.cert); !errors.Is(err, cms.ErrSignature) {
			t.Errorf("%T: another key gives %v", key, err)
		}
		fields, signer := take(t, sign(t, id, 0, false, nil))
		attrs := bytes.Clone(signer[signerAttrs])
		at := bytes.Index(attrs, digest(s.Digest, content))
		attrs[at] ^= 1
		signer[signerAttrs] = attrs
		_, s = parse(t, put(fields, signer))
		if err := s.VerifySignature(id.cert); !errors.Is(err, cms.ErrSignature) {
			t.Errorf("%T: an altered message-digest gives %v", key, err)
		}
	}
}

// The profile of EN 319 142-1, 6.3, read from the bytes with encoding/asn1.
func TestProfileOfTheEncoding(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", rsaKey())
	others := []*certs.Certificate{newIdentity(t, "Z", p256()).cert, newIdentity(t, "A", p384()).cert, id.cert}
	der := sign(t, id, crypto.SHA256, false, func(_ *cms.AttributeParams, b *cms.SignedDataParams) { b.Certificates = others })
	var ci struct {
		Type asn1.ObjectIdentifier
		Body struct {
			Version    int
			Algorithms []algorithmID `asn1:"set"`
			Encap      struct {
				Type    asn1.ObjectIdentifier
				Content asn1.RawValue `asn1:"optional,explicit,tag:0"`
			}
			Certs   asn1.RawValue `asn1:"tag:0"`
			Signers []signerInfo  `asn1:"set"`
		} `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(der, &ci); err != nil || len(rest) > 0 {
		t.Fatalf("the encoding is not DER: %v, %d bytes left", err, len(rest))
	}
	sd := ci.Body
	if sd.Version != 1 || !sd.Encap.Type.Equal(cms.OIDData) || sd.Encap.Content.FullBytes != nil {
		t.Errorf("version %d, content type %v, content %x", sd.Version, sd.Encap.Type, sd.Encap.Content.FullBytes)
	}
	list := elements(t, sd.Certs.FullBytes)
	if len(list) != 3 || !slices.IsSortedFunc(list, bytes.Compare) {
		t.Errorf("%d certificates, sorted %v", len(list), slices.IsSortedFunc(list, bytes.Compare))
	}
	s := sd.Signers[0]
	if s.Version != 1 || len(sd.Signers) != 1 {
		t.Errorf("signer version %d, %d signers", s.Version, len(sd.Signers))
	}
	if len(sd.Algorithms) != 1 || len(sd.Algorithms[0].Params.FullBytes) != 0 || len(s.Digest.Params.FullBytes) != 0 {
		t.Error("digest algorithm has parameters")
	}
	if !bytes.Equal(s.Signature.Params.FullBytes, []byte{5, 0}) {
		t.Errorf("RSA parameters %x", s.Signature.Params.FullBytes)
	}
	attrs := elements(t, s.Attrs.FullBytes)
	if !slices.IsSortedFunc(attrs, bytes.Compare) {
		t.Error("signed attributes are not sorted")
	}
	var types []string
	for _, a := range attrs {
		var at struct {
			Type   asn1.ObjectIdentifier
			Values []asn1.RawValue `asn1:"set"`
		}
		if _, err := asn1.Unmarshal(a, &at); err != nil || len(at.Values) != 1 {
			t.Fatalf("attribute %x: %v", a, err)
		}
		types = append(types, at.Type.String())
	}
	want := []string{cms.OIDContentType.String(), cms.OIDMessageDigest.String(), cms.OIDAlgorithmProtection.String(), cms.OIDSigningCertificateV2.String()}
	slices.Sort(types)
	slices.Sort(want)
	if !slices.Equal(types, want) {
		t.Errorf("signed attributes %v", types)
	}
}

type algorithmID struct {
	OID    asn1.ObjectIdentifier
	Params asn1.RawValue `asn1:"optional"`
}

type signerInfo struct {
	Version   int
	ID        asn1.RawValue
	Digest    algorithmID
	Attrs     asn1.RawValue `asn1:"tag:0"`
	Signature algorithmID
	Value     []byte
	Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
}

func TestParametersOfOtherSchemes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		key  crypto.Signer
		pss  bool
		want string
	}{
		{p256(), false, "300a06082a8648ce3d040302"},
		{edKey(), false, "300506032b6570"},
		// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt.
		{rsaKey(), true, "303d06092a864886f70d01010a3030a00d300b0609608648016503040201a11a301806092a864886f70d010108300b0609608648016503040201a203020120"},
	} {
		_, signer := take(t, sign(t, newIdentity(t, "A", row.key), 0, row.pss, nil))
		if got := fmt.Sprintf("%x", signer[signerAlgorithm]); got != row.want {
			t.Errorf("%T is written as %s", row.key, got)
		}
	}
}

func TestSigningCertificateAttribute(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	_, s := parse(t, sign(t, id, 0, false, nil))
	ess := s.ESS()
	sum := id.cert.SHA256()
	if len(ess) != 1 || ess[0].Version != 2 || ess[0].Hash != crypto.SHA256 || !bytes.Equal(ess[0].CertHash, sum[:]) || ess[0].Serial != nil {
		t.Errorf("default: %+v", ess)
	}
	a, _ := s.Attribute(cms.OIDSigningCertificateV2)
	// SEQUENCE{SEQUENCE{SEQUENCE{OCTET STRING}}}: the default algorithm is left out.
	if want := tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x04, sum[:])))); !bytes.Equal(a.Values[0], want) {
		t.Errorf("encoded as %x", a.Values[0])
	}
	sd, s := parse(t, sign(t, id, 0, false, func(p *cms.AttributeParams, _ *cms.SignedDataParams) {
		p.CertificateHash, p.IssuerSerial = crypto.SHA512, true
	}))
	ess = s.ESS()
	if len(ess) != 1 || ess[0].Hash != crypto.SHA512 || ess[0].Serial.Cmp(id.cert.Serial) != 0 || !bytes.Equal(ess[0].Issuer, id.cert.RawIssuer) {
		t.Errorf("with SHA-512 and issuerSerial: %+v", ess)
	}
	if _, err := s.SigningCertificate(sd.Certificates); err != nil {
		t.Error(err)
	}
}

func TestOptionalAttributesAreReadBack(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	token := tlv(0x30, []byte{2, 1, 7})
	_, s := parse(t, sign(t, id, 0, false, func(p *cms.AttributeParams, b *cms.SignedDataParams) {
		p.CommitmentType = cms.OIDProofOfApproval
		p.Policy = &cms.Policy{OID: asn1.ObjectIdentifier{1, 2, 704, 1}, Hash: crypto.SHA256, HashValue: make([]byte, 32), URI: "http://chinhsach.example/p1"}
		p.Role = "Chủ tịch Ủy ban nhân dân"
		p.ContentTimestamp = token
		b.Timestamp = token
	}))
	if len(s.Problems) > 0 {
		t.Error(s.Problems)
	}
	if got := s.CommitmentTypes(); len(got) != 1 || !got[0].Equal(cms.OIDProofOfApproval) {
		t.Errorf("commitment %v", got)
	}
	if got := s.SignaturePolicy(); !got.Equal(asn1.ObjectIdentifier{1, 2, 704, 1}) {
		t.Errorf("policy %v", got)
	}
	for _, got := range [][][]byte{s.ContentTimestamps(), s.Timestamps()} {
		if len(got) != 1 || !bytes.Equal(got[0], token) {
			t.Errorf("time-stamps %x", got)
		}
	}
	role, ok := s.Attribute(cms.OIDSignerAttributesV2)
	if !ok || !bytes.Contains(role.Values[0], []byte("Chủ tịch Ủy ban nhân dân")) {
		t.Errorf("role %x", role.Values)
	}
	if _, has := s.SigningTime(); has {
		t.Error("signing-time was written")
	}
}

func TestSignerNamedByKeyIdentifier(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	sd, s := parse(t, sign(t, id, 0, false, func(_ *cms.AttributeParams, b *cms.SignedDataParams) { b.BySubjectKeyID = true }))
	if sd.Version != 3 || s.Version != 3 || !bytes.Equal(s.SubjectKeyID, id.cert.SubjectKeyID) || s.Issuer != nil {
		t.Errorf("versions %d and %d, key id %x", sd.Version, s.Version, s.SubjectKeyID)
	}
	cert, err := s.SigningCertificate([]*certs.Certificate{newIdentity(t, "B", p256()).cert, id.cert})
	if err != nil || !cert.Equal(id.cert) || s.VerifySignature(cert) != nil {
		t.Errorf("certificate %v", err)
	}
}

func TestSizeIsNeverUnderestimated(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{rsaKey(), p256(), p384(), edKey()} {
		id := newIdentity(t, "Lãnh đạo", key)
		var p cms.SignedDataParams
		token := bytes.Repeat([]byte{7}, 6000)
		der := sign(t, id, crypto.SHA512, true, func(_ *cms.AttributeParams, b *cms.SignedDataParams) {
			b.Certificates = []*certs.Certificate{newIdentity(t, "CA", rsaKey()).cert}
			b.Timestamp = tlv(0x30, tlv(0x04, token))
			p = *b
		})
		_, s := parse(t, der)
		p.Attributes, p.Timestamp = s.RawSignedAttrs, nil
		got := cms.EstimateSize(p, len(token)+8)
		if got < len(der) || got > len(der)+700 {
			t.Errorf("%T: %d estimated, %d needed", key, got, len(der))
		}
	}
}

func TestTimestampIsAddedWithoutTouchingTheRest(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	der := sign(t, id, 0, false, nil)
	one, two := tlv(0x30, []byte{2, 1, 1}), tlv(0x30, []byte{2, 1, 2})
	stamped := must(cms.AddTimestamp(must(cms.AddTimestamp(der, one)), two))
	sd, s := parse(t, stamped)
	if got := s.Timestamps(); len(got) != 2 || len(s.Problems) > 0 {
		t.Fatalf("%d time-stamps, problems %v", len(got), s.Problems)
	}
	before, signerBefore := take(t, der)
	after, signerAfter := take(t, stamped)
	for i := range before[:len(before)-1] {
		if !bytes.Equal(before[i], after[i]) {
			t.Errorf("field %d changed", i)
		}
	}
	for i := range signerBefore {
		if !bytes.Equal(signerBefore[i], signerAfter[i]) {
			t.Errorf("signer field %d changed", i)
		}
	}
	cert := must(s.SigningCertificate(sd.Certificates))
	if err := s.VerifySignature(cert); err != nil {
		t.Error(err)
	}
	if _, err := cms.AddTimestamp(der, append(bytes.Clone(one), 0)); !errors.Is(err, cms.ErrInput) {
		t.Errorf("a token with bytes after it gives %v", err)
	}
}

func TestRawECDSAValueBecomesDER(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Thẻ", p384())
	a := must(cms.AlgorithmFor(id.key.Public(), crypto.SHA384, false))
	attrs := must(cms.SignedAttributes(cms.AttributeParams{MessageDigest: make([]byte, 48), Certificate: id.cert, Algorithm: a}))
	der := must(a.Sign(rand.Reader, id.key, attrs))
	var rs [2]asn1.RawValue
	var seq struct{ R, S asn1.RawValue }
	if _, err := asn1.Unmarshal(der, &seq); err != nil {
		t.Fatal(err)
	}
	rs = [2]asn1.RawValue{seq.R, seq.S}
	raw := make([]byte, 96)
	for i, v := range rs {
		b := bytes.TrimLeft(v.Bytes, "\x00")
		copy(raw[48*(i+1)-len(b):], b)
	}
	for _, value := range [][]byte{raw, der} {
		got, err := cms.SignatureValue(a, id.cert, value)
		if err != nil || !bytes.Equal(got, der) {
			t.Errorf("%d bytes: %v", len(value), err)
		}
	}
}

func TestUnusableInputIsRefused(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	a := must(cms.AlgorithmFor(id.key.Public(), crypto.SHA256, false))
	good := cms.AttributeParams{MessageDigest: make([]byte, 32), Certificate: id.cert, Algorithm: a}
	for name, change := range map[string]func(*cms.AttributeParams){
		"short digest":        func(p *cms.AttributeParams) { p.MessageDigest = make([]byte, 20) },
		"no certificate":      func(p *cms.AttributeParams) { p.Certificate = nil },
		"no algorithm":        func(p *cms.AttributeParams) { p.Algorithm = cms.Algorithm{} },
		"unknown hash":        func(p *cms.AttributeParams) { p.CertificateHash = crypto.MD4 },
		"policy without hash": func(p *cms.AttributeParams) { p.Policy = &cms.Policy{OID: cms.OIDData} },
		"role not UTF-8":      func(p *cms.AttributeParams) { p.Role = "\xff" },
		"token in two pieces": func(p *cms.AttributeParams) { p.ContentTimestamp = []byte{5, 0, 5, 0} },
	} {
		p := good
		change(&p)
		if _, err := cms.SignedAttributes(p); !errors.Is(err, cms.ErrInput) {
			t.Errorf("%s gives %v", name, err)
		}
	}
	if _, err := cms.AlgorithmFor(id.key.Public(), crypto.SHA1, false); !errors.Is(err, cms.ErrUnsupported) {
		t.Errorf("a new SHA-1 signature gives %v", err)
	}
	if _, err := cms.AlgorithmFor("key", 0, false); !errors.Is(err, cms.ErrUnsupported) {
		t.Errorf("an unknown key gives %v", err)
	}
	nameless := *id.cert
	nameless.SubjectKeyID = nil
	if _, err := cms.Build(cms.SignedDataParams{Algorithm: a, Certificate: &nameless, BySubjectKeyID: true, Signature: []byte{1}, Attributes: []byte{0x31, 0}}); !errors.Is(err, cms.ErrInput) {
		t.Errorf("a certificate without a key identifier gives %v", err)
	}
	if _, err := cms.Build(cms.SignedDataParams{Algorithm: a, Certificate: id.cert, Signature: []byte{1}, Attributes: []byte{0xA0, 0}}); !errors.Is(err, cms.ErrInput) {
		t.Errorf("attributes with another tag give %v", err)
	}
}
