package peer_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/jws"
	"antin/exchange/peer"
	"antin/internal/text"
)

// The threats to the wire, each under its name. Those that are proven elsewhere:
// TestThreatFloodOfOpenTransfers, TestThreatBombsAndPathTricksInCarriedFiles, and
// TestThreatAlgorithmConfusion.

// TestThreatSpoofedSender: whoever owns a connection speaks for nobody else, on no
// route, and leaves no trace but the alarm-free refusal.
func TestThreatSpoofedSender(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	third := newGateFor(t, "H15.50", a.now)
	d := a.send(t, b, []byte("x"))
	as := func(m jws.Manifest, key exchangetest.Party) []byte {
		signed, err := jws.SignManifest(rand.Reader, key.Key, m)
		must(t, err)
		return signed
	}
	m, _ := peek(t, d)
	for name, in := range map[string]exchange.Incoming{
		"another's manifest":          {Peer: "H15.50", Manifest: d.Manifest},
		"own name, foreign signature": {Peer: a.party.Agency.Code, Manifest: as(m, third.party)},
	} {
		in.Payload = strings.NewReader("x")
		if _, err := b.inbox.Receive(t.Context(), in); text.CodeOf(err) != text.NotAllowed {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := b.inbox.OpenUpload(t.Context(), in); text.CodeOf(err) != text.NotAllowed {
			t.Errorf("%s, in pieces: %v", name, err)
		}
		if _, err := b.inbox.CloseTransfer(t.Context(), in.Peer, in.Manifest); text.CodeOf(err) != text.NotAllowed {
			t.Errorf("%s, closing: %v", name, err)
		}
	}
	if len(b.items(t)) != 0 || len(b.kinds(t)) != 0 {
		t.Errorf("something was written before the sender was proven: %v", b.kinds(t))
	}
}

// TestThreatRetarget: what was made for another is not for us, with no receipt.
func TestThreatRetarget(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, []byte("x"))
	m, _ := peek(t, d)
	m.Recipient = "H15.50"
	signed, err := jws.SignManifest(rand.Reader, a.party.Key, m)
	must(t, err)
	r, err := b.inbox.Receive(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: signed, Payload: strings.NewReader("x")})
	if text.CodeOf(err) != text.NotForUs || r.JWS != nil || len(b.kinds(t)) != 0 {
		t.Errorf("%v %s", err, r.JWS)
	}
}

// TestThreatReplay: recorded and sent again, by every way in, a transfer has one effect
// and its one receipt; with other content it raises an alarm.
func TestThreatReplay(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, []byte("x"))
	first, err := b.inbox.Receive(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest, Payload: strings.NewReader("x")})
	must(t, err)
	opened, _, err := b.inbox.OpenUpload(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest})
	must(t, err)
	closed, err := b.inbox.CloseTransfer(t.Context(), d.Agency, d.Manifest)
	must(t, err)
	batch := a.client.DeliverBatch(t.Context(), b.party.Agency, []exchange.Envelope{a.envelope(d), a.envelope(d)})
	for _, again := range [][]byte{opened.JWS, closed.JWS, batch[0].Receipt, batch[1].Receipt} {
		if !bytes.Equal(again, first.JWS) {
			t.Errorf("another answer to a replay: %s", again)
		}
	}
	if len(b.items(t)) != 1 {
		t.Errorf("%d items", len(b.items(t)))
	}
}

// TestThreatOversize: refused by what is stated, before a byte of it is read.
func TestThreatOversize(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, noise(1000))
	b.inbox.MaxPayload = 999
	r, _, err := b.inbox.OpenUpload(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest})
	must(t, err)
	if r.Kind != exchange.ReceiptRejected {
		t.Errorf("not refused, and signed: %s", r.Kind)
	}
	w := start(t, peer.Limits{})
	c := w.raw(t, &w.ida)
	for path, size := range map[string]int{"POST /x/v1/signals": 16 << 20, "POST /x/v1/transfers/" + string(d.TransferID): 2 << 20} {
		method, at, _ := strings.Cut(path, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, w.b.Agency.Endpoint+at, bytes.NewReader(make([]byte, size)))
		must(t, err)
		if res, err := c.Do(req); err == nil { // the connection may also be cut while we still write
			_ = res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s of %d bytes: %d", path, size, res.StatusCode)
			}
		}
	}
}

// dialRaw is a TLS connection of A's to the world's gateway.
func dialRaw(t *testing.T, w *world, protocols ...string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(w.b.Agency.Endpoint, "https://"), &tls.Config{InsecureSkipVerify: true, NextProtos: protocols,
		Certificates: []tls.Certificate{{Certificate: [][]byte{w.ida.Certificate}, PrivateKey: w.ida.Key}}})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

