package exchange

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"sync"
	"time"

	"antin/internal/text"
)

// The prefixes of IDs of those who act.
const (
	PrefixAccount = "tk_" // tài khoản
	PrefixKey     = "ak_" // API key
)

const (
	// defaultIdle ends a session that someone walked away from.
	defaultIdle = 30 * time.Minute
	// defaultAbsolute is a long working day; after it everybody logs in again.
	defaultAbsolute = 12 * time.Hour
	// ticketLife is how long a ticket may lie unused, in a terminal or a log.
	ticketLife = 10 * time.Minute
	// seenEvery bounds the writes that mere reading of pages and calls of the API cause.
	seenEvery = time.Minute
)

// Access holds who may come in: people's accounts, their sessions, and the API
// keys of programs. Only an agency's operator manages them (and the gateway itself,
// for the command line on its machine), and every change is an Event. Fields are
// set once, before use; the methods are safe for concurrent use.
type Access struct {
	Store Store
	Now   func() time.Time
	// Idle ends a session that long after its last request, Absolute that long after
	// it began, whatever happens. 0 means 30 minutes, 12 hours.
	Idle, Absolute time.Duration
	// RefuseSandbox is set where the gateway works for real: sandbox certificates
	// cannot be bound, new keys are antin_live_, and antin_test_ keys open nothing.
	RefuseSandbox bool
	// Scopes are those that a key may have, as the API knows them; nil admits any
	// that is written like one.
	Scopes []string

	hashing  hasher
	brake    brake
	stranger strangers
	once     sync.Once
	dummy    string
}

func (a *Access) now() time.Time {
	// As a column keeps it, so that what is answered equals what is read later.
	return a.Now().UTC().Truncate(time.Microsecond)
}

func (a *Access) idle() time.Duration     { return cmp.Or(a.Idle, defaultIdle) }
func (a *Access) absolute() time.Duration { return cmp.Or(a.Absolute, defaultAbsolute) }

// manages returns nil when by looks after the accounts and keys of its agency.
func manages(by Actor) error { return by.may(RoleOperator, RoleSystem) }

// event appends a fact about an account or key.
func (a *Access) event(ctx context.Context, tx Tx, kind EventKind, by Actor, agency AgencyCode, subject ID, data map[string]string) error {
	_, err := tx.AppendEvent(ctx, Event{Agency: agency, At: a.now(), Kind: kind, Subject: subject, By: by, Data: data})
	return err
}

// secretBytes is the length of tokens, tickets and keys: 160 random bits, which
// nobody guesses.
const secretBytes = 20

// lowercase is base32 in letters that survive being read out and typed.
var lowercase = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// random returns n random bytes in lower-case base32.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return lowercase.EncodeToString(b)
}

// missing reports whether err says that a row is not there.
func missing(err error) bool { return errors.Is(err, &text.Error{Code: text.NotFound}) }
