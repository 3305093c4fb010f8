package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/jws"
	"antin/exchange/peer"
	"antin/internal/text"
)

// newOffices returns the demo's two agencies, wired as the demo wires them, which
// serve until the test ends. before, where not nil, is called before they do.
func newOffices(t *testing.T, before func(d *demo)) *demo {
	t.Helper()
	b := newBench(t)
	e := testEnv(io.Discard)
	client, err := fetch.New(fetch.Options{AllowHosts: []string{b.allow}, Now: e.now})
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{dir: t.TempDir(), pki: b.services}
	t.Cleanup(d.close)
	if err := d.openNodes(t.Context(), e, "http://"+b.allow, client); err != nil {
		t.Fatal(err)
	}
	d.story = &story{a: d.a, b: d.b, now: e.now}
	if before != nil {
		before(d)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	for _, n := range []*node{d.a, d.b} {
		running.Go(func() {
			if err := n.run(ctx); err != nil {
				t.Errorf("%s: %v", n.office.Agency.Code, err)
			}
		})
	}
	t.Cleanup(func() { stop(); running.Wait() })
	return d
}

// submit has A send a finished PDF to B.
func submit(t *testing.T, d *demo, seq int, file []byte) exchange.Delivery {
	t.Helper()
	doc, err := d.a.outbox.Create(t.Context(), d.a.clerk, finished(seq, bytes.NewReader(file), ""))
	if err != nil {
		t.Fatal(err)
	}
	delivery, err := d.story.Send(t.Context(), doc.ID)
	if err != nil {
		t.Fatal(err)
	}
	return delivery
}

// statement is an envelope over payload that A signed and has not sent.
func statement(t *testing.T, d *demo, payload []byte, change func(*jws.Manifest)) exchange.Envelope {
	t.Helper()
	now := time.Now()
	blob := exchange.Blob{Digest: exchange.DigestOf(payload), Size: int64(len(payload))}
	m := jws.Manifest{
		Version: jws.Version, TransferID: string(exchange.NewTransferID(now)), Sender: string(d.a.office.Agency.Code),
		Recipient: string(d.b.office.Agency.Code), Kind: jws.KindDocument, DocumentID: "H98.21,2026/11/23," + string(blob.Digest[:8]),
		Parts:     []jws.Part{{Name: "vanban.edxml", MediaType: "application/xml", Size: blob.Size, SHA256: string(blob.Digest)}},
		CreatedAt: now, ExpiresAt: now.AddDate(0, 0, 1),
	}
	if change != nil {
		change(&m)
	}
	signed, err := jws.SignManifest(nil, d.a.identity.Key, m)
	if err != nil {
		t.Fatal(err)
	}
	return exchange.Envelope{
		TransferID: exchange.TransferID(m.TransferID), From: d.a.office.Agency.Code, To: exchange.AgencyCode(m.Recipient), Manifest: signed,
		Payload: exchange.Blob{Digest: exchange.Digest(m.Parts[0].SHA256), Size: m.Parts[0].Size},
		Open:    func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil },
	}
}

// handshake is one that a node's server finished, or refused.
type handshake struct {
	at, peer exchange.AgencyCode
	pin      [32]byte
	err      error
}

// handshakes records how others came in: every handshake, and whose transfers
// reached the inbox.
type handshakes struct {
	mu       sync.Mutex
	made     []handshake
	arrivals map[exchange.AgencyCode]map[exchange.AgencyCode]int // at whom, from whom
}

func record(nodes ...*node) *handshakes {
	h := &handshakes{arrivals: map[exchange.AgencyCode]map[exchange.AgencyCode]int{}}
	for _, n := range nodes {
		at := n.office.Agency.Code
		h.arrivals[at] = map[exchange.AgencyCode]int{}
		n.server.OnHandshake = func(peer exchange.AgencyCode, pin [32]byte, err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.made = append(h.made, handshake{at, peer, pin, err})
		}
		n.server.Receiver = countedReceiver{n.server.Receiver, func(peer exchange.AgencyCode) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.arrivals[at][peer]++
		}}
	}
	return h
}

type countedReceiver struct {
	peer.Receiver
	count func(exchange.AgencyCode)
}

