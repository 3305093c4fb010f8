package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// door is the accounts of one agency with their own store and clock.
type door struct {
	*exchange.Access
	*clock
	db     *store.DB
	by     exchange.Actor
	agency exchange.AgencyCode
}

// Now is the clock of the tests and of the accounts.
func (d *door) Now() time.Time { return d.clock.Now() }

func newDoor(t *testing.T) *door {
	t.Helper()
	c := &clock{}
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Database: database(t), Now: c.Now})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	d := &door{clock: c, db: db, agency: "H15.01", Access: &exchange.Access{Store: db, Now: c.Now}}
	d.by = exchange.Actor{ID: "operator", Name: "Quản Trị", Role: exchange.RoleOperator, Agency: d.agency}
	return d
}

const goodPassword = "một câu dài dễ nhớ"

func (d *door) add(t *testing.T, login string, role exchange.Role) exchange.Account {
	t.Helper()
	a, shown, err := d.AddAccount(t.Context(), d.by, exchange.NewAccount{Login: login, Name: "Lê Thị " + login, Role: role, Position: "Trưởng phòng", Password: goodPassword, Keep: true})
	must(t, err)
	if shown != "" {
		t.Error("a password that was brought is shown")
	}
	return a
}

func (d *door) login(t *testing.T, login string) (string, exchange.Session) {
	t.Helper()
	token, s, err := d.Login(t.Context(), d.agency, login, goodPassword, "10.0.0.1")
	must(t, err)
	return token, s
}

// kinds are the facts recorded about id, in order.
func (d *door) kinds(t *testing.T, id exchange.ID) (out []exchange.EventKind) {
	t.Helper()
	must(t, d.db.View(t.Context(), func(tx exchange.Tx) error {
		events, err := tx.EventsOf(t.Context(), id)
		out = nil
		for _, e := range events {
			out = append(out, e.Kind)
			if m := e.Message(); m.VI == "" || strings.Contains(m.VI, "%!") || strings.HasPrefix(m.VI, "event.") {
				t.Errorf("event %s reads %q", e.Kind, m.VI)
			}
		}
		return err
	}))
	return out
}

func TestASessionIsOpenedByThePasswordAndEndsByItsLimits(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "an.le", exchange.RoleClerk)
	token, s := d.login(t, " An.LE ")
	if s.Actor != acc.Actor() || s.Actor.Role != exchange.RoleClerk || s.Actor.ID != string(acc.ID) {
		t.Fatalf("actor %+v", s.Actor)
	}
	for range 5 { // work slides the idle limit
		d.advance(29 * time.Minute)
		_, err := d.Session(t.Context(), token)
		must(t, err)
	}
	d.advance(31 * time.Minute)
	_, err := d.Session(t.Context(), token)
	wantCode(t, err, text.SessionExpired)

	token, _ = d.login(t, "an.le")
	for range 36 { // 12 hours of work
		d.advance(20 * time.Minute)
		_, err = d.Session(t.Context(), token)
	}
	wantCode(t, err, text.SessionExpired)

	token, _ = d.login(t, "an.le")
	must(t, d.Logout(t.Context(), token))
	_, err = d.Session(t.Context(), token)
	wantCode(t, err, text.SessionExpired)
	for _, bad := range []string{"", "x", strings.Repeat("a", 10_000)} {
		_, err = d.Session(t.Context(), bad)
		wantCode(t, err, text.SessionExpired)
	}
}

func TestWrongPasswordsLockAnAccountLongerAndLonger(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "an", exchange.RoleClerk)
	wrong := func() error {
		_, _, err := d.Login(t.Context(), d.agency, "an", "không phải mật khẩu", "10.0.0.1")
		return err
	}
	for range 5 {
		wantCode(t, wrong(), text.LoginFailed)
	}
	wait := 30 * time.Second
	for range 9 {
		wantCode(t, wrong(), text.LockedOut)
		_, _, err := d.Login(t.Context(), d.agency, "an", goodPassword, "10.0.0.1")
		wantCode(t, err, text.LockedOut) // the right one is not heard either
		d.advance(wait - time.Second)
		wantCode(t, wrong(), text.LockedOut)
		d.advance(2 * time.Second)
		wantCode(t, wrong(), text.LoginFailed)
		wait = min(2*wait, time.Hour)
	}
	d.advance(time.Hour + time.Second)
	d.login(t, "an")
	wantCode(t, wrong(), text.LoginFailed) // forgiven: five more are free
	found := false
	for _, k := range d.kinds(t, acc.ID) {
		found = found || k == exchange.EventAccountLocked
	}
	if !found {
		t.Error("the lock-out is not in the evidence")
	}
}

func TestALockOutOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.add(t, "an", exchange.RoleClerk)
	for range 5 {
		_, _, err := d.Login(t.Context(), d.agency, "an", "sai", "10.0.0.1")
		wantCode(t, err, text.LoginFailed)
	}
	again := &exchange.Access{Store: d.db, Now: d.Now}
	_, _, err := again.Login(t.Context(), d.agency, "an", goodPassword, "10.0.0.2")
	wantCode(t, err, text.LockedOut)
}

func TestAnUnknownLoginIsAnsweredLikeAKnownOne(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.add(t, "an", exchange.RoleClerk)
	answers := func(login string) (out []string) {
		for range 7 {
			_, _, err := d.Login(t.Context(), d.agency, login, "sai mật khẩu", "10.0.0.1")
			out = append(out, string(text.CodeOf(err)))
		}
		return out
	}
	if known, unknown := answers("an"), answers("nobody"); fmt.Sprint(known) != fmt.Sprint(unknown) {
		t.Errorf("a known login answers %v, an unknown one %v", known, unknown)
	}
}

func TestGuessesAtOnceLearnNoMoreThanOneByOne(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.add(t, "an", exchange.RoleClerk)
	var failed, locked atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, _, err := d.Login(context.Background(), d.agency, "an", "sai mật khẩu", "10.0.0.1")
			switch text.CodeOf(err) { //nolint:exhaustive // any other is wrong
			case text.LoginFailed:
				failed.Add(1)
			case text.LockedOut:
				locked.Add(1)
			}
		})
	}
	wg.Wait()
	if failed.Load() != 5 || locked.Load() != 15 {
		t.Errorf("%d guesses were judged, %d refused", failed.Load(), locked.Load())
	}
}

func TestFiftyLoginsAtOnceAllSucceed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	const n = 50
	// One hash serves all: what is measured is coming in, not being added.
	first := d.add(t, "u0", exchange.RoleClerk)
	must(t, d.db.Update(t.Context(), func(tx exchange.Tx) error {
		for i := 1; i < n; i++ {
			a := first
			a.ID, a.Login = exchange.NewID(exchange.PrefixAccount, d.Now()), fmt.Sprintf("u%d", i)
			if err := tx.CreateAccount(t.Context(), a); err != nil {
				return err
			}
		}
		return nil
	}))
	errs := make(chan error, n)
	for i := range n {
		go func() {
			_, _, err := d.Login(context.Background(), d.agency, fmt.Sprintf("u%d", i), goodPassword, "10.0.0.1")
			errs <- err
		}()
	}
	for range n {
		must(t, <-errs)
	}
}

func TestOneAddressIsBraked(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	var last error
	for i := range 61 { // malformed logins cost no hash, and count all the same
		_, _, last = d.Login(t.Context(), d.agency, fmt.Sprintf("!%d", i), "x", "10.0.0.9")
	}
	wantCode(t, last, text.RateLimited)
	_, _, err := d.Login(t.Context(), d.agency, "!", "x", "10.0.0.10")
	wantCode(t, err, text.LoginFailed)
	d.advance(61 * time.Second)
	_, _, err = d.Login(t.Context(), d.agency, "!", "x", "10.0.0.9")
	wantCode(t, err, text.LoginFailed)
}

func TestWhatEndsSessionsAtOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]func(d *door, t *testing.T, acc exchange.Account){
		"disabling": func(d *door, t *testing.T, acc exchange.Account) {
			must(t, d.SetDisabled(t.Context(), d.by, acc.ID, true))
		},
		"a reset password": func(d *door, t *testing.T, acc exchange.Account) {
			_, err := d.ResetPassword(t.Context(), d.by, acc.ID, "")
			must(t, err)
		},
		"another role": func(d *door, t *testing.T, acc exchange.Account) {
			now, err := d.Account(t.Context(), d.by, acc.ID)
			must(t, err)
			_, err = d.EditAccount(t.Context(), d.by, acc.ID, exchange.EditAccount{Version: now.Version, Name: "Tên Mới", Role: exchange.RoleOfficer})
			must(t, err)
		},
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			acc := d.add(t, "an", exchange.RoleClerk)
			token, _ := d.login(t, "an")
			ticket, err := d.Ticket(t.Context(), acc.Actor())
			must(t, err)
			act(d, t, acc)
			_, err = d.Session(t.Context(), token)
			wantCode(t, err, text.SessionExpired)
			_, _, err = d.Redeem(t.Context(), d.agency, ticket, "")
			wantCode(t, err, text.SessionExpired)
		})
	}
}

