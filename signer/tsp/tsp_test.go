package tsp_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"antin/certs"
	"antin/signer/cms"
	"antin/signer/tsp"
)

var (
	imprint   = sum("giá trị chữ ký")
	nonce     = new(big.Int).SetBytes(bytes.Repeat([]byte{0xC3}, 12))
	policy    = asn1.ObjectIdentifier{1, 2, 704, 1, 1}
	genTime   = time.Date(2026, 11, 23, 9, 12, 44, 0, time.UTC)
	oidEKU    = asn1.ObjectIdentifier{2, 5, 29, 37}
	usageTSA  = []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}
	usageBoth = append([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 1}}, usageTSA...)
	query     = tsp.Query{Hash: crypto.SHA256, Imprint: imprint, Nonce: nonce}
)

func sum(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// authority is a TSA: a key and its certificate.
type authority struct {
	key  crypto.Signer
	cert *certs.Certificate
	x509 *x509.Certificate
}

func newAuthority(t testing.TB, critical bool, usages []asn1.ObjectIdentifier, ku x509.KeyUsage) authority {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: "TSA", Country: []string{"VN"}},
		NotBefore: genTime.Add(-time.Hour), NotAfter: genTime.AddDate(1, 0, 0), KeyUsage: ku,
	}
	if usages != nil {
		tmpl.ExtraExtensions = []pkix.Extension{{Id: oidEKU, Critical: critical, Value: must(asn1.Marshal(usages))}}
	}
	der := must(x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key))
	cert, err := certs.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key: key, cert: cert, x509: must(x509.ParseCertificate(der))}
}

func goodAuthority(t testing.TB) authority {
	t.Helper()
	return newAuthority(t, true, usageTSA, x509.KeyUsageDigitalSignature)
}

// tstInfo is a TSTInfo in the shape that encoding/asn1 writes.
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Hash  pkix.AlgorithmIdentifier
		Bytes []byte
	}
	Serial   *big.Int
	GenTime  asn1.RawValue
	Accuracy asn1.RawValue `asn1:"optional"`
	Ordering bool          `asn1:"optional"`
	Nonce    *big.Int      `asn1:"optional"`
	TSA      asn1.RawValue `asn1:"optional"`
}

func goodInfo() tstInfo {
	i := tstInfo{Version: 1, Policy: policy, Serial: big.NewInt(1001), Nonce: nonce, GenTime: generalized("20261123091244Z")}
	i.Imprint.Hash.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	i.Imprint.Bytes = imprint
	return i
}

func generalized(s string) asn1.RawValue {
	return asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte(s)}
}

// token makes a token over info; change may alter what is signed and built.
func (a authority) token(t testing.TB, info tstInfo, change func(*cms.AttributeParams, *cms.SignedDataParams)) []byte {
	t.Helper()
	der, err := asn1.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	alg := must(cms.AlgorithmFor(a.key.Public(), crypto.SHA256, false))
	d := sha256.Sum256(der)
	ap := cms.AttributeParams{ContentType: cms.OIDTSTInfo, MessageDigest: d[:], Certificate: a.cert, Algorithm: alg}
	bp := cms.SignedDataParams{Algorithm: alg, Certificate: a.cert, ContentType: cms.OIDTSTInfo, Content: der}
	if change != nil {
		change(&ap, &bp)
	}
	if bp.Attributes == nil {
		bp.Attributes = must(cms.SignedAttributes(ap))
	}
	bp.Signature = must(alg.Sign(rand.Reader, a.key, bp.Attributes))
	return must(cms.Build(bp))
}

