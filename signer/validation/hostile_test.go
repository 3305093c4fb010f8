package validation_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"math/big"
	"runtime"
	"testing"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/validation"
)

// hostileMemory bounds what one hostile file may allocate in all, in bytes, which
// also bounds the work done on it.
const hostileMemory = 256 << 20

// withCertificates puts certificates into the CMS der until there are n.
func withCertificates(t *testing.T, der []byte, one [][]byte, n int) []byte {
	t.Helper()
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		t.Fatal(err)
	}
	var seq asn1.RawValue
	if _, err := asn1.Unmarshal(info.Content.Bytes, &seq); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for rest := seq.Bytes; len(rest) > 0; {
		var v asn1.RawValue
		before := rest
		rest, _ = asn1.Unmarshal(rest, &v)
		if v.Class == 2 && v.Tag == 0 {
			body := bytes.Clone(v.Bytes)
			for i := range n {
				body = append(body, one[i%len(one)]...)
			}
			out = append(out, encoded(t, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: body})...)
			continue
		}
		out = append(out, before[:len(before)-len(rest)]...)
	}
	whole := encoded(t, asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: out})
	content := encoded(t, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: whole})
	return encoded(t, asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(encoded(t, info.Type), content...)})
}

// tangle are CA certificates that all issued one another under few names.
func tangle(b *bench, n int) [][]byte {
	b.t.Helper()
	var list [][]byte
	var cas []*certstest.Entity
	for i := range n {
		spec := certstest.Spec{CommonName: string(rune('A' + i%4)), CA: true, KeyType: certstest.P256, Issuer: b.IssuingCA()}
		if len(cas) > 0 {
			spec.Issuer = cas[(i*7)%len(cas)]
		}
		e, err := b.Issue(spec)
		if err != nil {
			b.t.Fatal(err)
		}
		cas, list = append(cas, e), append(list, e.Certificate.Raw)
	}
	return list
}

func nested(depth int) []byte {
	body := []byte{}
	for range depth {
		body = append([]byte{0x30, 0x80}, body...)
	}
	return body
}

// Hostile CMS inside an otherwise honest file: a result with a name, bounded in time
// and memory, and the next file is judged as ever.
func TestHostileCMSIsBounded(t *testing.T) {
	b := newBench(t)
	many := tangle(b, 60)
	honest := b.sign(plain(), pades.Options{}, as{})
	big1 := encoded(t, new(big.Int).Lsh(big.NewInt(1), 8<<20))
	cases := map[string]func([]byte) []byte{
		"10,000 certificates":         func(der []byte) []byte { return withCertificates(t, der, [][]byte{b.Leader().Certificate.Raw}, 10_000) },
		"2,000 repeated certificates": func(der []byte) []byte { return withCertificates(t, der, [][]byte{b.Leader().Certificate.Raw}, 2000) },
		"CAs that issued one another": func(der []byte) []byte { return withCertificates(t, der, many, 60) },
		"200,000 levels deep":         func([]byte) []byte { return nested(200_000) },
		"an integer of a megabyte":    func([]byte) []byte { return encoded(t, asn1.RawValue{Tag: 16, IsCompound: true, Bytes: big1}) },
		"60 countersignatures that are none": func(der []byte) []byte {
			for range 60 {
				der = withUnsigned(t, der, cms.OIDCounterSignature, []byte{0x30, 0x00})
			}
			return der
		},
	}
	for name, alter := range cases {
		o := pades.Options{ContentsSize: 3 << 20}
		if name == "10,000 certificates" {
			o.ContentsSize = 8 << 20
		}
		doc := b.sign(plain(), o, as{alter: alter})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r, err := b.online().Validate(context.Background(), validation.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: name}, b.clock())
		runtime.ReadMemStats(&after)
		switch {
		case err != nil && text.CodeOf(err) == text.Internal:
			t.Errorf("%s: an error without a name: %v", name, err)
		case err == nil && r.Verdict != validation.Valid && len(r.Reasons) == 0:
			t.Errorf("%s: %s without a reason", name, r.Verdict)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > hostileMemory {
			t.Errorf("%s: %d MB allocated", name, used>>20)
		}
		if r != nil {
			t.Logf("%s: %s %s, %d KB allocated", name, r.Verdict, codes(r), (after.TotalAlloc-before.TotalAlloc)>>10)
		}
		if after := b.judge(b.online(), honest); after.Verdict != validation.Valid {
			t.Errorf("after %s an honest file is %s", name, after.Verdict)
		}
	}
}
