package exchange

import "context"

// The bounds of a batch: small transfers that go in one request.
const (
	MaxBatch        = 100     // transfers
	MaxBatchPayload = 1 << 20 // bytes of one payload, as in a request of its own
	MaxBatchBytes   = 8 << 20 // bytes of all payloads together
)

// BatchAnswer is what became of one transfer of a batch: Deliver's outcome.
type BatchAnswer struct {
	Receipt []byte
	Err     error // a *DeliveryError
}

// BatchTransport is a Transport that can carry several small envelopes at once.
type BatchTransport interface {
	Transport
	// DeliverBatch is Deliver for each of es, within the bounds above, in one request
	// where the peer takes that. The answers are as many and in the order of es.
	DeliverBatch(ctx context.Context, to Agency, es []Envelope) []BatchAnswer
}

// StatementTransport is a Transport that can also tell a peer a signed statement.
type StatementTransport interface {
	// State hands over a non-delivery, its correction or a skip in a lane. A nil
	// error means that the peer has it; repeats change nothing. Errors are as for
	// Deliver.
	State(ctx context.Context, to Agency, statement []byte) error
}