func parseToken(t testing.TB, b []byte) *tsp.Token {
	t.Helper()
	token, err := tsp.ParseToken(b)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenIsReadAndVerified(t *testing.T) {
	t.Parallel()
	a := goodAuthority(t)
	info := goodInfo()
	info.GenTime = generalized("20261123091244.0375Z")
	info.Ordering = true
	info.Accuracy = asn1.RawValue{FullBytes: []byte{0x30, 10, 2, 1, 1, 0x80, 2, 1, 0xF4, 0x81, 1, 7}}
	der := a.token(t, info, nil)
	tok := parseToken(t, append(bytes.Clone(der), make([]byte, 100)...))
	if err := tok.Answers(query); err != nil {
		t.Error(err)
	}
	if want := genTime.Add(37500 * time.Microsecond); !tok.GenTime.Equal(want) || tok.GenTime.Location() != time.UTC {
		t.Errorf("genTime %s", tok.GenTime)
	}
	if want := 1500*time.Millisecond + 7*time.Microsecond; tok.Accuracy != want {
		t.Errorf("accuracy %s", tok.Accuracy)
	}
	if !tok.Ordering || tok.Hash != crypto.SHA256 || !bytes.Equal(tok.Imprint, imprint) || tok.Nonce.Cmp(nonce) != 0 ||
		!tok.Policy.Equal(policy) || tok.Serial.Int64() != 1001 || !tok.Signer.Equal(a.cert) || !bytes.Equal(tok.Raw, der) {
		t.Errorf("read as %+v", tok)
	}
	asked := query
	asked.Policy = policy
	if err := tok.Answers(asked); err != nil {
		t.Error(err)
	}
}

func TestImprintMayBeOfAnyKnownHash(t *testing.T) {
	t.Parallel()
	a := goodAuthority(t)
	for h, oid := range map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA1: {1, 3, 14, 3, 2, 26}, crypto.SHA3_256: {2, 16, 840, 1, 101, 3, 4, 2, 8}, crypto.SHA512_256: {2, 16, 840, 1, 101, 3, 4, 2, 6},
	} {
		d := h.New()
		d.Write([]byte("giá trị chữ ký"))
		info := goodInfo()
		info.Imprint.Hash.Algorithm, info.Imprint.Bytes = oid, d.Sum(nil)
		if err := parseToken(t, a.token(t, info, nil)).Verify(h, d.Sum(nil)); err != nil {
			t.Errorf("%s: %v", h, err)
		}
	}
}

func TestTokenForSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	tok := parseToken(t, goodAuthority(t).token(t, goodInfo(), nil))
	for name, row := range map[string]struct {
		change func(*tsp.Query)
		want   error
	}{
		"imprint": {func(q *tsp.Query) { q.Imprint = sum("khác") }, tsp.ErrImprint},
		"hash":    {func(q *tsp.Query) { q.Hash = crypto.SHA3_256 }, tsp.ErrImprint},
		"nonce":   {func(q *tsp.Query) { q.Nonce = big.NewInt(5) }, tsp.ErrNonce},
		"policy":  {func(q *tsp.Query) { q.Policy = asn1.ObjectIdentifier{1, 2, 3} }, tsp.ErrPolicy},
	} {
		q := query
		row.change(&q)
		if err := tok.Answers(q); !errors.Is(err, row.want) {
			t.Errorf("another %s gives %v", name, err)
		}
	}
	info := goodInfo()
	info.Nonce = nil
	if err := parseToken(t, goodAuthority(t).token(t, info, nil)).Answers(query); !errors.Is(err, tsp.ErrNonce) {
		t.Errorf("no nonce gives %v", err)
	}
}

