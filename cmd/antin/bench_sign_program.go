package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"antin/internal/signbench"
	"antin/signer"
)

// durableJob signs a batch as `antin sign` does with many files: written, synced
// together, named. Its limit is the same without the engine: bare key operations,
// and files of the same size.
func durableJob(ctx context.Context, kit signbench.Kit, dir string) (*signbench.Job, error) {
	data := signbench.Scanned(signbench.Small)
	s := &signer.Signer{Keys: kit.Keys, Trust: kit.Trust, AllowSandbox: true, Now: time.Now}
	key, err := kit.Keys.Key(ctx, signbench.KeyRSA)
	if err != nil {
		return nil, err
	}
	sign := func(ctx context.Context, w io.Writer) error {
		_, err := s.Sign(ctx, signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, w, signer.Request{Key: signbench.KeyRSA, Offline: true})
		return err
	}
	var signed bytes.Buffer
	if err := sign(ctx, &signed); err != nil {
		return nil, err
	}
	bare := func(_ context.Context, w io.Writer) error {
		sum := sha256.Sum256(data)
		if _, err := key.Signer.Sign(nil, sum[:], crypto.SHA256); err != nil {
			return err
		}
		_, err := w.Write(signed.Bytes())
		return err
	}
	return signbench.Times("200 files of 20 KB, 2 workers, durable", "≥ 80 % of a bare loop", 1/0.8, signbench.BatchFiles,
		func(ctx context.Context) error { return durable(ctx, filepath.Join(dir, "bare"), bare) },
		func(ctx context.Context) error { return durable(ctx, filepath.Join(dir, "signed"), sign) }), nil
}

// durable has BatchWorkers write BatchFiles files and puts them on the disk. The
// folder goes afterwards, outside of what is compared: both sides do it alike.
func durable(ctx context.Context, dir string, write func(context.Context, io.Writer) error) error {
	defer func() { _ = os.RemoveAll(dir) }()
	b := &batch{dir: dir}
	defer b.discard()
	names := make([]int, signbench.BatchFiles)
	for i := range names {
		names[i] = i
	}
	type result struct {
		named
		err error
	}
	var pending []named
	err := eachInOrder(ctx, signbench.BatchWorkers, names, func(ctx context.Context, i int) result {
		path := filepath.Join(dir, strconv.Itoa(i)+".pdf")
		tmp, err := b.write(path, func(w io.Writer) error { return write(ctx, w) })
		return result{named{tmp, path}, err}
	}, func(r result) error {
		if r.err != nil {
			return r.err
		}
		if pending = append(pending, r.named); len(pending) < batchFiles {
			return nil
		}
		err := firstOf(b.commit(pending))
		pending = nil
		return err
	})
	if err != nil {
		return err
	}
	return firstOf(b.commit(pending))
}

func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// benchProcess measures whole processes of the program.
type benchProcess struct{ program, dir string }

const (
	// coldRuns is how often the program is started for one figure.
	coldRuns = 20
	// coldLimit is what a whole process may take for 1 MB, in milliseconds.
	coldLimit = 40
	// watchEvery is how often a process is asked for its greatest size.
	watchEvery = 2 * time.Millisecond
	// sparseSize is the size of the largest document, in bytes: past what 32 bits count.
	sparseSize = 4<<30 + 1<<20
)

// sign signs the file of that name and returns how long it took and its greatest
// resident size.
func (p benchProcess) sign(ctx context.Context, name string) (took time.Duration, peakMB int, err error) {
	out := filepath.Join(p.dir, "out.pdf")
	defer func() { _ = os.Remove(out) }()
	return p.run(ctx, "sign", filepath.Join(p.dir, name), "-o", out, "--quiet", "--no-input", "--offline",
		"--key", "p12:"+filepath.Join(p.dir, "pki", "lanh-dao.p12"), "--key-password-file", filepath.Join(p.dir, "pki", "password.txt"),
		"--trust", filepath.Join(p.dir, "pki", "root.pem"))
}

