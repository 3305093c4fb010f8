package store

import (
	"context"
	"errors"
	"fmt"

	"antin/exchange"
	"antin/internal/text"
)

// AppendStatus implements exchange.StatusRows.
func (t *tx) AppendStatus(ctx context.Context, s exchange.Status) error {
	body, err := encode(s)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO status (subject, body) VALUES ($1, $2)`, s.Subject, body); err != nil {
		return err
	}
	return t.touch(ctx, s.Subject)
}

func value[T any](r row[T]) T { return r.body }

// History implements exchange.StatusRows.
func (t *tx) History(ctx context.Context, subject exchange.ID) ([]exchange.Status, error) {
	rows, err := many[exchange.Status](ctx, t, `SELECT body, 0 FROM status WHERE subject = $1 ORDER BY n`, subject)
	return each(rows, value), err
}

// TakeNumber implements exchange.RegisterRows.
func (t *tx) TakeNumber(ctx context.Context, e exchange.Entry) (int, error) {
	if seq, ok, err := t.heldNumber(ctx, e); ok || err != nil {
		return seq, err
	}
	if err := t.QueryRowContext(ctx, `SELECT coalesce(
		(SELECT max(seq) + 1 FROM register WHERE agency = $1 AND book = $2 AND year = $3),
		(SELECT first FROM register_start WHERE agency = $1 AND book = $2 AND year = $3), 1)`,
		e.Agency, e.Book, e.Year).Scan(&e.Seq); err != nil {
		return 0, err
	}
	body, err := encode(e)
	if err != nil {
		return 0, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO register (agency, book, year, seq, subject, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		e.Agency, e.Book, e.Year, e.Seq, e.Subject, body)
	if err != nil {
		return 0, fmt.Errorf("entering %s in register: %w", e.Subject, err)
	}
	return e.Seq, nil
}

// Register implements exchange.RegisterRows.
func (t *tx) Register(ctx context.Context, agency exchange.AgencyCode, book exchange.Book, year int) ([]exchange.Entry, error) {
	rows, err := many[exchange.Entry](ctx, t, `SELECT body, 0 FROM register WHERE agency = $1 AND book = $2 AND year = $3 ORDER BY seq`,
		agency, book, year)
	return each(rows, value), err
}

// AppendEvent implements exchange.EventRows.
func (t *tx) AppendEvent(ctx context.Context, e exchange.Event) (exchange.Event, error) {
	last, err := t.LastEvent(ctx, e.Agency)
	if err != nil {
		return exchange.Event{}, err
	}
	e = e.Chained(last)
	body, err := encode(e)
	if err != nil {
		return exchange.Event{}, err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO event (agency, seq, subject, parent, body) VALUES ($1, $2, $3, $4, $5)`,
		e.Agency, e.Seq, e.Subject, e.Parent, body); err != nil {
		return exchange.Event{}, err
	}
	if t.grown == nil {
		t.grown = map[exchange.AgencyCode]exchange.Event{}
	}
	t.grown[e.Agency] = e
	return e, nil
}

// LastEvent implements exchange.EventRows. What this transaction has added, or one that
// shares its commit, need not be read.
func (t *tx) LastEvent(ctx context.Context, agency exchange.AgencyCode) (exchange.Event, error) {
	if e, ok := t.grown[agency]; ok {
		return e, nil
	}
	if t.b != nil {
		if e, ok := t.b.last[agency]; ok {
			return e, nil
		}
	}
	last, err := one[exchange.Event](ctx, t, `SELECT body, 0 FROM event WHERE agency = $1 ORDER BY seq DESC LIMIT 1`, agency)
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return exchange.Event{}, nil
	}
	return last.body, err
}

// EventsOf implements exchange.EventRows.
func (t *tx) EventsOf(ctx context.Context, id exchange.ID) ([]exchange.Event, error) {
	rows, err := many[exchange.Event](ctx, t, `SELECT body, 0 FROM event WHERE subject = $1 OR (parent = $1 AND parent <> '') ORDER BY agency, seq`, id)
	return each(rows, value), err
}

// EventsAfter implements exchange.EventRows.
func (t *tx) EventsAfter(ctx context.Context, agency exchange.AgencyCode, seq int64, limit int) ([]exchange.Event, error) {
	rows, err := many[exchange.Event](ctx, t, `SELECT body, 0 FROM event WHERE agency = $1 AND seq > $2 ORDER BY seq LIMIT $3`, agency, seq, limit)
	return each(rows, value), err
}

// Answer implements exchange.AnswerRows.
func (t *tx) Answer(ctx context.Context, agency exchange.AgencyCode, key string) (exchange.Answer, error) {
	r, err := one[exchange.Answer](ctx, t, `SELECT body, 0 FROM answer WHERE agency = $1 AND key = $2`, agency, key)
	return r.body, err
}

// SaveAnswer implements exchange.AnswerRows.
func (t *tx) SaveAnswer(ctx context.Context, a exchange.Answer) error {
	body, err := encode(a)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO answer (agency, key, body) VALUES ($1, $2, $3)`, a.Agency, a.Key, body)
}
