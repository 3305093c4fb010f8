package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/exchange/jws"
	"antin/exchange/peer"
	"antin/signer/pdf"
)

const (
	crashTransfers = 50
	crashKills     = 10
	crashWindow    = 6 // documents on their way at a time
	// crashGap bounds how many facts of the one that is to die are awaited before it
	// dies; ten times as many must fit into what all transfers make.
	crashGap     = 14
	crashSeed    = 20261123 // of the moments, unless the environment gives another
	seedVariable = "ANTIN_TEST_SEED"
	// crashPatience is far over what the run takes: some seconds of work, and waits of
	// the lanes' back-off, 5 s at first, after the deaths of whom they lead to.
	crashPatience = 4 * time.Minute
	resumeEvery   = 5 * time.Second
)

// TestNothingIsLostOrDoubledWhenProcessesAreKilled runs two agencies as processes,
// kills one or the other at seeded moments, and compares what they hold at the end
// with what they had acknowledged.
func TestNothingIsLostOrDoubledWhenProcessesAreKilled(t *testing.T) {
	t.Parallel()
	seed := uint64(crashSeed)
	if v, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		seed = v
	}
	t.Logf("seed %d (%s sets another)", seed, seedVariable)
	s := newSupervisor(t, trial{transfers: crashTransfers, kills: crashKills, seed: seed})
	begin := time.Now()
	s.run()
	t.Logf("%d transfers, %d kills %v in %v", s.transfers, len(s.killed), s.killed, time.Since(begin).Round(time.Millisecond))
	s.check()
}

// trial is how an exchange between two processes is put to the test.
type trial struct {
	transfers int
	kills     int // from outside, at seeded facts
	seed      uint64
	patience  time.Duration // for the whole; 0 means crashPatience
	// harm is what the first life of a side is started with, as environment; such a
	// side may die by itself, once.
	harm [2][]string
	// drive makes the drive that the directory of a side lies on; nil, or a nil drive,
	// means this machine's own.
	drive func(who side, dir string) drive
	// place changes where a side keeps its rows and bytes, and where the other finds it.
	place func(s *savedAgency)
	// noted hears each fact after it was taken in.
	noted func(s *supervisor, h heardFact)
	// shaky says that what a process rests on may fail beside it: what it would not take
	// it is asked again, and in the end it must hold no more than when it began.
	shaky bool
}

// drive is a disk whose power can be cut.
type drive interface {
	// dark is closed when the power has gone; whoever uses the drive then waits.
	dark() <-chan struct{}
	// release lets those go, when their process has been killed.
	release()
	// lose lets go what was not durable when the process died. last puts the rest where
	// the drive was, to be looked into.
	lose(last bool) error
}

// check compares what both sides hold with what they had acknowledged.
func (s *supervisor) check() {
	s.t.Helper()
	a, b := s.reopen(sender), s.reopen(receiver)
	s.checkSender(a)
	s.checkReceiver(a, b)
	for _, n := range []*node{a, b} {
		s.checkBytes(n)
	}
	s.checkReplays(a, b)
	s.checkRoots(a, b)
}

// supervisor starts, feeds and kills the processes. What they acknowledged goes to
// the oracle, an append-only file, as it is heard.
type supervisor struct {
	trial
	t      *testing.T
	rng    *rand.Rand
	saved  [2]savedAgency
	procs  [2]*process
	heard  chan heardFact
	acts   chan func() // what others want done between two facts
	down   bool        // asking again is of no use now
	rested [2]bool     // has told that it holds no more than at first
	oracle *os.File

	killed    []string // in order: who, and after which fact
	drives    [2]drive // nil where a side is not on one
	cuts      [2]int   // how often the power went by itself
	lives     [2]int   // begun
	fell      [2]int   // how often a side died by the harm done to it
	next      side     // who dies next
	gap       int      // facts of it until then
	issued    int
	submitted map[int]string                // transfer of each acknowledged submission
	receipts  map[string]string             // digest of the receipt of each transfer, whoever told it
	told      [2]map[string]map[string]bool // by side and kind: transfers
}

// process is one life of an agency.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	stderr *watched
	ready  bool
	doomed bool
	harmed bool // may die by itself
}

type heardFact struct {
	who  side
	from *process
	gone bool
	fact
}

