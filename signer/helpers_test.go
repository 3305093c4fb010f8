package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/tsp"
	"antin/signer/validation"
)

// authorities is one PKI with the seams of a signer over it, without HTTP.
type authorities struct {
	*certstest.PKI
	keys map[string]signer.Key

	mu       sync.Mutex
	down     bool                // revocation data cannot be had
	stampErr error               // the time-stamping service fails with it
	garble   func([]byte) []byte // changes tokens
	asked    []string            // subjects whose status was asked
	used     int                 // how often a private key was used
}

var shared = sync.OnceValues(func() (*certstest.PKI, error) {
	return certstest.New(certstest.Options{BaseURL: "http://127.0.0.1:1"})
})

// newAuthorities gives each test its own switches over one PKI, whose keys take
// time to make.
func newAuthorities(t *testing.T) *authorities {
	t.Helper()
	pki, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	a := &authorities{PKI: pki, keys: map[string]signer.Key{}}
	for _, role := range certstest.Roles() {
		a.add(role, pki.Signer(role))
	}
	return a
}

func (a *authorities) add(id string, e *certstest.Entity) {
	a.keys[id] = signer.Key{Signer: countedKey{e.Key, a}, Chain: e.Chain}
}

// issue adds a key of a kind of its own.
func (a *authorities) issue(t *testing.T, id string, spec certstest.Spec) *certstest.Entity {
	t.Helper()
	spec.CommonName = id
	e, err := a.Issue(spec)
	if err != nil {
		t.Fatal(err)
	}
	a.add(id, e)
	return e
}

// countedKey counts uses of the key beneath.
type countedKey struct {
	crypto.Signer
	a *authorities
}

func (k countedKey) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	k.a.mu.Lock()
	k.a.used++
	k.a.mu.Unlock()
	return k.Signer.Sign(r, digest, o)
}

func (a *authorities) Key(_ context.Context, id string) (signer.Key, error) {
	k, ok := a.keys[id]
	if !ok {
		return signer.Key{}, text.Errorf(text.KeyNotFound, errors.New(id))
	}
	return k, nil
}

func (a *authorities) Timestamp(_ context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stampErr != nil {
		return nil, a.stampErr
	}
	response, err := a.PKI.Timestamp(h, imprint)
	if err != nil {
		return nil, err
	}
	token, err := tsp.ParseResponse(response)
	if err == nil && a.garble != nil {
		token = a.garble(token)
	}
	return token, err
}

func (a *authorities) Revocation(_ context.Context, c, _ *certs.Certificate) ([]certs.Evidence, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, c.CommonName)
	if a.down {
		return nil, errors.New("no route to host")
	}
	der, err := a.OCSP(c)
	if err != nil {
		return nil, err
	}
	return []certs.Evidence{{Kind: certs.EvidenceOCSP, DER: der, Origin: certs.OriginFetched}}, nil
}

// signer is a Signer over a that trusts its root.
func (a *authorities) signer() *signer.Signer {
	return &signer.Signer{Keys: a, Timestamps: a, Trust: a.Anchors(), Revocation: a, AllowSandbox: true, Now: a.Now}
}

func input(data []byte) signer.Input {
	return signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Name: "test.pdf"}
}

func sign(t *testing.T, s *signer.Signer, data []byte, req signer.Request) ([]byte, *signer.Result) {
	t.Helper()
	var out bytes.Buffer
	res, err := s.Sign(context.Background(), input(data), &out, req)
	if err != nil {
		t.Fatalf("signing: %v", err)
	}
	if !bytes.HasPrefix(out.Bytes(), data) || res.Bytes != int64(out.Len()) {
		t.Fatalf("original is no prefix, or %d bytes reported as %d", out.Len(), res.Bytes)
	}
	return out.Bytes(), res
}

// refused signs and expects code, with nothing but a part of the original written.
func refused(t *testing.T, s *signer.Signer, data []byte, req signer.Request, code text.Code) {
	t.Helper()
	var out bytes.Buffer
	_, err := s.Sign(context.Background(), input(data), &out, req)
	if text.CodeOf(err) != code {
		t.Errorf("error %v, want %s", err, code)
	}
	if !bytes.HasPrefix(data, out.Bytes()) {
		t.Errorf("%d bytes left, more than the original", out.Len())
	}
}

// validate judges data offline by a's root.
func (a *authorities) validate(t *testing.T, data []byte) *validation.Report {
	t.Helper()
	v := validation.Validator{Trust: a.Anchors(), AllowSandbox: true}
	r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, a.Now())
	if err != nil {
		t.Fatalf("validating: %v", err)
	}
	return r
}

func passed(r *validation.Report) bool {
	return len(r.Signatures) > 0 && !slices.ContainsFunc(r.Signatures, func(s validation.Signature) bool { return s.Indication != ades.TotalPassed })
}

// keep writes data where a person can look at it with other programs, when asked to.
func keep(t *testing.T, name string, data []byte) {
	if dir := os.Getenv("ANTIN_KEEP"); dir != "" {
		if err := os.WriteFile(dir+"/"+name, data, 0o600); err != nil {
			t.Log(err)
		}
	}
}
