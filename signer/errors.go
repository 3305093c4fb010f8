package signer

import (
	"context"
	"errors"

	"antin/internal/text"
)

// coded gives err a code unless it has one; the end of the context stays what it is.
func coded(ctx context.Context, err error, code text.Code) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var e *text.Error
	if errors.As(err, &e) {
		return err
	}
	return text.Errorf(code, err)
}
