package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"antin/exchange"
)

// Reader looks at a data directory that another process may be using. It takes no
// lock, brings no schema up to date and changes no row. It is safe for concurrent use.
type Reader struct{ db *DB }

var _ exchange.Store = (*Reader)(nil)

var errReadOnly = errors.New("data directory is open for reading only")

// OpenReader opens the data directory o.Dir, or the PostgreSQL database o.Database, to
// look at it; fs.ErrNotExist when there is no database, state-conflict when nothing has
// set it up or brought it up to date yet.
func OpenReader(ctx context.Context, o Options) (*Reader, error) {
	o = o.withDefaults()
	if o.Database != "" {
		return openPostgresReader(ctx, o)
	}
	file := filepath.Join(o.Dir, databaseName)
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("opening database to read: %w", err)
	}
	read, err := sql.Open("sqlite", dsn(file, "deferred", "query_only(ON)"))
	if err != nil {
		return nil, fmt.Errorf("opening database to read: %w", err)
	}
	if err := read.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening database to read: %w", err), read.Close())
	}
	db := &DB{opts: o, engine: engineOf(o), read: read, blobDir: filepath.Join(o.Dir, "blobs")}
	if db.vault, err = stagedVault(ctx, file, o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Reader{db: db}, nil
}

// Exists reports whether dir holds a database.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, databaseName))
	return !errors.Is(err, fs.ErrNotExist)
}

// View implements exchange.Store.
func (r *Reader) View(ctx context.Context, fn func(exchange.Tx) error) error {
	return r.db.View(ctx, fn)
}

// Update implements exchange.Store by refusing.
func (r *Reader) Update(context.Context, func(exchange.Tx) error) error { return errReadOnly }

// QuickCheck is DB.QuickCheck.
func (r *Reader) QuickCheck(ctx context.Context) error { return r.db.QuickCheck(ctx) }

// Close ends the looking.
func (r *Reader) Close() error { return r.db.Close() }

// Backup is DB.Backup, beside whatever process works in the directory.
func (r *Reader) Backup(ctx context.Context, w io.Writer) error { return r.db.Backup(ctx, w) }
