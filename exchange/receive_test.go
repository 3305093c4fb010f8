package exchange_test

import (
	"bytes"
	"crypto/rand"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/jws"
	"antin/internal/text"
)

// nothing fails unless s holds no item, no transfer file and no event of kind received.
func (s *site) nothing(t *testing.T) {
	t.Helper()
	if items := s.documents(t); len(items) != 0 {
		t.Errorf("items: %v", items)
	}
	if files, _ := filepath.Glob(filepath.Join(s.dir, "blobs", "*", "*")); len(files) != 0 {
		t.Errorf("files: %v", files)
	}
}

func TestFiftyCopiesAtOnceHaveOneEffectAndOneReceipt(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	const n = 50
	got := make([]exchange.Receipt, n)
	var wg sync.WaitGroup
	for i := range n {
		in := a.incoming(t, d)
		wg.Go(func() {
			var err error
			if got[i], err = b.inbox.Receive(t.Context(), in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range got {
		if !bytes.Equal(r.JWS, got[0].JWS) || r.Kind != exchange.ReceiptAccepted {
			t.Fatalf("receipts differ: %s", r.JWS)
		}
	}
	if items := b.documents(t); len(items) != 1 {
		t.Errorf("%d items", len(items))
	}
	late, err := b.inbox.Receive(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest, Payload: strings.NewReader("ignored")})
	if err != nil || !bytes.Equal(late.JWS, got[0].JWS) {
		t.Errorf("a repeat much later: %v", err)
	}
	b.checkEvidence(t)
}

func TestARepeatAfterExpiryStillGetsItsReceipt(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d, unseen := a.send(t, a.unsigned(t, 1), b), a.send(t, a.unsigned(t, 2), b)
	first, err := b.inbox.Receive(t.Context(), a.incoming(t, d))
	must(t, err)
	a.advance(30 * 24 * time.Hour)
	again, err := b.inbox.Receive(t.Context(), a.incoming(t, d))
	if err != nil || !bytes.Equal(first.JWS, again.JWS) {
		t.Errorf("repeat: %v", err)
	}
	r, err := b.inbox.Receive(t.Context(), a.incoming(t, unseen))
	if err != nil || r.Kind != exchange.ReceiptRejected {
		t.Errorf("an expired transfer never seen: %s, %v", r.Kind, err)
	}
}

func TestConflictingDuplicateIsRefusedAndNoted(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	_, err := b.inbox.Receive(t.Context(), a.incoming(t, d))
	must(t, err)
	other := []byte("khác")
	m, _, err := jws.PeekManifest(d.Manifest)
	must(t, err)
	m.Parts[0].Size, m.Parts[0].SHA256 = int64(len(other)), string(exchange.DigestOf(other))
	forged, err := jws.SignManifest(rand.Reader, a.party.Key, m)
	must(t, err)
	_, err = b.inbox.Receive(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: forged, Payload: bytes.NewReader(other)})
	wantCode(t, err, text.ReplayConflict)
	items := b.documents(t)
	if k := b.kinds(t, items[0].ID); len(items) != 1 || k[len(k)-1] != exchange.EventReplayConflict {
		t.Errorf("%d items, timeline %v", len(items), k)
	}
}

func TestASecondSignatureOnTheSameManifestIsARepeat(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	first, err := b.inbox.Receive(t.Context(), a.incoming(t, d))
	must(t, err)
	m, _, err := jws.PeekManifest(d.Manifest)
	must(t, err)
	resigned, err := jws.SignManifest(rand.Reader, a.party.Key, m)
	must(t, err)
	again, err := b.inbox.Receive(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: resigned, Payload: strings.NewReader("")})
	if err != nil || !bytes.Equal(first.JWS, again.JWS) {
		t.Errorf("%v", err)
	}
}

func TestReceiveRefusesWithoutATrace(t *testing.T) {
	t.Parallel()
	stranger := exchangetest.NewParty("H15.09")
	for name, tc := range map[string]struct {
		change func(t *testing.T, a, b *site, in *exchange.Incoming)
		code   text.Code
	}{
		"a spoiled byte": {func(_ *testing.T, _, _ *site, in *exchange.Incoming) {
			in.Payload = &spoiler{in.Payload, 100}
		}, text.DigestMismatch},
		"a short payload": {func(_ *testing.T, _, _ *site, in *exchange.Incoming) {
			in.Payload = strings.NewReader("<edXML>")
		}, text.DigestMismatch},
		"a payload without end": {func(_ *testing.T, _, _ *site, in *exchange.Incoming) {
			in.Payload = zeros{}
		}, text.DigestMismatch},
		"a sender who is not the peer": {func(_ *testing.T, _, _ *site, in *exchange.Incoming) { in.Peer = "H15.07" }, text.NotAllowed},
		"a manifest signed by a stranger": {func(t *testing.T, _, _ *site, in *exchange.Incoming) {
			m, _, err := jws.PeekManifest(in.Manifest)
			must(t, err)
			in.Manifest, err = jws.SignManifest(nil, stranger.Key, m)
			must(t, err)
		}, text.NotAllowed},
		"another agency's message": {func(t *testing.T, a, _ *site, in *exchange.Incoming) {
			m, _, err := jws.PeekManifest(in.Manifest)
			must(t, err)
			m.Recipient = "H15.03"
			in.Manifest, err = jws.SignManifest(nil, a.party.Key, m)
			must(t, err)
		}, text.NotForUs},
		"no manifest": {func(_ *testing.T, _, _ *site, in *exchange.Incoming) { in.Manifest = []byte("{}") }, text.InvalidInput},
		"a sender unknown to the directory": {func(t *testing.T, _, _ *site, in *exchange.Incoming) {
			e, err := exchangetest.NewEnvelope(stranger, "H15.02", []byte("x"))
			must(t, err)
			in.Peer, in.Manifest, in.Payload = stranger.Agency.Code, e.Manifest, strings.NewReader("x")
		}, text.NotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newPair(t)
			in := a.incoming(t, a.send(t, a.unsigned(t, 1), b))
			tc.change(t, a, b, &in)
			_, err := b.inbox.Receive(t.Context(), in)
			wantCode(t, err, tc.code)
			b.nothing(t)
		})
	}
}

