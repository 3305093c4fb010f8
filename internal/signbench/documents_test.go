package signbench_test

import (
	"bytes"
	"io"
	"testing"

	"antin/internal/signbench"
	"antin/signer/pdf"
)

// ends is a document whose middle is zeros.
type ends struct {
	head, tail []byte
	at         int64
}

func (e ends) ReadAt(b []byte, off int64) (int, error) {
	size := e.at + int64(len(e.tail))
	n := int(min(int64(len(b)), max(size-off, 0)))
	clear(b[:n])
	if off < int64(len(e.head)) {
		copy(b[:n], e.head[off:])
	}
	switch {
	case off >= e.at:
		copy(b[:n], e.tail[min(off-e.at, int64(len(e.tail))):])
	case off+int64(n) > e.at:
		copy(b[e.at-off:n], e.tail)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func TestDocumentsOpenWithoutFault(t *testing.T) {
	t.Parallel()
	head, tail, at := signbench.HugeSparse(5 << 30)
	for name, c := range map[string]struct {
		r    io.ReaderAt
		size int64
	}{
		"small":  {bytes.NewReader(signbench.Scanned(signbench.Small)), int64(len(signbench.Scanned(signbench.Small)))},
		"sparse": {ends{head, tail, at}, at + int64(len(tail))},
	} {
		f, err := pdf.Open(c.r, c.size, pdf.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n, err := f.NumPages(); err != nil || n != 10 {
			t.Errorf("%s: %d pages, %v", name, n, err)
		}
		if err := f.SigningProblem(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
