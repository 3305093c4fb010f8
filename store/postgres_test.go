package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"antin/exchange"
	"antin/store"
	"antin/store/storetest"
)

// pgEngine knows its database and its directory, so that a test can reach behind it.
type pgEngine struct {
	*store.DB
	url, dir string
}

func openPostgres(t *testing.T, url string, change func(o *store.Options)) *store.DB {
	t.Helper()
	o := store.Options{Dir: t.TempDir(), Database: url}
	if change != nil {
		change(&o)
	}
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t) // says why it is skipped
	storetest.Run(t, storetest.Driver{
		Open: func(t *testing.T) storetest.Engine {
			e := pgEngine{url: storetest.PostgresTables(t), dir: t.TempDir()}
			e.DB = openPostgres(t, e.url, func(o *store.Options) { o.Dir = e.dir })
			return e
		},
		Damage: func(t *testing.T, e storetest.Engine, d exchange.Digest) {
			damagePostgres(t, e.(pgEngine), d)
		},
	})
}

func rawPostgres(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func damagePostgres(t *testing.T, e pgEngine, d exchange.Digest) {
	t.Helper()
	name := filepath.Join(e.dir, "blobs", string(d[:2]), string(d))
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := rawPostgres(t, e.url).Exec(`UPDATE blob SET data = '\x00' WHERE digest = $1`, string(d)); err != nil {
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

func TestPostgreSQLEvidenceTablesRefuseChange(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresTables(t)
	db := openPostgres(t, url, nil)
	err := db.Update(t.Context(), func(tx exchange.Tx) error {
		_, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: "A", Subject: "vb_1"})
		_, taken := tx.TakeNumber(t.Context(), exchange.Entry{Agency: "A", Book: exchange.BookOutgoing, Year: 2026, Subject: "vb_1"})
		return errors.Join(err, taken, tx.AppendStatus(t.Context(), exchange.Status{Subject: "vb_1", Code: exchange.StatusArrived}),
			tx.CreateTransfer(t.Context(), exchange.Transfer{Recipient: "A", Sender: "B", ID: "x"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	other := rawPostgres(t, url)
	for _, table := range []string{"event", "status", "transfer", "register", "register_start", "register_void"} {
		for _, q := range []string{`UPDATE ` + table + ` SET body = '{}'`, `DELETE FROM ` + table, `TRUNCATE ` + table} {
			if _, err := other.ExecContext(t.Context(), q); err == nil {
				t.Errorf("%s: done", q)
			}
		}
	}
}