// TestThreatSmuggling: a request whose length can be read in two ways is refused, and
// what follows it on the connection is not taken for another request.
func TestThreatSmuggling(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	for name, header := range map[string]string{
		"two lengths":            "Content-Length: 5\r\nContent-Length: 6\r\n",
		"odd transfer coding":    "Transfer-Encoding: xchunked\r\n",
		"two transfer codings":   "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"negative length":        "Content-Length: -1\r\n",
		"plus before the length": "Content-Length: +5\r\n",
		"space before the colon": "Content-Length : 5\r\n",
	} {
		conn := dialRaw(t, w)
		_, err := fmt.Fprintf(conn, "POST /x/v1/signals HTTP/1.1\r\nHost: x\r\n%s\r\n0\r\n\r\nGET /x/v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n", header)
		must(t, err)
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			continue // cut off at once
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode < 400 || res.StatusCode > 501 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		if second, err := http.ReadResponse(in, nil); err == nil {
			_ = second.Body.Close()
			if second.StatusCode == http.StatusNotFound {
				t.Errorf("%s: the smuggled request was answered", name)
			}
		}
	}
}

// TestThreatResetStorm: streams opened and reset at once, as fast as they can be
// written, neither stop the gateway nor its answers to others.
func TestThreatResetStorm(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	conn := dialRaw(t, w, "h2")
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	storm := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	storm = append(storm, frame(4, 0, 0, nil)...)
	// :method GET, :scheme https, :path /, :authority x (HPACK static and literal)
	block := []byte{0x82, 0x87, 0x84, 0x01, 0x01, 'x'}
	for stream := uint32(1); stream < 10_000; stream += 2 {
		storm = append(storm, frame(1, 0x5, stream, block)...)
		storm = append(storm, frame(3, 0, stream, []byte{0, 0, 0, 8})...)
	}
	_, _ = conn.Write(storm) // cut off half-way is as good
	if _, err := w.client.Deliver(t.Context(), w.b.Agency, w.envelope(t, []byte("x"))); err != nil {
		t.Errorf("another connection meanwhile: %v", err)
	}
}

// frame is one HTTP/2 frame (RFC 9113, 4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	b = binary.BigEndian.AppendUint32(b, stream)
	return append(b, payload...)
}

// TestThreatSlowLoris: a batch that drips is cut off.
func TestThreatSlowLoris(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{Stall: 50 * time.Millisecond})
	conn := dialRaw(t, w)
	_, err := io.WriteString(conn, "POST /x/v1/signals HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
	must(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%d", res.StatusCode)
	}
}

// TestThreatPathTricksInNames: a part's name is the sender's word; none of it reaches a
// path, and control characters are refused.
func TestThreatPathTricksInNames(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, []byte("x"))
	m, _ := peek(t, d)
	for name, ok := range map[string]bool{"../../../etc/passwd": true, `..\..\x`: true, "a\x00b": false, "a\nb": false, strings.Repeat("x", 300): false} {
		m.TransferID, m.Parts[0].Name = string(exchange.NewTransferID(a.now())), name
		signed, err := jws.SignManifest(rand.Reader, a.party.Key, m)
		if !ok {
			if err == nil {
				t.Errorf("%q was signed", name)
			}
			continue
		}
		must(t, err)
		r, err := b.inbox.Receive(t.Context(), exchange.Incoming{Peer: d.Agency, Manifest: signed, Payload: strings.NewReader("x")})
		if err != nil || r.Kind != exchange.ReceiptAccepted {
			t.Errorf("%q: %v", name, err)
		}
	}
	must(t, b.db.Verify(t.Context(), d.Payload.Digest)) // kept under its digest alone
}

// TestThreatBombInAManifest: deep and wide JSON is refused within its 64 KiB.
func TestThreatBombInAManifest(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	for name, payload := range map[string]string{
		"deep":  strings.Repeat(`{"parts":[`, 4000),
		"wide":  `{"parts":[` + strings.Repeat(`{},`, 10_000) + `{}]}`,
		"large": `{"number":"` + strings.Repeat("9", 60_000) + `"}`,
	} {
		signed, err := jws.Sign(rand.Reader, a.party.Key, jws.TypeManifest, []byte(payload))
		if err != nil {
			continue // past the size of a statement
		}
		_, err = b.inbox.Receive(t.Context(), exchange.Incoming{Peer: a.party.Agency.Code, Manifest: signed, Payload: strings.NewReader("")})
		if text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}
