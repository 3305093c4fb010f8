package signbench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"antin/signer"
	"antin/signer/ades"
)

// Job is one line of the table. It is used by one goroutine.
type Job struct {
	// Name is what --json calls it.
	Name string
	// Target is what may be reached, in words: a factor of the limit, or an amount above it.
	Target string
	// allowed is the time that Target allows for a limit.
	allowed func(limit time.Duration) time.Duration
	once    func(ctx context.Context) (sample, error)
	// each is how many signatures one run makes.
	each int
	// runs is the least number of runs, where one takes long.
	runs int
}

// sample is one run with what was measured beside it.
type sample struct{ took, limit time.Duration }

// Jobs makes the documents and lists the jobs, in the order of the table.
func Jobs(ctx context.Context, k Kit) ([]*Job, error) {
	b, err := newBench(ctx, k)
	if err != nil {
		return nil, err
	}
	mega, little := scanned(large), scanned(small)
	var list []*Job
	add := func(j *Job) {
		if j != nil {
			list = append(list, j)
		}
	}
	const hashes = true
	add(b.unchecked("1 MB, B-B, without self-check", mega, KeyRSA, times(1.3), 0))
	add(b.checked("1 MB, B-B", mega, hashes, times(1.3)))
	add(b.checked("20 KB, B-B", little, !hashes, plus(200*time.Microsecond)))
	add(b.checked("1 MB of 12,000 objects, B-B", manyObjects(), hashes, times(1.3)))
	add(b.checked("1 MB of object streams, B-B", objectStreams(), hashes, times(1.3)))
	add(b.unchecked("1 MB, P-256, without self-check", mega, KeyP256, times(1.6), 0))
	add(b.level("20 KB, B-T", little, ades.BT, time.Millisecond))
	add(b.level("20 KB, B-LT", little, ades.BLT, 4*time.Millisecond))
	add(b.batch(little))
	return list, nil
}

// HugeJobs are the jobs over 100 MB, apart because they need that much memory.
func HugeJobs(ctx context.Context, k Kit) ([]*Job, error) {
	b, err := newBench(ctx, k)
	if err != nil {
		return nil, err
	}
	data := scanned(huge)
	var list []*Job
	if j := b.unchecked("100 MB, B-B, without self-check", data, KeyRSA, times(1.5), 1); j != nil {
		j.runs = 5
		list = append(list, j)
	}
	j := b.checked("100 MB, B-B", data, true, times(1.3))
	j.runs = 5
	return append(list, withCopy(j, data)), nil
}

// target is what a limit allows, and its words.
type target struct {
	words   string
	allowed func(time.Duration) time.Duration
}

func times(f float64) target {
	return target{fmt.Sprintf("× %.1f", f), func(d time.Duration) time.Duration { return time.Duration(float64(d) * f) }}
}

func plus(d time.Duration) target {
	return target{"+ " + d.String(), func(limit time.Duration) time.Duration { return limit + d }}
}

// checked signs with the self-check. Where hashed is set, the limit holds a second
// SHA-256 of the document: that of the self-check.
func (b *bench) checked(name string, data []byte, hashed bool, t target) *Job {
	out := &memory{buf: make([]byte, 0, len(data)+1<<20)}
	return &Job{Name: name, Target: t.words, allowed: t.allowed, each: 1, once: func(ctx context.Context) (sample, error) {
		limit := digest(data) + bare(b.rsa)
		if hashed {
			limit += digest(data)
		}
		took, err := timed(func() error {
			out.buf = out.buf[:0]
			_, err := b.signer.Sign(ctx, input(data), out, request(KeyRSA, ades.BB))
			return err
		})
		return sample{took, limit}, err
	}}
}

// unchecked signs without the self-check; copied is 1 where the limit holds a copy
// of the document.
func (b *bench) unchecked(name string, data []byte, key string, t target, copied int) *Job {
	if b.Unchecked == nil {
		return nil
	}
	signs := b.rsa
	if key == KeyP256 {
		signs = b.ec
	}
	out := &memory{buf: make([]byte, 0, len(data)+1<<20)}
	j := &Job{Name: name, Target: t.words, allowed: t.allowed, each: 1, once: func(ctx context.Context) (sample, error) {
		limit := digest(data) + bare(signs)
		took, err := timed(func() error {
			out.buf = out.buf[:0]
			return b.Unchecked(ctx, b.signer, input(data), out, request(key, ades.BB))
		})
		return sample{took, limit}, err
	}}
	if copied > 0 {
		return withCopy(j, data)
	}
	return j
}

// withCopy adds a copy of data, in the pieces in which the engine makes it, to what
// the target allows.
func withCopy(j *Job, data []byte) *Job {
	once, allowed := j.once, j.allowed
	out := &memory{buf: make([]byte, 0, len(data)+1<<20)}
	var least time.Duration
	j.Target += " + copy"
	j.once = func(ctx context.Context) (sample, error) {
		copied, err := timed(func() error {
			out.buf = out.buf[:0]
			_, err := io.CopyBuffer(out, onlyReader{bytes.NewReader(data)}, make([]byte, 256<<10))
			return err
		})
		if err != nil {
			return sample{}, err
		}
		if least == 0 || copied < least {
			least = copied
		}
		return once(ctx)
	}
	j.allowed = func(limit time.Duration) time.Duration { return allowed(limit) + least }
	return j
}

// level signs with the services; the limit holds the time of their answers.
func (b *bench) level(name string, data []byte, l ades.Level, above time.Duration) *Job {
	t := plus(above)
	out := &memory{buf: make([]byte, 0, len(data)+1<<20)}
	return &Job{Name: name, Target: t.words, allowed: t.allowed, each: 1, once: func(ctx context.Context) (sample, error) {
		limit := digest(data) + bare(b.rsa)
		b.services.spent.Store(0)
		took, err := timed(func() error {
			out.buf = out.buf[:0]
			_, err := b.signer.Sign(ctx, input(data), out, request(KeyRSA, l))
			return err
		})
		return sample{took, limit + time.Duration(b.services.spent.Load())}, err
	}}
}

func input(data []byte) signer.Input {
	return signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}
}

func timed(f func() error) (time.Duration, error) {
	begin := time.Now()
	err := f()
	return time.Since(begin), err
}

// digest is how long one SHA-256 of data takes.
func digest(data []byte) time.Duration {
	begin := time.Now()
	sha256.Sum256(data)
	return time.Since(begin)
}

// bare is how long one operation of the key takes.
func bare(key crypto.Signer) time.Duration {
	var sum [sha256.Size]byte
	begin := time.Now()
	if _, err := key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
		return 0 // the signature that follows fails too, and says why
	}
	return time.Since(begin)
}

// memory takes an output without growing for it.
type memory struct{ buf []byte }

// Write implements io.Writer.
func (m *memory) Write(b []byte) (int, error) {
	m.buf = append(m.buf, b...)
	return len(b), nil
}

// onlyReader hides every other way of copying.
type onlyReader struct{ io.Reader }
