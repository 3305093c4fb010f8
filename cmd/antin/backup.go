package main

import (
	"io"

	"antin/internal/text"
	"antin/store"
)

// backupCmd copies the data directory into one file while serve goes on.
type backupCmd struct {
	Output string `short:"o" help:"${help_backup_output}" required:"" placeholder:"FILE"`
	Force  bool   `help:"${help_force}"`
}

// Run writes the backup; its name appears when it is complete and on the disk.
// Configuration and keys are not in it.
func (c *backupCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	if cfg.Database.URL == "" && !store.Exists(cfg.DataDir) {
		return text.Detailed(text.NotFound, nil, "serve.data_dir", cfg.DataDir)
	}
	o, err := cfg.storeOptions(e)
	if err != nil {
		return err
	}
	r, err := store.OpenReader(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	// 0600: documents, password hashes and the evidence are in it.
	if err := writeFileMode(c.Output, 0o600, c.Force, func(w io.Writer) error { return r.Backup(ctx, w) }); err != nil {
		return err
	}
	e.say("backup.done", c.Output)
	return nil
}
