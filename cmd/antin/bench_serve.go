package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/internal/text"
)

const (
	// benchThink is how often each clerk acts.
	benchThink = 3 * time.Second
	// benchFillLimit bounds filling the database, which grows with --documents.
	benchFillLimit = time.Hour
)

// benchCmd measures.
type benchCmd struct {
	Exchange benchExchangeCmd `cmd:"" help:"${help_bench_exchange}"`
	Serve    benchServeCmd    `cmd:"" help:"${help_bench_serve}"`
	Sign     benchSignCmd     `cmd:"" help:"${help_bench_sign}"`
	Verify   benchVerifyCmd   `cmd:"" help:"${help_bench_verify}"`
}

// benchServeCmd has clerks work with one gateway.
type benchServeCmd struct {
	Clerks    int     `help:"${help_bench_serve_clerks}" default:"30" placeholder:"N"`
	Minutes   float64 `help:"${help_bench_serve_minutes}" default:"3" placeholder:"N"`
	Documents int     `help:"${help_bench_serve_documents}" default:"100000" placeholder:"N"`
	Limit     float64 `help:"${help_bench_serve_limit}" default:"250" placeholder:"MS"`
	JSON      bool    `name:"json" help:"${help_bench_serve_json}"`
}

func (c *benchServeCmd) check() error {
	for _, v := range []struct {
		flag string
		ok   bool
	}{{"--clerks", c.Clerks >= 1 && c.Clerks <= 1000}, {"--minutes", c.Minutes > 0 && c.Minutes <= 600}, {"--documents", c.Documents >= 1 && c.Documents <= 10_000_000},
		{"--limit", c.Limit > 0}} {
		if !v.ok {
			return text.Detailed(text.InvalidInput, nil, "exchange.field", v.flag)
		}
	}
	return nil
}

// length is how long is measured.
func (c *benchServeCmd) length() time.Duration {
	return time.Duration(c.Minutes * float64(time.Minute))
}

// Run fills a gateway, has clerks work with it, checks what it acknowledged and
// prints the figures. It fails when an act failed or was lost, or pages were slow.
func (c *benchServeCmd) Run(e *env, ctx *ctxHolder) error {
	if err := c.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "antin-bench-")
	if err != nil {
		return storageError(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	machine, err := measureMachine(dir)
	if err != nil {
		return err
	}
	e.say("bench.filling", c.Documents)
	begin := time.Now()
	b, err := c.start(ctx, e, dir)
	if err != nil {
		return err
	}
	defer b.stop()
	e.say("bench.filled", time.Since(begin).Round(time.Second), c.Clerks, c.length())
	l := newLoad(b.ready)
	before := b.usage()
	took := l.work(ctx, c.length())
	used := b.usage().since(before)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	lost, checked, err := l.check(ctx)
	if err != nil {
		return err
	}
	r := benchReport{machine: machine, took: took, used: used, jobs: l.summary(), checked: checked, lost: lost, wrong: l.wrong, limit: c.Limit}
	if err := r.print(e, c.JSON); err != nil {
		return err
	}
	return r.verdict(e)
}

// rig is what is measured and what is around it.
type rig struct {
	ready benchReady
	cmd   *exec.Cmd
	in    io.WriteCloser
	other *node
	ended sync.WaitGroup
	quit  context.CancelFunc
}

// start prepares the trust services and the other agency in this process, and the
// gateway in its own.
func (c *benchServeCmd) start(ctx context.Context, e *env, dir string) (_ *rig, err error) {
	ctx, quit := context.WithCancel(ctx)
	b := &rig{quit: quit}
	defer func() {
		if err != nil {
			b.stop()
		}
	}()
	trust, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	allow := trust.Addr().String()
	pki, err := certstest.New(certstest.Options{BaseURL: "http://" + allow, Now: e.now})
	if err != nil {
		return nil, err
	}
	if err = pki.Save(filepath.Join(dir, "pki")); err != nil {
		return nil, storageError(err)
	}
	b.ended.Go(func() { _ = serveUntil(ctx, trust, pki.Handler()) })
	_, setup := demoAgencies(pki)
	setup.leader = pki.Leader().Certificate.CommonName // the other agency sends as well
	if b.other, err = newNode(ctx, e, setup, "http://"+allow+"/q"); err != nil {
		return nil, err
	}
	plan := benchPlan{Peer: benchPeer{Endpoint: b.other.office.Agency.Endpoint, Certificate: b.other.identity.Certificate}, Allow: allow,
		Base: "http://" + allow, Documents: c.Documents, Clerks: c.Clerks}
	acts := float64(c.Clerks) * (c.length().Seconds()/benchThink.Seconds() + 1)
	plan.Drafts, plan.Items = int(acts*0.4)+100, int(acts*0.2)+50
	return b, b.fill(ctx, e, dir, plan, pki)
}

// fill starts the gateway, has the other agency send it a document, and waits until
// it is full.
func (b *rig) fill(ctx context.Context, e *env, dir string, plan benchPlan, pki *certstest.PKI) error {
	self, err := selfCommand("bench-gateway")
	if err != nil {
		return err
	}
	b.cmd = exec.Command(self[0], append(self[1:], dir)...) //nolint:gosec,noctx // this very program; ends with its standard input
	b.cmd.Stderr = e.err
	out, err := b.cmd.StdoutPipe()
	if err == nil {
		b.in, err = b.cmd.StdinPipe()
	}
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		return childError(err)
	}
	late := time.AfterFunc(benchFillLimit, func() { _ = b.cmd.Process.Kill() })
	defer late.Stop()
	if err := printJSON(b.in, plan); err != nil {
		return childError(err)
	}
	lines := bufio.NewReader(out)
	var gateway benchPeer
	if err := readLine(lines, &gateway); err != nil {
		return childError(err)
	}
	if err := b.send(ctx, e, dir, gateway, plan, pki); err != nil {
		return err
	}
	if err := readLine(lines, &b.ready); err != nil {
		return childError(err)
	}
	return nil
}

