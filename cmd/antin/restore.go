package main

import (
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
	s, err := store.Restore(ctx, f, cfg.DataDir, c.DryRun)
	if err != nil {
		return err
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
