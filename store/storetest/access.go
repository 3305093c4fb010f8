package storetest

import (
	"errors"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// accessTests are the suite's part about accounts, sessions, tickets and keys.
var accessTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"holds a login once in an agency", logins},
	{"refuses to save an account that changed since it was read", accountVersions},
	{"ends sessions and tickets with their account or their time", sessions},
	{"gives a ticket out once", tickets},
	{"finds a key by either of its secrets", keys},
}

func newAccount(login string, role exchange.Role) exchange.Account {
	return exchange.Account{ID: exchange.NewID(exchange.PrefixAccount, at), Agency: agency, Login: login, Name: "Nguyễn Văn A", Role: role, CreatedAt: at}
}

func logins(t *testing.T, e Engine) {
	a, b := newAccount("an", exchange.RoleClerk), newAccount("binh", exchange.RoleLeader)
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateAccount(t.Context(), b), tx.CreateAccount(t.Context(), a))
	})
	other := newAccount("an", exchange.RoleClerk)
	update(t, e, func(tx exchange.Tx) error {
		if err := tx.CreateAccount(t.Context(), other); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a second account of the same login: %v", err)
		}
		other.Agency = "H15.02" // another agency has logins of its own
		return tx.CreateAccount(t.Context(), other)
	})
	a.Version, b.Version = 1, 1
	view(t, e, func(tx exchange.Tx) error {
		got, err := tx.AccountByLogin(t.Context(), agency, "an")
		same(t, "account", got, a)
		all, err2 := tx.Accounts(t.Context(), agency, "")
		same(t, "accounts", all, []exchange.Account{a, b})
		leaders, err3 := tx.Accounts(t.Context(), agency, exchange.RoleLeader)
		same(t, "leaders", leaders, []exchange.Account{b})
		_, none := tx.Account(t.Context(), "tk_none")
		wantCode(t, none, text.NotFound)
		return errors.Join(err, err2, err3)
	})
}

func accountVersions(t *testing.T, e Engine) {
	a := newAccount("an", exchange.RoleClerk)
	k := exchange.APIKey{ID: exchange.NewID(exchange.PrefixKey, at), Agency: agency, Hash: exchange.DigestOf([]byte("s"))}
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.CreateAccount(t.Context(), a), tx.CreateKey(t.Context(), k))
	})
	a.Version, k.Version = 1, 1
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.SaveAccount(t.Context(), a), tx.SaveKey(t.Context(), k))
	})
	err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.SaveAccount(t.Context(), a) })
	wantCode(t, err, text.StateConflict)
	err = e.Update(t.Context(), func(tx exchange.Tx) error { return tx.SaveKey(t.Context(), k) })
	wantCode(t, err, text.StateConflict)
}

func sessions(t *testing.T, e Engine) {
	row := func(name string, account exchange.ID, ends time.Duration) exchange.SessionRow {
		return exchange.SessionRow{Hash: exchange.DigestOf([]byte(name)), Account: account, Agency: agency, CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(ends)}
	}
	kept, ended, old, other := row("kept", "tk_1", time.Hour), row("ended", "tk_1", time.Hour), row("old", "tk_2", time.Minute), row("other", "tk_2", time.Hour)
	ticket := exchange.TicketRow{Hash: exchange.DigestOf([]byte("ticket")), Account: "tk_1", ExpiresAt: at.Add(time.Hour)}
	update(t, e, func(tx exchange.Tx) error {
		var errs []error
		for _, s := range []exchange.SessionRow{kept, ended, old, other} {
			errs = append(errs, tx.CreateSession(t.Context(), s))
		}
		return errors.Join(append(errs, tx.CreateTicket(t.Context(), ticket))...)
	})
	kept.SeenAt = at.Add(time.Minute)
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.SaveSession(t.Context(), kept), tx.EndSessions(t.Context(), "tk_1", kept.Hash), tx.DropSessions(t.Context(), at.Add(time.Minute)))
	})
	view(t, e, func(tx exchange.Tx) error {
		for _, s := range []exchange.SessionRow{kept, other} {
			got, err := tx.Session(t.Context(), s.Hash)
			must(t, err)
			same(t, "session", got, s)
		}
		for _, s := range []exchange.SessionRow{ended, old} {
			_, err := tx.Session(t.Context(), s.Hash)
			wantCode(t, err, text.NotFound)
		}
		return nil
	})
	err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.SaveSession(t.Context(), ended) })
	wantCode(t, err, text.NotFound)
	err = e.Update(t.Context(), func(tx exchange.Tx) error {
		_, err := tx.TakeTicket(t.Context(), ticket.Hash)
		return err
	})
	wantCode(t, err, text.NotFound)
}

func tickets(t *testing.T, e Engine) {
	ticket := exchange.TicketRow{Hash: exchange.DigestOf([]byte("ticket")), Account: "tk_1", ExpiresAt: at.Add(time.Hour)}
	update(t, e, func(tx exchange.Tx) error { return tx.CreateTicket(t.Context(), ticket) })
	update(t, e, func(tx exchange.Tx) error {
		got, err := tx.TakeTicket(t.Context(), ticket.Hash)
		same(t, "ticket", got, ticket)
		return err
	})
	err := e.Update(t.Context(), func(tx exchange.Tx) error {
		_, err := tx.TakeTicket(t.Context(), ticket.Hash)
		return err
	})
	wantCode(t, err, text.NotFound)
}

func keys(t *testing.T, e Engine) {
	hash := func(s string) exchange.Digest { return exchange.DigestOf([]byte(s)) }
	k := exchange.APIKey{ID: exchange.NewID(exchange.PrefixKey, at), Agency: agency, Name: "QLVB", Scopes: []string{"verify"}, Hash: hash("one"), CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
	update(t, e, func(tx exchange.Tx) error { return tx.CreateKey(t.Context(), k) })
	k.Version, k.OldHash, k.Hash = 1, k.Hash, hash("two")
	update(t, e, func(tx exchange.Tx) error { return tx.SaveKey(t.Context(), k) })
	k.Version = 2
	view(t, e, func(tx exchange.Tx) error {
		for _, s := range []string{"one", "two"} {
			got, err := tx.KeyByHash(t.Context(), hash(s))
			must(t, err)
			same(t, "key", got, k)
		}
		_, err := tx.KeyByHash(t.Context(), hash("three"))
		wantCode(t, err, text.NotFound)
		_, err = tx.KeyByHash(t.Context(), "")
		wantCode(t, err, text.NotFound)
		all, err := tx.Keys(t.Context(), agency)
		same(t, "keys", all, []exchange.APIKey{k})
		return err
	})
}
