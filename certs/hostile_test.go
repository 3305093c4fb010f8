package certs_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
)

// maxHostileBytes is what one hostile certificate may allocate, many times its size
// and far below what would hurt others.
const maxHostileBytes = 64 << 20

// wrap is an element of definite length.
func wrap(tag byte, content []byte) []byte {
	n := len(content)
	switch {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, content...)
	case n < 1<<16:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, content...)
	}
	return append([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, content...)
}

func TestHostileCertificatesCostLittle(t *testing.T) { //nolint:paralleltest // it measures what is allocated
	p := newPKI(t)
	extra := func(id asn1.ObjectIdentifier, value []byte) []byte {
		ca := p.IssuingCA()
		parent, err := x509.ParseCertificate(ca.Certificate.Raw)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "x"},
			NotBefore: p.Now().Add(-time.Hour), NotAfter: p.Now().Add(time.Hour), ExtraExtensions: []pkix.Extension{{Id: id, Value: value}}},
			parent, p.Leader().Key.Public(), ca.Key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var names, deep []byte
	for i := range 10_000 {
		names = append(names, wrap(0x82, fmt.Appendf(nil, "n%d.example.vn", i))...)
	}
	for range 200_000 {
		deep = append(deep, 0x30, 0x80)
	}
	nested := []byte{}
	for range 2_000 {
		nested = wrap(0x30, nested)
	}
	honest := p.Leader().Certificate.Raw
	cases := map[string][]byte{
		"10,000 names":                    extra(asn1.ObjectIdentifier{2, 5, 29, 17}, wrap(0x30, names)),
		"200,000 levels, indefinite":      extra(asn1.ObjectIdentifier{1, 2, 3, 4}, deep),
		"2,000 levels where names belong": extra(asn1.ObjectIdentifier{2, 5, 29, 17}, nested),
		"200,000 levels as a whole":       deep,
		"a serial number of a megabyte":   bytes.Replace(honest, wrap(2, serial(p.Leader().Certificate.Serial)), wrap(2, bytes.Repeat([]byte{1}, 1<<20)), 1),
		"a length of four gigabytes":      append([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, honest[4:]...),
	}
	for name, der := range cases {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := certs.ParseCertificate(der)
		runtime.ReadMemStats(&after)
		if err != nil && !errors.Is(err, certs.ErrMalformed) {
			t.Errorf("%s: error %v is not ErrMalformed", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > maxHostileBytes {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
		if c != nil {
			_, err := certs.BuildPath(t.Context(), c, options(p))
			t.Logf("%s: read; path: %v", name, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

func serial(n *big.Int) []byte {
	b := n.Bytes()
	if b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return b
}

// Times outside what UTCTime can say are read as they are written.
func TestTimesFarAwayAreRead(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	for _, at := range []time.Time{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)} {
		e := issue(t, p, certstest.Spec{CommonName: "x", NotAfter: at})
		if !e.Certificate.NotAfter.Equal(at) {
			t.Errorf("not after %v, want %v", e.Certificate.NotAfter, at)
		}
	}
	early := time.Date(1949, 12, 31, 0, 0, 0, 0, time.UTC)
	ca := p.IssuingCA()
	parent, err := x509.ParseCertificate(ca.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "cũ"},
		NotBefore: early, NotAfter: early.AddDate(20, 0, 0)}, parent, p.Leader().Key.Public(), ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := certs.ParseCertificate(der)
	if err != nil || !c.NotBefore.Equal(early) {
		t.Fatalf("%v", err)
	}
	if e := wantReason(t, c, options(p), certs.ReasonExpired); e == nil || !slices.Contains(e.Path, c) {
		t.Errorf("error %v", e)
	}
}
