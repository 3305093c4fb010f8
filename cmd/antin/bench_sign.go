package main

import (
	"context"
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/signbench"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/softkey"
	"antin/signer/tsp"
)

// The parts of `antin bench sign`.
const (
	partAll     = "all"
	partLibrary = "library" // in memory
	partProgram = "program" // on the disk, and whole processes
)

// benchFlags are the flags of the verbs that measure the engine.
type benchFlags struct {
	Seconds float64 `help:"${help_bench_sign_seconds}" default:"2" placeholder:"N"`
	Part    string  `help:"${help_bench_sign_part}" default:"all" enum:"all,library,program" placeholder:"all|library|program"`
	JSON    bool    `name:"json" help:"${help_bench_sign_json}"`
}

// benchSignCmd measures signing beside SHA-256 and the bare key operation.
type benchSignCmd struct {
	benchFlags `embed:""`
}

// Run measures job after job and prints each line when it is there.
func (c *benchSignCmd) Run(e *env, ctx *ctxHolder) error {
	return c.run(ctx, e, []listJobs{signbench.Jobs, signbench.HugeJobs}, c.program)
}

// listJobs makes the jobs of one part of a table.
type listJobs func(context.Context, signbench.Kit) ([]*signbench.Job, error)

// run measures the jobs of the library, list after list, then those of program, and
// prints each line when it is there.
func (c *benchFlags) run(ctx context.Context, e *env, lists []listJobs, program func(context.Context, *certstest.PKI, func(signbench.Line) error) error) error {
	if c.Seconds <= 0 || c.Seconds > 600 {
		return text.Detailed(text.InvalidInput, nil, "exchange.field", "--seconds")
	}
	pki, err := certstest.New(certstest.Options{CAKey: certstest.RSA2048})
	if err != nil {
		return err
	}
	var lines []signbench.Line
	keep := func(l signbench.Line) error {
		lines = append(lines, l)
		if c.JSON {
			return printJSON(e.out, l)
		}
		return nil
	}
	if c.Part != partProgram {
		if err := c.library(ctx, pki, lists, keep); err != nil {
			return err
		}
	}
	if c.Part != partLibrary {
		if err := program(ctx, pki, keep); err != nil {
			return err
		}
	}
	if c.JSON {
		return nil
	}
	_, err = fmt.Fprint(e.out, signbench.Table(lines))
	return err
}

// library runs the jobs of the library; those over 100 MB come last and their
// document goes when they are done.
func (c *benchFlags) library(ctx context.Context, pki *certstest.PKI, lists []listJobs, keep func(signbench.Line) error) error {
	kit, err := benchKit(pki)
	if err != nil {
		return err
	}
	for _, list := range lists {
		jobs, err := list(ctx, kit)
		if err != nil {
			return err
		}
		if err := c.measure(ctx, jobs, keep); err != nil {
			return err
		}
	}
	return nil
}

func (c *benchFlags) measure(ctx context.Context, jobs []*signbench.Job, keep func(signbench.Line) error) error {
	for _, j := range jobs {
		l, err := j.Measure(ctx, time.Duration(c.Seconds*float64(time.Second)))
		if err != nil {
			return err
		}
		if err := keep(l); err != nil {
			return err
		}
	}
	return nil
}

// benchKit are keys and services of a sandbox PKI, without HTTP between.
func benchKit(pki *certstest.PKI) (signbench.Kit, error) {
	key, err := certstest.P256.NewKey()
	if err != nil {
		return signbench.Kit{}, err
	}
	ec, err := pki.Issue(certstest.Spec{CommonName: signbench.KeyP256, Key: key})
	if err != nil {
		return signbench.Kit{}, err
	}
	leader := pki.Leader()
	return signbench.Kit{
		Keys: softkey.NewProvider(map[string]signer.Key{
			signbench.KeyRSA:  {Signer: leader.Key, Chain: leader.Chain},
			signbench.KeyP256: {Signer: ec.Key, Chain: ec.Chain},
		}),
		Timestamps: benchServices{pki}, Revocation: benchServices{pki}, Trust: pki.Anchors(),
	}, nil
}

// benchServices answer in the same process.
type benchServices struct{ *certstest.PKI }

// Timestamp implements signer.TimestampSource.
func (s benchServices) Timestamp(_ context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	response, err := s.PKI.Timestamp(h, imprint)
	if err != nil {
		return nil, err
	}
	return tsp.ParseResponse(response)
}

// Revocation implements certs.RevocationSource.
func (s benchServices) Revocation(_ context.Context, c, _ *certs.Certificate) ([]certs.Evidence, error) {
	der, err := s.OCSP(c)
	if err != nil {
		return nil, err
	}
	return []certs.Evidence{{Kind: certs.EvidenceOCSP, DER: der, Origin: certs.OriginFetched}}, nil
}

// program measures what needs a disk and whole processes.
func (c *benchSignCmd) program(ctx context.Context, pki *certstest.PKI, keep func(signbench.Line) error) error {
	return benchFolder(pki, func(p benchProcess, kit signbench.Kit) error {
		job, err := durableJob(ctx, kit, p.dir)
		if err != nil {
			return err
		}
		if err := c.measure(ctx, []*signbench.Job{job}, keep); err != nil {
			return err
		}
		return keepEach(ctx, keep, p.cold, p.huge, p.sparse)
	})
}

// benchFolder gives use a folder of its own that holds the keys, and the keys.
func benchFolder(pki *certstest.PKI, use func(benchProcess, signbench.Kit) error) error {
	dir, err := os.MkdirTemp("", "antin-bench-")
	if err != nil {
		return storageError(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := pki.Save(filepath.Join(dir, "pki")); err != nil {
		return storageError(err)
	}
	kit, err := benchKit(pki)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return use(benchProcess{dir: dir, program: program}, kit)
}

// keepEach keeps the line of each measurement.
func keepEach(ctx context.Context, keep func(signbench.Line) error, measure ...func(context.Context) (signbench.Line, error)) error {
	for _, m := range measure {
		l, err := m(ctx)
		if err != nil {
			return err
		}
		if err := keep(l); err != nil {
			return err
		}
	}
	return nil
}
