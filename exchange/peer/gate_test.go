package peer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/jws"
	"antin/exchange/peer"
	"antin/store"
)

// gate is one agency's real gateway: store, inbox, outbox and both ends of the wire.
type gate struct {
	party   exchangetest.Party
	id      peer.Identity
	dir     string
	now     func() time.Time
	peers   exchange.AgencyList // the directory
	db      *store.DB
	inbox   *exchange.Inbox
	outbox  *exchange.Outbox
	ledger  *exchange.Ledger
	offices exchange.OfficeList
	client  *peer.Client
	clerk   exchange.Actor
	stop    func()
	ln      net.Listener
}

// gates returns two gateways that know one another; the second fetches when pull is set.
func gates(t *testing.T, pull bool) (a, b *gate) {
	t.Helper()
	var ahead atomic.Int64
	now := func() time.Time { return exchangetest.Clock().Add(time.Duration(ahead.Load())) }
	a, b = newGateFor(t, "H26.18.5", now), newGateFor(t, "000.00.00.G22", now)
	if pull {
		b.party.Agency.Endpoint, b.party.Agency.Pull = "", true
	}
	directory := exchange.AgencyList{a.party.Agency, b.party.Agency}
	for _, g := range []*gate{a, b} {
		g.peers = directory
		g.start(t)
	}
	return a, b
}

func newGateFor(t *testing.T, code exchange.AgencyCode, now func() time.Time) *gate {
	t.Helper()
	g := &gate{party: exchangetest.NewParty(code), id: identity(t, code), dir: t.TempDir(), now: now}
	g.party.Agency.TLS = [][32]byte{g.id.Fingerprint()}
	var err error
	if g.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	g.party.Agency.Endpoint = "https://" + g.ln.Addr().String()
	g.clerk = exchange.Actor{ID: "vt", Name: "Văn thư", Role: exchange.RoleClerk, Agency: code}
	t.Cleanup(func() {
		if g.stop != nil {
			g.stop()
		}
	})
	return g
}

// start opens the store and serves; after stop it may be called again.
func (g *gate) start(t *testing.T) {
	t.Helper()
	var err error
	if g.ln == nil {
		if g.ln, err = net.Listen("tcp", g.party.Agency.Endpoint[len("https://"):]); err != nil && g.party.Agency.Endpoint != "" {
			t.Fatal(err)
		}
	}
	if g.db, err = store.Open(t.Context(), store.Options{Dir: g.dir, Now: g.now}); err != nil {
		t.Fatal(err)
	}
	g.offices = exchange.OfficeList{{Agency: g.party.Agency, GatewayKey: g.party.Key}}
	g.client = &peer.Client{Identity: g.id, Now: g.now}
	g.outbox = &exchange.Outbox{Store: g.db, Blobs: g.db, Directory: g.peers, Offices: g.offices, Transport: g.client, Now: g.now}
	g.inbox = &exchange.Inbox{Store: g.db, Blobs: g.db, Directory: g.peers, Offices: g.offices, Outbox: g.outbox, Now: g.now}
	g.ledger = &exchange.Ledger{Store: g.db, Offices: g.offices}
	s := &peer.Server{Receiver: g.inbox, Known: g.inbox.Known, Directory: g.peers, Identity: g.id, Now: g.now, Offices: g.offices, Ledger: g.ledger,
		Held: &exchange.Held{Outbox: g.outbox}, Statements: &exchange.Statements{Store: g.db, Directory: g.peers, Offices: g.offices, Now: g.now}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	ln := g.ln
	go func() { done <- s.Serve(ctx, ln) }()
	g.stop = sync.OnceFunc(func() {
		g.client.CloseIdle()
		cancel()
		if err := errors.Join(<-done, g.db.Close()); err != nil {
			t.Error(err)
		}
		g.ln = nil
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send hands payload to the outbox.
func (g *gate) send(t *testing.T, to *gate, payload []byte) exchange.Delivery {
	t.Helper()
	d, err := g.outbox.SendReady(t.Context(), g.clerk, exchange.ReadyMessage{To: to.party.Agency.Code, Message: bytes.NewReader(payload)})
	must(t, err)
	return g.delivery(t, d.ID)
}

func (g *gate) delivery(t *testing.T, id exchange.ID) (d exchange.Delivery) {
	t.Helper()
	must(t, g.db.View(t.Context(), func(tx exchange.Tx) (err error) {
		d, err = tx.Delivery(t.Context(), id)
		return err
	}))
	return d
}

func (g *gate) drain(t *testing.T, to *gate) {
	t.Helper()
	must(t, g.outbox.Drain(t.Context(), exchange.Lane{From: g.party.Agency.Code, To: to.party.Agency.Code}))
}

// envelope is d as the worker would send it.
func (g *gate) envelope(d exchange.Delivery) exchange.Envelope {
	return exchange.Envelope{TransferID: d.TransferID, From: d.Agency, To: d.To, Manifest: d.Manifest, Payload: d.Payload,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return g.db.Open(ctx, d.Payload.Digest) }}
}

func (g *gate) items(t *testing.T) (items []exchange.InboxItem) {
	t.Helper()
	must(t, g.db.View(t.Context(), func(tx exchange.Tx) (err error) {
		items, err = tx.InboxItems(t.Context(), g.party.Agency.Code, exchange.InboxFilter{})
		return err
	}))
	return items
}

func (g *gate) kinds(t *testing.T) (kinds []exchange.EventKind) {
	t.Helper()
	must(t, g.db.View(t.Context(), func(tx exchange.Tx) error {
		events, err := tx.EventsAfter(t.Context(), g.party.Agency.Code, 0, 1000)
		for _, e := range events {
			kinds = append(kinds, e.Kind)
		}
		return err
	}))
	return kinds
}

// cutting is a payload that breaks off behind so many bytes, and counts what was read
// for the wire.
type cutting struct {
	exchange.BlobReader
	left *atomic.Int64
}

func (c cutting) ReadAt(b []byte, at int64) (int, error) {
	if c.left.Add(-int64(len(b))) < 0 {
		return 0, errors.New("cable pulled")
	}
	return c.BlobReader.ReadAt(b, at)
}

func (c cutting) Read(b []byte) (int, error) {
	if c.left.Add(-int64(len(b))) < 0 {
		return 0, errors.New("cable pulled")
	}
	return c.BlobReader.Read(b)
}

func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func peek(t *testing.T, d exchange.Delivery) (jws.Manifest, jws.Digest) {
	t.Helper()
	m, id, err := jws.PeekManifest(d.Manifest)
	must(t, err)
	return m, id
}
