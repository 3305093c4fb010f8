package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// quarantineCmd looks after an installation that was restored from a backup.
type quarantineCmd struct {
	Show     quarantineShowCmd     `cmd:"" help:"${help_quarantine_show}"`
	Override quarantineOverrideCmd `cmd:"" help:"${help_quarantine_override}"`
	Number   quarantineNumberCmd   `cmd:"" help:"${help_quarantine_number}"`
}

// quarantineShowCmd tells whom the installation waits for.
type quarantineShowCmd struct {
	JSON bool `name:"json" help:"${help_json}"`
}

// quarantineOverrideCmd goes on without a peer.
type quarantineOverrideCmd struct {
	Peer   string `arg:"" help:"${help_quarantine_peer}"`
	Reason string `help:"${help_quarantine_reason}" required:"" placeholder:"TEXT"`
	By     string `help:"${help_quarantine_by}" required:"" placeholder:"NAME"`
}

// quarantineNumberCmd raises the register of outgoing documents.
type quarantineNumberCmd struct {
	Last int    `arg:"" help:"${help_quarantine_last}"`
	Year int    `help:"${help_quarantine_year}"`
	By   string `help:"${help_quarantine_by}" required:"" placeholder:"NAME"`
}

// quarantineLine is what --json prints.
type quarantineLine struct {
	Quarantine bool                  `json:"quarantine"`
	BackupAt   *time.Time            `json:"backup_at,omitempty"`
	RestoredAt *time.Time            `json:"restored_at,omitempty"`
	Heard      []exchange.HeardPeer  `json:"heard"`
	Waiting    []exchange.AgencyCode `json:"waiting"`
}

// withQuarantine runs act on the rows, beside whatever process works with them.
func withQuarantine(ctx context.Context, e *env, act func(q *exchange.Quarantine, by exchange.Actor) error) (err error) {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	code := exchange.AgencyCode(cfg.Agency.Code)
	if !code.Valid() {
		return text.Detailed(text.ConfigInvalid, nil, "cli.agency_unset")
	}
	own := exchange.Agency{Code: code, Name: cfg.Agency.Name}
	directory, err := cfg.openDirectory(own, e.now, nil)
	if err != nil {
		return err
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
	if err := directory.bind(ctx, &exchange.DirectoryGuard{Store: db, Agency: code, Now: e.now}); err != nil {
		return err
	}
	q := &exchange.Quarantine{Store: db, Offices: exchange.OfficeList{{Agency: own}}, Directory: directory, Now: e.now}
	return act(q, exchange.System(code))
}

// Run prints the state; exit 10 while the installation waits.
func (c *quarantineShowCmd) Run(e *env, ctx *ctxHolder) error {
	waits := false
	err := withQuarantine(ctx, e, func(q *exchange.Quarantine, _ exchange.Actor) error {
		r, err := q.State(ctx)
		if err != nil {
			return err
		}
		line := quarantineLine{Heard: []exchange.HeardPeer{}, Waiting: []exchange.AgencyCode{}}
		if r != nil {
			left, err := q.Waiting(ctx)
			if err != nil {
				return err
			}
			waits = true
			line.Quarantine, line.BackupAt, line.RestoredAt = true, &r.BackupAt, &r.RestoredAt
			line.Heard, line.Waiting = append(line.Heard, r.Heard...), append(line.Waiting, left...)
		}
		return line.print(e, c.JSON)
	})
	if err == nil && waits {
		return exitError(laterExit)
	}
	return err
}

// laterExit is the contract's “try later”.
const laterExit = 10

func (l quarantineLine) print(e *env, asJSON bool) error {
	if asJSON {
		return printJSON(e.out, l)
	}
	if !l.Quarantine {
		e.say("quarantine.none")
		return nil
	}
	at := func(t time.Time) string { return t.In(exchange.Vietnam).Format("02/01/2006 15:04") }
	names := make([]string, len(l.Waiting))
	for i, w := range l.Waiting {
		names[i] = string(w)
	}
	e.say("quarantine.state", at(*l.RestoredAt), at(*l.BackupAt), len(l.Heard), len(l.Waiting), strings.Join(names, ", "))
	return nil
}

// operator is who acts on the machine itself, under the name that was given.
func operator(by exchange.Actor, name string) exchange.Actor {
	return exchange.Actor{ID: by.ID, Name: name, Role: exchange.RoleOperator, Agency: by.Agency}
}

// Run notes the decision; serve ends the quarantine within a minute when nobody is left.
func (c *quarantineOverrideCmd) Run(e *env, ctx *ctxHolder) error {
	return withQuarantine(ctx, e, func(q *exchange.Quarantine, by exchange.Actor) error {
		if err := q.Override(ctx, operator(by, c.By), exchange.AgencyCode(c.Peer), c.Reason); err != nil {
			return err
		}
		e.say("quarantine.overridden", c.Peer)
		return nil
	})
}

// Run raises the register.
func (c *quarantineNumberCmd) Run(e *env, ctx *ctxHolder) error {
	if c.Year == 0 {
		c.Year = e.now().In(exchange.Vietnam).Year()
	}
	return withQuarantine(ctx, e, func(q *exchange.Quarantine, by exchange.Actor) error {
		if err := q.RaiseRegister(ctx, operator(by, c.By), c.Year, c.Last); err != nil {
			return err
		}
		e.say("quarantine.raised", c.Last, c.Year)
		return nil
	})
}
