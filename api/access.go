package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"

	"antin/exchange"
	"antin/internal/text"
)

// Scope is one right of an API key.
type Scope string

// The scopes. None lets a key sign or seal.
const (
	ScopeFilesRead      Scope = "files:read"
	ScopeFilesWrite     Scope = "files:write"
	ScopeDocumentsRead  Scope = "documents:read"
	ScopeDocumentsWrite Scope = "documents:write"
	ScopeDocumentsSend  Scope = "documents:send"
	ScopeInboxRead      Scope = "inbox:read"
	ScopeInboxDecide    Scope = "inbox:decide"
	ScopeResultsRead    Scope = "results:read"
	ScopeAgenciesRead   Scope = "agencies:read"
	ScopeVerify         Scope = "verify"
)

// Scopes lists every scope.
func Scopes() []Scope {
	return []Scope{ScopeFilesRead, ScopeFilesWrite, ScopeDocumentsRead, ScopeDocumentsWrite, ScopeDocumentsSend,
		ScopeInboxRead, ScopeInboxDecide, ScopeResultsRead, ScopeAgenciesRead, ScopeVerify}
}

// Grant is what a key allows: in whose name it acts, and its scopes. Actor.ID
// names the key, so that the evidence shows whose word an acting person's name is.
type Grant struct {
	Actor  exchange.Actor
	Scopes []Scope
}

// Access knows the API keys. Implementations are safe for concurrent use.
type Access interface {
	// Grant returns what the bearer of key may do; not-allowed when no such key is in
	// force. How long it takes says nothing about the keys there are.
	Grant(ctx context.Context, key string) (Grant, error)
}

// Key is one API key: the hash of its secret and what it allows.
type Key struct {
	Hash  [sha256.Size]byte // KeyHash of the secret; the secret itself is not kept
	Grant Grant
}

// KeyHash is the form in which a key is kept. A plain hash is enough because keys
// are made by machines and long; it would not be for passwords.
func KeyHash(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// Keys is a fixed Access.
type Keys []Key

// Grant implements Access. Every key is compared, whichever matches.
func (k Keys) Grant(_ context.Context, key string) (Grant, error) {
	hash, found := KeyHash(key), -1
	for i := range k {
		if subtle.ConstantTimeCompare(hash[:], k[i].Hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Grant{}, text.Errorf(text.NotAllowed, nil)
	}
	return k[found].Grant, nil
}

func (g Grant) has(s Scope) bool { return slices.Contains(g.Scopes, s) }
