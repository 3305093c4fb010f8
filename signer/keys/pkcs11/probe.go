package pkcs11

import (
	"context"
	"time"

	"antin/internal/text"
)

// probeLimit is how long the helper may take to say that it is there.
const probeLimit = 5 * time.Second

// Probe finds the helper, starts it without any library and returns its path when it
// answers as one built with cgo does. It touches no token. The error, key-unavailable,
// says what is missing.
func Probe(ctx context.Context) (string, error) {
	path, err := FindHelper()
	if err != nil {
		return "", err
	}
	return path, probe(ctx, path)
}

func probe(ctx context.Context, path string) error {
	c, err := startChild(ctx, path, "")
	if err != nil {
		return text.Detailed(text.KeyUnavailable, err, "token.no_helper")
	}
	defer func() { _ = c.in.Close() }()
	a, err := c.call(ctx, Request{Op: OpTokens}, probeLimit)
	if err != nil {
		return unanswered(ctx, err)
	}
	if a.Code != CodeBad { // a helper that can load a library says that it has none yet
		return problem(a, Token{})
	}
	return nil
}
