package signer

import (
	"context"
	"crypto"

	"antin/certs"
)

// OneKey is a KeyProvider of a single key, which it gives under every name: what a
// program needs that has a crypto.Signer of its own. chain holds the signing
// certificate first, then those above it as far as they are known. It is safe for
// concurrent use when key is.
func OneKey(key crypto.Signer, chain ...*certs.Certificate) KeyProvider {
	return oneKey{Key{Signer: key, Chain: chain}}
}

type oneKey struct{ key Key }

// Key implements KeyProvider.
func (o oneKey) Key(context.Context, string) (Key, error) { return o.key, nil }
