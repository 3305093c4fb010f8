package tsp_test

import (
	"crypto"
	"errors"
	"testing"

	"github.com/digitorus/timestamp"

	"antin/signer/cms"
	"antin/signer/tsp"
)

func FuzzParseToken(f *testing.F) {
	a := goodAuthority(f)
	good := a.token(f, goodInfo(), nil)
	f.Add(good)
	info := goodInfo()
	info.GenTime, info.Nonce, info.Ordering = generalized("20261123091244.5Z"), nil, true
	f.Add(append(a.token(f, info, func(p *cms.AttributeParams, b *cms.SignedDataParams) {
		p.IssuerSerial, b.Timestamp = true, good
	}), 0, 0, 0))
	f.Add(twice(f, good))
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := tsp.ParseToken(b)
		if err != nil {
			if !errors.Is(err, tsp.ErrMalformed) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		again, err := tsp.ParseToken(tok.Raw)
		if err != nil || !again.GenTime.Equal(tok.GenTime) || again.Serial.Cmp(tok.Serial) != 0 {
			t.Fatalf("the same bytes read differently: %v", err)
		}
		if tok.Verify(crypto.SHA256, sum("khác")) == nil {
			t.Fatal("a token verifies over what it was not made for")
		}
		_ = tok.Verify(tok.Hash, tok.Imprint, a.cert)
	})
}

func FuzzParseResponse(f *testing.F) {
	tok := goodAuthority(f).token(f, goodInfo(), nil)
	granted := set([]byte{0x30, 3, 2, 1, 0}, tok)
	granted[0] = 0x30
	f.Add(granted)
	f.Add(must(timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.BadRequest)))
	f.Add([]byte{0x30, 0x80, 0x30, 3, 2, 1, 1, 0x30, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		token, err := tsp.ParseResponse(b)
		if err != nil {
			if token != nil || !errors.Is(err, tsp.ErrMalformed) && !errors.Is(err, tsp.ErrRefused) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		if len(token) == 0 || len(token) > len(b) {
			t.Fatalf("token of %d bytes", len(token))
		}
	})
}
