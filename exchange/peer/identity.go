package peer

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"time"

	"antin/exchange"
)

// identityTTL is how long a certificate's owner is remembered: the time within
// which a change of the directory takes hold on open connections.
const identityTTL = 10 * time.Second

// identities answers whose certificate a peer connected with.
type identities struct {
	directory exchange.Directory
	now       func() time.Time

	mu    sync.Mutex
	byPin map[[32]byte]exchange.AgencyCode
	until time.Time
}

// of returns the agency that lists the certificate of a connection.
func (i *identities) of(ctx context.Context, state *tls.ConnectionState) (exchange.AgencyCode, error) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return "", ErrUnknownPeer
	}
	leaf := state.PeerCertificates[0]
	now := i.now()
	if err := fit(leaf, now); err != nil {
		return "", err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !now.Before(i.until) || now.Before(i.until.Add(-identityTTL)) {
		if err := i.load(ctx, now); err != nil {
			return "", err
		}
	}
	code, ok := i.byPin[Fingerprint(leaf.Raw)]
	if !ok || code == "" {
		return "", ErrUnknownPeer
	}
	return code, nil
}

func (i *identities) load(ctx context.Context, now time.Time) error {
	agencies, err := i.directory.Agencies(ctx)
	if err != nil {
		return fmt.Errorf("reading directory: %w", err)
	}
	i.byPin = make(map[[32]byte]exchange.AgencyCode, len(agencies))
	for _, a := range agencies {
		for _, pin := range a.TLS {
			if _, twice := i.byPin[pin]; twice {
				i.byPin[pin] = "" // claimed by two: believed for none
				continue
			}
			i.byPin[pin] = a.Code
		}
	}
	i.until = now.Add(identityTTL)
	return nil
}

// pinned checks the certificate of the gateway that a client reached.
func pinned(state tls.ConnectionState, pins [][32]byte, now time.Time) error {
	if len(state.PeerCertificates) == 0 {
		return ErrUnknownPeer
	}
	leaf := state.PeerCertificates[0]
	if !slices.Contains(pins, Fingerprint(leaf.Raw)) {
		return ErrUnknownPeer
	}
	return fit(leaf, now)
}