func TestADisabledAccountComesInNoMore(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "an", exchange.RoleClerk)
	must(t, d.SetDisabled(t.Context(), d.by, acc.ID, true))
	_, _, err := d.Login(t.Context(), d.agency, "an", goodPassword, "")
	wantCode(t, err, text.LoginFailed)
	_, err = d.Ticket(t.Context(), acc.Actor())
	wantCode(t, err, text.NotAllowed)
	must(t, d.SetDisabled(t.Context(), d.by, acc.ID, false))
	d.login(t, "an")
}

func TestAResetPasswordMustBeChangedByItsPerson(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "an", exchange.RoleClerk)
	shown, err := d.ResetPassword(t.Context(), d.by, acc.ID, "")
	must(t, err)
	_, _, err = d.Login(t.Context(), d.agency, "an", goodPassword, "")
	wantCode(t, err, text.LoginFailed)
	token, s, err := d.Login(t.Context(), d.agency, "an", shown, "")
	must(t, err)
	other, _, err := d.Login(t.Context(), d.agency, "an", shown, "")
	must(t, err)
	if !s.Account.MustChange || s.Actor != (exchange.Actor{}) {
		t.Fatal("the reset password may be kept")
	}
	wantCode(t, d.ChangePassword(t.Context(), s, "sai rồi nhé bạn", "mật khẩu hoàn toàn mới"), text.LoginFailed)
	wantCode(t, d.ChangePassword(t.Context(), s, shown, shown), text.InvalidInput)
	must(t, d.ChangePassword(t.Context(), s, shown, "mật khẩu hoàn toàn mới"))
	s, err = d.Session(t.Context(), token)
	must(t, err)
	if s.Account.MustChange {
		t.Error("the new password has to be changed again")
	}
	_, err = d.Session(t.Context(), other)
	wantCode(t, err, text.SessionExpired)
	want := []exchange.EventKind{exchange.EventAccountCreated, exchange.EventAccountPassword, exchange.EventAccountLogin, exchange.EventAccountLogin, exchange.EventAccountOwnPassword}
	if got := d.kinds(t, acc.ID); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("evidence %v, want %v", got, want)
	}
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "nguyen.van.an", exchange.RoleClerk)
	for pw, ok := range map[string]bool{
		"ngắn":                    false,
		"mười một kt":             false,
		"nguyen.van.an":           false,
		"NGUYEN van an":           false,
		"lê thị nguyen.van.an":    false, // the name
		"dòng một\ndòng hai nhé":  false,
		strings.Repeat("dài", 50): false,
		"\xff\xfe không phải chữ": false,
		"chỉ toàn chữ thường":     true,
		"            ....":        false, // two characters, again and again
	} {
		_, err := d.ResetPassword(t.Context(), d.by, acc.ID, pw)
		if ok {
			must(t, err)
		} else {
			wantCode(t, err, text.InvalidInput)
		}
	}
}

func TestAPasswordTypedDecomposedIsTheSame(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "an", exchange.RoleClerk)
	_, err := d.ResetPassword(t.Context(), d.by, acc.ID, "tiê\u0301ng Việt hai kiểu gõ") // ế in two parts
	must(t, err)
	_, _, err = d.Login(t.Context(), d.agency, "an", "ti\u1ebfng Việt hai kiểu gõ", "")
	must(t, err)
}

