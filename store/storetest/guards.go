package storetest

import (
	"context"
	"errors"
	"testing"

	"antin/exchange"
)

// guardTests are the suite's part about marks and seals of evidence.
var guardTests = []struct {
	name string
	run  func(t *testing.T, e Engine)
}{
	{"keeps a mark by agency and name until it is taken away", marks},
	{"adds seals of evidence once and lists them in order", seals},
}

func marks(t *testing.T, e Engine) {
	read := func(a exchange.AgencyCode, name string) (body []byte) {
		t.Helper()
		view(t, e, func(tx exchange.Tx) (err error) {
			body, err = tx.Mark(t.Context(), a, name)
			return err
		})
		return body
	}
	set := func(a exchange.AgencyCode, name string, body []byte) {
		t.Helper()
		update(t, e, func(tx exchange.Tx) error { return tx.SetMark(t.Context(), a, name, body) })
	}
	if got := read("", "x"); got != nil {
		t.Errorf("a mark that nobody set: %q", got)
	}
	set("", "x", []byte("one"))
	set(agency, "x", []byte{0, 255})
	set("", "x", []byte("two"))
	if a, b := read("", "x"), read(agency, "x"); string(a) != "two" || string(b) != "\x00\xff" {
		t.Errorf("marks came back as %q and %q", a, b)
	}
	set("", "x", nil)
	set("", "y", nil)
	if a, b := read("", "x"), read(agency, "x"); a != nil || b == nil {
		t.Errorf("after one was taken away: %q and %q", a, b)
	}
}

func seals(t *testing.T, e Engine) {
	seal := func(first, last int64) exchange.EvidenceSeal {
		return exchange.EvidenceSeal{Agency: agency, First: first, Last: last, Root: exchange.DigestOf([]byte{byte(last)}), At: at, Token: []byte{1, 2}}
	}
	view(t, e, func(tx exchange.Tx) error {
		s, err := tx.LastSeal(t.Context(), agency)
		if s.Last != 0 {
			t.Errorf("a seal of nothing: %+v", s)
		}
		return err
	})
	other := seal(1, 2)
	other.Agency = "H15.02"
	update(t, e, func(tx exchange.Tx) error {
		return errors.Join(tx.AddSeal(t.Context(), seal(11, 20)), tx.AddSeal(t.Context(), seal(1, 10)), tx.AddSeal(t.Context(), seal(21, 25)), tx.AddSeal(t.Context(), other))
	})
	update(t, e, func(tx exchange.Tx) error {
		if err := tx.AddSeal(t.Context(), seal(15, 20)); !errors.Is(err, exchange.ErrExists) {
			t.Errorf("a second seal of one end: %v", err)
		}
		return nil
	})
	view(t, e, func(tx exchange.Tx) error {
		list, err := tx.Seals(t.Context(), agency, 10, 1)
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("%d seals", len(list))
		}
		same(t, "seal", list[0], seal(11, 20))
		list, err = tx.Seals(t.Context(), agency, 0, 10)
		must(t, err)
		if len(list) != 3 || list[2].Last != 25 {
			t.Errorf("all seals: %+v", list)
		}
		last, err := tx.LastSeal(t.Context(), agency)
		same(t, "last seal", last, seal(21, 25))
		return err
	})
}

func (t faultyTx) SetMark(ctx context.Context, agency exchange.AgencyCode, name string, body []byte) error {
	return t.do(func() error { return t.Tx.SetMark(ctx, agency, name, body) })
}

func (t faultyTx) AddSeal(ctx context.Context, s exchange.EvidenceSeal) error {
	return t.do(func() error { return t.Tx.AddSeal(ctx, s) })
}
