package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"

	"antin/exchange"
	"antin/internal/text"
)

// Beside is a data directory that another process may be working in: rows only, for
// short acts such as adding an account while the gateway runs. SQLite's own locks
// keep the two apart; each waits for the other's transaction.
type Beside struct{ db *DB }

var _ exchange.Store = (*Beside)(nil)

// OpenBeside opens the rows of an existing data directory without taking it over: it
// takes no lock, changes no schema, works no queue and reaches no blobs. Errors:
// not-found when there is no database, database-newer, state-conflict when the
// database is of an earlier version that nothing has brought up to date yet.
func OpenBeside(ctx context.Context, o Options) (*Beside, error) {
	o = Options{Dir: o.Dir, Now: o.Now, Logger: slog.New(slog.DiscardHandler), PollInterval: defaultPoll, Workers: 1}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.OnEvent = func(exchange.AgencyCode) {} // whoever waits is in another process
	if _, err := os.Stat(filepath.Join(o.Dir, "antin.db")); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, text.Detailed(text.NotFound, err, "access.no-database", o.Dir)
		}
		return nil, diskError(fmt.Errorf("looking for database: %w", err))
	}
	b := &Beside{db: &DB{opts: o}}
	if err := b.open(ctx); err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Beside) open(ctx context.Context) error {
	file := filepath.Join(b.db.opts.Dir, "antin.db")
	var err error
	if b.db.write, err = sql.Open("sqlite", dsn(file, "immediate", "synchronous(FULL)", "foreign_keys(ON)")); err != nil {
		return fmt.Errorf("opening database: %w", err)
	}
	b.db.write.SetMaxOpenConns(1)
	if b.db.read, err = sql.Open("sqlite", dsn(file, "deferred", "query_only(ON)")); err != nil {
		return fmt.Errorf("opening database to read: %w", err)
	}
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, b.db.write, own)
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	have, newest, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return diskError(fmt.Errorf("reading schema version: %w", err))
	case have > newest:
		return text.Errorf(text.DatabaseNewer, fmt.Errorf("schema %d, this program knows %d", have, newest))
	}
	if pending, err := p.HasPending(ctx); err != nil || pending {
		return errors.Join(err, text.Detailed(text.StateConflict, nil, "access.database-older"))
	}
	return b.db.openQueue()
}

// Update implements exchange.Store.
func (b *Beside) Update(ctx context.Context, fn func(exchange.Tx) error) error {
	return b.db.Update(ctx, fn)
}

// View implements exchange.Store.
func (b *Beside) View(ctx context.Context, fn func(exchange.Tx) error) error {
	return b.db.View(ctx, fn)
}

// Close ends the use of the directory.
func (b *Beside) Close() error {
	var errs []error
	if b.db.read != nil {
		errs = append(errs, b.db.read.Close())
	}
	if b.db.write != nil {
		errs = append(errs, b.db.write.Close())
	}
	return errors.Join(errs...)
}
