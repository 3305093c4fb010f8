package exchange

import (
	"context"
	"sync"
	"time"

	"antin/internal/text"
)

const (
	// freeFailures is how many wrong passwords cost nothing: typing errors.
	freeFailures = 5
	// firstLock is the first time that an account hears nobody; each further failure
	// doubles it up to maxLock, so that guessing goes nowhere and a person who is
	// locked out by someone else's guessing gets in the same morning.
	firstLock = 30 * time.Second
	maxLock   = time.Hour
	// forgetAfter is when old failures no longer count.
	forgetAfter = 24 * time.Hour
)

// lockFor is how long an account is shut after its n-th failure in a row.
func lockFor(n int) time.Duration {
	if n < freeFailures {
		return 0
	}
	return min(firstLock<<min(n-freeFailures, 12), maxLock)
}

// failed counts one more wrong password and reports whether it shut the account.
func (a *Account) failed(now time.Time) bool {
	if now.Sub(a.FailedAt) > forgetAfter {
		a.Failures = 0
	}
	a.Failures++
	a.FailedAt = now
	lock := lockFor(a.Failures)
	if lock > 0 {
		a.LockedUntil = now.Add(lock)
	}
	return lock > 0
}

// attempt is one try of a password. The outcome is decided in one transaction,
// so that many tries at once learn no more than the same tries one by one. open
// runs in it when the password is right, and may change the account; the account
// is returned as saved.
func (a *Access) attempt(ctx context.Context, agency AgencyCode, login, password, address string, open func(tx Tx, acc *Account) error) (acc Account, err error) {
	release, err := a.brake.enter(address, a.now())
	if err != nil {
		return Account{}, err
	}
	login, err = parseLogin(login)
	if err != nil || len(password) > 8*maxPassword {
		return Account{}, text.Errorf(text.LoginFailed, nil)
	}
	seen, err := a.AccountByLogin(ctx, agency, login)
	switch {
	case missing(err):
		return Account{}, a.unknown(ctx, agency, login, password)
	case err != nil:
		return Account{}, err
	case a.now().Before(seen.LockedUntil):
		return Account{}, lockedOut(seen.LockedUntil)
	}
	right, err := a.check(ctx, seen.PasswordHash, password)
	if err != nil {
		return Account{}, err
	}
	var outcome error // told after the transaction, which a failure must survive
	err = a.Store.Update(ctx, func(tx Tx) error {
		outcome = nil
		acc, err = tx.Account(ctx, seen.ID)
		now := a.now()
		switch {
		case err != nil:
			return err
		case now.Before(acc.LockedUntil):
			outcome = lockedOut(acc.LockedUntil)
			return nil
		case !right || acc.PasswordHash != seen.PasswordHash:
			outcome = text.Errorf(text.LoginFailed, nil)
			return a.fail(ctx, tx, &acc, address)
		case acc.Disabled:
			outcome = text.Detailed(text.LoginFailed, nil, "access.disabled")
			return nil
		}
		acc.Failures, acc.FailedAt, acc.LockedUntil = 0, time.Time{}, time.Time{}
		if open != nil {
			if err := open(tx, &acc); err != nil {
				return err
			}
		}
		if err := tx.SaveAccount(ctx, acc); err != nil {
			return err
		}
		acc.Version++
		return nil
	})
	if err == nil {
		err = outcome
	}
	if err != nil {
		return Account{}, err
	}
	release()
	return acc, nil
}

// fail records a wrong password.
func (a *Access) fail(ctx context.Context, tx Tx, acc *Account, address string) error {
	if acc.failed(a.now()) {
		data := map[string]string{"login": acc.Login, "failures": count(acc.Failures), "address": address}
		if err := a.event(ctx, tx, EventAccountLocked, System(acc.Agency), acc.Agency, acc.ID, data); err != nil {
			return err
		}
	}
	return tx.SaveAccount(ctx, *acc)
}

// unknown does for a login that nobody has what is done for one that somebody has:
// the same work, the same words, the same lock-out.
func (a *Access) unknown(ctx context.Context, agency AgencyCode, login, password string) error {
	key := string(agency) + "/" + login
	if until := a.stranger.locked(key, a.now()); !until.IsZero() {
		return lockedOut(until)
	}
	if _, err := a.check(ctx, "", password); err != nil {
		return err
	}
	if until := a.stranger.fail(key, a.now()); !until.IsZero() {
		return lockedOut(until)
	}
	return text.Errorf(text.LoginFailed, nil)
}

// check compares password with a hash; an empty hash costs the same and matches nothing.
func (a *Access) check(ctx context.Context, phc, password string) (bool, error) {
	if phc != "" {
		return a.hashing.verify(ctx, phc, password)
	}
	a.once.Do(func() { a.dummy, _ = a.hashing.hash(context.WithoutCancel(ctx), random(secretBytes)) })
	_, err := a.hashing.verify(ctx, a.dummy, password)
	return false, err
}

// lockedOut says until when.
func lockedOut(until time.Time) error {
	return text.Detailed(text.LockedOut, nil, "access.locked-until", until.In(Vietnam).Format("15:04:05"))
}

const (
	// maxPerMinute is how many failed or unfinished log-ins one address has in a
	// minute: a whole office behind one address mistypes less.
	maxPerMinute = 60
	// maxAddresses bounds what the brake remembers; beyond it, new addresses share one.
	maxAddresses = 10_000
	// maxStrangers bounds the remembered logins that nobody has.
	maxStrangers = 10_000
)

// brake slows down who guesses many accounts from one address. The zero value works.
type brake struct {
	mu   sync.Mutex
	from map[string]*window
}

type window struct {
	since time.Time
	n     int
}

// enter counts a try from address; release takes it back when it was a good one.
// rate-limited when there were too many.
func (b *brake) enter(address string, now time.Time) (release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.from == nil {
		b.from = map[string]*window{}
	}
	w := b.from[address]
	if w == nil {
		if len(b.from) >= maxAddresses {
			for k, old := range b.from {
				if now.Sub(old.since) >= time.Minute {
					delete(b.from, k)
				}
			}
			if len(b.from) >= maxAddresses {
				address = ""
			}
		}
		if w = b.from[address]; w == nil {
			w = &window{since: now}
			b.from[address] = w
		}
	}
	if now.Sub(w.since) >= time.Minute {
		w.since, w.n = now, 0
	}
	if w.n >= maxPerMinute {
		return nil, text.Errorf(text.RateLimited, nil)
	}
	w.n++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		w.n = max(w.n-1, 0)
	}, nil
}

// strangers counts failures of logins that nobody has. The zero value works.
type strangers struct {
	mu sync.Mutex
	of map[string]*Account
}

// locked returns until when key is shut; zero when it is not.
func (s *strangers) locked(key string, now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.of[key]; a != nil && now.Before(a.LockedUntil) {
		return a.LockedUntil
	}
	return time.Time{}
}

// fail counts one failure of key, and returns until when others shut it meanwhile.
func (s *strangers) fail(key string, now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.of) >= maxStrangers {
		s.of = map[string]*Account{}
	}
	a := s.of[key]
	if a == nil {
		a = &Account{}
		s.of[key] = a
	}
	if now.Before(a.LockedUntil) {
		return a.LockedUntil
	}
	a.failed(now)
	return time.Time{}
}
