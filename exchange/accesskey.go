package exchange

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"antin/internal/text"
)

// The beginnings of API keys, so that one found in a log or a repository is known
// for what it is.
const (
	liveKey = "antin_live_"
	testKey = "antin_test_"
)

const (
	// maxKeyLife is the longest that a key lives without being rotated.
	maxKeyLife = 366 * 24 * time.Hour
	// defaultKeyLife applies when no end is given.
	defaultKeyLife = 365 * 24 * time.Hour
	// maxOverlap is how long an old secret may go on beside its successor.
	maxOverlap = 30 * 24 * time.Hour
	// maxScopes bounds the scopes of one key.
	maxScopes = 64
	// maxKeyName fits a column of a list, in characters.
	maxKeyName = 100
)

// APIKey is what a program comes in with. Its secret is kept as a hash.
type APIKey struct {
	ID      ID         `json:"id"`
	Agency  AgencyCode `json:"agency"`
	Version int        `json:"-"`
	Name    string     `json:"name"` // of the program, for people
	Scopes  []string   `json:"scopes"`
	// Hash is the SHA-256 of the secret: enough, since it is random and long. OldHash
	// is that of the secret before, which is good until OldUntil.
	Hash     Digest    `json:"hash"`
	OldHash  Digest    `json:"old_hash,omitempty"`
	OldUntil time.Time `json:"old_until,omitzero"`
	// Seen is whether the secret of Hash has come in: until then its program still
	// uses the one before, if it has any.
	Seen      bool      `json:"seen,omitempty"`
	Hint      string    `json:"hint"` // beginning of the secret, to tell keys apart
	CreatedAt time.Time `json:"created_at"`
	RotatedAt time.Time `json:"rotated_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at"`
	LastUsed  time.Time `json:"last_used,omitzero"` // true to a minute
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// InForce reports whether k opens anything at now.
func (k APIKey) InForce(now time.Time) bool { return k.RevokedAt.IsZero() && now.Before(k.ExpiresAt) }

// Has reports whether k has scope.
func (k APIKey) Has(scope string) bool { return slices.Contains(k.Scopes, scope) }

// NewAPIKey describes a key to be made for the agency of whoever makes it.
type NewAPIKey struct {
	Name      string
	Scopes    []string
	ExpiresAt time.Time // at most a year ahead; zero: a year
}

// NewKey makes an API key and returns its secret, which is kept nowhere. Errors:
// not-allowed, invalid-input.
func (a *Access) NewKey(ctx context.Context, by Actor, n NewAPIKey) (secret string, k APIKey, err error) {
	if err := manages(by); err != nil {
		return "", APIKey{}, err
	}
	now := a.now()
	k = APIKey{ID: NewID(PrefixKey, now), Agency: by.Agency, CreatedAt: now, ExpiresAt: n.ExpiresAt.UTC().Truncate(time.Microsecond)}
	if n.ExpiresAt.IsZero() {
		k.ExpiresAt = now.Add(defaultKeyLife)
	}
	if k.ExpiresAt.Before(now) || k.ExpiresAt.After(now.Add(maxKeyLife)) {
		return "", APIKey{}, text.Detailed(text.InvalidInput, nil, "access.key-expiry")
	}
	var ok bool
	if k.Name, ok = plainLine(n.Name, maxKeyName); !ok || k.Name == "" {
		return "", APIKey{}, text.Detailed(text.InvalidInput, nil, "access.key-name", maxKeyName)
	}
	if k.Scopes, err = a.scopes(n.Scopes); err != nil {
		return "", APIKey{}, err
	}
	secret = a.secret(&k)
	err = a.Store.Update(ctx, func(tx Tx) error {
		if err := tx.CreateKey(ctx, k); err != nil {
			return err
		}
		return a.event(ctx, tx, EventKeyCreated, by, k.Agency, k.ID, keyData(k))
	})
	if err != nil {
		return "", APIKey{}, err
	}
	k.Version = 1
	return secret, k, nil
}

// secret makes a secret for k.
func (a *Access) secret(k *APIKey) string {
	prefix := testKey
	if a.RefuseSandbox {
		prefix = liveKey
	}
	s := prefix + random(secretBytes)
	k.Hash, k.Hint = DigestOf([]byte(s)), s[:len(prefix)+4]
	return s
}

// scopes returns list sorted, each once; invalid-input when one is none.
func (a *Access) scopes(list []string) ([]string, error) {
	if len(list) == 0 || len(list) > maxScopes {
		return nil, text.Detailed(text.InvalidInput, nil, "access.no-scope")
	}
	out := slices.Compact(slices.Sorted(slices.Values(list)))
	for _, s := range out {
		known := a.Scopes == nil && s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz:-") == ""
		if !known && !slices.Contains(a.Scopes, s) {
			return nil, text.Detailed(text.InvalidInput, nil, "access.scope", limitText(s))
		}
	}
	return out, nil
}

// limitText shortens what a stranger wrote to what an error may repeat.
func limitText(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "?")); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

func keyData(k APIKey) map[string]string {
	return map[string]string{"name": k.Name, "scopes": strings.Join(k.Scopes, " "), "expires": k.ExpiresAt.Format(time.RFC3339)}
}

