package store

import (
	"bytes"
	"context"

	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"antin/exchange"
	"antin/internal/text"
)

// LimitPages lets the database grow no further.
func LimitPages(ctx context.Context, db *DB) error {
	var n int
	if err := db.write.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&n); err != nil {
		return err
	}
	return db.write.QueryRowContext(ctx, `PRAGMA max_page_count = `+strconv.Itoa(n+2)).Scan(&n)
}

// fullFile takes some bytes and then no more, as a file on a full disk does.
type fullFile struct {
	blobFile
	left int
}

func (f *fullFile) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return f.left, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	f.left -= len(p)
	return f.blobFile.Write(p)
}

func TestAFullDiskIsStorageFullAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.create = func(dir string) (blobFile, error) {
		f, err := createTemp(dir)
		return &fullFile{f, 200_000}, err
	}
	body := bytes.Repeat([]byte("z"), 300_000)
	if _, err := db.Put(t.Context(), bytes.NewReader(body)); text.CodeOf(err) != text.StorageFull {
		t.Errorf("put on a full disk gave %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "blobs", "*", "*")); len(left) != 0 {
		t.Errorf("left on disk: %v", left)
	}
	if _, err := db.Open(t.Context(), exchange.DigestOf(body)); text.CodeOf(err) != text.NotFound {
		t.Errorf("open: %v", err)
	}
	db.create = createTemp
	if _, err := db.Put(t.Context(), bytes.NewReader(body)); err != nil {
		t.Errorf("put after space was made: %v", err)
	}
}

func TestEveryConnectionIsSetToLoseNothing(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		if err := db.write.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("writer: %s is %q, %v", pragma, got, err)
		}
	}
	var only string
	if err := db.read.QueryRowContext(t.Context(), `PRAGMA query_only`).Scan(&only); err != nil || only != "1" {
		t.Errorf("readers: query_only is %q, %v", only, err)
	}
}
