//go:build cgo && interop

package main

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"antin/certs/certstest"
	"antin/signer/keys/pkcs11"
)

// BenchmarkToken measures a signature by a token of SoftHSM2: in a bare loop over the
// binding, in this process, and through the helper with all that it checks, with one
// caller and with as many as the token has sessions. docs/benchmarks/tokens.md holds
// figures.
func BenchmarkToken(b *testing.B) {
	library := "/usr/lib/softhsm/libsofthsm2.so"
	if _, err := os.Stat(library); err != nil {
		b.Skip("libsofthsm2.so is missing")
	}
	dir := b.TempDir()
	tokens := filepath.Join(dir, "tokens")
	fine(b, os.Mkdir(tokens, 0o700))
	conf := filepath.Join(dir, "softhsm2.conf")
	fine(b, os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o600))
	b.Setenv("SOFTHSM2_CONF", conf)
	runTool(b, "softhsm2-util", "--init-token", "--free", "--label", "do", "--pin", "1234", "--so-pin", "12345678")
	pki, err := certstest.New(certstest.Options{})
	fine(b, err)
	helper := filepath.Join(dir, "antin-pkcs11")
	runTool(b, "go", "build", "-o", helper, ".")
	kinds := []certstest.KeyType{certstest.RSA2048, certstest.RSA3072, certstest.P256, certstest.P384}
	for _, kind := range kinds {
		put(b, pki, dir, library, kind)
	}
	for _, kind := range kinds {
		b.Run(string(kind)+"/library", func(b *testing.B) { benchLibrary(b, library, string(kind), 1) })
		b.Run(string(kind)+"/helper", func(b *testing.B) { benchHelper(b, helper, library, string(kind), 1) })
		b.Run(string(kind)+"/library-4", func(b *testing.B) { benchLibrary(b, library, string(kind), 4) })
		b.Run(string(kind)+"/helper-4", func(b *testing.B) { benchHelper(b, helper, library, string(kind), 4) })
	}
}

func fine(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func runTool(b *testing.B, name string, args ...string) {
	b.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v: %s", name, err, out)
	}
}

func put(b *testing.B, pki *certstest.PKI, dir, library string, kind certstest.KeyType) {
	b.Helper()
	e, err := pki.Issue(certstest.Spec{CommonName: string(kind), KeyType: kind})
	fine(b, err)
	der, err := x509.MarshalPKCS8PrivateKey(e.Key)
	fine(b, err)
	key, cert := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.der")
	fine(b, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	fine(b, os.WriteFile(cert, e.Certificate.Raw, 0o600))
	id := map[certstest.KeyType]string{certstest.RSA2048: "01", certstest.RSA3072: "02", certstest.P256: "03", certstest.P384: "04"}[kind]
	runTool(b, "softhsm2-util", "--import", key, "--token", "do", "--label", string(kind), "--id", id, "--pin", "1234")
	runTool(b, "pkcs11-tool", "--module", library, "--token-label", "do", "--login", "--pin", "1234", "--write-object", cert,
		"--type", "cert", "--label", string(kind), "--id", id)
}

// loop runs sign b.N times, by workers callers.
func loop(b *testing.B, workers int, sign func(worker int) error) {
	b.Helper()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, workers)
	for w := range workers {
		go func() {
			for left.Add(-1) >= 0 {
				if err := sign(w); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range workers {
		fine(b, <-done)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signs/s")
}

var digest = sha256.Sum256([]byte("văn bản"))

// benchLibrary is the loop that a program written for this one token would run.
func benchLibrary(b *testing.B, library, label string, workers int) {
	ctx := p11.New(library)
	fine(b, ctx.Initialize())
	defer func() { _ = ctx.Finalize() }()
	slots, err := ctx.GetSlotList(true)
	fine(b, err)
	sessions := make([]p11.SessionHandle, workers)
	for i := range sessions {
		sessions[i], err = ctx.OpenSession(slots[0], p11.CKF_SERIAL_SESSION)
		fine(b, err)
	}
	fine(b, ctx.Login(sessions[0], p11.CKU_USER, "1234"))
	fine(b, ctx.FindObjectsInit(sessions[0], []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), p11.NewAttribute(p11.CKA_LABEL, label)}))
	found, _, err := ctx.FindObjects(sessions[0], 1)
	fine(b, err)
	fine(b, ctx.FindObjectsFinal(sessions[0]))
	how, data := uint(p11.CKM_ECDSA), digest[:]
	if label[0] == 'r' {
		how = p11.CKM_RSA_PKCS
		data = append([]byte{0x30, 0x31, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32}, digest[:]...)
	}
	loop(b, workers, func(w int) error {
		if err := ctx.SignInit(sessions[w], []*p11.Mechanism{p11.NewMechanism(how, nil)}, found[0]); err != nil {
			return err
		}
		_, err := ctx.Sign(sessions[w], data)
		return err
	})
}

func benchHelper(b *testing.B, helper, library, label string, workers int) {
	p := &pkcs11.Provider{Helper: helper, Module: library, Sessions: workers,
		PIN: func(context.Context, pkcs11.URI, pkcs11.Token) (string, error) { return "1234", nil }}
	defer func() { _ = p.Close() }()
	key, err := p.Key(b.Context(), "pkcs11:object="+label)
	fine(b, err)
	loop(b, workers, func(int) error {
		_, err := key.Signer.Sign(nil, digest[:], crypto.SHA256)
		return err
	})
}
