package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/failpoint"
	"antin/internal/text"
)

const (
	tempDir = "tmp"
	// abandoned is the age from which an unnamed file belongs to no living process, where
	// several share the directory: longer than any Put.
	abandoned = 24 * time.Hour
)

// blobFile is what Put needs of a file.
type blobFile interface {
	io.WriteCloser
	Name() string
	Sync() error
}

func createTemp(dir string) (blobFile, error) { return os.CreateTemp(dir, "put-*") }

// directory is the depot of files: 256 folders by the first byte of the digest.
type directory struct{ db *DB }

// openDirectory makes the directories, with names that a loss of power leaves.
func openDirectory(db *DB) (*directory, error) {
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(db.blobDir, fmt.Sprintf("%02x", i)), dirMode); err != nil {
			return nil, fmt.Errorf("making blob directory: %w", err)
		}
	}
	return &directory{db}, errors.Join(syncDir(db.blobDir), syncDir(filepath.Dir(db.blobDir)))
}

// clearTemp makes the directory of files without a name yet, and removes those that
// nobody writes any more.
func (db *DB) clearTemp() error {
	tmp := filepath.Join(db.blobDir, tempDir)
	if err := db.removeAbandoned(tmp); err != nil {
		return fmt.Errorf("clearing unfinished blobs: %w", err)
	}
	if err := os.MkdirAll(tmp, dirMode); err != nil {
		return fmt.Errorf("making blob directory: %w", err)
	}
	return nil
}

func (db *DB) removeAbandoned(tmp string) error {
	if !db.Shared() {
		return os.RemoveAll(tmp)
	}
	files, err := os.ReadDir(tmp)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.ModTime().Before(time.Now().Add(-abandoned)) { // file times are the machine's
			_ = os.Remove(filepath.Join(tmp, f.Name())) // another may have done it
		}
	}
	return err
}

// path is where the file of d is or would be.
func (db *DB) path(d exchange.Digest) string {
	return filepath.Join(db.blobDir, string(d[:2]), string(d))
}

// put writes to a temporary file, makes it durable, names it by its digest
// and makes the name durable. An existing file of that name is replaced: that
// costs nothing, makes it young for the sweeper and mends it if it was damaged.
func (x *directory) put(ctx context.Context, r io.Reader, want *exchange.Blob) (_ exchange.Blob, err error) {
	f, err := x.db.create(filepath.Join(x.db.blobDir, tempDir))
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
	blob, cut, err := x.db.vault.hashed(ctx, f, r)
	if cut != nil {
		return exchange.Blob{}, cut
	}
	if err == nil {
		err = asWanted(blob, want)
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
	if err = failpoint.Hit(failpoint.BlobBeforeName); err == nil {
		err = x.name(ctx, name, blob.Digest)
	}
	if err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("naming blob: %w", err))
	}
	return blob, failpoint.Hit(failpoint.BlobAfterName)
}

// name gives a file its name while no sweeper is at work, here or in another process.
func (x *directory) name(ctx context.Context, file string, d exchange.Digest) error {
	rename := func() error {
		if err := os.Rename(file, x.db.path(d)); err != nil {
			return err
		}
		return syncDir(filepath.Dir(x.db.path(d)))
	}
	if x.db.Shared() {
		done := false // the closure may run again, when the file has its name already
		return x.db.update(ctx, func(*tx) error {
			if done {
				return nil
			}
			err := rename()
			done = err == nil
			return err
		})
	}
	x.db.sweeping.RLock()
	defer x.db.sweeping.RUnlock()
	return rename()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (x *directory) open(_ context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	f, err := os.Open(x.db.path(d))
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

type fileReader struct {
	*os.File
	size int64
}

func (f *fileReader) Size() int64 { return f.size }

func (x *directory) holds(_ context.Context, _ *tx, d exchange.Digest) error {
	if _, err := os.Stat(x.db.path(d)); err != nil {
		return text.Errorf(text.NotFound, err)
	}
	return nil
}

func (x *directory) remove(_ context.Context, _ *tx, d exchange.Digest) error {
	if err := os.Remove(x.db.path(d)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (x *directory) check(ctx context.Context) error {
	b, err := x.put(ctx, strings.NewReader(probe), nil)
	if err != nil {
		return err
	}
	r, err := x.open(ctx, b.Digest)
	if err != nil {
		return err
	}
	return errors.Join(r.Close(), x.remove(ctx, nil, b.Digest))
}

// probe is what check writes: bytes that nothing else is.
const probe = "antin: can bytes be written here?\n"

func (x *directory) sweep(ctx context.Context, before time.Time) (removed int, err error) {
	for i := range 256 {
		n, err := x.sweepFolder(ctx, filepath.Join(x.db.blobDir, fmt.Sprintf("%02x", i)), before)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// sweepFolder removes the old, unnamed files of one folder. It holds the writer
// meanwhile: no row can come to name a file that is about to go.
func (x *directory) sweepFolder(ctx context.Context, folder string, before time.Time) (removed int, err error) {
	files, err := os.ReadDir(folder)
	if err != nil || len(files) == 0 {
		return 0, err
	}
	x.db.sweeping.Lock()
	defer x.db.sweeping.Unlock()
	err = x.db.update(ctx, func(t *tx) error {
		removed = 0
		for _, f := range files {
			info, err := os.Stat(filepath.Join(folder, f.Name())) // as it is now that nobody can name it
			if err != nil || !info.ModTime().Before(before) {
				continue // gone, or young
			}
			if named, err := t.named(ctx, exchange.Digest(f.Name())); named || err != nil {
				if err != nil {
					return err
				}
				continue
			}
			if err := os.Remove(filepath.Join(folder, f.Name())); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	return removed, err
}
