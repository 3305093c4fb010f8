package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func blobs(t *testing.T, e Engine) {
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 128 << 10, 128<<10 + 1, 1 << 20} {
		want := bytes.Repeat([]byte("ấn"), size/4+1)[:size]
		b := put(t, e, want)
		if b.Digest != exchange.DigestOf(want) || b.Size != int64(size) {
			t.Fatalf("put %d bytes gave %+v", size, b)
		}
		if again := put(t, e, want); again != b {
			t.Errorf("same bytes, other name: %+v", again)
		}
		r, err := e.Open(t.Context(), b.Digest)
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, err)
		if !bytes.Equal(got, want) || r.Size() != int64(size) {
			t.Errorf("read %d of %d bytes back", len(got), size)
		}
		if size > 4 {
			part := make([]byte, 2)
			if _, err := r.ReadAt(part, int64(size)-2); err != nil || !bytes.Equal(part, want[size-2:]) {
				t.Errorf("reading at the end: %q, %v", part, err)
			}
		}
		must(t, r.Close())
		must(t, e.Verify(t.Context(), b.Digest))
	}
	_, err := e.Open(t.Context(), exchange.DigestOf([]byte("never stored")))
	wantCode(t, err, text.NotFound)
	_, err = e.Open(t.Context(), "../../etc/passwd")
	wantCode(t, err, text.NotFound)
}

func failingSource(t *testing.T, e Engine) {
	// A cut HTTP body ends in io.ErrUnexpectedEOF: no end of the bytes, but a failure.
	for _, broken := range []error{errors.New("source broke"), io.ErrUnexpectedEOF, fmt.Errorf("connection cut: %w", io.EOF)} {
		for _, size := range []int{10, 300_000} {
			body := strings.Repeat("y", size)
			_, err := e.Put(t.Context(), io.MultiReader(strings.NewReader(body), failing{broken}))
			if !errors.Is(err, broken) {
				t.Errorf("put of a source that ends in %q returned %v", broken, err)
			}
			_, err = e.Open(t.Context(), exchange.DigestOf([]byte(body)))
			wantCode(t, err, text.NotFound)
		}
	}
}

func absentBytes(t *testing.T, e Engine) {
	doc := newDocument(1)
	doc.Issuance.Draft = exchange.Blob{Digest: exchange.DigestOf([]byte("nowhere")), Size: 7}
	err := e.Update(t.Context(), func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), doc) })
	wantCode(t, err, text.NotFound)
}

func sweep(t *testing.T, e Engine) {
	named := put(t, e, bytes.Repeat([]byte("n"), 200_000))
	small := put(t, e, []byte("named and small"))
	orphan, orphanSmall := put(t, e, bytes.Repeat([]byte("o"), 200_000)), put(t, e, []byte("orphan"))
	doc := newDocument(1)
	doc.Issuance.Draft, doc.Issuance.Signed = named, small
	update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), doc) })
	if n, err := e.Sweep(t.Context(), time.Now().Add(-time.Hour)); err != nil || n != 0 {
		t.Errorf("swept %d young blobs, %v", n, err)
	}
	if n, err := e.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 2 {
		t.Errorf("swept %d blobs, %v; want 2", n, err)
	}
	for _, b := range []exchange.Blob{named, small} {
		must(t, e.Verify(t.Context(), b.Digest))
	}
	for _, b := range []exchange.Blob{orphan, orphanSmall} {
		_, err := e.Open(t.Context(), b.Digest)
		wantCode(t, err, text.NotFound)
	}
}

// exactBytes: what is announced is stored, what is not leaves nothing behind.
func exactBytes(t *testing.T, e Engine) {
	store, ok := e.(exchange.ExactBlobs)
	if !ok {
		t.Fatal("the engine has no PutExact")
	}
	for _, size := range []int{10, 300_000} {
		body := bytes.Repeat([]byte("e"), size)
		want := exchange.Blob{Digest: exchange.DigestOf(body), Size: int64(size)}
		for name, other := range map[string]exchange.Blob{
			"another digest": {Digest: exchange.DigestOf([]byte("other")), Size: want.Size}, "another size": {Digest: want.Digest, Size: want.Size - 1},
		} {
			_, err := store.PutExact(t.Context(), bytes.NewReader(body), other)
			wantCode(t, err, text.DigestMismatch)
			if _, err := e.Open(t.Context(), want.Digest); text.CodeOf(err) != text.NotFound {
				t.Errorf("%s, %d bytes: kept all the same: %v", name, size, err)
			}
		}
		got, err := store.PutExact(t.Context(), bytes.NewReader(body), want)
		must(t, err)
		same(t, "blob", got, want)
		must(t, e.Verify(t.Context(), want.Digest))
	}
}

// discarded: bytes go at once, unless a row names them.
func discarded(t *testing.T, e Engine) {
	store, ok := e.(exchange.DiscardingBlobs)
	if !ok {
		t.Fatal("the engine has no Discard")
	}
	for i, size := range []int{10, 300_000} {
		loose, named := put(t, e, bytes.Repeat([]byte("l"), size)), put(t, e, bytes.Repeat([]byte("k"), size))
		doc := newDocument(i + 1)
		doc.Issuance.Draft = named
		update(t, e, func(tx exchange.Tx) error { return tx.CreateDocument(t.Context(), doc) })
		for _, b := range []exchange.Blob{loose, named} {
			must(t, store.Discard(t.Context(), b.Digest))
		}
		_, err := e.Open(t.Context(), loose.Digest)
		wantCode(t, err, text.NotFound)
		must(t, e.Verify(t.Context(), named.Digest))
		must(t, store.Discard(t.Context(), loose.Digest)) // again
		err = e.Update(t.Context(), func(tx exchange.Tx) error {
			other := newDocument(i + 10)
			other.Issuance.Draft = loose
			return tx.CreateDocument(t.Context(), other)
		})
		wantCode(t, err, text.NotFound)
	}
}
