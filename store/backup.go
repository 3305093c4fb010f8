package store

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"antin/exchange"
)

// A backup is one tar stream: what it is, the database, the blobs that are files
// (small ones are in the database), and at the end what must have come before.
const (
	backupFormat  = 1
	nameHead      = "antin-backup.json"
	nameManifest  = "manifest.json"
	blobsPrefix   = "blobs/"
	snapshotGlob  = ".snapshot-*.db*"
	backupMode    = 0o600
	maxBackupJSON = 1 << 20 // both JSON parts are far below it
)

// backupHead is the first part of a backup.
type backupHead struct {
	Format    int       `json:"format"`
	Schema    int64     `json:"schema"`
	CreatedAt time.Time `json:"created_at"`
}

// backupManifest is the last part of a backup: what came before it. A stream
// without it was cut off.
type backupManifest struct {
	Database exchange.Blob `json:"database"`
	Blobs    int           `json:"blobs"`
	Bytes    int64         `json:"bytes"`
	// List is the SHA-256 over a line "digest size" for each blob, in order.
	List string `json:"list_sha256"`
}

// Backup writes a consistent copy of the directory to w while work goes on: a
// snapshot of the database, then every file that a row of the snapshot names. What
// rows name is never removed, so that the files are there whatever happens
// meanwhile. Uploads that no row names yet are left out. Errors: storage-full when
// the snapshot finds no room in the data directory, or w's own.
func (db *DB) Backup(ctx context.Context, w io.Writer) (err error) {
	snapshot, err := db.snapshot(ctx)
	if err != nil {
		return diskError(err)
	}
	defer func() { err = errors.Join(err, os.Remove(snapshot)) }()
	schema, err := storedVersion(ctx, snapshot)
	if err != nil {
		return err
	}
	b := &backup{tar: tar.NewWriter(w), list: sha256.New(), at: db.opts.Now().UTC(), vault: db.vault}
	if err := b.json(nameHead, backupHead{Format: backupFormat, Schema: schema, CreatedAt: b.at}); err != nil {
		return err
	}
	if b.manifest.Database, err = b.file(ctx, databaseName, snapshot); err != nil {
		return err
	}
	err = eachFileBlob(ctx, snapshot, func(d exchange.Digest) error { return b.blob(ctx, d, db.openStored) })
	if err != nil {
		return err
	}
	b.manifest.List = hex.EncodeToString(b.list.Sum(nil))
	if err := b.json(nameManifest, b.manifest); err != nil {
		return err
	}
	return b.tar.Close()
}

// snapshot copies the database as of one moment into a SQLite file in the directory.
func (db *DB) snapshot(ctx context.Context) (name string, err error) {
	name = filepath.Join(db.opts.Dir, ".snapshot-"+rand.Text()+".db")
	if db.Shared() {
		if err := db.snapshotPostgres(ctx, name); err != nil {
			_ = os.Remove(name)
			return "", fmt.Errorf("copying database: %w", err)
		}
		return name, os.Chmod(name, backupMode)
	}
	live, err := sql.Open("sqlite", dsn(filepath.Join(db.opts.Dir, databaseName), "deferred"))
	if err != nil {
		return "", fmt.Errorf("opening database to copy: %w", err)
	}
	defer func() { err = errors.Join(err, live.Close()) }()
	if _, err := live.ExecContext(ctx, `VACUUM INTO $1`, name); err != nil {
		_ = os.Remove(name)
		return "", fmt.Errorf("copying database: %w", err)
	}
	return name, errors.Join(forgetPlaces(ctx, name), os.Chmod(name, backupMode))
}

// removeSnapshots removes what backups left that a dead process was making.
func removeSnapshots(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, snapshotGlob))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("removing unfinished backup: %w", err)
		}
	}
	return nil
}

// eachFileBlob calls fn for every blob that a row of the database file names and
// that is not in the database itself, in order of digest.
func eachFileBlob(ctx context.Context, file string, fn func(exchange.Digest) error) (err error) {
	db, err := sql.Open("sqlite", dsn(file, "deferred", "query_only(ON)"))
	if err != nil {
		return fmt.Errorf("opening snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, `SELECT DISTINCT r.digest FROM blob_ref r
		WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.digest = r.digest) ORDER BY r.digest`)
	if err != nil {
		return fmt.Errorf("listing blobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d exchange.Digest
		if err := rows.Scan(&d); err != nil {
			return err
		}
		if _, ok := exchange.ParseDigest(string(d)); !ok {
			return fmt.Errorf("a row names %q, which is no digest", d)
		}
		if err := fn(d); err != nil {
			return err
		}
	}
	return rows.Err()
}

// backup is a stream being written.
type backup struct {
	tar      *tar.Writer
	list     hash.Hash
	at       time.Time
	manifest backupManifest
	vault    *vault // to check encrypted blobs, which are copied as they are
}

func (b *backup) header(name string, size int64) error {
	return b.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: backupMode, ModTime: b.at, Format: tar.FormatPAX})
}

func (b *backup) json(name string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := b.header(name, int64(len(body))); err != nil {
		return err
	}
	_, err = b.tar.Write(body)
	return err
}

// file writes a file whose size does not change and returns what was written.
func (b *backup) file(ctx context.Context, name, path string) (exchange.Blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return exchange.Blob{}, fmt.Errorf("backing up: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return exchange.Blob{}, err
	}
	return b.bytes(ctx, name, f, info.Size())
}

// bytes writes size bytes of r as one part and returns what was written.
func (b *backup) bytes(ctx context.Context, name string, r io.Reader, size int64) (exchange.Blob, error) {
	if err := b.header(name, size); err != nil {
		return exchange.Blob{}, err
	}
	h := sha256.New()
	n, err := io.CopyBuffer(io.MultiWriter(b.tar, h), &source{ctx: ctx, r: r}, make([]byte, copyBuffer))
	if err != nil {
		return exchange.Blob{}, fmt.Errorf("backing up %s: %w", name, err)
	}
	return exchange.Blob{Digest: exchange.Digest(hex.EncodeToString(h.Sum(nil))), Size: n}, nil
}

// blob writes one blob; one that is damaged on the disk ends the backup, since a
// restore of it would.
func (b *backup) blob(ctx context.Context, d exchange.Digest, open func(context.Context, exchange.Digest) (exchange.BlobReader, error)) error {
	r, err := open(ctx, d)
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	defer func() { _ = r.Close() }()
	got, err := b.stored(ctx, d, r)
	if err != nil {
		return err
	}
	if got.Digest != d {
		return fmt.Errorf("blob %s: %w", d, ErrDamaged)
	}
	b.manifest.Blobs++
	b.manifest.Bytes += got.Size
	_, _ = fmt.Fprintf(b.list, "%s %d\n", d, got.Size)
	return nil
}

// stored writes the bytes of d as they are kept, and names the plain ones.
func (b *backup) stored(ctx context.Context, d exchange.Digest, r exchange.BlobReader) (exchange.Blob, error) {
	name, size := blobsPrefix+string(d), r.Size()
	if b.vault == nil {
		return b.bytes(ctx, name, r, size)
	}
	if err := b.header(name, size); err != nil {
		return exchange.Blob{}, err
	}
	got, err := b.vault.digestOf(ctx, d, io.TeeReader(r, b.tar), size)
	return exchange.Blob{Digest: got, Size: size}, err
}
