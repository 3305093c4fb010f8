package exchange_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// sealedLog is an evidence log of several days with a sealer whose stamps are the
// digests themselves.
type sealedLog struct {
	t   *testing.T
	db  *store.DB
	now time.Time
}

func newSealedLog(t *testing.T) *sealedLog {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &sealedLog{t, db, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
}

func (l *sealedLog) add(n int) {
	l.t.Helper()
	if err := l.db.Update(l.t.Context(), func(tx exchange.Tx) error {
		for i := range n {
			if _, err := tx.AppendEvent(l.t.Context(), exchange.Event{Agency: "H1", At: l.now, Kind: exchange.EventVerified, Subject: exchange.ID(fmt.Sprintf("ks_%d", i%3))}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *sealedLog) seal(stamp func(context.Context, []byte) ([]byte, error)) error {
	return (&exchange.Sealer{Store: l.db, Stamp: stamp, Now: func() time.Time { return l.now }}).Run(l.t.Context())
}

func (l *sealedLog) seals() (out []exchange.EvidenceSeal) {
	l.t.Helper()
	if err := l.db.View(l.t.Context(), func(tx exchange.Tx) (err error) {
		out, err = tx.Seals(l.t.Context(), "H1", 0, 100)
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
	return out
}

// echo stamps a digest with itself.
func echo(_ context.Context, imprint []byte) ([]byte, error) {
	return append([]byte("stamp "), imprint...), nil
}

var errStamp = errors.New("no stamp of that digest")

func echoed(token, imprint []byte) error {
	if !bytes.Equal(token, append([]byte("stamp "), imprint...)) {
		return errStamp
	}
	return nil
}

func TestEvidenceIsSealedOnceADayUpToMidnight(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	l.add(5)
	if err := l.seal(echo); err != nil || len(l.seals()) != 0 {
		t.Fatalf("today is sealed already: %v, %v", l.seals(), err)
	}
	l.now = l.now.Add(15 * time.Hour)
	l.add(2)
	if err := l.seal(func(context.Context, []byte) ([]byte, error) { return nil, errStamp }); !errors.Is(err, errStamp) || len(l.seals()) != 0 {
		t.Errorf("sealed without a time-stamp: %v, %v", l.seals(), err)
	}
	for range 2 { // the second time there is nothing to do
		if err := l.seal(echo); err != nil {
			t.Fatal(err)
		}
	}
	l.now = l.now.Add(24 * time.Hour)
	if err := l.seal(echo); err != nil {
		t.Fatal(err)
	}
	got := l.seals()
	if len(got) != 2 || got[0].First != 1 || got[0].Last != 5 || got[1].First != 6 || got[1].Last != 7 || got[1].Prev != got[0].Statement() || got[0].Prev != "" {
		t.Fatalf("%+v", got)
	}
	report, err := (&exchange.Audit{Store: l.db, Stamp: echoed, Verify: l.db.Verify}).Check(t.Context(), "H1")
	if err != nil || !report.OK() || report.Seals != 2 || report.Sealed != 7 || report.Unstamped != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAuditFindsWhatWasChangedUnderASeal(t *testing.T) {
	t.Parallel()
	l := newSealedLog(t)
	l.add(5)
	l.now = l.now.Add(24 * time.Hour)
	if err := l.seal(echo); err != nil {
		t.Fatal(err)
	}
	good := l.seals()[0]
	for name, tc := range map[string]struct {
		change func(s *exchange.EvidenceSeal)
		want   []exchange.AuditCode
	}{
		"another root":         {func(s *exchange.EvidenceSeal) { s.Root = exchange.DigestOf([]byte("x")) }, []exchange.AuditCode{exchange.AuditStamp, exchange.AuditSeal}},
		"events cut off":       {func(s *exchange.EvidenceSeal) { s.Last = 9 }, []exchange.AuditCode{exchange.AuditStamp, exchange.AuditSeal}},
		"a seal taken out":     {func(s *exchange.EvidenceSeal) { s.First = 2 }, []exchange.AuditCode{exchange.AuditSeal, exchange.AuditStamp, exchange.AuditSeal}},
		"somebody's own stamp": {func(s *exchange.EvidenceSeal) { s.Token = []byte("mine") }, []exchange.AuditCode{exchange.AuditStamp}},
	} {
		bad := good
		tc.change(&bad)
		other := newSealedLog(t)
		other.add(5)
		if err := other.db.Update(t.Context(), func(tx exchange.Tx) error { return tx.AddSeal(t.Context(), bad) }); err != nil {
			t.Fatal(err)
		}
		report, err := (&exchange.Audit{Store: other.db, Stamp: echoed, Verify: l.db.Verify}).Check(t.Context(), "H1")
		if err != nil {
			t.Fatal(err)
		}
		var got []exchange.AuditCode
		for _, f := range report.Faults {
			got = append(got, f.Code)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestAProofHoldsWithoutADatabaseAndForNothingElse(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 5, 8, 13} {
		l := newSealedLog(t)
		l.add(n)
		l.now = l.now.Add(24 * time.Hour)
		a := &exchange.Audit{Store: l.db}
		if _, err := a.Prove(t.Context(), "H1", "ks_0"); text.CodeOf(err) != text.StateConflict {
			t.Errorf("proven before it is sealed: %v", err)
		}
		if err := l.seal(echo); err != nil {
			t.Fatal(err)
		}
		l.add(1) // of today: not sealed yet
		if _, err := a.Prove(t.Context(), "H1", "ks_9"); text.CodeOf(err) != text.NotFound {
			t.Errorf("proof about nothing: %v", err)
		}
		p, err := a.Prove(t.Context(), "H1", "ks_0")
		if err != nil || p.Open != 1 || len(p.Seals) != 1 || len(p.Seals[0].Events) != (n+2)/3 {
			t.Fatalf("of %d events: %+v, %v", n, p, err)
		}
		body, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		read := func() (p exchange.EvidenceProof) {
			if err := json.Unmarshal(body, &p); err != nil {
				t.Fatal(err)
			}
			return p
		}
		if err := read().Check(echoed); err != nil {
			t.Fatalf("of %d events: %v", n, err)
		}
		for name, change := range map[string]func(p *exchange.EvidenceProof){
			"no seal":         func(p *exchange.EvidenceProof) { p.Seals = nil },
			"no event":        func(p *exchange.EvidenceProof) { p.Seals[0].Events = nil },
			"another subject": func(p *exchange.EvidenceProof) { p.Subject = "ks_1" },
			"another agency":  func(p *exchange.EvidenceProof) { p.Agency = "H2" },
			"a changed event": func(p *exchange.EvidenceProof) { p.Seals[0].Events[0].Event.Kind = exchange.EventSent },
			"a longer way": func(p *exchange.EvidenceProof) {
				e := &p.Seals[0].Events[0]
				e.Path = append(e.Path, exchange.DigestOf(nil))
			},
			"another stamp":    func(p *exchange.EvidenceProof) { p.Seals[0].Seal.Token = nil },
			"another root":     func(p *exchange.EvidenceProof) { p.Seals[0].Seal.Root = exchange.DigestOf(nil) },
			"another place":    func(p *exchange.EvidenceProof) { p.Seals[0].Seal.First-- },
			"a node that lies": func(p *exchange.EvidenceProof) { p.Seals[0].Events[0].Path = []exchange.Digest{"zz"} },
		} {
			bad := read()
			change(&bad)
			if err := bad.Check(echoed); !errors.Is(err, exchange.ErrProof) {
				t.Errorf("%s of %d events: %v", name, n, err)
			}
		}
	}
}
