package signbench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/validation"
)

// The targets of validating that are not ratios.
const (
	// littleVerify is what 20 KB may take.
	littleVerify = 400 * time.Microsecond
	// tenVerify is what ten signatures in ten revisions of 1 MB may take in all,
	// the difference analysis included.
	tenVerify = 4 * time.Millisecond
	// laterVerify is what a later revision after 12,000 objects may take.
	laterVerify = 3 * time.Millisecond
	// everyPath is what it may take when every path to an object must be known.
	everyPath = 60 * time.Millisecond
	// filesPerSecond is how many files of 20 KB two cores judge at least.
	filesPerSecond = 3000
	// tenSignatures is the number of signatures of the document of many.
	tenSignatures = 10
)

// verifying is a bench that validates.
type verifying struct {
	*bench
	validator *validation.Validator
	public    func() error // one bare operation with the public key
}

func newVerifying(ctx context.Context, k Kit) (*verifying, error) {
	b, err := newBench(ctx, k)
	if err != nil {
		return nil, err
	}
	public, err := b.publicKey(ctx)
	if err != nil {
		return nil, err
	}
	return &verifying{bench: b, public: public, validator: &validation.Validator{Trust: k.Trust, AllowSandbox: true, Verified: &certs.Verified{}}}, nil
}

// VerifyJobs makes and signs the documents and lists the jobs of validating them,
// in the order of the table.
func VerifyJobs(ctx context.Context, k Kit) ([]*Job, error) {
	v, err := newVerifying(ctx, k)
	if err != nil {
		return nil, err
	}
	mega, many, reachable := scanned(large), manyObjects(), reachableObjects()
	relative := times(1.3).and(300 * time.Microsecond)
	var list []*Job
	for _, make := range []func() (*Job, error){
		func() (*Job, error) { return v.level(ctx, "20 KB, B-B", scanned(small), ades.BB, atMost(littleVerify)) },
		func() (*Job, error) { return v.level(ctx, "1 MB, B-B", mega, ades.BB, relative) },
		func() (*Job, error) { return v.level(ctx, "1 MB of 12,000 objects, B-B", many, ades.BB, relative) },
		func() (*Job, error) {
			return v.level(ctx, "1 MB, B-LT", mega, ades.BLT, times(1.5).and(time.Millisecond))
		},
		func() (*Job, error) { return v.several(ctx, "1 MB, ten signatures", mega, times(0.6)) },
		func() (*Job, error) {
			return v.several(ctx, "the same, difference analysis and all", mega, atMost(tenVerify))
		},
		func() (*Job, error) { return v.later(ctx, "12,000 objects, a later signature", reachable, ades.BB) },
		func() (*Job, error) { return v.later(ctx, "12,000 objects, a later DSS", reachable, ades.BLT) },
		func() (*Job, error) { return v.changed(ctx, "12,000 objects, one of them replaced", reachable) },
		func() (*Job, error) { return v.files(ctx) },
	} {
		j, err := make()
		if err != nil {
			return nil, err
		}
		list = append(list, j)
	}
	return list, nil
}

// HugeVerifyJobs are the jobs over 100 MB, apart because they need that much memory.
func HugeVerifyJobs(ctx context.Context, k Kit) ([]*Job, error) {
	v, err := newVerifying(ctx, k)
	if err != nil {
		return nil, err
	}
	once, err := v.signed(ctx, scanned(huge), "", ades.BB)
	if err != nil {
		return nil, err
	}
	one, err := v.judged("100 MB, B-B", once, v.limit(once), times(1.2))
	if err != nil {
		return nil, err
	}
	twice, err := v.signed(ctx, once, "", ades.BB)
	if err != nil {
		return nil, err
	}
	two, err := v.judged("100 MB, two revisions", twice, hashed(twice), times(1.2))
	if err != nil {
		return nil, err
	}
	one.runs, two.runs = 5, 5
	return []*Job{one, two}, nil
}

// and allows d above what t allows.
func (t target) and(d time.Duration) target {
	return target{t.words + " + " + d.String(), func(limit time.Duration) time.Duration { return t.allowed(limit) + d }}
}

// atMost is a target that no limit moves.
func atMost(d time.Duration) target {
	return target{"≤ " + d.String(), func(time.Duration) time.Duration { return d }}
}

// level judges data after one signature of that level.
func (v *verifying) level(ctx context.Context, name string, data []byte, l ades.Level, t target) (*Job, error) {
	data, err := v.signed(ctx, data, "", l)
	if err != nil {
		return nil, err
	}
	return v.judged(name, data, v.limit(data), t)
}

