package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// inline is the size up to which a blob is a row and not a file: making a file
	// costs more than writing a small one, and receipts, reports and status messages
	// are small.
	inline = 64 << 10
	// copyBuffer is the memory one Put or Verify takes, whatever the blob's size.
	copyBuffer = 256 << 10
	tempDir    = "tmp"
)

// blobFile is what Put needs of a file.
type blobFile interface {
	io.WriteCloser
	Name() string
	Sync() error
}

func createTemp(dir string) (blobFile, error) { return os.CreateTemp(dir, "put-*") }

// openBlobs makes the directories and removes what a dead process left unnamed.
func (db *DB) openBlobs() error {
	tmp := filepath.Join(db.blobDir, tempDir)
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("clearing unfinished blobs: %w", err)
	}
	if err := os.MkdirAll(tmp, dirMode); err != nil {
		return fmt.Errorf("making blob directory: %w", err)
	}
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(db.blobDir, fmt.Sprintf("%02x", i)), dirMode); err != nil {
			return fmt.Errorf("making blob directory: %w", err)
		}
	}
	return syncDir(db.blobDir)
}

// path is where the file of d is or would be.
func (db *DB) path(d exchange.Digest) string {
	return filepath.Join(db.blobDir, string(d[:2]), string(d))
}

// Put implements exchange.Blobs.
func (db *DB) Put(ctx context.Context, r io.Reader) (exchange.Blob, error) {
	// A body that is cut off may end in io.ErrUnexpectedEOF, which io.ReadFull also
	// says of a short blob: only src knows which of the two it was.
	src := &source{ctx: ctx, r: r}
	head := make([]byte, inline+1)
	n, err := io.ReadFull(src, head)
	switch {
	case src.err != nil:
		return exchange.Blob{}, src.err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return db.putRow(ctx, head[:n])
	case err != nil:
		return exchange.Blob{}, err
	}
	return db.putFile(ctx, io.MultiReader(bytes.NewReader(head), r))
}

func (db *DB) putRow(ctx context.Context, b []byte) (exchange.Blob, error) {
	blob := exchange.Blob{Digest: exchange.DigestOf(b), Size: int64(len(b))}
	if b == nil {
		b = []byte{}
	}
	_, err := db.write.ExecContext(ctx, `INSERT INTO blob (digest, stored_at, data) VALUES ($1, $2, $3)
		ON CONFLICT (digest) DO UPDATE SET stored_at = excluded.stored_at, data = excluded.data`,
		blob.Digest, micros(db.opts.Now()), b)
	if err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("storing blob: %w", err))
	}
	return blob, nil
}

// putFile writes to a temporary file, makes it durable, names it by its digest
// and makes the name durable. An existing file of that name is replaced: that
// costs nothing, makes it young for the sweeper and mends it if it was damaged.
func (db *DB) putFile(ctx context.Context, r io.Reader) (_ exchange.Blob, err error) {
	f, err := db.create(filepath.Join(db.blobDir, tempDir))
	if err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("storing blob: %w", err))
	}
	name := f.Name()
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(name)
		}
	}()
	h := sha256.New()
	src := &source{ctx: ctx, r: r}
	n, err := io.CopyBuffer(io.MultiWriter(h, f), src, make([]byte, copyBuffer))
	if src.err != nil {
		return exchange.Blob{}, src.err
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("storing blob: %w", err))
	}
	blob := exchange.Blob{Digest: exchange.Digest(hex.EncodeToString(h.Sum(nil))), Size: n}
	db.sweeping.RLock()
	defer db.sweeping.RUnlock()
	if err = os.Rename(name, db.path(blob.Digest)); err == nil {
		err = syncDir(filepath.Dir(db.path(blob.Digest)))
	}
	if err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("naming blob: %w", err))
	}
	return blob, nil
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

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open implements exchange.Blobs.
func (db *DB) Open(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	if _, ok := exchange.ParseDigest(string(d)); !ok {
		return nil, text.Errorf(text.NotFound, fmt.Errorf("%q is no digest", d))
	}
	var data []byte
	err := db.read.QueryRowContext(ctx, `SELECT data FROM blob WHERE digest = $1`, d).Scan(&data)
	if err == nil {
		return &rowReader{bytes.NewReader(data)}, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("opening blob %s: %w", d, err)
	}
	f, err := os.Open(db.path(d))
	if errors.Is(err, os.ErrNotExist) {
		return nil, text.Errorf(text.NotFound, fmt.Errorf("no blob %s", d))
	}
	if err != nil {
		return nil, fmt.Errorf("opening blob %s: %w", d, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening blob %s: %w", d, err), f.Close())
	}
	return &fileReader{File: f, size: info.Size()}, nil
}

type rowReader struct{ *bytes.Reader }

func (*rowReader) Close() error { return nil }

type fileReader struct {
	*os.File
	size int64
}

func (f *fileReader) Size() int64 { return f.size }

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
		if err := t.present(ctx, b); err != nil {
			return fmt.Errorf("%s names blob %s: %w", owner, b.Digest, err)
		}
	}
	return nil
}

func (t *tx) present(ctx context.Context, b exchange.Blob) error {
	var n int
	if err := t.QueryRowContext(ctx, `SELECT count(*) FROM blob WHERE digest = $1`, b.Digest).Scan(&n); err != nil || n > 0 {
		return err
	}
	if _, err := os.Stat(t.db.path(b.Digest)); err != nil {
		return text.Errorf(text.NotFound, err)
	}
	return nil
}

// Sweep implements exchange.Blobs.
func (db *DB) Sweep(ctx context.Context, before time.Time) (int, error) {
	res, err := db.write.ExecContext(ctx, `DELETE FROM blob WHERE stored_at < $1
		AND NOT EXISTS (SELECT 1 FROM blob_ref r WHERE r.digest = blob.digest)`, micros(before))
	if err != nil {
		return 0, diskError(fmt.Errorf("sweeping blobs: %w", err))
	}
	rows, err := res.RowsAffected()
	if err != nil {
		return 0, err
	}
	removed := int(rows)
	for i := range 256 {
		n, err := db.sweepDir(ctx, filepath.Join(db.blobDir, fmt.Sprintf("%02x", i)), before)
		removed += n
		if err != nil {
			return removed, diskError(fmt.Errorf("sweeping blobs: %w", err))
		}
	}
	return removed, nil
}

// sweepDir removes the old, unnamed files of one directory. It holds the writer
// meanwhile: no row can come to name a file that is about to go.
func (db *DB) sweepDir(ctx context.Context, dir string, before time.Time) (removed int, err error) {
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		return 0, err
	}
	db.sweeping.Lock()
	defer db.sweeping.Unlock()
	err = db.Update(ctx, func(x exchange.Tx) error {
		removed = 0
		t := x.(*tx) //nolint:forcetypeassert // our own Update
		for _, f := range files {
			info, err := f.Info()
			if err != nil || !info.ModTime().Before(before) {
				continue // gone, or young
			}
			var n int
			if err := t.QueryRowContext(ctx, `SELECT count(*) FROM blob_ref WHERE digest = $1`, f.Name()).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				continue
			}
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	return removed, err
}
