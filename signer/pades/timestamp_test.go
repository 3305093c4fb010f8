package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"strings"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
)

func TestDocumentTimestampHasAFieldOfItsOwnAndCoversTheStore(t *testing.T) {
	t.Parallel()
	forEachKind(t, func(t *testing.T, d padestest.Document) {
		data := addDSS(t, d.Bytes(), pades.DSS{Certs: [][]byte{{1}}})
		p, err := pades.PrepareTimestamp(open(t, data), pades.TimestampOptions{DSS: pades.DSS{Certs: [][]byte{{1}, {2}}, OCSPs: [][]byte{{3}}}, ContentsSize: 64})
		if err != nil {
			t.Fatal(err)
		}
		prefix, err := pades.ReadPrefix(context.Background(), bytes.NewReader(d.Bytes()), int64(len(d.Bytes())), &bytes.Buffer{}, crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := p.DigestParts(prefix, crypto.SHA256, data[len(d.Bytes()):])
		if err != nil {
			t.Fatal(err)
		}
		var small *pades.TooSmallError
		if err := p.Embed(make([]byte, 65)); !errors.As(err, &small) || small.Need != 65 {
			t.Errorf("a token that is too large: %v", err)
		}
		token := bytes.Repeat([]byte{0x30}, 40)
		if err := p.Embed(token); err != nil {
			t.Fatal(err)
		}
		if got, err := p.Contents(); err != nil || !bytes.HasPrefix(got, token) || len(got) != 64 {
			t.Errorf("contents %x, %v", got, err)
		}
		whole := append(bytes.Clone(data), p.Update...)
		r := p.ByteRange
		sum := crypto.SHA256.New()
		sum.Write(whole[:r[1]])
		sum.Write(whole[r[2]:])
		if !bytes.Equal(sum.Sum(nil), digest) || r[2]+r[3] != int64(len(whole)) || whole[r[1]] != '<' || whole[r[2]-1] != '>' {
			t.Errorf("ranges %v do not match the digest", r)
		}
		list, err := pades.Signatures(open(t, whole))
		if err != nil || len(list) != 1 {
			t.Fatalf("%d signatures, %v", len(list), err)
		}
		s := list[0]
		if !s.DocumentTimestamp() || s.Field != "Timestamp1" || len(s.Problems) > 0 || !s.M.IsZero() || s.Value.Has("Name") || s.Value.Has("Cert") {
			t.Errorf("field %+v", s)
		}
		store, err := pades.ReadDSS(open(t, whole))
		if err != nil || !equal(store.Certs, [][]byte{{1}, {2}}) || !equal(store.OCSPs, [][]byte{{3}}) {
			t.Errorf("store %v, %v", store, err)
		}
	})
}

func TestDigestOfAnotherDocumentIsRefused(t *testing.T) {
	t.Parallel()
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	p, err := pades.PrepareTimestamp(open(t, data), pades.TimestampOptions{})
	if err != nil {
		t.Fatal(err)
	}
	prefix, err := pades.ReadPrefix(context.Background(), strings.NewReader("x"), 1, &bytes.Buffer{}, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DigestParts(prefix, crypto.SHA256); err == nil {
		t.Error("digest over another document")
	}
}
