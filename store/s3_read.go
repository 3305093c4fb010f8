package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// s3Window is what one request of a random read brings, and s3Windows how many of
	// them a reader keeps: a PDF is read from both ends and jumps in between.
	s3Window  = 256 << 10
	s3Windows = 8
)

// objectReader reads an object: from the start in one stream, at any offset in windows
// that are kept. What it holds does not depend on the object's size.
type objectReader struct {
	ctx  context.Context //nolint:containedctx // that of Open: a reader lives within one request
	x    *bucket
	d    exchange.Digest
	size int64

	mu      sync.Mutex
	stream  io.ReadCloser // where Read goes on; nil before the first
	at      int64
	windows map[int64][]byte
	order   []int64 // of windows, oldest first
}

func (x *bucket) open(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	ask, cancel := context.WithTimeout(ctx, s3Whole)
	defer cancel()
	info, err := x.core.StatObject(ask, x.o.Bucket, x.key(d), minio.StatObjectOptions{})
	if s3Absent(err) {
		return nil, text.Errorf(text.NotFound, fmt.Errorf("no blob %s", d))
	}
	if err != nil {
		return nil, s3Error(fmt.Errorf("opening blob %s: %w", d, err))
	}
	return &objectReader{ctx: ctx, x: x, d: d, size: info.Size, windows: map[int64][]byte{}}, nil
}

// Size implements exchange.BlobReader.
func (r *objectReader) Size() int64 { return r.size }

// get asks for the bytes from at, n of them or all that follow.
func (r *objectReader) get(at, n int64) (io.ReadCloser, error) {
	var opts minio.GetObjectOptions
	end := r.size - 1
	if n > 0 {
		end = min(end, at+n-1)
	}
	if err := opts.SetRange(at, end); err != nil {
		return nil, err
	}
	body, _, _, err := r.x.core.GetObject(r.ctx, r.x.o.Bucket, r.x.key(r.d), opts)
	if err != nil {
		return nil, s3Error(fmt.Errorf("reading blob %s: %w", r.d, err))
	}
	return body, nil
}

// Read implements io.Reader.
func (r *objectReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at >= r.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.stream == nil {
		var err error
		if r.stream, err = r.get(r.at, 0); err != nil {
			return 0, err
		}
	}
	n, err := r.stream.Read(p)
	r.at += int64(n)
	switch {
	case err == nil || n > 0 && errors.Is(err, io.EOF):
		return n, nil
	case errors.Is(err, io.EOF):
		return n, s3Error(fmt.Errorf("reading blob %s: %w", r.d, io.ErrUnexpectedEOF)) // before its size
	}
	return n, s3Error(fmt.Errorf("reading blob %s: %w", r.d, err))
}

// ReadAt implements io.ReaderAt.
func (r *objectReader) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, errors.New("negative offset")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) && at < r.size {
		w, err := r.window(at / s3Window)
		if err != nil {
			return n, err
		}
		c := copy(p[n:], w[at%s3Window:])
		n, at = n+c, at+int64(c)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// window returns the i-th window of the object.
func (r *objectReader) window(i int64) ([]byte, error) {
	if w, ok := r.windows[i]; ok {
		return w, nil
	}
	body, err := r.get(i*s3Window, s3Window)
	if err != nil {
		return nil, err
	}
	w := make([]byte, min(s3Window, r.size-i*s3Window))
	_, err = io.ReadFull(body, w)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, s3Error(fmt.Errorf("reading blob %s: %w", r.d, err))
	}
	if len(r.order) == s3Windows {
		delete(r.windows, r.order[0])
		r.order = r.order[1:]
	}
	r.windows[i], r.order = w, append(r.order, i)
	return w, nil
}

// Close implements io.Closer.
func (r *objectReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stream == nil {
		return nil
	}
	err := r.stream.Close()
	r.stream = nil
	return err
}

