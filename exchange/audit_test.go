package exchange_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	_ "modernc.org/sqlite"

	"antin/exchange"
)

func (s *site) audit(t *testing.T) exchange.AuditReport {
	t.Helper()
	audit := &exchange.Audit{Store: s.db, Verify: s.db.Verify}
	r, err := audit.Check(t.Context(), s.office.Agency.Code)
	must(t, err)
	return r
}

// edit changes the database behind the program's back, past what guards it.
func (s *site) edit(t *testing.T, statements ...string) {
	t.Helper()
	if s.database != "" {
		t.Skip("edits the file of a SQLite database")
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "antin.db")+"?_pragma=busy_timeout(10000)")
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for _, q := range append([]string{"DROP TRIGGER IF EXISTS event_no_update", "DROP TRIGGER IF EXISTS event_no_delete"}, statements...) {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

func TestAnAuditFindsWhatWasChanged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit []string
		code exchange.AuditCode
	}{
		"an edited fact":       {[]string{`UPDATE event SET body = replace(body, '"kind":"sent"', '"kind":"sealed"') WHERE agency = 'H15.01' AND seq = 3`}, exchange.AuditChanged},
		"a removed fact":       {[]string{`DELETE FROM event WHERE agency = 'H15.01' AND seq = 2`}, exchange.AuditMissing},
		"a log that was cut":   {[]string{`DELETE FROM event WHERE agency = 'H15.01' AND seq >= (SELECT max(seq) - 1 FROM event WHERE agency = 'H15.01')`}, exchange.AuditMissing},
		"an inserted fact":     {[]string{`INSERT INTO event SELECT agency, 99, subject, parent, body FROM event WHERE agency = 'H15.01' AND seq = 2`}, exchange.AuditMisplaced},
		"two facts exchanged":  {[]string{`UPDATE event SET seq = -1 WHERE agency = 'H15.01' AND seq = 2`, `UPDATE event SET seq = 2 WHERE agency = 'H15.01' AND seq = 3`, `UPDATE event SET seq = 3 WHERE agency = 'H15.01' AND seq = -1`}, exchange.AuditMisplaced},
		"a delivery removed":   {[]string{`DELETE FROM delivery`}, exchange.AuditRow},
		"a delivery's bytes":   {[]string{`UPDATE delivery SET body = replace(body, '"payload":{"sha256":"', '"payload":{"sha256":"00')`}, exchange.AuditContent},
		"a receipt":            {[]string{`UPDATE delivery SET body = json_set(body, '$.receipt', 'AAAA')`}, exchange.AuditReceipt},
		"bytes that are gone":  {[]string{`DELETE FROM blob`}, exchange.AuditBlob},
		"bytes that are other": {[]string{`UPDATE blob SET data = x'00'`}, exchange.AuditBlob},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newPair(t)
			a.ready(t, "H15.02", 3, 0)
			must(t, a.outbox.Drain(t.Context(), a.lane(b)))
			if r := a.audit(t); !r.OK() || r.Events == 0 || r.Blobs != 3 {
				t.Fatalf("before: %+v", r)
			}
			if r := b.audit(t); !r.OK() || r.Events != 3 {
				t.Fatalf("receiver before: %+v", r)
			}
			a.edit(t, tc.edit...)
			r := a.audit(t)
			if !slices.ContainsFunc(r.Faults, func(f exchange.AuditFault) bool { return f.Code == tc.code }) {
				t.Errorf("want %s, found %+v", tc.code, r.Faults)
			}
			for _, f := range r.Faults {
				if m := f.Message(); m.VI == "audit."+string(f.Code) {
					t.Errorf("%s has no words", f.Code)
				}
			}
		})
	}
}

func TestAnAuditOfAReceiverFindsARemovedItem(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	a.ready(t, "H15.02", 2, 0)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	b.edit(t, `DELETE FROM event WHERE agency = 'H15.02'`)
	if r := b.audit(t); len(r.Faults) != 2 || r.Faults[0].Code != exchange.AuditMissing {
		t.Errorf("%+v", r.Faults)
	}
}

func TestAnAuditAcceptsAWholeStory(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	a.send(t, a.unsigned(t, 1), b)
	settle(t, a, b)
	for _, s := range []*site{a, b} {
		if r := s.audit(t); !r.OK() {
			t.Errorf("%s: %+v", r.Agency, r.Faults)
		}
	}
}
