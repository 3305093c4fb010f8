package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
	"antin/store/storetest"
)

// installation fills a place with documents whose files are rows and great blobs, with
// evidence and a register, and returns what stands in it.
func installation(t *testing.T, o store.Options) (blobs []exchange.Blob) {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for i := range 12 {
		great, err := db.Put(t.Context(), bytes.NewReader(bytes.Repeat(fmt.Appendf(nil, "%07d.", i), 40_000)))
		must(t, err)
		small, err := db.Put(t.Context(), bytes.NewReader(fmt.Appendf(nil, "văn bản %d", i)))
		must(t, err)
		blobs = append(blobs, great, small)
		id := exchange.NewID(exchange.PrefixDocument, time.Unix(int64(i), 0))
		must(t, db.Update(t.Context(), func(tx exchange.Tx) error {
			_, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: "A", Subject: id, Kind: exchange.EventSent})
			_, taken := tx.TakeNumber(t.Context(), exchange.Entry{Agency: "A", Book: exchange.BookOutgoing, Year: 2026, Subject: id})
			return errors.Join(err, taken, tx.AppendStatus(t.Context(), exchange.Status{Subject: id, Code: exchange.StatusArrived}),
				tx.CreateDocument(t.Context(), exchange.Document{ID: id, Agency: "A", DocumentID: fmt.Sprint(i), Subject: "Về việc thử",
					Issuance: exchange.Issuance{Draft: great, Signed: small}}))
		}))
	}
	_, err = db.Put(t.Context(), bytes.NewReader(make([]byte, 300_000))) // nobody names it
	must(t, err)
	return blobs
}

// holds checks that a place works and holds what installation made.
func holds(t *testing.T, o store.Options, blobs []exchange.Blob) {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for _, b := range blobs {
		must(t, db.Verify(t.Context(), b.Digest))
	}
	evidence := &exchange.Evidence{Store: db}
	n, _, err := evidence.Verify(t.Context(), "A")
	if err != nil || n != 12 {
		t.Errorf("evidence: %d events, %v", n, err)
	}
	must(t, db.Update(t.Context(), func(tx exchange.Tx) error { // and goes on
		seq, err := tx.TakeNumber(t.Context(), exchange.Entry{Agency: "A", Book: exchange.BookOutgoing, Year: 2026, Subject: "vb_next"})
		if err == nil && seq != 13 {
			err = fmt.Errorf("the next number is %d", seq)
		}
		return errors.Join(err, tx.AppendStatus(t.Context(), exchange.Status{Subject: "vb_next", Code: exchange.StatusArrived}))
	}))
	if n, err := db.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Errorf("sweep: %d, %v", n, err)
	}
	for _, b := range blobs {
		must(t, db.Verify(t.Context(), b.Digest))
	}
}

// sumDir is the state of every file below dir but locks and what SQLite makes to read.
func sumDir(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" || filepath.Ext(path) == ".db-shm" || filepath.Ext(path) == ".db-wal" {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %x\n", path, sha256.Sum256(b))
		return err
	}))
	return fmt.Sprintf("%x", h.Sum(nil))
}

// places are the four kinds, each made anew.
var places = map[string]func(t *testing.T) store.Options{
	"SQLite, directory": func(t *testing.T) store.Options { return store.Options{Dir: t.TempDir()} },
	"SQLite, S3": func(t *testing.T) store.Options {
		o := bucket(t)
		return store.Options{Dir: t.TempDir(), S3: &o}
	},
	"PostgreSQL, directory": func(t *testing.T) store.Options {
		return store.Options{Dir: t.TempDir(), Database: storetest.Postgres(t)}
	},
	"PostgreSQL, S3": func(t *testing.T) store.Options {
		o := bucket(t)
		return store.Options{Dir: t.TempDir(), Database: storetest.Postgres(t), S3: &o}
	},
}

