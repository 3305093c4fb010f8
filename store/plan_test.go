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
		for i := range 3 * rare / 2 { // "van" and "ban" are common, the number is rare
			d := exchange.Document{ID: exchange.NewID(exchange.PrefixDocument, time.Unix(int64(i), 0)), Agency: agency, Subject: fmt.Sprintf("Văn bản số %d", i)}
			if err := x.CreateDocument(t.Context(), d); err != nil {
				return err
			}
		}
		return nil
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
		"documents by rare word": {listDocument, []string{"ban", "2999"}, none, "PRIMARY KEY (agency=? AND list=? AND word>? AND word<?)"},
		"documents by common":    {listDocument, []string{"ban", "van"}, none, "document_list"},
		"results of a stage":     {listResult, nil, stageIs(exchange.StageIssued), "result_stage"},
		"inbox of a state":       {listInbox, nil, inState, "inbox_list_state"},
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
