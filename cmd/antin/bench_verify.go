package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"antin/certs/certstest"
	"antin/internal/signbench"
	"antin/signer"
)

const (
	// coldVerifyLimit is what a whole process may take to verify 1 MB, in milliseconds.
	coldVerifyLimit = 35
	// verifyMemoryLimit is what it may take for 100 MB, in megabytes.
	verifyMemoryLimit = 40
	// inconclusiveExit is the exit code of an inconclusive verdict.
	inconclusiveExit = 4
)

// benchVerifyCmd measures validating beside SHA-256 and the bare operations with
// public keys.
type benchVerifyCmd struct {
	benchFlags `embed:""`
}

// Run measures job after job and prints each line when it is there.
func (c *benchVerifyCmd) Run(e *env, ctx *ctxHolder) error {
	return c.run(ctx, e, []listJobs{signbench.VerifyJobs, signbench.HugeVerifyJobs}, c.program)
}

// program measures what needs whole processes.
func (c *benchVerifyCmd) program(ctx context.Context, pki *certstest.PKI, keep func(signbench.Line) error) error {
	return benchFolder(pki, func(p benchProcess, kit signbench.Kit) error {
		for name, size := range map[string]int{"1m.pdf": signbench.Large, "100m.pdf": signbench.Huge} {
			if err := writeSigned(ctx, kit, filepath.Join(p.dir, name), signbench.Scanned(size)); err != nil {
				return err
			}
		}
		verify := func(name string) func() (time.Duration, int, error) {
			return func() (time.Duration, int, error) { return p.verify(ctx, name) }
		}
		return keepEach(ctx, keep,
			func(context.Context) (signbench.Line, error) { return coldLine(coldVerifyLimit, verify("1m.pdf")) },
			func(context.Context) (signbench.Line, error) {
				return memoryLine("memory, 100 MB", verifyMemoryLimit, verify("100m.pdf"))
			})
	})
}

// writeSigned signs data and writes it to path.
func writeSigned(ctx context.Context, kit signbench.Kit, path string, data []byte) error {
	s := &signer.Signer{Keys: kit.Keys, Trust: kit.Trust, AllowSandbox: true, Now: time.Now}
	f, err := os.Create(path)
	if err != nil {
		return storageError(err)
	}
	_, err = s.Sign(ctx, signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, f, signer.Request{Key: signbench.KeyRSA, Offline: true})
	return errors.Join(err, f.Close())
}

// verify verifies the file of that name. It carries no revocation data, so that the
// verdict is inconclusive; any other exit code is an error.
func (p benchProcess) verify(ctx context.Context, name string) (time.Duration, int, error) {
	took, peak, err := p.run(ctx, "verify", filepath.Join(p.dir, name), "--quiet", "--no-input", "--offline", "--json", "--trust", filepath.Join(p.dir, "pki", "root.pem"))
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == inconclusiveExit {
		err = nil
	}
	return took, peak, err
}
