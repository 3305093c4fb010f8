package store_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// fill adds documents with a file and an event each, as work does.
func fill(ctx context.Context, db *store.DB, from, n int) error {
	for i := from; i < from+n; i++ {
		blob, err := db.Put(ctx, bytes.NewReader(bytes.Repeat(fmt.Appendf(nil, "%07d.", i), 20_000)))
		if err != nil {
			return err
		}
		d := exchange.Document{ID: exchange.NewID(exchange.PrefixDocument, time.Unix(int64(i), 0)), Agency: "A", Subject: fmt.Sprintf("Văn bản %d", i),
			Issuance: exchange.Issuance{Draft: blob}}
		if err := db.Update(ctx, func(tx exchange.Tx) error {
			if err := tx.CreateDocument(ctx, d); err != nil {
				return err
			}
			_, err := tx.AppendEvent(ctx, exchange.Event{Agency: "A", Subject: d.ID, Kind: exchange.EventDocumentCreated})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// whole fails unless the chain of db verifies and each document's file is there.
func whole(t *testing.T, db *store.DB) (documents int) {
	t.Helper()
	n, _, err := (&exchange.Evidence{Store: db}).Verify(t.Context(), "A")
	if err != nil {
		t.Error(err)
	}
	var docs []exchange.Document
	err = db.View(t.Context(), func(tx exchange.Tx) (err error) {
		docs, err = tx.Documents(t.Context(), "A", exchange.Page{Limit: 500})
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if int(n) != len(docs) {
		t.Errorf("%d events, %d documents", n, len(docs))
	}
	for _, d := range docs {
		if err := db.Verify(t.Context(), d.Issuance.Draft.Digest); err != nil {
			t.Error(err)
		}
	}
	return len(docs)
}

func TestABackupUnderLoadRestoresAConsistentState(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	defer func() { _ = db.Close() }()
	if err := fill(t.Context(), db, 0, 20); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1000; ctx.Err() == nil; i++ {
			if err := fill(t.Context(), db, i, 1); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var copied bytes.Buffer
	if err := db.Backup(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	stop()
	wg.Wait()
	dry, err := store.Restore(t.Context(), bytes.NewReader(copied.Bytes()), "", true)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new", "data")
	got, err := store.Restore(t.Context(), bytes.NewReader(copied.Bytes()), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if got != dry || got.Documents < 20 || got.Blobs != got.Documents || got.Events != got.Documents {
		t.Errorf("restored %+v, dry run said %+v", got, dry)
	}
	back := open(t, dir)
	defer func() { _ = back.Close() }()
	if n := whole(t, back); n != got.Documents {
		t.Errorf("%d documents are back, %d were announced", n, got.Documents)
	}
	if err := fill(t.Context(), back, 5000, 1); err != nil {
		t.Errorf("work does not go on after a restore: %v", err)
	}
}

func TestRestoreRefusesWhatIsNoWholeBackup(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	defer func() { _ = db.Close() }()
	if err := fill(t.Context(), db, 0, 3); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := db.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	good := b.Bytes()
	// change rewrites the archive part by part.
	change := func(f func(h *tar.Header, body []byte) ([]byte, bool)) []byte {
		var out bytes.Buffer
		w, r := tar.NewWriter(&out), tar.NewReader(bytes.NewReader(good))
		for {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			body, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			body, keep := f(h, body)
			if !keep {
				continue
			}
			h.Size = int64(len(body))
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(body); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	blob := func(h *tar.Header) bool { return strings.HasPrefix(h.Name, "blobs/") }
	cases := map[string][]byte{
		"nothing":         nil,
		"no archive":      []byte(strings.Repeat("x", 2000)),
		"cut in the half": good[:len(good)/2],
		"cut at the end":  good[:len(good)-2048],
		"a blob changed": change(func(h *tar.Header, b []byte) ([]byte, bool) {
			if blob(h) {
				b[0] ^= 1
			}
			return b, true
		}),
		"a blob gone": change(func(h *tar.Header, b []byte) ([]byte, bool) { return b, !blob(h) }),
		"a way out": change(func(h *tar.Header, b []byte) ([]byte, bool) {
			if blob(h) {
				h.Name = "blobs/../../escaped"
			}
			return b, true
		}),
		"an absolute name": change(func(h *tar.Header, b []byte) ([]byte, bool) {
			if blob(h) {
				h.Name = "/tmp/escaped"
			}
			return b, true
		}),
		"a link": change(func(h *tar.Header, b []byte) ([]byte, bool) {
			if blob(h) {
				h.Typeflag, h.Linkname, b = tar.TypeSymlink, "/etc/passwd", nil
			}
			return b, true
		}),
		"the database changed": change(func(h *tar.Header, b []byte) ([]byte, bool) {
			if h.Name == "antin.db" {
				b[len(b)-1] ^= 1
			}
			return b, true
		}),
		"no manifest": change(func(h *tar.Header, b []byte) ([]byte, bool) { return b, h.Name != "manifest.json" }),
	}
	for name, body := range cases {
		dir := filepath.Join(t.TempDir(), "data")
		_, err := store.Restore(t.Context(), bytes.NewReader(body), dir, false)
		if !errors.Is(err, store.ErrBackup) || text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s left something behind", name)
		}
		if _, err := store.Restore(t.Context(), bytes.NewReader(body), "", true); err == nil {
			t.Errorf("%s passes a dry run", name)
		}
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), bytes.NewReader(good), full, false); text.CodeOf(err) != text.StateConflict {
		t.Errorf("into a folder that is not empty: %v", err)
	}
}

func TestADatabaseOfANewerVersionIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := raw(t, dir).Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Options{Dir: dir})
	if text.CodeOf(err) != text.DatabaseNewer || !strings.Contains(text.As(err).Message().VI, "9999") {
		t.Errorf("opened a newer database: %v", err)
	}
	var n int
	if err := raw(t, dir).QueryRow(`SELECT max(version_id) FROM goose_db_version`).Scan(&n); err != nil || n != 9999 {
		t.Errorf("version is %d, %v", n, err)
	}
}
