package exchange

import (
	"context"
	"time"

	"antin/internal/text"
)

// PrefixOperation and PrefixVerification are prefixes of IDs.
const (
	PrefixOperation    = "op_"
	PrefixVerification = "kt_" // kết quả kiểm tra
)

// OperationState is how far an operation has come.
type OperationState string

// The states of an operation.
const (
	OperationAwaitingSignature OperationState = "awaiting_signature" // a lãnh đạo is to sign
	OperationAwaitingSeal      OperationState = "awaiting_seal"      // a văn thư is to seal
	OperationRunning           OperationState = "running"
	OperationDone              OperationState = "done"
	OperationFailed            OperationState = "failed"
)

// OperationKind is what an operation is to bring about.
type OperationKind string

// The kinds of operation.
const (
	OperationSign OperationKind = "sign"
	OperationSeal OperationKind = "seal"
	OperationSend OperationKind = "send"
)

// Operation is something that was asked for and takes its time: a signature or a
// seal that a person gives, a document on its way. What is stored is the question;
// State, UpdatedAt and Error are derived from its subject whenever it is read.
type Operation struct {
	ID        ID             `json:"id"`
	Agency    AgencyCode     `json:"agency"`
	Kind      OperationKind  `json:"kind"`
	Subject   ID             `json:"subject"` // a document or a result
	By        Actor          `json:"by"`
	State     OperationState `json:"state"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
	Error     Note           `json:"error,omitzero"`
}

// Operations tells what became of operations. Its fields are set once, before
// use; its methods are safe for concurrent use.
type Operations struct {
	Store Store
}

// Operation returns an operation of the actor's agency as it stands now; not-found
// otherwise.
func (o *Operations) Operation(ctx context.Context, actor Actor, id ID) (op Operation, err error) {
	err = o.Store.View(ctx, func(tx Tx) error {
		if op, err = tx.Operation(ctx, id); err != nil {
			return err
		}
		if err := ownedBy(op.Agency, actor); err != nil {
			return err
		}
		return op.derive(ctx, tx)
	})
	return op, err
}

// derive fills in what the subject says.
func (op *Operation) derive(ctx context.Context, tx Tx) error {
	op.State, op.UpdatedAt = OperationRunning, op.CreatedAt
	if op.Subject.Has(PrefixResult) {
		r, err := tx.Result(ctx, op.Subject)
		op.fromIssuance(r.Issuance)
		return err
	}
	d, err := tx.Document(ctx, op.Subject)
	if text.CodeOf(err) == text.NotFound { // asked for, sent back, thrown away
		op.State, op.Error = OperationFailed, NoteOf(err)
		return nil
	}
	if err != nil || op.Kind != OperationSend {
		op.fromIssuance(d.Issuance)
		return err
	}
	deliveries, err := tx.DeliveriesOf(ctx, op.Subject)
	if err != nil {
		return err
	}
	op.State = OperationDone
	for _, x := range deliveries {
		if !x.State.Final() {
			op.State = OperationRunning
		}
		op.touch(x.EndedAt)
	}
	return nil
}

// fromIssuance derives the state of a signature or seal asked for.
func (op *Operation) fromIssuance(i Issuance) {
	done, waiting := i.Signing, OperationAwaitingSignature
	if op.Kind == OperationSeal {
		done = i.Issued
		if i.Signing.Done() {
			waiting = OperationAwaitingSeal
		}
	}
	switch {
	case done.Done():
		waiting = OperationDone
	case i.ReturnedAfter(op.CreatedAt):
		waiting = OperationFailed
		op.Error = Note{Code: text.SignatureRequired, Message: text.Get("flow.returned", i.Returned.Reason)}
		op.touch(i.Returned.At)
	}
	op.State = waiting
	op.touch(done.At)
	if i.ReturnedAfter(op.CreatedAt) {
		op.State = OperationFailed
		op.Error = NoteOf(text.Detailed(text.SignatureRequired, nil, "signing.returned", i.Returned.Reason))
		op.touch(i.Returned.At)
	}
}

func (op *Operation) touch(at time.Time) {
	if at.After(op.UpdatedAt) {
		op.UpdatedAt = at
	}
}
