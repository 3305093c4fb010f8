//go:build !cgo

package main

import (
	"io"

	"antin/signer/keys/pkcs11"
)

// serveModule says what is missing: without cgo no library can be loaded.
func serveModule(in io.Reader, out io.Writer) error {
	var r pkcs11.Request
	if err := pkcs11.ReadFrame(in, &r); err != nil {
		return err
	}
	_, _, err := pkcs11.WriteFrame(out, pkcs11.Answer{ID: r.ID, Code: pkcs11.CodeNoCgo})
	return err
}

// ownOutput is the standard output.
func ownOutput(out io.Writer) (io.Writer, error) { return out, nil }
