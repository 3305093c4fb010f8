package signer

import (
	"context"
	"time"
)

// gracePauses are the waits for revocation data issued after the time-stamp, where
// the policy insists on it: long enough for a responder that signs in rounds of
// seconds or for a clock that is behind, short enough for somebody who waits.
func gracePauses() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}
}

// pause waits for d by the signer's own way of waiting, or for ctx to end.
func (s *Signer) pause(ctx context.Context, d time.Duration) error {
	if s.Wait != nil {
		return s.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
