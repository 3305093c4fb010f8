package store

import (
	"context"

	"antin/exchange"
)

// CreateDocument implements exchange.DocumentRows.
func (t *tx) CreateDocument(ctx context.Context, d exchange.Document) error {
	body, err := encode(d)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, `INSERT INTO document (id, agency, document_id, stage, version, body, updated) VALUES ($1, $2, $3, $4, 1, $5, $6)`,
		d.ID, d.Agency, d.DocumentID, d.Issuance.Stage(), body, micros(t.db.opts.Now())); err != nil {
		return err
	}
	if err := t.index(ctx, listDocument, d.Agency, d.ID, d.SearchWords()); err != nil {
		return err
	}
	return t.refer(ctx, string(d.ID), d.Blobs())
}

// SaveDocument implements exchange.DocumentRows.
func (t *tx) SaveDocument(ctx context.Context, d exchange.Document) error {
	body, err := encode(d)
	if err != nil {
		return err
	}
	if err := t.save(ctx, d.ID, `UPDATE document SET document_id = $1, stage = $2, body = $3, updated = $4, version = version + 1 WHERE id = $5 AND version = $6`,
		d.DocumentID, d.Issuance.Stage(), body, micros(t.db.opts.Now()), d.ID, d.Version); err != nil {
		return err
	}
	if err := t.index(ctx, listDocument, d.Agency, d.ID, d.SearchWords()); err != nil {
		return err
	}
	return t.refer(ctx, string(d.ID), d.Blobs())
}

// DeleteDocument implements exchange.DocumentRows.
func (t *tx) DeleteDocument(ctx context.Context, d exchange.Document) error {
	if err := t.save(ctx, d.ID, `DELETE FROM document WHERE id = $1 AND version = $2`, d.ID, d.Version); err != nil {
		return err
	}
	return t.forget(ctx, listDocument, d.Agency, d.ID, d.SearchWords())
}

func document(r row[exchange.Document]) exchange.Document {
	r.body.Version, r.body.UpdatedAt = r.version, fromMicros(r.updated)
	return r.body
}

// Document implements exchange.DocumentRows.
func (t *tx) Document(ctx context.Context, id exchange.ID) (exchange.Document, error) {
	r, err := one[exchange.Document](ctx, t, `SELECT body, version, updated FROM document WHERE id = $1`, id)
	return document(r), err
}

// DocumentByNumber implements exchange.DocumentRows.
func (t *tx) DocumentByNumber(ctx context.Context, agency exchange.AgencyCode, documentID string) (exchange.Document, error) {
	r, err := one[exchange.Document](ctx, t,
		`SELECT body, version, updated FROM document WHERE agency = $1 AND document_id = $2 AND document_id <> ''`, agency, documentID)
	return document(r), err
}

// Documents implements exchange.DocumentRows.
func (t *tx) Documents(ctx context.Context, agency exchange.AgencyCode, p exchange.Page) ([]exchange.Document, error) {
	before, limit := page(p)
	rows, err := many[exchange.Document](ctx, t,
		`SELECT body, version, updated FROM document WHERE agency = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, agency, before, limit)
	return each(rows, document), err
}

// CreateResult implements exchange.ResultRows.
func (t *tx) CreateResult(ctx context.Context, r exchange.Result) error {
	body, err := encode(r)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, `INSERT INTO result (id, agency, token, stage, version, body, updated) VALUES ($1, $2, $3, $4, 1, $5, $6)`,
		r.ID, r.Agency, r.Token, r.Issuance.Stage(), body, micros(t.db.opts.Now())); err != nil {
		return err
	}
	if err := t.index(ctx, listResult, r.Agency, r.ID, r.SearchWords()); err != nil {
		return err
	}
	return t.refer(ctx, string(r.ID), r.Blobs())
}

// SaveResult implements exchange.ResultRows.
func (t *tx) SaveResult(ctx context.Context, r exchange.Result) error {
	body, err := encode(r)
	if err != nil {
		return err
	}
	if err := t.save(ctx, r.ID, `UPDATE result SET stage = $1, body = $2, updated = $3, version = version + 1 WHERE id = $4 AND version = $5`,
		r.Issuance.Stage(), body, micros(t.db.opts.Now()), r.ID, r.Version); err != nil {
		return err
	}
	if err := t.index(ctx, listResult, r.Agency, r.ID, r.SearchWords()); err != nil {
		return err
	}
	return t.refer(ctx, string(r.ID), r.Blobs())
}

// DeleteResult implements exchange.ResultRows.
func (t *tx) DeleteResult(ctx context.Context, r exchange.Result) error {
	if err := t.save(ctx, r.ID, `DELETE FROM result WHERE id = $1 AND version = $2`, r.ID, r.Version); err != nil {
		return err
	}
	return t.forget(ctx, listResult, r.Agency, r.ID, r.SearchWords())
}

// forget removes what led to a paper thrown away: its words, what was prepared for it,
// and its hold on its files.
func (t *tx) forget(ctx context.Context, list string, agency exchange.AgencyCode, id exchange.ID, words []string) error {
	for _, w := range words {
		if _, err := t.ExecContext(ctx, `DELETE FROM word WHERE agency = $1 AND list = $2 AND word = $3 AND id = $4`, agency, list, w, id); err != nil {
			return err
		}
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM signing WHERE subject = $1 AND done = 0`, id); err != nil {
		return err
	}
	// No index leads from an owner to its blobs: this reads them all, and is rare.
	_, err := t.ExecContext(ctx, `DELETE FROM blob_ref WHERE owner = $1`, id)
	return err
}

func result(r row[exchange.Result]) exchange.Result {
	r.body.Version, r.body.UpdatedAt = r.version, fromMicros(r.updated)
	return r.body
}

// Result implements exchange.ResultRows.
func (t *tx) Result(ctx context.Context, id exchange.ID) (exchange.Result, error) {
	r, err := one[exchange.Result](ctx, t, `SELECT body, version, updated FROM result WHERE id = $1`, id)
	return result(r), err
}

// ResultByToken implements exchange.ResultRows.
func (t *tx) ResultByToken(ctx context.Context, token string) (exchange.Result, error) {
	r, err := one[exchange.Result](ctx, t, `SELECT body, version, updated FROM result WHERE token = $1`, token)
	return result(r), err
}

// Results implements exchange.ResultRows.
func (t *tx) Results(ctx context.Context, agency exchange.AgencyCode, p exchange.Page) ([]exchange.Result, error) {
	before, limit := page(p)
	rows, err := many[exchange.Result](ctx, t,
		`SELECT body, version, updated FROM result WHERE agency = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, agency, before, limit)
	return each(rows, result), err
}

func each[T any](rows []row[T], f func(row[T]) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
}
