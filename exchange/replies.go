package exchange

import (
	"context"
	"errors"
	"time"

	"antin/internal/text"
)

// ReplyLife is how long the answer to a request with an idempotency key is kept
// word for word. Behind it the key still has its one effect: Answer has no end.
const ReplyLife = 30 * 24 * time.Hour

// Reply is the answer that was given to a request with an idempotency key, as it
// went out.
type Reply struct {
	Agency  AgencyCode        `json:"agency"`
	Key     string            `json:"key"`
	Request Digest            `json:"request"` // of everything that was asked
	Status  int               `json:"status"`
	Header  map[string]string `json:"header,omitempty"`
	Body    []byte            `json:"body,omitempty"`
	At      time.Time         `json:"at"`
}

// ReplyRows holds replies.
type ReplyRows interface {
	// Reply returns what was kept under key; not-found.
	Reply(ctx context.Context, agency AgencyCode, key string) (Reply, error)
	// SaveReply keeps r and gives up what is older than its ReplyLife; ErrExists when
	// the key is taken.
	SaveReply(ctx context.Context, r Reply) error
}

// Replies gives the first answer to whoever asks the same again. What a request
// does once is decided by the acts themselves, in their own transactions; this
// only spares the asker another wording. Its fields are set once, before use; its
// methods are safe for concurrent use.
type Replies struct {
	Store Store
	Now   func() time.Time
}

// Find returns the answer given to request under key, ok false when there was
// none; idempotency-key-reused when the key stands for another request.
func (r *Replies) Find(ctx context.Context, agency AgencyCode, key string, request Digest) (reply Reply, ok bool, err error) {
	err = r.Store.View(ctx, func(tx Tx) (err error) {
		reply, err = tx.Reply(ctx, agency, key)
		return err
	})
	switch {
	case text.CodeOf(err) == text.NotFound:
		return Reply{}, false, nil
	case err != nil:
		return Reply{}, false, err
	case reply.Request != request:
		return Reply{}, false, text.Errorf(text.IdempotencyKeyReused, nil)
	}
	return reply, true, nil
}

// Keep remembers reply, whose At it sets. A key that is taken stays with its first reply.
func (r *Replies) Keep(ctx context.Context, reply Reply) error {
	reply.At = r.Now().UTC()
	err := r.Store.Update(ctx, func(tx Tx) error { return tx.SaveReply(ctx, reply) })
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}
