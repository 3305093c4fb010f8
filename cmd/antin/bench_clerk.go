package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"antin/exchange"
)

// What is measured. jobPages is all pages together: everything a clerk waits for
// but sealing, its preview, and images that are drawn for the first time.
const (
	jobList    = "list"
	jobSearch  = "search"
	jobOpen    = "open"
	jobImage   = "image"
	jobDraw    = "image-first" // a page image that was not there yet
	jobNumber  = "number"
	jobPreview = "seal-preview"
	jobSeal    = "seal"
	jobSend    = "send"
	jobAccept  = "accept"
	jobPages   = "pages"
)

// benchMix is how often a clerk does what, in percent.
var benchMix = []struct {
	job  string
	part int
}{{jobList, 30}, {jobSearch, 20}, {jobOpen, 20}, {jobNumber, 8}, {jobSeal, 7}, {jobSend, 7}, {jobAccept, 8}}

// benchSeed makes the same choices in every run.
const benchSeed = 20261124

// maxPage bounds what is read of an answer.
const maxPage = 8 << 20

// jobFigures are the times of one job, in milliseconds.
type jobFigures struct {
	name   string
	page   bool
	n      int
	errors int
	ms     []float64
}

// at is the pth percentile.
func (j jobFigures) at(p int) float64 {
	if len(j.ms) == 0 {
		return 0
	}
	return j.ms[min(len(j.ms)-1, len(j.ms)*p/100)]
}

// pool hands out what waits for an act.
type pool struct {
	mu  sync.Mutex
	ids []exchange.ID
}

func (p *pool) take() (exchange.ID, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ids) == 0 {
		return "", false
	}
	id := p.ids[0]
	p.ids = p.ids[1:]
	return id, true
}

func (p *pool) put(id exchange.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids = append(p.ids, id)
}

// load is the clerks' work and what came of it.
type load struct {
	ready                        benchReady
	signed, numbered, seal, item pool

	mu    sync.Mutex
	jobs  map[string]*jobFigures
	drawn map[string]bool                   // images that are there
	acked map[string]map[exchange.ID]string // acts that were acknowledged, by job
	wrong []string
	any   *clerk // one of those who got in
}

func newLoad(r benchReady) *load {
	l := &load{ready: r, jobs: map[string]*jobFigures{}, drawn: map[string]bool{}, acked: map[string]map[exchange.ID]string{}}
	l.signed.ids, l.item.ids = r.Signed, r.Items
	return l
}

// work has every clerk act until the time is over, and returns how long it took.
func (l *load) work(ctx context.Context, length time.Duration) time.Duration {
	begin := time.Now()
	var clerks sync.WaitGroup
	for i, door := range l.ready.Doors {
		clerks.Go(func() {
			c, err := newClerk(ctx, l, i, door)
			if err != nil {
				l.fail("enter", err)
				return
			}
			l.mu.Lock()
			l.any = c
			l.mu.Unlock()
			c.work(ctx, begin, length, len(l.ready.Doors))
		})
	}
	clerks.Wait()
	return time.Since(begin)
}

// maxWrong bounds the failures that are told one by one.
const maxWrong = 20

func (l *load) fail(job string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures(job).errors++
	if len(l.wrong) < maxWrong {
		l.wrong = append(l.wrong, job+": "+err.Error())
	}
}

// figures must be called with the lock held.
func (l *load) figures(job string) *jobFigures {
	if l.jobs[job] == nil {
		l.jobs[job] = &jobFigures{name: job, page: !slices.Contains([]string{jobDraw, jobPreview, jobSeal}, job)}
	}
	return l.jobs[job]
}

func (l *load) took(job string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	j := l.figures(job)
	j.n++
	j.ms = append(j.ms, float64(d.Microseconds())/1000)
}

// done notes an act that the gateway acknowledged.
func (l *load) done(job string, id exchange.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked[job] == nil {
		l.acked[job] = map[exchange.ID]string{}
	}
	l.acked[job][id] = ""
}

// summary sorts the times and adds all pages together.
func (l *load) summary() (out []jobFigures) {
	pages := jobFigures{name: jobPages, page: true}
	for _, name := range []string{jobList, jobSearch, jobOpen, jobImage, jobNumber, jobSend, jobAccept, jobDraw, jobPreview, jobSeal, "enter"} {
		j := l.jobs[name]
		if j == nil {
			continue
		}
		if j.page {
			pages.n, pages.errors, pages.ms = pages.n+j.n, pages.errors+j.errors, append(pages.ms, j.ms...)
		}
		slices.Sort(j.ms)
		out = append(out, *j)
	}
	slices.Sort(pages.ms)
	return append(out, pages)
}

