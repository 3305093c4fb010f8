package signbench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Line is one job's figures, as --json prints them.
type Line struct {
	Job  string  `json:"job"`
	N    int     `json:"n"`
	PerS float64 `json:"per_s"`
	// P50 and P99 are of single signatures, of whole batches divided by their size.
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	// CPU is the processor time of one signature, 0 where it was not measured.
	CPU float64 `json:"cpu_ms"`
	// RSS is the greatest resident size, 0 where it was not measured.
	RSS int `json:"rss_mb"`
	// Limit is the least time of what cannot be avoided, Ratio the least time of a
	// run divided by it: others' load can only add, so that the least is the truest.
	Limit float64 `json:"limit"`
	Ratio float64 `json:"ratio"`
	// Min is the least time of a run, Target what the job allows for it, and Words
	// how that is said.
	Min    float64 `json:"min_ms"`
	Target float64 `json:"target_ms"`
	Words  string  `json:"target"`
}

// Met reports whether the least time is within the target.
func (l Line) Met() bool { return l.Min <= l.Target }

// Figures collects the runs of one job.
type Figures struct {
	job          *Job
	took, limits []time.Duration
}

// Start begins the figures of j with a few runs that do not count.
func (j *Job) Start(ctx context.Context) (*Figures, error) {
	for range 2 {
		if _, err := j.once(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", j.Name, err)
		}
	}
	return &Figures{job: j}, nil
}

// Run runs the job once more.
func (f *Figures) Run(ctx context.Context) error {
	s, err := f.job.once(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", f.job.Name, err)
	}
	f.took, f.limits = append(f.took, s.took), append(f.limits, s.limit)
	return nil
}

// Measure runs j for about as long as given, and a few times at least.
func (j *Job) Measure(ctx context.Context, length time.Duration) (Line, error) {
	f, err := j.Start(ctx)
	if err != nil {
		return Line{}, err
	}
	for begin := time.Now(); len(f.took) < max(3, j.runs) || time.Since(begin) < length; {
		if err := f.Run(ctx); err != nil {
			return Line{}, err
		}
	}
	return f.Line(), nil
}

// Line sums up; there must have been a run.
func (f *Figures) Line() Line {
	j := f.job
	limit, least := slices.Min(f.limits), slices.Min(f.took)
	slices.Sort(f.took)
	each := time.Duration(j.each)
	return Line{Job: j.Name, N: len(f.took) * j.each, PerS: float64(j.each) / least.Seconds(),
		P50: milliseconds(f.took[len(f.took)/2] / each), P99: milliseconds(f.took[len(f.took)*99/100] / each),
		Limit: milliseconds(limit / each), Ratio: float64(least) / float64(limit),
		Min: milliseconds(least / each), Target: milliseconds(j.allowed(limit) / each), Words: j.Target}
}

// Table writes lines for people.
func Table(lines []Line) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%-34s %6s %9s %9s %9s %7s %9s %9s %8s %5s  %s\n", "job", "n", "min ms", "p50 ms", "p99 ms", "MB", "limit ms", "target ms", "ratio", "met", "target")
	for _, l := range lines {
		met := "yes"
		if !l.Met() {
			met = "NO"
		}
		fmt.Fprintf(&t, "%-34s %6d %9.3f %9.3f %9.3f %7d %9.3f %9.3f %8.2f %5s  %s\n", l.Job, l.N, l.Min, l.P50, l.P99, l.RSS, l.Limit, l.Target, l.Ratio, met, l.Words)
	}
	return t.String()
}
