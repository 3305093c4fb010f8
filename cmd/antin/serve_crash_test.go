//go:build !windows

package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/signer"
	"antin/signer/keys/helper"
	"antin/store"
)

const (
	// momentsVariable sets how many moments of each act are tried; the proof on record
	// is of 20, each run of the tests tries a few.
	momentsVariable = "ANTIN_TEST_MOMENTS"
	fewMoments      = 3
	// killWithin is the span in which a request dies, in milliseconds: longer than the
	// longest of them takes.
	killWithin = 120
	// servePatience is far over what serve needs to answer.
	servePatience = 2 * time.Minute
)

// TestNothingIsHalfDoneWhenServeIsKilled kills the program while a văn thư numbers,
// seals, sends or accepts, at seeded moments of the request. What it left must be all
// of the act or nothing of it; the same request, sent again to its next life, must
// then do it once.
func TestNothingIsHalfDoneWhenServeIsKilled(t *testing.T) {
	t.Parallel()
	moments := fewMoments
	if n, err := strconv.Atoi(os.Getenv(momentsVariable)); err == nil {
		moments = n
	}
	seed := uint64(crashSeed)
	if v, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		seed = v
	}
	t.Logf("seed %d, %d moments of each act", seed, moments)
	a := newServed(t, moments)
	rng := mrand.New(mrand.NewPCG(seed, 1))
	begin, early := time.Now(), 0
	for i := range moments {
		for _, act := range []string{"number", "seal", "send", "accept"} {
			id := a.subjects[act][i]
			form := a.ready(act, id)
			if !a.killDuring(act, id, form, time.Duration(rng.IntN(killWithin*1000))*time.Microsecond) {
				early++
			}
			a.check(act, id, false)
			a.start()
			a.repeat(act, id, form)
		}
	}
	a.kill()
	for act, ids := range a.subjects {
		for _, id := range ids[:moments] {
			a.check(act, id, true)
		}
	}
	a.checkWhole()
	t.Logf("%d deaths, %d before the answer, in %v", 4*moments, early, time.Since(begin).Round(time.Millisecond))
}

// served is one agency run by the program as it ships.
type served struct {
	t        *testing.T
	dir      string
	file     string // its configuration
	desk     string // address of the clerks' pages
	env      []string
	cmd      *exec.Cmd
	stderr   *watched
	client   *http.Client
	cookies  []*http.Cookie
	subjects map[string][]exchange.ID
	agency   exchange.AgencyCode
	peer     exchange.AgencyCode
	clerk    exchange.Actor
}

const servedPassword = "mat-khau-thu-nghiem-1"

// newServed sets an agency up with n subjects for each act, and starts it.
func newServed(t *testing.T, n int) *served {
	t.Helper()
	a := &served{t: t, dir: filepath.Join(t.TempDir(), "a"), agency: "H98.61", peer: "H98.62", subjects: map[string][]exchange.ID{},
		client: &http.Client{Timeout: servePatience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	pki := newPlainPKI(t)
	a.desk = freePort(t)
	a.must(a.run("init", "--no-input", "--dir", a.dir, "--code", string(a.agency), "--name", "UBND XÃ THỬ", "--place", "Thử",
		"--desk-url", "http://"+a.desk, "--public-url", "http://"+freePort(t), "--peer-url", "https://"+freePort(t)))
	a.file = filepath.Join(a.dir, "antin.yaml")
	socket := pki.serveSeal(t)
	anchors := filepath.Join(t.TempDir(), "anchor.pem")
	a.must(os.WriteFile(anchors, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.ca.Certificate.Raw}), 0o600))
	directory := filepath.Join(t.TempDir(), "peers.yaml")
	a.env = []string{"ANTIN_LISTEN_DESK=" + a.desk, "ANTIN_LISTEN_PUBLIC=" + freePort(t), "ANTIN_LISTEN_PEER=" + freePort(t), "ANTIN_LISTEN_ADMIN=" + freePort(t),
		"ANTIN_TRUST_ANCHORS=" + anchors, "ANTIN_TRUST_ALLOW_HOSTS=" + pki.AllowHost, "ANTIN_TSA_URLS=" + pki.TSAURL(), "ANTIN_KEYS_HELPER=" + socket,
		"ANTIN_KEYS_SEAL=con-dau", "ANTIN_DIRECTORY=" + directory}
	a.must(a.addPeer(directory))
	a.seed(pki, n)
	a.start()
	a.login()
	return a
}

