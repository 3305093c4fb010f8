package store_test

import (
	"errors"
	"testing"

	"antin/exchange"
	"antin/store"
)

func TestRowsOfAnEarlierVersionAreFoundAfterAnUpgrade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	item := exchange.InboxItem{ID: "vd_1", Agency: "A", From: "B", FromName: "Sở Nội vụ", TransferID: "t1", Kind: exchange.KindDocument,
		Header: exchange.DocumentHeader{Subject: "Báo cáo quý"}}
	status := exchange.InboxItem{ID: "vd_2", Agency: "A", From: "B", TransferID: "t2", Kind: exchange.KindStatus}
	doc := exchange.Document{ID: "vb_1", Agency: "A", Subject: "Kế hoạch năm"}
	err := db.Update(t.Context(), func(tx exchange.Tx) error {
		return errors.Join(tx.CreateInboxItem(t.Context(), item), tx.CreateInboxItem(t.Context(), status), tx.CreateDocument(t.Context(), doc))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	older := raw(t, dir) // as it was before there were words and times of change
	for _, q := range []string{`DELETE FROM word`, `UPDATE inbox SET words = '', updated = 0`, `UPDATE document SET words = '', stage = '', updated = 0`} {
		if _, err := older.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	db = open(t, dir)
	defer func() { _ = db.Close() }()
	err = db.View(t.Context(), func(tx exchange.Tx) error {
		items, err := tx.InboxItems(t.Context(), "A", exchange.InboxFilter{Text: "noi vu quy"})
		if err != nil || len(items) != 1 || items[0].ID != item.ID || items[0].UpdatedAt.IsZero() {
			t.Errorf("inbox: %+v, %v", items, err)
		}
		docs, err := tx.DocumentList(t.Context(), "A", exchange.DocumentFilter{Text: "ke hoach", Stage: exchange.StageDraft})
		if err != nil || len(docs) != 1 || docs[0].UpdatedAt.IsZero() {
			t.Errorf("documents: %+v, %v", docs, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheStoreTellsOfEventsOnceTheyAreCommitted(t *testing.T) {
	t.Parallel()
	var told []exchange.AgencyCode
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), OnEvent: func(a exchange.AgencyCode) { told = append(told, a) }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	boom := errors.New("boom")
	add := func(end error) error {
		return db.Update(t.Context(), func(tx exchange.Tx) error {
			for range 2 {
				if _, err := tx.AppendEvent(t.Context(), exchange.Event{Agency: "A", Subject: "vb_1"}); err != nil {
					return err
				}
			}
			if len(told) > 1 {
				t.Error("told before the commit")
			}
			return end
		})
	}
	if err := add(boom); !errors.Is(err, boom) || len(told) != 0 {
		t.Fatalf("what was given up was told: %v, %v", told, err)
	}
	if err := add(nil); err != nil || len(told) != 1 || told[0] != "A" {
		t.Fatalf("told %v, %v", told, err)
	}
}
