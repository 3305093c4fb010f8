package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"antin/internal/text"
)

// maxKey bounds an idempotency key, in bytes.
const maxKey = 255

// once is a request that carries an idempotency key: the same key with the same
// request has one effect and gets the same subject; with another request it is
// refused. An empty key asks for nothing.
type once struct {
	agency  AgencyCode
	key     string
	request Digest
}

// newOnce describes the request of verb with the given particulars, which must
// encode as JSON.
func newOnce(agency AgencyCode, key, verb string, particulars ...any) (once, error) {
	if len(key) > maxKey {
		return once{}, text.Detailed(text.InvalidInput, nil, "exchange.field", "Idempotency-Key")
	}
	b, err := json.Marshal([]any{verb, particulars})
	if err != nil {
		return once{}, fmt.Errorf("describing request: %w", err)
	}
	if key != "" {
		key = "key:" + key // apart from the answers that the program names itself
	}
	return once{agency: agency, key: key, request: DigestOf(b)}, nil
}

type idempotencyKey struct{}

// WithIdempotencyKey returns a context under which an act on an account or an API key
// is done once, however often the same form arrives: those of Access that say so take
// their key from it. An empty key asks for nothing.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// contextOnce is newOnce under the key of WithIdempotencyKey; an empty verb takes none.
func contextOnce(ctx context.Context, agency AgencyCode, verb string, particulars ...any) (once, error) {
	key, _ := ctx.Value(idempotencyKey{}).(string)
	if verb == "" {
		key = ""
	}
	return newOnce(agency, key, verb, particulars...)
}

// done returns what the request made when it was made before.
func (o once) done(ctx context.Context, tx Tx) (subject ID, ok bool, err error) {
	if o.key == "" {
		return "", false, nil
	}
	a, err := tx.Answer(ctx, o.agency, o.key)
	switch {
	case errors.Is(err, &text.Error{Code: text.NotFound}):
		return "", false, nil
	case err != nil:
		return "", false, err
	case a.Request != o.request:
		return "", false, text.Errorf(text.IdempotencyKeyReused, nil)
	}
	return a.Subject, true, nil
}

// seen is done in a View of its own, before anything costly is begun.
func (o once) seen(ctx context.Context, s Store) (subject ID, ok bool, err error) {
	if o.key == "" {
		return "", false, nil
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		subject, ok, err = o.done(ctx, tx)
		return err
	})
	return subject, ok, err
}

// keep remembers that the request made subject.
func (o once) keep(ctx context.Context, tx Tx, subject ID, at time.Time) error {
	if o.key == "" {
		return nil
	}
	return tx.SaveAnswer(ctx, Answer{Agency: o.agency, Key: o.key, Request: o.request, Subject: subject, At: at})
}
