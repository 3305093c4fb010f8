package signer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/signer"
	"antin/signer/ades"
)

// sparse is a PDF of any size that takes no memory: one huge stream of zeros
// between a head and a tail.
type sparse struct {
	head, tail []byte
	size       int64
}

func newSparse(size int64) *sparse {
	var head, tail bytes.Buffer
	head.WriteString("%PDF-1.7\n")
	var offsets [5]int64
	for i, body := range []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"} {
		offsets[i+1] = int64(head.Len())
		fmt.Fprintf(&head, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	offsets[4] = int64(head.Len())
	const fixed = 1 << 10
	length := size - int64(head.Len()) - fixed
	fmt.Fprintf(&head, "4 0 obj\n<< /Length %d >>\nstream\n", length)
	tail.WriteString("\nendstream\nendobj\n")
	start := int64(head.Len()) + length + int64(tail.Len())
	tail.WriteString("xref\n0 5\n0000000000 65535 f \n")
	for _, o := range offsets[1:] {
		fmt.Fprintf(&tail, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&tail, "trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", start)
	return &sparse{head.Bytes(), tail.Bytes(), int64(head.Len()) + length + int64(tail.Len())}
}

func (s *sparse) ReadAt(b []byte, off int64) (int, error) {
	if off >= s.size {
		return 0, io.EOF
	}
	n := min(int64(len(b)), s.size-off)
	clear(b[:n])
	if off < int64(len(s.head)) {
		copy(b[:n], s.head[off:])
	}
	if at := s.size - int64(len(s.tail)); off+n > at {
		if off >= at {
			copy(b[:n], s.tail[off-at:])
		} else {
			copy(b[at-off:n], s.tail)
		}
	}
	if n < int64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// counter counts what is written and reads memory while it comes.
type counter struct {
	n    int64
	peak uint64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	if c.n>>24 != (c.n-int64(len(b)))>>24 {
		c.peak = max(c.peak, heap())
	}
	return len(b), nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// Not parallel: it measures the memory of the whole process.
func TestMemoryDoesNotDependOnTheSizeOfTheFile(t *testing.T) {
	a := newAuthorities(t)
	s := a.signer()
	for _, level := range []ades.Level{ades.BB, ades.BLT} {
		file := newSparse(300 << 20)
		runtime.GC()
		before := heap()
		watched := make(chan uint64)
		stop := make(chan struct{})
		go func() { // the self-check writes nothing, so it is watched by the clock
			var peak uint64
			for {
				select {
				case <-stop:
					watched <- peak
					return
				case <-time.After(5 * time.Millisecond):
					peak = max(peak, heap())
				}
			}
		}()
		out := &counter{}
		res, err := s.Sign(context.Background(), signer.Input{Reader: file, Size: file.size}, out, signer.Request{Key: certstest.RoleLeader, Level: level})
		close(stop)
		peak := max(<-watched, out.peak)
		if err != nil {
			t.Fatal(err)
		}
		if out.n != res.Bytes || res.Bytes < file.size {
			t.Errorf("%d bytes written, %d reported", out.n, res.Bytes)
		}
		const allowed = 24 << 20
		if grown := int64(peak) - int64(before); grown > allowed {
			t.Errorf("%s: heap grew by %d MB", level, grown>>20)
		} else {
			t.Logf("%s: 300 MB signed, heap grew by %d KB", level, grown>>10)
		}
	}
}
