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

// BenchmarkSign runs every job of the table; `make bench-sign` prints it.
func BenchmarkSign(b *testing.B) {
	kit := benchKit(b)
	var lines []signbench.Line
	for _, make := range []func(context.Context, signbench.Kit) ([]*signbench.Job, error){signbench.Jobs, signbench.HugeJobs} {
		jobs, err := make(b.Context(), kit)
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
	lines = append(lines, programLines(b)...)
	fmt.Print("\n" + signbench.Table(lines) + "\n")
}

// programLines are the jobs that need a disk and whole processes, as the program
// measures them itself.
func programLines(b *testing.B) (lines []signbench.Line) {
	program := filepath.Join(b.TempDir(), "antin")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "antin/cmd/antin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building the program: %v\n%s", err, out)
	}
	measure := exec.CommandContext(b.Context(), program, "bench", "sign", "--part", "program", "--json")
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
