package main

import (
	"path/filepath"

	"antin/internal/text"
	"antin/store"
)

// migrateCmd copies the installation of one configuration to the place that another
// names.
type migrateCmd struct {
	To   string `help:"${help_migrate_to}" required:"" placeholder:"FILE"`
	JSON bool   `help:"${help_json}" name:"json"`
}

// Run copies, proves and says what was proved. The source is read only.
func (c *migrateCmd) Run(e *env, ctx *ctxHolder) error {
	from, err := loadConfig(e)
	if err != nil {
		return err
	}
	other := *e
	other.config = c.To
	to, err := loadConfig(&other)
	if err != nil {
		return err
	}
	if from.Agency.Code != to.Agency.Code {
		return text.Detailed(text.InvalidInput, nil, "migrate.other-agency", from.Agency.Code, to.Agency.Code)
	}
	if samePlace(from, to) {
		return text.Detailed(text.InvalidInput, nil, "migrate.same", c.To)
	}
	source, err := from.storeOptions(e)
	if err != nil {
		return err
	}
	target, err := to.storeOptions(e)
	if err != nil {
		return err
	}
	m, err := store.Migrate(ctx, source, target, c.steps(e))
	if err != nil {
		return storeError(from.DataDir, err)
	}
	if c.JSON {
		return printJSON(e.out, m)
	}
	rows := int64(0)
	for _, t := range m.Tables {
		rows += t.Rows
	}
	e.say("migrate.done", len(m.Tables), rows, m.Blobs, m.Bytes>>20, c.To)
	return nil
}

// samePlace reports whether two configurations mean the same rows. The same files may
// stand behind both.
func samePlace(a, b *Config) bool {
	return a.Database.URL == b.Database.URL && (a.Database.URL != "" || filepath.Clean(a.DataDir) == filepath.Clean(b.DataDir))
}

// migrateEvery is how many blobs pass between two words about them.
const migrateEvery = 1000

// steps says on stderr how far it is.
func (c *migrateCmd) steps(e *env) store.MigrateSteps {
	every := func(key text.Key) func(done, all int64) {
		return func(done, all int64) {
			if done%migrateEvery == 0 || done == all {
				e.say(key, done, all)
			}
		}
	}
	return store.MigrateSteps{Blob: every("migrate.blobs"), Check: every("migrate.checked"),
		Table: func(s store.TableSum) { e.say("migrate.table", s.Table, s.Rows, s.SHA256) }}
}