// run runs the program once.
func (p benchProcess) run(ctx context.Context, args ...string) (took time.Duration, peakMB int, err error) {
	cmd := exec.CommandContext(ctx, p.program, args...) //nolint:gosec // this very program
	var messages bytes.Buffer
	cmd.Stderr = &messages
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	ended, watched := make(chan struct{}), make(chan int)
	go func() {
		peak := 0
		for {
			peak = max(peak, usageOf(cmd.Process.Pid).peakMB)
			select {
			case <-ended:
				watched <- peak
				return
			case <-time.After(watchEvery):
			}
		}
	}()
	err = cmd.Wait()
	took = time.Since(begin)
	close(ended)
	if peakMB = <-watched; err != nil {
		err = fmt.Errorf("%s: %w: %s", args[0], err, messages.String())
	}
	return took, peakMB, err
}

// cold is the whole process for signing 1 MB.
func (p benchProcess) cold(ctx context.Context) (signbench.Line, error) {
	if err := os.WriteFile(filepath.Join(p.dir, "1m.pdf"), signbench.Scanned(signbench.Large), 0o600); err != nil {
		return signbench.Line{}, storageError(err)
	}
	return coldLine(coldLimit, func() (time.Duration, int, error) { return p.sign(ctx, "1m.pdf") })
}

// coldLine starts the program again and again.
func coldLine(limit float64, start func() (time.Duration, int, error)) (signbench.Line, error) {
	var all []time.Duration
	peak := 0
	for range coldRuns {
		took, mb, err := start()
		if err != nil {
			return signbench.Line{}, err
		}
		all, peak = append(all, took), max(peak, mb)
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	return signbench.Line{Job: "whole process, 1 MB, cold", N: len(all), PerS: 1 / all[0].Seconds(), Min: ms(all[0]), P50: ms(all[len(all)/2]), P99: ms(all[len(all)-1]),
		RSS: peak, Limit: limit, Ratio: ms(all[0]) / limit, Target: limit, Words: fmt.Sprintf("≤ %.0f ms", limit)}, nil
}

// huge is the memory that 100 MB take.
func (p benchProcess) huge(ctx context.Context) (signbench.Line, error) {
	if err := os.WriteFile(filepath.Join(p.dir, "100m.pdf"), signbench.Scanned(signbench.Huge), 0o600); err != nil {
		return signbench.Line{}, storageError(err)
	}
	return p.memory(ctx, "memory, 100 MB", "100m.pdf", 40)
}

// sparse is the memory that 4 GB take; the document takes no room on the disk, the
// signed one does.
func (p benchProcess) sparse(ctx context.Context) (signbench.Line, error) {
	head, tail, at := signbench.HugeSparse(sparseSize)
	f, err := os.Create(filepath.Join(p.dir, "4g.pdf"))
	if err != nil {
		return signbench.Line{}, storageError(err)
	}
	_, err = f.Write(head)
	if err == nil {
		_, err = f.WriteAt(tail, at)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return signbench.Line{}, storageError(err)
	}
	return p.memory(ctx, "memory, 4 GB", "4g.pdf", 64)
}

// memory signs once; the figures that count are megabytes.
func (p benchProcess) memory(ctx context.Context, job, name string, limit float64) (signbench.Line, error) {
	return memoryLine(job, limit, func() (time.Duration, int, error) { return p.sign(ctx, name) })
}

func memoryLine(job string, limit float64, start func() (time.Duration, int, error)) (signbench.Line, error) {
	took, peak, err := start()
	if err != nil {
		return signbench.Line{}, err
	}
	return signbench.Line{Job: job, N: 1, PerS: 1 / took.Seconds(), Min: float64(peak), P50: took.Seconds() * 1000, P99: took.Seconds() * 1000, RSS: peak,
		Limit: limit, Ratio: float64(peak) / limit, Target: limit, Words: fmt.Sprintf("≤ %.0f MB (min, limit, target in MB)", limit)}, nil
}
