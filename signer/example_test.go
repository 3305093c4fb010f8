package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/tsa"
)

// From a PDF and a crypto.Signer to a file that can be validated for decades.
func ExampleSigner_Sign() {
	key, chain, roots, tsaURL, document, stop := exampleParts()
	defer stop()

	web, err := fetch.New(fetch.Options{AllowHosts: []string{"127.0.0.1"}}) // OCSP, CRL and issuers, by the addresses in the certificates
	check(err)
	stamps, err := tsa.New(tsa.Options{URLs: []string{tsaURL}, Now: time.Now})
	check(err)
	s := &signer.Signer{
		Keys: signer.OneKey(key, chain...), Timestamps: stamps, Revocation: web, Issuers: web,
		Trust: certs.Anchors(roots), AllowSandbox: true, Now: time.Now,
	}
	var out bytes.Buffer
	in := signer.Input{Reader: bytes.NewReader(document), Size: int64(len(document))}
	result, err := s.Sign(context.Background(), in, &out, signer.Request{Level: ades.BLTA})
	check(err)
	fmt.Println(result.Level, result.Field, result.Indication, result.Certificate.CommonName)

	fmt.Println(bytes.HasPrefix(out.Bytes(), document))
	// Output:
	// PAdES-B-LTA Signature1 TOTAL-PASSED Nguyễn Văn An
	// true
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
	}
}

// exampleParts stand in for what a programmer has: a key, its certificates, the
// roots to trust, a time-stamping service and a document.
func exampleParts() (crypto.Signer, []*certs.Certificate, []*certs.Certificate, string, []byte, func()) {
	server, err := certstest.Start(certstest.Options{LeafKey: certstest.P256})
	if err != nil {
		panic(err)
	}
	e := server.Leader()
	return e.Key, e.Chain, server.Anchors(), server.TSAURL(), padestest.Simple(padestest.Classic, "1.7").Bytes(), func() { _ = server.Close() }
}
