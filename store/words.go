package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"antin/exchange"
)

// The lists that can be searched, as the table word names them.
const (
	listDocument = "document"
	listResult   = "result"
	listInbox    = "inbox"
)

// A search looks one by one at the rows of its rarest word. What that is, is counted
// in steps: up to fewRows of each word, and only when all have more up to the next
// step, so that a search for one rare word among common ones counts next to nothing.
// Where even the rarest finds manyRows, the list is walked, newest first: the
// matches then lie close together, and no index could skip much.
const (
	fewRows  = 256
	nextStep = 8 // times
	manyRows = fewRows * nextStep * nextStep
)

// index notes the words that row id of a list is found by. Only what changed is
// written.
func (t *tx) index(ctx context.Context, list string, agency exchange.AgencyCode, id exchange.ID, words []string) error {
	var held string
	if err := t.QueryRowContext(ctx, `SELECT words FROM `+list+` WHERE id = $1`, id).Scan(&held); err != nil {
		return err
	}
	now := strings.Join(words, " ")
	if now == held {
		return nil
	}
	before := strings.Fields(held)
	for _, w := range before {
		if !slices.Contains(words, w) {
			if _, err := t.ExecContext(ctx, `DELETE FROM word WHERE agency = $1 AND list = $2 AND word = $3 AND id = $4`, agency, list, w, id); err != nil {
				return err
			}
		}
	}
	if err := t.addWords(ctx, list, agency, id, slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(before, w) })); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `UPDATE `+list+` SET words = $1 WHERE id = $2`, now, id)
	return err
}

// wordsAtOnce bounds the words of one INSERT, and so how many different ones there are.
const wordsAtOnce = 16

// addWords notes words that row id of a list is not found by yet.
func (t *tx) addWords(ctx context.Context, list string, agency exchange.AgencyCode, id exchange.ID, words []string) error {
	for part := range slices.Chunk(words, wordsAtOnce) {
		q := &query{}
		q.add(`INSERT INTO word (agency, list, word, id) VALUES (%s, %s, %s, %s)`, agency, list, part[0], id)
		for _, w := range part[1:] {
			q.add(`, ($1, $2, %s, $4)`, w)
		}
		if _, err := t.ExecContext(ctx, q.sql.String(), q.args...); err != nil {
			return err
		}
	}
	return nil
}

// query builds a SELECT with its arguments.
type query struct {
	sql  strings.Builder
	args []any
}

func (q *query) add(format string, args ...any) {
	holders := make([]any, len(args))
	for i, a := range args {
		q.args = append(q.args, a)
		holders[i] = fmt.Sprintf("$%d", len(q.args))
	}
	fmt.Fprintf(&q.sql, format, holders...)
}

// list builds the query for one page of a list: the columns of the rows that
// satisfy where and hold each of words, or a word that begins with it.
func (t *tx) list(ctx context.Context, list string, agency exchange.AgencyCode, p exchange.Page, words []string, where func(q *query)) (*query, error) {
	before, limit := page(p)
	q := &query{}
	lead, err := t.rarest(ctx, list, agency, words)
	if err != nil {
		return nil, err
	}
	q.add(`SELECT body, version, updated FROM ` + list + ` r WHERE `)
	if lead != "" {
		q.add(`r.id IN (SELECT w.id FROM word w WHERE w.agency = %s AND w.list = %s AND w.word >= %s AND w.word < %s) AND r.agency || '' = %s AND r.id < %s`,
			agency, list, lead, after(lead), agency, before)
	} else {
		q.add(`r.agency = %s AND r.id < %s`, agency, before)
	}
	where(q)
	for _, w := range words {
		if w != lead { // letters and digits alone: nothing in them that LIKE would take for a sign of its own
			q.add(` AND (' ' || r.words) LIKE %s`, "% "+w+"%")
		}
	}
	q.add(` ORDER BY r.id DESC LIMIT %s`, limit)
	return q, nil
}

// rarest returns the word that finds the fewest rows, "" when each finds manyRows
// or more, or when there is none.
func (t *tx) rarest(ctx context.Context, list string, agency exchange.AgencyCode, words []string) (lead string, err error) {
	for limit := fewRows; limit <= manyRows && len(words) > 0; limit *= nextStep {
		best := limit
		for _, w := range words {
			var n int
			err := t.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM word WHERE agency = $1 AND list = $2 AND word >= $3 AND word < $4 LIMIT $5) AS found`,
				agency, list, w, after(w), best).Scan(&n)
			if err != nil {
				return "", err
			}
			if n < best {
				best, lead = n, w
			}
		}
		if lead != "" {
			return lead, nil
		}
	}
	return "", nil
}

// after is the first text behind all that begin with w.
func after(w string) string { return w + "\U0010FFFF" }
