package exchange

import (
	"context"
	"strings"
	"time"
)

// RegisterPage asks for a part of a register, in the order of its numbers.
type RegisterPage struct {
	After int // continue behind this number
	Limit int // at most 500; 0 means 100
}

const (
	defaultLines = 100
	maxLines     = 500 // what one answer may hold
)

// Lines returns lines of a register of the actor's agency in the columns that the
// statute prints, voids included. Errors: not-allowed, invalid-input.
func (r *Registers) Lines(ctx context.Context, actor Actor, book Book, year int, page RegisterPage) (out []Line, err error) {
	if err := actor.may(registerReaders...); err != nil {
		return nil, err
	}
	if err := book.check(year); err != nil {
		return nil, err
	}
	limit := page.Limit
	if limit <= 0 {
		limit = defaultLines
	}
	err = r.Store.View(ctx, func(tx Tx) error {
		entries, voids, err := tx.RegisterAfter(ctx, actor.Agency, book, year, page.After, min(limit, maxLines))
		if err != nil {
			return err
		}
		out, err = printed(ctx, tx, entries, voids)
		return err
	})
	return out, err
}

// printed puts together what the lines say of their documents.
func printed(ctx context.Context, tx Tx, entries []Entry, voids []Void) ([]Line, error) {
	ids := make([]ID, len(entries))
	for i, e := range entries {
		ids[i] = e.Subject
	}
	documents, err := tx.DocumentsIn(ctx, ids)
	if err != nil {
		return nil, err
	}
	results, err := tx.ResultsIn(ctx, ids)
	if err != nil {
		return nil, err
	}
	items, err := tx.ItemsIn(ctx, ids)
	if err != nil {
		return nil, err
	}
	explained := map[int]*Void{}
	for i := range voids {
		explained[voids[i].Seq] = &voids[i]
	}
	out := make([]Line, len(entries))
	for i, e := range entries {
		l := Line{Entry: e, Void: explained[e.Seq]}
		if d, ok := documents[e.Subject]; ok {
			l.Columns, l.ByHand = d.columns(e), d.Hand.Channel != ""
		} else if r, ok := results[e.Subject]; ok {
			l.Columns = r.columns(e)
		} else if in, ok := items[e.Subject]; ok {
			l.Columns, l.ByHand = in.columns(), in.Hand.Channel != ""
		}
		out[i] = l
	}
	return out, nil
}

func (d Document) columns(e Entry) Columns {
	c := d.Hand.Columns
	n := Number{Seq: e.Seq, Notation: d.Notation}
	c.Number, c.Date, c.Kind, c.Subject = n.String(), dateOf(d.Issuance.Number, e), d.Kind.Name, d.Subject
	if c.Signer == "" {
		c.Signer = d.Issuance.Signer.Name
	}
	if c.Receivers == "" {
		c.Receivers = d.Receivers
	}
	if c.Receivers == "" {
		c.Receivers = strings.Join(d.Places, "; ")
	}
	return c
}

func (r Result) columns(e Entry) Columns {
	n := Number{Seq: e.Seq, Notation: r.Form.Notation}
	receivers := r.Form.Owner
	if receivers == "" {
		receivers = strings.Join(r.Form.Places, "; ")
	}
	return Columns{Number: n.String(), Date: dateOf(r.Issuance.Number, e), Kind: r.Form.Kind.Name, Subject: r.Form.Subject,
		Signer: r.Issuance.Signer.Name, Receivers: receivers, Note: r.Form.Dossier}
}

// dateOf is the date of the document in line e: that of its number, or the day the
// number was taken when the document has given it up.
func dateOf(n Number, e Entry) time.Time {
	if n.Seq == e.Seq && n.Year == e.Year {
		return n.Date
	}
	return dayIn(e.At).UTC()
}

func (i InboxItem) columns() Columns {
	c := i.Hand.Columns
	h := i.Header
	c.Number, c.Date, c.Kind, c.Subject = h.FullNumber(), h.Date, h.Kind.Name, h.Subject
	c.Arrived, c.From, c.Handler = i.ReceivedAt, i.FromName, i.Assignee
	if c.From == "" {
		c.From = string(i.From)
	}
	if c.Moved.IsZero() && i.Assignee != "" {
		c.Moved = i.Accepted.At
	}
	return c
}
