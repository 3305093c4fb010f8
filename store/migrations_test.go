package store

import (
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"antin/store/storetest"
)

// names returns the files of a set of migrations.
func names(t *testing.T, set string) (out []string) {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/"+set+"/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		out = append(out, filepath.Base(f))
	}
	return out
}

func TestBothEnginesHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	lite, pg := names(t, "sqlite"), names(t, "postgres")
	if !slices.Equal(lite, pg) {
		t.Errorf("SQLite has %v\nPostgreSQL has %v", lite, pg)
	}
	numbers := map[string]string{}
	for _, n := range lite {
		if other, taken := numbers[n[:5]]; taken {
			t.Errorf("%s and %s have one number", n, other)
		}
		numbers[n[:5]] = n
	}
}

// columns lists what a query returns as "table.column".
func columns(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s.%s %s", table, column, kind))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// Tables, columns and indexes of both engines are the same, but for what the queue and
// the versions of the schema keep; so are the keys.
func TestBothEnginesEndInTheSameSchema(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	lite, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lite.Close() }()
	pg, err := Open(t.Context(), Options{Dir: t.TempDir(), Database: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pg.Close() }()
	for what, q := range map[string][2]string{
		"columns": {
			`SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
				WHERE m.type = 'table' AND m.name NOT LIKE 'river%' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`,
			`SELECT table_name, column_name, CASE data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB' ELSE upper(data_type) END
				FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE 'river%' AND table_name NOT LIKE 'goose%'`,
		},
		"indexes": {
			`SELECT tbl_name, name, '' FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND name NOT LIKE 'river%'`,
			`SELECT tablename, indexname, '' FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE 'river%' AND tablename NOT LIKE 'goose%'
				AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace)`,
		},
		"keys": {
			`SELECT DISTINCT m.name, c.name, CAST(c.pk AS TEXT) FROM sqlite_master m, pragma_table_info(m.name) c
				WHERE m.type = 'table' AND c.pk > 0 AND m.name NOT LIKE 'river%' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`,
			`SELECT k.table_name, k.column_name, k.ordinal_position::text FROM information_schema.key_column_usage k
				JOIN information_schema.table_constraints c ON c.constraint_name = k.constraint_name AND c.table_schema = k.table_schema
				WHERE c.table_schema = current_schema() AND c.constraint_type = 'PRIMARY KEY' AND k.table_name NOT LIKE 'river%' AND k.table_name NOT LIKE 'goose%'`,
		},
	} {
		l, p := columns(t, lite.read, q[0]), columns(t, pg.read, q[1])
		for _, x := range l {
			if !slices.Contains(p, x) {
				t.Errorf("%s: PostgreSQL lacks %s", what, x)
			}
		}
		for _, x := range p {
			if !slices.Contains(l, x) {
				t.Errorf("%s: SQLite lacks %s", what, x)
			}
		}
		if len(l) < 20 {
			t.Errorf("%s: only %d were compared", what, len(l))
		}
	}
}
