package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// apikeyCmd manages API keys on the gateway's own machine.
type apikeyCmd struct {
	New    apikeyNewCmd    `cmd:"" help:"${help_apikey_new}"`
	List   apikeyListCmd   `cmd:"" help:"${help_apikey_list}"`
	Revoke apikeyRevokeCmd `cmd:"" help:"${help_apikey_revoke}"`
	Rotate apikeyRotateCmd `cmd:"" help:"${help_apikey_rotate}"`
}

type apikeyNewCmd struct {
	Name    string   `required:"" help:"${help_apikey_name}" placeholder:"TEXT"`
	Scope   []string `required:"" sep:"," help:"${help_apikey_scope}" placeholder:"SCOPE"`
	Expires string   `default:"365d" help:"${help_apikey_expires}" placeholder:"DATE|DAYS"`
	JSON    bool     `name:"json" help:"${help_apikey_json}"`
}

type apikeyListCmd struct {
	JSON bool `name:"json" help:"${help_apikey_json}"`
}

type apikeyRevokeCmd struct {
	ID string `arg:"" help:"${help_apikey_id}"`
}

type apikeyRotateCmd struct {
	ID      string `arg:"" help:"${help_apikey_id}"`
	Overlap string `default:"7d" help:"${help_apikey_overlap}" placeholder:"DAYS"`
	JSON    bool   `name:"json" help:"${help_apikey_json}"`
}

// parseDays reads "90d".
func parseDays(s string) (time.Duration, bool) {
	digits, ok := strings.CutSuffix(s, "d")
	n, err := strconv.Atoi(digits)
	return time.Duration(n) * 24 * time.Hour, ok && err == nil && n >= 0 && n <= 366
}

// parseExpiry reads "90d" or a day, whose end in Vietnam is meant.
func parseExpiry(s string, now time.Time) (time.Time, error) {
	if d, ok := parseDays(s); ok {
		return now.Add(d), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, s, exchange.Vietnam)
	if err != nil {
		return time.Time{}, text.Detailed(text.InvalidInput, err, "cli.apikey.expires")
	}
	return day.AddDate(0, 0, 1), nil
}

// shownKey is one key as --json prints it. Secret is there once, when it is made.
type shownKey struct {
	ID        exchange.ID `json:"id"`
	Name      string      `json:"name"`
	Scopes    []string    `json:"scopes"`
	Hint      string      `json:"hint"`
	CreatedAt time.Time   `json:"created_at"`
	ExpiresAt time.Time   `json:"expires_at"`
	LastUsed  time.Time   `json:"last_used,omitzero"`
	RevokedAt time.Time   `json:"revoked_at,omitzero"`
	OldUntil  time.Time   `json:"old_until,omitzero"`
	Secret    string      `json:"secret,omitempty"`
}

func showKey(k exchange.APIKey, secret string) shownKey {
	return shownKey{ID: k.ID, Name: k.Name, Scopes: k.Scopes, Hint: k.Hint, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsed: k.LastUsed,
		RevokedAt: k.RevokedAt, OldUntil: k.OldUntil, Secret: secret}
}

// printSecret prints a new key: its secret alone on standard output.
func printSecret(e *env, k exchange.APIKey, secret string, json bool) error {
	if json {
		return printJSON(e.out, showKey(k, secret))
	}
	e.say("cli.apikey.made", k.ID, k.ExpiresAt.In(exchange.Vietnam).Format("02/01/2006"))
	_, err := fmt.Fprintln(e.out, secret)
	return err
}

// Run makes a key.
func (c *apikeyNewCmd) Run(e *env, ctx *ctxHolder) error {
	ends, err := parseExpiry(c.Expires, e.now())
	if err != nil {
		return err
	}
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		secret, k, err := a.NewKey(ctx, by, exchange.NewAPIKey{Name: c.Name, Scopes: c.Scope, ExpiresAt: ends})
		if err != nil {
			if text.CodeOf(err) == text.InvalidInput {
				e.say("cli.apikey.scopes", strings.Join(a.Scopes, " "))
			}
			return err
		}
		return printSecret(e, k, secret, c.JSON)
	})
}

// Run prints the keys.
func (c *apikeyListCmd) Run(e *env, ctx *ctxHolder) error {
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		all, err := a.Keys(ctx, by)
		if err != nil {
			return err
		}
		for _, k := range all {
			if c.JSON {
				if err := printJSON(e.out, showKey(k, "")); err != nil {
					return err
				}
				continue
			}
			state, used := text.Get("people.key.inforce"), text.Get("people.never").In(e.lang)
			switch {
			case !k.RevokedAt.IsZero():
				state = text.Get("people.key.revoked")
			case !k.InForce(e.now()):
				state = text.Get("people.key.expired")
			}
			if !k.LastUsed.IsZero() {
				used = k.LastUsed.In(exchange.Vietnam).Format("02/01/2006 15:04")
			}
			if _, err := fmt.Fprintf(e.out, "%s  %-24s %-12s %s  %s  %s\n", k.ID, k.Name, state.In(e.lang), k.ExpiresAt.In(exchange.Vietnam).Format("02/01/2006"), used, strings.Join(k.Scopes, ",")); err != nil {
				return err
			}
		}
		return nil
	})
}

// Run revokes a key.
func (c *apikeyRevokeCmd) Run(e *env, ctx *ctxHolder) error {
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		if err := a.RevokeKey(ctx, by, exchange.ID(c.ID)); err != nil {
			return err
		}
		e.say("cli.apikey.revoked", c.ID)
		return nil
	})
}

// Run gives a key a new secret.
func (c *apikeyRotateCmd) Run(e *env, ctx *ctxHolder) error {
	overlap, ok := parseDays(c.Overlap)
	if !ok {
		return text.Detailed(text.InvalidInput, nil, "access.overlap")
	}
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		secret, k, err := a.RotateKey(ctx, by, exchange.ID(c.ID), overlap)
		if err != nil {
			return err
		}
		return printSecret(e, k, secret, c.JSON)
	})
}
