package helper

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzFrame reads frames as a stranger may send them: never a panic, never more
// memory than a frame may have, and what was read writes back as the same request.
func FuzzFrame(f *testing.F) {
	var good bytes.Buffer
	if err := writeFrame(&good, request{Op: opSign, Key: "seal", Digest: []byte{1}}); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte("\x00\x00\x00\x02{}"))
	f.Add([]byte("\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r request
		err := readFrame(bytes.NewReader(data), &r)
		if err != nil {
			if !errors.Is(err, errFrame) && !errors.Is(err, io.EOF) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		_ = r.check(KindSeal)
		var back bytes.Buffer
		if err := writeFrame(&back, r); err != nil {
			if !errors.Is(err, errFrame) {
				t.Fatal(err)
			}
			return // escapes made it longer than a frame
		}
		var again request
		if err := readFrame(&back, &again); err != nil || again.Op != r.Op || again.Key != r.Key || !bytes.Equal(again.Digest, r.Digest) {
			t.Fatalf("%+v came back as %+v: %v", r, again, err)
		}
	})
}
