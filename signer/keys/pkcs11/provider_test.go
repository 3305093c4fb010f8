package pkcs11_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/pkcs11"
)

func provider(t *testing.T, pin string) *pkcs11.Provider {
	t.Helper()
	t.TempDir() // made first, removed last: a helper that ends yet writes into the folder of its library
	self, err := os.Executable()
	must(t, err)
	p := &pkcs11.Provider{Helper: self, CallLimit: time.Minute,
		PIN: func(context.Context, pkcs11.URI, pkcs11.Token) (string, error) { return pin, nil }}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// asked counts what the peer over module was asked.
func asked(t *testing.T, module, op string) int {
	t.Helper()
	data, err := os.ReadFile(module + ".log")
	must(t, err)
	n := 0
	for line := range strings.Lines(string(data)) {
		if line == op+"\n" {
			n++
		}
	}
	return n
}

func wantCode(t *testing.T, err error, want text.Code) {
	t.Helper()
	if text.CodeOf(err) != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func signed(key signer.Key) error {
	_, err := key.Signer.Sign(nil, hashed(crypto.SHA256), crypto.SHA256)
	return err
}

func uri(module string) string { return pkcs11.URI{Object: "k", ModulePath: module}.String() }

func TestAnswerThatIsLostIsToldAndTheNextRequestFindsANewHelper(t *testing.T) {
	t.Parallel()
	for way, signs := range map[string]int{"dies": 2, "hangs": 2, "garbage": 2, "half": 2} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			module := library(t, way)
			p := provider(t, rightPIN)
			key, err := p.Key(t.Context(), uri(module))
			must(t, err)
			limit := p.CallLimit
			if way == "hangs" {
				p.CallLimit = time.Second // of the call that does not come back, and of no other
			}
			wantCode(t, signed(key), text.SignatureLost)
			p.CallLimit = limit
			must(t, signed(key))
			if n := asked(t, module, "sign"); n != signs {
				t.Errorf("a signature was asked for %d times, want %d: none by itself", n, signs)
			}
		})
	}
}

func TestSessionLostBeforeTheKeyWasUsedIsAskedAgainOnce(t *testing.T) {
	t.Parallel()
	for way, want := range map[string]struct {
		code  text.Code
		signs int
	}{"session": {"", 2}, "session-always": {text.KeyUnavailable, 2}, "session-used": {text.KeyUnavailable, 1}, "other-id": {"", 1}} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			module := library(t, way)
			key, err := provider(t, rightPIN).Key(t.Context(), uri(module))
			must(t, err)
			wantCode(t, signed(key), want.code)
			if n := asked(t, module, "sign"); n != want.signs {
				t.Errorf("a signature was asked for %d times, want %d", n, want.signs)
			}
		})
	}
}

func TestValueThatDoesNotVerifyIsNotHandedOut(t *testing.T) {
	t.Parallel()
	key, err := provider(t, rightPIN).Key(t.Context(), uri(library(t, "wrong-value")))
	must(t, err)
	wantCode(t, signed(key), text.CertificateMismatch)
}

func TestRefusedPINIsNotPresentedAgain(t *testing.T) {
	t.Parallel()
	module := library(t, "good")
	p := provider(t, "9999")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := p.Key(t.Context(), uri(module))
			wantCode(t, err, text.KeyLocked)
		})
	}
	wg.Wait()
	_, err := p.Key(t.Context(), pkcs11.URI{ID: []byte{1}, ModulePath: module}.String())
	wantCode(t, err, text.KeyLocked)
	if n := asked(t, module, "open"); n != 1 {
		t.Errorf("the PIN was presented %d times", n)
	}
}

func TestManyCallersShareOneHelper(t *testing.T) {
	t.Parallel()
	module := library(t, "good")
	p := provider(t, rightPIN)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			key, err := p.Key(t.Context(), uri(module))
			if err != nil {
				t.Error(err)
				return
			}
			for range 20 {
				if err := signed(key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if loads, opens := asked(t, module, "load"), asked(t, module, "open"); loads != 1 || opens != 1 {
		t.Errorf("%d helpers were started and %d logins made", loads, opens)
	}
}

func TestCallerThatGoesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	p := provider(t, rightPIN)
	ctx, cancel := context.WithCancel(t.Context())
	key, err := p.Key(ctx, uri(library(t, "hangs")))
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- signed(key) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	p := provider(t, rightPIN)
	_, err := p.Key(t.Context(), "pkcs11:object=k")
	wantCode(t, err, text.InvalidInput) // no library named
	_, err = p.Key(t.Context(), "pkcs11:object=k?pin-value=1")
	wantCode(t, err, text.InvalidInput)
	_, err = p.Key(t.Context(), uri("/no/such.so"))
	wantCode(t, err, text.KeyUnavailable)
	module := library(t, "good")
	_, err = p.Key(t.Context(), pkcs11.URI{Token: "khác", ModulePath: module}.String())
	wantCode(t, err, text.TokenAbsent)
	p.Helper = filepath.Join(t.TempDir(), "antin-pkcs11")
	_, err = p.Key(t.Context(), uri(library(t, "good")))
	wantCode(t, err, text.KeyUnavailable)
	if vi := text.As(err).Message().VI; !strings.Contains(vi, "go build ./cmd/antin-pkcs11") {
		t.Errorf("it does not say how to build it: %s", vi)
	}
	must(t, p.Close())
	_, err = p.Key(t.Context(), uri(module))
	wantCode(t, err, text.KeyUnavailable)
}

func TestChainIsTheSigningCertificate(t *testing.T) {
	t.Parallel()
	module := library(t, "good")
	data, err := os.ReadFile(module)
	must(t, err)
	_, rest := pem.Decode(data)
	certificate, _ := pem.Decode(rest)
	key, err := provider(t, rightPIN).Key(t.Context(), uri(module))
	must(t, err)
	if len(key.Chain) != 1 || !bytes.Equal(key.Chain[0].Raw, certificate.Bytes) {
		t.Errorf("%d certificates", len(key.Chain))
	}
}

func TestProbeAsksTheHelperAlone(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "antin-pkcs11")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\nexit 1\n"), 0o700))
	wantCode(t, pkcs11.ProbeAt(t.Context(), script), text.KeyUnavailable)
	wantCode(t, pkcs11.ProbeAt(t.Context(), script+".none"), text.KeyUnavailable)
}
