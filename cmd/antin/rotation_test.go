package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// runningNode is a node at work until it is stopped.
type runningNode struct {
	stop  context.CancelFunc
	ended chan error
}

func runNode(t *testing.T, n *node) runningNode {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := runningNode{stop, make(chan error, 1)}
	go func() { r.ended <- n.run(ctx) }()
	return r
}

func (r runningNode) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

// directoryOf writes A's directory with B's certificates.
func directoryOf(t *testing.T, file, url string, certificates ...[]byte) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "agencies:\n  - code: H98.35\n    name: B\n    url: %s\n    certificates:\n", url)
	for _, der := range certificates {
		writePEM(&b, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	if err := os.WriteFile(file+".new", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func TestATransportKeyChangesOverWithoutLosingAMessage(t *testing.T) {
	t.Parallel()
	bench := newBench(t)
	e := testEnv(io.Discard)
	client, err := fetch.New(fetch.Options{AllowHosts: []string{bench.allow}, Now: e.now})
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{dir: t.TempDir(), pki: bench.services}
	t.Cleanup(d.close)
	if err := d.openNodes(t.Context(), e, "http://"+bench.allow, client); err != nil {
		t.Fatal(err)
	}
	d.story = &story{a: d.a, b: d.b, now: e.now}

	// A knows B from a file that changes while A works.
	file := filepath.Join(t.TempDir(), "directory.yaml")
	address, old := d.b.listener.Addr().String(), d.b.identity
	directoryOf(t, file, "https://"+address, old.Certificate)
	var later atomic.Int64 // lets the directory look again without a wait
	now := func() time.Time { return time.Now().Add(time.Duration(later.Add(int64(2 * directoryEvery)))) }
	directory, err := openDirectory(file, d.a.office.Agency, now, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	d.a.outbox.Directory, d.a.inbox.Directory, d.a.server.Directory = directory, directory, directory
	a, b := runNode(t, d.a), runNode(t, d.b)

	pdf := crashPDF(t, 1)
	arrives := func(delivery exchange.Delivery) {
		t.Helper()
		view, err := d.story.delivered(t.Context(), delivery)
		if err != nil || view.State != exchange.DeliveryDelivered {
			t.Fatalf("%s: %v", view.State, err)
		}
	}
	arrives(submit(t, d, 1, pdf))

	fresh, err := peer.NewIdentity(nil, d.b.office.Agency.Code, e.now().Add(-time.Hour), e.now().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	directoryOf(t, file, "https://"+address, old.Certificate, fresh.Certificate)
	arrives(submit(t, d, 2, pdf)) // both are listed, B still has the old one

	b.end(t)
	waiting := submit(t, d, 3, pdf) // B is away while it changes over
	if err := d.b.core.close(); err != nil {
		t.Fatal(err)
	}
	d.b.identity = fresh
	d.b.office.GatewayKey = fresh.Key
	d.b.office.Agency.TLS = [][32]byte{fresh.Fingerprint()}
	d.b.office.Agency.Keys = append(d.b.office.Agency.Keys, exchange.GatewayKey{Public: fresh.Key.Public(), NotBefore: e.now().Add(-time.Hour)})
	if d.b.listener, err = listen(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if err := d.b.open(t.Context(), e, filepath.Join(d.dir, "b", "data"), exchange.AgencyList{d.a.office.Agency, d.b.office.Agency}, d.pki, client); err != nil {
		t.Fatal(err)
	}
	b = runNode(t, d.b)
	if err := d.a.outbox.Resume(t.Context(), d.a.clerk, waiting.ID); err != nil && text.CodeOf(err) != text.StateConflict {
		t.Fatal(err)
	}
	arrives(waiting)

	directoryOf(t, file, "https://"+address, fresh.Certificate)
	arrives(submit(t, d, 4, pdf)) // the old one is gone

	items, err := d.b.inbox.List(t.Context(), d.b.clerk, exchange.InboxFilter{})
	if err != nil || len(items) != 4 {
		t.Errorf("B has %d of 4: %v", len(items), err)
	}
	a.end(t)
	b.end(t)
}
