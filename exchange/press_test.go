package exchange_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/exchange"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/compose"
	"antin/signer/pdf"
)

// bound is a site whose leader's certificate is bound to the account, and whose key
// the gateway does not hold: as served in earnest.
func bound(t *testing.T) *site {
	t.Helper()
	p, err := pki()
	must(t, err)
	s := newSite(&clock{}, "H15.01", certstest.RoleSealA)
	s.office.Sandbox = false
	s.office.Agency.Seals = [][]byte{p.Signer(certstest.RoleSealA).Certificate.Raw}
	s.office.Signatories[0].Key, s.office.Signatories[0].Certificate = "", p.Leader().Certificate.Raw
	s.open(t, exchange.AgencyList{s.office.Agency})
	return s
}

func (s *site) draft(t *testing.T) exchange.Document {
	t.Helper()
	d, err := s.outbox.Create(t.Context(), s.clerk, letter(""))
	must(t, err)
	return d
}

func (s *site) bytesOf(t *testing.T, d exchange.Digest) []byte {
	t.Helper()
	r, err := s.db.Open(t.Context(), d)
	return read(t, r, err)
}

func (s *site) document(t *testing.T, id exchange.ID) exchange.Document {
	t.Helper()
	v, err := s.outbox.Document(t.Context(), s.clerk, id)
	must(t, err)
	return v.Document
}

// token signs what was prepared, as a person's token would.
func token(t *testing.T, role string, p *signer.Prepared) signer.Completion {
	t.Helper()
	s, err := pki()
	must(t, err)
	value, err := s.Signer(role).Key.Sign(rand.Reader, p.ToSign(), crypto.SHA256)
	must(t, err)
	return signer.Completion{Raw: value}
}

func chainOf(t *testing.T, role string) []*certs.Certificate {
	t.Helper()
	s, err := pki()
	must(t, err)
	return s.Signer(role).Chain
}

// signElsewhere is what a tool of another maker would give for a file.
func (s *site) signElsewhere(t *testing.T, file []byte, req signer.Request) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := s.outbox.Press.Signer.Sign(t.Context(), signer.Input{Reader: bytes.NewReader(file), Size: int64(len(file)), Name: "x.pdf"}, &out, req)
	must(t, err)
	return out.Bytes()
}

