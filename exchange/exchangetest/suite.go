package exchangetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"antin/exchange"
	"antin/exchange/jws"
)

// Way is a transport under test with what stands at both ends of it.
type Way struct {
	Transport exchange.Transport
	From      Party
	To        exchange.Agency
	Gateway   *Gateway
	// Cut makes the peer unreachable.
	Cut func()
}

// TestTransport is the suite that every exchange.Transport passes. open returns a
// way of its own for each test and ends it with the test.
func TestTransport(t *testing.T, open func(t *testing.T) Way) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Way){
		"carries the bytes and brings the receipt":    testCarries,
		"gets the same receipt bytes for a repeat":    testRepeat,
		"spoiled bytes have no effect":                testSpoiled,
		"a payload that cannot be opened is its own":  testUnopenable,
		"a peer that is gone is down, not the letter": testGone,
		"ends with its context":                       testContext,
		"closes what has not come":                    testClose,
		"does not close what has come":                testCloseLate,
		"another content under an id is refused":      testConflict,
		"a transfer for another agency is refused":    testMisdirected,
		"a refusal comes back as a receipt":           testRefusal,
		"many at once, each once":                     testConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func envelope(t *testing.T, w Way, payload []byte) exchange.Envelope {
	t.Helper()
	e, err := NewEnvelope(w.From, w.To.Code, payload)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// verified checks that receipt is the peer's true answer to e and returns its kind.
func verified(t *testing.T, w Way, e exchange.Envelope, receipt []byte) exchange.ReceiptKind {
	t.Helper()
	keys, err := jws.NewKeys(w.Gateway.Self.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	m, id, err := jws.PeekManifest(e.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	kind := exchange.ReceiptAccepted
	r, _, err := jws.VerifyReceipt(receipt, keys)
	if errors.Is(err, jws.ErrType) {
		kind = exchange.ReceiptClosed
		r, _, err = jws.VerifyClosed(receipt, keys)
	}
	if err != nil || !r.Answers(m, id) {
		t.Fatalf("receipt %q: %v", receipt, err)
	}
	if r.Outcome == jws.Refused {
		kind = exchange.ReceiptRejected
	}
	return kind
}

func deliver(t *testing.T, w Way, e exchange.Envelope) []byte {
	t.Helper()
	receipt, err := w.Transport.Deliver(t.Context(), w.To, e)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func wantClass(t *testing.T, err error, want exchange.DeliveryClass) {
	t.Helper()
	var de *exchange.DeliveryError
	if !errors.As(err, &de) || de.Class != want {
		t.Errorf("%v, want class %s", err, want)
	}
}

func testCarries(t *testing.T, w Way) {
	for _, payload := range [][]byte{[]byte("<edXML/>"), bytes.Repeat([]byte("văn bản "), 1<<19), {}} {
		e := envelope(t, w, payload)
		if kind := verified(t, w, e, deliver(t, w, e)); kind != exchange.ReceiptAccepted {
			t.Errorf("%d bytes: %s", len(payload), kind)
		}
		if got := w.Gateway.Effects(); !bytes.Equal(got[len(got)-1], payload) {
			t.Errorf("%d bytes arrived of %d", len(got[len(got)-1]), len(payload))
		}
	}
}

func testRepeat(t *testing.T, w Way) {
	for _, payload := range [][]byte{[]byte("nhỏ"), make([]byte, 3<<20)} {
		e := envelope(t, w, payload)
		first := deliver(t, w, e)
		before := len(w.Gateway.Effects())
		if second := deliver(t, w, e); !bytes.Equal(first, second) {
			t.Error("the repeat got other receipt bytes")
		}
		if n := len(w.Gateway.Effects()); n != before {
			t.Errorf("%d effects after the repeat, %d before", n, before)
		}
	}
}

func testSpoiled(t *testing.T, w Way) {
	for _, payload := range [][]byte{[]byte("nhỏ thôi"), make([]byte, 3<<20)} {
		e := envelope(t, w, payload)
		wire := NewScripted(w.Transport, w.Gateway.Self, SpoilByte)
		_, err := wire.Deliver(t.Context(), w.To, e)
		wantClass(t, err, exchange.ClassTransfer)
		if n := len(w.Gateway.Effects()); n != 0 {
			t.Fatalf("%d effects of spoiled bytes", n)
		}
	}
	e := envelope(t, w, []byte("nhỏ thôi"))
	verified(t, w, e, deliver(t, w, e))
}

func testUnopenable(t *testing.T, w Way) {
	e := envelope(t, w, []byte("x"))
	e.Open = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("disk") }
	_, err := w.Transport.Deliver(t.Context(), w.To, e)
	wantClass(t, err, exchange.ClassTransfer)
}

func testGone(t *testing.T, w Way) {
	w.Cut()
	_, err := w.Transport.Deliver(t.Context(), w.To, envelope(t, w, []byte("x")))
	wantClass(t, err, exchange.ClassPeerDown)
}

func testContext(t *testing.T, w Way) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Transport.Deliver(ctx, w.To, envelope(t, w, []byte("x")))
	wantClass(t, err, exchange.ClassPeerDown)
}

func testClose(t *testing.T, w Way) {
	e := envelope(t, w, []byte("x"))
	closed, err := w.Transport.Close(t.Context(), w.To, e)
	if err != nil || verified(t, w, e, closed) != exchange.ReceiptClosed {
		t.Fatalf("%q, %v", closed, err)
	}
	if late := deliver(t, w, e); !bytes.Equal(late, closed) || len(w.Gateway.Effects()) != 0 {
		t.Error("a closed transfer was taken")
	}
}

func testCloseLate(t *testing.T, w Way) {
	e := envelope(t, w, []byte("x"))
	receipt := deliver(t, w, e)
	closed, err := w.Transport.Close(t.Context(), w.To, e)
	if err != nil || !bytes.Equal(closed, receipt) {
		t.Errorf("%q, %v", closed, err)
	}
}

func testConflict(t *testing.T, w Way) {
	e := envelope(t, w, []byte("x"))
	deliver(t, w, e)
	m, _, err := jws.PeekManifest(e.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	m.Number = "khác"
	if e.Manifest, err = jws.SignManifest(nil, w.From.Key, m); err != nil {
		t.Fatal(err)
	}
	_, err = w.Transport.Deliver(t.Context(), w.To, e)
	wantClass(t, err, exchange.ClassPermanent)
}

func testMisdirected(t *testing.T, w Way) {
	e, err := NewEnvelope(w.From, "H99", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Transport.Deliver(t.Context(), w.To, e)
	wantClass(t, err, exchange.ClassPermanent)
}

func testRefusal(t *testing.T, w Way) {
	w.Gateway.MaxPayload = 10
	for _, size := range []int{11, 3 << 20} {
		e := envelope(t, w, make([]byte, size))
		if kind := verified(t, w, e, deliver(t, w, e)); kind != exchange.ReceiptRejected {
			t.Errorf("%d bytes: %s", size, kind)
		}
	}
}

func testConcurrent(t *testing.T, w Way) {
	e := envelope(t, w, []byte("một lần"))
	receipts := make([][]byte, 16)
	var wg sync.WaitGroup
	for i := range receipts {
		wg.Go(func() {
			var err error
			if receipts[i], err = w.Transport.Deliver(t.Context(), w.To, e); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if slices.ContainsFunc(receipts, func(r []byte) bool { return !bytes.Equal(r, receipts[0]) }) || len(w.Gateway.Effects()) != 1 {
		t.Errorf("%d effects", len(w.Gateway.Effects()))
	}
}
