package certs_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"antin/certs"
)

// indefinite rewrites an element, and the constructed ones in it, with indefinite
// lengths, as writers of streams do.
func indefinite(der []byte) []byte {
	if der[0]&0x20 == 0 {
		return bytes.Clone(der)
	}
	out := []byte{der[0], 0x80}
	rest := der[len(der)-contentLength(der):]
	for len(rest) > 0 {
		n := elementLength(rest)
		out, rest = append(out, indefinite(rest[:n])...), rest[n:]
	}
	return append(out, 0, 0)
}

// elementLength is the length of the element that der begins with.
func elementLength(der []byte) int {
	n, header := int(der[1]), 2
	if n >= 0x80 {
		digits := n & 0x7f
		n = 0
		for _, b := range der[2 : 2+digits] {
			n = n<<8 | int(b)
		}
		header += digits
	}
	return header + n
}

// longLengths rewrites the outermost header with a length of four octets.
func longLengths(der []byte) []byte {
	n := contentLength(der)
	return append([]byte{der[0], 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, der[len(der)-n:]...)
}

// What is not in DER is read, marked, keeps its bytes and verifies.
func TestCertificatesInBERAreRead(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	honest := p.Leader().Certificate
	at := bytes.Index(honest.Raw, honest.RawTBS)
	padded := func() []byte {
		tbs := honest.RawTBS[len(honest.RawTBS)-contentLength(honest.RawTBS):]
		number := wrap(2, serial(honest.Serial))
		tbs = bytes.Replace(tbs, number, wrap(2, append([]byte{0, 0}, serial(honest.Serial)...)), 1)
		return wrap(0x30, append(wrap(0x30, tbs), honest.Raw[at+len(honest.RawTBS):]...))
	}()
	for name, raw := range map[string][]byte{
		"indefinite lengths":     indefinite(honest.Raw),
		"a length in long form":  longLengths(honest.Raw),
		"a padded serial number": padded,
	} {
		c, err := certs.ParseCertificate(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !c.BER || !bytes.Equal(c.Raw, raw) || c.Subject != honest.Subject || c.Serial.Cmp(honest.Serial) != 0 || c.SHA256() == honest.SHA256() {
			t.Errorf("%s: %+v", name, c)
		}
		wantReason(t, c, options(p), "")
		c.Signature[5] ^= 1
		wantReason(t, c, options(p), certs.ReasonSignature)
	}
	if honest.BER {
		t.Error("DER is called BER")
	}
	for name, raw := range map[string][]byte{
		"cut short":       indefinite(honest.Raw)[:300],
		"without its end": indefinite(honest.Raw)[:len(indefinite(honest.Raw))-2],
		"bytes behind":    append(indefinite(honest.Raw), 0),
	} {
		if _, err := certs.ParseCertificate(raw); !errors.Is(err, certs.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEvidenceInBERIsJudged(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	leaf, issuer := p.Leader().Certificate, p.IssuingCA().Certificate
	revoked := p.Signer("revoked").Certificate
	crl, err := p.CRL("issuing")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.OCSP(leaf)
	if err != nil {
		t.Fatal(err)
	}
	list, err := certs.ParseCRL(indefinite(crl))
	if err != nil || !list.BER {
		t.Fatalf("%+v, %v", list, err)
	}
	response, err := certs.ParseOCSP(indefinite(answer))
	if err != nil || !response.BER {
		t.Fatalf("%+v, %v", response, err)
	}
	o := certs.RevocationOptions{At: p.Now()}
	for name, c := range map[string]struct {
		cert *certs.Certificate
		kind certs.EvidenceKind
		der  []byte
		want string
	}{
		"a list": {leaf, certs.EvidenceCRL, indefinite(crl), certs.StatusGood}, "a list with the certificate": {revoked, certs.EvidenceCRL, indefinite(crl), certs.StatusRevoked},
		"an answer": {leaf, certs.EvidenceOCSP, indefinite(answer), certs.StatusGood},
	} {
		if st := certs.CheckRevocation(c.cert, issuer, []certs.Evidence{{Kind: c.kind, DER: c.der}}, o); st.Status != c.want {
			t.Errorf("%s: %s (%s)", name, st.Status, st.Why)
		}
		wrong := slices.Clone(c.der)
		wrong[len(wrong)/2] ^= 1
		if st := certs.CheckRevocation(c.cert, issuer, []certs.Evidence{{Kind: c.kind, DER: wrong}}, o); st.Status != certs.StatusUnknown {
			t.Errorf("%s with a byte altered: %s", name, st.Status)
		}
	}
}
