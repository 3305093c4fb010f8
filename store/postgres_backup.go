package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"antin/exchange"
	"antin/internal/text"
)

// openPostgresReader is OpenReader of a database on PostgreSQL.
func openPostgresReader(ctx context.Context, o Options) (*Reader, error) {
	db := &DB{opts: o, engine: engineOf(o), blobDir: filepath.Join(o.Dir, "blobs")}
	err := db.openPostgres(ctx)
	if err == nil {
		err = db.checkPostgres(ctx)
	}
	if err == nil {
		db.vault, err = openVault(ctx, db, db.read)
	}
	if err != nil {
		return nil, errors.Join(diskError(err), db.Close())
	}
	return &Reader{db: db}, nil
}

// checkPostgres reads the version of the schema, which is to be the newest.
func (db *DB) checkPostgres(ctx context.Context) error {
	known, err := schemaVersion()
	if err != nil {
		return err
	}
	stored, err := db.postgresVersion(ctx)
	switch {
	case err != nil:
		return diskError(err)
	case stored > known:
		return text.Detailed(text.DatabaseNewer, nil, "flow.database-newer", stored, known)
	case stored < known:
		return text.Detailed(text.StateConflict, nil, "access.database-older")
	}
	return nil
}

// snapshotPostgres copies the rows as of one moment into a new SQLite file, which is
// what a backup holds whatever the engine.
func (db *DB) snapshotPostgres(ctx context.Context, name string) (err error) {
	if err := db.checkPostgres(ctx); err != nil {
		return err
	}
	lite, err := newSQLite(ctx, name, db.opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lite.Close()) }()
	from, err := db.read.BeginTx(ctx, db.engine.view)
	if err != nil {
		return err
	}
	defer func() { _ = from.Rollback() }()
	to, err := lite.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = to.Rollback() }()
	if _, err := copyTables(ctx, side{from, true}, side{to, false}, nil); err != nil {
		return err
	}
	return to.Commit()
}

// newSQLite makes a database file of the newest schema, without what the queue keeps.
func newSQLite(ctx context.Context, name string, o Options) (*DB, error) {
	o.Database = ""
	lite := &DB{opts: o, engine: engineOf(o)}
	err := lite.openFile(name)
	if err == nil {
		err = lite.migrateRows(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, lite.Close())
	}
	return lite, nil
}

// restorePostgres copies what lies in staging into an empty database, and the blobs
// into their directory. They come first: a row that names absent bytes would be a loss,
// bytes that no row names are none.
func restorePostgres(ctx context.Context, staging string, o Options) (err error) {
	file := filepath.Join(staging, databaseName)
	lite := &DB{opts: o, engine: engineOf(Options{})}
	if err := lite.openFile(file); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lite.Close()) }()
	if err := lite.migrateRows(ctx); err != nil { // one of an earlier version
		return err
	}
	db := &DB{opts: o, engine: engineOf(o)}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.openPostgres(ctx); err != nil {
		return err
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if o.S3 != nil {
		if err := refuseRows(ctx, side{db.read, true}); err != nil {
			return err
		}
		if db.vault, err = openVault(ctx, db, lite.read); err != nil {
			return err
		}
		if err := sendBlobs(ctx, db, staging); err != nil {
			return err
		}
	}
	to, err := db.beginWrite(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = to.Rollback() }()
	if err := refuseRows(ctx, side{to, true}); err != nil {
		return err
	}
	from, err := lite.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = from.Rollback() }()
	if _, err := copyTables(ctx, side{from, false}, side{to, true}, nil); err != nil {
		return err
	}
	if err := putBlobsInPlace(staging, o.Dir); err != nil {
		return err
	}
	if err := to.Commit(); err != nil {
		err = fmt.Errorf("%w: %w", errCommit, err)
		if !lostConnection(err) { // else the rows may be there
			err = errors.Join(err, os.RemoveAll(filepath.Join(o.Dir, "blobs")))
		}
		return err
	}
	return nil
}

// sendRestored sends the blobs of a restored directory to the bucket, which its
// database then names.
func sendRestored(ctx context.Context, staging string, o Options) (err error) {
	lite := &DB{opts: o, engine: engineOf(o)}
	if err := lite.openFile(filepath.Join(staging, databaseName)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lite.Close()) }()
	if err := lite.migrateRows(ctx); err != nil { // one of an earlier version
		return err
	}
	if lite.vault, err = openVault(ctx, lite, lite.read); err != nil {
		return err
	}
	return sendBlobs(ctx, lite, staging)
}

// sendBlobs sends the blobs in staging to the bucket of db and removes their files.
func sendBlobs(ctx context.Context, db *DB, staging string) error {
	db.blobDir = filepath.Join(staging, "sending")
	if err := os.MkdirAll(filepath.Join(db.blobDir, tempDir), dirMode); err != nil {
		return err
	}
	db.vault = db.vault.kept()
	bucket, err := openBucket(ctx, db)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Join(staging, "blobs"))
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		f, err := root.Open(path)
		if err != nil {
			return err
		}
		d := exchange.Digest(e.Name())
		plain, err := db.vault.reader(ctx, d, &storedFile{f, info.Size()})
		if err != nil {
			return err
		}
		_, err = bucket.put(ctx, plain, &exchange.Blob{Digest: d, Size: plain.Size()})
		return errors.Join(err, plain.Close(), root.Remove(path))
	})
}

// refuseRows refuses a database that holds anything.
func refuseRows(ctx context.Context, s side) error {
	tables, err := s.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		var some int
		if err := s.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM `+t.name+` LIMIT 1) AS found`).Scan(&some); err != nil {
			return err
		}
		if some > 0 {
			return text.Detailed(text.StateConflict, nil, "flow.restore-rows", t.name)
		}
	}
	return nil
}

// putBlobsInPlace gives restored blobs their directory.
func putBlobsInPlace(staging, dir string) error {
	if err := syncDir(filepath.Join(staging, "blobs")); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(staging, "blobs"), filepath.Join(dir, "blobs")); err != nil {
		return err
	}
	return syncDir(dir)
}