func TestCertificateMustBeForTimeStampingAlone(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]authority{
		"extended key usage not critical": newAuthority(t, false, usageTSA, x509.KeyUsageDigitalSignature),
		"another usage beside it":         newAuthority(t, true, usageBoth, x509.KeyUsageDigitalSignature),
		"no extended key usage":           newAuthority(t, true, nil, x509.KeyUsageDigitalSignature),
		"key usage without signatures":    newAuthority(t, true, usageTSA, x509.KeyUsageKeyEncipherment),
	} {
		if err := parseToken(t, a.token(t, goodInfo(), nil)).Answers(query); !errors.Is(err, tsp.ErrCertificate) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

func TestTokenMustFollowTheRules(t *testing.T) {
	t.Parallel()
	a, other := goodAuthority(t), goodAuthority(t)
	good := a.token(t, goodInfo(), nil)
	for name, row := range map[string]struct {
		der  []byte
		want error
	}{
		"content-type of data": {a.token(t, goodInfo(), func(p *cms.AttributeParams, _ *cms.SignedDataParams) { p.ContentType = cms.OIDData }), tsp.ErrToken},
		"no ESS attribute": {a.token(t, goodInfo(), func(p *cms.AttributeParams, b *cms.SignedDataParams) {
			b.Attributes = withoutESS(t, must(cms.SignedAttributes(*p)))
		}), tsp.ErrToken},
		"ESS of another certificate": {a.token(t, goodInfo(), func(p *cms.AttributeParams, _ *cms.SignedDataParams) { p.Certificate = other.cert }), tsp.ErrCertificate},
		"digest of other content":    {a.token(t, goodInfo(), func(p *cms.AttributeParams, _ *cms.SignedDataParams) { p.MessageDigest = sum("khác") }), tsp.ErrSignature},
		"two signers":                {twice(t, good), tsp.ErrToken},
		"a namesake beside the certificate": {a.token(t, goodInfo(), func(_ *cms.AttributeParams, b *cms.SignedDataParams) {
			b.Certificates = []*certs.Certificate{other.cert} // named by the same issuer and serial, but not by ESS
		}), nil},
	} {
		err := parseToken(t, row.der).Answers(query)
		if row.want == nil && err != nil || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s gives %v", name, err)
		}
	}
	// One bit of the signature value, which stands last.
	broken := bytes.Clone(good)
	broken[len(broken)-1] ^= 1
	if err := parseToken(t, broken).Answers(query); !errors.Is(err, tsp.ErrSignature) {
		t.Errorf("an altered value gives %v", err)
	}
	unknown := goodInfo()
	unknown.Imprint.Hash.Algorithm = asn1.ObjectIdentifier{1, 2, 3}
	if err := parseToken(t, a.token(t, unknown, nil)).Answers(query); !errors.Is(err, tsp.ErrUnsupported) {
		t.Errorf("an unknown imprint hash gives %v", err)
	}
}

func TestFirstVersionOfESSIsAccepted(t *testing.T) {
	t.Parallel()
	a := goodAuthority(t)
	for _, row := range []struct {
		cert *certs.Certificate
		want error
	}{{a.cert, nil}, {goodAuthority(t).cert, tsp.ErrCertificate}} {
		h := sha1.Sum(row.cert.Raw)
		der := a.token(t, goodInfo(), func(p *cms.AttributeParams, b *cms.SignedDataParams) {
			value := must(asn1.Marshal(struct{ Certs []struct{ Hash []byte } }{[]struct{ Hash []byte }{{h[:]}}}))
			attr := must(asn1.Marshal(struct {
				OID    asn1.ObjectIdentifier
				Values []asn1.RawValue `asn1:"set"`
			}{cms.OIDSigningCertificate, []asn1.RawValue{{FullBytes: value}}}))
			without := withoutESS(t, must(cms.SignedAttributes(*p)))
			b.Attributes = set(append(must(cms.Elements(without)), attr)...)
		})
		if err := parseToken(t, der).Answers(query); !errors.Is(err, row.want) {
			t.Errorf("%v, not %v", err, row.want)
		}
	}
}

