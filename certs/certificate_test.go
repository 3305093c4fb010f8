package certs_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"

	"antin/certs"
	"antin/certs/certstest"
	"antin/signer/ades"
)

func TestCertificateFields(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	c := p.Leader().Certificate
	x, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if want := "CN=Nguyễn Văn An,UID=CCCD:001099000001,OU=Lãnh đạo Ủy ban,O=UBND xã Thử Nghiệm,L=Tỉnh Thử Nghiệm,C=VN"; c.Subject != want {
		t.Errorf("subject %q, want %q", c.Subject, want)
	}
	if !strings.HasPrefix(c.Issuer, "CN=CA cấp phát") || c.CommonName != "Nguyễn Văn An" || c.Attribute("OU") != "Lãnh đạo Ủy ban" || c.Attribute("ST") != "" {
		t.Errorf("issuer %q, common name %q", c.Issuer, c.CommonName)
	}
	switch {
	case c.Serial.Cmp(x.SerialNumber) != 0, !c.NotBefore.Equal(x.NotBefore), !c.NotAfter.Equal(x.NotAfter), c.Version != x.Version,
		!bytes.Equal(c.RawTBS, x.RawTBSCertificate), !bytes.Equal(c.RawSubject, x.RawSubject), !bytes.Equal(c.RawIssuer, x.RawIssuer),
		!bytes.Equal(c.RawSPKI, x.RawSubjectPublicKeyInfo), !bytes.Equal(c.Signature, x.Signature),
		!bytes.Equal(c.AuthorityKeyID, x.AuthorityKeyId), int(c.KeyUsage) != int(x.KeyUsage), c.IsCA != x.IsCA,
		c.OCSPServers[0] != x.OCSPServer[0], c.CRLDistributionPoints[0] != x.CRLDistributionPoints[0],
		c.IssuingCertificateURL[0] != x.IssuingCertificateURL[0], c.EmailAddresses[0] != x.EmailAddresses[0], c.KeyBits != 256:
		t.Errorf("a field differs from what crypto/x509 reads: %+v", c)
	}
	if ca := p.IssuingCA().Certificate; !ca.IsCA || ca.PathLen != 0 || p.Root().PathLen != -1 {
		t.Errorf("path lengths %d and %d", ca.PathLen, p.Root().PathLen)
	}
	if r := p.OCSPResponder().Certificate; !r.OCSPNoCheck || !r.HasExtKeyUsage(certs.OIDExtKeyUsageOCSPSigning) {
		t.Error("the responder's marks are not read")
	}
}

func TestBundles(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	a, b := p.Leader().Certificate, p.IssuingCA().Certificate
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	p7, err := pkcs7.DegenerateCertificate(append(bytes.Clone(a.Raw), b.Raw...))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want int
	}{
		"DER": {a.Raw, 1}, "DER with a line break after it": {append(bytes.Clone(a.Raw), '\n'), 1}, "PKCS #7": {p7, 2},
		"PEM with text around": {append(append([]byte("Root\n"), block("CERTIFICATE", a.Raw)...), append([]byte("x\n"), block("CERTIFICATE", b.Raw)...)...), 2},
		"PKCS #7 in PEM":       {block("PKCS7", p7), 2}, "nothing": {nil, 0}, "junk": {[]byte("hello"), 0}, "a key": {block("PRIVATE KEY", a.Raw), 0},
	} {
		got, err := certs.ParseBundle(c.data)
		if len(got) != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s: %d certificates, %v", name, len(got), err)
		}
		if err != nil && !errors.Is(err, certs.ErrMalformed) {
			t.Errorf("%s: error %v is not ErrMalformed", name, err)
		}
	}
}

func TestPublishedBundles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"many-certs.pem", "test.p7b", "test.p7b.pem"} {
		if all, err := certs.ParseBundle(read(t, filepath.Join(corpus(t, "certs_to_unpack"), name))); err != nil || len(all) < 2 {
			t.Errorf("%s: %d certificates, %v", name, len(all), err)
		}
	}
}

