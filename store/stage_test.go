package store_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"antin/exchange"
	"antin/store"
)

func TestStagedBytesStandOrFallWithTheRowThatNamesThem(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	given := []byte("một thông điệp nhỏ")
	ctx := exchange.Staged(t.Context())
	blob, err := db.Put(ctx, bytes.NewReader(given))
	if err != nil {
		t.Fatal(err)
	}
	for i := range given {
		given[i] = 'x' // the caller's buffer is its own
	}
	d := exchange.Delivery{ID: "gd_1", Agency: "H15.01", To: "H15.02", Subject: "gd_1", TransferID: exchange.NewTransferID(time.Now()), Payload: blob, State: exchange.DeliveryReady}
	broken := errors.New("given up")
	err = db.Update(ctx, func(tx exchange.Tx) error { return errors.Join(tx.CreateDelivery(ctx, d), broken) })
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := db.Open(t.Context(), blob.Digest); err == nil {
		t.Fatal("bytes of an update that failed are there")
	}
	if err := db.Update(ctx, func(tx exchange.Tx) error { return tx.CreateDelivery(ctx, d) }); err != nil {
		t.Fatal(err)
	}
	r, err := db.Open(t.Context(), blob.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got, err := io.ReadAll(r); err != nil || string(got) != "một thông điệp nhỏ" {
		t.Errorf("%q, %v", got, err)
	}
}
