package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
)

// Postgres returns the URL of an empty schema of its own on the PostgreSQL server that
// ANTIN_POSTGRES names; it goes when t ends. Without that server the test is skipped,
// and fails where ANTIN_CI is set. The caller's program has the driver "pgx".
func Postgres(t testing.TB) string {
	t.Helper()
	server := postgresServer(t)
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	schema := "antin_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(t.Context(), `CREATE SCHEMA `+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now.
		if _, err := db.Exec(`DROP SCHEMA ` + schema + ` CASCADE`); err != nil { //nolint:noctx // see above
			t.Error(err)
		}
		_ = db.Close()
	})
	return inSchema(t, server, schema)
}

// postgresServer returns what ANTIN_POSTGRES names, or ends the test.
func postgresServer(t testing.TB) string {
	t.Helper()
	server := os.Getenv("ANTIN_POSTGRES")
	switch {
	case server != "":
	case os.Getenv("ANTIN_CI") != "":
		t.Fatal("ANTIN_POSTGRES names no PostgreSQL server: run the tests under .ci/with-services")
	default:
		t.Skip("ANTIN_POSTGRES names no PostgreSQL server (.ci/with-services starts one)")
	}
	return server
}

func inSchema(t testing.TB, server, schema string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("ANTIN_POSTGRES is no URL")
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

// usedSchemas are schemas whose tables were made by tests that have ended, and hold no
// rows: making the tables of each test anew is most of what its time on PostgreSQL went
// to. A process drops those that an earlier one left.
type usedSchemas struct {
	mu     sync.Mutex
	db     *sql.DB
	hold   *sql.Conn // has the lock that says that the schemas' process lives
	n      int
	prefix string
	free   []string
}

//nolint:gochecknoglobals // what the tests of one process share
var schemas usedSchemas

// PostgresTables is Postgres for a test that does not look at how tables come to be: the
// schema may be one in which another test's rows have been.
func PostgresTables(t testing.TB) string {
	t.Helper()
	server := postgresServer(t)
	name, err := schemas.take(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now. What a failed test left is not handed on.
		if err := schemas.giveBack(context.WithoutCancel(t.Context()), name, !t.Failed()); err != nil {
			t.Error(err)
		}
	})
	return inSchema(t, server, name)
}

func (u *usedSchemas) take(ctx context.Context, server string) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.db == nil {
		if err := u.open(context.WithoutCancel(ctx), server); err != nil {
			return "", err
		}
	}
	if n := len(u.free); n > 0 {
		name := u.free[n-1]
		u.free = u.free[:n-1]
		return name, nil
	}
	u.n++
	name := fmt.Sprintf("%s%d", u.prefix, u.n)
	_, err := u.db.ExecContext(ctx, `CREATE SCHEMA `+name)
	return name, err
}

// open connects for as long as the process lives, and drops what the dead have left: a
// schema's name begins with the process's number in the server, which holds a lock on it.
func (u *usedSchemas) open(ctx context.Context, server string) (err error) {
	const class = 1095652432 // "ANTN", and two more
	if u.db, err = sql.Open("pgx", server); err != nil {
		return err
	}
	if u.hold, err = u.db.Conn(ctx); err != nil {
		return err
	}
	var own int
	if err := u.hold.QueryRowContext(ctx, `SELECT pg_backend_pid() FROM pg_advisory_lock($1, pg_backend_pid())`, class).Scan(&own); err != nil {
		return err
	}
	u.prefix = fmt.Sprintf("antintables_%d_", own)
	rows, err := u.hold.QueryContext(ctx, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'antintables\_%' AND split_part(nspname, '_', 2)::bigint NOT IN
		(SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = $1 AND pid <> pg_backend_pid())`, class)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var dead []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		dead = append(dead, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range dead {
		if _, err := u.db.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+name+` CASCADE`); err != nil {
			return err
		}
	}
	return nil
}

// giveBack takes the rows out of a schema; one that is not to be used again is dropped.
func (u *usedSchemas) giveBack(ctx context.Context, name string, again bool) error {
	if !again {
		_, err := u.db.ExecContext(ctx, `DROP SCHEMA `+name+` CASCADE`)
		return err
	}
	// The triggers that keep the evidence from being changed are not for this. A migration
	// makes the one row of fence.
	if _, err := u.db.ExecContext(ctx, `DO $$
		DECLARE r record;
		BEGIN
			PERFORM set_config('session_replication_role', 'replica', true);
			FOR r IN SELECT format('%I.%I', schemaname, tablename) AS name, tablename = 'fence' AS made FROM pg_tables
				WHERE schemaname = '`+name+`' AND tablename NOT IN ('goose_db_version', 'river_migration') LOOP
				EXECUTE CASE WHEN r.made THEN format('UPDATE %s SET n = 0', r.name) ELSE 'DELETE FROM ' || r.name END;
			END LOOP;
			FOR r IN SELECT format('%I.%I', schemaname, sequencename) AS name, start_value FROM pg_sequences
				WHERE schemaname = '`+name+`' AND sequencename NOT LIKE 'goose%' LOOP
				PERFORM setval(r.name, r.start_value, false);
			END LOOP;
		END $$`); err != nil {
		return fmt.Errorf("emptying %s: %w", name, err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.free = append(u.free, name)
	return nil
}