// clerk is one browser.
type clerk struct {
	*load
	http *http.Client
	rng  *rand.Rand
}

func newClerk(ctx context.Context, l *load, i int, door string) (*clerk, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &clerk{load: l, http: &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 6}},
		rng: rand.New(rand.NewPCG(benchSeed, uint64(i)))} //nolint:gosec // choices of a test
	_, err = c.get(ctx, door)
	return c, err
}

// work acts every benchThink, beginning somewhere within the first of them, so that
// the clerks do not act all at once.
func (c *clerk) work(ctx context.Context, begin time.Time, length time.Duration, clerks int) {
	next := begin.Add(time.Duration(c.rng.Int64N(int64(benchThink))))
	for next.Sub(begin) < length {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		c.act(ctx)
		if next = next.Add(benchThink); time.Now().After(next) { // a slow answer delays this clerk and nobody else
			next = time.Now()
		}
	}
}

// act does one thing of the mix. What has nothing to act on yet looks at a list.
func (c *clerk) act(ctx context.Context) {
	at := c.rng.IntN(100)
	for _, m := range benchMix {
		if at -= m.part; at < 0 {
			c.do(ctx, m.job)
			return
		}
	}
}

func (c *clerk) do(ctx context.Context, job string) {
	switch job {
	case jobSearch:
		_, words := benchSubject(c.rng.IntN(max(1, len(c.ready.Old))) * 37)
		_, _ = c.page(ctx, jobSearch, "/documents?q="+url.QueryEscape(words))
	case jobOpen:
		c.open(ctx)
	case jobNumber:
		c.from(ctx, &c.signed, &c.numbered, c.number)
	case jobSeal:
		c.from(ctx, &c.numbered, &c.seal, c.sealIt)
	case jobSend:
		c.from(ctx, &c.seal, nil, c.send)
	case jobAccept:
		c.from(ctx, &c.item, nil, c.accept)
	default:
		_, _ = c.page(ctx, jobList, []string{"/documents", "/inbox"}[c.rng.IntN(2)])
	}
}

// from takes something out of a pool, acts on it, and puts it into the next.
func (c *clerk) from(ctx context.Context, from, to *pool, act func(context.Context, exchange.ID) error) {
	id, ok := from.take()
	if !ok {
		_, _ = c.page(ctx, jobList, "/documents")
		return
	}
	if act(ctx, id) == nil && to != nil {
		to.put(id)
	}
}

// page gets one page and notes the time.
func (c *clerk) page(ctx context.Context, job, path string) (body string, err error) {
	begin := time.Now()
	body, err = c.get(ctx, path)
	if err != nil {
		c.fail(job, err)
		return "", err
	}
	c.took(job, time.Since(begin))
	return body, nil
}

// post sends a form, follows where it leads, and notes the time of both.
func (c *clerk) post(ctx context.Context, job, path string, id exchange.ID, form url.Values) error {
	form.Set("key", fmt.Sprintf("%s-%s-%d", job, id, c.rng.Uint64()))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.ready.Desk+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	begin := time.Now()
	if _, err = c.answer(req); err != nil {
		c.fail(job, err)
		return err
	}
	c.took(job, time.Since(begin))
	c.done(job, id)
	return nil
}

func (c *clerk) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.ready.Desk+path, nil)
	if err != nil {
		return "", err
	}
	return c.answer(req)
}

// errAnswer is an answer that is no success.
var errAnswer = errors.New("answered")

func (c *clerk) answer(req *http.Request) (string, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s %w %d", req.Method, req.URL.Path, errAnswer, res.StatusCode)
	}
	return string(body), nil
}

var (
	imageOf = regexp.MustCompile(`src="([^"]*/pages/\d+[^"]*)"`)
	shownOf = regexp.MustCompile(`name="shown" value="([0-9a-f]{64})"`)
)

// drawing is how often a page is asked for again whose image is still being made, as
// browsers do: every drawWait.
const (
	drawTries = 60
	drawWait  = time.Second
)