// set is a SET of less than 64 KiB.
func set(items ...[]byte) []byte {
	body := bytes.Join(items, nil)
	return append([]byte{0x31, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func withoutESS(t testing.TB, attrs []byte) []byte {
	t.Helper()
	var keep [][]byte
	for _, a := range must(cms.Elements(attrs)) {
		if !bytes.Contains(a, []byte{0x09, 0x10, 0x02, 0x2F}) {
			keep = append(keep, a)
		}
	}
	return set(keep...)
}

// twice repeats the signer of the token der.
func twice(t testing.TB, der []byte) []byte {
	t.Helper()
	tag := func(tag byte, parts ...[]byte) []byte {
		out := set(parts...)
		out[0] = tag
		return out
	}
	outer := must(cms.Elements(der))
	fields := must(cms.Elements(must(cms.Elements(outer[1]))[0]))
	signer := must(cms.Elements(fields[len(fields)-1]))[0]
	fields[len(fields)-1] = set(signer, signer)
	return tag(0x30, outer[0], tag(0xA0, tag(0x30, fields...)))
}

func TestCertificateMayStandOutsideTheToken(t *testing.T) {
	t.Parallel()
	a := goodAuthority(t)
	outer := must(cms.Elements(a.token(t, goodInfo(), nil)))
	fields := must(cms.Elements(must(cms.Elements(outer[1]))[0]))
	fields = append(fields[:3:3], fields[4]) // without certificates
	body := set(fields...)
	body[0] = 0x30
	explicit := set(body)
	explicit[0] = 0xA0
	der := set(outer[0], explicit)
	der[0] = 0x30
	tok := parseToken(t, der)
	if err := tok.Verify(crypto.SHA256, imprint); !errors.Is(err, tsp.ErrNoCertificate) || tok.Signer != nil {
		t.Errorf("alone: %v", err)
	}
	if err := tok.Verify(crypto.SHA256, imprint, goodAuthority(t).cert, a.cert); err != nil {
		t.Errorf("with the certificate at hand: %v", err)
	}
}

func TestMalformedInfoIsRefused(t *testing.T) {
	t.Parallel()
	a := goodAuthority(t)
	for name, change := range map[string]func(*tstInfo){
		"version 2":           func(i *tstInfo) { i.Version = 2 },
		"time without zone":   func(i *tstInfo) { i.GenTime = generalized("20261123091244") },
		"time with offset":    func(i *tstInfo) { i.GenTime = generalized("20261123091244+0700") },
		"time without second": func(i *tstInfo) { i.GenTime = generalized("202611230912Z") },
		"thirteenth month":    func(i *tstInfo) { i.GenTime = generalized("20261323091244Z") },
		"empty fraction":      func(i *tstInfo) { i.GenTime = generalized("20261123091244.Z") },
		"letters in fraction": func(i *tstInfo) { i.GenTime = generalized("20261123091244.1aZ") },
		"endless fraction":    func(i *tstInfo) { i.GenTime = generalized("20261123091244." + strings.Repeat("1", 50) + "Z") },
		"accuracy of a year":  func(i *tstInfo) { i.Accuracy = asn1.RawValue{FullBytes: []byte{0x30, 6, 2, 4, 1, 0xE1, 0x33, 0x80}} },
		"millis over 999":     func(i *tstInfo) { i.Accuracy = asn1.RawValue{FullBytes: []byte{0x30, 4, 0x80, 2, 3, 0xE8}} },
		"an unknown part":     func(i *tstInfo) { i.TSA = asn1.RawValue{FullBytes: []byte{0x85, 0}} },
	} {
		info := goodInfo()
		change(&info)
		if _, err := tsp.ParseToken(a.token(t, info, nil)); !errors.Is(err, tsp.ErrMalformed) {
			t.Errorf("%s gives %v", name, err)
		}
	}
	data := a.token(t, goodInfo(), func(_ *cms.AttributeParams, b *cms.SignedDataParams) { b.ContentType = cms.OIDData })
	if _, err := tsp.ParseToken(data); !errors.Is(err, tsp.ErrMalformed) {
		t.Errorf("content type id-data gives %v", err)
	}
	detached := a.token(t, goodInfo(), func(_ *cms.AttributeParams, b *cms.SignedDataParams) { b.Content = nil })
	if _, err := tsp.ParseToken(detached); !errors.Is(err, tsp.ErrMalformed) {
		t.Errorf("a token without content gives %v", err)
	}
}

// Another implementation reads our request and answers it.
func TestAnotherImplementationAnswers(t *testing.T) {
	t.Parallel()
	a := goodAuthority(t)
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		d := h.New()
		d.Write([]byte("giá trị chữ ký"))
		q := tsp.Query{Hash: h, Imprint: d.Sum(nil), Nonce: nonce}
		req, err := timestamp.ParseRequest(must(tsp.Request(h, q.Imprint, nonce)))
		if err != nil {
			t.Fatal(err)
		}
		if req.HashAlgorithm != h || !bytes.Equal(req.HashedMessage, q.Imprint) || req.Nonce.Cmp(nonce) != 0 || !req.Certificates {
			t.Errorf("request read as %+v", req)
		}
		answer := timestamp.Timestamp{
			HashAlgorithm: req.HashAlgorithm, HashedMessage: req.HashedMessage, Nonce: req.Nonce, Time: genTime,
			Policy: policy, Accuracy: time.Second, AddTSACertificate: req.Certificates,
		}
		der, err := tsp.ParseResponse(must(answer.CreateResponseWithOpts(a.x509, a.key, crypto.SHA256)))
		if err != nil {
			t.Fatal(err)
		}
		tok := parseToken(t, der)
		if err := tok.Answers(q); err != nil {
			t.Errorf("%s: %v", h, err)
		}
		if !tok.GenTime.Equal(genTime) || tok.Accuracy != time.Second || !tok.Policy.Equal(policy) {
			t.Errorf("%s: read as %+v", h, tok)
		}
		theirs, err := timestamp.Parse(a.token(t, goodInfo(), nil))
		if err != nil || !theirs.Time.Equal(genTime) || !bytes.Equal(theirs.HashedMessage, imprint) {
			t.Errorf("our token read by another implementation: %+v, %v", theirs, err)
		}
	}
}

func TestResponses(t *testing.T) {
	t.Parallel()
	tok := goodAuthority(t).token(t, goodInfo(), nil)
	seq := func(parts ...[]byte) []byte { b := set(parts...); b[0] = 0x30; return b }
	status := func(n byte) []byte { return []byte{0x30, 3, 2, 1, n} }
	for name, n := range map[string]byte{"granted": 0, "granted with modifications": 1} {
		got, err := tsp.ParseResponse(seq(status(n), tok))
		if err != nil || !bytes.Equal(got, tok) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := tsp.ParseResponse(append(append([]byte{0x30, 0x80}, append(status(0), tok...)...), 0, 0)); err != nil || !bytes.Equal(got, tok) {
		t.Errorf("indefinite length: %v", err)
	}
	text := "từ chối\x00" + strings.Repeat("…", 400)
	free := []byte{0x0C, 0x82, byte(len(text) >> 8), byte(len(text))}
	refusal := seq(seq([]byte{2, 1, 2}, seq(append(free, text...)), []byte{3, 2, 5, 0x20}))
	_, err := tsp.ParseResponse(refusal)
	var refused *tsp.RefusedError
	if !errors.As(err, &refused) || !errors.Is(err, tsp.ErrRefused) || refused.Status != tsp.Rejection || refused.FailInfo != 2 {
		t.Fatalf("a refusal reads as %v", err)
	}
	if !strings.HasPrefix(refused.Text, "từ chối ") || len([]rune(refused.Text)) > 201 {
		t.Errorf("its text reads as %q", refused.Text)
	}
	theirs := must(timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.TimeNotAvailable))
	if _, err := tsp.ParseResponse(theirs); !errors.As(err, &refused) || refused.FailInfo != 14 {
		t.Errorf("another implementation's refusal reads as %v", err)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "HTML": []byte("<html>"), "granted without a token": seq(status(0)), "three parts": seq(status(0), tok, tok),
		"a set": set(status(0), tok), "status of nothing": seq(seq(), tok), "negative status": seq(status(0xFF), tok),
	} {
		if got, err := tsp.ParseResponse(b); !errors.Is(err, tsp.ErrMalformed) || got != nil {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

func TestRequestNeedsAnImprintOfItsHash(t *testing.T) {
	t.Parallel()
	if _, err := tsp.Request(crypto.SHA256, imprint[:31], nonce); !errors.Is(err, tsp.ErrImprint) {
		t.Errorf("a short imprint gives %v", err)
	}
	if _, err := tsp.Request(crypto.MD4, imprint, nonce); !errors.Is(err, tsp.ErrUnsupported) {
		t.Errorf("an unknown hash gives %v", err)
	}
	q := query
	q.Policy = policy
	req, err := timestamp.ParseRequest(must(q.Encode()))
	if err != nil || !req.TSAPolicyOID.Equal(policy) {
		t.Errorf("policy %v, %v", req, err)
	}
}