func newSupervisor(t *testing.T, what trial) *supervisor {
	t.Helper()
	s := &supervisor{trial: what, t: t, rng: rand.New(rand.NewPCG(what.seed, 0)), heard: make(chan heardFact, 64), acts: make(chan func(), 8),
		submitted: map[int]string{}, receipts: map[string]string{}, told: [2]map[string]map[string]bool{{}, {}}}
	dir := t.TempDir()
	pki, err := certstest.New(certstest.Options{LeafKey: certstest.P256, BaseURL: "http://127.0.0.1:1"})
	s.must(err)
	s.must(pki.Save(filepath.Join(dir, "pki")))
	s.oracle, err = os.OpenFile(filepath.Join(dir, "oracle"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	s.must(err)
	t.Cleanup(func() { s.oracle.Close() })
	since := time.Now().Add(-72 * time.Hour) // in force for a clock that is a day late, too
	common := savedAgency{PKI: filepath.Join(dir, "pki"), Since: since}
	for i, code := range []exchange.AgencyCode{"H98.21", "H98.35"} {
		id, err := peer.NewIdentity(nil, code, since, since.AddDate(1, 0, 0))
		s.must(err)
		s.saved[i].Key, err = x509.MarshalPKCS8PrivateKey(id.Key)
		s.must(err)
		common.Certificates[i], common.Addr[i] = id.Certificate, freePort(t)
	}
	for i := range s.saved {
		key := s.saved[i].Key
		s.saved[i] = common
		s.saved[i].Side, s.saved[i].Key = side(i), key
		s.saved[i].Dir = filepath.Join(dir, side(i).String())
	}
	for i := range s.saved {
		if s.place != nil {
			s.place(&s.saved[i])
		}
		for j := range s.saved {
			s.saved[j].Via[i] = s.saved[i].Via[i]
		}
	}
	for i := range s.saved {
		data, err := json.Marshal(s.saved[i])
		s.must(err)
		s.must(os.WriteFile(s.file(side(i)), data, 0o600))
	}
	for i := range s.saved {
		if s.drive != nil {
			s.drives[i] = s.drive(side(i), s.saved[i].Dir)
		}
	}
	for i := 1; i <= s.transfers; i++ {
		s.must(os.WriteFile(filepath.Join(dir, fmt.Sprintf("vanban-%d.pdf", i)), crashPDF(t, i), 0o600))
	}
	return s
}

func (s *supervisor) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *supervisor) file(who side) string { return s.saved[who].Dir + ".json" }

// freePort returns an address that a process can have again after each death: a
// port below those that the system gives to connections and to other tests, and which
// no other test is given until this one has ended, in whatever process it runs.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := 20000 + rand.IntN(10000)
		lease, err := net.Listen("unix", leaseOf(port))
		if err != nil {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			lease.Close()
			continue
		}
		l.Close()
		t.Cleanup(func() { lease.Close() })
		return addr
	}
	t.Fatal("no free port")
	return ""
}

// leaseOf is the name under which a port is given away: one that goes with its process
// where the system has such names, and a file elsewhere.
func leaseOf(port int) string {
	name := fmt.Sprintf("antin-test-port-%d", port)
	if runtime.GOOS == "linux" {
		return "@" + name
	}
	return filepath.Join(os.TempDir(), name)
}