// send has the other agency send the document of which the received ones are copies.
func (b *rig) send(ctx context.Context, e *env, dir string, gateway benchPeer, plan benchPlan, pki *certstest.PKI) error {
	setup, _ := demoAgencies(pki)
	peer, err := benchAgency(setup, gateway, e.now().Add(-time.Hour))
	if err != nil {
		return err
	}
	client, err := fetch.New(fetch.Options{AllowHosts: []string{plan.Allow}, Now: e.now})
	if err != nil {
		return err
	}
	quiet := *e
	quiet.quiet = true // it is asked about documents that only the gateway's copies know
	if err := b.other.open(ctx, &quiet, filepath.Join(dir, "b"), exchange.AgencyList{peer, b.other.office.Agency}, pki, client); err != nil {
		return err
	}
	b.ended.Go(func() { _ = b.other.run(ctx) })
	f := filler{n: b.other}
	d, err := f.draft(ctx, 0)
	if err == nil {
		_, err = b.other.outbox.Seal(ctx, b.other.clerk, d.ID)
	}
	if err == nil {
		_, err = b.other.outbox.Send(ctx, b.other.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{peer.Code}})
	}
	return err
}

// stop ends everything; it may be called twice.
func (b *rig) stop() {
	if b.in != nil {
		_ = b.in.Close()
		_ = b.cmd.Wait()
		b.in = nil
	}
	b.quit()
	b.ended.Wait()
	if b.other != nil {
		b.other.close()
		b.other = nil
	}
}

// usage is what the gateway's process has used so far.
func (b *rig) usage() processUsage { return usageOf(b.cmd.Process.Pid) }

// benchReport is everything that is printed.
type benchReport struct {
	machine machineFigures
	took    time.Duration
	used    processUsage
	jobs    []jobFigures
	checked int
	lost    []string
	wrong   []string
	limit   float64 // of pages: what 95 of 100 must stay below, in milliseconds
}

// benchLine is one line of --json.
type benchLine struct {
	Job    string  `json:"job"`
	N      int     `json:"n"`
	PerS   float64 `json:"per_s"`
	P50    float64 `json:"p50_ms"`
	P95    float64 `json:"p95_ms"`
	P99    float64 `json:"p99_ms"`
	CPU    float64 `json:"cpu_ms"`
	RSS    int     `json:"rss_mb"`
	Limit  float64 `json:"limit"`
	Ratio  float64 `json:"ratio"`
	Errors int     `json:"errors"`
	Lost   int     `json:"lost"`
}

// line gives a job its figures; limit is what p95 must stay below, 0 for none.
// What the process used is spread over all that was done.
func (r benchReport) line(j jobFigures, all int) benchLine {
	l := benchLine{Job: j.name, N: j.n, PerS: float64(j.n) / r.took.Seconds(), P50: j.at(50), P95: j.at(95), P99: j.at(99),
		CPU: r.used.cpu.Seconds() * 1000 / float64(max(1, all)), RSS: r.used.peakMB, Errors: j.errors}
	if j.page {
		l.Limit = r.limit
		l.Ratio = l.P95 / l.Limit
	}
	return l
}

func (r benchReport) all() (n int) {
	for _, j := range r.jobs {
		if j.name != jobPages {
			n += j.n
		}
	}
	return n
}

func (r benchReport) print(e *env, asJSON bool) error {
	if asJSON {
		for _, j := range r.jobs {
			l := r.line(j, r.all())
			if j.name == jobPages {
				l.Lost = len(r.lost)
			}
			if err := printJSON(e.out, l); err != nil {
				return err
			}
		}
		return nil
	}
	var t strings.Builder
	word := func(k text.Key) string { return text.Get(k).In(e.lang) }
	fmt.Fprintln(&t, text.Get("bench.machine", r.machine.cores, r.machine.fsyncs, r.machine.signatures).In(e.lang))
	fmt.Fprintf(&t, "%-16s %7s %7s %8s %8s %8s %6s\n", word("bench.job"), word("bench.number"), "/s", "p50 ms", "p95 ms", "p99 ms", word("bench.errors"))
	for _, j := range r.jobs {
		l := r.line(j, r.all())
		fmt.Fprintf(&t, "%-16s %7d %7.2f %8.1f %8.1f %8.1f %6d\n", l.Job, l.N, l.PerS, l.P50, l.P95, l.P99, l.Errors)
	}
	fmt.Fprintln(&t, text.Get("bench.process", r.used.cpu.Seconds(), 100*r.used.cpu.Seconds()/r.took.Seconds(), r.used.peakMB).In(e.lang))
	fmt.Fprintln(&t, text.Get("bench.held", r.checked, len(r.lost)).In(e.lang))
	fmt.Fprintln(&t, text.Get("bench.pages", r.pages(), r.limit).In(e.lang))
	_, err := io.WriteString(e.out, t.String())
	return err
}

func (r benchReport) pages() float64 {
	for _, j := range r.jobs {
		if j.name == jobPages {
			return j.at(95)
		}
	}
	return 0
}

// verdict is exit 1 when something failed, was lost, or was too slow.
func (r benchReport) verdict(e *env) error {
	for _, w := range append(r.wrong, r.lost...) {
		e.warn("bench.wrong", w)
	}
	if len(r.wrong) > 0 || len(r.lost) > 0 || r.pages() >= r.limit {
		return exitError(1)
	}
	return nil
}
