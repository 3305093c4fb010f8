package store_test

import (
	"context"
	"errors"
	"testing"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

func TestAccountsChangeBesideARunningGateway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := store.Open(t.Context(), store.Options{Dir: dir}); !errors.Is(err, store.ErrInUse) {
		t.Fatalf("the directory was taken over twice: %v", err)
	}
	beside, err := store.OpenBeside(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = beside.Close() })
	const n = 40
	errs := make(chan error, 2)
	for _, s := range []exchange.Store{db, beside} {
		go func() {
			for range n {
				if err := s.Update(context.Background(), func(tx exchange.Tx) error {
					_, err := tx.AppendEvent(context.Background(), exchange.Event{Agency: "H15.01", Kind: exchange.EventAccountCreated, Subject: "tk_1"})
					return err
				}); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	got, _, err := (&exchange.Evidence{Store: db}).Verify(t.Context(), "H15.01")
	if err != nil || got != 2*n {
		t.Errorf("the chain holds %d events, want %d: %v", got, 2*n, err)
	}
}

func TestBesideRefusesAnotherSchemaAndAnEmptyFolder(t *testing.T) {
	t.Parallel()
	if _, err := store.OpenBeside(t.Context(), store.Options{Dir: t.TempDir()}); text.CodeOf(err) != text.NotFound {
		t.Errorf("an empty folder: %v", err)
	}
	for change, code := range map[string]text.Code{
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`:                        text.DatabaseNewer,
		`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`: text.StateConflict,
	} {
		dir := t.TempDir()
		if err := open(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := raw(t, dir).Exec(change); err != nil {
			t.Fatal(err)
		}
		if _, err := store.OpenBeside(t.Context(), store.Options{Dir: dir}); text.CodeOf(err) != code {
			t.Errorf("after %q: %v, want %s", change, err, code)
		}
	}
}
