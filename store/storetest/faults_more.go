package storetest

import (
	"context"
	"time"

	"antin/exchange"
)

// The points before the writes of registers, signings, operations, people's rows and
// what else is kept beside documents and their deliveries.

func (t faultyTx) DeleteDocument(ctx context.Context, d exchange.Document) error {
	return t.do(func() error { return t.Tx.DeleteDocument(ctx, d) })
}

func (t faultyTx) DeleteResult(ctx context.Context, r exchange.Result) error {
	return t.do(func() error { return t.Tx.DeleteResult(ctx, r) })
}

func (t faultyTx) SaveStart(ctx context.Context, s exchange.Start) error {
	return t.do(func() error { return t.Tx.SaveStart(ctx, s) })
}

func (t faultyTx) EnterNumber(ctx context.Context, e exchange.Entry) (n int, err error) {
	err = t.do(func() error { n, err = t.Tx.EnterNumber(ctx, e); return err })
	return n, err
}

func (t faultyTx) AddVoid(ctx context.Context, v exchange.Void) error {
	return t.do(func() error { return t.Tx.AddVoid(ctx, v) })
}

func (t faultyTx) CreateOperation(ctx context.Context, o exchange.Operation) error {
	return t.do(func() error { return t.Tx.CreateOperation(ctx, o) })
}

func (t faultyTx) CreateVerification(ctx context.Context, v exchange.Verification) error {
	return t.do(func() error { return t.Tx.CreateVerification(ctx, v) })
}

func (t faultyTx) CreateSigning(ctx context.Context, s exchange.Signing) error {
	return t.do(func() error { return t.Tx.CreateSigning(ctx, s) })
}

func (t faultyTx) SaveSigning(ctx context.Context, s exchange.Signing) error {
	return t.do(func() error { return t.Tx.SaveSigning(ctx, s) })
}

func (t faultyTx) DropSignings(ctx context.Context, subject exchange.ID, kind exchange.SigningKind) error {
	return t.do(func() error { return t.Tx.DropSignings(ctx, subject, kind) })
}

func (t faultyTx) SaveReply(ctx context.Context, r exchange.Reply) error {
	return t.do(func() error { return t.Tx.SaveReply(ctx, r) })
}

func (t faultyTx) AddTrouble(ctx context.Context, x exchange.Trouble, keep int) error {
	return t.do(func() error { return t.Tx.AddTrouble(ctx, x, keep) })
}

func (t faultyTx) CreateAccount(ctx context.Context, a exchange.Account) error {
	return t.do(func() error { return t.Tx.CreateAccount(ctx, a) })
}

func (t faultyTx) SaveAccount(ctx context.Context, a exchange.Account) error {
	return t.do(func() error { return t.Tx.SaveAccount(ctx, a) })
}

func (t faultyTx) EndSessions(ctx context.Context, account exchange.ID, keep exchange.Digest) error {
	return t.do(func() error { return t.Tx.EndSessions(ctx, account, keep) })
}

func (t faultyTx) CreateKey(ctx context.Context, k exchange.APIKey) error {
	return t.do(func() error { return t.Tx.CreateKey(ctx, k) })
}

func (t faultyTx) SaveKey(ctx context.Context, k exchange.APIKey) error {
	return t.do(func() error { return t.Tx.SaveKey(ctx, k) })
}

func (t faultyTx) CreateSession(ctx context.Context, s exchange.SessionRow) error {
	return t.do(func() error { return t.Tx.CreateSession(ctx, s) })
}

func (t faultyTx) SaveSession(ctx context.Context, s exchange.SessionRow) error {
	return t.do(func() error { return t.Tx.SaveSession(ctx, s) })
}

func (t faultyTx) EndSession(ctx context.Context, hash exchange.Digest) error {
	return t.do(func() error { return t.Tx.EndSession(ctx, hash) })
}

func (t faultyTx) DropSessions(ctx context.Context, now time.Time) error {
	return t.do(func() error { return t.Tx.DropSessions(ctx, now) })
}

func (t faultyTx) CreateTicket(ctx context.Context, row exchange.TicketRow) error {
	return t.do(func() error { return t.Tx.CreateTicket(ctx, row) })
}

func (t faultyTx) TakeTicket(ctx context.Context, hash exchange.Digest) (row exchange.TicketRow, err error) {
	err = t.do(func() error { row, err = t.Tx.TakeTicket(ctx, hash); return err })
	return row, err
}

func (t faultyTx) TakeTurn(ctx context.Context, kind exchange.JobKind, key, owner string, now, until time.Time) (fence int64, ok bool, err error) {
	err = t.do(func() error { fence, ok, err = t.Tx.TakeTurn(ctx, kind, key, owner, now, until); return err })
	return fence, ok, err
}

func (t faultyTx) EndTurn(ctx context.Context, kind exchange.JobKind, key string, fence int64) error {
	return t.do(func() error { return t.Tx.EndTurn(ctx, kind, key, fence) })
}

func (t faultyTx) NextPlace(ctx context.Context, lane exchange.Lane, class exchange.TransferKind) (p exchange.LanePlace, err error) {
	err = t.do(func() error { p, err = t.Tx.NextPlace(ctx, lane, class); return err })
	return p, err
}

func (t faultyTx) SaveLaneOrder(ctx context.Context, o exchange.LaneOrder) error {
	return t.do(func() error { return t.Tx.SaveLaneOrder(ctx, o) })
}

func (t faultyTx) RaiseEpochs(ctx context.Context) error {
	return t.do(func() error { return t.Tx.RaiseEpochs(ctx) })
}

func (t faultyTx) CreateUpload(ctx context.Context, u exchange.Upload) error {
	return t.do(func() error { return t.Tx.CreateUpload(ctx, u) })
}

func (t faultyTx) AddPiece(ctx context.Context, k exchange.UploadKey, p exchange.Piece, at time.Time) error {
	return t.do(func() error { return t.Tx.AddPiece(ctx, k, p, at) })
}

func (t faultyTx) DropUpload(ctx context.Context, k exchange.UploadKey) error {
	return t.do(func() error { return t.Tx.DropUpload(ctx, k) })
}

func (t faultyTx) AddSettled(ctx context.Context, s exchange.Settled) error {
	return t.do(func() error { return t.Tx.AddSettled(ctx, s) })
}

func (t faultyTx) SaveHandover(ctx context.Context, h exchange.Handover) error {
	return t.do(func() error { return t.Tx.SaveHandover(ctx, h) })
}

func (t faultyTx) CreateWebhook(ctx context.Context, w exchange.Webhook) error {
	return t.do(func() error { return t.Tx.CreateWebhook(ctx, w) })
}

func (t faultyTx) SaveWebhook(ctx context.Context, w exchange.Webhook) error {
	return t.do(func() error { return t.Tx.SaveWebhook(ctx, w) })
}

func (t faultyTx) ParkEvent(ctx context.Context, p exchange.ParkedEvent) error {
	return t.do(func() error { return t.Tx.ParkEvent(ctx, p) })
}

func (t faultyTx) UnparkEvent(ctx context.Context, webhook exchange.ID, seq int64) error {
	return t.do(func() error { return t.Tx.UnparkEvent(ctx, webhook, seq) })
}
