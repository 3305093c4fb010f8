package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/compose"
	"antin/signer/tsa"
	"antin/signer/validation"
	"antin/store"
	"antin/store/storetest"
)

// pki is shared by all tests: making its keys takes seconds.
var pki = sync.OnceValues(func() (*certstest.Server, error) { return certstest.Start(certstest.Options{LeafKey: certstest.P256}) })

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := pki(); err == nil {
		_ = s.Close()
	}
	os.Exit(code)
}

// clock is the time of a world; tests move it.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// keys is the KeyProvider over the PKI's roles.
type keys struct{ *certstest.Server }

func (k keys) Key(_ context.Context, id string) (signer.Key, error) {
	e := k.Signer(id)
	if e == nil {
		return signer.Key{}, text.Errorf(text.KeyNotFound, nil)
	}
	return signer.Key{Signer: e.Key, Chain: e.Chain}, nil
}

// site is one agency with its own store.
type site struct {
	*clock
	party    exchangetest.Party
	office   exchange.Office
	dir      string
	database string // URL of PostgreSQL; empty on SQLite
	db       *storetest.Faults
	wire     *exchangetest.Scripted // its way to the other
	outbox   *exchange.Outbox
	inbox    *exchange.Inbox
	results  *exchange.Results
	worker   *exchange.Worker

	clerk, leader, officer exchange.Actor
}

// newPair returns two agencies that reach one another in process.
func newPair(t *testing.T) (a, b *site) {
	t.Helper()
	c := &clock{}
	a, b = newSite(c, "H15.01", certstest.RoleSealA), newSite(c, "H15.02", certstest.RoleSealB)
	directory := exchange.AgencyList{a.office.Agency, b.office.Agency}
	a.open(t, directory)
	b.open(t, directory)
	a.wire = exchangetest.NewScripted(exchangetest.Direct{Receiver: b.inbox}, b.party)
	b.wire = exchangetest.NewScripted(exchangetest.Direct{Receiver: a.inbox}, a.party)
	a.outbox.Transport, b.outbox.Transport = a.wire, b.wire
	return a, b
}

func newSite(c *clock, code exchange.AgencyCode, seal string) *site {
	s := &site{clock: c, party: exchangetest.NewParty(code)}
	agency := s.party.Agency
	agency.InCharge, agency.Place = "ỦY BAN NHÂN DÂN TỈNH", "Hà Nội"
	s.office = exchange.Office{Agency: agency, SealKey: seal, GatewayKey: s.party.Key, VerifyURL: "http://127.0.0.1/kq", Sandbox: true,
		Signatories: []exchange.Signatory{
			{ActorID: "leader", Name: "Nguyễn Văn Ký", Position: "CHỦ TỊCH", Competence: "TM. ỦY BAN NHÂN DÂN", Key: certstest.RoleLeader},
			{ActorID: "revoked", Name: "Trần Thị Thu Hồi", Position: "PHÓ CHỦ TỊCH", Competence: "KT. CHỦ TỊCH", Key: certstest.RoleRevoked},
		}}
	s.clerk = exchange.Actor{ID: "clerk", Name: "Lê Thị Văn Thư", Role: exchange.RoleClerk, Agency: code}
	s.leader = exchange.Actor{ID: "leader", Name: "Nguyễn Văn Ký", Role: exchange.RoleLeader, Agency: code}
	s.officer = exchange.Actor{ID: "officer", Name: "Một Cửa", Role: exchange.RoleOfficer, Agency: code}
	return s
}

// database is the engine that the tests are run on: SQLite, or with
// ANTIN_TEST_ENGINE=postgres a schema of their own on ANTIN_POSTGRES.
func database(t *testing.T) string {
	t.Helper()
	if os.Getenv("ANTIN_TEST_ENGINE") != "postgres" {
		return ""
	}
	return storetest.PostgresTables(t)
}

func (s *site) open(t *testing.T, directory exchange.Directory) {
	t.Helper()
	s.dir, s.database = t.TempDir(), database(t)
	db, err := store.Open(t.Context(), store.Options{Dir: s.dir, Database: s.database, Now: s.Now})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	s.db = &storetest.Faults{Engine: db}
	p, err := pki()
	must(t, err)
	client, err := fetch.New(fetch.Options{AllowHosts: []string{p.AllowHost}, Now: s.Now})
	must(t, err)
	stamps, err := tsa.New(tsa.Options{URLs: []string{p.TSAURL()}, Now: s.Now})
	must(t, err)
	validator := &validation.Validator{Trust: p.Anchors(), Revocation: client, Issuers: client, AllowSandbox: true}
	offices := exchange.OfficeList{s.office}
	press := &exchange.Press{Store: s.db, Blobs: s.db, Offices: offices, Validator: validator, Now: s.Now, Signer: &signer.Signer{
		Keys: keys{p}, Timestamps: stamps, Trust: p.Anchors(), Revocation: client, Issuers: client, AllowSandbox: true, Now: s.Now}}
	s.outbox = &exchange.Outbox{Store: s.db, Blobs: s.db, Directory: directory, Offices: offices, Press: press, Now: s.Now}
	s.inbox = &exchange.Inbox{Store: s.db, Blobs: s.db, Directory: directory, Offices: offices, Validator: validator, Outbox: s.outbox, Now: s.Now}
	s.results = &exchange.Results{Store: s.db, Blobs: s.db, Offices: offices, Press: press, Now: s.Now}
	s.worker = &exchange.Worker{Store: s.db, Blobs: s.db, Queue: s.db, Outbox: s.outbox, Inbox: s.inbox, Now: s.Now}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code text.Code) {
	t.Helper()
	if text.CodeOf(err) != code {
		t.Fatalf("got error %v, want code %s", err, code)
	}
}