func (x *bucket) holds(ctx context.Context, t *tx, d exchange.Digest) error {
	n, err := t.count(ctx, `SELECT count(*) FROM blob_object WHERE digest = $1`, d)
	if err == nil && n == 0 {
		err = text.Errorf(text.NotFound, fmt.Errorf("no blob %s", d))
	}
	return err
}

// remove takes the note away with the object: both or, where the service does not
// answer, neither. An object without a note is found by the next Put of its bytes.
func (x *bucket) remove(ctx context.Context, t *tx, d exchange.Digest) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM blob_object WHERE digest = $1`, d); err != nil {
		return err
	}
	ask, cancel := context.WithTimeout(ctx, s3Remove)
	defer cancel()
	if err := x.core.RemoveObject(ask, x.o.Bucket, x.key(d), minio.RemoveObjectOptions{}); err != nil && !s3Absent(err) {
		return s3Error(fmt.Errorf("removing blob %s: %w", d, err))
	}
	return nil
}

// s3Remove bounds a removal: the writer waits for it.
const s3Remove = 3 * time.Second

// sweep removes what no row names, each in a transaction of its own, so that writers
// come between: first what was noted, then what a process stored and died before it
// could note it.
func (x *bucket) sweep(ctx context.Context, before time.Time) (removed int, err error) {
	list, end := context.WithCancel(ctx)
	defer end() // ends the listing when this returns early
	for o := range x.core.Client.ListObjects(list, x.o.Bucket, minio.ListObjectsOptions{Prefix: x.listPrefix(), Recursive: true}) {
		if o.Err != nil {
			return removed, s3Error(fmt.Errorf("listing blobs: %w", o.Err))
		}
		d, ok := exchange.ParseDigest(o.Key[strings.LastIndexByte(o.Key, '/')+1:])
		if !ok || o.Key != x.key(d) || !o.LastModified.Before(before) {
			continue // not ours, or young
		}
		gone, err := x.sweepOne(ctx, d, before)
		if err != nil {
			return removed, err
		}
		if gone {
			removed++
		}
	}
	return removed, ctx.Err()
}

func (x *bucket) listPrefix() string {
	if x.o.Prefix == "" {
		return ""
	}
	return strings.TrimSuffix(x.o.Prefix, "/") + "/"
}

func (x *bucket) sweepOne(ctx context.Context, d exchange.Digest, before time.Time) (gone bool, err error) {
	spared := func(t *tx) (bool, error) {
		n, err := t.count(ctx, `SELECT (SELECT count(*) FROM blob_ref WHERE digest = $1) + (SELECT count(*) FROM blob_object WHERE digest = $2 AND stored_at >= $3)`,
			d, d, micros(before))
		return n > 0, err
	}
	err = x.db.View(ctx, func(e exchange.Tx) (err error) { // most are: the writer is not troubled for them
		gone, err = spared(e.(*tx)) //nolint:forcetypeassert // our own View
		gone = !gone
		return err
	})
	if err != nil || !gone {
		return false, err
	}
	err = x.db.update(ctx, func(t *tx) error {
		keep, err := spared(t)
		if gone = !keep && err == nil; !gone {
			return err
		}
		return x.remove(ctx, t, d)
	})
	return gone && err == nil, err
}

// check puts, reads and removes a small object under a name of its own.
func (x *bucket) check(ctx context.Context) error {
	d := exchange.DigestOf([]byte(probe))
	blob := exchange.Blob{Digest: d, Size: int64(len(probe))}
	if _, err := x.send(ctx, strings.NewReader(probe), object{d, blob}, true); err != nil {
		return s3Error(fmt.Errorf("writing a probe: %w", err))
	}
	r, err := x.open(ctx, d)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err == nil && string(got) != probe {
		err = ErrDamaged
	}
	ask, cancel := context.WithTimeout(ctx, s3Whole)
	defer cancel()
	if err := errors.Join(err, x.core.RemoveObject(ask, x.o.Bucket, x.key(d), minio.RemoveObjectOptions{})); err != nil {
		return s3Error(fmt.Errorf("reading or removing a probe: %w", err))
	}
	return nil
}
