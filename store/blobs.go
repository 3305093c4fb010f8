package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// inlineSQLite and inlinePostgres are the sizes up to which a blob is a row. Beside
	// SQLite making a file costs more than writing a document of usual size twice
	// (docs/benchmarks/exchange.md); PostgreSQL writes a row's bytes over the network and
	// twice to its log.
	inlineSQLite   = 128 << 10
	inlinePostgres = 64 << 10
	// copyBuffer is the memory one Put or Verify takes, whatever the blob's size.
	copyBuffer = 256 << 10
)

// depot keeps the blobs that are too great for a row.
type depot interface {
	// put makes the bytes of r durable under their digest. With want, it keeps them
	// only when they are those.
	put(ctx context.Context, r io.Reader, want *exchange.Blob) (exchange.Blob, error)
	// open returns the bytes of d; not-found.
	open(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error)
	// holds returns nil when d is there, seen from within a transaction; not-found.
	holds(ctx context.Context, t *tx, d exchange.Digest) error
	// remove removes the bytes of d, within a transaction that keeps other writers out.
	remove(ctx context.Context, t *tx, d exchange.Digest) error
	// sweep is Sweep for what the depot holds.
	sweep(ctx context.Context, before time.Time) (int, error)
	// check proves that bytes can be written, read and removed.
	check(ctx context.Context) error
}

// inline is the size in bytes up to which a blob is a row.
func (db *DB) inline() int {
	if !db.segmented() {
		return inlinePostgres
	}
	return inlineSQLite
}

// heads are buffers for the first bytes of a blob, which say whether it will be a row.
var heads = sync.Pool{New: func() any {
	b := make([]byte, inlineSQLite+1)
	return &b
}}

// openBlobs prepares what keeps blobs.
func (db *DB) openBlobs(ctx context.Context) (err error) {
	if err := db.clearTemp(); err != nil {
		return err
	}
	if err := db.openSegments(ctx); err != nil {
		return err
	}
	db.depot, err = openDepot(ctx, db)
	return err
}

func openDepot(ctx context.Context, db *DB) (depot, error) {
	if db.opts.S3 == nil {
		return openDirectory(db)
	}
	return openBucket(ctx, db)
}

// Put implements exchange.Blobs.
func (db *DB) Put(ctx context.Context, r io.Reader) (exchange.Blob, error) {
	return db.put(ctx, r, nil)
}

// PutExact is Put for bytes whose name is known: digest-mismatch, and nothing is kept,
// when r gives others.
func (db *DB) PutExact(ctx context.Context, r io.Reader, want exchange.Blob) (exchange.Blob, error) {
	return db.put(ctx, r, &want)
}

func (db *DB) put(ctx context.Context, r io.Reader, want *exchange.Blob) (exchange.Blob, error) {
	// A body that is cut off may end in io.ErrUnexpectedEOF, which io.ReadFull also
	// says of a short blob: only src knows which of the two it was.
	src := &source{ctx: ctx, r: r}
	buffer := heads.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer heads.Put(buffer)
	head := (*buffer)[:db.inline()+1]
	n, err := io.ReadFull(src, head)
	switch {
	case src.err != nil:
		return exchange.Blob{}, src.err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return db.putRow(ctx, head[:n], want)
	case err != nil:
		return exchange.Blob{}, err
	}
	return db.depot.put(ctx, io.MultiReader(bytes.NewReader(head), r), want)
}

func (db *DB) putRow(ctx context.Context, b []byte, want *exchange.Blob) (exchange.Blob, error) {
	blob := exchange.Blob{Digest: exchange.DigestOf(b), Size: int64(len(b))}
	if err := asWanted(blob, want); err != nil {
		return exchange.Blob{}, err
	}
	b, err := db.vault.seal(ctx, b)
	if err != nil {
		return exchange.Blob{}, err
	}
	if len(b) > rowMost && db.segmented() {
		if err := db.putSegment(ctx, blob.Digest, b); err != nil {
			return exchange.Blob{}, diskError(fmt.Errorf("storing blob: %w", err))
		}
		return blob, nil
	}
	if stage := exchange.KeptUnder(ctx); stage != nil {
		stage.Keep(blob.Digest, bytes.Clone(b)) // the buffer is the caller's
		return blob, nil
	}
	if err := db.update(ctx, func(t *tx) error { return t.putRow(ctx, blob.Digest, b) }); err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("storing blob: %w", err))
	}
	return blob, nil
}

// putRow writes the bytes of a small blob.
func (t *tx) putRow(ctx context.Context, d exchange.Digest, b []byte) error {
	_, err := t.ExecContext(ctx, `INSERT INTO blob (digest, stored_at, data) VALUES ($1, $2, $3)
		ON CONFLICT (digest) DO UPDATE SET stored_at = excluded.stored_at, data = excluded.data`,
		d, micros(t.db.opts.Now()), b)
	return err
}

// asWanted refuses bytes that are not those announced.
func asWanted(got exchange.Blob, want *exchange.Blob) error {
	if want == nil || got == *want {
		return nil
	}
	return text.Errorf(text.DigestMismatch, fmt.Errorf("%d bytes came of %d announced, or others", got.Size, want.Size))
}

