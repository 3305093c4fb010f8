package exchange

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"antin/internal/text"
)

const (
	// maxLogin is longer than any name in use and fits a column of a list.
	maxLogin = 64
	// maxAccountText bounds a name, a position and a competence, in characters.
	maxAccountText = 200
)

// Account is one person in one role at one agency. Someone with two duties has
// two accounts, so that the evidence shows in which one they acted.
type Account struct {
	ID      ID         `json:"id"`
	Agency  AgencyCode `json:"agency"`
	Version int        `json:"-"`
	Login   string     `json:"login"` // lower case, unique in the agency
	Name    string     `json:"name"`
	Role    Role       `json:"role"`
	// Position and Competence are printed before the name of a lãnh đạo: "CHỦ TỊCH",
	// "TM. ỦY BAN NHÂN DÂN".
	Position   string `json:"position,omitempty"`
	Competence string `json:"competence,omitempty"`
	// Certificate is the DER of the certificate that a lãnh đạo signs with; nil when
	// none is bound.
	Certificate []byte `json:"certificate,omitempty"`
	// Key is the KeyProvider's id of the person's key: in the demo only.
	Key          string    `json:"key,omitempty"`
	Disabled     bool      `json:"disabled,omitempty"`
	MustChange   bool      `json:"must_change,omitempty"` // nothing but a new password until then
	PasswordHash string    `json:"password_hash,omitempty"`
	CreatedAt    time.Time `json:"created_at"`
	LastLogin    time.Time `json:"last_login,omitzero"`
	// Failures counts wrong passwords since the last right one; LockedUntil is when
	// the next try is heard.
	Failures    int       `json:"failures,omitempty"`
	FailedAt    time.Time `json:"failed_at,omitzero"`
	LockedUntil time.Time `json:"locked_until,omitzero"`
}

// Actor is who acts when a's person does.
func (a Account) Actor() Actor {
	return Actor{ID: string(a.ID), Name: a.Name, Role: a.Role, Agency: a.Agency}
}

// NewAccount describes an account to be made in the agency of whoever makes it.
type NewAccount struct {
	Login, Name          string
	Role                 Role
	Position, Competence string
	// Password is the first one; empty has one made, which is shown once and must be
	// changed at the first login.
	Password string
	// Keep spares the person the change of a Password that they chose themselves.
	Keep bool
	// NoPassword makes an account that only a ticket opens.
	NoPassword  bool
	Certificate []byte // DER of a lãnh đạo's certificate; may be nil
	Key         string // see Account.Key
}

// AccountRoles lists the roles that an account may have.
func AccountRoles() []Role { return []Role{RoleClerk, RoleLeader, RoleOfficer, RoleOperator} }

// AddAccount makes an account and returns it with the password that was made for
// it, which is kept nowhere ("" when n brought one). Errors: not-allowed,
// invalid-input, state-conflict (login taken), certificate errors as BindCertificate.
func (a *Access) AddAccount(ctx context.Context, by Actor, n NewAccount) (acc Account, password string, err error) {
	if err := manages(by); err != nil {
		return Account{}, "", err
	}
	acc = Account{ID: NewID(PrefixAccount, a.now()), Agency: by.Agency, Role: n.Role, Key: n.Key, CreatedAt: a.now(), MustChange: !n.Keep && !n.NoPassword}
	if acc.Login, err = parseLogin(n.Login); err != nil {
		return Account{}, "", err
	}
	if err := acc.describe(n.Name, n.Position, n.Competence); err != nil {
		return Account{}, "", err
	}
	if !slices.Contains(AccountRoles(), n.Role) {
		return Account{}, "", text.Detailed(text.InvalidInput, nil, "access.role")
	}
	if len(n.Certificate) > 0 {
		if err := a.checkCertificate(acc, n.Certificate); err != nil {
			return Account{}, "", err
		}
		acc.Certificate = n.Certificate
	}
	if !n.NoPassword {
		if password, err = a.setPassword(ctx, &acc, n.Password); err != nil {
			return Account{}, "", err
		}
	}
	err = a.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.AccountByLogin(ctx, acc.Agency, acc.Login); err == nil {
			return text.Detailed(text.StateConflict, nil, "access.login-taken", acc.Login)
		} else if !missing(err) {
			return err
		}
		if err := tx.CreateAccount(ctx, acc); err != nil {
			return certificateTaken(err)
		}
		return a.event(ctx, tx, EventAccountCreated, by, acc.Agency, acc.ID, map[string]string{"login": acc.Login, "role": string(acc.Role)})
	})
	if err != nil {
		return Account{}, "", err
	}
	acc.Version = 1
	return acc, password, nil
}