func (s *site) signPrepared(t *testing.T, id exchange.ID) {
	t.Helper()
	k, err := s.outbox.Press.Prepare(t.Context(), s.leader, id, exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
	must(t, err)
	must(t, s.outbox.Press.Complete(t.Context(), s.leader, k.ID, token(t, certstest.RoleLeader, &k.Prepared)))
}

func TestALeaderSignsWithATokenAndTheClerkSealsWhatThePreviewShowed(t *testing.T) {
	t.Parallel()
	s := bound(t)
	ctx, press := t.Context(), s.outbox.Press
	d := s.draft(t)
	k, err := press.Prepare(ctx, s.leader, d.ID, exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
	must(t, err)
	again, err := press.Prepare(ctx, s.leader, d.ID, exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
	must(t, err)
	if again.ID != k.ID {
		t.Error("asking twice made two signings")
	}
	wrong := token(t, certstest.RoleRevoked, &k.Prepared)
	wantCode(t, press.Complete(ctx, s.leader, k.ID, wrong), text.CertificateMismatch)
	wantCode(t, press.Complete(ctx, s.clerk, k.ID, wrong), text.NotAllowed)
	value := token(t, certstest.RoleLeader, &k.Prepared)
	must(t, press.Complete(ctx, s.leader, k.ID, value))
	must(t, press.Complete(ctx, s.leader, k.ID, value))

	_, err = press.Prepare(ctx, s.clerk, d.ID, exchange.SigningSeal, nil)
	wantCode(t, err, text.StateConflict) // no number yet
	n, err := press.Number(ctx, s.clerk, d.ID, 0)
	must(t, err)
	if n.Seq != 1 {
		t.Fatalf("number %s", n)
	}
	wantCode(t, press.Seal(ctx, s.clerk, d.ID, ""), text.InvalidInput)
	seal, err := press.Prepare(ctx, s.clerk, d.ID, exchange.SigningSeal, nil)
	must(t, err)
	r, err := press.Preview(ctx, s.clerk, seal.ID)
	shown := read(t, r, err)
	if f, err := pdf.Open(bytes.NewReader(shown), int64(len(shown)), pdf.Options{}); err != nil || len(f.Revisions()) < 3 {
		t.Errorf("the preview is no PDF with the seal in it: %v", err)
	}
	wantCode(t, press.Seal(ctx, s.clerk, d.ID, exchange.DigestOf(shown)), text.DocumentChanged)
	must(t, press.Seal(ctx, s.clerk, d.ID, seal.Shown))
	must(t, press.Seal(ctx, s.clerk, d.ID, seal.Shown))
	got := s.document(t, d.ID).Issuance
	if got.Stage() != exchange.StageIssued || got.Verdict != exchange.VerdictValid || got.Number.Seq != 1 {
		t.Errorf("issued as %s, %s", got.Stage(), got.Verdict)
	}
	final := s.bytesOf(t, got.Final.Digest)
	if !bytes.HasPrefix(final, s.bytesOf(t, got.Signed.Digest)) {
		t.Error("the sealed file does not continue the signed one")
	}
	events, err := (&exchange.Evidence{Store: s.db}).Timeline(ctx, s.clerk, d.ID)
	must(t, err)
	told := map[exchange.EventKind]exchange.Event{}
	for _, e := range events {
		if _, twice := told[e.Kind]; twice && e.Kind != exchange.EventSigningRefused {
			t.Errorf("%s is in the evidence twice", e.Kind)
		}
		told[e.Kind] = e
	}
	if e := told[exchange.EventSealed]; e.Data["shown"] != string(seal.Shown) || e.Data["key"] != certstest.RoleSealA || e.By.ID != s.clerk.ID {
		t.Errorf("sealed: %+v", e)
	}
	if e := told[exchange.EventSigned]; e.Data["shown"] != string(k.Shown) || e.Data["key"] != "elsewhere" || e.By.ID != s.leader.ID {
		t.Errorf("signed: %+v", e)
	}
	s.checkEvidence(t)
}

func TestOnlyTheBoundCertificateSigns(t *testing.T) {
	t.Parallel()
	s := bound(t)
	d := s.draft(t)
	_, err := s.outbox.Press.Prepare(t.Context(), s.leader, d.ID, exchange.SigningPerson, chainOf(t, certstest.RoleRevoked))
	wantCode(t, err, text.CertificateMismatch)
	_, err = s.outbox.Press.Prepare(t.Context(), s.leader, d.ID, exchange.SigningPerson, nil)
	wantCode(t, err, text.InvalidInput)
	_, err = s.outbox.Press.Prepare(t.Context(), s.clerk, d.ID, exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
	wantCode(t, err, text.NotAllowed)
	wantCode(t, s.outbox.Press.Sign(t.Context(), s.leader, d.ID), text.KeyNotFound)
	_, err = s.outbox.Press.Number(t.Context(), s.clerk, d.ID, 0)
	wantCode(t, err, text.SignatureRequired)
}

func TestASigningExpiresAndSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := bound(t)
	d := s.draft(t)
	k, err := s.outbox.Press.Prepare(t.Context(), s.leader, d.ID, exchange.SigningPerson, chainOf(t, certstest.RoleLeader))
	must(t, err)
	value := token(t, certstest.RoleLeader, &k.Prepared)
	s.advance(16 * time.Minute)
	wantCode(t, s.outbox.Press.Complete(t.Context(), s.leader, k.ID, value), text.StateConflict)
	s.advance(-16 * time.Minute)
	// A press that never saw the first half finishes the second.
	other := *s.outbox.Press
	must(t, other.Complete(t.Context(), s.leader, k.ID, value))
	if got := s.document(t, d.ID).Issuance.Stage(); got != exchange.StageSigned {
		t.Errorf("stage %s", got)
	}
}

func TestAnUploadIsTheDraftAndOneSignature(t *testing.T) {
	t.Parallel()
	s := bound(t)
	ctx, press := t.Context(), s.outbox.Press
	d := s.draft(t)
	draft := s.bytesOf(t, d.Issuance.Draft.Digest)
	person := signer.Request{Key: certstest.RoleLeader, Field: compose.FieldPerson, Existing: true, Level: ades.BT}
	good := s.signElsewhere(t, draft, person)

	second := letter("")
	second.Subject = "Ban hành quy chế khác"
	other, err := s.outbox.Create(ctx, s.clerk, second)
	must(t, err)
	foreign := s.signElsewhere(t, s.bytesOf(t, other.Issuance.Draft.Digest), person)
	revoked := person
	revoked.Key = certstest.RoleSealA
	elsewhere := person
	elsewhere.Field, elsewhere.Existing = "Khac", false
	twice := s.signElsewhere(t, good, signer.Request{Key: certstest.RoleLeader, Field: "Hai"})
	filled := person
	filled.Fill = map[string]string{compose.FieldNumber: "99"}
	broken := bytes.Clone(good)
	broken[len(draft)+30] ^= 1
	for name, c := range map[string]struct {
		file []byte
		code text.Code
	}{
		"another document":        {foreign, text.DocumentChanged},
		"the bare draft":          {draft, text.DocumentChanged},
		"no PDF":                  {[]byte("x"), text.NotAPDF},
		"another certificate":     {s.signElsewhere(t, draft, revoked), text.CertificateMismatch},
		"another field":           {s.signElsewhere(t, draft, elsewhere), text.DocumentChanged},
		"two signatures":          {twice, text.DocumentChanged},
		"a number filled in":      {s.signElsewhere(t, draft, filled), text.DocumentChanged},
		"content changed as well": {s.signElsewhere(t, tampered(t, draft), person), text.DocumentChanged},
	} {
		err := press.Upload(ctx, s.leader, d.ID, bytes.NewReader(c.file))
		if text.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if err := press.Upload(ctx, s.leader, d.ID, bytes.NewReader(broken)); err == nil {
		t.Error("a broken signature was taken in")
	}
	wantCode(t, press.Upload(ctx, s.clerk, d.ID, bytes.NewReader(good)), text.NotAllowed)
	wantCode(t, press.Upload(ctx, s.leader, d.ID, endless{}), text.TooLarge)
	must(t, press.Upload(ctx, s.leader, d.ID, bytes.NewReader(good)))
	got := s.document(t, d.ID).Issuance
	signed := s.bytesOf(t, got.Signed.Digest)
	if got.Stage() != exchange.StageSigned || got.Field != compose.FieldPerson || !bytes.HasPrefix(signed, good) {
		t.Errorf("%s in %q", got.Stage(), got.Field)
	}

	// The seal from a tool elsewhere, too: only with the number filled in.
	_, err = press.Number(ctx, s.clerk, d.ID, 0)
	must(t, err)
	seal := signer.Request{Key: certstest.RoleSealA, Field: compose.FieldSeal, Existing: true, Level: ades.BT}
	wantCode(t, press.UploadSeal(ctx, s.clerk, d.ID, bytes.NewReader(s.signElsewhere(t, signed, seal))), text.DocumentChanged)
	now := s.Now().In(exchange.Vietnam)
	seal.Fill = map[string]string{compose.FieldNumber: "01", compose.FieldDay: now.Format("02"), compose.FieldMonth: now.Format("1"), compose.FieldYear: now.Format("2006")}
	if now.Month() < 3 {
		seal.Fill[compose.FieldMonth] = now.Format("01")
	}
	must(t, press.UploadSeal(ctx, s.clerk, d.ID, bytes.NewReader(s.signElsewhere(t, signed, seal))))
	if got := s.document(t, d.ID).Issuance; got.Verdict != exchange.VerdictValid || got.Stage() != exchange.StageIssued {
		t.Errorf("sealed elsewhere: %s, %s", got.Stage(), got.Verdict)
	}
}

// endless is an upload that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// tampered is a draft with a revision behind it that turns its first page.
func tampered(t *testing.T, draft []byte) []byte {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(draft), int64(len(draft)), pdf.Options{})
	must(t, err)
	ref, page, err := f.Page(1)
	must(t, err)
	u := f.NewUpdate()
	page = page.Clone()
	page.Set("Rotate", pdf.Int(90))
	u.Put(ref, page)
	built, err := u.Build()
	must(t, err)
	return append(bytes.Clone(draft), built.Data...)
}

func TestAKeyOnlyAsksAndALeaderMaySendBack(t *testing.T) {
	t.Parallel()
	s := bound(t)
	ctx, press := t.Context(), s.outbox.Press
	system := exchange.Actor{ID: "ak_1", Name: "Trần Văn Nhờ", Role: exchange.RoleIntegrator, Agency: s.office.Agency.Code}
	d := s.draft(t)
	wantCode(t, press.Sign(ctx, system, d.ID), text.NotAllowed)
	wantCode(t, press.Seal(ctx, system, d.ID, exchange.DigestOf(nil)), text.NotAllowed)
	wantCode(t, press.Seal(ctx, system, d.ID, ""), text.NotAllowed)
	wantCode(t, press.UploadSeal(ctx, system, d.ID, strings.NewReader("")), text.NotAllowed)
	_, err := press.Prepare(ctx, system, d.ID, exchange.SigningSeal, nil)
	wantCode(t, err, text.NotAllowed)

	op, err := press.Ask(ctx, system, d.ID, exchange.SigningPerson, "1")
	must(t, err)
	same, err := press.Ask(ctx, system, d.ID, exchange.SigningPerson, "1")
	must(t, err)
	if op.State != exchange.OperationAwaitingSignature || same.ID != op.ID {
		t.Errorf("asked: %+v, %+v", op, same)
	}
	_, err = press.Ask(ctx, system, d.ID, exchange.SigningSeal, "1")
	wantCode(t, err, text.IdempotencyKeyReused)
	if got := s.document(t, d.ID).Issuance.Stage(); got != exchange.StageAwaitingSignature {
		t.Errorf("stage %s", got)
	}
	wantCode(t, press.Return(ctx, s.leader, d.ID, " "), text.InvalidInput)
	must(t, press.Return(ctx, s.leader, d.ID, "Sai căn cứ."))
	if i := s.document(t, d.ID).Issuance; i.Stage() != exchange.StageDraft || i.Returned.Reason != "Sai căn cứ." {
		t.Errorf("returned: %+v", i)
	}
	if op, err := (&exchange.Operations{Store: s.db}).Operation(ctx, system, op.ID); err != nil || op.State != exchange.OperationFailed {
		t.Errorf("operation after the return: %+v, %v", op, err)
	}
	s.advance(time.Second)
	_, err = press.Ask(ctx, s.clerk, d.ID, exchange.SigningSeal, "2")
	must(t, err)
	s.signPrepared(t, d.ID)
	if got := s.document(t, d.ID).Issuance.Stage(); got != exchange.StageAwaitingSeal {
		t.Errorf("stage %s", got)
	}
	wantCode(t, press.Return(ctx, s.leader, d.ID, "muộn"), text.StateConflict)
	s.kinds(t, d.ID)
}

func TestACrashBetweenNumberAndSealLosesNoNumber(t *testing.T) {
	t.Parallel()
	s := newSite(&clock{}, "H15.01", certstest.RoleSealA)
	s.open(t, exchange.AgencyList{s.office.Agency})
	ctx, press := t.Context(), s.outbox.Press
	d := s.draft(t)
	must(t, press.Sign(ctx, s.leader, d.ID))
	for n := 1; ; n++ {
		s.db.FailAt(n)
		err := press.Seal(ctx, s.clerk, d.ID, "")
		if !s.db.Heal() {
			must(t, err)
			break
		}
		i := s.document(t, d.ID).Issuance
		if i.Numbered.Done() != (i.Number.Seq == 1) || i.Issued.Done() != !i.Final.IsZero() {
			t.Fatalf("after write %d something is half done: %+v", n, i)
		}
	}
	var lines []exchange.Entry
	must(t, s.db.View(ctx, func(tx exchange.Tx) (err error) {
		lines, err = tx.Register(ctx, s.office.Agency.Code, exchange.BookOutgoing, s.Now().In(exchange.Vietnam).Year())
		return err
	}))
	if len(lines) != 1 || lines[0].Seq != 1 || lines[0].Subject != d.ID {
		t.Errorf("register: %+v", lines)
	}
	s.checkEvidence(t)
}

func TestFiftyClerksNumberAtOnceWithoutGapOrDouble(t *testing.T) {
	t.Parallel()
	s := newSite(&clock{}, "H15.01", certstest.RoleSealA)
	s.open(t, exchange.AgencyList{s.office.Agency})
	const clerks = 50
	ids := make([]exchange.ID, clerks)
	for i := range ids {
		d := s.draft(t)
		must(t, s.outbox.Press.Sign(t.Context(), s.leader, d.ID))
		ids[i] = d.ID
	}
	start := make(chan struct{})
	numbers := make([][2]exchange.Number, clerks)
	errs := make([]error, clerks)
	var wg sync.WaitGroup
	for i := range ids {
		for half := range 2 { // each asks twice, as an impatient hand does
			wg.Go(func() {
				clerk := s.clerk
				clerk.ID = "clerk" + string(rune('a'+i%26)) + string(rune('a'+i/26))
				<-start
				n, err := s.outbox.Press.Number(t.Context(), clerk, ids[i], 0)
				numbers[i][half] = n
				if err != nil {
					errs[i] = err
				}
			})
		}
	}
	close(start)
	wg.Wait()
	seen := map[int]bool{}
	for i, n := range numbers {
		must(t, errs[i])
		if n[0] != n[1] || seen[n[0].Seq] || n[0].Seq < 1 || n[0].Seq > clerks {
			t.Errorf("document %d got %s and %s", i, n[0], n[1])
		}
		seen[n[0].Seq] = true
	}
	if len(seen) != clerks {
		t.Errorf("%d numbers for %d documents", len(seen), clerks)
	}
	s.checkEvidence(t)
}
