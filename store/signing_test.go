package store_test

import (
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

func TestASigningIsKeptUntilItIsDroppedOrDone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := store.Open(ctx, store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	update := func(fn func(tx exchange.Tx) error) error { return db.Update(ctx, fn) }
	first := exchange.Signing{ID: "ks_1", Agency: "H1", Subject: "vb_1", Kind: exchange.SigningSeal, Shown: "a"}
	second, person := first, first
	second.ID, second.Shown, person.ID, person.Kind = "ks_2", "b", "ks_3", exchange.SigningPerson
	for _, s := range []exchange.Signing{first, second, person} {
		if err := update(func(tx exchange.Tx) error { return tx.CreateSigning(ctx, s) }); err != nil {
			t.Fatal(err)
		}
	}
	open := func() (s exchange.Signing, err error) {
		err = db.View(ctx, func(tx exchange.Tx) (err error) {
			s, err = tx.OpenSigning(ctx, "vb_1", exchange.SigningSeal)
			return err
		})
		return s, err
	}
	got, err := open()
	if err != nil || got.ID != second.ID || got.Version != 1 {
		t.Fatalf("newest open signing: %+v, %v", got, err)
	}
	got.Done = exchange.Fact{At: time.Now()}
	if err := update(func(tx exchange.Tx) error { return tx.SaveSigning(ctx, got) }); err != nil {
		t.Fatal(err)
	}
	if err := update(func(tx exchange.Tx) error { return tx.SaveSigning(ctx, got) }); text.CodeOf(err) != text.StateConflict {
		t.Errorf("saved from a version that is gone: %v", err)
	}
	if err := update(func(tx exchange.Tx) error { return tx.DropSignings(ctx, "vb_1", exchange.SigningSeal) }); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); text.CodeOf(err) != text.NotFound {
		t.Errorf("an open signing after the drop: %v", err)
	}
	err = db.View(ctx, func(tx exchange.Tx) error {
		if s, err := tx.Signing(ctx, second.ID); err != nil || !s.Done.Done() {
			t.Errorf("the signing that is done: %+v, %v", s, err)
		}
		_, err := tx.Signing(ctx, person.ID)
		return err
	})
	if err != nil {
		t.Errorf("the person's signing: %v", err)
	}
}
