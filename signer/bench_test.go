package signer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/signbench"
	"antin/signer"
)

// benchTime is how long each job is measured under -benchtime 1x.
const benchTime = time.Second

// benchKit is a PKI whose keys are all RSA-2048, with one P-256 signer.
func benchKit(tb testing.TB) signbench.Kit {
	tb.Helper()
	pki, err := certstest.New(certstest.Options{BaseURL: "http://127.0.0.1:1", CAKey: certstest.RSA2048})
	if err != nil {
		tb.Fatal(err)
	}
	a := &authorities{PKI: pki, keys: map[string]signer.Key{}}
	key, err := certstest.P256.NewKey()
	if err != nil {
		tb.Fatal(err)
	}
	ec, err := pki.Issue(certstest.Spec{CommonName: signbench.KeyP256, Key: key})
	if err != nil {
		tb.Fatal(err)
	}
	leader := pki.Leader()
	a.keys[signbench.KeyRSA] = signer.Key{Signer: leader.Key, Chain: leader.Chain}
	a.keys[signbench.KeyP256] = signer.Key{Signer: ec.Key, Chain: ec.Chain}
	return signbench.Kit{Keys: a, Timestamps: a, Revocation: a, Trust: pki.Anchors(),
		Unchecked: func(ctx context.Context, s *signer.Signer, in signer.Input, out io.Writer, req signer.Request) error {
			return s.SignUnchecked(ctx, in, out, req)
		}}
}

// BenchmarkSign runs every job of the table of signing; `make bench-sign` prints it.
func BenchmarkSign(b *testing.B) {
	lines := measure(b, benchKit(b), signbench.Jobs, signbench.HugeJobs)
	fmt.Print("\n" + signbench.Table(append(lines, programLines(b, "sign")...)) + "\n")
}

// BenchmarkVerify runs every job of the table of validating; `make bench-verify`
// prints it.
func BenchmarkVerify(b *testing.B) {
	lines := measure(b, benchKit(b), signbench.VerifyJobs, signbench.HugeVerifyJobs)
	fmt.Print("\n" + signbench.Table(append(lines, programLines(b, "verify")...)) + "\n")
}

// measure runs the jobs of lists, those of one list after the other.
func measure(b *testing.B, kit signbench.Kit, lists ...func(context.Context, signbench.Kit) ([]*signbench.Job, error)) (lines []signbench.Line) {
	for _, list := range lists {
		jobs, err := list(b.Context(), kit)
		if err != nil {
			b.Fatal(err)
		}
		for _, j := range jobs {
			b.Run(j.Name, func(b *testing.B) {
				line, err := j.Measure(b.Context(), benchTime)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(line.Ratio, "×limit")
				b.ReportMetric(line.Min*1e6, "ns/op")
				lines = append(lines, line)
			})
		}
	}
	return lines
}

// programLines are the jobs of `antin bench VERB` that need a disk and whole
// processes, as the program measures them itself.
func programLines(b *testing.B, verb string) (lines []signbench.Line) {
	program := filepath.Join(b.TempDir(), "antin")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "antin/cmd/antin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building the program: %v\n%s", err, out)
	}
	measure := exec.CommandContext(b.Context(), program, "bench", verb, "--part", "program", "--json")
	measure.Stderr = os.Stderr
	out, err := measure.Output()
	if err != nil {
		b.Fatalf("measuring the program: %v", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l signbench.Line
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			b.Fatal(err)
		}
		lines = append(lines, l)
	}
}