// RotateKey gives a key a new secret and another life as long as its first. The
// old secret goes on for overlap (at most 30 days), one older still ends at once. A
// secret that has never come in is not the old one: its rotation was shown to nobody,
// or is repeated, and it ends in place of the one before, which the program still uses.
// Errors: not-allowed, not-found, invalid-input, state-conflict (revoked).
func (a *Access) RotateKey(ctx context.Context, by Actor, id ID, overlap time.Duration) (secret string, k APIKey, err error) {
	if overlap < 0 || overlap > maxOverlap {
		return "", APIKey{}, text.Detailed(text.InvalidInput, nil, "access.overlap")
	}
	err = a.changeKey(ctx, by, id, func(tx Tx, key *APIKey) error {
		if !key.RevokedAt.IsZero() {
			return text.Detailed(text.StateConflict, nil, "access.key-revoked")
		}
		now := a.now()
		life := key.ExpiresAt.Sub(laterOf(key.CreatedAt, key.RotatedAt))
		if key.Seen || !now.Before(key.OldUntil) {
			key.OldHash = key.Hash
		}
		key.OldUntil, key.Seen = earlierOf(now.Add(overlap), key.ExpiresAt), false
		secret = a.secret(key)
		key.RotatedAt, key.ExpiresAt = now, now.Add(min(life, maxKeyLife))
		k = *key
		return a.event(ctx, tx, EventKeyRotated, by, key.Agency, id, keyData(*key))
	})
	if err != nil {
		return "", APIKey{}, err
	}
	k.Version++
	return secret, k, nil
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// RevokeKey ends a key and both its secrets at once; a repeat changes nothing, with
// or without the key of WithIdempotencyKey. Errors: not-allowed, not-found,
// idempotency-key-reused.
func (a *Access) RevokeKey(ctx context.Context, by Actor, id ID) error {
	return a.changeKeyOnce(ctx, by, id, "apikey.revoked", func(tx Tx, k *APIKey) error {
		if !k.RevokedAt.IsZero() {
			return nil
		}
		k.RevokedAt = a.now()
		return a.event(ctx, tx, EventKeyRevoked, by, k.Agency, id, map[string]string{"name": k.Name})
	})
}

// changeKey has f change a key of by's agency and saves it.
func (a *Access) changeKey(ctx context.Context, by Actor, id ID, f func(tx Tx, k *APIKey) error) error {
	return a.changeKeyOnce(ctx, by, id, "", f)
}

// changeKeyOnce is changeKey that is done once under the key of ctx, where verb names it.
func (a *Access) changeKeyOnce(ctx context.Context, by Actor, id ID, verb string, f func(tx Tx, k *APIKey) error) error {
	if err := manages(by); err != nil {
		return err
	}
	idem, err := contextOnce(ctx, by.Agency, verb, id)
	if err != nil {
		return err
	}
	return a.Store.Update(ctx, func(tx Tx) error {
		if _, ok, err := idem.done(ctx, tx); ok || err != nil {
			return err
		}
		k, err := tx.Key(ctx, id)
		if err != nil {
			return err
		}
		if k.Agency != by.Agency {
			return text.Errorf(text.NotFound, nil)
		}
		if err := f(tx, &k); err != nil {
			return err
		}
		if err := tx.SaveKey(ctx, k); err != nil {
			return err
		}
		return idem.keep(ctx, tx, id, a.now())
	})
}

// Keys returns the API keys of by's agency, newest first, those that have ended
// among them. Error: not-allowed.
func (a *Access) Keys(ctx context.Context, by Actor) (out []APIKey, err error) {
	if err := manages(by); err != nil {
		return nil, err
	}
	err = a.Store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Keys(ctx, by.Agency)
		return err
	})
	return out, err
}

// KeyBySecret returns the key that secret belongs to and records that it was used,
// at most once a minute. not-allowed when no key in force has that secret.
func (a *Access) KeyBySecret(ctx context.Context, secret string) (k APIKey, err error) {
	refused := text.Errorf(text.NotAllowed, nil)
	if len(secret) > 4*secretBytes || !strings.HasPrefix(secret, liveKey) && (a.RefuseSandbox || !strings.HasPrefix(secret, testKey)) {
		return APIKey{}, refused
	}
	hash := DigestOf([]byte(secret))
	err = a.Store.View(ctx, func(tx Tx) (err error) {
		k, err = tx.KeyByHash(ctx, hash)
		return err
	})
	now := a.now()
	switch {
	case missing(err):
		return APIKey{}, refused
	case err != nil:
		return APIKey{}, err
	case !k.RevokedAt.IsZero(), k.Hash == hash && !now.Before(k.ExpiresAt), k.Hash != hash && !now.Before(k.OldUntil):
		return APIKey{}, refused
	}
	first := k.Hash == hash && !k.Seen
	if now.Sub(k.LastUsed) < seenEvery && !first {
		return k, nil
	}
	err = a.Store.Update(ctx, func(tx Tx) error {
		fresh, err := tx.Key(ctx, k.ID)
		if err != nil || !fresh.RevokedAt.IsZero() {
			return cmp.Or(err, error(refused))
		}
		fresh.LastUsed, fresh.Seen = now, fresh.Seen || fresh.Hash == hash
		if err := tx.SaveKey(ctx, fresh); err != nil {
			return err
		}
		fresh.Version++
		k = fresh
		return nil
	})
	return k, err
}