// crashPDF is document i: small ones, which are rows in the database, some that are
// files, and some so great that they travel in parts.
func crashPDF(t *testing.T, i int) []byte {
	t.Helper()
	size := 500
	switch i % 8 {
	case 3:
		size = 150 << 10
	case 6:
		size = 1200 << 10
	}
	noise := make([]byte, size)
	r := rand.New(rand.NewPCG(uint64(i), 1))
	for j := range noise {
		noise[j] = byte(r.Uint32())
	}
	doc := pdf.NewDocument("1.7")
	content := doc.Add(pdf.NewStream(pdf.NewDict(), fmt.Appendf(nil, "%% %d %x", i, noise)))
	pages := doc.Reserve()
	page := doc.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Page"), pdf.Name("Parent"), pages, pdf.Name("Contents"), content,
		pdf.Name("MediaBox"), pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(595), pdf.Int(842)}, pdf.Name("Resources"), pdf.NewDict()))
	doc.Put(pages, pdf.NewDict(pdf.Name("Type"), pdf.Name("Pages"), pdf.Name("Kids"), pdf.Array{page}, pdf.Name("Count"), pdf.Int(1)))
	out, err := doc.Build(doc.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Catalog"), pdf.Name("Pages"), pages)), pdf.Ref{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run drives the processes until all documents and their statuses have arrived.
func (s *supervisor) run() {
	s.start(sender)
	s.start(receiver)
	s.aim()
	patience := cmp.Or(s.patience, crashPatience)
	late := time.After(patience)
	// Where what they rest on fails, back-offs grow to minutes: nobody waits for that.
	again := time.NewTicker(resumeEvery)
	defer again.Stop()
	for !s.finished() {
		select {
		case <-again.C:
			if s.shaky && !s.down {
				s.resume()
			}
		case h := <-s.heard:
			s.hear(h)
		case act := <-s.acts:
			act()
		case <-s.dark(sender):
			s.outage(sender)
		case <-s.dark(receiver):
			s.outage(receiver)
		case <-late:
			s.t.Fatalf("not finished after %v: %s", patience, s.standing())
		}
	}
	if s.shaky {
		s.rest(late)
	}
	if len(s.killed) != s.kills {
		s.t.Errorf("only %d of %d kills found their moment", len(s.killed), s.kills)
	}
	for _, who := range []side{sender, receiver} { // the end is a death as well
		p := s.procs[who]
		p.doomed = true
		s.must(p.cmd.Process.Kill())
		if s.drives[who] != nil {
			s.drives[who].release()
		}
	}
	for left := 2; left > 0; {
		if h := <-s.heard; h.gone {
			left--
		} else {
			s.note(h)
		}
	}
	for _, d := range s.drives {
		if d != nil {
			s.must(d.lose(true))
		}
	}
}

// rest has both processes tell whether they have given back what they took.
func (s *supervisor) rest(late <-chan time.Time) {
	for _, p := range s.procs {
		fmt.Fprintln(p.in, orderMeasure)
	}
	for s.rested != [2]bool{true, true} {
		select {
		case h := <-s.heard:
			s.hear(h)
		case act := <-s.acts:
			act()
		case <-late:
			s.t.Fatalf("they do not come to rest: %s", s.standing())
		}
	}
}

// resume has both clerks not wait for the end of a back-off.
func (s *supervisor) resume() {
	for _, p := range s.procs {
		fmt.Fprintln(p.in, orderResume)
	}
}

// dark tells of the power of a side that lives; nil where it cannot go.
func (s *supervisor) dark(who side) <-chan struct{} {
	if s.drives[who] == nil || s.procs[who].doomed {
		return nil
	}
	return s.drives[who].dark()
}

// outage ends a process whose disk has no power: nothing that it says from now on rests
// on more than it had.
func (s *supervisor) outage(who side) {
	p := s.procs[who]
	p.doomed = true
	s.cuts[who]++
	s.must(p.cmd.Process.Kill())
	s.drives[who].release()
}

// start begins a life of who.
func (s *supervisor) start(who side) {
	s.t.Helper()
	p := &process{cmd: again(s.t, roleAgency, s.file(who)), stderr: newWatched()}
	p.cmd.Stderr = p.stderr
	if s.lives[who]++; s.lives[who] == 1 && len(s.harm[who]) > 0 {
		p.cmd.Env, p.harmed = append(p.cmd.Env, s.harm[who]...), true
	}
	var err error
	p.in, err = p.cmd.StdinPipe()
	s.must(err)
	out, err := p.cmd.StdoutPipe()
	s.must(err)
	s.must(p.cmd.Start())
	s.procs[who] = p
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			h := heardFact{who: who, from: p}
			if err := json.Unmarshal(lines.Bytes(), &h.fact); err != nil {
				continue // the last line of the dead may be half a line
			}
			s.heard <- h
		}
		_ = p.cmd.Wait()
		s.heard <- heardFact{who: who, from: p, gone: true}
	}()
}

// aim chooses who dies next, and when: each side as often as the other, after some
// facts of its own.
func (s *supervisor) aim() {
	s.next = side(s.rng.IntN(2))
	of := 0
	for _, k := range s.killed {
		if k[:1] == s.next.String() {
			of++
		}
	}
	if of == s.kills/2 {
		s.next = 1 - s.next
	}
	s.gap = 1 + s.rng.IntN(crashGap)
}

