package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"antin/exchange"
	"antin/store"
)

// restoreCmd makes an empty data directory a copy of the one that a backup was made of.
type restoreCmd struct {
	File   string `arg:"" help:"${help_restore_file}"`
	DryRun bool   `name:"dry-run" help:"${help_dry_run}"`
	JSON   bool   `help:"${help_json}" name:"json"`
}

// Run restores, or with --dry-run only checks every byte.
func (c *restoreCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	f, _, err := openInput(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	o, err := cfg.storeOptions(e)
	if err != nil {
		return err
	}
	s, err := store.RestoreTo(ctx, f, o, c.DryRun)
	if err != nil {
		return err
	}
	peers := c.peers(e, cfg)
	if !c.DryRun {
		if err := markRestored(ctx, o, exchange.AgencyCode(cfg.Agency.Code), s.CreatedAt); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(e.out, restoreLine{Summary: s, Days: daysSince(s.CreatedAt, e.now()), Peers: peers})
	}
	made := s.CreatedAt.Local().Format("02/01/2006 15:04")
	if c.DryRun {
		e.say("restore.checked", c.File, made, s.Documents, s.Results, s.Incoming)
	} else {
		e.say("restore.done", cfg.DataDir, made, s.Documents, s.Results, s.Incoming)
	}
	e.say("restore.quarantine", daysSince(s.CreatedAt, e.now()), len(peers), strings.Join(peers, ", "))
	return nil
}

// restoreLine is what --json prints: what the backup holds, and whom the restored
// installation asks for how many days before it sends.
type restoreLine struct {
	store.Summary
	Days  int      `json:"days"`
	Peers []string `json:"peers"`
}

// daysSince counts the days that peers are asked about.
func daysSince(backup, now time.Time) int { return int(now.Sub(backup)/(24*time.Hour)) + 2 }

// peers are the agencies that the restored installation will ask; none where the
// directory cannot be read, which serve tells.
func (c *restoreCmd) peers(e *env, cfg *Config) []string {
	out := []string{}
	if cfg.Directory == "" {
		return out
	}
	d, err := cfg.openDirectory(exchange.Agency{Code: exchange.AgencyCode(cfg.Agency.Code)}, e.now, nil)
	if err != nil {
		return out
	}
	for _, a := range d.current()[1:] {
		if a.Endpoint != "" || a.Pull {
			out = append(out, string(a.Code))
		}
	}
	return out
}

// markRestored puts what was restored into quarantine: what was sent after the backup
// was made is known to the peers alone.
func markRestored(ctx context.Context, o store.Options, agency exchange.AgencyCode, backup time.Time) (err error) {
	db, err := store.Open(ctx, o)
	if err != nil {
		return storeError(o.Dir, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Update(ctx, func(tx exchange.Tx) error { return exchange.MarkRestored(ctx, tx, agency, backup, o.Now()) })
}
