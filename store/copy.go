package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// TableSum says what rows a table holds: how many, and the SHA-256 over all of them in
// the order of their key. It is the same on either engine for the same rows.
type TableSum struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// passingTables hold what concerns running processes, or the place of blobs, alone: a
// copy begins without them.
var passingTables = []string{"wake", "turn", "fence", "blob_object", "blob_segment"}

// The bounds of one INSERT of a copy: SQLite takes 32,766 values, and what is on the
// way is kept in memory.
const (
	copyValues = 30_000
	copyRows   = 500
	copyBytes  = 4 << 20
)

// queryer is what a copy needs of a transaction or a pool.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// side is one end of a copy: rows seen in one state, on one of the engines.
type side struct {
	queryer
	shared bool // PostgreSQL
}

// table is a table with its columns, those of its key first and in the key's order.
type table struct {
	name    string
	columns []string
	key     int      // how many of columns are the key
	text    []bool   // by column: it holds text
	count   []string // columns that the engine counts up by itself
}

const tablesSQLite = `SELECT m.name, c.name, c.pk, c.type = 'TEXT', 0 FROM sqlite_master m, pragma_table_info(m.name) c
	WHERE m.type = 'table' AND m.name NOT LIKE 'river%' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'
	ORDER BY m.name, c.pk = 0, c.pk, c.name`

const tablesPostgres = `SELECT c.table_name, c.column_name, coalesce(k.ordinal_position, 0), (c.data_type = 'text')::integer, (c.is_identity = 'YES')::integer
	FROM information_schema.columns c JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
	LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY'
	LEFT JOIN information_schema.key_column_usage k ON k.table_schema = c.table_schema AND k.constraint_name = p.constraint_name AND k.column_name = c.column_name
	WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name NOT LIKE 'river%' AND c.table_name NOT LIKE 'goose%'
	ORDER BY c.table_name COLLATE "C", coalesce(k.ordinal_position, 0) = 0, coalesce(k.ordinal_position, 0), c.column_name COLLATE "C"`

// tables lists what is copied, by name. A table without a key cannot be: its rows have
// no order.
func (s side) tables(ctx context.Context) (out []table, err error) {
	query := tablesSQLite
	if s.shared {
		query = tablesPostgres
	}
	rows, err := s.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name, column string
		var key, text, counted int
		if err := rows.Scan(&name, &column, &key, &text, &counted); err != nil {
			return nil, err
		}
		if slices.Contains(passingTables, name) {
			continue
		}
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, table{name: name})
		}
		t := &out[len(out)-1]
		t.columns, t.text = append(t.columns, column), append(t.text, text != 0)
		if key > 0 {
			t.key++
		}
		if counted != 0 {
			t.count = append(t.count, column)
		}
	}
	for _, t := range out {
		if t.key == 0 {
			return nil, fmt.Errorf("table %s has no key", t.name)
		}
	}
	return out, rows.Err()
}

// copyTables copies every row from one database to the other, whose tables are empty,
// and returns what it copied; to has then been read back and holds the same. Both are
// of the same version of the schema. said, which may be nil, hears of each table.
func copyTables(ctx context.Context, from, to side, said func(TableSum)) (sums []TableSum, err error) {
	theirs, err := from.tables(ctx)
	if err != nil {
		return nil, err
	}
	ours, err := to.tables(ctx)
	if err != nil {
		return nil, err
	}
	if len(ours) != len(theirs) {
		return nil, fmt.Errorf("%d tables here, %d there", len(theirs), len(ours))
	}
	for i, t := range theirs {
		if t.name != ours[i].name || !slices.Equal(t.columns, ours[i].columns) {
			return nil, fmt.Errorf("table %s is not the same on both sides", t.name)
		}
		sum, err := copyTable(ctx, from, to, ours[i])
		if err != nil {
			return nil, fmt.Errorf("copying %s: %w", t.name, err)
		}
		stands, err := sumOf(ctx, to, ours[i])
		if err != nil {
			return nil, fmt.Errorf("reading back %s: %w", t.name, err)
		}
		if stands != sum {
			return nil, fmt.Errorf("%s holds %d rows (%s) behind the copy of %d (%s)", t.name, stands.Rows, stands.SHA256, sum.Rows, sum.SHA256)
		}
		if said != nil {
			said(sum)
		}
		sums = append(sums, sum)
	}
	return sums, nil
}

func sumOf(ctx context.Context, s side, t table) (TableSum, error) {
	return s.each(ctx, t, func([]any) error { return nil })
}

// each calls fn for the rows of t in the order of their key and sums them up.
func (s side) each(ctx context.Context, t table, fn func(values []any) error) (sum TableSum, err error) {
	rows, err := s.QueryContext(ctx, `SELECT `+strings.Join(t.columns, ", ")+` FROM `+t.name+` ORDER BY `+strings.Join(t.columns[:t.key], ", "))
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	h := sha256.New()
	sum.Table = t.name
	for rows.Next() {
		values := make([]any, len(t.columns))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return sum, err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok && t.text[i] { // SQLite keeps what it was given
				values[i] = string(b)
			}
			if err := hashValue(h, values[i]); err != nil {
				return sum, fmt.Errorf("column %s: %w", t.columns[i], err)
			}
		}
		sum.Rows++
		if err := fn(values); err != nil {
			return sum, err
		}
	}
	sum.SHA256 = hex.EncodeToString(h.Sum(nil))
	return sum, rows.Err()
}

// hashValue adds a value to h with its kind and its length, so that no two different
// rows give the same input.
func hashValue(h hash.Hash, v any) error {
	head := func(kind byte, n int) {
		h.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(n)))
	}
	switch x := v.(type) {
	case nil:
		head('n', 0)
	case int64:
		h.Write(binary.BigEndian.AppendUint64([]byte{'i'}, uint64(x)))
	case string:
		head('t', len(x))
		h.Write([]byte(x))
	case []byte:
		head('b', len(x))
		h.Write(x)
	default:
		return fmt.Errorf("holds a %T", v)
	}
	return nil
}

// copyTable copies the rows of t in as few statements as its bounds allow.
func copyTable(ctx context.Context, from, to side, t table) (TableSum, error) {
	most := min(copyRows, copyValues/len(t.columns))
	var args []any
	bytes := 0
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := to.ExecContext(ctx, insertOf(t, len(args)/len(t.columns)), args...)
		args, bytes = args[:0], 0
		return err
	}
	sum, err := from.each(ctx, t, func(values []any) error {
		args = append(args, values...)
		for _, v := range values {
			switch x := v.(type) {
			case string:
				bytes += len(x)
			case []byte:
				bytes += len(x)
			}
		}
		if len(args)/len(t.columns) < most && bytes < copyBytes {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil || !to.shared {
		return sum, err
	}
	for _, c := range t.count { // what is added next counts on from here
		if _, err := to.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence('`+t.name+`', '`+c+`'), coalesce(max(`+c+`), 0) + 1, false) FROM `+t.name); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// insertOf is the statement that inserts so many rows.
func insertOf(t table, rows int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO ` + t.name + ` (` + strings.Join(t.columns, ", ") + `) VALUES `)
	n := 0
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		for c := range t.columns {
			n++
			if c == 0 {
				b.WriteByte('(')
			} else {
				b.WriteByte(',')
			}
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteByte(')')
	}
	return b.String()
}
