package exchange

import (
	"context"
	"strings"
	"time"

	"antin/internal/text"
)

// Session is one person at work: what the cookie stands for.
type Session struct {
	Hash    Digest // SHA-256 of the token: the session's name in the store
	Account Account
	// Actor is who acts by the session: the zero Actor, who may do nothing, while the
	// password must be changed.
	Actor     Actor
	CreatedAt time.Time
	SeenAt    time.Time // last request, true to a minute
	ExpiresAt time.Time // whatever happens
}

// Login opens a session for who knows the password. The token is for the cookie
// alone. address is where the request came from, for the brake. Errors:
// login-failed (which of the two was wrong is not told), locked-out, rate-limited.
func (a *Access) Login(ctx context.Context, agency AgencyCode, login, password, address string) (token string, s Session, err error) {
	_, err = a.attempt(ctx, agency, login, password, address, func(tx Tx, acc *Account) (err error) {
		acc.LastLogin = a.now()
		token, s, err = a.begin(ctx, tx, *acc, address)
		return err
	})
	if err != nil {
		return "", Session{}, err
	}
	return token, s, nil
}

// begin opens a session inside a transaction.
func (a *Access) begin(ctx context.Context, tx Tx, acc Account, address string) (token string, s Session, err error) {
	token, now := random(secretBytes), a.now()
	row := SessionRow{Hash: DigestOf([]byte(token)), Account: acc.ID, Agency: acc.Agency, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(a.absolute())}
	if err := tx.DropSessions(ctx, now); err != nil {
		return "", Session{}, err
	}
	if err := tx.CreateSession(ctx, row); err != nil {
		return "", Session{}, err
	}
	err = a.event(ctx, tx, EventAccountLogin, acc.Actor(), acc.Agency, acc.ID, map[string]string{"login": acc.Login, "address": address})
	return token, asSession(row, acc), err
}

func asSession(row SessionRow, acc Account) Session {
	s := Session{Hash: row.Hash, Account: acc, CreatedAt: row.CreatedAt, SeenAt: row.SeenAt, ExpiresAt: row.ExpiresAt}
	if !acc.MustChange {
		s.Actor = acc.Actor()
	}
	return s
}

// Session returns the session of token and counts this as a request of it. Its
// account is as it is now. Error: session-expired.
func (a *Access) Session(ctx context.Context, token string) (Session, error) {
	if token == "" || len(token) > 4*secretBytes {
		return Session{}, text.Errorf(text.SessionExpired, nil)
	}
	var row SessionRow
	var acc Account
	err := a.Store.View(ctx, func(tx Tx) (err error) {
		if row, err = tx.Session(ctx, DigestOf([]byte(token))); err != nil {
			return err
		}
		acc, err = tx.Account(ctx, row.Account)
		return err
	})
	now := a.now()
	switch {
	case missing(err):
		return Session{}, text.Errorf(text.SessionExpired, nil)
	case err != nil:
		return Session{}, err
	case acc.Disabled || !now.Before(row.ExpiresAt) || now.Sub(row.SeenAt) >= a.idle():
		return Session{}, text.Errorf(text.SessionExpired, nil)
	}
	if now.Sub(row.SeenAt) >= seenEvery {
		row.SeenAt = now
		err := a.Store.Update(ctx, func(tx Tx) error { return tx.SaveSession(ctx, row) })
		if missing(err) { // ended meanwhile
			return Session{}, text.Errorf(text.SessionExpired, nil)
		}
		if err != nil {
			return Session{}, err
		}
	}
	return asSession(row, acc), nil
}

// Logout ends the session of token; one that has ended is no error.
func (a *Access) Logout(ctx context.Context, token string) error {
	return a.Store.Update(ctx, func(tx Tx) error { return tx.EndSession(ctx, DigestOf([]byte(token))) })
}

// Ticket makes a word that opens one session of actor's account without a
// password, once, within ten minutes. Only the demo hands them out. Errors:
// not-found, not-allowed (disabled).
func (a *Access) Ticket(ctx context.Context, actor Actor) (ticket string, err error) {
	err = a.Store.Update(ctx, func(tx Tx) error {
		acc, err := ownAccount(ctx, tx, actor.Agency, ID(actor.ID))
		if err != nil {
			return err
		}
		if acc.Disabled {
			return text.Errorf(text.NotAllowed, nil)
		}
		ticket = random(secretBytes)
		return tx.CreateTicket(ctx, TicketRow{Hash: DigestOf([]byte(ticket)), Account: acc.ID, ExpiresAt: a.now().Add(ticketLife)})
	})
	if err != nil {
		return "", err
	}
	return ticket, nil
}

// Redeem opens the session of a ticket of agency. Errors: session-expired (used,
// too old, unknown, or of another agency), rate-limited.
func (a *Access) Redeem(ctx context.Context, agency AgencyCode, ticket, address string) (token string, s Session, err error) {
	release, err := a.brake.enter(address, a.now())
	if err != nil {
		return "", Session{}, err
	}
	err = a.Store.Update(ctx, func(tx Tx) error {
		row, err := tx.TakeTicket(ctx, DigestOf([]byte(strings.TrimSpace(ticket))))
		if err != nil {
			return err
		}
		acc, err := ownAccount(ctx, tx, agency, row.Account)
		if err != nil {
			return err
		}
		if acc.Disabled || !a.now().Before(row.ExpiresAt) {
			return text.Errorf(text.NotFound, nil)
		}
		acc.LastLogin = a.now()
		if err := tx.SaveAccount(ctx, acc); err != nil {
			return err
		}
		token, s, err = a.begin(ctx, tx, acc, address)
		return err
	})
	switch {
	case missing(err):
		return "", Session{}, text.Detailed(text.SessionExpired, nil, "access.ticket")
	case err != nil:
		return "", Session{}, err
	}
	release()
	return token, s, nil
}
