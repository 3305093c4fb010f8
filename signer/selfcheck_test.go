package signer_test

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"antin/certs/certstest"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
)

// countedReader counts the bytes read.
type countedReader struct {
	io.ReaderAt
	bytes atomic.Int64
}

func (r *countedReader) ReadAt(b []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, off)
	r.bytes.Add(int64(n))
	return n, err
}

// Signing a file that carries signatures costs one validation, as any other: the
// original is judged by itself only when something in the output is not in order.
func TestASecondSignatureIsCheckedOnce(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	const size = 1 << 20
	body := "% " + strings.Repeat("x", size) + "\n"
	data := padestest.Simple(padestest.Classic, "1.7").With(30, "<< /Length "+strconv.Itoa(len(body))+" >>\nstream\n"+body+"endstream").Bytes()
	one, _ := sign(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BLT})
	passes := func(doc []byte) int64 {
		in := input(doc)
		counted := &countedReader{ReaderAt: in.Reader}
		in.Reader = counted
		if _, err := a.signer().Sign(context.Background(), in, io.Discard, signer.Request{Key: certstest.RoleSealA}); err != nil {
			t.Fatal(err)
		}
		return (counted.bytes.Load() + size/2) / size
	}
	broken := bytes.Replace(one, []byte("% xxx"), []byte("% xyx"), 1)
	if first, second, third := passes(data), passes(one), passes(broken); second > first+1 || third <= second {
		t.Errorf("the document was read %d times for its first signature, %d for the second, %d over a broken one", first, second, third)
	}
}