// spoiler changes the byte at offset left of r.
type spoiler struct {
	r    interface{ Read([]byte) (int, error) }
	left int
}

func (s *spoiler) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.left >= 0 && s.left < n {
		p[s.left] ^= 1
	}
	s.left -= n
	return n, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestSpoiledBytesMayBeSentAgain(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	in := a.incoming(t, d)
	in.Payload = &spoiler{in.Payload, 5}
	_, err := b.inbox.Receive(t.Context(), in)
	wantCode(t, err, text.DigestMismatch)
	r, err := b.inbox.Receive(t.Context(), a.incoming(t, d))
	if err != nil || r.Kind != exchange.ReceiptAccepted {
		t.Errorf("the honest bytes afterwards: %s, %v", r.Kind, err)
	}
}

func TestTooLargeIsRefusedUnderOurKeyBeforeReading(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	b.inbox.MaxPayload = 100
	d := a.send(t, a.unsigned(t, 1), b)
	in := a.incoming(t, d)
	in.Payload = nil // never read
	first, err := b.inbox.Receive(t.Context(), in)
	must(t, err)
	again, err := b.inbox.Receive(t.Context(), in)
	if err != nil || first.Kind != exchange.ReceiptRejected || !bytes.Equal(first.JWS, again.JWS) {
		t.Errorf("%s, %v", first.Kind, err)
	}
	b.nothing(t)
	must(t, a.outbox.Drain(t.Context(), a.lane(b)))
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryRefused || got.Note.Code != text.PeerRefused || !strings.Contains(got.Note.Message.VI, "quá lớn") {
		t.Errorf("the sender sees %s: %+v", got.State, got.Note)
	}
}