func TestATicketOpensOneSessionSoon(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc, _, err := d.AddAccount(t.Context(), d.by, exchange.NewAccount{Login: "demo", Name: "Văn Thư", Role: exchange.RoleClerk, NoPassword: true})
	must(t, err)
	for _, pw := range []string{"", goodPassword} {
		_, _, err = d.Login(t.Context(), d.agency, "demo", pw, "")
		wantCode(t, err, text.LoginFailed)
	}
	ticket, err := d.Ticket(t.Context(), acc.Actor())
	must(t, err)
	_, _, err = d.Redeem(t.Context(), "H15.02", ticket, "") // another agency's door
	wantCode(t, err, text.SessionExpired)
	token, s, err := d.Redeem(t.Context(), d.agency, ticket, "")
	must(t, err)
	if s.Actor != acc.Actor() {
		t.Errorf("actor %+v", s.Actor)
	}
	_, err = d.Session(t.Context(), token)
	must(t, err)
	_, _, err = d.Redeem(t.Context(), d.agency, ticket, "")
	wantCode(t, err, text.SessionExpired)
	late, err := d.Ticket(t.Context(), acc.Actor())
	must(t, err)
	d.advance(11 * time.Minute)
	_, _, err = d.Redeem(t.Context(), d.agency, late, "")
	wantCode(t, err, text.SessionExpired)
}

func TestOnlyAnOperatorManagesAndOnlyItsOwnAgency(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "an", exchange.RoleClerk)
	_, k, err := d.NewKey(t.Context(), d.by, exchange.NewAPIKey{Name: "QLVB", Scopes: []string{"verify"}})
	must(t, err)
	acts := map[string]func(by exchange.Actor) error{
		"add": func(by exchange.Actor) error {
			_, _, err := d.AddAccount(t.Context(), by, exchange.NewAccount{Login: "khac", Name: "Khác", Role: exchange.RoleClerk, NoPassword: true})
			return err
		},
		"list":    func(by exchange.Actor) error { _, err := d.Accounts(t.Context(), by); return err },
		"account": func(by exchange.Actor) error { _, err := d.Account(t.Context(), by, acc.ID); return err },
		"edit": func(by exchange.Actor) error {
			_, err := d.EditAccount(t.Context(), by, acc.ID, exchange.EditAccount{Version: 1, Name: "X", Role: exchange.RoleOperator})
			return err
		},
		"disable":     func(by exchange.Actor) error { return d.SetDisabled(t.Context(), by, acc.ID, true) },
		"certificate": func(by exchange.Actor) error { return d.BindCertificate(t.Context(), by, acc.ID, nil) },
		"reset":       func(by exchange.Actor) error { _, err := d.ResetPassword(t.Context(), by, acc.ID, ""); return err },
		"key": func(by exchange.Actor) error {
			_, _, err := d.NewKey(t.Context(), by, exchange.NewAPIKey{Name: "x", Scopes: []string{"verify"}})
			return err
		},
		"keys":   func(by exchange.Actor) error { _, err := d.Keys(t.Context(), by); return err },
		"rotate": func(by exchange.Actor) error { _, _, err := d.RotateKey(t.Context(), by, k.ID, 0); return err },
		"revoke": func(by exchange.Actor) error { return d.RevokeKey(t.Context(), by, k.ID) },
	}
	for name, act := range acts {
		for _, role := range []exchange.Role{exchange.RoleClerk, exchange.RoleLeader, exchange.RoleOfficer, exchange.RoleIntegrator} {
			if err := act(exchange.Actor{ID: "x", Name: "X", Role: role, Agency: d.agency}); text.CodeOf(err) != text.NotAllowed {
				t.Errorf("%s by %s: %v", name, role, err)
			}
		}
		if name == "add" || name == "list" || name == "key" || name == "keys" {
			continue // these are about the operator's own agency
		}
		if err := act(exchange.Actor{ID: "x", Name: "X", Role: exchange.RoleOperator, Agency: "H15.02"}); text.CodeOf(err) != text.NotFound {
			t.Errorf("%s by another agency's operator: %v", name, err)
		}
	}
	got, err := d.Account(t.Context(), d.by, acc.ID)
	must(t, err)
	if got.Version != 1 {
		t.Error("a refused act changed the account")
	}
}