func (a *served) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *served) run(args ...string) error {
	cmd := again(a.t, roleProgram, args...)
	cmd.Env = append(cmd.Env, a.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("antin %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// addPeer lists a second agency, whose gateway is never there.
func (a *served) addPeer(file string) error {
	dir := filepath.Join(a.t.TempDir(), "b")
	cmd := again(a.t, roleProgram, "init", "--no-input", "--dir", dir, "--code", string(a.peer), "--name", "UBND XÃ BÊN", "--place", "Bên",
		"--desk-url", "http://"+freePort(a.t), "--public-url", "http://"+freePort(a.t), "--peer-url", "https://"+freePort(a.t))
	entry, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("init of the peer: %w", err)
	}
	if !bytes.Contains(entry, []byte("agencies:")) {
		entry = append([]byte("agencies:\n"), entry...)
	}
	return os.WriteFile(file, entry, 0o600)
}

// plainPKI is a PKI without the sandbox's mark below a CA of its own.
type plainPKI struct {
	*certstest.Server
	ca, leader, seal *certstest.Entity
}

func newPlainPKI(t *testing.T) plainPKI {
	t.Helper()
	s, err := certstest.Start(certstest.Options{LeafKey: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	p := plainPKI{Server: s}
	issue := func(spec certstest.Spec) *certstest.Entity {
		spec.NoSandbox = true
		e, err := s.Issue(spec)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	p.ca = issue(certstest.Spec{CommonName: "CA kiểm thử", CA: true, Name: "plain"})
	p.leader = issue(certstest.Spec{CommonName: "Nguyễn Văn Ký", Issuer: p.ca})
	p.seal = issue(certstest.Spec{CommonName: "UBND XÃ THỬ", Organisation: "UBND XÃ THỬ", Issuer: p.ca})
	tsa := issue(certstest.Spec{CommonName: "TSA kiểm thử", Issuer: p.ca, KeyUsage: certs.KeyUsageDigitalSignature,
		ExtKeyUsage: []asn1.ObjectIdentifier{certs.OIDExtKeyUsageTimeStamping}, ExtKeyUsageCritical: true})
	*s.TSA() = *tsa
	return p
}

// serveSeal runs a key helper with the seal until the test ends.
func (p plainPKI) serveSeal(t *testing.T) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "antin-keys-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	s := &helper.Server{LogPath: filepath.Join(dir, "log"), Now: time.Now, Keys: map[string]helper.HeldKey{
		"con-dau": {Key: signer.Key{Signer: p.seal.Key, Chain: p.seal.Chain}, Kind: helper.KindSeal, Rate: 10_000}}}
	socket = filepath.Join(dir, "s")
	ctx, stop := context.WithCancel(context.Background())
	l, err := helper.Listen(ctx, socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	return socket
}

// seed makes the accounts and, for each act, n subjects that are ready for it.
func (a *served) seed(pki plainPKI, n int) {
	a.t.Helper()
	ctx := a.t.Context()
	e := testEnv(io.Discard)
	e.config = a.file
	cfg, err := loadConfig(e)
	a.must(err)
	a.must(cfg.fromEnvironment(a.env))
	g, err := openGateway(ctx, e, cfg)
	a.must(err)
	defer g.close()
	by := exchange.System(a.agency)
	clerk, _, err := g.access.AddAccount(ctx, by, exchange.NewAccount{Login: "van-thu", Name: "Lê Thị Văn Thư", Role: exchange.RoleClerk, Password: servedPassword, Keep: true})
	a.must(err)
	leader, _, err := g.access.AddAccount(ctx, by, exchange.NewAccount{Login: "lanh-dao", Name: "Nguyễn Văn Ký", Role: exchange.RoleLeader, Position: "Chủ tịch",
		Password: servedPassword, Keep: true, Certificate: pki.leader.Certificate.Raw})
	a.must(err)
	a.clerk = clerk.Actor()
	for i := range n {
		a.subjects["number"] = append(a.subjects["number"], a.signed(g, pki, leader.Actor(), i))
		sealing := a.signed(g, pki, leader.Actor(), n+i)
		_, err := g.press.Number(ctx, a.clerk, sealing, 0)
		a.must(err)
		a.subjects["seal"] = append(a.subjects["seal"], sealing)
		d, err := g.outbox.Create(ctx, a.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND", Subject: fmt.Sprintf("Gửi %d", i),
			PDF: bytes.NewReader(crashPDF(a.t, i+1)), FileName: "vb.pdf", Final: &exchange.Number{Seq: 1000 + i, Date: time.Now()}, Confirmed: true})
		a.must(err)
		a.subjects["send"] = append(a.subjects["send"], d.ID)
		a.subjects["accept"] = append(a.subjects["accept"], a.received(g, i))
	}
}

// signed is a document with the leader's signature, from a token.
func (a *served) signed(g *gateway, pki plainPKI, leader exchange.Actor, i int) exchange.ID {
	a.t.Helper()
	ctx := a.t.Context()
	d, err := g.outbox.Create(ctx, a.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND",
		Subject: fmt.Sprintf("Quyết định thử %d", i), Body: "Điều 1. Thử.", Signatory: leader.ID})
	a.must(err)
	s, err := g.press.Prepare(ctx, leader, d.ID, exchange.SigningPerson, pki.leader.Chain)
	a.must(err)
	value, err := pki.leader.Key.Sign(rand.Reader, s.Prepared.ToSign(), crypto.SHA256)
	a.must(err)
	a.must(g.press.Complete(ctx, leader, s.ID, signer.Completion{Raw: value}))
	return d.ID
}

// received is an incoming document that waits for văn thư.
func (a *served) received(g *gateway, i int) exchange.ID {
	a.t.Helper()
	ctx := a.t.Context()
	from := exchangetest.NewParty(a.peer)
	dir := exchange.AgencyList{from.Agency, g.office.Agency}
	db, err := store.Open(ctx, store.Options{Dir: a.t.TempDir()})
	a.must(err)
	defer db.Close()
	inbox := &exchange.Inbox{Store: g.inbox.Store, Blobs: g.inbox.Blobs, Directory: dir, Offices: g.inbox.Offices, Validator: g.inbox.Validator,
		Outbox: g.inbox.Outbox, Now: g.inbox.Now, MaxPayload: g.inbox.MaxPayload}
	offices := exchange.OfficeList{{Agency: from.Agency, GatewayKey: from.Key}}
	out := &exchange.Outbox{Store: db, Blobs: db, Directory: dir, Offices: offices, Transport: exchangetest.Direct{Receiver: inbox}, Now: time.Now,
		Press: &exchange.Press{Store: db, Blobs: db, Offices: offices, Validator: g.judge, Now: time.Now}}
	clerk := exchange.Actor{ID: "vt", Name: "Bên kia", Role: exchange.RoleClerk, Agency: a.peer}
	d, err := out.Create(ctx, clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "VP", Subject: fmt.Sprintf("Đến %d", i),
		PDF: bytes.NewReader(crashPDF(a.t, i+1)), FileName: "den.pdf", Final: &exchange.Number{Seq: i + 1, Date: time.Now()}, Confirmed: true})
	a.must(err)
	_, err = out.Send(ctx, clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{a.agency}})
	a.must(err)
	a.must(out.Drain(ctx, exchange.Lane{From: a.peer, To: a.agency}))
	items, err := g.inbox.List(ctx, a.clerk, exchange.InboxFilter{Kind: exchange.KindDocument, State: exchange.InboxReceived})
	a.must(err)
	if len(items) != 1 {
		a.t.Fatalf("%d items came in", len(items))
	}
	a.must(inbox.Admit(ctx, items[0].ID))
	return items[0].ID
}

