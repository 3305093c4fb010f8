package signer

import (
	"context"
	"io"
)

// SignUnchecked is Sign without the self-check, so that the benchmark can tell
// what the self-check costs. It exists in tests only: nothing is issued unchecked.
func (s *Signer) SignUnchecked(ctx context.Context, in Input, out io.Writer, req Request) error {
	r, err := s.open(ctx, in, req)
	if err != nil {
		return err
	}
	if err := r.lookAhead(ctx, false); err != nil {
		return err
	}
	defer r.early.end()
	if err := r.sign(ctx, out); err != nil {
		return err
	}
	_, err = r.release(ctx, out)
	return err
}
