package storetest

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"
)

// Postgres returns the URL of an empty schema of its own on the PostgreSQL server that
// ANTIN_POSTGRES names; it goes when t ends. Without that server the test is skipped,
// and fails where ANTIN_CI is set. The caller's program has the driver "pgx".
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv("ANTIN_POSTGRES")
	switch {
	case server != "":
	case os.Getenv("ANTIN_CI") != "":
		t.Fatal("ANTIN_POSTGRES names no PostgreSQL server: run the tests under .ci/with-services")
	default:
		t.Skip("ANTIN_POSTGRES names no PostgreSQL server (.ci/with-services starts one)")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("ANTIN_POSTGRES is no URL")
	}
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
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}