// shown gets a page that shows the file named, and its first image. The first look
// at a file has it drawn, which is another job.
func (c *clerk) shown(ctx context.Context, job, path, file string) (page string, err error) {
	c.mu.Lock()
	first := !c.drawn[file]
	c.mu.Unlock()
	image := jobImage
	if first {
		image = jobDraw
		if job == jobOpen {
			job = jobDraw
		}
	}
	if page, err = c.page(ctx, job, path); err != nil {
		return "", err
	}
	m := imageOf.FindStringSubmatch(page)
	for try := 0; m == nil && try < drawTries; try++ {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(drawWait):
		}
		if page, err = c.get(ctx, path); err != nil {
			c.fail(job, err)
			return "", err
		}
		m = imageOf.FindStringSubmatch(page)
	}
	if m == nil {
		err = errors.New("the page shows no image")
		c.fail(image, err)
		return "", err
	}
	if _, err = c.page(ctx, image, html.UnescapeString(m[1])); err != nil {
		return "", err
	}
	c.mu.Lock()
	c.drawn[file] = true
	c.mu.Unlock()
	return page, nil
}

// The client notes its own failures.
func (c *clerk) open(ctx context.Context) {
	if len(c.ready.Old) == 0 {
		_, _ = c.page(ctx, jobList, "/documents")
		return
	}
	d := c.ready.Old[c.rng.IntN(len(c.ready.Old))]
	_, _ = c.shown(ctx, jobOpen, "/documents/"+string(d.ID), fmt.Sprint(d.File))
}

func (c *clerk) number(ctx context.Context, id exchange.ID) error {
	return c.post(ctx, jobNumber, "/press/"+string(id)+"/number", id, url.Values{})
}

// sealIt looks at the preview and confirms what it shows.
func (c *clerk) sealIt(ctx context.Context, id exchange.ID) error {
	page, err := c.shown(ctx, jobPreview, "/press/"+string(id)+"/seal", "preview "+string(id))
	if err != nil {
		return err
	}
	m := shownOf.FindStringSubmatch(page)
	if m == nil {
		err := errors.New("the preview does not say what it shows")
		c.fail(jobSeal, err)
		return err
	}
	return c.post(ctx, jobSeal, "/press/"+string(id)+"/seal", id, url.Values{"shown": {m[1]}})
}

func (c *clerk) send(ctx context.Context, id exchange.ID) error {
	return c.post(ctx, jobSend, "/documents/"+string(id)+"/send", id, url.Values{"to": {"H98.35"}})
}

func (c *clerk) accept(ctx context.Context, id exchange.ID) error {
	return c.post(ctx, jobAccept, "/inbox/"+string(id)+"/accept", id, url.Values{"assignee": {"Văn phòng"}})
}

// standing is what the API says of a document or an item.
type standing struct {
	Stage         string `json:"stage"`
	CodeNumber    string `json:"code_number"`
	State         string `json:"state"`
	ArrivalNumber int    `json:"arrival_number"`
	Deliveries    []any  `json:"deliveries"`
	Accepted      *struct {
		At time.Time `json:"at"`
	} `json:"accepted"`
}

// check looks up every act that was acknowledged, and that no number was given
// twice. lost says what does not hold.
func (l *load) check(ctx context.Context) (lost []string, checked int, err error) {
	c := l.any
	if c == nil {
		return nil, 0, nil
	}
	numbers := map[string]exchange.ID{}
	for _, job := range []string{jobNumber, jobSeal, jobSend, jobAccept} {
		folder := "/v1/documents/"
		if job == jobAccept {
			folder = "/v1/inbox/"
		}
		for id := range l.acked[job] {
			checked++
			body, err := c.get(ctx, folder+string(id))
			var s standing
			if err == nil {
				err = json.Unmarshal([]byte(body), &s)
			}
			if err != nil {
				return lost, checked, err
			}
			if why := s.lacks(job); why != "" {
				lost = append(lost, job+" "+string(id)+": "+why)
				continue
			}
			number := ""
			switch job {
			case jobNumber:
				number = "đi " + s.CodeNumber
			case jobAccept:
				number = fmt.Sprintf("đến %d", s.ArrivalNumber)
			default:
				continue
			}
			if other, taken := numbers[number]; taken {
				lost = append(lost, fmt.Sprintf("%s: %s, %s", number, other, id))
			}
			numbers[number] = id
		}
	}
	return lost, checked, nil
}

// lacks says what an acknowledged act left undone; "" for nothing.
func (s standing) lacks(job string) string {
	ok := false
	switch job {
	case jobNumber:
		ok = s.CodeNumber != ""
	case jobSeal:
		ok = s.Stage == string(exchange.StageIssued)
	case jobSend:
		ok = len(s.Deliveries) == 1
	case jobAccept:
		ok = s.Accepted != nil && s.ArrivalNumber > 0
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("%+v", s)
}
