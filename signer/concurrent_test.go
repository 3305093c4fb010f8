package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"io"
	"testing"

	"golang.org/x/sync/errgroup"

	"antin/certs/certstest"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
)

// One Signer, one document, many goroutines: `go test -race` watches.
func TestOneSignerServesManyAtOnce(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	s := a.signer()
	var group errgroup.Group
	outs := make([]bytes.Buffer, 12)
	for i := range outs {
		kind := padestest.Kinds()[i%len(padestest.Kinds())]
		level := []ades.Level{ades.BB, ades.BT, ades.BLT}[i%3]
		data := padestest.Simple(kind, "1.7").Bytes()
		group.Go(func() error {
			_, err := s.Sign(context.Background(), input(data), &outs[i], signer.Request{Key: certstest.RoleLeader, Level: level})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range outs {
		if r := a.validate(t, outs[i].Bytes()); len(r.Signatures) != 1 {
			t.Errorf("document %d holds %d signatures", i, len(r.Signatures))
		}
	}
}

// A value that another key made is found out, at B-B by the self-check and above
// before a time-stamp is spent on it.
func TestAValueOfAnotherKeyIsAMismatch(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	other := a.keys[certstest.RoleSealA]
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	for _, level := range []ades.Level{ades.BB, ades.BT} {
		s := a.signer()
		s.Keys = signer.OneKey(liar{a.keys[certstest.RoleLeader].Signer, other.Signer}, a.keys[certstest.RoleLeader].Chain...)
		refused(t, s, data, signer.Request{Level: level}, "certificate-mismatch")
	}
}

// liar shows one key and signs with another.
type liar struct{ shown, used crypto.Signer }

// Public implements crypto.Signer.
func (l liar) Public() crypto.PublicKey { return l.shown.Public() }

// Sign implements crypto.Signer.
func (l liar) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return l.used.Sign(r, digest, o)
}
