package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// SaveStart implements exchange.FlowRows.
func (t *tx) SaveStart(ctx context.Context, s exchange.Start) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO register_start (agency, book, year, first, body) VALUES ($1, $2, $3, $4, $5)`,
		s.Agency, s.Book, s.Year, s.First, body)
}

// Start implements exchange.FlowRows.
func (t *tx) Start(ctx context.Context, agency exchange.AgencyCode, book exchange.Book, year int) (exchange.Start, error) {
	r, err := one[exchange.Start](ctx, t, `SELECT body, 0 FROM register_start WHERE agency = $1 AND book = $2 AND year = $3`, agency, book, year)
	return r.body, err
}

// heldNumber returns the number of the line that e's subject holds in its book and
// that is not void; ok is false when it holds none.
func (t *tx) heldNumber(ctx context.Context, e exchange.Entry) (seq int, ok bool, err error) {
	r, err := one[exchange.Entry](ctx, t, `SELECT r.body, 0 FROM register r WHERE r.agency = $1 AND r.book = $2 AND r.subject = $3
		AND NOT EXISTS (SELECT 1 FROM register_void v WHERE v.agency = r.agency AND v.book = r.book AND v.year = r.year AND v.seq = r.seq)
		ORDER BY r.year DESC, r.seq DESC LIMIT 1`, e.Agency, e.Book, e.Subject)
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return 0, false, nil
	}
	return r.body.Seq, err == nil, err
}

// EnterNumber implements exchange.FlowRows.
func (t *tx) EnterNumber(ctx context.Context, e exchange.Entry) (int, error) {
	if seq, ok, err := t.heldNumber(ctx, e); ok || err != nil {
		return seq, err
	}
	body, err := encode(e)
	if err != nil {
		return 0, err
	}
	return e.Seq, t.insert(ctx, `INSERT INTO register (agency, book, year, seq, subject, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		e.Agency, e.Book, e.Year, e.Seq, e.Subject, body)
}

// RegisterEntry implements exchange.FlowRows.
func (t *tx) RegisterEntry(ctx context.Context, agency exchange.AgencyCode, book exchange.Book, year, seq int) (exchange.Entry, error) {
	r, err := one[exchange.Entry](ctx, t, `SELECT body, 0 FROM register WHERE agency = $1 AND book = $2 AND year = $3 AND seq = $4`, agency, book, year, seq)
	return r.body, err
}

// RegisterAfter implements exchange.FlowRows.
func (t *tx) RegisterAfter(ctx context.Context, agency exchange.AgencyCode, book exchange.Book, year, after, limit int) ([]exchange.Entry, []exchange.Void, error) {
	rows, err := many[exchange.Entry](ctx, t, `SELECT body, 0 FROM register WHERE agency = $1 AND book = $2 AND year = $3 AND seq > $4 ORDER BY seq LIMIT $5`,
		agency, book, year, after, limit)
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	last := rows[len(rows)-1].body.Seq
	voids, err := many[exchange.Void](ctx, t, `SELECT body, 0 FROM register_void WHERE agency = $1 AND book = $2 AND year = $3 AND seq > $4 AND seq <= $5 ORDER BY seq`,
		agency, book, year, after, last)
	return each(rows, value), each(voids, value), err
}

