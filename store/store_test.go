package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
	"antin/store/storetest"
)

// engine knows its directory, so that a test can reach behind it.
type engine struct {
	*store.DB
	dir string
}

func open(t *testing.T, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Driver{
		Open: func(t *testing.T) storetest.Engine {
			dir := t.TempDir()
			db := open(t, dir)
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
			return engine{db, dir}
		},
		Damage: func(t *testing.T, e storetest.Engine, d exchange.Digest) {
			damage(t, e.(engine).dir, d)
		},
	})
}

// raw opens the database file beside the store.
func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "antin.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func damage(t *testing.T, dir string, d exchange.Digest) {
	t.Helper()
	name := filepath.Join(dir, "blobs", string(d[:2]), string(d))
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := raw(t, dir).Exec(`UPDATE blob SET data = x'00' WHERE digest = $1`, d); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesADirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	if _, err := store.Open(t.Context(), store.Options{Dir: dir}); !errors.Is(err, store.ErrInUse) {
		t.Errorf("second Open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Error(err)
	}
}

func TestEvidenceTablesRefuseChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	defer func() { _ = db.Close() }()
	err := db.Update(t.Context(), func(tx exchange.Tx) error {
		_, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: "A", Subject: "vb_1"})
		return errors.Join(err, tx.AppendStatus(t.Context(), exchange.Status{Subject: "vb_1", Code: exchange.StatusArrived}),
			tx.CreateTransfer(t.Context(), exchange.Transfer{Recipient: "A", Sender: "B", ID: "x"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	other := raw(t, dir)
	for _, table := range []string{"event", "status", "transfer"} {
		if _, err := other.Exec(`UPDATE ` + table + ` SET body = '{}'`); err == nil {
			t.Errorf("%s was updated", table)
		}
		if _, err := other.Exec(`DELETE FROM ` + table); err == nil {
			t.Errorf("%s was deleted from", table)
		}
	}
}

func TestKeepsStateOverReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	doc := exchange.Document{ID: "vb_1", Agency: "A", Subject: "Một"}
	err := db.Update(t.Context(), func(tx exchange.Tx) error {
		return errors.Join(tx.CreateDocument(t.Context(), doc), tx.Enqueue(t.Context(), exchange.Job{Kind: exchange.JobAdmit, Key: "x"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "blobs", "tmp", "put-1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir)
	defer func() { _ = db.Close() }()
	err = db.View(t.Context(), func(tx exchange.Tx) error { _, err := tx.Document(t.Context(), doc.ID); return err })
	if err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "blobs", "tmp", "*")); len(left) != 0 {
		t.Errorf("unfinished blobs left: %v", left)
	}
	var jobs int
	if err := raw(t, dir).QueryRow(`SELECT count(*) FROM river_job WHERE state IN ('available', 'running')`).Scan(&jobs); err != nil || jobs != 0 {
		t.Errorf("%d jobs of a dead process left, %v", jobs, err)
	}
}

func TestAFullDatabaseIsStorageFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	defer func() { _ = db.Close() }()
	if err := store.LimitPages(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 8<<10) // greater ones are no rows
	var err error
	for i := range 250 {
		big[0] = byte(i)
		if _, err = db.Put(t.Context(), bytes.NewReader(big)); err != nil {
			break
		}
	}
	if text.CodeOf(err) != text.StorageFull {
		t.Errorf("a full database gave %v", err)
	}
	err = db.View(t.Context(), func(tx exchange.Tx) error { _, err := tx.OpenLanes(t.Context()); return err })
	if err != nil {
		t.Errorf("reading a full database: %v", err)
	}
}
