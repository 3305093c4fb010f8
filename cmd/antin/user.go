package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// userCmd manages accounts on the gateway's own machine.
type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"${help_user_add}"`
	Passwd userPasswdCmd `cmd:"" help:"${help_user_passwd}"`
	List   userListCmd   `cmd:"" help:"${help_user_list}"`
}

type userAddCmd struct {
	Login        string `required:"" help:"${help_user_login}" placeholder:"LOGIN"`
	Name         string `required:"" help:"${help_user_name}" placeholder:"TEXT"`
	Role         string `required:"" enum:"van_thu,lanh_dao,mot_cua,it" help:"${help_user_role}"`
	Position     string `help:"${help_user_position}" placeholder:"TEXT"`
	Competence   string `help:"${help_user_competence}" placeholder:"TEXT"`
	Certificate  string `help:"${help_user_certificate}" placeholder:"FILE"`
	PasswordFile string `name:"password-file" help:"${help_user_password_file}" placeholder:"FILE"`
}

type userPasswdCmd struct {
	Login        string `required:"" help:"${help_user_login}" placeholder:"LOGIN"`
	PasswordFile string `name:"password-file" help:"${help_user_password_file}" placeholder:"FILE"`
}

type userListCmd struct {
	JSON bool `name:"json" help:"${help_user_json}"`
}

// withAccess runs act with the accounts and keys of the configured agency, in whose
// name the machine's administrator acts. `serve` may be running.
func withAccess(ctx context.Context, e *env, act func(a *exchange.Access, by exchange.Actor) error) (err error) {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	code := exchange.AgencyCode(cfg.Agency.Code)
	if !code.Valid() {
		return text.Detailed(text.ConfigInvalid, nil, "cli.agency_unset")
	}
	o, err := cfg.storeOptions(e)
	if err != nil {
		return err
	}
	db, err := store.OpenBeside(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return act(&exchange.Access{Store: db, Now: e.now, RefuseSandbox: true, Scopes: scopeNames()}, exchange.System(code))
}

// passwordFrom reads a password that the caller chose; "" has one made.
func passwordFrom(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := readKeyFile(file)
	if err != nil {
		return "", err
	}
	pw := strings.TrimRight(string(data), "\r\n")
	if pw == "" {
		return "", text.Detailed(text.InvalidInput, nil, "exchange.field", "--password-file")
	}
	return pw, nil
}

// Run adds an account and prints its password when one was made.
func (c *userAddCmd) Run(e *env, ctx *ctxHolder) error {
	password, err := passwordFrom(c.PasswordFile)
	if err != nil {
		return err
	}
	n := exchange.NewAccount{Login: c.Login, Name: c.Name, Role: exchange.Role(c.Role), Position: c.Position, Competence: c.Competence,
		Password: password, Keep: password != ""}
	if c.Certificate != "" {
		data, err := readKeyFile(c.Certificate)
		if err != nil {
			return err
		}
		leaf, err := exchange.ReadLeaf(data)
		if err != nil {
			return err
		}
		n.Certificate = leaf.Raw
	}
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		acc, shown, err := a.AddAccount(ctx, by, n)
		if err != nil {
			return err
		}
		if shown == "" {
			e.say("cli.user.added.own", acc.Login)
			return nil
		}
		e.say("cli.user.added", acc.Login)
		_, err = fmt.Fprintln(e.out, shown)
		return err
	})
}

// Run resets a password.
func (c *userPasswdCmd) Run(e *env, ctx *ctxHolder) error {
	password, err := passwordFrom(c.PasswordFile)
	if err != nil {
		return err
	}
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		acc, err := a.AccountByLogin(ctx, by.Agency, c.Login)
		if err != nil {
			return err
		}
		shown, err := a.ResetPassword(ctx, by, acc.ID, password)
		if err != nil {
			return err
		}
		e.say("cli.user.reset", acc.Login)
		if shown != "" {
			_, err = fmt.Fprintln(e.out, shown)
		}
		return err
	})
}

// shownAccount is one account as `user list --json` prints it.
type shownAccount struct {
	ID          exchange.ID       `json:"id"`
	Login       string            `json:"login"`
	Name        string            `json:"name"`
	Role        exchange.Role     `json:"role"`
	Position    string            `json:"position,omitempty"`
	Competence  string            `json:"competence,omitempty"`
	Disabled    bool              `json:"disabled"`
	MustChange  bool              `json:"must_change"`
	LockedUntil time.Time         `json:"locked_until,omitzero"`
	LastLogin   time.Time         `json:"last_login,omitzero"`
	Certificate *shownCertificate `json:"certificate,omitempty"`
}

type shownCertificate struct {
	Subject  string    `json:"subject"`
	Serial   string    `json:"serial"`
	NotAfter time.Time `json:"not_after"`
	SHA256   string    `json:"sha256"`
}

func showAccount(a exchange.Account) shownAccount {
	s := shownAccount{ID: a.ID, Login: a.Login, Name: a.Name, Role: a.Role, Position: a.Position, Competence: a.Competence,
		Disabled: a.Disabled, MustChange: a.MustChange, LockedUntil: a.LockedUntil, LastLogin: a.LastLogin}
	if f, err := exchange.ReadFacts(a.Certificate); err == nil {
		s.Certificate = &shownCertificate{Subject: f.Subject, Serial: f.Serial, NotAfter: f.NotAfter, SHA256: f.SHA256}
	}
	return s
}

// Run prints the accounts.
func (c *userListCmd) Run(e *env, ctx *ctxHolder) error {
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		all, err := a.Accounts(ctx, by)
		if err != nil {
			return err
		}
		for _, acc := range all {
			s := showAccount(acc)
			if c.JSON {
				if err := printJSON(e.out, s); err != nil {
					return err
				}
				continue
			}
			state := text.Get("people.state.good")
			switch {
			case s.Disabled:
				state = text.Get("people.state.disabled")
			case e.now().Before(s.LockedUntil):
				state = text.Get("people.state.locked", s.LockedUntil.In(exchange.Vietnam).Format("15:04 02/01/2006"))
			case s.MustChange:
				state = text.Get("people.state.must")
			}
			if _, err := fmt.Fprintf(e.out, "%-20s %-10s %-30s %-24s %s\n", s.Login, s.Role, s.Name, cmp.Or(s.Position, "–"), state.In(e.lang)); err != nil {
				return err
			}
		}
		return nil
	})
}
