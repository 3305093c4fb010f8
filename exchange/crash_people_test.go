package exchange_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/internal/text"
)

// again takes an error that says the act was done before its answer died for none.
func again(err error, done text.Code) error {
	if text.CodeOf(err) == done {
		return nil
	}
	return err
}

// staffed is a site whose accounts are on a disk that can fail, and its operator.
func staffed(t *testing.T) (*site, *exchange.Access, exchange.Actor) {
	t.Helper()
	a, _ := newPair(t)
	operator := exchange.Actor{ID: "operator", Name: "Quản Trị", Role: exchange.RoleOperator, Agency: "H15.01"}
	return a, &exchange.Access{Store: a.db, Now: a.Now}, operator
}

func TestAccountsSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	s, access, operator := staffed(t)
	ctx := t.Context()
	login := func(n int) string { return fmt.Sprint("nguoi", n) }
	account := func(n int) exchange.Account {
		acc, err := access.AccountByLogin(ctx, operator.Agency, login(n))
		must(t, err)
		return acc
	}
	everyFewWrites(t, s, 3, func(n int) error {
		_, _, err := access.AddAccount(ctx, operator, exchange.NewAccount{Login: login(n), Name: "Lê Thị An", Role: exchange.RoleLeader, Position: "Trưởng phòng", Password: goodPassword, Keep: true})
		return again(err, text.StateConflict)
	}, func(n int) {
		all, err := access.Accounts(ctx, operator)
		if must(t, err); len(all) != n {
			t.Fatalf("round %d: %d accounts", n, len(all))
		}
		if _, _, err := access.Login(ctx, operator.Agency, login(n), goodPassword, "10.0.0.1"); err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
	})
	first := account(1)
	everyFewWrites(t, s, 3, func(n int) error {
		name := fmt.Sprint("Lê Thị Bình ", n)
		var version int
		s.db.Pause(func() { version = account(1).Version })
		_, err := access.EditAccount(ctx, operator, first.ID, exchange.EditAccount{Version: version, Name: name, Role: exchange.RoleLeader, Position: "Chánh Văn phòng"})
		return err
	}, func(n int) {
		if acc := account(1); acc.Name != fmt.Sprint("Lê Thị Bình ", n) {
			t.Fatalf("round %d: %+v", n, acc)
		}
	})
	p, err := pki()
	must(t, err)
	leader := p.Signer(certstest.RoleLeader).Certificate.Raw
	everyFewWrites(t, s, 3, func(n int) error {
		der := leader
		if n%2 == 0 {
			der = nil
		}
		return access.BindCertificate(exchange.WithIdempotencyKey(ctx, fmt.Sprint("bind", n)), operator, first.ID, der)
	}, func(n int) {
		if acc := account(1); (len(acc.Certificate) > 0) != (n%2 == 1) {
			t.Fatalf("round %d: %d bytes of certificate", n, len(acc.Certificate))
		}
	})
	everyFewWrites(t, s, 4, func(n int) error {
		return access.SetDisabled(exchange.WithIdempotencyKey(ctx, fmt.Sprint("shut", n)), operator, first.ID, n%2 == 1)
	}, func(n int) {
		if acc := account(1); acc.Disabled != (n%2 == 1) {
			t.Fatalf("round %d: disabled %v", n, acc.Disabled)
		}
	})
	kinds := s.kinds(t, first.ID)
	if slices.Index(kinds, exchange.EventAccountCreated) != 0 || slices.Contains(kinds[1:], exchange.EventAccountCreated) {
		t.Errorf("evidence %v", kinds)
	}
}

func TestPasswordsAndSessionsSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	s, access, operator := staffed(t)
	ctx := t.Context()
	password := func(n int) string { return fmt.Sprint(goodPassword, " ", n) }
	acc, _, err := access.AddAccount(ctx, operator, exchange.NewAccount{Login: "an", Name: "Lê Thị An", Role: exchange.RoleClerk, Password: password(0), Keep: true})
	must(t, err)
	opens := func(n int) (string, exchange.Session) {
		t.Helper()
		token, session, err := access.Login(ctx, operator.Agency, "an", password(n), "10.0.0.1")
		if err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
		return token, session
	}
	everyFewWrites(t, s, 4, func(int) error { // a login
		token, _, err := access.Login(ctx, operator.Agency, "an", password(0), "10.0.0.1")
		if err != nil {
			return err
		}
		_, err = access.Session(ctx, token)
		return err
	}, func(n int) { opens(0) })
	everyFewWrites(t, s, 2, func(n int) error { // a logout
		var token string
		s.db.Pause(func() { token, _ = opens(0) })
		if err := access.Logout(ctx, token); err != nil {
			return err
		}
		_, err := access.Session(ctx, token)
		return again(err, text.SessionExpired)
	}, func(int) {})
	last := 0
	everyFewWrites(t, s, 4, func(n int) error { // the person's own change
		var session exchange.Session
		s.db.Pause(func() {
			if token, _, err := access.Login(ctx, operator.Agency, "an", password(n), "10.0.0.1"); err == nil {
				must(t, access.Logout(ctx, token))
				last = n // it was done before its answer died
				return
			}
			s.advance(time.Hour) // the wrong one counts
			_, session = opens(last)
		})
		if last == n {
			return nil
		}
		return access.ChangePassword(ctx, session, password(last), password(n))
	}, func(n int) {
		last = n
		opens(n)
	})
	everyFewWrites(t, s, 4, func(n int) error { // the operator's reset
		_, err := access.ResetPassword(ctx, operator, acc.ID, password(1000+n))
		return err
	}, func(n int) {
		if _, session := opens(1000 + n); !session.Account.MustChange {
			t.Fatalf("round %d: a reset password stays", n)
		}
	})
}

func TestAPIKeysSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	s, access, operator := staffed(t)
	ctx := t.Context()
	made := map[int]string{}
	everyFewWrites(t, s, 3, func(n int) (err error) {
		made[n], _, err = access.NewKey(ctx, operator, exchange.NewAPIKey{Name: fmt.Sprint("QLVB ", n), Scopes: []string{"verify"}})
		return err
	}, func(n int) {
		if _, err := access.KeyBySecret(ctx, made[n]); err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
	})
	k, err := access.KeyBySecret(ctx, made[1])
	must(t, err)
	secret := made[1] // what the program uses
	var next string
	everyFewWrites(t, s, 3, func(n int) (err error) {
		next, _, err = access.RotateKey(ctx, operator, k.ID, time.Hour)
		return err
	}, func(n int) {
		for _, in := range []string{secret, next} { // the one in use goes on, however often its successor was lost
			if _, err := access.KeyBySecret(ctx, in); err != nil {
				t.Fatalf("round %d: %v", n, err)
			}
		}
		secret = next
	})
	everyFewWrites(t, s, 2, func(n int) error {
		s.advance(time.Hour)
		_, err := access.KeyBySecret(ctx, secret)
		return err
	}, func(n int) {
		if now, err := access.KeyBySecret(ctx, secret); err != nil || !now.LastUsed.Equal(s.Now()) && s.Now().Sub(now.LastUsed) > time.Minute {
			t.Fatalf("round %d: last used %v: %v", n, now.LastUsed, err)
		}
	})
	made[1] = "" // was rotated
	ids := map[int]exchange.ID{}
	everyFewWrites(t, s, 3, func(n int) error {
		s.db.Pause(func() {
			if made[n] == "" {
				var err error
				made[n], _, err = access.NewKey(ctx, operator, exchange.NewAPIKey{Name: fmt.Sprint("QLVB ", n), Scopes: []string{"verify"}})
				must(t, err)
			}
			if ids[n] == "" {
				k, err := access.KeyBySecret(ctx, made[n])
				must(t, err)
				ids[n] = k.ID
			}
		})
		return access.RevokeKey(ctx, operator, ids[n])
	}, func(n int) {
		if _, err := access.KeyBySecret(ctx, made[n]); text.CodeOf(err) != text.NotAllowed {
			t.Fatalf("round %d: a revoked key opens: %v", n, err)
		}
	})
}
