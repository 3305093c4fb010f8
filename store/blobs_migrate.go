package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"antin/exchange"
	"antin/internal/text"
)

// Migrated says what a migration proved: the same rows in every table, and the same
// bytes behind every name.
type Migrated struct {
	Tables []TableSum `json:"tables"`
	Blobs  int64      `json:"blobs"` // named by rows, wherever they are kept
	Bytes  int64      `json:"bytes"` // of them
	Copied int64      `json:"copied"`
	// List is the SHA-256 over a line "digest size" for each blob, in order.
	List string `json:"list"`
}

// MigrateSteps hears how far a migration is; nil functions hear nothing.
type MigrateSteps struct {
	Blob  func(done, all int64) // a blob is where it is to be
	Check func(done, all int64) // a blob was read back
	Table func(TableSum)
}

// Migrate copies the installation at from to the empty place at to, of any engine and
// any kind of blobs. Blobs come first, each once; then all of them are read back; then
// the rows come in one transaction, read back before its end: so a place that holds
// rows holds everything, and a migration that was cut off goes on where it was. from
// is not changed. Errors: in use (ErrInUse), state-conflict when to holds rows or from
// is of an earlier version, database-newer, database-unavailable, blobs-unavailable,
// storage-full; ErrDamaged for bytes that are not those of their name.
func Migrate(ctx context.Context, from, to Options, steps MigrateSteps) (m Migrated, err error) {
	if !from.Shared() {
		if _, err := os.Stat(filepath.Join(from.Dir, databaseName)); err != nil {
			return m, text.Detailed(text.NotFound, err, "access.no-database", from.Dir)
		}
		lock, err := lockFile(filepath.Join(from.Dir, "lock"))
		if err != nil {
			return m, err
		}
		defer func() { _ = lock.Close() }()
	}
	r, err := openSource(ctx, from)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	db, err := Open(ctx, to)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	x := migration{from: r.db, to: db, steps: steps}
	err = x.run(ctx, &m)
	return m, diskError(err)
}

// Shared reports whether o means a database that several processes may share.
func (o Options) Shared() bool { return o.Database != "" }

// openSource opens an installation to read it, blobs and all.
func openSource(ctx context.Context, o Options) (*Reader, error) {
	b, err := OpenBeside(ctx, o) // refuses other versions
	if err != nil {
		return nil, err
	}
	if err := b.Close(); err != nil {
		return nil, err
	}
	r, err := OpenReader(ctx, o)
	if err != nil {
		return nil, err
	}
	if r.db.depot, err = openReadDepot(ctx, r.db); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// openReadDepot is openDepot for one who only reads.
func openReadDepot(ctx context.Context, db *DB) (depot, error) {
	if db.opts.S3 == nil {
		return &directory{db}, nil
	}
	return openBucket(ctx, db)
}

type migration struct {
	from, to *DB
	steps    MigrateSteps
}

func (x migration) run(ctx context.Context, m *Migrated) error {
	source, err := x.from.read.BeginTx(ctx, x.from.engine.view) // one state, whoever writes meanwhile
	if err != nil {
		return err
	}
	defer func() { _ = source.Rollback() }()
	from := side{source, x.from.Shared()}
	if err := refuseRows(ctx, side{x.to.read, x.to.Shared()}); err != nil {
		return err
	}
	if err := x.shareVault(); err != nil {
		return err
	}
	names, err := namedBlobs(ctx, from)
	if err != nil {
		return err
	}
	list := sha256.New()
	for i, d := range names {
		size, copied, err := x.blob(ctx, from, d)
		if err != nil {
			return err
		}
		m.Blobs++
		m.Bytes += size
		if copied {
			m.Copied++
		}
		_, _ = fmt.Fprintf(list, "%s %d\n", d, size)
		tell(x.steps.Blob, int64(i+1), int64(len(names)))
	}
	m.List = hex.EncodeToString(list.Sum(nil))
	return x.rows(ctx, from, names, m)
}

func tell(f func(done, all int64), done, all int64) {
	if f != nil {
		f(done, all)
	}
}

// namedBlobs lists the digests that rows name.
func namedBlobs(ctx context.Context, s side) (out []exchange.Digest, err error) {
	rows, err := s.QueryContext(ctx, `SELECT DISTINCT digest FROM blob_ref ORDER BY digest`)
	if err != nil {
		return nil, fmt.Errorf("listing blobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d exchange.Digest
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		if _, ok := exchange.ParseDigest(string(d)); !ok {
			return nil, fmt.Errorf("a row names %q, which is no digest", d)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// blob brings one blob over, unless it is a row, which comes with the rows, or came in
// an earlier try. Either way the bytes at the source are those of the name.
func (x migration) blob(ctx context.Context, from side, d exchange.Digest) (size int64, copied bool, err error) {
	data, ok, err := inlineBlob(ctx, from, d)
	if err != nil {
		return 0, false, err
	}
	if ok {
		got, err := x.from.vault.digestOf(ctx, d, bytes.NewReader(data), int64(len(data)))
		if err != nil || got != d {
			return 0, false, fmt.Errorf("blob %s: %w: %w", d, ErrDamaged, err)
		}
		return int64(len(data)), false, nil
	}
	r, err := x.from.Open(ctx, d)
	if err != nil {
		return 0, false, fmt.Errorf("opening blob %s: %w", d, err)
	}
	defer func() { _ = r.Close() }()
	want := exchange.Blob{Digest: d, Size: r.Size()}
	if came, err := x.came(ctx, d); err == nil {
		same := came.Size() == want.Size
		if err := came.Close(); err != nil {
			return 0, false, err
		}
		if same && x.noted(ctx, d) {
			return want.Size, false, nil // what is in it is looked at before the rows come
		}
	}
	if _, err := x.to.depot.put(ctx, r, &want); err != nil {
		if text.CodeOf(err) == text.DigestMismatch {
			err = fmt.Errorf("blob %s: %w: %w", d, ErrDamaged, err)
		}
		return 0, false, err
	}
	return want.Size, true, nil
}

// noted reports whether a row of the target would find d.
func (x migration) noted(ctx context.Context, d exchange.Digest) bool {
	return x.to.View(ctx, func(e exchange.Tx) error {
		t := e.(*tx) //nolint:forcetypeassert // our own View
		return x.to.depot.holds(ctx, t, d)
	}) == nil
}

func inlineBlob(ctx context.Context, s side, d exchange.Digest) (data []byte, ok bool, err error) {
	rows, err := s.QueryContext(ctx, `SELECT data FROM blob WHERE digest = $1`, d)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		ok = true
		err = rows.Scan(&data)
	}
	return bytes.Clone(data), ok, errors.Join(err, rows.Err())
}

// rows reads every blob back, then copies the rows.
func (x migration) rows(ctx context.Context, from side, names []exchange.Digest, m *Migrated) error {
	for i, d := range names {
		if _, ok, err := inlineBlob(ctx, from, d); err != nil {
			return err
		} else if !ok { // a row's bytes are compared with the rows
			if err := x.to.Verify(ctx, d); err != nil {
				return fmt.Errorf("reading back: %w", err)
			}
		}
		tell(x.steps.Check, int64(i+1), int64(len(names)))
	}
	target, err := x.to.beginWrite(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = target.Rollback() }()
	to := side{target, x.to.Shared()}
	if err := refuseRows(ctx, to); err != nil {
		return err
	}
	if m.Tables, err = copyTables(ctx, from, to, x.steps.Table); err != nil {
		return err
	}
	if err := target.Commit(); err != nil {
		return fmt.Errorf("%w: %w", errCommit, err)
	}
	return nil
}
