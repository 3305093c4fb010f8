package jws_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"testing"
	"time"

	"antin/exchange/jws"
)

func TestASignedDirectoryIsBelievedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jws.NewKeys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	body := []byte("agencies:\n  - code: H26\n    name: x\n")
	said := jws.Directory{Serial: 7, IssuedAt: at, ExpiresAt: at.AddDate(0, 3, 0)}
	file, err := jws.SignDirectory(nil, key, said, body)
	if err != nil {
		t.Fatal(err)
	}
	got, back, kid, err := jws.VerifyDirectory(file, keys)
	if err != nil || !bytes.Equal(back, body) || got.Serial != 7 || !got.ExpiresAt.Equal(said.ExpiresAt) || kid != keys[0].ID {
		t.Fatalf("%+v %q %s: %v", got, back, kid, err)
	}
	if peek, err := jws.PeekDirectory(file); err != nil || peek.Serial != 7 || peek.Signer != kid {
		t.Errorf("peek %+v: %v", peek, err)
	}
	manifest, err := jws.Sign(nil, key, jws.TypeManifest, []byte(`{"version":1,"serial":9}`))
	if err != nil {
		t.Fatal(err)
	}
	wrongKey, err := jws.SignDirectory(nil, other, said, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		file []byte
		want error
	}{
		"no statement":        {body, jws.ErrUnsigned},
		"a byte more":         {append(bytes.Clone(file), '\n'), jws.ErrSignature},
		"a byte changed":      {bytes.Replace(file, []byte("name: x"), []byte("name: y"), 1), jws.ErrSignature},
		"a stranger's key":    {wrongKey, jws.ErrUnknown},
		"another statement":   {append([]byte("# antin-directory "+string(manifest)+"\n"), body...), jws.ErrType},
		"a line without end":  {bytes.TrimSuffix(file[:bytes.IndexByte(file, '\n')], []byte("\n")), jws.ErrFormat},
		"a statement cut off": {append([]byte("# antin-directory a.b\n"), body...), jws.ErrFormat},
	} {
		if _, _, _, err := jws.VerifyDirectory(tc.file, keys); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	for name, d := range map[string]jws.Directory{
		"serial 0":  {IssuedAt: at, ExpiresAt: at.AddDate(0, 3, 0)},
		"no end":    {Serial: 1, IssuedAt: at},
		"for years": {Serial: 1, IssuedAt: at, ExpiresAt: at.AddDate(2, 0, 0)},
		"backward":  {Serial: 1, IssuedAt: at, ExpiresAt: at.AddDate(0, -1, 0)},
	} {
		if _, err := jws.SignDirectory(nil, key, d, body); !errors.Is(err, jws.ErrFormat) {
			t.Errorf("%s is signed: %v", name, err)
		}
	}
}

// The file beside docs/reference/protocol.md is for who writes a second implementation.
func TestTheGoldenDirectoryVerifies(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../docs/reference/protocol/directory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := os.ReadFile("../../docs/reference/protocol/directory.pub.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pub)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jws.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	d, body, _, err := jws.VerifyDirectory(file, keys)
	at := time.Date(2026, 11, 23, 2, 12, 44, 0, time.UTC)
	if err != nil || d.Serial != 7 || !d.IssuedAt.Equal(at) || !d.ExpiresAt.Equal(at.AddDate(0, 3, 0)) || d.Version != jws.Version || !bytes.HasPrefix(body, []byte("agencies:\n")) {
		t.Errorf("%+v, %q, %v", d, body, err)
	}
}