func TestNamesAreComparedByMeaning(t *testing.T) {
	t.Parallel()
	name := func(tag byte, value string) []byte {
		attribute := append([]byte{0x30, byte(len(value) + 7), 6, 3, 0x55, 4, 3, tag, byte(len(value))}, value...)
		return append([]byte{0x30, byte(len(attribute) + 2), 0x31, byte(len(attribute))}, attribute...)
	}
	const utf8, printable = 12, 19
	for _, c := range []struct {
		a, b []byte
		same bool
	}{
		{name(utf8, "Ban Cơ yếu"), name(utf8, "BAN  CƠ  YẾU "), true},
		{name(utf8, "Root"), name(printable, "root"), true},
		{name(utf8, "Root"), name(utf8, "Roots"), false},
		{name(utf8, "Ro ot"), name(utf8, "Root"), false},
		{name(utf8, "Root"), []byte{0x30, 0}, false},
	} {
		if got := certs.SameName(c.a, c.b); got != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestSignatureValues(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	message := []byte("nội dung")
	for _, kind := range []certstest.KeyType{certstest.RSA2048, certstest.P256, certstest.P384, certstest.Ed25519} {
		e := issue(t, p, certstest.Spec{CommonName: string(kind), KeyType: kind})
		for name, s := range map[string]struct {
			oid    string
			params []byte
			opts   crypto.SignerOpts
			scheme ades.SignatureAlgorithm
		}{
			"RSA with SHA-256":   {"1.2.840.113549.1.1.11", []byte{5, 0}, crypto.SHA256, ades.RSAPKCS1},
			"RSA with SHA-1":     {"1.2.840.113549.1.1.5", []byte{5, 0}, crypto.SHA1, ades.RSAPKCS1},
			"PSS with defaults":  {"1.2.840.113549.1.1.10", []byte{0x30, 0}, &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA1}, ades.RSAPSS},
			"ECDSA with SHA-384": {"1.2.840.10045.4.3.3", nil, crypto.SHA384, ades.ECDSA},
			"Ed25519":            {"1.3.101.112", nil, crypto.Hash(0), ades.Ed25519},
		} {
			alg := certs.AlgorithmIdentifier{OID: oid(t, s.oid), Params: s.params}
			scheme, err := alg.Scheme()
			if err != nil || scheme.Algorithm != s.scheme {
				t.Fatalf("%s reads as %+v, %v", name, scheme, err)
			}
			digest := message
			if h := s.opts.HashFunc(); h != 0 {
				w := h.New()
				w.Write(message)
				digest = w.Sum(nil)
			}
			fits := map[string]ades.SignatureAlgorithm{"RSA": ades.RSAPKCS1, "ECDSA": ades.ECDSA, "Ed25519": ades.Ed25519}[e.Certificate.KeyAlgorithm]
			if fits == ades.RSAPKCS1 && s.scheme == ades.RSAPSS {
				fits = ades.RSAPSS
			}
			if fits != s.scheme {
				if err := e.Certificate.VerifySignature(alg, message, make([]byte, 256)); err == nil {
					t.Errorf("%s by a %s key", name, kind)
				}
				continue
			}
			sig, err := e.Key.Sign(rand.Reader, digest, s.opts)
			if err != nil {
				t.Fatalf("%s by %s: %v", name, kind, err)
			}
			if err := e.Certificate.VerifySignature(alg, message, sig); err != nil {
				t.Errorf("%s by %s: %v", name, kind, err)
			}
			if err := e.Certificate.VerifySignature(alg, append(message, '!'), sig); !errors.Is(err, certs.ErrSignature) {
				t.Errorf("%s by %s over other bytes: %v", name, kind, err)
			}
		}
	}
}

func TestUnsupportedAlgorithmsAreNotCalledWrong(t *testing.T) {
	t.Parallel()
	c := newPKI(t).Leader().Certificate
	md5 := certs.SignatureScheme{Algorithm: ades.RSAPKCS1, Hash: crypto.MD5}
	if err := c.VerifyDigest(md5, make([]byte, 16), nil); !errors.Is(err, certs.ErrAlgorithm) {
		t.Errorf("MD5: %v", err)
	}
	bare := certs.AlgorithmIdentifier{OID: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}}
	if err := c.VerifySignature(bare, nil, nil); !errors.Is(err, certs.ErrAlgorithm) {
		t.Errorf("an algorithm without a hash: %v", err)
	}
	noMask := certs.SignatureScheme{Algorithm: ades.RSAPSS, Hash: crypto.SHA256, MGF: crypto.MD5}
	if err := issue(t, newPKI(t), certstest.Spec{CommonName: "x", KeyType: certstest.RSA2048}).Certificate.VerifyDigest(noMask, make([]byte, 32), nil); !errors.Is(err, certs.ErrAlgorithm) {
		t.Errorf("PSS with a mask by MD5: %v", err)
	}
}