// several judges data after tenSignatures, each in a revision of its own.
func (v *verifying) several(ctx context.Context, name string, data []byte, t target) (*Job, error) {
	data, err := v.signedTimes(ctx, data, tenSignatures)
	if err != nil {
		return nil, err
	}
	return v.judged(name, data, v.limit(data), t)
}

// later judges data after one signature and then another, or its DSS.
func (v *verifying) later(ctx context.Context, name string, data []byte, l ades.Level) (*Job, error) {
	n := 1
	if l == ades.BB {
		n = 2
	}
	for range n {
		var err error
		if data, err = v.signed(ctx, data, "", l); err != nil {
			return nil, err
		}
	}
	return v.judged(name, data, v.limit(data), atMost(laterVerify))
}

// changed judges data in which an object was replaced after the signature.
func (v *verifying) changed(ctx context.Context, name string, data []byte) (*Job, error) {
	data, err := v.signed(ctx, data, "", ades.BB)
	if err != nil {
		return nil, err
	}
	if data, err = replaced(data, smallObjects/2); err != nil {
		return nil, err
	}
	return v.judging(name, data, v.limit(data), atMost(everyPath), validation.Invalid)
}

// limit is the time of what judging data cannot avoid; the work is counted here, once.
func (v *verifying) limit(data []byte) func() (time.Duration, error) {
	c, err := count(data)
	return func() (time.Duration, error) {
		if err != nil {
			return 0, err
		}
		return timed(func() error {
			for left := c.bytes; left > 0; left -= int64(len(data)) {
				sha256.Sum256(data[:min(left, int64(len(data)))])
			}
			for range c.operations {
				if err := v.public(); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// hashed is the time of one SHA-256 of data.
func hashed(data []byte) func() (time.Duration, error) {
	return func() (time.Duration, error) { return digest(data), nil }
}

// judged is a job over a document in which nothing is wrong.
func (v *verifying) judged(name string, data []byte, limit func() (time.Duration, error), t target) (*Job, error) {
	return v.judging(name, data, limit, t, "")
}

// judging is a job over a document whose verdict is the one given; empty is any but
// invalid and unsigned, since a signature of B-B alone carries no revocation data.
func (v *verifying) judging(name string, data []byte, limit func() (time.Duration, error), t target, want validation.Verdict) (*Job, error) {
	return &Job{Name: name, Target: t.words, allowed: t.allowed, each: 1, once: func(ctx context.Context) (sample, error) {
		least, err := limit()
		if err != nil {
			return sample{}, err
		}
		took, err := timed(func() error { return v.judge(ctx, data, want) })
		return sample{took, least}, err
	}}, nil
}

// judge validates data and makes sure that it was judged as it must be.
func (v *verifying) judge(ctx context.Context, data []byte, want validation.Verdict) error {
	report, err := v.validator.Validate(ctx, validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, time.Now())
	if err != nil {
		return err
	}
	fits := report.Verdict == want
	if want == "" {
		fits = report.Verdict != validation.Invalid && report.Verdict != validation.Unsigned
	}
	if !fits {
		return fmt.Errorf("the verdict is %s", report.Verdict)
	}
	return nil
}

// files judges BatchFiles different files of 20 KB with BatchWorkers.
func (v *verifying) files(ctx context.Context) (*Job, error) {
	data := scanned(small)
	list := make([][]byte, BatchFiles)
	for i := range list {
		var err error
		if list[i], err = v.signed(ctx, data, fmt.Sprintf("S%d", 1+i), ades.BB); err != nil {
			return nil, err
		}
	}
	limit := v.limit(list[0])
	t := atMost(BatchFiles * time.Second / filesPerSecond)
	return &Job{Name: "200 files of 20 KB, 2 workers", Target: fmt.Sprintf("≥ %d files/s", filesPerSecond), allowed: t.allowed, each: BatchFiles, runs: 5, once: func(ctx context.Context) (sample, error) {
		least, err := timed(func() error { return InParallel(func() error { _, err := limit(); return err }) })
		if err != nil {
			return sample{}, err
		}
		took, err := timed(func() error { return v.all(ctx, list) })
		return sample{took, least}, err
	}}, nil
}

// all judges every file of list.
func (v *verifying) all(ctx context.Context, list [][]byte) error {
	var group errgroup.Group
	group.SetLimit(BatchWorkers)
	for _, data := range list {
		group.Go(func() error { return v.judge(ctx, data, "") })
	}
	return group.Wait()
}