func TestMigrateCopiesEveryKindOfPlaceToEveryOther(t *testing.T) {
	t.Parallel()
	for a, from := range places {
		for b, to := range places {
			const first = "SQLite, directory" // how every installation begins
			if a != b && a != first && b != first {
				continue
			}
			t.Run(a+" to "+b, func(t *testing.T) {
				t.Parallel()
				source, target := from(t), to(t)
				blobs := installation(t, source)
				before := sumDir(t, source.Dir)
				m, err := store.Migrate(t.Context(), source, target, store.MigrateSteps{})
				must(t, err)
				if m.Blobs != 24 || m.Copied != 12 || m.List == "" || len(m.Tables) < 20 {
					t.Errorf("proved %+v", m)
				}
				if sumDir(t, source.Dir) != before {
					t.Error("the source has changed")
				}
				holds(t, target, blobs)
				if _, err := store.Migrate(t.Context(), source, target, store.MigrateSteps{}); text.CodeOf(err) != text.StateConflict {
					t.Errorf("a target that holds rows: %v", err)
				}
				holds(t, source, blobs)
			})
		}
	}
}

func TestMigrateGoesOnWhereItWasCutOff(t *testing.T) {
	t.Parallel()
	source, target := store.Options{Dir: t.TempDir()}, store.Options{Dir: t.TempDir()}
	blobs := installation(t, source)
	ctx, cut := context.WithCancel(t.Context())
	_, err := store.Migrate(ctx, source, target, store.MigrateSteps{Blob: func(done, _ int64) {
		if done == 10 {
			cut()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("cut off: %v", err)
	}
	m, err := store.Migrate(t.Context(), source, target, store.MigrateSteps{})
	must(t, err)
	if m.Copied == 0 || m.Copied >= 12 {
		t.Errorf("copied %d of 12 the second time", m.Copied)
	}
	holds(t, target, blobs)
}

func TestMigrateRefusesDamageOnEitherSide(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, source, target string, great, small exchange.Blob){
		"a file of the source": func(t *testing.T, source, _ string, great, _ exchange.Blob) { damage(t, source, great.Digest) },
		"a row of the source":  func(t *testing.T, source, _ string, _, small exchange.Blob) { damage(t, source, small.Digest) },
		"a file lost at the source": func(t *testing.T, source, _ string, great, _ exchange.Blob) {
			must(t, os.Remove(filepath.Join(source, "blobs", string(great.Digest[:2]), string(great.Digest))))
		},
		"a file that an earlier try left damaged": func(t *testing.T, _, target string, great, _ exchange.Blob) {
			folder := filepath.Join(target, "blobs", string(great.Digest[:2]))
			must(t, os.MkdirAll(folder, 0o700))
			must(t, os.WriteFile(filepath.Join(folder, string(great.Digest)), make([]byte, great.Size), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := store.Options{Dir: t.TempDir()}, store.Options{Dir: t.TempDir()}
			blobs := installation(t, source)
			spoil(t, source.Dir, target.Dir, blobs[0], blobs[1])
			_, err := store.Migrate(t.Context(), source, target, store.MigrateSteps{})
			if err == nil {
				t.Fatal("proved all the same")
			}
			db, err := sql.Open("sqlite", filepath.Join(target.Dir, "antin.db"))
			must(t, err)
			defer func() { _ = db.Close() }()
			var n int
			must(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM document`).Scan(&n))
			if n != 0 {
				t.Errorf("%d rows at the target", n)
			}
		})
	}
}

func TestMigrateLeavesAPlaceAloneThatIsInUse(t *testing.T) {
	t.Parallel()
	source := store.Options{Dir: t.TempDir()}
	installation(t, source)
	db, err := store.Open(t.Context(), source)
	must(t, err)
	defer func() { _ = db.Close() }()
	if _, err := store.Migrate(t.Context(), source, store.Options{Dir: t.TempDir()}, store.MigrateSteps{}); !errors.Is(err, store.ErrInUse) {
		t.Errorf("migrating what serve works in: %v", err)
	}
	if _, err := store.Migrate(t.Context(), store.Options{Dir: t.TempDir()}, store.Options{Dir: t.TempDir()}, store.MigrateSteps{}); text.CodeOf(err) != text.NotFound {
		t.Errorf("migrating nothing: %v", err)
	}
}