// hear takes in one fact, and kills when it was the one.
func (s *supervisor) hear(h heardFact) {
	p := s.procs[h.who]
	if h.gone {
		switch {
		case p.doomed, s.shaky && !p.ready: // the latter cannot begin now
		case !p.harmed || h.from != p:
			s.t.Fatalf("%s died by itself: %s", h.who, p.stderr)
		default:
			s.fell[h.who]++
		}
		if d := s.drives[h.who]; d != nil {
			s.must(d.lose(false))
		}
		s.start(h.who)
		return
	}
	s.note(h)
	if s.noted != nil {
		defer s.noted(s, h)
	}
	switch h.Kind {
	case factMeasured:
		if s.rested[h.who] = true; h.Error != "" {
			s.t.Errorf("%s: %s", h.who, h.Error)
		}
	case factFailed:
		switch {
		case s.down: // it is asked again when that has ended
			return
		case s.shaky && h.N == 0: // a clerk's order to go on
			return
		case s.shaky, p.harmed && h.from == p: // it could not then; it must when asked again
			s.submit(h.N)
			return
		}
		s.t.Fatalf("%s would not take document %d: %s", h.who, h.N, h.Error)
	case factReady:
		p.ready = true
		s.repeat(h.who)
		// Every other time someone does not wait for the back-off to end.
		if len(s.killed)%2 == 1 || s.fell[h.who] > 0 {
			fmt.Fprintln(s.procs[1-h.who].in, orderResume)
		}
	}
	s.feed()
	if h.who != s.next || h.Old || !p.ready || p.doomed || len(s.killed) == s.kills {
		return
	}
	if s.gap--; s.gap > 0 {
		return
	}
	p.doomed = true
	s.must(p.cmd.Process.Kill())
	s.killed = append(s.killed, fmt.Sprintf("%s:%s", h.who, h.Kind))
	s.aim()
}

// note writes a fact to the oracle and compares it with what was told before.
func (s *supervisor) note(h heardFact) {
	line, err := json.Marshal(struct {
		Who string `json:"who"`
		fact
	}{h.who.String(), h.fact})
	s.must(err)
	_, err = s.oracle.Write(append(line, '\n'))
	s.must(err)
	if h.Kind == factSubmitted {
		if known, ok := s.submitted[h.N]; ok && known != h.Transfer {
			s.t.Errorf("document %d was acknowledged as transfer %s, then as %s", h.N, known, h.Transfer)
		}
		s.submitted[h.N] = h.Transfer
	}
	if h.Receipt != "" {
		if known, ok := s.receipts[h.Transfer]; ok && known != h.Receipt {
			s.t.Errorf("transfer %s: two receipts were committed", h.Transfer)
		}
		s.receipts[h.Transfer] = h.Receipt
	}
	if s.told[h.who][h.Kind] == nil {
		s.told[h.who][h.Kind] = map[string]bool{}
	}
	s.told[h.who][h.Kind][h.Transfer] = true
}

// feed keeps a window of documents on their way.
func (s *supervisor) feed() {
	for s.procs[sender].ready && !s.procs[sender].doomed && s.issued < s.transfers && s.issued-len(s.told[sender][factDelivered]) < crashWindow {
		s.issued++
		s.submit(s.issued)
	}
}

// repeat hands a new sender what the old one did not acknowledge.
func (s *supervisor) repeat(who side) {
	for i := 1; who == sender && i <= s.issued; i++ {
		if _, ok := s.submitted[i]; !ok {
			s.submit(i)
		}
	}
}

// submit may write to a process that has just died: the next one is asked again.
func (s *supervisor) submit(i int) { fmt.Fprintln(s.procs[sender].in, i) }

// finished reports whether everything is told: each document delivered, each
// status about it delivered and taken in.
func (s *supervisor) finished() bool {
	for _, who := range []side{sender, receiver} {
		if len(s.told[who][factDelivered]) < s.transfers || len(s.told[who][factChecked]) < s.transfers || s.procs[who].doomed {
			return false
		}
	}
	return len(s.submitted) == s.transfers
}

func (s *supervisor) standing() string {
	out := fmt.Sprintf("%d submitted, killed %v", len(s.submitted), s.killed)
	for _, who := range []side{sender, receiver} {
		out += fmt.Sprintf("\n%s: ready %v, %d delivered, %d checked; %s", who, s.procs[who].ready,
			len(s.told[who][factDelivered]), len(s.told[who][factChecked]), s.procs[who].stderr)
	}
	return out
}

