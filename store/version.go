package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"antin/internal/text"
)

// databaseName is the database's file in a data directory.
const databaseName = "antin.db"

// schemaVersion is the newest version of the schema that this program knows.
func schemaVersion() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, n := range names {
		number, _, _ := strings.Cut(filepath.Base(n), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s has no number: %w", n, err)
		}
		newest = max(newest, v)
	}
	return newest, nil
}

// storedVersion is the version of the schema in a database file, 0 when it has none.
func storedVersion(ctx context.Context, file string) (version int64, err error) {
	db, err := sql.Open("sqlite", dsn(file, "deferred", "query_only(ON)"))
	if err != nil {
		return 0, fmt.Errorf("opening database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var tables int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`).Scan(&tables); err != nil {
		return 0, fmt.Errorf("reading database: %w", err)
	}
	if tables == 0 {
		return 0, nil
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("reading database version: %w", err)
	}
	return version, nil
}

// checkVersion refuses a database that a newer program wrote, before anything in
// it is changed.
func checkVersion(ctx context.Context, file string) error {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	known, err := schemaVersion()
	if err != nil {
		return err
	}
	stored, err := storedVersion(ctx, file)
	if err != nil {
		return err
	}
	if stored > known {
		return text.Detailed(text.DatabaseNewer, nil, "flow.database-newer", stored, known)
	}
	return nil
}

// checkDir returns why the data directory cannot be written, before anything in it
// is: a probe file says what permissions alone do not.
func checkDir(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err == nil {
		_, err = f.Write(make([]byte, probeSize))
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	}
	if err == nil {
		return nil
	}
	return text.Detailed(text.StorageFull, err, "flow.data-dir", dir)
}

// probeSize is what must fit: a few pages of the database's log.
const probeSize = 64 << 10
