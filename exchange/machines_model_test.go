package exchange_test

import (
	"testing"

	"pgregory.net/rapid"

	"antin/exchange"
)

// TestNoCourseOfSignalsUndoesAReceipt walks the machine along any signals: a receipt
// once taken stands, and nothing but a receipt ends a delivery that was on its way.
func TestNoCourseOfSignalsUndoesAReceipt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state, proof := exchange.DeliveryReady, exchange.DeliverySignal("")
		for _, signal := range rapid.SliceOfN(rapid.SampledFrom(exchange.DeliverySignals()), 1, 40).Draw(t, "signals") {
			next, ok := state.Next(signal)
			if !ok {
				continue // contradictions change nothing
			}
			receipt := signal == exchange.SignalAccepted || signal == exchange.SignalRejected || signal == exchange.SignalClosed
			if next.Final() && !state.Final() && !receipt {
				t.Fatalf("%s ends %s as %s", signal, state, next)
			}
			if proof == exchange.SignalAccepted && next != state {
				t.Fatalf("delivered, then %s made it %s", signal, next)
			}
			if proof == exchange.SignalRejected && next != exchange.DeliveryRefused {
				t.Fatalf("refused, then %s made it %s", signal, next)
			}
			if receipt {
				proof = signal
			}
			state = next
		}
	})
}