func (r countedReceiver) Receive(ctx context.Context, in exchange.Incoming) (exchange.Receipt, error) {
	r.count(in.Peer)
	return r.Receiver.Receive(ctx, in)
}

// of returns the handshakes of the certificate pin at a node.
func (h *handshakes) of(at exchange.AgencyCode, pin [32]byte) (out []handshake) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.made {
		if m.at == at && m.pin == pin {
			out = append(out, m)
		}
	}
	return out
}

// switched is a transport whose client can be changed.
type switched struct{ atomic.Pointer[peer.Client] }

func (s *switched) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	return s.Load().Deliver(ctx, to, e)
}

func (s *switched) Close(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	return s.Load().Close(ctx, to, e)
}

func newStranger(t *testing.T, code exchange.AgencyCode) peer.Identity {
	t.Helper()
	id, err := peer.NewIdentity(nil, code, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAgenciesMeetOnlyThroughMutualTLS(t *testing.T) {
	t.Parallel()
	var line switched
	var seen *handshakes
	stranger := newStranger(t, "H98.21")
	d := newOffices(t, func(d *demo) {
		seen = record(d.a, d.b)
		line.Store(&peer.Client{Identity: stranger, Now: time.Now})
		d.a.wire.Transport = &line
	})
	a, b := d.a.office.Agency, d.b.office.Agency
	if a.TLS[0] == b.TLS[0] || d.a.db == d.b.db {
		t.Fatal("the agencies share a key or a database")
	}

	// Without A's key nothing passes, whatever else the process shares.
	delivery := submit(t, d, 1, samplePDF(t))
	err := waitFor(t.Context(), 30*time.Second, "the lane to stop", func(ctx context.Context) (bool, error) {
		lane, err := d.a.outbox.Lane(ctx, d.a.clerk, b.Code)
		return lane.Halted, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := everything(t.Context(), d.b); err != nil || len(all.items) > 0 {
		t.Fatalf("B holds %d items that came over no trusted connection: %v", len(all.items), err)
	}
	refused := seen.of(b.Code, stranger.Fingerprint())
	if len(refused) == 0 || !errors.Is(refused[0].err, peer.ErrUnknownPeer) || refused[0].peer != "" {
		t.Errorf("handshakes of the stranger at B: %v", refused)
	}

	// With it the document goes one way and the statuses the other.
	line.Store(d.a.client)
	if err := d.a.outbox.Resume(t.Context(), d.a.clerk, delivery.ID); err != nil {
		t.Fatal(err)
	}
	item, err := d.story.arrived(t.Context(), delivery)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.b.inbox.Accept(t.Context(), d.b.clerk, exchange.Decision{Item: item.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.story.told(t.Context(), delivery, exchange.StatusAccepted); err != nil {
		t.Fatal(err)
	}
	for _, way := range []struct{ at, from exchange.Agency }{{b, a}, {a, b}} {
		made := seen.of(way.at.Code, way.from.TLS[0])
		if len(made) == 0 {
			t.Errorf("%s came to %s without a handshake", way.from.Code, way.at.Code)
		}
		for _, m := range made {
			if m.peer != way.from.Code || m.err != nil {
				t.Errorf("handshake at %s: %v", way.at.Code, m)
			}
		}
		t.Logf("%s → %s: %d handshakes of %x…, %d transfers", way.from.Code, way.at.Code, len(made), way.from.TLS[0][:4], seen.arrivals[way.at.Code][way.from.Code])
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if from := seen.arrivals[b.Code]; len(from) != 1 || from[a.Code] != 1 {
		t.Errorf("transfers at B: %v", from)
	}
	if from := seen.arrivals[a.Code]; len(from) != 1 || from[b.Code] != 2 {
		t.Errorf("transfers at A: %v", from)
	}
	for _, m := range seen.made {
		if m.pin != a.TLS[0] && m.pin != b.TLS[0] && m.pin != stranger.Fingerprint() {
			t.Errorf("a handshake of someone else: %v", m)
		}
	}
	if report := item.Attachments[0].Report.Digest; d.b.db.Verify(t.Context(), report) != nil || d.a.db.Verify(t.Context(), report) == nil {
		t.Error("the agencies share their blobs")
	}
}

func TestRecordedRequestUnderAnotherCertificateIsRefused(t *testing.T) {
	t.Parallel()
	third, unknown := newStranger(t, "H98.77"), newStranger(t, "H98.21")
	var seen *handshakes
	d := newOffices(t, func(d *demo) {
		seen = record(d.b)
		directory := exchange.AgencyList{d.a.office.Agency, d.b.office.Agency, {Code: "H98.77", Name: "UBND xã Thứ Ba", TLS: [][32]byte{third.Fingerprint()},
			Keys: []exchange.GatewayKey{{Public: third.Key.Public(), NotBefore: time.Now().Add(-time.Hour)}}}}
		d.b.server.Directory, d.b.inbox.Directory = directory, directory
	})
	b := d.b.office.Agency
	delivery := submit(t, d, 1, samplePDF(t))
	delivered, err := d.story.delivered(t.Context(), delivery)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.story.told(t.Context(), delivery, exchange.StatusArrived); err != nil {
		t.Fatal(err) // B rests from here on
	}
	great := make([]byte, 3<<20)
	_, _ = rand.Read(great)
	requests := map[string]exchange.Envelope{
		"one that B has taken":          envelopeOf(d.a, delivered.Delivery),
		"one that B has not seen":       statement(t, d, []byte("<edXML>chưa gửi</edXML>"), nil),
		"one in parts, not seen by B":   statement(t, d, great, nil),
		"one for someone else":          statement(t, d, []byte("<edXML>cho người khác</edXML>"), func(m *jws.Manifest) { m.Recipient = "H98.77" }),
		"one in the name of its bearer": statement(t, d, []byte("<edXML>mạo danh</edXML>"), func(m *jws.Manifest) { m.Sender = "H98.77" }),
	}
	print := func() string {
		all, err := everything(t.Context(), d.b)
		if err != nil {
			t.Fatal(err)
		}
		_, head, err := d.b.evidence.Verify(t.Context(), b.Code)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(head, len(all.items), len(all.transfers))
	}
	before := print()
	for name, e := range requests {
		t.Run(name, func(t *testing.T) {
			_, err := (&peer.Client{Identity: third, Now: time.Now}).Deliver(t.Context(), b, e)
			var de *exchange.DeliveryError
			if !errors.As(err, &de) || de.Class != exchange.ClassTrust || text.CodeOf(err) != text.NotAllowed || !strings.Contains(err.Error(), "403") {
				t.Errorf("under the certificate of another agency: %v", err)
			}
			_, err = (&peer.Client{Identity: unknown, Now: time.Now}).Deliver(t.Context(), b, e)
			if !errors.As(err, &de) || de.Class != exchange.ClassTrust || text.CodeOf(err) != text.PeerUnavailable {
				t.Errorf("under an unknown certificate: %v", err)
			}
			if status, err := withoutCertificate(t, b, e); err == nil {
				t.Errorf("without a certificate: answered %d", status)
			}
			if now := print(); now != before {
				t.Error("something was stored")
			}
			if _, err := d.b.db.Open(t.Context(), e.Payload.Digest); name != "one that B has taken" && text.CodeOf(err) != text.NotFound {
				t.Errorf("the bytes are at B: %v", err)
			}
		})
	}
	if m := seen.of(b.Code, third.Fingerprint()); len(m) == 0 || m[0].peer != "H98.77" || m[0].err != nil {
		t.Errorf("B did not recognise the other agency: %v", m)
	}
	if m := seen.of(b.Code, unknown.Fingerprint()); len(m) < len(requests) || !errors.Is(m[0].err, peer.ErrUnknownPeer) {
		t.Errorf("B shook the hand of someone unknown: %v", m)
	}
	// It was the certificate: from A itself the same requests are taken.
	for _, name := range []string{"one that B has not seen", "one in parts, not seen by B"} {
		if _, err := d.a.client.Deliver(t.Context(), b, requests[name]); err != nil {
			t.Errorf("%s, from A itself: %v", name, err)
		}
	}
}

// withoutCertificate posts a recorded request as anyone on the network could.
func withoutCertificate(t *testing.T, to exchange.Agency, e exchange.Envelope) (status int, err error) {
	t.Helper()
	body, err := e.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to.Endpoint+"/x/v1/transfers/"+string(e.TransferID),
		io.MultiReader(bytes.NewReader(e.Manifest), strings.NewReader("\n"), body))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}}}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return res.StatusCode, nil
}
