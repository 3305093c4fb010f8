package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"time"

	"antin/certs"
	"antin/signer"
	"antin/signer/pades/padestest"
)

// From a PDF and a crypto.Signer to a signed file.
func ExampleSigner_Sign() {
	key, chain, document := exampleParts()

	s := &signer.Signer{Keys: oneKey{key, chain}, AllowSandbox: true, Now: time.Now}
	in := signer.Input{Reader: bytes.NewReader(document), Size: int64(len(document)), Name: "quyet-dinh.pdf"}
	var out bytes.Buffer
	result, err := s.Sign(context.Background(), in, &out, signer.Request{Key: "mine"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Level, result.Field, result.Certificate.CommonName)
	fmt.Println(bytes.HasPrefix(out.Bytes(), document))
	// Output:
	// PAdES-B-B Signature1 Nguyễn Văn An
	// true
}

// oneKey is the smallest KeyProvider.
type oneKey struct {
	crypto.Signer
	chain []*certs.Certificate
}

func (k oneKey) Key(context.Context, string) (signer.Key, error) {
	return signer.Key{Signer: k.Signer, Chain: k.chain}, nil
}

func exampleParts() (crypto.Signer, []*certs.Certificate, []byte) {
	pki, err := shared()
	if err != nil {
		panic(err)
	}
	e := pki.Leader()
	return e.Key, e.Chain, padestest.Simple(padestest.Classic, "1.7").Bytes()
}
