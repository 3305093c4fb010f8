package main

import (
	"fmt"
	"time"

	"antin/internal/exchangebench"
	"antin/internal/text"
)

// exchangeLine is one line of --json. Limit is the ceiling's rate in the same
// minute and Ratio the share of it that was reached; CPU is of both sides together,
// RSS the greater of the two. Wire is what crossed the wire for each byte of payload.
type exchangeLine struct {
	Job     string  `json:"job"`
	N       int     `json:"n"`
	PerS    float64 `json:"per_s"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	CPU     float64 `json:"cpu_ms"`
	RSS     int     `json:"rss_mb"`
	Limit   float64 `json:"limit"`
	Ratio   float64 `json:"ratio"`
	CPUA    float64 `json:"cpu_send_ms"`
	CPUB    float64 `json:"cpu_receive_ms"`
	RSSA    int     `json:"rss_send_mb"`
	RSSB    int     `json:"rss_receive_mb"`
	Wire    float64 `json:"wire_ratio"`
	Foreign float64 `json:"foreign_cores"`
}

func (r exchangeResult) line(job string) exchangeLine {
	per := func(d time.Duration) float64 { return milliseconds(d) / float64(max(1, r.figures.N)) }
	return exchangeLine{Job: job, N: r.figures.N, PerS: r.figures.PerSecond(), P50: milliseconds(r.figures.P50), P99: milliseconds(r.figures.P99),
		CPU: per(r.cpuA + r.cpuB), CPUA: per(r.cpuA), CPUB: per(r.cpuB), RSS: max(r.rssA, r.rssB), RSSA: r.rssA, RSSB: r.rssB,
		Wire: r.wire, Foreign: r.foreign}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// exchangePrinter prints lines as they come, as a table or as JSON.
type exchangePrinter struct {
	e      *env
	json   bool
	headed bool
}

// bare prints a figure of the machine.
func (p *exchangePrinter) bare(b exchangebench.Bare) error {
	if p.json {
		return printJSON(p.e.out, exchangeLine{Job: b.Name, PerS: b.PerS})
	}
	_, err := fmt.Fprintf(p.e.out, "%-34s %9.0f /s\n", b.Name, b.PerS)
	return err
}

// cell prints a cell and its ceiling.
func (p *exchangePrinter) cell(c benchCell, product, ceiling exchangeResult) error {
	limit, line := ceiling.line("ceiling: "+c.String()), product.line(c.String())
	line.Limit = limit.PerS
	if limit.PerS > 0 {
		line.Ratio = line.PerS / limit.PerS
	}
	for _, l := range []exchangeLine{limit, line} {
		if err := p.line(l); err != nil {
			return err
		}
	}
	return nil
}

func (p *exchangePrinter) line(l exchangeLine) error {
	if p.json {
		return printJSON(p.e.out, l)
	}
	if !p.headed {
		p.headed = true
		if _, err := fmt.Fprintf(p.e.out, "\n%-34s %6s %8s %8s %8s %7s %11s %6s %6s %7s\n", text.Get("bench.job").In(p.e.lang), text.Get("bench.number").In(p.e.lang),
			"/s", "p50 ms", "p99 ms", "CPU ms", "RSS MB A/B", "ratio", "wire", "foreign"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.e.out, "%-34s %6d %8.1f %8.1f %8.1f %7.2f %5d/%-5d %6.2f %6.3f %7.2f\n", l.Job, l.N, l.PerS, l.P50, l.P99, l.CPU, l.RSSA, l.RSSB, l.Ratio, l.Wire, l.Foreign)
	return err
}
