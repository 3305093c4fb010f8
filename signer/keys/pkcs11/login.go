package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"antin/certs"
	"antin/internal/text"
)

// login is what is known of one token's PIN. Its mutex is held while a PIN is
// presented, so that there is one try at a time, and the next sees how it ended.
type login struct {
	mu    sync.Mutex
	asked bool // pin was asked for
	pin   []byte
	good  bool  // the token took it
	dead  error // the token refused it, or went away over it: no further try
	slots chan struct{}
}

// errUnproven stands where a helper ended while a PIN was presented for the first
// time: whether the token counted it as wrong is unknown.
var errUnproven = errors.New("the helper ended while the PIN was presented")

func (p *Provider) login(module string, t Token) *login {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := module + "\x00" + t.Serial + "\x00" + t.Label
	l, ok := p.logins[name]
	if !ok {
		l = &login{slots: make(chan struct{}, p.sessions())}
		p.logins[name] = l
	}
	return l
}

// find finds e's token in c, logs in, and finds key and certificates.
func (p *Provider) find(ctx context.Context, c *child, e *entry) (*opened, error) {
	tokens, err := p.tokens(ctx, c)
	if err != nil {
		return nil, err
	}
	t, err := chooseToken(e.uri, tokens)
	if err != nil {
		return nil, err
	}
	l := p.login(e.module, t)
	a, err := p.enter(ctx, c, e, l, t)
	if err != nil {
		return nil, err
	}
	var given []*certs.Certificate
	if p.Certificates != nil {
		if given, err = p.Certificates(e.uri); err != nil {
			return nil, err
		}
	}
	h, err := choose(e.uri, a.Keys, a.Certificates, given)
	if err != nil {
		return nil, err
	}
	return &opened{held: h, child: c, token: t, login: l, can: a.Mechanisms}, nil
}

// enter logs in to t, unless c is logged in already, and asks for the keys.
func (p *Provider) enter(ctx context.Context, c *child, e *entry, l *login, t Token) (Answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Request{Op: OpOpen, Slot: t.Slot, Serial: t.Serial, Object: e.uri.Object, KeyID: e.uri.ID}
	name := fmt.Sprint(t.Slot, "\x00", t.Serial, "\x00", t.Label)
	if !t.Login || c.loggedIn(name) {
		a, err := c.call(ctx, r, p.callLimit())
		if err != nil {
			return Answer{}, unanswered(ctx, err)
		}
		return a, problem(a, t)
	}
	if err := p.mayTry(ctx, e, l, t); err != nil {
		return Answer{}, err
	}
	r.Login, r.PIN = true, l.pin
	// A try must be seen to its end whatever its caller does meanwhile: it counts.
	a, err := c.call(context.WithoutCancel(ctx), r, p.callLimit())
	if errors.Is(err, errUndelivered) {
		return Answer{}, unanswered(ctx, err)
	}
	if err != nil {
		if !l.good {
			l.refused(text.Detailed(text.KeyLocked, errors.Join(errUnproven, err), "token.pin_unproven", t.Label))
			return Answer{}, l.dead
		}
		return Answer{}, unanswered(ctx, err)
	}
	l.note(a, t)
	if a.Login == LoginOK {
		c.setLoggedIn(name)
	}
	return a, problem(a, t)
}

// note keeps how the token received the PIN. A PIN that was good stays so through
// failures of the reader, not through a refusal.
func (l *login) note(a Answer, t Token) {
	refused := a.Code == CodePINWrong || a.Code == CodePINLocked || a.Code == CodePINExpired
	switch {
	case a.Login == LoginOK:
		l.good = true
	case a.Login == LoginFailed && (refused || !l.good):
		l.refused(problem(a, t))
	}
}

// refused ends all use of the PIN.
func (l *login) refused(err error) {
	clear(l.pin)
	l.pin, l.good, l.dead = nil, false, err
}

// mayTry refuses to present a PIN where that is known to be wrong or could lock the
// token, and asks for one at the first time. l.mu is held.
func (p *Provider) mayTry(ctx context.Context, e *entry, l *login, t Token) error {
	switch {
	case l.dead != nil:
		return l.dead
	case t.Locked:
		return problem(Answer{Code: CodePINLocked}, t)
	case t.LastTry:
		return problem(Answer{Code: CodePINLastTry}, t)
	case t.PINPad || l.asked:
		return nil
	case p.PIN == nil:
		return problem(Answer{Code: CodePINNeeded}, t)
	}
	pin, err := p.PIN(ctx, e.uri, t)
	if err != nil {
		return err
	}
	if pin == "" {
		return problem(Answer{Code: CodePINNeeded}, t)
	}
	l.pin, l.asked = []byte(pin), true
	return nil
}
