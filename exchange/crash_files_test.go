package exchange_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/compose"
)

func TestUploadsAndReportsSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	files := &exchange.Files{Store: a.db, Blobs: a.db, Now: a.Now}
	for _, size := range []int{10, 200_000} { // kept in the database, and as a file of its own
		content := func(n int) string { return strings.Repeat(fmt.Sprint("tệp ", n, "."), size) }
		everyFewWrites(t, a, 4, func(n int) error {
			blob, err := files.Upload(t.Context(), a.clerk, strings.NewReader(content(n)))
			if err == nil && blob.Digest != exchange.DigestOf([]byte(content(n))) {
				t.Fatalf("round %d: stored as %s", n, blob.Digest)
			}
			return err
		}, func(n int) {
			r, err := files.Open(t.Context(), a.clerk, exchange.DigestOf([]byte(content(n))))
			if got := read(t, r, err); string(got) != content(n) {
				t.Fatalf("round %d: %d bytes", n, len(got))
			}
		})
	}
	reports := &exchange.Verifications{Store: a.db, Blobs: a.db, Now: a.Now}
	var kept exchange.Verification
	everyFewWrites(t, a, 4, func(n int) (err error) {
		kept, err = reports.Save(t.Context(), a.clerk, fmt.Appendf(nil, `{"file":"%d.pdf"}`, n), fmt.Sprint(n, ".pdf"), exchange.DigestOf([]byte{byte(n)}))
		return err
	}, func(n int) {
		got, err := reports.Verification(t.Context(), a.clerk, kept.ID)
		if err != nil || string(got.Report) != fmt.Sprintf(`{"file":"%d.pdf"}`, n) {
			t.Fatalf("round %d: %s, %v", n, got.Report, err)
		}
	})
}

func TestSignaturesMadeElsewhereSurviveDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	s := bound(t)
	ctx, press := t.Context(), s.outbox.Press
	drafts := map[int]exchange.ID{}
	draft := func(n int) exchange.ID {
		if drafts[n] == "" {
			s.db.Pause(func() { drafts[n] = s.draft(t).ID })
		}
		return drafts[n]
	}
	once := func(n int, kinds ...exchange.EventKind) {
		t.Helper()
		told := s.kinds(t, drafts[n])
		for _, k := range kinds {
			if i := slices.Index(told, k); i < 0 || slices.Contains(told[i+1:], k) {
				t.Fatalf("round %d: evidence %v", n, told)
			}
		}
	}
	everyFewWrites(t, s, 2, func(n int) error { // what is prepared waits for its value
		_, err := press.Prepare(ctx, s.leader, draft(n), exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
		return err
	}, func(n int) {
		k, err := press.Prepare(ctx, s.leader, drafts[n], exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
		must(t, err)
		must(t, press.Complete(ctx, s.leader, k.ID, token(t, certstest.RoleLeader, &k.Prepared)))
		once(n, exchange.EventSigned)
	})
	drafts = map[int]exchange.ID{}
	signings, values := map[int]exchange.Signing{}, map[int]signer.Completion{}
	everyFewWrites(t, s, 8, func(n int) (err error) { // the same value comes again
		if id := draft(n); signings[n].ID == "" {
			s.db.Pause(func() {
				signings[n], err = press.Prepare(ctx, s.leader, id, exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
				must(t, err)
				k := signings[n]
				values[n] = token(t, certstest.RoleLeader, &k.Prepared)
			})
		}
		return press.Complete(ctx, s.leader, signings[n].ID, values[n])
	}, func(n int) {
		i := s.document(t, drafts[n]).Issuance
		if signed := s.bytesOf(t, i.Signed.Digest); !bytes.HasPrefix(signed, s.bytesOf(t, i.Draft.Digest)) || i.Stage() != exchange.StageSigned {
			t.Fatalf("round %d: stage %s", n, i.Stage())
		}
		once(n, exchange.EventApproved, exchange.EventSigned)
	})
	drafts = map[int]exchange.ID{}
	uploads := map[int][]byte{}
	everyFewWrites(t, s, 8, func(n int) error { // a file that another tool signed
		if id := draft(n); uploads[n] == nil {
			s.db.Pause(func() {
				uploads[n] = s.signElsewhere(t, s.bytesOf(t, s.document(t, id).Issuance.Draft.Digest),
					signer.Request{Key: certstest.RoleLeader, Field: compose.FieldPerson, Existing: true, Level: ades.BT})
			})
		}
		return again(press.Upload(ctx, s.leader, drafts[n], bytes.NewReader(uploads[n])), text.StateConflict)
	}, func(n int) {
		if i := s.document(t, drafts[n]).Issuance; !bytes.HasPrefix(s.bytesOf(t, i.Signed.Digest), uploads[n]) {
			t.Fatalf("round %d: stage %s", n, i.Stage())
		}
		once(n, exchange.EventApproved, exchange.EventSigned)
	})
}
