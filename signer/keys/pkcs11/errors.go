package pkcs11

import (
	"context"
	"errors"
	"fmt"

	"antin/internal/text"
)

// problem is an answer that refuses, as the error a person reads. t is the token it is
// about, where that is known.
func problem(a Answer, t Token) error {
	if a.Code == "" {
		return nil
	}
	cause := fmt.Errorf("token helper: %s: %s", a.Code, a.Reason)
	switch a.Code {
	case CodeAbsent:
		return text.Errorf(text.TokenAbsent, cause)
	case CodeSession:
		return text.Detailed(text.KeyUnavailable, cause, "token.session")
	case CodePINWrong:
		return text.Detailed(text.KeyLocked, cause, "token.pin_wrong", t.Label)
	case CodePINLocked:
		return text.Detailed(text.KeyLocked, cause, "token.pin_locked", t.Label)
	case CodePINLastTry:
		return text.Detailed(text.KeyLocked, cause, "token.pin_last_try", t.Label)
	case CodePINExpired:
		return text.Detailed(text.KeyLocked, cause, "token.pin_expired", t.Label)
	case CodePINNeeded:
		return text.Detailed(text.KeyLocked, cause, "token.pin_needed", t.Label)
	case CodeUnsupported:
		return text.Detailed(text.InvalidInput, cause, "token.mechanism", a.Reason)
	case CodeModule:
		return text.Detailed(text.KeyUnavailable, cause, "token.module", a.Reason)
	case CodeNoCgo:
		return text.Detailed(text.KeyUnavailable, cause, "token.no_cgo")
	case CodeBad, CodeFailed:
	}
	return text.Detailed(text.KeyUnavailable, cause, "token.failed", a.Reason)
}

// unanswered is what a person reads when a question that signs nothing got no answer.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return text.Detailed(text.KeyUnavailable, err, "token.crashed")
}

// unsigned is what a person reads when a request to sign got no answer.
func unsigned(ctx context.Context, err error) error {
	var named *text.Error
	switch {
	case errors.As(err, &named):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errUndelivered):
		return text.Detailed(text.KeyUnavailable, err, "token.crashed")
	}
	return text.Errorf(text.SignatureLost, err)
}