// A certificate on a curve that Go does not know is read, named and not verified.
func TestUnknownCurveIsKept(t *testing.T) {
	t.Parallel()
	der := bytes.Replace(newPKI(t).Leader().Certificate.Raw,
		[]byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, []byte{6, 8, 0x2b, 0x24, 3, 3, 2, 8, 1, 1}, 1) // P-256 becomes an 8-byte brainpool-like arc
	c, err := certs.ParseCertificate(der)
	if err != nil || c.PublicKey != nil || c.KeyAlgorithm != "ECDSA" {
		t.Fatalf("%+v, %v", c, err)
	}
	alg := certs.AlgorithmIdentifier{OID: oid(t, "1.2.840.10045.4.3.2")}
	if err := c.VerifySignature(alg, nil, nil); !errors.Is(err, certs.ErrAlgorithm) {
		t.Errorf("verification: %v", err)
	}
}

func TestCryptoPolicyDates(t *testing.T) {
	t.Parallel()
	p := certs.TS119312()
	on := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		alg  ades.SignatureAlgorithm
		bits int
		hash crypto.Hash
		at   string
		want bool
	}{
		{ades.RSAPKCS1, 2048, crypto.SHA256, "2026-11-23", true},
		{ades.RSAPKCS1, 2048, crypto.SHA256, "2028-12-31", true},
		{ades.RSAPKCS1, 2048, crypto.SHA256, "2029-01-01", false},
		{ades.RSAPKCS1, 4096, crypto.SHA256, "2029-01-01", false},
		{ades.RSAPSS, 2048, crypto.SHA256, "2029-01-01", false},
		{ades.RSAPSS, 3072, crypto.SHA256, "2040-01-01", true},
		{ades.RSAPKCS1, 1024, crypto.SHA256, "2019-09-30", true},
		{ades.RSAPKCS1, 1024, crypto.SHA256, "2019-10-01", false},
		{ades.RSAPKCS1, 512, crypto.SHA256, "2000-01-01", false},
		{ades.RSAPKCS1, 2048, crypto.SHA1, "2012-07-31", true},
		{ades.RSAPKCS1, 2048, crypto.SHA1, "2012-08-01", false},
		{ades.RSAPKCS1, 2048, crypto.MD5, "2000-01-01", false},
		{ades.ECDSA, 256, crypto.SHA256, "2040-01-01", true},
		{ades.ECDSA, 224, crypto.SHA256, "2021-10-01", false},
		{ades.ECDSA, 192, crypto.SHA256, "2010-01-01", false},
		{ades.ECDSA, 384, crypto.SHA224, "2029-01-01", false},
		{ades.Ed25519, 256, crypto.SHA512, "2040-01-01", true},
		{"", 4096, crypto.SHA256, "2026-01-01", false},
	} {
		if got := p.Allowed(c.alg, c.bits, c.hash, on(c.at)); got != c.want {
			t.Errorf("%s %d %v on %s: %v", c.alg, c.bits, c.hash, c.at, got)
		}
	}
	if (certs.CryptoPolicy{}).Allowed(ades.ECDSA, 256, crypto.SHA256, on("2026-01-01")) {
		t.Error("the empty policy allows something")
	}
	if p.AllowedHash(crypto.SHA1, on("2020-01-01")) || !p.AllowedHash(crypto.SHA1, on("2010-01-01")) {
		t.Error("dates of SHA-1")
	}
}

func TestCryptoPolicyNamesTheWeakCertificate(t *testing.T) {
	t.Parallel()
	pki := newPKI(t)
	path := certs.Path{pki.Leader().Certificate, pki.IssuingCA().Certificate, pki.Root()}
	if weak, err := certs.TS119312().CheckPath(path, pki.Now()); weak != nil || err != nil {
		t.Errorf("%v, %v", weak, err)
	}
	if weak, err := (certs.CryptoPolicy{}).CheckPath(path, pki.Now()); err == nil || !weak.Equal(path[0]) {
		t.Errorf("%v, %v", weak, err)
	}
}