// AddVoid implements exchange.FlowRows.
func (t *tx) AddVoid(ctx context.Context, v exchange.Void) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO register_void (agency, book, year, seq, body) VALUES ($1, $2, $3, $4, $5)`, v.Agency, v.Book, v.Year, v.Seq, body)
}

// DocumentList implements exchange.FlowRows.
func (t *tx) DocumentList(ctx context.Context, agency exchange.AgencyCode, f exchange.DocumentFilter) ([]exchange.Document, error) {
	rows, err := listed[exchange.Document](ctx, t, listDocument, agency, f.Page, f.Text, narrowed(listDocument, agency, f.Stage, f.UpdatedAfter))
	return each(rows, document), err
}

// ResultList implements exchange.FlowRows.
func (t *tx) ResultList(ctx context.Context, agency exchange.AgencyCode, f exchange.ResultFilter) ([]exchange.Result, error) {
	rows, err := listed[exchange.Result](ctx, t, listResult, agency, f.Page, f.Text, narrowed(listResult, agency, f.Stage, f.UpdatedAfter))
	return each(rows, result), err
}

func stageIs(s exchange.Stage) func(*query) {
	return func(q *query) {
		if s != "" {
			q.add(` AND r.stage = %s`, s)
		}
	}
}

func narrowed(list string, agency exchange.AgencyCode, s exchange.Stage, changed time.Time) func(*query) {
	return func(q *query) {
		stageIs(s)(q)
		updatedAfter(q, list, agency, changed)
	}
}

func listed[T any](ctx context.Context, t *tx, list string, agency exchange.AgencyCode, p exchange.Page, search string, where func(*query)) ([]row[T], error) {
	words := exchange.QueryWords(search)
	if len(words) == 0 && strings.TrimSpace(search) != "" {
		return nil, nil // signs alone stand in no word
	}
	q, err := t.list(ctx, list, agency, p, words, where)
	if err != nil {
		return nil, err
	}
	return many[T](ctx, t, q.sql.String(), q.args...)
}

// in returns the placeholders for ids and ids as arguments.
func in(ids []exchange.ID) (string, []any) {
	var b strings.Builder
	args := make([]any, len(ids))
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("$" + strconv.Itoa(i+1))
		args[i] = id
	}
	return b.String(), args
}

// idBatch is how many rows one query asks for by name.
const idBatch = 500

// inBatches runs query, whose %s is a list of ids, for all ids and gives each row to take.
func inBatches[T any](ctx context.Context, t *tx, before, behind string, ids []exchange.ID, take func(row[T])) error {
	for len(ids) > 0 {
		n := min(len(ids), idBatch)
		list, args := in(ids[:n])
		rows, err := many[T](ctx, t, before+"("+list+")"+behind, args...)
		if err != nil {
			return err
		}
		for _, r := range rows {
			take(r)
		}
		ids = ids[n:]
	}
	return nil
}

// DocumentsIn implements exchange.FlowRows.
func (t *tx) DocumentsIn(ctx context.Context, ids []exchange.ID) (map[exchange.ID]exchange.Document, error) {
	out := map[exchange.ID]exchange.Document{}
	err := inBatches(ctx, t, `SELECT body, version, updated FROM document WHERE id IN `, ``, ids, func(r row[exchange.Document]) { out[r.body.ID] = document(r) })
	return out, err
}

// ResultsIn implements exchange.FlowRows.
func (t *tx) ResultsIn(ctx context.Context, ids []exchange.ID) (map[exchange.ID]exchange.Result, error) {
	out := map[exchange.ID]exchange.Result{}
	err := inBatches(ctx, t, `SELECT body, version, updated FROM result WHERE id IN `, ``, ids, func(r row[exchange.Result]) { out[r.body.ID] = result(r) })
	return out, err
}

// ItemsIn implements exchange.FlowRows.
func (t *tx) ItemsIn(ctx context.Context, ids []exchange.ID) (map[exchange.ID]exchange.InboxItem, error) {
	out := map[exchange.ID]exchange.InboxItem{}
	err := inBatches(ctx, t, `SELECT body, version, updated FROM inbox WHERE id IN `, ``, ids, func(r row[exchange.InboxItem]) { out[r.body.ID] = inboxItem(r) })
	return out, err
}

// DeliveriesIn implements exchange.FlowRows.
func (t *tx) DeliveriesIn(ctx context.Context, subjects []exchange.ID) (map[exchange.ID][]exchange.Delivery, error) {
	out := map[exchange.ID][]exchange.Delivery{}
	err := inBatches(ctx, t, `SELECT body, version FROM delivery WHERE subject IN `, ` ORDER BY subject, id`, subjects, func(r row[exchange.Delivery]) {
		out[r.body.Subject] = append(out[r.body.Subject], delivery(r))
	})
	return out, err
}

// HistoriesIn implements exchange.FlowRows.
func (t *tx) HistoriesIn(ctx context.Context, subjects []exchange.ID) (map[exchange.ID][]exchange.Status, error) {
	out := map[exchange.ID][]exchange.Status{}
	err := inBatches(ctx, t, `SELECT body, 0 FROM status WHERE subject IN `, ` ORDER BY subject, n`, subjects, func(r row[exchange.Status]) {
		out[r.body.Subject] = append(out[r.body.Subject], r.body)
	})
	return out, err
}

// CreateOperation implements exchange.FlowRows.
func (t *tx) CreateOperation(ctx context.Context, o exchange.Operation) error {
	body, err := encode(o)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO operation (id, agency, body) VALUES ($1, $2, $3)`, o.ID, o.Agency, body)
}

