package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"antin/exchange"
	"antin/internal/text"
)

// Beside is a data directory that another process may be working in: rows only, for
// short acts such as adding an account while the gateway runs. SQLite's own locks
// keep the two apart; each waits for the other's transaction.
type Beside struct{ db *DB }

var _ exchange.Store = (*Beside)(nil)

// OpenBeside opens the rows of an existing data directory, or of a PostgreSQL database,
// without taking it over: it takes no lock, changes no schema, works no queue and
// reaches no blobs. Errors: not-found when there is no database, database-newer,
// database-unavailable, state-conflict when the database is of an earlier version that
// nothing has brought up to date yet.
func OpenBeside(ctx context.Context, o Options) (*Beside, error) {
	o = Options{Dir: o.Dir, Database: o.Database, Now: o.Now, Workers: 1}.withDefaults() // whoever waits is in another process
	b := &Beside{db: &DB{opts: o, engine: engineOf(o)}}
	if err := b.open(ctx); err != nil {
		_ = b.Close()
		return nil, diskError(err)
	}
	return b, nil
}

func (b *Beside) open(ctx context.Context) (err error) {
	db := b.db
	if db.Shared() {
		err = db.openPostgres(ctx)
	} else {
		file := filepath.Join(db.opts.Dir, databaseName)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return text.Detailed(text.NotFound, err, "access.no-database", db.opts.Dir)
		} else if err != nil {
			return fmt.Errorf("looking for database: %w", err)
		}
		err = db.openFile(file)
	}
	if err != nil {
		return err
	}
	p, err := db.provider()
	if err != nil {
		return err
	}
	have, newest, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("reading schema version: %w", err)
	case have > newest:
		return text.Errorf(text.DatabaseNewer, fmt.Errorf("schema %d, this program knows %d", have, newest))
	}
	if pending, err := p.HasPending(ctx); err != nil || pending {
		return errors.Join(err, text.Detailed(text.StateConflict, nil, "access.database-older"))
	}
	return db.openQueue()
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
func (b *Beside) Close() error { return b.db.Close() }