// reopen opens what a dead agency left.
func (s *supervisor) reopen(who side) *node {
	s.t.Helper()
	n, err := s.saved[who].open(s.t.Context(), testEnv(io.Discard))
	s.must(err)
	s.t.Cleanup(n.close)
	return n
}

// checkSender compares A with the oracle.
func (s *supervisor) checkSender(a *node) {
	ctx := s.t.Context()
	docs, err := a.outbox.List(ctx, a.clerk, exchange.DocumentFilter{Page: exchange.Page{Limit: 500}})
	s.must(err)
	if len(docs) != s.transfers {
		s.t.Errorf("A holds %d documents", len(docs))
	}
	agencyB, err := a.outbox.Directory.Agency(ctx, "H98.35")
	s.must(err)
	keys, err := jws.NewKeys(agencyB.Keys[0].Public)
	s.must(err)
	for _, doc := range docs {
		i := doc.Issuance.Number.Seq
		if len(doc.Deliveries) != 1 || string(doc.Deliveries[0].TransferID) != s.submitted[i] {
			s.t.Errorf("document %d has %d deliveries, or not the one acknowledged", i, len(doc.Deliveries))
			continue
		}
		d := doc.Deliveries[0]
		if d.State != exchange.DeliveryDelivered || string(exchange.DigestOf(d.Receipt)) != s.receipts[string(d.TransferID)] {
			s.t.Errorf("document %d is %s with another receipt than was told", i, d.State)
		}
		m, id, err := jws.PeekManifest(d.Manifest)
		s.must(err)
		if said, _, err := jws.VerifyReceipt(d.Receipt, keys); err != nil || !said.Answers(m, id) || said.Outcome != jws.Received {
			s.t.Errorf("document %d: the receipt proves nothing: %v", i, err)
		}
		if len(d.History) != 1 || d.History[0].Code != exchange.StatusArrived {
			s.t.Errorf("document %d: history %v", i, d.History)
		}
		s.checkEvents(a, doc.ID, map[exchange.EventKind]int{
			exchange.EventDocumentCreated: 1, exchange.EventSent: 1, exchange.EventDelivered: 1, exchange.EventStatusReceived: 1,
		})
	}
}

// checkReceiver compares B with A.
func (s *supervisor) checkReceiver(a, b *node) {
	items, err := b.inbox.List(s.t.Context(), b.clerk, exchange.InboxFilter{Page: exchange.Page{Limit: 500}})
	s.must(err)
	held := map[string]int{}
	for _, i := range items {
		held[string(i.TransferID)]++
		if i.State != exchange.InboxWaiting || i.Verdict != exchange.VerdictUnsigned || i.Told != exchange.DeliveryDelivered {
			s.t.Errorf("item of %s is %s, %s, told %s: %v", i.TransferID, i.State, i.Verdict, i.Told, i.Problem)
		}
		s.checkEvents(b, i.ID, map[exchange.EventKind]int{
			exchange.EventReceived: 1, exchange.EventValidated: 1, exchange.EventSent: 1, exchange.EventDelivered: 1,
		})
	}
	for n, transfer := range s.submitted {
		if held[transfer] != 1 {
			s.t.Errorf("document %d arrived %d times", n, held[transfer])
		}
	}
	if len(items) != s.transfers {
		s.t.Errorf("B holds %d documents", len(items))
	}
	statuses, err := a.inbox.List(s.t.Context(), a.clerk, exchange.InboxFilter{Kind: exchange.KindStatus, Page: exchange.Page{Limit: 500}})
	s.must(err)
	if len(statuses) != s.transfers {
		s.t.Errorf("A holds %d statuses", len(statuses))
	}
}

// checkEvents counts the facts of one timeline.
func (s *supervisor) checkEvents(n *node, id exchange.ID, want map[exchange.EventKind]int) {
	events, err := n.evidence.Timeline(s.t.Context(), n.clerk, id)
	s.must(err)
	got := map[exchange.EventKind]int{}
	for _, e := range events {
		got[e.Kind]++
	}
	delete(got, exchange.EventDeliveryResumed) // as often as the clerk did
	for kind, times := range want {
		if got[kind] != times {
			s.t.Errorf("%s of %s is in the evidence %d times", kind, id, got[kind])
		}
	}
	if len(got) != len(want) {
		s.t.Errorf("evidence of %s: %v", id, got)
	}
}