func TestAClosedTransferTakesNoBytesAnyMore(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	closedFirst, takenFirst := a.send(t, a.unsigned(t, 1), b), a.send(t, a.unsigned(t, 2), b)
	closed, err := b.inbox.CloseTransfer(t.Context(), "H15.01", closedFirst.Manifest)
	must(t, err)
	late, err := b.inbox.Receive(t.Context(), a.incoming(t, closedFirst))
	if err != nil || late.Kind != exchange.ReceiptClosed || !bytes.Equal(closed.JWS, late.JWS) {
		t.Errorf("bytes after closing: %s, %v", late.Kind, err)
	}
	b.nothing(t)
	taken, err := b.inbox.Receive(t.Context(), a.incoming(t, takenFirst))
	must(t, err)
	answer, err := b.inbox.CloseTransfer(t.Context(), "H15.01", takenFirst.Manifest)
	if err != nil || answer.Kind != exchange.ReceiptAccepted || !bytes.Equal(answer.JWS, taken.JWS) {
		t.Errorf("closing after taking: %s, %v", answer.Kind, err)
	}
	known, err := b.inbox.Known(t.Context(), exchange.TransferKey{Recipient: "H15.02", Sender: "H15.01", ID: takenFirst.TransferID})
	if err != nil || !bytes.Equal(known.JWS, taken.JWS) {
		t.Errorf("known: %v", err)
	}
}

func TestMessagesThatCannotBeTakenInAreSetAside(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	good := a.incoming(t, a.send(t, a.unsigned(t, 1), b))
	var body bytes.Buffer
	if _, err := body.ReadFrom(good.Payload); err != nil {
		t.Fatal(err)
	}
	for name, payload := range map[string][]byte{
		"no XML":           []byte("%PDF-1.7"),
		"cut":              body.Bytes()[:body.Len()/2],
		"another sender":   bytes.Replace(body.Bytes(), []byte("<edXML:OrganId>H15.01<"), []byte("<edXML:OrganId>H15.08<"), 1),
		"another receiver": bytes.ReplaceAll(body.Bytes(), []byte(">H15.02<"), []byte(">H15.08<")),
	} {
		e, err := exchangetest.NewEnvelope(exchangetest.Party{Agency: a.office.Agency, Key: a.party.Key}, "H15.02", payload)
		must(t, err)
		m, _, err := jws.PeekManifest(e.Manifest)
		must(t, err)
		m.CreatedAt, m.ExpiresAt = a.Now(), a.Now().Add(time.Hour)
		manifest, err := jws.SignManifest(nil, a.party.Key, m)
		must(t, err)
		r, err := b.inbox.Receive(t.Context(), exchange.Incoming{Peer: "H15.01", Manifest: manifest, Payload: bytes.NewReader(payload)})
		if err != nil || r.Kind != exchange.ReceiptAccepted {
			t.Fatalf("%s: a receipt speaks of bytes alone: %s, %v", name, r.Kind, err)
		}
		b.admitAll(t)
		item := b.documents(t)[0]
		if item.State != exchange.InboxDamaged || item.Problem.Message.VI == "" {
			t.Errorf("%s: %s, %+v", name, item.State, item.Problem)
		}
		if _, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: item.ID}); text.CodeOf(err) != text.StateConflict {
			t.Errorf("%s: accepted, %v", name, err)
		}
		if _, err := b.inbox.Refuse(t.Context(), b.clerk, exchange.Decision{Item: item.ID, Reason: "Gói tin hỏng"}); err != nil {
			t.Errorf("%s: not returned, %v", name, err)
		}
	}
	b.checkEvidence(t)
}

func TestTheSameDocumentAgainMakesNoSecondItem(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	d := a.send(t, a.unsigned(t, 1), b)
	settle(t, a, b)
	first := b.documents(t)[0]
	in := a.incoming(t, d)
	m, _, err := jws.PeekManifest(d.Manifest)
	must(t, err)
	m.TransferID = string(exchange.NewTransferID(a.Now()))
	in.Manifest, err = jws.SignManifest(nil, a.party.Key, m)
	must(t, err)
	_, err = b.inbox.Receive(t.Context(), in)
	must(t, err)
	b.admitAll(t)
	items := b.documents(t)
	if len(items) != 2 || items[0].State != exchange.InboxDuplicate || items[0].DuplicateOf != first.ID {
		t.Errorf("second: %s of %s", items[0].State, items[0].DuplicateOf)
	}
	if _, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: items[0].ID}); text.CodeOf(err) != text.StateConflict {
		t.Errorf("a duplicate was accepted: %v", err)
	}
}
