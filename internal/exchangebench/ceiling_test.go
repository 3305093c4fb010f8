package exchangebench_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"antin/internal/exchangebench"
)

// pair opens both sides of the bare loop.
func pair(t testing.TB, rsaKey bool) (*exchangebench.Sender, *exchangebench.Receiver) {
	t.Helper()
	ctx := context.Background() // outlives the test's own, for the last rows
	a, err := exchangebench.NewIdentity("A", rsaKey, time.Now())
	must(t, err)
	b, err := exchangebench.NewIdentity("B", rsaKey, time.Now())
	must(t, err)
	r, err := exchangebench.NewReceiver(ctx, t.TempDir(), b, a.Certificate)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- r.Serve(l) }()
	s, err := exchangebench.NewSender(ctx, t.TempDir(), l.Addr().String(), a, b.Certificate)
	must(t, err)
	t.Cleanup(func() {
		must(t, s.Close())
		must(t, r.Close())
		must(t, <-done)
	})
	return s, r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is measured as the ceiling must do what it says, or the ratio is worth nothing.
func TestTheBareLoopKeepsEveryMessageOnBothSides(t *testing.T) {
	t.Parallel()
	for _, rsaKey := range []bool{false, true} {
		for _, size := range []int64{100_000, 1_000_000} {
			t.Run(fmt.Sprint(rsaKey, size), func(t *testing.T) {
				t.Parallel()
				s, r := pair(t, rsaKey)
				f, err := exchangebench.Load{Senders: 3, Warm: 20 * time.Millisecond, Length: 200 * time.Millisecond}.Run(t.Context(),
					func(ctx context.Context, n uint64) error { return s.Send(ctx, n, size) })
				must(t, err)
				kept, err := s.Kept(t.Context())
				must(t, err)
				received, err := r.Received(t.Context())
				must(t, err)
				if f.All == 0 || kept != f.All || received != f.All || uint64(f.N) > f.All || f.P50 > f.P99 || f.P99 > f.Longest {
					t.Errorf("%+v: %d kept, %d received", f, kept, received)
				}
			})
		}
	}
}

func TestPayloadsAreOfTheirSizeAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range uint64(3) {
		b, err := io.ReadAll(exchangebench.Payload(n, 1<<20+100))
		must(t, err)
		if len(b) != 1<<20+100 || seen[string(b)] {
			t.Errorf("message %d: %d bytes, seen %t", n, len(b), seen[string(b)])
		}
		seen[string(b)] = true
	}
}

func TestTheMachineHasFigures(t *testing.T) {
	t.Parallel()
	all, err := exchangebench.Machine(t.Context(), t.TempDir(), 5*time.Millisecond)
	must(t, err)
	for _, b := range all {
		if b.PerS <= 0 {
			t.Errorf("%+v", b)
		}
	}
}

// BenchmarkCeiling is the bare loop in one process.
func BenchmarkCeiling(b *testing.B) {
	for _, size := range []int64{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d_KB", size/1000), func(b *testing.B) {
			s, _ := pair(b, false)
			b.SetBytes(size)
			n := uint64(0)
			for b.Loop() {
				n++
				must(b, s.Send(b.Context(), n, size))
			}
		})
	}
}
