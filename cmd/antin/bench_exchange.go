package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"antin/internal/exchangebench"
	"antin/internal/text"
)

// benchExchangeCmd has one gateway send to another, beside a bare loop that does
// what cannot be avoided.
type benchExchangeCmd struct {
	Cells   []string `help:"${help_bench_exchange_cells}" sep:"," placeholder:"SIZE/SENDERS/KEY"`
	Seconds float64  `help:"${help_bench_exchange_seconds}" default:"4" placeholder:"N"`
	Warm    float64  `help:"${help_bench_exchange_warm}" default:"1" placeholder:"N"`
	Profile string   `help:"${help_bench_exchange_profile}" placeholder:"DIR"`
	JSON    bool     `name:"json" help:"${help_bench_exchange_json}"`
}

// The transport keys that are measured.
const (
	keyP256 = "p256"
	keyRSA  = "rsa2048"
)

// defaultCells is the table of docs/benchmarks/exchange.md.
var defaultCells = []string{"100KB/1/p256", "100KB/4/p256", "100KB/16/p256", "100KB/64/p256", "100KB/16/rsa2048",
	"1MB/1/p256", "1MB/4/p256", "1MB/16/p256", "50MB/1/p256", "50MB/4/p256"}

// benchCell is one thing measured: so many senders at once, messages of that size,
// transport keys of that kind.
type benchCell struct {
	Size    int64  `json:"size"`
	Senders int    `json:"senders"`
	Key     string `json:"key"`
}

func (c benchCell) String() string {
	size := strconv.FormatInt(c.Size/1000, 10) + " KB"
	if c.Size >= 1_000_000 {
		size = strconv.FormatInt(c.Size/1_000_000, 10) + " MB"
	}
	return fmt.Sprintf("%s, %d senders, %s", size, c.Senders, c.Key)
}

// The bounds of what may be asked for: a gateway takes no greater message, and no
// office has more people who send at the same moment.
const (
	maxBenchSize    = 2_000_000_000
	maxBenchSenders = 1024
)

// parseCell reads "100KB/16/p256".
func parseCell(s string) (benchCell, error) {
	bad := text.Detailed(text.InvalidInput, nil, "exchange.field", "--cells")
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return benchCell{}, bad
	}
	unit := int64(1000)
	digits, ok := strings.CutSuffix(parts[0], "KB")
	if !ok {
		unit = 1_000_000
		digits, ok = strings.CutSuffix(parts[0], "MB")
	}
	size, err := strconv.ParseInt(digits, 10, 32)
	senders, serr := strconv.Atoi(parts[1])
	c := benchCell{Size: size * unit, Senders: senders, Key: parts[2]}
	if !ok || err != nil || serr != nil || c.Size < 1 || c.Size > maxBenchSize || senders < 1 || senders > maxBenchSenders || c.Key != keyP256 && c.Key != keyRSA {
		return benchCell{}, bad
	}
	return c, nil
}

func (c *benchExchangeCmd) cells() (all []benchCell, err error) {
	if c.Seconds <= 0 || c.Seconds > 600 {
		return nil, text.Detailed(text.InvalidInput, nil, "exchange.field", "--seconds")
	}
	if c.Warm < 0 || c.Warm > 600 {
		return nil, text.Detailed(text.InvalidInput, nil, "exchange.field", "--warm")
	}
	names := c.Cells
	if len(names) == 0 {
		names = defaultCells
	}
	for _, s := range names {
		cell, err := parseCell(s)
		if err != nil {
			return nil, err
		}
		all = append(all, cell)
	}
	return all, nil
}

// Run measures cell after cell, each beside its ceiling, and prints each line when
// it is there. It fails when a message was lost or doubled.
func (c *benchExchangeCmd) Run(e *env, ctx *ctxHolder) error {
	cells, err := c.cells()
	if err != nil {
		return err
	}
	if c.Profile != "" {
		if err := os.MkdirAll(c.Profile, 0o755); err != nil { //nolint:gosec // the user's own folder
			return storageError(err)
		}
	}
	dir, err := os.MkdirTemp("", "antin-bench-")
	if err != nil {
		return storageError(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := &exchangePrinter{e: e, json: c.JSON}
	if err := c.machine(ctx, dir, out); err != nil {
		return err
	}
	wrong := false
	for i, cell := range cells {
		ceiling, err := c.measure(ctx, e, filepath.Join(dir, fmt.Sprint(i, "c")), cell, true)
		if err != nil {
			return err
		}
		product, err := c.measure(ctx, e, filepath.Join(dir, fmt.Sprint(i, "p")), cell, false)
		if err != nil {
			return err
		}
		if err := out.cell(cell, product, ceiling); err != nil {
			return err
		}
		for _, r := range []exchangeResult{ceiling, product} {
			if r.received != r.figures.All {
				e.warn("bench.wrong", fmt.Sprintf("%s: %d sent, %d received", cell, r.figures.All, r.received))
				wrong = true
			}
		}
	}
	if wrong {
		return exitError(1)
	}
	return nil
}

// bareExchange is how long each bare figure of the machine is taken.
const bareExchange = 500 * time.Millisecond

// machine prints what the hardware can do.
func (c *benchExchangeCmd) machine(ctx context.Context, dir string, out *exchangePrinter) error {
	bare, err := exchangebench.Machine(ctx, dir, bareExchange)
	if err != nil {
		return err
	}
	for _, b := range bare {
		if err := out.bare(b); err != nil {
			return err
		}
	}
	return nil
}