// checkBytes verifies the evidence chain and every byte that a row names.
func (s *supervisor) checkBytes(n *node) {
	ctx := s.t.Context()
	if events, _, err := n.evidence.Verify(ctx, n.office.Agency.Code); err != nil || events < int64(4*s.transfers) {
		s.t.Errorf("evidence of %s: %d events, %v", n.office.Agency.Code, events, err)
	}
	all, err := everything(ctx, n)
	s.must(err)
	if len(all.deliveries) != s.transfers || len(all.transfers) != s.transfers {
		s.t.Errorf("%s: %d deliveries, %d transfers", n.office.Agency.Code, len(all.deliveries), len(all.transfers))
	}
	for _, b := range all.blobs() {
		if err := n.db.Verify(ctx, b.Digest); err != nil {
			s.t.Errorf("%s: a row names bytes that are not there: %v", n.office.Agency.Code, err)
		}
	}
}

// checkReplays sends every transfer again, both ways: the same receipt bytes come
// back and nothing changes.
func (s *supervisor) checkReplays(a, b *node) {
	before := [2]string{s.print(a), s.print(b)}
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan error, 2)
	for _, n := range []*node{a, b} {
		go func() { ended <- n.run(ctx) }()
	}
	for _, way := range [][2]*node{{a, b}, {b, a}} {
		from, to := way[0], way[1]
		all, err := everything(ctx, from)
		s.must(err)
		for _, d := range all.deliveries {
			receipt, err := from.client.Deliver(ctx, to.office.Agency, envelopeOf(from, d))
			if err != nil || !bytes.Equal(receipt, d.Receipt) {
				s.t.Errorf("the repeat of %s got another receipt: %v", d.TransferID, err)
			}
		}
	}
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	}
	if after := [2]string{s.print(a), s.print(b)}; after != before {
		s.t.Error("repeats changed something")
	}
}

// checkRoots compares what both sides say of the transfers between them, as their daily
// reconciliation does.
func (s *supervisor) checkRoots(a, b *node) {
	s.t.Helper()
	counted := map[exchange.AgencyCode]int{}
	days := []time.Time{time.Now().AddDate(0, 0, -1), time.Now(), time.Now().AddDate(0, 0, 1)} // a clock may have been moved
	for _, day := range days {
		for _, way := range [][2]*node{{a, b}, {b, a}} {
			from, to := way[0].office.Agency.Code, way[1].office.Agency.Code
			q := exchange.DayQuery{Day: day, Sender: from, Recipient: to}
			sent, err := (&exchange.Ledger{Store: way[0].db, Offices: way[0].offices}).Day(s.t.Context(), to, q)
			s.must(err)
			got, err := (&exchange.Ledger{Store: way[1].db, Offices: way[1].offices}).Day(s.t.Context(), from, q)
			s.must(err)
			if sent.Root != got.Root || sent.Count != got.Count {
				s.t.Errorf("%s to %s on %s: %d settled at the sender, %d at the receiver, or others", from, to, day.UTC().Format(time.DateOnly), sent.Count, got.Count)
			}
			counted[from] += got.Count
		}
	}
	for code, n := range counted {
		if n != s.transfers {
			s.t.Errorf("%s: %d transfers are in the ledger", code, n)
		}
	}
}

// print is everything that n holds as one text, its evidence included.
func (s *supervisor) print(n *node) string {
	s.t.Helper()
	all, err := everything(s.t.Context(), n)
	s.must(err)
	_, head, err := n.evidence.Verify(s.t.Context(), n.office.Agency.Code)
	s.must(err)
	data, err := json.Marshal([]any{all.documents, all.deliveries, all.items, all.transfers, head})
	s.must(err)
	return string(data)
}

// envelopeOf is a delivery as it goes on the wire.
func envelopeOf(n *node, d exchange.Delivery) exchange.Envelope {
	return exchange.Envelope{
		TransferID: d.TransferID, From: d.Agency, To: d.To, Manifest: d.Manifest, Payload: d.Payload,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return n.db.Open(ctx, d.Payload.Digest) },
	}
}