// start begins a life of the program and waits until its pages answer.
func (a *served) start() {
	a.t.Helper()
	a.stderr = newWatched()
	a.cmd = again(a.t, roleProgram, "--config", a.file, "serve")
	a.cmd.Env = append(a.cmd.Env, a.env...)
	a.cmd.Stderr = a.stderr
	a.must(a.cmd.Start())
	late := time.After(servePatience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-late:
			a.t.Fatalf("serve does not answer: %s", a.stderr)
		case <-tick.C:
		}
		r, err := a.client.Get("http://" + a.desk + "/login")
		if err == nil {
			r.Body.Close()
			return
		}
	}
}

func (a *served) kill() {
	_ = a.cmd.Process.Kill()
	_ = a.cmd.Wait()
	a.client.CloseIdleConnections()
}

func (a *served) login() {
	a.t.Helper()
	r, err := a.client.PostForm("http://"+a.desk+"/login", url.Values{"login": {"van-thu"}, "password": {servedPassword}})
	a.must(err)
	defer r.Body.Close()
	if a.cookies = r.Cookies(); len(a.cookies) == 0 {
		body, _ := io.ReadAll(r.Body)
		a.t.Fatalf("login: %s: %s", r.Status, body)
	}
}

func (a *served) do(method, path string, form url.Values) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(a.t.Context(), method, "http://"+a.desk+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range a.cookies {
		req.AddCookie(c)
	}
	r, err := a.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

var shownInput = regexp.MustCompile(`name="shown"[^>]*value="([0-9a-f]{64})"|value="([0-9a-f]{64})"[^>]*name="shown"`)

// ready returns the form of an act, as the page gives it.
func (a *served) ready(act string, id exchange.ID) url.Values {
	a.t.Helper()
	form := url.Values{"key": {rand.Text()}}
	switch act {
	case "send":
		form.Set("to", string(a.peer))
	case "seal":
		status, body, err := a.do(http.MethodGet, "/press/"+string(id)+"/seal", nil)
		a.must(err)
		m := shownInput.FindStringSubmatch(body)
		if m == nil {
			a.t.Fatalf("no preview of the seal: %d: %s", status, body)
		}
		form.Set("shown", m[1]+m[2])
	}
	return form
}

func actPath(act string, id exchange.ID) string {
	folder := map[string]string{"number": "press", "seal": "press", "send": "documents", "accept": "inbox"}[act]
	return "/" + folder + "/" + string(id) + "/" + act
}

// killDuring sends the request and kills the program after a while; it reports
// whether the answer came before.
func (a *served) killDuring(act string, id exchange.ID, form url.Values, after time.Duration) (answered bool) {
	done := make(chan error, 1)
	go func() {
		_, _, err := a.do(http.MethodPost, actPath(act, id), form)
		done <- err
	}()
	timer := time.NewTimer(after)
	defer timer.Stop()
	<-timer.C
	a.kill()
	return <-done == nil
}

// repeat sends the request again, as a clerk does who saw no answer.
func (a *served) repeat(act string, id exchange.ID, form url.Values) {
	a.t.Helper()
	status, body, err := a.do(http.MethodPost, actPath(act, id), form)
	a.must(err)
	if status != http.StatusSeeOther {
		a.t.Errorf("%s again: %d: %s", act, status, tail(body, 2000))
	}
}

// check reads what the dead program left of one act: all or nothing, and all when
// the act must have been done.
func (a *served) check(act string, id exchange.ID, done bool) {
	a.t.Helper()
	db, err := store.Open(a.t.Context(), store.Options{Dir: a.data()})
	a.must(err)
	defer db.Close()
	ctx := a.t.Context()
	counted := map[exchange.EventKind]int{}
	var events []exchange.Event
	var left string
	a.must(db.View(ctx, func(tx exchange.Tx) (err error) {
		if events, err = tx.EventsOf(ctx, id); err != nil {
			return err
		}
		left, err = a.leftOf(ctx, tx, act, id)
		return err
	}))
	for _, e := range events {
		counted[e.Kind]++
	}
	kind := map[string]exchange.EventKind{"number": exchange.EventNumbered, "seal": exchange.EventSealed, "send": exchange.EventSent, "accept": exchange.EventAccepted}[act]
	switch {
	case left != "all" && left != "nothing":
		a.t.Errorf("%s of %s is half done: %s", act, id, left)
	case done && left != "all":
		a.t.Errorf("%s of %s is lost", act, id)
	case (left == "all") != (counted[kind] > 0) || act != "accept" && counted[kind] > 1:
		a.t.Errorf("%s of %s left %s, and %d times in the evidence", act, id, left, counted[kind])
	}
}

func (a *served) data() string {
	return filepath.Join(a.dir, "data")
}

// leftOf says whether all or nothing of an act stands in the rows.
func (a *served) leftOf(ctx context.Context, tx exchange.Tx, act string, id exchange.ID) (string, error) {
	judge := func(facts ...bool) string {
		switch {
		case !slices.Contains(facts, false):
			return "all"
		case !slices.Contains(facts, true):
			return "nothing"
		}
		return fmt.Sprint(facts)
	}
	inBook := func(book exchange.Book) (bool, error) {
		lines, err := tx.Register(ctx, a.agency, book, time.Now().In(exchange.Vietnam).Year())
		return slices.ContainsFunc(lines, func(e exchange.Entry) bool { return e.Subject == id }), err
	}
	if act == "accept" {
		item, err := tx.InboxItem(ctx, id)
		if err != nil {
			return "", err
		}
		entered, err := inBook(exchange.BookIncoming)
		return judge(item.State == exchange.InboxAccepted, item.Arrival > 0, entered), err
	}
	d, err := tx.Document(ctx, id)
	if err != nil {
		return "", err
	}
	i := d.Issuance
	switch act {
	case "number":
		entered, err := inBook(exchange.BookOutgoing)
		return judge(i.Numbered.Done(), i.Number.Seq > 0, d.DocumentID != "", entered), err
	case "seal":
		return judge(i.Issued.Done(), i.Sealed.Done(), !i.Final.IsZero(), i.Verdict == exchange.VerdictValid), nil
	}
	deliveries, err := tx.DeliveriesOf(ctx, id)
	return judge(d.Sent.Done(), !d.Message.IsZero(), len(deliveries) == 1), err
}

// checkWhole checks what spans the acts: registers without gap or double, the
// evidence chain, and every byte that a document names.
func (a *served) checkWhole() {
	a.t.Helper()
	ctx := a.t.Context()
	db, err := store.Open(ctx, store.Options{Dir: a.data()})
	a.must(err)
	defer db.Close()
	year := time.Now().In(exchange.Vietnam).Year()
	a.must(db.View(ctx, func(tx exchange.Tx) error {
		var errs error
		for book, want := range map[exchange.Book]int{exchange.BookOutgoing: 2 * len(a.subjects["number"]), exchange.BookIncoming: len(a.subjects["accept"])} {
			lines, err := tx.Register(ctx, a.agency, book, year)
			errs = errors.Join(errs, err)
			lines = slices.DeleteFunc(lines, func(e exchange.Entry) bool { return e.Seq >= 1000 }) // those that came with their number
			for n, e := range lines {
				if e.Seq != n+1 {
					a.t.Errorf("register %s: line %d has number %d", book, n+1, e.Seq)
				}
			}
			if len(lines) != want {
				a.t.Errorf("register %s holds %d lines, want %d", book, len(lines), want)
			}
		}
		return errs
	}))
	if _, _, err := (&exchange.Evidence{Store: db}).Verify(ctx, a.agency); err != nil {
		a.t.Error(err)
	}
	for _, id := range slices.Concat(a.subjects["number"], a.subjects["seal"], a.subjects["send"]) {
		a.must(db.View(ctx, func(tx exchange.Tx) error {
			d, err := tx.Document(ctx, id)
			if err != nil {
				return err
			}
			for _, b := range d.Blobs() {
				r, err := db.Open(ctx, b.Digest)
				if err != nil {
					return err
				}
				r.Close()
			}
			return nil
		}))
	}
}
