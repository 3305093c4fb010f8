package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// engine is what differs between the databases. Their statements are the same.
type engine struct {
	migrations string // the folder of its set
	dialect    goose.Dialect
	shared     bool // several processes may work on it at once
	view       *sql.TxOptions
	driver     func(db *sql.DB) riverdriver.Driver[*sql.Tx]
	// passing reports whether an error may be gone when the same is tried again, and
	// came before anything was committed.
	passing func(err error) bool
	// within says of an error inside a transaction whose it is.
	within func(err error) error
}

func engineOf(o Options) engine {
	if o.Database == "" {
		return engine{
			migrations: "sqlite", dialect: goose.DialectSQLite3, view: &sql.TxOptions{ReadOnly: true},
			driver:  func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(db) },
			passing: func(error) bool { return false },
			within:  func(err error) error { return err },
		}
	}
	return engine{
		migrations: "postgres", dialect: goose.DialectPostgres, shared: true,
		// One state for all statements of a view; what an update sees is settled by its lock.
		view:    &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
		driver:  func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riverdatabasesql.New(db) },
		passing: passingPostgres, within: withinPostgres,
	}
}

// beginWrite begins a transaction that no other writer comes into: SQLite has one
// writer, PostgreSQL is made to.
func (db *DB) beginWrite(ctx context.Context) (*sql.Tx, error) {
	t, err := db.write.BeginTx(ctx, nil)
	if err != nil || !db.Shared() {
		return t, err
	}
	if _, err := t.ExecContext(ctx, lockWriter); err != nil {
		_ = t.Rollback()
		return nil, err
	}
	return t, nil
}

// provider knows the schema's versions.
func (db *DB) provider() (*goose.Provider, error) {
	own, err := fs.Sub(migrations, "migrations/"+db.engine.migrations)
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(db.engine.dialect, db.write, own)
	if err != nil {
		return nil, fmt.Errorf("reading migrations: %w", err)
	}
	return p, nil
}

// migrate brings the schema, and what the queue keeps, up to date.
func (db *DB) migrate(ctx context.Context) error {
	if db.Shared() {
		return db.alone(ctx, func() error { return db.migrateAlone(ctx) })
	}
	if err := db.migrateAlone(ctx); err != nil {
		return err
	}
	return db.forgetJobs(ctx)
}

// migrateRows brings our own tables up to date.
func (db *DB) migrateRows(ctx context.Context) error {
	p, err := db.provider()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

func (db *DB) migrateAlone(ctx context.Context) error {
	if err := db.migrateRows(ctx); err != nil {
		return err
	}
	m, err := rivermigrate.New(db.engine.driver(db.write), &rivermigrate.Config{Logger: db.opts.Logger})
	if err != nil {
		return fmt.Errorf("reading queue migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrating queue: %w", err)
	}
	return db.reindex(ctx)
}
