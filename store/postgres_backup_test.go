package store_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
	"antin/store/storetest"
)

// A backup of either engine comes back on either, with every row and every file, and
// work goes on there: numbers and evidence go on where they ended.
func TestABackupOfEitherEngineIsRestoredIntoEither(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t)
	options := func(t *testing.T, engine string) store.Options {
		o := store.Options{Dir: filepath.Join(t.TempDir(), "data")}
		if strings.HasPrefix(engine, "PostgreSQL") {
			o.Database = storetest.Postgres(t)
		}
		if strings.HasSuffix(engine, "S3") {
			b := bucket(t)
			o.S3 = &b
		}
		return o
	}
	for _, from := range []string{"SQLite", "PostgreSQL", "PostgreSQL with S3"} {
		for _, to := range []string{"SQLite", "PostgreSQL", "SQLite with S3", "PostgreSQL with S3"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				db := openWith(t, options(t, from))
				if err := fill(t.Context(), db, 0, 8); err != nil {
					t.Fatal(err)
				}
				if _, err := db.Put(t.Context(), bytes.NewReader([]byte("small"))); err != nil {
					t.Fatal(err)
				}
				number := func(db *store.DB, subject exchange.ID) (n int) {
					err := db.Update(t.Context(), func(tx exchange.Tx) (err error) {
						if err := tx.AppendStatus(t.Context(), exchange.Status{Subject: subject, Code: exchange.StatusArrived}); err != nil {
							return err
						}
						n, err = tx.TakeNumber(t.Context(), exchange.Entry{Agency: "A", Book: exchange.BookOutgoing, Year: 2026, Subject: subject})
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					return n
				}
				number(db, "vb_1")
				var copied bytes.Buffer
				if err := db.Backup(t.Context(), &copied); err != nil {
					t.Fatal(err)
				}
				dry, err := store.RestoreTo(t.Context(), bytes.NewReader(copied.Bytes()), store.Options{}, true)
				if err != nil {
					t.Fatal(err)
				}
				target := options(t, to)
				got, err := store.RestoreTo(t.Context(), bytes.NewReader(copied.Bytes()), target, false)
				if err != nil {
					t.Fatal(err)
				}
				if got != dry || got.Documents != 8 || got.Events != 8 {
					t.Errorf("restored %+v, dry run said %+v", got, dry)
				}
				back := openWith(t, target)
				if n := whole(t, back); n != 8 {
					t.Errorf("%d documents are back", n)
				}
				if n := number(back, "vb_2"); n != 2 {
					t.Errorf("the register goes on at %d", n)
				}
				if err := fill(t.Context(), back, 5000, 1); err != nil {
					t.Error(err)
				}
				whole(t, back)
				if target.Database != "" {
					target.Dir = filepath.Join(t.TempDir(), "other")
					if _, err := store.RestoreTo(t.Context(), bytes.NewReader(copied.Bytes()), target, false); text.CodeOf(err) != text.StateConflict {
						t.Errorf("restored over rows: %v", err)
					}
				}
			})
		}
	}
}

func openWith(t *testing.T, o store.Options) *store.DB {
	t.Helper()
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
