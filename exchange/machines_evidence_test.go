package exchange_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// evidenceWant is the third machine, of what the receiver has put its name to for one
// transfer: the receipt that stands after each signal, "!" where the signal is answered
// with replay-conflict, "?" where it is answered with an error and nothing stands.
// A receipt once given is the answer to everything that belongs to the same transfer.
//
//	signal:   copy      lapsed    spoiled   close     conflict  ask
const evidenceWant = `
none        accepted  rejected  ?         closed    accepted  ?
accepted    accepted  accepted  accepted  accepted  !         accepted
rejected    rejected  rejected  rejected  rejected  !         rejected
closed      closed    closed    closed    closed    !         closed
`

var evidenceSignals = []string{"copy", "lapsed", "spoiled", "close", "conflict", "ask"}

// evidenced is one transfer on its way through the machine.
type evidenced struct {
	b        *site
	manifest []byte // of the transfer
	payload  []byte
	other    []byte // another manifest with the same id
	content  []byte // its payload
	key      exchange.TransferKey
}

// transfer is a fresh one from s, not seen by b yet.
func (s *site) transfer(t *testing.T, b *site) *evidenced {
	t.Helper()
	d := s.delivery(t, s.ready(t, b.office.Agency.Code, 1, 0)[0].ID)
	m, _, err := jws.PeekManifest(d.Manifest)
	must(t, err)
	e := &evidenced{b: b, manifest: d.Manifest, payload: s.bytesOf(t, d.Payload.Digest), content: []byte("khác"),
		key: exchange.TransferKey{Recipient: b.office.Agency.Code, Sender: s.office.Agency.Code, ID: d.TransferID}}
	m.Parts[0].Size, m.Parts[0].SHA256 = int64(len(e.content)), string(exchange.DigestOf(e.content))
	e.other, err = jws.SignManifest(rand.Reader, s.party.Key, m)
	must(t, err)
	return e
}

// give lets one signal arrive and returns b's answer.
func (e *evidenced) give(ctx context.Context, signal string) (exchange.Receipt, error) {
	copied := exchange.Incoming{Peer: e.key.Sender, Manifest: e.manifest, Payload: bytes.NewReader(e.payload)}
	switch signal {
	case "copy":
		return e.b.inbox.Receive(ctx, copied)
	case "lapsed":
		in := e.b.inbox
		late := exchange.Inbox{Store: in.Store, Blobs: in.Blobs, Directory: in.Directory, Offices: in.Offices, Validator: in.Validator, Outbox: in.Outbox,
			Now: func() time.Time { return in.Now().Add(365 * 24 * time.Hour) }}
		return late.Receive(ctx, copied)
	case "spoiled":
		copied.Payload = &spoiler{copied.Payload, 5}
		return e.b.inbox.Receive(ctx, copied)
	case "close":
		return e.b.inbox.CloseTransfer(ctx, e.key.Sender, e.manifest)
	case "conflict":
		return e.b.inbox.Receive(ctx, exchange.Incoming{Peer: e.key.Sender, Manifest: e.other, Payload: bytes.NewReader(e.content)})
	default:
		return e.b.inbox.Known(ctx, e.key)
	}
}

// reached brings a transfer into a state of evidenceWant.
var reached = map[string]string{"accepted": "copy", "rejected": "lapsed", "closed": "close"}

func TestEvidenceMachineIsTotal(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	want := parseTable(evidenceWant)
	for state, row := range want {
		if len(row) != len(evidenceSignals) {
			t.Fatalf("state %s is not written down", state)
		}
		for i, signal := range evidenceSignals {
			e := a.transfer(t, b)
			var before exchange.Receipt
			if way, ok := reached[state]; ok {
				var err error
				before, err = e.give(t.Context(), way)
				must(t, err)
				if string(before.Kind) != state {
					t.Fatalf("%s led to %s, want %s", way, before.Kind, state)
				}
			}
			after, err := e.give(t.Context(), signal)
			if got := answered(after, err); got != row[i] {
				t.Errorf("%s after %s is answered %s, want %s (%v)", state, signal, got, row[i], err)
			}
			if before.JWS != nil && err == nil && !bytes.Equal(before.JWS, after.JWS) {
				t.Errorf("%s after %s has a second receipt", state, signal)
			}
		}
	}
	b.checkEvidence(t)
}

// answered writes an answer as evidenceWant does.
func answered(r exchange.Receipt, err error) string {
	switch {
	case err == nil:
		return string(r.Kind)
	case text.CodeOf(err) == text.ReplayConflict:
		return "!"
	default:
		return "?"
	}
}

// TestNoCourseOfSignalsGivesASecondReceipt walks one transfer along any signals: the
// first receipt is the only one, byte for byte, and what a conflict brought first is
// itself the transfer from then on.
func TestNoCourseOfSignalsGivesASecondReceipt(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	want := parseTable(evidenceWant)
	rapid.Check(t, func(r *rapid.T) {
		course := rapid.SliceOfN(rapid.SampledFrom(evidenceSignals), 1, 8).Draw(r, "signals")
		e := a.transfer(t, b)
		state, first := "none", []byte(nil)
		for n, signal := range course {
			if signal == "conflict" && state == "none" {
				continue // nothing to contradict: it is a transfer like any other
			}
			answer, err := e.give(t.Context(), signal)
			next := want[state][slices.Index(evidenceSignals, signal)]
			if got := answered(answer, err); got != next {
				r.Fatalf("%s: %s after %s is answered %s, want %s (%v)", strings.Join(course[:n+1], " "), state, signal, got, next, err)
			}
			if err != nil {
				continue
			}
			if first == nil {
				state, first = next, answer.JWS
			}
			if !bytes.Equal(first, answer.JWS) {
				r.Fatalf("%s: a second receipt", strings.Join(course[:n+1], " "))
			}
		}
	})
	b.checkEvidence(t)
}
