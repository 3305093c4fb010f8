package exchangetest_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/jws"
)

// cuttable is a wire that can be cut.
type cuttable struct {
	exchange.Transport
	mu  sync.Mutex
	cut bool
}

func (c *cuttable) Deliver(ctx context.Context, to exchange.Agency, e exchange.Envelope) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut || ctx.Err() != nil {
		return nil, &exchange.DeliveryError{Class: exchange.ClassPeerDown}
	}
	return c.Transport.Deliver(ctx, to, e)
}

func way() (exchangetest.Way, *cuttable) {
	a, b := exchangetest.NewParty("H26.18.5"), exchangetest.NewParty("000.00.00.G22")
	g := exchangetest.NewGateway(b, a.Agency)
	wire := &cuttable{Transport: exchangetest.Direct{Receiver: g}}
	cut := func() {
		wire.mu.Lock()
		defer wire.mu.Unlock()
		wire.cut = true
	}
	return exchangetest.Way{Transport: wire, From: a, To: b.Agency, Gateway: g, Cut: cut}, wire
}

func TestDirectPassesTheSuite(t *testing.T) {
	t.Parallel()
	exchangetest.TestTransport(t, func(*testing.T) exchangetest.Way {
		w, _ := way()
		return w
	})
}

func TestFaultsDoWhatTheySay(t *testing.T) {
	t.Parallel()
	for fault, want := range map[exchangetest.Fault]struct {
		effects int
		honest  bool // the answer is the peer's true receipt
		class   exchange.DeliveryClass
	}{
		exchangetest.Fine:           {1, true, ""},
		exchangetest.Twice:          {1, true, ""},
		exchangetest.LoseRequest:    {0, false, exchange.ClassPeerDown},
		exchangetest.LoseAnswer:     {1, false, exchange.ClassPeerDown},
		exchangetest.SpoilByte:      {0, false, exchange.ClassTransfer},
		exchangetest.CutShort:       {0, false, exchange.ClassTransfer},
		exchangetest.Refuse:         {0, false, exchange.ClassPermanent},
		exchangetest.Distrust:       {0, false, exchange.ClassTrust},
		exchangetest.OtherTransfer:  {1, false, ""},
		exchangetest.OtherDigest:    {1, false, ""},
		exchangetest.OtherKey:       {1, false, ""},
		exchangetest.OtherKind:      {1, false, ""},
		exchangetest.SpoiledReceipt: {1, false, ""},
		exchangetest.Nonsense:       {1, false, ""},
	} {
		w, _ := way()
		s := exchangetest.NewScripted(w.Transport, w.Gateway.Self, fault)
		e, err := exchangetest.NewEnvelope(w.From, w.To.Code, []byte("nội dung"))
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := s.Deliver(t.Context(), w.To, e)
		var de *exchange.DeliveryError
		if errors.As(err, &de) != (want.class != "") || de != nil && de.Class != want.class {
			t.Errorf("%s: %v", fault, err)
		}
		if n := len(w.Gateway.Effects()); n != want.effects {
			t.Errorf("%s: %d effects", fault, n)
		}
		if got := honest(t, w, e, receipt); got != want.honest {
			t.Errorf("%s: honest receipt is %v", fault, got)
		}
		// Afterwards the way is clear, and the effect still one.
		if receipt, err = s.Deliver(t.Context(), w.To, e); err != nil || !honest(t, w, e, receipt) || len(w.Gateway.Effects()) != 1 {
			t.Errorf("%s: second attempt: %v", fault, err)
		}
	}
}

func honest(t *testing.T, w exchangetest.Way, e exchange.Envelope, receipt []byte) bool {
	t.Helper()
	keys, err := jws.NewKeys(w.Gateway.Self.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	m, id, err := jws.PeekManifest(e.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := jws.VerifyReceipt(receipt, keys)
	return err == nil && r.Answers(m, id) && r.Outcome == jws.Received
}

func TestReorderedTurnsDeliveriesAround(t *testing.T) {
	t.Parallel()
	w, _ := way()
	r := exchangetest.NewReordered(w.Transport, 3)
	var wg sync.WaitGroup
	for _, payload := range []string{"1", "2", "3"} {
		e, err := exchangetest.NewEnvelope(w.From, w.To.Code, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := r.Deliver(t.Context(), w.To, e); err != nil {
				t.Error(err)
			}
		})
		for r.Waiting() < int(payload[0]-'0') {
			runtime.Gosched() // until the delivery is held back
		}
	}
	wg.Wait()
	got := bytes.Join(w.Gateway.Effects(), nil)
	if !slices.Equal(got, []byte("321")) {
		t.Errorf("arrived as %q", got)
	}
}

func TestLateAnswersAfterRelease(t *testing.T) {
	t.Parallel()
	w, _ := way()
	s := exchangetest.NewScripted(w.Transport, w.Gateway.Self, exchangetest.Late, exchangetest.Late)
	e, err := exchangetest.NewEnvelope(w.From, w.To.Code, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Deliver(ctx, w.To, e); !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v", err)
	}
	s.Release()
	receipt, err := s.Deliver(t.Context(), w.To, e)
	if err != nil || !honest(t, w, e, receipt) || s.Attempts() != 2 {
		t.Errorf("%v after %d attempts", err, s.Attempts())
	}
}
