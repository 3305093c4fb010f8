package store_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"antin/internal/text"
	"antin/store"
)

// TestARestoreThatWasKilledIsDoneAgain puts a directory into each state that a kill
// can leave, since Restore itself cleans up behind every failure that it lives to see.
func TestARestoreThatWasKilledIsDoneAgain(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	defer func() { _ = db.Close() }()
	if err := fill(t.Context(), db, 0, 3); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := db.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	restored := func(dir string) error {
		_, err := store.Restore(t.Context(), bytes.NewReader(backup.Bytes()), dir, false)
		return err
	}
	move := func(from, to string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.Rename(from, to)); err != nil {
			t.Fatal(err)
		}
	}
	for name, kill := range map[string]func(dir string){
		"while files come": func(dir string) {
			move(filepath.Join(dir, "blobs"), filepath.Join(dir, ".restoring", "blobs"))
			move(filepath.Join(dir, "antin.db"), filepath.Join(dir, ".restoring", "antin.db"))
			if err := os.Truncate(filepath.Join(dir, ".restoring", "antin.db"), 5000); err != nil {
				t.Fatal(err)
			}
		},
		"between blobs and database": func(dir string) {
			move(filepath.Join(dir, "antin.db"), filepath.Join(dir, ".restoring", "antin.db"))
		},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		if err := restored(dir); err != nil {
			t.Fatal(err)
		}
		kill(dir)
		if _, err := store.Open(t.Context(), store.Options{Dir: dir}); text.CodeOf(err) != text.StateConflict {
			t.Errorf("%s: opened as if whole: %v", name, err)
		}
		if err := restored(dir); err != nil {
			t.Errorf("%s: again: %v", name, err)
			continue
		}
		back := open(t, dir)
		if n := whole(t, back); n != 3 {
			t.Errorf("%s: %d documents are back", name, n)
		}
		_ = back.Close()
	}
	dir := filepath.Join(t.TempDir(), "data") // killed when all was in place
	if err := errors.Join(restored(dir), os.MkdirAll(filepath.Join(dir, ".restoring", "rest"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := restored(dir); text.CodeOf(err) != text.StateConflict {
		t.Errorf("over a whole directory: %v", err)
	}
	back := open(t, dir)
	defer func() { _ = back.Close() }()
	if n := whole(t, back); n != 3 {
		t.Errorf("%d documents are left", n)
	}
	if _, err := os.Stat(filepath.Join(dir, ".restoring")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left over stays: %v", err)
	}
}

func TestARestoreWhoseStreamBreaksLeavesNothing(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	defer func() { _ = db.Close() }()
	if err := fill(t.Context(), db, 0, 2); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := db.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("cable")
	dir := t.TempDir()
	for _, n := range []int64{0, 700, 5000, int64(backup.Len()) / 2, int64(backup.Len()) - 2000} {
		r := io.MultiReader(io.LimitReader(bytes.NewReader(backup.Bytes()), n), iotest.ErrReader(boom))
		if _, err := store.Restore(t.Context(), r, dir, false); err == nil {
			t.Errorf("restored from %d bytes", n)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("after %d bytes: %v, %v", n, left, err)
		}
	}
}