func lines(s string) (out [][]string) {
	for line := range strings.Lines(s) {
		if f := strings.Fields(line); len(f) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// lane is the way from s to the other agency.
func (s *site) lane(to *site) exchange.Lane {
	return exchange.Lane{From: s.office.Agency.Code, To: to.office.Agency.Code}
}

// settle moves everything that is due on both sides until nothing moves any more,
// as the workers would.
func settle(t *testing.T, a, b *site) {
	t.Helper()
	for range 4 {
		must(t, a.outbox.Drain(t.Context(), a.lane(b)))
		b.admitAll(t)
		must(t, b.outbox.Drain(t.Context(), b.lane(a)))
		a.admitAll(t)
	}
}

func (s *site) admitAll(t *testing.T) {
	t.Helper()
	for _, kind := range []exchange.TransferKind{exchange.KindDocument, exchange.KindStatus} {
		items, err := s.inbox.List(t.Context(), s.clerk, exchange.InboxFilter{Kind: kind, State: exchange.InboxReceived})
		must(t, err)
		for _, i := range items {
			must(t, s.inbox.Admit(t.Context(), i.ID))
		}
	}
}

// plainPDF is a small PDF without signatures or fields of ours on page one.
func plainPDF(t *testing.T, subject string) []byte {
	t.Helper()
	b, err := compose.Document(compose.DocumentForm{Agency: "SỞ NỘI VỤ", Place: "Hà Nội", Notation: "SNV", Subject: subject,
		Body: compose.Text("Nội dung."), Signer: compose.Signer{Position: "GIÁM ĐỐC", Name: "Lê Ai"}, Created: day})
	must(t, err)
	return b
}

// unsigned makes a finished document out of an unsigned PDF, confirmed by the
// clerk: enough for tests of transport.
func (s *site) unsigned(t *testing.T, n int) exchange.Document {
	t.Helper()
	d, err := s.outbox.Create(t.Context(), s.clerk, exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "VP", Subject: fmt.Sprintf("Về việc số %d", n),
		PDF: bytes.NewReader(plainPDF(t, fmt.Sprintf("việc %d", n))), FileName: fmt.Sprintf("vb-%d.pdf", n),
		Final: &exchange.Number{Seq: n, Date: s.Now()}, Confirmed: true, Key: fmt.Sprintf("create-%d", n),
	})
	must(t, err)
	return d
}

func (s *site) send(t *testing.T, d exchange.Document, to *site) exchange.Delivery {
	t.Helper()
	out, err := s.outbox.Send(t.Context(), s.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{to.office.Agency.Code}, Key: "send-" + string(d.ID)})
	must(t, err)
	if len(out) != 1 {
		t.Fatalf("%d deliveries", len(out))
	}
	return out[0]
}

func (s *site) delivery(t *testing.T, id exchange.ID) (d exchange.Delivery) {
	t.Helper()
	must(t, s.db.View(t.Context(), func(tx exchange.Tx) (err error) {
		d, err = tx.Delivery(t.Context(), id)
		return err
	}))
	return d
}

func (s *site) documents(t *testing.T) []exchange.ItemView {
	t.Helper()
	items, err := s.inbox.List(t.Context(), s.clerk, exchange.InboxFilter{})
	must(t, err)
	return items
}

// incoming returns the arguments of Receive for d as its sender would give them.
func (s *site) incoming(t *testing.T, d exchange.Delivery) exchange.Incoming {
	t.Helper()
	r, err := s.db.Open(t.Context(), d.Payload.Digest)
	must(t, err)
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	must(t, err)
	return exchange.Incoming{Peer: d.Agency, Manifest: d.Manifest, Payload: bytes.NewReader(b)}
}

// checkEvidence fails unless the chain is whole.
func (s *site) checkEvidence(t *testing.T) {
	t.Helper()
	if _, _, err := (&exchange.Evidence{Store: s.db}).Verify(t.Context(), s.office.Agency.Code); err != nil {
		t.Error(err)
	}
}

// kinds lists the kinds of a timeline's events.
func (s *site) kinds(t *testing.T, id exchange.ID) (out []exchange.EventKind) {
	t.Helper()
	events, err := (&exchange.Evidence{Store: s.db}).Timeline(t.Context(), s.clerk, id)
	must(t, err)
	for _, e := range events {
		out = append(out, e.Kind)
		if strings.HasPrefix(e.Message().VI, "event.") || strings.Contains(e.Message().VI, "%!") {
			t.Errorf("event %s has no words: %s", e.Kind, e.Message().VI)
		}
	}
	return out
}

// unreachable is a transport whose peer never answers.
type unreachable struct{}

func (unreachable) Deliver(context.Context, exchange.Agency, exchange.Envelope) ([]byte, error) {
	return nil, &exchange.DeliveryError{Class: exchange.ClassPeerDown, Err: io.ErrUnexpectedEOF}
}

func (unreachable) Close(context.Context, exchange.Agency, exchange.Envelope) ([]byte, error) {
	return nil, io.ErrUnexpectedEOF // an error of no class is a peer that is down
}
