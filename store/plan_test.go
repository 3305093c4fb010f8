package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"antin/exchange"
)

// plan says how the engine finds the rows of a query.
func (t *tx) plan(tb *testing.T, q *query) string {
	tb.Helper()
	rows, err := t.QueryContext(tb.Context(), `EXPLAIN QUERY PLAN `+q.sql.String(), q.args...)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			tb.Fatal(err)
		}
		out = append(out, detail)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return strings.Join(out, "\n")
}

func TestListsAreAnsweredByIndexes(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const agency = "A"
	err = db.Update(t.Context(), func(x exchange.Tx) error {
		for i := range 300 {
			d := exchange.Document{ID: exchange.NewID(exchange.PrefixDocument, time.Unix(int64(i), 0)), Agency: agency, Subject: fmt.Sprintf("Văn bản số %d", i)}
			if err := x.CreateDocument(t.Context(), d); err != nil {
				return err
			}
		}
		// The rest of a big agency's common words: only the index is asked how many hold them.
		_, err := x.(*tx).ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO word (agency, list, word, id) SELECT $2, $3, w.column1, printf('dc_%07d', i) FROM n, (VALUES ('van'), ('ban'), ('so')) AS w`, manyRows, agency, listDocument)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	none := func(*query) {}
	inState := func(q *query) {
		q.add(` AND r.kind = %s AND r.state = %s`, exchange.KindDocument, exchange.InboxWaiting)
	}
	for name, tc := range map[string]struct {
		list  string
		words []string
		where func(*query)
		uses  string
	}{
		"all documents":          {listDocument, nil, none, "document_list"},
		"documents of a stage":   {listDocument, nil, stageIs(exchange.StageDraft), "document_stage"},
		"documents by rare word": {listDocument, []string{"ban", "299"}, none, "PRIMARY KEY (agency=? AND list=? AND word>? AND word<?)"},
		"documents of a number":  {listDocument, []string{"ban", "2"}, none, "PRIMARY KEY (agency=? AND list=? AND word>? AND word<?)"},
		"documents by common":    {listDocument, []string{"ban", "van"}, none, "document_list"},
		"results of a stage":     {listResult, nil, stageIs(exchange.StageIssued), "result_stage"},
		"inbox of a state":       {listInbox, nil, inState, "inbox_list_state"},
		"documents changed":      {listDocument, nil, narrowed(listDocument, agency, "", time.Unix(1, 0)), "document_updated"},
	} {
		err := db.View(t.Context(), func(x exchange.Tx) error {
			tx := x.(*tx)
			q, err := tx.list(t.Context(), tc.list, agency, exchange.Page{Limit: 50}, tc.words, tc.where)
			if err != nil {
				return err
			}
			plan := tx.plan(t, q)
			if !strings.Contains(plan, tc.uses) {
				t.Errorf("%s: does not use %s:\n%s", name, tc.uses, plan)
			}
			for line := range strings.Lines(plan) {
				if strings.Contains(line, "SCAN") && !strings.Contains(line, "CONSTANT") {
					t.Errorf("%s: reads every row: %s", name, line)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Every row that holds a word's beginning is found, however many words begin so and
// however common they are.
func TestASearchFindsEveryRowThatHoldsTheWords(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const agency, rows = "A", fewRows + 44 // more than the first step counts
	subject := func(i int) string { return fmt.Sprintf("Văn bản số %d, đợt %c%d", i, 'a'+i%7, i%13) }
	err = db.Update(t.Context(), func(x exchange.Tx) error {
		for i := range rows {
			d := exchange.Document{ID: exchange.NewID(exchange.PrefixDocument, time.Unix(int64(i), 0)), Agency: agency, Subject: subject(i)}
			if err := x.CreateDocument(t.Context(), d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"van", "ban van", "1", "van 1", "2 1", "299", "so a", "a1 van 2", "bản SỐ 10", "b", "khong co", "van khong", "9 b9"} {
		words, want := exchange.QueryWords(query), 0
		for i := range rows {
			held := " " + strings.Join(exchange.Words(subject(i)), " ")
			all := true
			for _, w := range words {
				all = all && strings.Contains(held, " "+w)
			}
			if all {
				want++
			}
		}
		err := db.View(t.Context(), func(x exchange.Tx) error {
			found, err := x.DocumentList(t.Context(), agency, exchange.DocumentFilter{Text: query, Page: exchange.Page{Limit: 500}})
			if err == nil && len(found) != want {
				t.Errorf("%q finds %d of %d", query, len(found), want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
