package pkcs11_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"antin/signer/keys/pkcs11"
)

// TestMain lets this test program stand in for the helper: started as one, it speaks
// the protocol and goes wrong in the way that the “library” it is to load says.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "module" {
		os.Exit(peer())
	}
	os.Exit(m.Run())
}

// rightPIN is what the peer's token takes.
const rightPIN = "1234"

// script is one run of the peer. Its key is made anew from the same seed, so that a
// second run has the same.
type script struct {
	way, log string
	key      *ecdsa.PrivateKey
	cert     []byte
}

func peer() int {
	s := script{}
	for {
		var r pkcs11.Request
		if err := pkcs11.ReadFrame(os.Stdin, &r); err != nil {
			return 0
		}
		if r.Op == pkcs11.OpLoad {
			s.load(r.Module)
		}
		fmt.Fprintln(os.Stderr, "a library talks")
		s.note(string(r.Op))
		a, ok := s.answer(r)
		if !ok {
			continue
		}
		a.ID = r.ID
		if _, _, err := pkcs11.WriteFrame(os.Stdout, a); err != nil {
			return 1
		}
	}
}

func (s *script) load(module string) {
	s.way, s.log = filepath.Base(module), module+".log"
	data, err := os.ReadFile(module)
	if err != nil {
		panic(err)
	}
	key, rest := pem.Decode(data)
	cert, _ := pem.Decode(rest)
	parsed, err := x509.ParseECPrivateKey(key.Bytes)
	if err != nil {
		panic(err)
	}
	s.key, s.cert = parsed, cert.Bytes
}

// note writes down what was asked, where the test counts it.
func (s *script) note(what string) {
	f, err := os.OpenFile(s.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, what)
}

// once reports true in the first of several runs.
func (s *script) once() bool {
	return os.WriteFile(s.log+".once", nil, 0o600) == nil && os.Link(s.log+".once", s.log+".gone") == nil
}

func (s *script) answer(r pkcs11.Request) (pkcs11.Answer, bool) {
	a := pkcs11.Answer{}
	switch r.Op {
	case pkcs11.OpTokens:
		a.Tokens = []pkcs11.Token{{Slot: 1, Label: "thử", Serial: "01", Login: true}}
	case pkcs11.OpOpen:
		a.Login = pkcs11.LoginOK
		if string(r.PIN) != rightPIN {
			return pkcs11.Answer{Code: pkcs11.CodePINWrong, Login: pkcs11.LoginFailed}, true
		}
		a.Mechanisms = []pkcs11.Mechanism{pkcs11.ECDSA}
		a.Keys = []pkcs11.KeyObject{{Handle: 5, ID: []byte{1}, Label: "k", Type: pkcs11.KeyEC}}
		a.Certificates = []pkcs11.CertObject{{ID: []byte{1}, DER: s.cert}}
	case pkcs11.OpSign:
		return s.sign(r)
	case pkcs11.OpLoad:
	}
	return a, true
}

func (s *script) sign(r pkcs11.Request) (pkcs11.Answer, bool) {
	a := pkcs11.Answer{KeyUsed: true}
	data := r.Data
	switch s.way {
	case "dies":
		if s.once() {
			os.Exit(3)
		}
	case "hangs":
		if s.once() {
			return a, false
		}
	case "garbage":
		if s.once() {
			fmt.Println("what a library prints")
			return a, false
		}
	case "half":
		if s.once() {
			_, _ = os.Stdout.Write([]byte{0, 0, 1, 0, '{'})
			os.Exit(0)
		}
	case "other-id":
		if s.once() {
			_, _, _ = pkcs11.WriteFrame(os.Stdout, pkcs11.Answer{ID: r.ID + 1000, Signature: []byte{1}})
		}
	case "wrong-value":
		sum := sha256.Sum256(r.Data)
		data = sum[:]
	case "session":
		if s.once() {
			return pkcs11.Answer{Code: pkcs11.CodeSession}, true
		}
	case "session-always":
		return pkcs11.Answer{Code: pkcs11.CodeSession}, true
	case "session-used":
		return pkcs11.Answer{Code: pkcs11.CodeSession, KeyUsed: true}, true
	}
	rr, ss, err := ecdsa.Sign(rand.Reader, s.key, data)
	if err != nil {
		panic(err)
	}
	a.Signature = append(rr.FillBytes(make([]byte, 32)), ss.FillBytes(make([]byte, 32))...)
	return a, true
}

// library is a file that has the peer behave as way says.
func library(t *testing.T, way string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	path := filepath.Join(t.TempDir(), way)
	// PEM, since no mark between two binary halves is sure to be in neither of them.
	blocks := append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: selfSigned(t, key, "thử", time.Hour)})...)
	must(t, os.WriteFile(path, blocks, 0o600))
	return path
}

// selfSigned is a certificate of key that lasts so long.
func selfSigned(t *testing.T, key *ecdsa.PrivateKey, name string, lasts time.Duration) []byte {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: start, NotAfter: start.Add(lasts)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	must(t, err)
	return der
}