// Accounts returns the accounts of by's agency, sorted by login. Error: not-allowed.
func (a *Access) Accounts(ctx context.Context, by Actor) (out []Account, err error) {
	if err := manages(by); err != nil {
		return nil, err
	}
	err = a.Store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Accounts(ctx, by.Agency, "")
		return err
	})
	return out, err
}

// Account returns an account of by's agency: any for those who manage them, else
// only one's own. Errors: not-allowed, not-found.
func (a *Access) Account(ctx context.Context, by Actor, id ID) (acc Account, err error) {
	if string(id) != by.ID {
		if err := manages(by); err != nil {
			return Account{}, err
		}
	}
	err = a.Store.View(ctx, func(tx Tx) (err error) {
		acc, err = ownAccount(ctx, tx, by.Agency, id)
		return err
	})
	return acc, err
}

// AccountByLogin returns agency's account of that login; not-found. It is for the
// program itself and asks for nobody's leave.
func (a *Access) AccountByLogin(ctx context.Context, agency AgencyCode, login string) (acc Account, err error) {
	login, err = parseLogin(login)
	if err != nil {
		return Account{}, text.Errorf(text.NotFound, err)
	}
	err = a.Store.View(ctx, func(tx Tx) (err error) {
		acc, err = tx.AccountByLogin(ctx, agency, login)
		return err
	})
	return acc, err
}

// EditAccount is what an operator may change of an account.
type EditAccount struct {
	Version              int // that was read
	Name                 string
	Role                 Role
	Position, Competence string
}

// EditAccount changes name, role, position and competence. A new role ends the
// account's sessions, and takes the certificate from who is no lãnh đạo any more.
// Errors: not-allowed, not-found, invalid-input, state-conflict (one's own role),
// precondition-failed (another version).
func (a *Access) EditAccount(ctx context.Context, by Actor, id ID, e EditAccount) (acc Account, err error) {
	if !slices.Contains(AccountRoles(), e.Role) {
		return Account{}, text.Detailed(text.InvalidInput, nil, "access.role")
	}
	err = a.change(ctx, by, id, func(tx Tx, acc *Account) error {
		if acc.Version != e.Version {
			return text.Errorf(text.PreconditionFailed, nil)
		}
		if err := acc.describe(e.Name, e.Position, e.Competence); err != nil {
			return err
		}
		if acc.Role != e.Role {
			if string(id) == by.ID {
				return text.Detailed(text.StateConflict, nil, "access.self")
			}
			acc.Role = e.Role
			if e.Role != RoleLeader {
				acc.Certificate = nil
			}
			if err := tx.EndSessions(ctx, id, ""); err != nil {
				return err
			}
		}
		return a.event(ctx, tx, EventAccountChanged, by, acc.Agency, id, map[string]string{"login": acc.Login, "role": string(acc.Role), "name": acc.Name})
	})
	if err != nil {
		return Account{}, err
	}
	return a.Account(ctx, by, id)
}

