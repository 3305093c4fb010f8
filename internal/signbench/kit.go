package signbench

import (
	"context"
	"crypto"
	"io"
	"sync/atomic"
	"time"

	"antin/certs"
	"antin/signer"
	"antin/signer/ades"
)

// The names under which a Kit's Keys hold the two keys.
const (
	KeyRSA  = "rsa-2048"
	KeyP256 = "p-256"
)

// Kit is what the jobs sign with. All fields but Unchecked must be set.
type Kit struct {
	// Keys holds KeyRSA and KeyP256, each with the chain of its certificates.
	Keys signer.KeyProvider
	// Timestamps and Revocation are the local services; their time is measured
	// apart.
	Timestamps signer.TimestampSource
	Revocation certs.RevocationSource
	// Trust holds the anchor of keys and services, which may be sandbox ones.
	Trust certs.TrustStore
	// Unchecked signs as Signer.Sign does but for the self-check. The library
	// offers no such thing, so that only its own tests can set it; the jobs that
	// need it are left out when it is nil.
	Unchecked func(ctx context.Context, s *signer.Signer, in signer.Input, out io.Writer, req signer.Request) error
}

// bench is a kit at work.
type bench struct {
	Kit
	signer   *signer.Signer
	services services
	rsa, ec  crypto.Signer
}

func newBench(ctx context.Context, k Kit) (*bench, error) {
	b := &bench{Kit: k}
	for _, key := range []struct {
		id   string
		into *crypto.Signer
	}{{KeyRSA, &b.rsa}, {KeyP256, &b.ec}} {
		found, err := k.Keys.Key(ctx, key.id)
		if err != nil {
			return nil, err
		}
		*key.into = found.Signer
	}
	b.services = services{stamps: k.Timestamps, revocation: k.Revocation}
	b.signer = &signer.Signer{Keys: k.Keys, Timestamps: &b.services, Revocation: &b.services, Trust: k.Trust,
		AllowSandbox: true, Now: time.Now}
	return b, nil
}

// services pass questions on and add up how long the answers took.
type services struct {
	stamps     signer.TimestampSource
	revocation certs.RevocationSource
	spent      atomic.Int64 // nanoseconds
}

// Timestamp implements signer.TimestampSource.
func (s *services) Timestamp(ctx context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	defer s.since(time.Now())
	return s.stamps.Timestamp(ctx, h, imprint)
}

// Revocation implements certs.RevocationSource.
func (s *services) Revocation(ctx context.Context, c, issuer *certs.Certificate) ([]certs.Evidence, error) {
	defer s.since(time.Now())
	return s.revocation.Revocation(ctx, c, issuer)
}

func (s *services) since(begin time.Time) { s.spent.Add(int64(time.Since(begin))) }

// request is what a job asks for; B-B asks nothing of any service, as the
// figures of others were taken.
func request(key string, level ades.Level) signer.Request {
	return signer.Request{Key: key, Level: level, Offline: level == ades.BB}
}
