package pkcs11

import (
	"context"
	"errors"
	"sync"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
)

const (
	// DefaultSessions is how many sessions a token is worked with at a time when
	// nobody says: most tokens sign one at a time, HSMs more.
	DefaultSessions = 4
	// MaxSessions bounds what can be asked for.
	MaxSessions = 64
	// defaultCallLimit is how long one call into a vendor's library may take: an RSA
	// signature of a slow card takes 2 s, a reader that wakes some more, and a person at
	// a PIN pad half a minute.
	defaultCallLimit = 60 * time.Second
)

// Provider is a signer.KeyProvider whose keys are named by pkcs11: URIs. Its exported
// fields are set before use; it is then safe for concurrent use. Close it at the end.
type Provider struct {
	// Helper is the path of the program antin-pkcs11; empty looks for it (FindHelper).
	Helper string
	// Module is the library of URIs that name none.
	Module string
	// PIN gives the PIN of a token. It is asked once for each token, and never for one
	// with a PIN pad or without login. nil has none.
	PIN func(ctx context.Context, u URI, t Token) (string, error)
	// Certificates returns the certificates of the key u, the signing one first, where
	// they are not on the token; nil, or an empty result, looks there.
	Certificates func(u URI) ([]*certs.Certificate, error)
	// Sessions bounds the sessions of each token; 0 means DefaultSessions.
	Sessions int
	// CallLimit bounds each call into the library; a helper that takes longer is
	// killed. 0 means 60 s.
	CallLimit time.Duration

	mu       sync.Mutex
	closed   bool
	children map[string]*library
	entries  map[string]*entry
	logins   map[string]*login
}

var _ signer.KeyProvider = (*Provider)(nil)

// library is one vendor's library: its process, and who may start it.
type library struct {
	mu  sync.Mutex
	now *child // nil before the first start
}

// entry is a key that was asked for.
type entry struct {
	uri    URI
	module string

	mu   sync.Mutex
	open *opened // nil before, and after its helper or token went away
}

// opened is a key in a running helper. It is read-only.
type opened struct {
	held
	child *child
	token Token
	login *login
	can   []Mechanism
}

// Key implements signer.KeyProvider; id is a pkcs11: URI. Errors, all *text.Error:
// invalid-input for what is no URI or names several keys; token-absent; key-not-found;
// key-locked for everything about the PIN; certificate-mismatch; key-unavailable when
// helper or library fail. The key's signatures end with ctx.
func (p *Provider) Key(ctx context.Context, id string) (signer.Key, error) {
	e, err := p.entry(id)
	if err != nil {
		return signer.Key{}, err
	}
	o, err := p.ready(ctx, e)
	if err != nil {
		return signer.Key{}, err
	}
	return signer.Key{Signer: &tokenKey{provider: p, entry: e, ctx: ctx, leaf: o.chain[0]}, Chain: o.chain}, nil
}

// entry returns the entry of id, made at its first use.
func (p *Provider) entry(id string) (*entry, error) {
	u, err := ParseURI(id)
	switch {
	case errors.Is(err, ErrPINValue):
		return nil, text.Detailed(text.InvalidInput, err, "token.pin_value")
	case err != nil:
		return nil, text.Detailed(text.InvalidInput, err, "token.uri", err.Error())
	}
	module, err := u.module(p.Module)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, text.Errorf(text.KeyUnavailable, errors.New("the provider is closed"))
	}
	if p.entries == nil {
		p.entries, p.logins, p.children = map[string]*entry{}, map[string]*login{}, map[string]*library{}
	}
	e, ok := p.entries[id]
	if !ok {
		e = &entry{uri: u, module: module}
		p.entries[id] = e
	}
	return e, nil
}

// ready returns e's key in a running helper, opening it when it is not.
func (p *Provider) ready(ctx context.Context, e *entry) (*opened, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open != nil && e.open.child.usable() {
		return e.open, nil
	}
	e.open = nil
	c, err := p.child(ctx, e.module)
	if err != nil {
		return nil, err
	}
	o, err := p.find(ctx, c, e)
	if err != nil {
		if code := text.CodeOf(err); code == text.TokenAbsent || code == text.KeyUnavailable {
			c.retire() // some libraries see a token that came back only after a new start
		}
		return nil, err
	}
	e.open = o
	return o, nil
}

// forget makes the next use of e open it anew, in a new helper. Only the first of
// several that saw o fail does so.
func (p *Provider) forget(e *entry, o *opened) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open == o {
		e.open = nil
	}
	o.child.retire()
}

// child returns the running helper with the library at module, starting one when
// there is none.
func (p *Provider) child(ctx context.Context, module string) (*child, error) {
	p.mu.Lock()
	l, ok := p.children[module]
	if !ok {
		l = &library{}
		p.children[module] = l
	}
	closed := p.closed
	p.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if closed {
		return nil, text.Errorf(text.KeyUnavailable, errors.New("the provider is closed"))
	}
	if l.now != nil && l.now.usable() {
		return l.now, nil
	}
	helper := p.Helper
	if helper == "" {
		var err error
		if helper, err = FindHelper(); err != nil {
			return nil, err
		}
	}
	c, err := startChild(ctx, helper, module)
	if err != nil {
		return nil, text.Detailed(text.KeyUnavailable, err, "token.no_helper")
	}
	a, err := c.call(ctx, Request{Op: OpLoad, Module: module, Sessions: p.sessions()}, p.callLimit())
	if err == nil && a.Code == "" {
		l.now = c
		return c, nil
	}
	c.retire()
	if err != nil {
		return nil, unanswered(ctx, err)
	}
	return nil, problem(a, Token{})
}

func (p *Provider) sessions() int {
	if p.Sessions <= 0 {
		return DefaultSessions
	}
	return min(p.Sessions, MaxSessions)
}

func (p *Provider) callLimit() time.Duration {
	if p.CallLimit <= 0 {
		return defaultCallLimit
	}
	return p.CallLimit
}

// Tokens lists the tokens that the library at module sees. It presents no PIN.
func (p *Provider) Tokens(ctx context.Context, module string) ([]Token, error) {
	e, err := p.entry(URI{ModulePath: module}.String())
	if err != nil {
		return nil, err
	}
	c, err := p.child(ctx, e.module)
	if err != nil {
		return nil, err
	}
	return p.tokens(ctx, c)
}

func (p *Provider) tokens(ctx context.Context, c *child) ([]Token, error) {
	a, err := c.call(ctx, Request{Op: OpTokens}, p.callLimit())
	if err != nil {
		return nil, unanswered(ctx, err)
	}
	return a.Tokens, problem(a, Token{})
}

// Close ends every helper, once it has finished what it was asked or 5 s have passed.
// Keys handed out fail afterwards.
func (p *Provider) Close() error {
	p.mu.Lock()
	p.closed = true
	all := make([]*library, 0, len(p.children))
	for _, l := range p.children {
		all = append(all, l)
	}
	p.mu.Unlock()
	for _, l := range all {
		l.mu.Lock()
		c := l.now
		l.mu.Unlock()
		if c == nil {
			continue
		}
		c.retire()
		_ = c.in.Close()
		slow := time.AfterFunc(closeLimit, c.kill)
		<-c.ended
		slow.Stop()
	}
	return nil
}

// closeLimit is how long a helper may take to log out and end.
const closeLimit = 5 * time.Second