// hashed copies r to w and names what went by. The error of r is told apart from w's.
func hashed(ctx context.Context, w io.Writer, r io.Reader) (blob exchange.Blob, cut, err error) {
	h := sha256.New()
	src := &source{ctx: ctx, r: r}
	n, err := io.CopyBuffer(io.MultiWriter(h, w), src, make([]byte, copyBuffer))
	return exchange.Blob{Digest: exchange.Digest(hex.EncodeToString(h.Sum(nil))), Size: n}, src.err, err
}

// source reads r until ctx is done and keeps r's own error apart from the file's.
type source struct {
	ctx context.Context //nolint:containedctx // lives for one Put
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF { // only the bare value ends a stream
		s.err = err
	}
	return n, err
}

// Open implements exchange.Blobs.
func (db *DB) Open(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	r, err := db.openStored(ctx, d)
	if err != nil {
		return nil, err
	}
	return db.vault.reader(ctx, d, r)
}

// openStored returns the bytes of d as they are kept.
func (db *DB) openStored(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	if _, ok := exchange.ParseDigest(string(d)); !ok {
		return nil, text.Errorf(text.NotFound, fmt.Errorf("%q is no digest", d))
	}
	r, err := db.openSmall(ctx, d)
	if text.CodeOf(err) != text.NotFound {
		return r, err
	}
	return db.openGreat(ctx, d)
}

type rowReader struct{ *bytes.Reader }

func (*rowReader) Close() error { return nil }

// Verify implements exchange.Blobs.
func (db *DB) Verify(ctx context.Context, d exchange.Digest) error {
	r, err := db.Open(ctx, d)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, &source{ctx: ctx, r: r}, make([]byte, copyBuffer)); err != nil {
		return fmt.Errorf("reading blob %s: %w", d, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != string(d) {
		return fmt.Errorf("blob %s: %w", d, ErrDamaged)
	}
	return nil
}

// ErrDamaged is returned by Verify for bytes that changed on the disk.
var ErrDamaged = errors.New("bytes on disk differ from their digest")

// CheckBlobs proves that great blobs can be written, read and removed where o keeps
// them, beside whatever process works there. It opens no database.
func CheckBlobs(ctx context.Context, o Options) error {
	o = o.withDefaults()
	db := &DB{opts: o, engine: engineOf(o), blobDir: filepath.Join(o.Dir, "blobs"), create: createTemp}
	x, err := openReadDepot(ctx, db)
	if err != nil {
		return err
	}
	return diskError(x.check(ctx))
}

// refer notes that owner names blobs, and refuses a blob that is not there: no
// row without its bytes.
func (t *tx) refer(ctx context.Context, owner string, blobs []exchange.Blob) error {
	for _, b := range blobs {
		if _, ok := exchange.ParseDigest(string(b.Digest)); !ok {
			return fmt.Errorf("%s names %q, which is no digest", owner, b.Digest)
		}
		res, err := t.ExecContext(ctx, `INSERT INTO blob_ref (digest, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING`, b.Digest, owner)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			continue // named before
		}
		if err := t.present(ctx, b.Digest); err != nil {
			return fmt.Errorf("%s names blob %s: %w", owner, b.Digest, err)
		}
	}
	return nil
}

func (t *tx) present(ctx context.Context, d exchange.Digest) error {
	if t.here[d] {
		return nil
	}
	n, err := t.count(ctx, `SELECT (SELECT count(*) FROM blob WHERE digest = $1) + (SELECT count(*) FROM blob_segment WHERE digest = $1)`, d)
	if err != nil || n > 0 {
		return err
	}
	return t.db.depot.holds(ctx, t, d)
}

func (t *tx) count(ctx context.Context, query string, args ...any) (n int, err error) {
	err = t.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// named reports whether a row names d.
func (t *tx) named(ctx context.Context, d exchange.Digest) (bool, error) {
	n, err := t.count(ctx, `SELECT count(*) FROM blob_ref WHERE digest = $1`, d)
	return n > 0, err
}

// Discard removes the bytes of d at once unless a row names them. The caller knows
// that nobody is about to store the same bytes.
func (db *DB) Discard(ctx context.Context, d exchange.Digest) error {
	if _, ok := exchange.ParseDigest(string(d)); !ok {
		return nil
	}
	return db.update(ctx, func(t *tx) error {
		if named, err := t.named(ctx, d); named || err != nil {
			return err
		}
		for _, q := range []string{`DELETE FROM blob WHERE digest = $1`, `DELETE FROM blob_segment WHERE digest = $1`} {
			res, err := t.ExecContext(ctx, q, d)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); n > 0 || err != nil {
				return err
			}
		}
		return db.depot.remove(ctx, t, d)
	})
}

// Sweep implements exchange.Blobs.
func (db *DB) Sweep(ctx context.Context, before time.Time) (int, error) {
	removed := 0
	err := db.update(ctx, func(t *tx) error {
		res, err := t.ExecContext(ctx, `DELETE FROM blob WHERE stored_at < $1
			AND NOT EXISTS (SELECT 1 FROM blob_ref r WHERE r.digest = blob.digest)`, micros(before))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		removed = int(n)
		return err
	})
	if err != nil {
		return 0, diskError(fmt.Errorf("sweeping blobs: %w", err))
	}
	inSegments, err := db.sweepSegments(ctx, before)
	if removed += inSegments; err != nil {
		return removed, diskError(fmt.Errorf("sweeping blobs: %w", err))
	}
	n, err := db.depot.sweep(ctx, before)
	if err != nil {
		return removed + n, diskError(fmt.Errorf("sweeping blobs: %w", err))
	}
	return removed + n, nil
}
