package peer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

func TestAnAgencyWithoutAddressFetchesWhatWaits(t *testing.T) {
	t.Parallel()
	a, b := gates(t, true)
	small, great := a.send(t, b, noise(1000)), a.send(t, b, noise(9<<20))
	a.drain(t, b) // nothing can be sent: it waits
	if d := a.delivery(t, small.ID); d.State != exchange.DeliveryReady || !d.NextAt.Equal(d.ExpiresAt) {
		t.Errorf("%s, next at %s", d.State, d.NextAt)
	}
	p := &exchange.Puller{Remote: b.client, Inbox: b.inbox, Directory: b.peers, Offices: b.offices, Now: b.now, OnError: func(err error) { t.Error(err) }}
	moved, err := p.Round(t.Context(), a.party.Agency, time.Second)
	must(t, err)
	for _, d := range []exchange.Delivery{small, great} {
		if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered || got.Receipt == nil {
			t.Errorf("%s", got.State)
		}
	}
	if !moved || len(b.items(t)) != 2 {
		t.Errorf("%v, %d items", moved, len(b.items(t)))
	}
	if page, err := b.client.Waiting(t.Context(), a.party.Agency, "", 0); err != nil || len(page.Transfers) != 0 {
		t.Errorf("%v %v", page, err)
	}
	// A receipt that comes again changes nothing; another's proves nothing.
	must(t, b.client.Bring(t.Context(), a.party.Agency, a.delivery(t, small.ID).Receipt))
	if err := (&exchange.Held{Outbox: a.outbox}).Take(t.Context(), "H15.50", a.delivery(t, small.ID).Receipt); text.CodeOf(err) != text.NotAllowed {
		t.Error(err)
	}
}

func TestAWaitingPeerIsAnsweredWhenSomethingComes(t *testing.T) {
	t.Parallel()
	a, b := gates(t, true)
	bell := &exchange.Bell{}
	held := &exchange.Held{Outbox: a.outbox, Bell: bell}
	got := make(chan exchange.WaitingPage, 1)
	go func() {
		page, err := held.Waiting(context.WithoutCancel(t.Context()), b.party.Agency.Code, "", time.Minute)
		if err != nil {
			t.Error(err)
		}
		got <- page
	}()
	a.send(t, b, []byte("mới"))
	bell.Ring(a.party.Agency.Code)
	if page := <-got; len(page.Transfers) != 1 {
		t.Errorf("%+v", page)
	}
}

func TestAFetchedTransferThatHasExpiredIsClosed(t *testing.T) {
	t.Parallel()
	a, b := gates(t, true)
	d := a.send(t, b, []byte("muộn"))
	late := func() time.Time { return a.now().AddDate(0, 0, 6) }
	b.inbox.Now = late
	p := &exchange.Puller{Remote: b.client, Inbox: b.inbox, Directory: b.peers, Offices: b.offices, Now: late}
	_, err := p.Round(t.Context(), a.party.Agency, 0)
	must(t, err)
	if got := a.delivery(t, d.ID); got.State != exchange.DeliveryNonDelivered || len(b.items(t)) != 0 {
		t.Errorf("%s", got.State)
	}
}

func reconciler(g *gate) *exchange.Reconciler {
	return &exchange.Reconciler{Ledger: g.ledger, Inbox: g.inbox, Remote: g.client, Directory: g.peers, Now: g.now}
}

func TestReconcileFindsNothingBetweenTwoThatAgree(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	for n := range 5 {
		a.send(t, b, noise(100+n))
	}
	a.drain(t, b)
	q := exchange.DayQuery{Sender: a.party.Agency.Code, Recipient: b.party.Agency.Code, Day: a.now()}
	mine, err := a.ledger.Day(t.Context(), b.party.Agency.Code, q)
	must(t, err)
	theirs, err := a.client.Day(t.Context(), b.party.Agency, q)
	must(t, err)
	if mine.Root != theirs.Root || mine.Count != 5 || theirs.Count != 5 {
		t.Errorf("%+v\n%+v", mine, theirs)
	}
	for _, g := range []*gate{a, b} {
		other := a
		if g == a {
			other = b
		}
		must(t, reconciler(g).Day(t.Context(), g.party.Agency.Code, other.party.Agency.Code, g.now()))
		if slices.Contains(g.kinds(t), exchange.EventReconcileDifference) {
			t.Error("an alarm over nothing")
		}
	}
	if _, err := a.ledger.Day(t.Context(), "H15.50", q); text.CodeOf(err) != text.NotFound {
		t.Error("a third party is told of it:", err)
	}
}

