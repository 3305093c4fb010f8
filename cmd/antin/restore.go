package main

import (
	"context"
	"errors"

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
	if !c.DryRun {
		if err := newEpoch(ctx, o); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(e.out, s)
	}
	made := s.CreatedAt.Local().Format("02/01/2006 15:04")
	if c.DryRun {
		e.say("restore.checked", c.File, made, s.Documents, s.Results, s.Incoming)
		return nil
	}
	e.say("restore.done", cfg.DataDir, made, s.Documents, s.Results, s.Incoming)
	return nil
}

// newEpoch numbers what leaves from now on anew: what was sent after the backup was
// made has taken places that the restored data knows nothing of.
func newEpoch(ctx context.Context, o store.Options) (err error) {
	db, err := store.Open(ctx, o)
	if err != nil {
		return storeError(o.Dir, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Update(ctx, func(tx exchange.Tx) error { return tx.RaiseEpochs(ctx) })
}
