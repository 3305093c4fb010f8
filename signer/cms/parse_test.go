package cms_test

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"testing"
	"time"

	"antin/certs"
	"antin/signer/cms"
)

func TestPaddingBehindTheEncodingIsCounted(t *testing.T) {
	t.Parallel()
	der := sign(t, newIdentity(t, "A", p256()), 0, false, nil)
	sd, _ := parse(t, append(bytes.Clone(der), make([]byte, 3000)...))
	if sd.Trailing != 3000 || !bytes.Equal(sd.Raw, der) || sd.BER {
		t.Errorf("trailing %d, raw %d of %d bytes, BER %v", sd.Trailing, len(sd.Raw), len(der), sd.BER)
	}
	if _, err := cms.Parse(append(bytes.Clone(der), 0, 0, 1)); !errors.Is(err, cms.ErrMalformed) {
		t.Errorf("other bytes behind it give %v", err)
	}
}

// BER as real signers write it: each form is read, flagged, and verifies.
func TestBERIsReadAndFlagged(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", rsaKey())
	fields, signer := take(t, sign(t, id, 0, false, nil))
	encap := elements(t, fields[fieldContent])
	segments := indefinite(0x24, tlv(0x04, content[:10]), indefinite(0x24, tlv(0x04, content[10:11])), tlv(0x04, content[11:]))
	certificates := elements(t, fields[fieldCerts])
	longForm := func(b []byte, n int) []byte { // the length of b in n octets more than needed
		body := b[len(b)-contentLen(b):]
		l := len(body)
		return append(append([]byte{b[0], byte(0x80 | n + 2)}, append(make([]byte, n), byte(l>>8), byte(l))...), body...)
	}
	with := func(i int, v []byte) [][]byte {
		out := slices.Clone(fields)
		out[i] = v
		return out
	}
	signerWith := func(i int, v []byte) [][]byte {
		out := slices.Clone(signer)
		out[i] = v
		return out
	}
	for name, der := range map[string][]byte{
		"indefinite outside":    indefinite(0x30, oidSignedData, indefinite(0xA0, indefinite(0x30, fields...))),
		"content in segments":   put(with(fieldContent, indefinite(0x30, encap[0], indefinite(0xA0, segments))), signer),
		"content constructed":   put(with(fieldContent, tlv(0x30, encap[0], tlv(0xA0, tlv(0x24, tlv(0x04, content))))), signer),
		"indefinite sets":       put(with(fieldCerts, indefinite(0xA0, certificates...)), signer),
		"length of two zeros":   put(with(fieldCerts, longForm(fields[fieldCerts], 2)), signer),
		"signature in segments": put(fields, signerWith(signerValue, tlv(0x24, tlv(0x04, elementBody(signer[signerValue]))))),
		"attributes in long":    put(fields, signerWith(signerAttrs, longForm(signer[signerAttrs], 1))),
	} {
		sd, err := cms.Parse(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !sd.BER {
			t.Errorf("%s is not flagged", name)
		}
		if sd.Content != nil && !bytes.Equal(sd.Content, content) {
			t.Errorf("%s: content %q", name, sd.Content)
		}
		s := sd.Signers[0]
		cert, err := s.SigningCertificate(sd.Certificates)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.VerifySignature(cert); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func contentLen(b []byte) int { return len(elementBody(b)) }

// elementBody is the content of a DER element.
func elementBody(b []byte) []byte {
	if b[1] < 0x80 {
		return b[2:]
	}
	return b[2+int(b[1]&0x7F):]
}

func TestEmptyIndefiniteElementIsRead(t *testing.T) {
	t.Parallel()
	got, err := cms.Elements([]byte{0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0})
	if err != nil || len(got) != 1 || !bytes.Equal(got[0], []byte{0x30, 0x80, 0, 0}) {
		t.Errorf("%x, %v", got, err)
	}
}

func TestContentPresentIsNotContentAbsent(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "A", p256())
	fields, signer := take(t, sign(t, id, 0, false, nil))
	oid := elements(t, fields[fieldContent])[0]
	fields[fieldContent] = tlv(0x30, oid, tlv(0xA0, tlv(0x04)))
	sd, _ := parse(t, put(fields, signer))
	if sd.Content == nil || len(sd.Content) != 0 {
		t.Errorf("empty content reads as %v", sd.Content)
	}
	embedded := sign(t, id, 0, false, func(_ *cms.AttributeParams, b *cms.SignedDataParams) { b.Content = content })
	if sd, _ := parse(t, embedded); !bytes.Equal(sd.Content, content) {
		t.Errorf("content %q", sd.Content)
	}
}

func TestAttributesThatBreakTheRulesAreNamed(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	_, signer := take(t, sign(t, id, 0, false, nil))
	attrs := elements(t, signer[signerAttrs])
	byType := map[string][]byte{}
	for _, a := range attrs {
		byType[string(elements(t, a)[0])] = a
	}
	attribute := func(oid string) []byte { return byType[string(tlv(0x06, unhex(oid)))] }
	contentType, messageDigest := attribute("2a864886f70d010903"), attribute("2a864886f70d010904")
	if contentType == nil || messageDigest == nil {
		t.Fatal("attributes not found")
	}
	remade := func(a []byte, values ...[]byte) []byte {
		return tlv(0x30, elements(t, a)[0], tlv(0x31, values...))
	}
	value := func(a []byte) []byte { return elements(t, elements(t, a)[1])[0] }
	without := func(a []byte) [][]byte {
		return slices.DeleteFunc(slices.Clone(attrs), func(b []byte) bool { return bytes.Equal(a, b) })
	}
	reversed := slices.Clone(attrs)
	slices.Reverse(reversed)
	for _, row := range []struct {
		name  string
		attrs [][]byte
		want  cms.ProblemName
		oid   string
	}{
		{"message-digest twice", append(slices.Clone(attrs), remade(messageDigest, tlv(0x04, make([]byte, 32)))), cms.DuplicateAttribute, cms.OIDMessageDigest.String()},
		{"content-type twice, alike", append(slices.Clone(attrs), contentType), cms.DuplicateAttribute, cms.OIDContentType.String()},
		{"two digests in one", append(without(messageDigest), remade(messageDigest, value(messageDigest), tlv(0x04, make([]byte, 32)))), cms.MultipleValues, cms.OIDMessageDigest.String()},
		{"no value", append(without(contentType), remade(contentType)), cms.MultipleValues, cms.OIDContentType.String()},
		{"digest is no string", append(without(messageDigest), remade(messageDigest, []byte{2, 1, 1})), cms.MalformedAttribute, cms.OIDMessageDigest.String()},
		{"another order", reversed, cms.UnsortedAttributes, ""},
		{"none at all", nil, cms.EmptyAttributes, ""},
	} {
		fields, signer := take(t, sign(t, id, 0, false, nil))
		signer[signerAttrs] = tlv(0xA0, row.attrs...)
		_, s := parse(t, put(fields, signer))
		if !slices.ContainsFunc(s.Problems, func(p cms.Problem) bool { return p.Name == row.want && p.OID.String() == row.oid }) {
			t.Errorf("%s: problems %v", row.name, s.Problems)
		}
		if !s.Has(row.want) {
			t.Errorf("%s: Has does not find it", row.name)
		}
	}
}

func TestUnsortedAttributesVerifyEitherWay(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	fields, signer := take(t, sign(t, id, 0, false, nil))
	attrs := elements(t, signer[signerAttrs])
	slices.Reverse(attrs)

	// The value is over the sorted form, the set came unsorted.
	signer[signerAttrs] = tlv(0xA0, attrs...)
	_, s := parse(t, put(fields, signer))
	if v, err := s.Verify(id.cert); err != nil || !v.Resorted || !s.Has(cms.UnsortedAttributes) {
		t.Errorf("value over the sorted form: %+v, %v, %v", v, err, s.Problems)
	}
	// The value is over the set as it came.
	unsorted := sign(t, id, 0, false, func(_ *cms.AttributeParams, b *cms.SignedDataParams) { b.Attributes = tlv(0x31, attrs...) })
	_, s = parse(t, unsorted)
	if v, err := s.Verify(id.cert); err != nil || v.Resorted {
		t.Errorf("value over the received form: %+v, %v", v, err)
	}
}

func TestSignerWithoutSignedAttributes(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", rsaKey())
	fields, signer := take(t, sign(t, id, 0, false, func(_ *cms.AttributeParams, b *cms.SignedDataParams) {
		b.Attributes = tlv(0x31, tlv(0x30)) // replaced below
	}))
	a := must(cms.AlgorithmForCertificate(id.cert, 0, false))
	value := must(a.Sign(nil, id.key, content))
	signer[signerValue] = tlv(0x04, value)
	signer = slices.Delete(signer, signerAttrs, signerAttrs+1)
	_, s := parse(t, put(fields, signer))
	if s.RawSignedAttrs != nil || !errors.Is(s.VerifySignature(id.cert), cms.ErrNoSignedAttributes) {
		t.Errorf("attributes %x, error %v", s.RawSignedAttrs, s.VerifySignature(id.cert))
	}
	if err := s.VerifyDigest(id.cert, digest(crypto.SHA256, content)); err != nil {
		t.Errorf("over the content: %v", err)
	}
	if err := s.VerifyDigest(id.cert, digest(crypto.SHA256, []byte("khác"))); !errors.Is(err, cms.ErrSignature) {
		t.Errorf("over other content: %v", err)
	}
}

// An attacker strips the signed attributes and presents them as the content.
func TestContentThatIsAnAttributeSetIsRecognised(t *testing.T) {
	t.Parallel()
	_, s := parse(t, sign(t, newIdentity(t, "A", p256()), 0, false, nil))
	stripped := append([]byte{0x31}, s.RawSignedAttrs[1:]...)
	if !cms.IsAttributeSet(stripped) {
		t.Error("a set of attributes is not recognised")
	}
	for _, b := range [][]byte{nil, content, []byte("%PDF-1.7\n"), tlv(0x31), tlv(0x31, tlv(0x30)), append(bytes.Clone(stripped), 0)} {
		if cms.IsAttributeSet(b) {
			t.Errorf("%.20q is taken for attributes", b)
		}
	}
	_, withAttrs := parse(t, sign(t, newIdentity(t, "A", p256()), 0, false, nil))
	if err := withAttrs.VerifyDigest(newIdentity(t, "A", p256()).cert, digest(crypto.SHA256, stripped)); !errors.Is(err, cms.ErrInput) {
		t.Errorf("a signer with attributes verified over a digest: %v", err)
	}
}

func TestSigningCertificateIsTheOneESSNames(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	twin := newIdentity(t, "Lãnh đạo", p256()) // the same key identifier
	der := sign(t, id, 0, false, func(_ *cms.AttributeParams, b *cms.SignedDataParams) { b.BySubjectKeyID = true })
	_, s := parse(t, der)
	if got, err := s.SigningCertificate([]*certs.Certificate{nil, twin.cert, id.cert}); err != nil || !got.Equal(id.cert) {
		t.Errorf("of two with one key identifier: %v", err)
	}
	if got, err := s.SigningCertificate([]*certs.Certificate{twin.cert}); !errors.Is(err, cms.ErrESSMismatch) || !got.Equal(twin.cert) {
		t.Errorf("only the twin at hand: %v", err)
	}
	if got, err := s.SigningCertificate(nil); !errors.Is(err, cms.ErrNoCertificate) || got != nil {
		t.Errorf("none at hand: %v", err)
	}
	// The attribute is there but cannot be read: nothing is taken on trust.
	fields, signer := take(t, der)
	attrs := elements(t, signer[signerAttrs])
	for i, a := range attrs {
		if parts := elements(t, a); bytes.Equal(parts[0], tlv(0x06, unhex("2a864886f70d010910022f"))) {
			attrs[i] = tlv(0x30, parts[0], tlv(0x31, tlv(0x30)))
		}
	}
	signer[signerAttrs] = tlv(0xA0, attrs...)
	_, s = parse(t, put(fields, signer))
	if _, err := s.SigningCertificate([]*certs.Certificate{id.cert}); !errors.Is(err, cms.ErrESSMismatch) || !s.Has(cms.MalformedAttribute) {
		t.Errorf("unreadable attribute: %v, %v", err, s.Problems)
	}
}

func TestAlgorithmsThatDisagreeAreNamed(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	sha384 := tlv(0x30, tlv(0x06, unhex("608648016503040202")))
	for _, row := range []struct {
		name   string
		change func(fields, signer [][]byte)
		want   []cms.ProblemName
	}{
		{"another digest in the signer", func(_, s [][]byte) { s[signerDigest] = sha384 },
			[]cms.ProblemName{cms.DigestMismatch, cms.DigestNotListed, cms.ProtectionMismatch}},
		{"another digest listed", func(f, _ [][]byte) { f[fieldAlgorithms] = tlv(0x31, sha384) }, []cms.ProblemName{cms.DigestNotListed}},
		{"digest parameters NULL", func(f, s [][]byte) {
			s[signerDigest] = tlv(0x30, tlv(0x06, unhex("608648016503040201")), []byte{5, 0})
		}, nil},
		{"another signature hash", func(_, s [][]byte) { s[signerAlgorithm] = tlv(0x30, tlv(0x06, unhex("2a8648ce3d040303"))) },
			[]cms.ProblemName{cms.DigestMismatch, cms.ProtectionMismatch}},
		{"version 3", func(_, s [][]byte) { s[signerVersion] = []byte{2, 1, 3} }, []cms.ProblemName{cms.VersionMismatch}},
	} {
		fields, signer := take(t, sign(t, id, 0, false, nil))
		row.change(fields, signer)
		_, s := parse(t, put(fields, signer))
		for _, want := range row.want {
			if !s.Has(want) {
				t.Errorf("%s: %s not in %v", row.name, want, s.Problems)
			}
		}
		if len(s.Problems) != len(row.want) {
			t.Errorf("%s: problems %v", row.name, s.Problems)
		}
	}
}

func TestUnknownAlgorithmsSayNothing(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	fields, signer := take(t, sign(t, id, 0, false, nil))
	signer[signerAlgorithm] = tlv(0x30, tlv(0x06, unhex("2b8104000a")))
	_, s := parse(t, put(fields, signer))
	if err := s.VerifySignature(id.cert); !errors.Is(err, cms.ErrUnsupported) || s.SignatureAlgorithm != "" {
		t.Errorf("an unknown scheme gives %v", err)
	}
	fields, signer = take(t, sign(t, id, 0, false, nil))
	signer[signerDigest] = tlv(0x30, tlv(0x06, unhex("2b8104000a")))
	signer[signerAlgorithm] = tlv(0x30, tlv(0x06, unhex("2a8648ce3d0201"))) // takes the digest's hash
	_, s = parse(t, put(fields, signer))
	if err := s.VerifySignature(id.cert); !errors.Is(err, cms.ErrUnsupported) || s.Digest != 0 {
		t.Errorf("an unknown digest gives %v", err)
	}
	if err := s.VerifyDigest(id.cert, nil); err == nil {
		t.Error("a digest verified")
	}
}

func TestUnparsableCertificateDoesNotStopTheParse(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "Lãnh đạo", p256())
	fields, signer := take(t, sign(t, id, 0, false, nil))
	odd, attributeCertificate := tlv(0x30, tlv(0x04, content)), tlv(0xA2, tlv(0x30))
	fields[fieldCerts] = tlv(0xA0, odd, id.cert.Raw, attributeCertificate)
	sd, s := parse(t, put(fields, signer))
	if len(sd.Certificates) != 1 || len(sd.Unparsable) != 2 || !bytes.Equal(sd.Unparsable[0], odd) {
		t.Errorf("%d certificates, %d unparsable", len(sd.Certificates), len(sd.Unparsable))
	}
	if cert, err := s.SigningCertificate(sd.Certificates); err != nil || s.VerifySignature(cert) != nil {
		t.Errorf("signer: %v", err)
	}
}

func TestRevocationDataIsHandedOut(t *testing.T) {
	t.Parallel()
	fields, signer := take(t, sign(t, newIdentity(t, "A", p256()), 0, false, nil))
	crl, ocsp := tlv(0x30, tlv(0x04, []byte("crl"))), tlv(0x30, tlv(0x0A, []byte{0}))
	other := tlv(0xA1, tlv(0x06, unhex("2b0601050507100 2")), ocsp)
	unknown := tlv(0xA1, tlv(0x06, unhex("2b060105050710 63")), tlv(0x30))
	fields = slices.Insert(fields, fieldCerts+1, tlv(0xA1, crl, other, unknown))
	sd, _ := parse(t, put(fields, signer))
	if len(sd.CRLs) != 1 || !bytes.Equal(sd.CRLs[0], crl) || len(sd.OCSPs) != 1 || !bytes.Equal(sd.OCSPs[0], ocsp) {
		t.Errorf("CRLs %x, OCSPs %x", sd.CRLs, sd.OCSPs)
	}
	archive := tlv(0x30, tlv(0xA0, tlv(0x30, crl)), tlv(0xA1, tlv(0x30, ocsp, ocsp)))
	fields, signer = take(t, sign(t, newIdentity(t, "A", p256()), 0, false, nil))
	signer[signerAttrs] = tlv(0xA0, tlv(0x30, tlv(0x06, unhex("2a864886f72f010108")), tlv(0x31, archive)))
	_, s := parse(t, put(fields, signer))
	if crls, ocsps := s.AdobeRevocation(); len(crls) != 1 || len(ocsps) != 2 || !bytes.Equal(crls[0], crl) {
		t.Errorf("archived: %x and %x", crls, ocsps)
	}
}

// What brings other readers to their knees costs this one milliseconds: they are
// refused, or read, in time linear in their size.
func TestHostileNestingIsCheap(t *testing.T) {
	t.Parallel()
	const size = 900_000
	flat := append([]byte{0x30, 0x80}, bytes.Repeat([]byte{0x30, 0x80, 0, 0}, size/4)...)
	small := append([]byte{0x30, 0x80}, bytes.Repeat([]byte{5, 0}, size/2)...)
	deep := bytes.Repeat([]byte{0x30, 0x80}, size/2)
	var nested []byte // each level holds everything below and 10 kB beside it
	for range 60 {
		nested = indefinite(0x30, bytes.Repeat([]byte{5, 0}, 1000), nested)
	}
	segments := content
	for range 200 {
		segments = indefinite(0x24, segments)
	}
	for name, b := range map[string][]byte{
		"flat": flat, "closed flat": append(bytes.Clone(flat), 0, 0), "small": small, "deep": deep, "nested": nested,
		"segments": wrap(tlv(0x30, []byte{2, 1, 1}, tlv(0x31), tlv(0x30, oidSignedData, tlv(0xA0, segments)), tlv(0x31))),
		"length":   {0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}, "huge length": append([]byte{0x30, 0xFE}, bytes.Repeat([]byte{0xFF}, 126)...),
	} {
		start := time.Now()
		_, err := cms.Parse(b)
		t.Logf("%s: %s, %v", name, time.Since(start), err)
		if took := time.Since(start); took > 10*time.Second { // some 10 ms on an idle machine
			t.Errorf("%s took %s", name, took)
		}
		if !errors.Is(err, cms.ErrMalformed) && !errors.Is(err, cms.ErrLimit) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

func TestManySegmentsAreJoinedOnce(t *testing.T) {
	t.Parallel()
	fields, signer := take(t, sign(t, newIdentity(t, "A", p256()), 0, false, nil))
	var segments []byte
	for range 40_000 {
		segments = append(segments, tlv(0x04, []byte("0123456789012345678901234"))...)
	}
	oid := elements(t, fields[fieldContent])[0]
	fields[fieldContent] = indefinite(0x30, oid, indefinite(0xA0, indefinite(0x24, segments)))
	start := time.Now()
	sd, _ := parse(t, put(fields, signer))
	if len(sd.Content) != 1_000_000 {
		t.Errorf("%d bytes of content", len(sd.Content))
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestCountsAreBounded(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "A", p256())
	fields, signer := take(t, sign(t, id, 0, false, nil))
	last := len(fields) - 1
	many := func(n int, b []byte) []byte { return bytes.Repeat(b, n) }
	attr := tlv(0x30, tlv(0x06, unhex("2a03")), tlv(0x31, []byte{5, 0}))
	for name, change := range map[string]func(f, s [][]byte) [][]byte{
		"certificates": func(f, _ [][]byte) [][]byte { f[fieldCerts] = tlv(0xA0, many(300, tlv(0x30))); return f },
		"signers": func(f, s [][]byte) [][]byte {
			f[last] = tlv(0x31, many(100, tlv(0x30, s...)))
			return f
		},
		"attributes": func(f, s [][]byte) [][]byte {
			s[signerAttrs] = tlv(0xA0, many(200, attr))
			f[last] = tlv(0x31, tlv(0x30, s...))
			return f
		},
		"values": func(f, s [][]byte) [][]byte {
			s[signerAttrs] = tlv(0xA0, tlv(0x30, tlv(0x06, unhex("2a03")), tlv(0x31, many(100, []byte{5, 0}))))
			f[last] = tlv(0x31, tlv(0x30, s...))
			return f
		},
	} {
		f := change(slices.Clone(fields), slices.Clone(signer))
		if _, err := cms.Parse(wrap(tlv(0x30, f...))); !errors.Is(err, cms.ErrLimit) {
			t.Errorf("%s give %v", name, err)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	der := sign(t, newIdentity(t, "A", p256()), 0, false, nil)
	for n := range der {
		if _, err := cms.Parse(der[:n]); !errors.Is(err, cms.ErrMalformed) {
			t.Fatalf("%d of %d bytes give %v", n, len(der), err)
		}
	}
}