func TestARestoredReceiverTakesBackWhatItLost(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	var sent []exchange.Delivery
	for n := range 3 {
		sent = append(sent, a.send(t, b, noise(100_000+n)))
	}
	a.drain(t, b)
	b.stop()
	b.dir = t.TempDir() // the disk is lost, and the backup older than the transfers
	b.start(t)
	must(t, reconciler(a).Day(t.Context(), a.party.Agency.Code, b.party.Agency.Code, a.now()))
	if !slices.Contains(a.kinds(t), exchange.EventReconcileDifference) {
		t.Error("the sender raised no alarm")
	}
	must(t, reconciler(b).Day(t.Context(), b.party.Agency.Code, a.party.Agency.Code, b.now()))
	if items := b.items(t); len(items) != 3 {
		t.Fatalf("%d items came back", len(items))
	}
	for _, d := range sent {
		m, _ := peek(t, d)
		r, err := b.inbox.Known(t.Context(), exchange.TransferKey{Recipient: b.party.Agency.Code, Sender: a.party.Agency.Code, ID: exchange.TransferID(m.TransferID)})
		must(t, err)
		if !bytes.Equal(r.JWS, a.delivery(t, d.ID).Receipt) {
			t.Error("another receipt than the one given before")
		}
		must(t, b.db.Verify(t.Context(), d.Payload.Digest))
	}
	kinds := b.kinds(t)
	if slices.Contains(kinds, exchange.EventReconcileDifference) || !slices.Contains(kinds, exchange.EventReinstated) {
		t.Errorf("%v", kinds)
	}
}

func TestARestoredSenderIsToldWhatItSent(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, noise(1000))
	a.drain(t, b)
	receipt := a.delivery(t, d.ID).Receipt
	a.stop()
	a.dir = t.TempDir()
	a.start(t)
	back, err := reconciler(a).Returned(t.Context(), a.party.Agency.Code, b.party.Agency.Code, a.now())
	must(t, err)
	if len(back) != 1 || !bytes.Equal(back[0].Manifest, d.Manifest) || !bytes.Equal(back[0].Receipt, receipt) {
		t.Errorf("%d came back", len(back))
	}
}

func TestStatementsAreKeptOnceAndOnlyOfTheirSender(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, []byte("x"))
	_, id := peek(t, d)
	n := jws.NonDelivery{Version: jws.Version, TransferID: string(d.TransferID), ManifestSHA256: id.String(), Sender: string(d.Agency), Recipient: string(d.To),
		Reason: jws.ReasonExpired, StatedAt: a.now()}
	statement, err := jws.SignNonDelivery(rand.Reader, a.party.Key, n)
	must(t, err)
	for range 2 {
		must(t, a.client.State(t.Context(), b.party.Agency, statement))
	}
	skip, err := jws.SignSkip(rand.Reader, a.party.Key, jws.Skip{Version: jws.Version, Sender: string(d.Agency), Recipient: string(d.To),
		Lane: jws.Lane{Class: "status", Epoch: 1, Seq: 1}, Count: 2, StatedAt: a.now()})
	must(t, err)
	must(t, a.client.State(t.Context(), b.party.Agency, skip))
	if kinds := b.kinds(t); len(kinds) != 2 || kinds[0] != exchange.EventPeerNonDelivery || kinds[1] != exchange.EventPeerSkip {
		t.Errorf("%v", kinds)
	}
	forged, err := jws.SignNonDelivery(rand.Reader, b.party.Key, n)
	must(t, err)
	for name, s := range map[string][]byte{"under another key": forged, "a manifest": d.Manifest} {
		if err := a.client.State(t.Context(), b.party.Agency, s); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestCapabilityIsSignedAndGoodWithoutThePeer(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	c, err := a.client.Capability(t.Context(), b.party.Agency)
	must(t, err)
	for _, f := range []string{jws.FeatureResume, jws.FeatureSignals, jws.FeaturePull, jws.FeatureReconcile, jws.FeatureStatements} {
		if !c.Has(f) {
			t.Errorf("no %s in %v", f, c.Features)
		}
	}
	if v, ok := c.Speaks(2, 1); v != 1 || !ok {
		t.Errorf("speaks %d", v)
	}
	b.stop()
	if again, err := a.client.Capability(t.Context(), b.party.Agency); err != nil || again.ExpiresAt != c.ExpiresAt {
		t.Errorf("of a peer that is away: %v", err)
	}
}

// TestVersionOneTalksToALaterOne: a later version's capability may say more and names
// version 1 too; its statements of another version are refused, not misread.
func TestVersionOneTalksToALaterOne(t *testing.T) {
	t.Parallel()
	_, b := gates(t, false)
	keys, err := jws.NewKeys(b.party.Key.Public())
	must(t, err)
	later := `{"version":2,"agency":"000.00.00.G22","versions":[1,2],"features":["resume","post-quantum"],"keys":["k"],"maxPayload":1,"oneShot":1,` +
		`"maxPiece":1,"maxWhole":1,"maxBatch":1,"issuedAt":"2026-11-23T00:00:00Z","expiresAt":"2026-12-23T00:00:00Z","lattices":{"of":["what we do not know"]}}`
	signed, err := jws.Sign(rand.Reader, b.party.Key, jws.TypeCapability, []byte(later))
	must(t, err)
	c, err := jws.VerifyCapability(signed, keys)
	must(t, err)
	if v, ok := c.Speaks(jws.Version); v != 1 || !ok || !c.Has("post-quantum") {
		t.Errorf("%d %v %+v", v, ok, c)
	}
	for name, payload := range map[string]string{"twice": strings.Replace(later, `"lattices"`, `"agency"`, 1), "no object": `[1]`, "no common version": `{}`} {
		signed, err := jws.Sign(rand.Reader, b.party.Key, jws.TypeCapability, []byte(payload))
		must(t, err)
		if _, err := jws.VerifyCapability(signed, keys); err == nil {
			t.Errorf("%s was believed", name)
		}
	}
}