// Operation implements exchange.FlowRows.
func (t *tx) Operation(ctx context.Context, id exchange.ID) (exchange.Operation, error) {
	r, err := one[exchange.Operation](ctx, t, `SELECT body, 0 FROM operation WHERE id = $1`, id)
	return r.body, err
}

// CreateVerification implements exchange.FlowRows.
func (t *tx) CreateVerification(ctx context.Context, v exchange.Verification) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, `INSERT INTO verification (id, agency, body) VALUES ($1, $2, $3)`, v.ID, v.Agency, body); err != nil {
		return err
	}
	return t.refer(ctx, string(v.ID), v.Blobs())
}

// Verification implements exchange.FlowRows.
func (t *tx) Verification(ctx context.Context, id exchange.ID) (exchange.Verification, error) {
	r, err := one[exchange.Verification](ctx, t, `SELECT body, 0 FROM verification WHERE id = $1`, id)
	return r.body, err
}

// Lanes implements exchange.FlowRows.
func (t *tx) Lanes(ctx context.Context, agency exchange.AgencyCode) ([]exchange.LaneState, error) {
	rows, err := many[exchange.LaneState](ctx, t, `SELECT body, 0 FROM lane WHERE agency = $1 ORDER BY receiver`, agency)
	return each(rows, value), err
}

// DeliveryCounts implements exchange.FlowRows.
func (t *tx) DeliveryCounts(ctx context.Context, agency exchange.AgencyCode, states ...exchange.DeliveryState) (out []exchange.DeliveryCount, err error) {
	for _, s := range states {
		part, err := t.deliveryCounts(ctx, agency, s)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

func (t *tx) deliveryCounts(ctx context.Context, agency exchange.AgencyCode, s exchange.DeliveryState) (out []exchange.DeliveryCount, err error) {
	rows, err := t.QueryContext(ctx, `SELECT g.receiver, g.n, d.body FROM
		(SELECT receiver, count(*) AS n, min(id) AS first FROM delivery WHERE agency = $1 AND state = $2 GROUP BY receiver) g
		JOIN delivery d ON d.id = g.first ORDER BY g.receiver`, agency, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		c := exchange.DeliveryCount{State: s}
		var body []byte
		var first exchange.Delivery
		if err := rows.Scan(&c.To, &c.Count, &body); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, &first); err != nil {
			return nil, err
		}
		c.Oldest = first.CreatedAt
		out = append(out, c)
	}
	return out, rows.Err()
}

// InboxCount implements exchange.FlowRows.
func (t *tx) InboxCount(ctx context.Context, agency exchange.AgencyCode, state exchange.InboxState) (n int, err error) {
	err = t.QueryRowContext(ctx, `SELECT count(*) FROM inbox WHERE agency = $1 AND kind = $2 AND state = $3`,
		agency, exchange.KindDocument, state).Scan(&n)
	return n, err
}
