package peer_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/jws"
	"antin/exchange/peer"
	"antin/internal/text"
)

const (
	// stormSize is how often one transfer comes, stormWidth how often at the same time.
	stormSize, stormWidth = 1000, 128
	// stormTries bounds how often a sender comes again that was told to come later.
	stormTries = 1000
)

// TestThreatDuplicateStorm: one transfer that comes a thousand times, many at a time and
// by two ways, has one effect and one receipt.
func TestThreatDuplicateStorm(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, []byte("một lần"))
	e := a.envelope(d)
	var mu sync.Mutex
	receipts, refused := map[string]int{}, 0
	deliver := func(n int) ([]byte, error) {
		if n%3 == 0 {
			r := a.client.DeliverBatch(t.Context(), b.party.Agency, []exchange.Envelope{e, e})
			if r[0].Err == nil && r[1].Err == nil && !bytes.Equal(r[0].Receipt, r[1].Receipt) {
				t.Error("two receipts in one batch")
			}
			return r[0].Receipt, r[0].Err
		}
		return a.client.Deliver(t.Context(), b.party.Agency, e)
	}
	work := make(chan int)
	var group sync.WaitGroup
	for range stormWidth {
		group.Go(func() {
			for n := range work {
				var receipt []byte
				var err error
				for range stormTries { // it may be told to come later
					if receipt, err = deliver(n); err == nil {
						break
					}
					mu.Lock()
					refused++
					mu.Unlock()
				}
				mu.Lock()
				receipts[string(receipt)]++
				mu.Unlock()
			}
		})
	}
	for n := range stormSize {
		work <- n
	}
	close(work)
	group.Wait()
	if len(receipts) != 1 || len(b.items(t)) != 1 {
		t.Errorf("%d different receipts, %d items", len(receipts), len(b.items(t)))
	}
	arrived := 0
	for _, k := range b.kinds(t) {
		if k == exchange.EventReceived {
			arrived++
		}
	}
	if arrived != 1 {
		t.Errorf("it is in the evidence %d times: %v", arrived, b.kinds(t))
	}
	t.Logf("%d deliveries, %d were told to come later", stormSize, refused)
}

// TestThreatConflictingDuplicate: the identity of a known transfer with other content is
// refused however often and by whatever way it comes, each time with an alarm; what is
// known stays as it is.
func TestThreatConflictingDuplicate(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, []byte("bản đúng"))
	first, err := a.client.Deliver(t.Context(), b.party.Agency, a.envelope(d))
	must(t, err)
	other := []byte("bản khác")
	m, _ := peek(t, d)
	m.Parts[0].Size, m.Parts[0].SHA256 = int64(len(other)), string(exchange.DigestOf(other))
	signed, err := jws.SignManifest(rand.Reader, a.party.Key, m)
	must(t, err)
	in := func() exchange.Incoming {
		return exchange.Incoming{Peer: d.Agency, Manifest: signed, Payload: bytes.NewReader(other)}
	}
	for range 3 {
		if _, err := b.inbox.Receive(t.Context(), in()); text.CodeOf(err) != text.ReplayConflict {
			t.Errorf("received: %v", err)
		}
		if _, _, err := b.inbox.OpenUpload(t.Context(), in()); text.CodeOf(err) != text.ReplayConflict {
			t.Errorf("in pieces: %v", err)
		}
	}
	alarms := 0
	for _, k := range b.kinds(t) {
		if k == exchange.EventReplayConflict {
			alarms++
		}
	}
	again, err := a.client.Deliver(t.Context(), b.party.Agency, a.envelope(d))
	if err != nil || !bytes.Equal(first, again) || len(b.items(t)) != 1 || alarms == 0 {
		t.Errorf("afterwards: %v, %d items, %d alarms", err, len(b.items(t)), alarms)
	}
	if b.db.Verify(t.Context(), exchange.DigestOf(other)) == nil {
		t.Error("the other content was kept")
	}
}

// TestThreatPeerCertificate: a certificate that has expired, is not valid yet, was taken
// out of the directory, or belongs to another organisation ends at the handshake or at
// the manifest. The lane stops, no attempt of the document is used up, and with the right
// certificate all goes on.
func TestThreatPeerCertificate(t *testing.T) {
	t.Parallel()
	made := func(from, to time.Time) func(t *testing.T) peer.Identity {
		return func(t *testing.T) peer.Identity {
			t.Helper()
			id, err := peer.NewIdentity(nil, "H26.18.5", from, to)
			must(t, err)
			return id
		}
	}
	now := exchangetest.Clock()
	day := 24 * time.Hour
	for name, certificate := range map[string]func(t *testing.T) peer.Identity{
		"expired":            made(now.Add(-10*day), now.Add(-day)),
		"not valid yet":      made(now.Add(day), now.Add(10*day)),
		"revoked":            made(now.Add(-day), now.Add(day)), // the directory no longer lists it
		"of another":         func(t *testing.T) peer.Identity { t.Helper(); return identity(t, "H15.50") },
		"under a false name": func(t *testing.T) peer.Identity { t.Helper(); return identity(t, "000.00.00.G22") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := gates(t, false)
			d := a.send(t, b, []byte("x"))
			wrong := &peer.Client{Identity: certificate(t), Now: a.now}
			a.outbox.Transport = wrong
			lane := exchange.Lane{From: d.Agency, To: d.To}
			must(t, a.outbox.Drain(t.Context(), lane))
			_, err := wrong.Deliver(t.Context(), b.party.Agency, a.envelope(d))
			var de *exchange.DeliveryError
			if !errors.As(err, &de) || de.Class != exchange.ClassTrust {
				t.Errorf("refused with %v", err)
			}
			wrong.CloseIdle()
			state, err := a.outbox.Lane(t.Context(), a.clerk, d.To)
			must(t, err)
			stopped := a.delivery(t, d.ID)
			if !state.Halted || stopped.Attempts != 0 || stopped.State != d.State || len(b.items(t)) != 0 {
				t.Errorf("halted %t after %d attempts, %s, %d items", state.Halted, stopped.Attempts, stopped.State, len(b.items(t)))
			}
			a.outbox.Transport = a.client
			must(t, a.outbox.Resume(t.Context(), a.clerk, d.ID))
			must(t, a.outbox.Drain(t.Context(), lane))
			if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered {
				t.Errorf("afterwards %s", got.State)
			}
		})
	}
}