// SetDisabled shuts an account out, ending its sessions at once, or lets it in
// again. Nobody shuts themselves out. A repeat under the key of WithIdempotencyKey
// changes nothing. Errors: not-allowed, not-found, state-conflict, idempotency-key-reused.
func (a *Access) SetDisabled(ctx context.Context, by Actor, id ID, disabled bool) error {
	if disabled && string(id) == by.ID {
		return text.Detailed(text.StateConflict, nil, "access.self")
	}
	return a.changeOnce(ctx, by, id, "account.disabled", []any{disabled}, func(tx Tx, acc *Account) error {
		if acc.Disabled == disabled {
			return nil
		}
		acc.Disabled = disabled
		kind := EventAccountEnabled
		if disabled {
			kind = EventAccountDisabled
			if err := tx.EndSessions(ctx, id, ""); err != nil {
				return err
			}
		}
		return a.event(ctx, tx, kind, by, acc.Agency, id, map[string]string{"login": acc.Login})
	})
}

// change has f change an account of by's agency and saves it.
func (a *Access) change(ctx context.Context, by Actor, id ID, f func(tx Tx, acc *Account) error) error {
	return a.changeOnce(ctx, by, id, "", nil, f)
}

// changeOnce is change that is done once under the key of ctx, where verb names it.
func (a *Access) changeOnce(ctx context.Context, by Actor, id ID, verb string, particulars []any, f func(tx Tx, acc *Account) error) error {
	if err := manages(by); err != nil {
		return err
	}
	idem, err := contextOnce(ctx, by.Agency, verb, append([]any{id}, particulars...)...)
	if err != nil {
		return err
	}
	return a.Store.Update(ctx, func(tx Tx) error {
		if _, ok, err := idem.done(ctx, tx); ok || err != nil {
			return err
		}
		acc, err := ownAccount(ctx, tx, by.Agency, id)
		if err != nil {
			return err
		}
		if err := f(tx, &acc); err != nil {
			return err
		}
		if err := tx.SaveAccount(ctx, acc); err != nil {
			return certificateTaken(err)
		}
		return idem.keep(ctx, tx, id, a.now())
	})
}

// ownAccount returns the account id when it is agency's; not-found otherwise.
func ownAccount(ctx context.Context, tx Tx, agency AgencyCode, id ID) (Account, error) {
	acc, err := tx.Account(ctx, id)
	if err == nil && acc.Agency != agency {
		return Account{}, text.Errorf(text.NotFound, nil)
	}
	return acc, err
}

// certificateTaken puts in words what ErrExists means once the login is known to be free.
func certificateTaken(err error) error {
	if errors.Is(err, ErrExists) {
		return text.Detailed(text.StateConflict, err, "access.certificate-taken")
	}
	return err
}

// parseLogin returns s as a login is kept: lower case, 2 to 64 letters a–z,
// digits and . _ - @, beginning with a letter or digit.
func parseLogin(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) < 2 || len(s) > maxLogin {
		return "", text.Detailed(text.InvalidInput, nil, "access.login")
	}
	for i, r := range []byte(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		case i > 0 && strings.IndexByte("._-@", r) >= 0:
		default:
			return "", text.Detailed(text.InvalidInput, nil, "access.login")
		}
	}
	return s, nil
}

// describe sets what a person reads of a.
func (a *Account) describe(name, position, competence string) error {
	for _, f := range []struct {
		rule     text.Key // what is asked of it, in words
		value    string
		to       *string
		required bool
	}{
		{"access.name", name, &a.Name, true},
		{"access.position", position, &a.Position, a.Role == RoleLeader},
		{"access.competence", competence, &a.Competence, false},
	} {
		v, ok := plainLine(f.value, maxAccountText)
		if !ok || v == "" && f.required {
			return text.Detailed(text.InvalidInput, nil, f.rule, maxAccountText)
		}
		*f.to = v
	}
	return nil
}

// plainLine returns s trimmed and in NFC, and whether it is one line of at most
// limit printable characters without direction marks.
func plainLine(s string, limit int) (string, bool) {
	if !utf8.ValidString(s) || len(s) > 8*limit {
		return "", false
	}
	s = strings.TrimSpace(norm.NFC.String(s))
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return "", false
		}
	}
	return s, utf8.RuneCountInString(s) <= limit
}

// count is n in an event's data.
func count(n int) string { return strconv.Itoa(n) }