func TestBadAccountsAreRefused(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.add(t, "an", exchange.RoleClerk)
	good := exchange.NewAccount{Login: "binh", Name: "Bình", Role: exchange.RoleClerk, NoPassword: true}
	for name, change := range map[string]func(n *exchange.NewAccount){
		"empty login": func(n *exchange.NewAccount) { n.Login = "" }, "spaces": func(n *exchange.NewAccount) { n.Login = "a b" },
		"letters with marks": func(n *exchange.NewAccount) { n.Login = "bình" }, "path": func(n *exchange.NewAccount) { n.Login = "../x" },
		"long": func(n *exchange.NewAccount) { n.Login = strings.Repeat("a", 65) }, "no name": func(n *exchange.NewAccount) { n.Name = " " },
		"two lines": func(n *exchange.NewAccount) { n.Name = "A\nB" }, "bidi": func(n *exchange.NewAccount) { n.Name = "A\u202eB" },
		"long name": func(n *exchange.NewAccount) { n.Name = strings.Repeat("ă", 201) }, "no role": func(n *exchange.NewAccount) { n.Role = "" },
		"system": func(n *exchange.NewAccount) { n.Role = exchange.RoleSystem }, "integrator": func(n *exchange.NewAccount) { n.Role = exchange.RoleIntegrator },
		"leader without position": func(n *exchange.NewAccount) { n.Role = exchange.RoleLeader }, "not UTF-8": func(n *exchange.NewAccount) { n.Name = "\xff" },
	} {
		n := good
		change(&n)
		if _, _, err := d.AddAccount(t.Context(), d.by, n); text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Login = "AN"
	_, _, err := d.AddAccount(t.Context(), d.by, good)
	wantCode(t, err, text.StateConflict)
}

func TestACertificateIsBoundToOneLeader(t *testing.T) {
	t.Parallel()
	p, err := pki()
	must(t, err)
	d := newDoor(t)
	der, ca := p.Signer(certstest.RoleLeader).Certificate.Raw, p.IssuingCA().Certificate.Raw
	chief, deputy, clerk := d.add(t, "chief", exchange.RoleLeader), d.add(t, "deputy", exchange.RoleLeader), d.add(t, "clerk", exchange.RoleClerk)
	must(t, d.BindCertificate(t.Context(), d.by, chief.ID, der))
	must(t, d.BindCertificate(t.Context(), d.by, chief.ID, der)) // again is the same
	wantCode(t, d.BindCertificate(t.Context(), d.by, deputy.ID, der), text.StateConflict)
	wantCode(t, d.BindCertificate(t.Context(), d.by, deputy.ID, ca), text.InvalidInput)
	wantCode(t, d.BindCertificate(t.Context(), d.by, deputy.ID, der[:len(der)-1]), text.InvalidInput)
	wantCode(t, d.BindCertificate(t.Context(), d.by, clerk.ID, der), text.InvalidInput)
	real := &exchange.Access{Store: d.db, Now: d.Now, RefuseSandbox: true}
	wantCode(t, real.BindCertificate(t.Context(), d.by, deputy.ID, der), text.SandboxCertificate)

	offices := exchange.AccessOffices{Base: exchange.OfficeList{{Agency: exchange.Agency{Code: d.agency}, Signatories: []exchange.Signatory{{ActorID: "fixed"}}}}, Access: d.Access}
	office, err := offices.Office(t.Context(), d.agency)
	must(t, err)
	s, err := office.Signatory(string(chief.ID))
	must(t, err)
	if s.Name != chief.Name || s.Position != "TRƯỞNG PHÒNG" || len(office.Signatories) != 3 {
		t.Errorf("signatories %+v", office.Signatories)
	}
	must(t, d.SetDisabled(t.Context(), d.by, chief.ID, true))
	office, err = offices.Office(t.Context(), d.agency)
	must(t, err)
	_, err = office.Signatory(string(chief.ID))
	wantCode(t, err, text.NotAllowed)

	must(t, d.BindCertificate(t.Context(), d.by, chief.ID, nil))
	must(t, d.BindCertificate(t.Context(), d.by, deputy.ID, der))
}

func TestNobodyShutsThemselvesOut(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	op := d.add(t, "op", exchange.RoleOperator)
	wantCode(t, d.SetDisabled(t.Context(), op.Actor(), op.ID, true), text.StateConflict)
	_, err := d.EditAccount(t.Context(), op.Actor(), op.ID, exchange.EditAccount{Version: 1, Name: "Op", Role: exchange.RoleClerk})
	wantCode(t, err, text.StateConflict)
	_, err = d.EditAccount(t.Context(), op.Actor(), op.ID, exchange.EditAccount{Version: 7, Name: "Op", Role: exchange.RoleOperator})
	wantCode(t, err, text.PreconditionFailed)
}

func TestAnAPIKeyOpensUntilItEnds(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.Scopes = []string{"verify", "inbox:read"}
	secret, k, err := d.NewKey(t.Context(), d.by, exchange.NewAPIKey{Name: "QLVB", Scopes: []string{"verify", "inbox:read", "verify"}, ExpiresAt: d.Now().Add(90 * 24 * time.Hour)})
	must(t, err)
	if !strings.HasPrefix(secret, "antin_test_") || len(secret) != len("antin_test_")+32 || len(k.Scopes) != 2 || strings.Contains(fmt.Sprintf("%+v", k), secret) {
		t.Fatalf("secret %q, key %+v", secret, k)
	}
	got, err := d.KeyBySecret(t.Context(), secret)
	must(t, err)
	first := got.LastUsed
	d.advance(30 * time.Second)
	got, err = d.KeyBySecret(t.Context(), secret)
	must(t, err)
	if first.IsZero() || !got.LastUsed.Equal(first) {
		t.Error("the last use is not recorded once a minute")
	}
	real := &exchange.Access{Store: d.db, Now: d.Now, RefuseSandbox: true}
	_, err = real.KeyBySecret(t.Context(), secret)
	wantCode(t, err, text.NotAllowed)
	live, _, err := real.NewKey(t.Context(), d.by, exchange.NewAPIKey{Name: "thật", Scopes: []string{"verify"}})
	must(t, err)
	if !strings.HasPrefix(live, "antin_live_") {
		t.Errorf("secret %q", live)
	}

	next, k, err := d.RotateKey(t.Context(), d.by, k.ID, 24*time.Hour)
	must(t, err)
	for _, s := range []string{secret, next} {
		_, err = d.KeyBySecret(t.Context(), s)
		must(t, err)
	}
	if want := d.Now().Add(90 * 24 * time.Hour); k.ExpiresAt.Sub(want).Abs() > time.Minute {
		t.Errorf("the rotated key ends at %v, want %v", k.ExpiresAt, want)
	}
	d.advance(25 * time.Hour)
	_, err = d.KeyBySecret(t.Context(), secret)
	wantCode(t, err, text.NotAllowed)
	_, err = d.KeyBySecret(t.Context(), next)
	must(t, err)
	d.advance(90 * 24 * time.Hour)
	_, err = d.KeyBySecret(t.Context(), next)
	wantCode(t, err, text.NotAllowed)

	must(t, d.RevokeKey(t.Context(), d.by, k.ID))
	_, _, err = d.RotateKey(t.Context(), d.by, k.ID, 0)
	wantCode(t, err, text.StateConflict)
	if got, want := fmt.Sprint(d.kinds(t, k.ID)), "[apikey.created apikey.rotated apikey.revoked]"; got != want {
		t.Errorf("evidence %s, want %s", got, want)
	}
}

func TestARevokedKeyAndItsOldSecretOpenNothing(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	old, k, err := d.NewKey(t.Context(), d.by, exchange.NewAPIKey{Name: "QLVB", Scopes: []string{"verify"}})
	must(t, err)
	next, _, err := d.RotateKey(t.Context(), d.by, k.ID, 30*24*time.Hour)
	must(t, err)
	must(t, d.RevokeKey(t.Context(), d.by, k.ID))
	for _, s := range []string{old, next, "", "antin_live_", strings.Repeat("antin_test_", 100)} {
		_, err := d.KeyBySecret(t.Context(), s)
		wantCode(t, err, text.NotAllowed)
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.Scopes = []string{"verify"}
	for name, n := range map[string]exchange.NewAPIKey{
		"no name":       {Scopes: []string{"verify"}},
		"no scope":      {Name: "x"},
		"unknown scope": {Name: "x", Scopes: []string{"sign"}},
		"past":          {Name: "x", Scopes: []string{"verify"}, ExpiresAt: d.Now().Add(-time.Hour)},
		"too long":      {Name: "x", Scopes: []string{"verify"}, ExpiresAt: d.Now().Add(2 * 366 * 24 * time.Hour)},
	} {
		if _, _, err := d.NewKey(t.Context(), d.by, n); text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, k, err := d.NewKey(t.Context(), d.by, exchange.NewAPIKey{Name: "x", Scopes: []string{"verify"}})
	must(t, err)
	for _, overlap := range []time.Duration{-1, 31 * 24 * time.Hour} {
		_, _, err = d.RotateKey(t.Context(), d.by, k.ID, overlap)
		wantCode(t, err, text.InvalidInput)
	}
}

func TestAWaitingLoginEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.add(t, "an", exchange.RoleClerk)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Login(ctx, d.agency, "an", goodPassword, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
