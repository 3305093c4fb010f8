package store

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store/storetest"
)

func openShared(t *testing.T, o Options) *DB {
	t.Helper()
	o.Dir = t.TempDir()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Processes that start at once set the database up once, number without gaps or
// doubles and keep one chain of evidence.
func TestProcessesShareADatabase(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	var wg sync.WaitGroup
	const each = 20
	dbs := make([]*DB, 3)
	for i := range dbs {
		wg.Go(func() { dbs[i] = openShared(t, Options{Database: address}) })
	}
	wg.Wait()
	for i, db := range dbs {
		if db == nil {
			t.Fatal("not all could open it")
		}
		for n := range each {
			wg.Go(func() {
				subject := exchange.NewID(exchange.PrefixDocument, time.Unix(int64(i*each+n), 0))
				err := db.Update(t.Context(), func(tx exchange.Tx) error {
					_, err := tx.TakeNumber(t.Context(), exchange.Entry{Agency: "A", Book: exchange.BookOutgoing, Year: 2026, Subject: subject})
					_, also := tx.AppendEvent(t.Context(), exchange.Event{Agency: "A", Subject: subject})
					return errors.Join(err, also)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	log, err := allEvents(t, dbs[0])
	if err != nil || len(log) != each*len(dbs) {
		t.Errorf("%d events: %v", len(log), err)
	}
	err = dbs[1].View(t.Context(), func(tx exchange.Tx) error {
		lines, err := tx.Register(t.Context(), "A", exchange.BookOutgoing, 2026)
		for i, l := range lines {
			if l.Seq != i+1 {
				t.Errorf("line %d has number %d", i+1, l.Seq)
			}
		}
		if len(lines) != each*len(dbs) {
			t.Errorf("%d numbers", len(lines))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A lane is one process's until its turn ends or runs out; who lost it is told so.
func TestATurnPassesFromAProcessThatDied(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	one, two := openShared(t, Options{Database: address}), openShared(t, Options{Database: address})
	if one.Owner() == "" || one.Owner() == two.Owner() {
		t.Fatalf("owners %q and %q", one.Owner(), two.Owner())
	}
	now := standing()
	take := func(db *DB) (fence int64, ok bool) {
		err := db.Update(t.Context(), func(tx exchange.Tx) (err error) {
			fence, ok, err = tx.TakeTurn(t.Context(), exchange.JobLane, "A>B", db.Owner(), now, now.Add(5*time.Second))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return fence, ok
	}
	first, _ := take(one)
	if _, ok := take(two); ok {
		t.Error("two have the turn")
	}
	now = now.Add(6 * time.Second) // one says nothing any more
	second, ok := take(two)
	if !ok || second <= first {
		t.Errorf("taken over: %d %v, was %d", second, ok, first)
	}
	err := one.Update(t.Context(), func(tx exchange.Tx) error {
		holds, err := tx.HoldsTurn(t.Context(), exchange.JobLane, "A>B", first)
		if holds {
			t.Error("who lost the turn holds it still")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNothingOfARunningProcessIsForgottenWhenAnotherStarts(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	one := openShared(t, Options{Database: address})
	later := exchange.Job{Kind: exchange.JobLane, Key: "A>B", At: time.Now().Add(time.Hour)}
	if err := one.Update(t.Context(), func(tx exchange.Tx) error { return tx.Enqueue(t.Context(), later) }); err != nil {
		t.Fatal(err)
	}
	two := openShared(t, Options{Database: address})
	var wakes, jobs int
	if err := two.read.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM wake), (SELECT count(*) FROM river_job WHERE state = 'scheduled')`).Scan(&wakes, &jobs); err != nil || wakes != 1 || jobs != 1 {
		t.Errorf("%d wakes and %d jobs are left: %v", wakes, jobs, err)
	}
}

// An update whose connection is lost before COMMIT is done again, once.
func TestAnUpdateGoesOnWhenItsConnectionIsLost(t *testing.T) {
	t.Parallel()
	db := openShared(t, Options{Database: storetest.PostgresTables(t)})
	runs := 0
	err := db.update(t.Context(), func(x *tx) error {
		runs++
		if err := event(x, runs); err != nil || runs > 1 {
			return err
		}
		var pid int
		if err := x.QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		if _, err := db.read.ExecContext(t.Context(), `SELECT pg_terminate_backend($1, 5000)`, pid); err != nil { // as when the server is stopped
			return err
		}
		return event(x, runs+1)
	})
	if err != nil {
		t.Fatal(err)
	}
	if log, err := allEvents(t, db); err != nil || len(log) != 1 || runs != 2 {
		t.Errorf("%d events of %d runs: %v", len(log), runs, err)
	}
}

// door is a way to the server that can be shut.
type door struct {
	net.Listener
	to    string
	mu    sync.Mutex
	conns []net.Conn
}

func newDoor(t *testing.T, address string) (d *door, throughIt string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d = &door{Listener: l, to: u.Host}
	go d.serve()
	t.Cleanup(d.shut)
	u.Host = l.Addr().String()
	return d, u.String()
}

func (d *door) serve() {
	for {
		in, err := d.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", d.to) //nolint:noctx // ends with the door
		if err != nil {
			_ = in.Close()
			continue
		}
		d.mu.Lock()
		d.conns = append(d.conns, in, out)
		d.mu.Unlock()
		go func() { _, _ = io.Copy(out, in) }()
		go func() { _, _ = io.Copy(in, out) }()
	}
}

func (d *door) shut() {
	_ = d.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		_ = c.Close()
	}
}

func TestAServerThatIsAwayIsDatabaseUnavailable(t *testing.T) {
	t.Parallel()
	d, address := newDoor(t, storetest.PostgresTables(t))
	db := openShared(t, Options{Database: address})
	if err := db.update(t.Context(), func(x *tx) error { return event(x, 1) }); err != nil {
		t.Fatal(err)
	}
	err := db.update(t.Context(), func(x *tx) error {
		if err := event(x, 2); err != nil {
			return err
		}
		d.shut()
		return event(x, 3)
	})
	if text.CodeOf(err) != text.DatabaseUnavailable {
		t.Errorf("an update whose server went away: %v", err)
	}
	err = db.View(t.Context(), func(tx exchange.Tx) error { _, err := tx.OpenLanes(t.Context()); return err })
	if text.CodeOf(err) != text.DatabaseUnavailable {
		t.Errorf("a view without a server: %v", err)
	}
	if _, err := Open(t.Context(), Options{Dir: t.TempDir(), Database: address}); text.CodeOf(err) != text.DatabaseUnavailable {
		t.Errorf("opening without a server: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.View(ctx, func(exchange.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a view that was cancelled: %v", err)
	}
}

func TestAServerThatWouldForgetIsRefused(t *testing.T) {
	t.Parallel()
	address := storetest.PostgresTables(t)
	for _, bad := range []string{address + "&synchronous_commit=off", "postgres://%zz"} {
		db, err := Open(t.Context(), Options{Dir: t.TempDir(), Database: bad})
		if text.CodeOf(err) != text.ConfigInvalid {
			t.Errorf("%d bytes of URL: %v", len(bad), err)
		}
		if db != nil {
			_ = db.Close()
		}
	}
}

func TestWhatADatabaseCannotHoldIsInvalidInput(t *testing.T) {
	t.Parallel()
	db := openShared(t, Options{Database: storetest.PostgresTables(t)})
	err := db.Update(t.Context(), func(tx exchange.Tx) error {
		_, err := tx.AccountByLogin(t.Context(), "A", "a\x00b")
		return err
	})
	if text.CodeOf(err) != text.InvalidInput {
		t.Errorf("a NUL: %v", err)
	}
}
