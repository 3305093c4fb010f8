package web_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
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
	"antin/signer/tsa"
	"antin/signer/validation"
	"antin/store"
	"antin/web"
	"antin/web/render"
)

// pki is shared by all tests: making its keys takes seconds.
var pki = sync.OnceValues(func() (*certstest.Server, error) { return certstest.Start(certstest.Options{LeafKey: certstest.P256}) })

// TestMain lets the test binary play the page renderer's child, as the program does.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == "render-child" {
		page, _ := strconv.Atoi(os.Args[2])
		width, _ := strconv.Atoi(os.Args[3])
		if err := render.Serve(context.Background(), render.Request{Page: page, Width: width, CacheDir: os.Args[4]}, os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if s, err := pki(); err == nil {
		_ = s.Close()
	}
	if dir, err := emptyStore(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func newRenderer(t *testing.T) *render.Renderer {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "antin-render-test-cache") // shared between runs: compiling takes seconds
	must(t, os.MkdirAll(dir, 0o700))
	return render.New([]string{os.Args[0], "render-child"}, dir)
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

// emptyStore is a data directory whose schema stands: bringing it up takes longer
// than most tests do.
var emptyStore = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "antin-web-test-")
	if err != nil {
		return "", err
	}
	db, err := store.Open(context.Background(), store.Options{Dir: dir})
	if err != nil {
		return "", err
	}
	return dir, db.Close()
})

// newStore opens a data directory of the test's own.
func newStore(t *testing.T, now func() time.Time) *store.DB {
	t.Helper()
	empty, err := emptyStore()
	must(t, err)
	dir := filepath.Join(t.TempDir(), "store")
	must(t, os.CopyFS(dir, os.DirFS(empty)))
	must(t, os.Chmod(dir, 0o700))
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Now: now})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// site is one agency with its own store, and its desk.
type site struct {
	office    exchange.Office
	db        *store.DB
	validator *validation.Validator
	desk      web.Desk
	tokens    tokens
	clerk     exchange.Actor
	leader    exchange.Actor
}

// newPair returns two agencies that reach one another in process.
func newPair(t *testing.T) (a, b *site) {
	t.Helper()
	pa, pb := exchangetest.NewParty("H98.21"), exchangetest.NewParty("H98.35")
	p, err := pki()
	must(t, err)
	pa.Agency.Name = p.Signer(certstest.RoleSealA).Certificate.CommonName
	pb.Agency.Name = p.Signer(certstest.RoleSealB).Certificate.CommonName
	directory := exchange.AgencyList{pa.Agency, pb.Agency}
	a, b = newSite(t, pa, "/a", certstest.RoleSealA, directory), newSite(t, pb, "/b", certstest.RoleSealB, directory)
	a.desk.Outbox.Transport = exchangetest.Direct{Receiver: b.desk.Inbox}
	b.desk.Outbox.Transport = exchangetest.Direct{Receiver: a.desk.Inbox}
	return a, b
}

func newSite(t *testing.T, party exchangetest.Party, prefix, seal string, directory exchange.Directory) *site {
	t.Helper()
	p, err := pki()
	must(t, err)
	code, now := party.Agency.Code, time.Now
	agency := party.Agency
	agency.InCharge, agency.Place = "ỦY BAN NHÂN DÂN TỈNH THỬ", "Hà Nội"
	leader := p.Leader().Certificate.CommonName
	s := &site{
		clerk:  exchange.Actor{ID: "clerk", Name: "Lê Thị Văn Thư", Role: exchange.RoleClerk, Agency: code},
		leader: exchange.Actor{ID: "leader", Name: leader, Role: exchange.RoleLeader, Agency: code},
		office: exchange.Office{Agency: agency, SealKey: seal, GatewayKey: party.Key, VerifyURL: "http://127.0.0.1:9/q", Sandbox: true,
			Signatories: []exchange.Signatory{{ActorID: "leader", Name: leader, Position: "CHỦ TỊCH", Competence: "TM. ỦY BAN NHÂN DÂN", Key: certstest.RoleLeader}}},
	}
	s.db = newStore(t, now)
	client, err := fetch.New(fetch.Options{AllowHosts: []string{p.AllowHost}, Now: now})
	must(t, err)
	stamps, err := tsa.New(tsa.Options{URLs: []string{p.TSAURL()}, Now: now})
	must(t, err)
	s.validator = &validation.Validator{Trust: p.Anchors(), Revocation: client, Issuers: client, AllowSandbox: true}
	offices := exchange.OfficeList{s.office}
	press := &exchange.Press{Store: s.db, Blobs: s.db, Offices: offices, Validator: s.validator, Now: now, Signer: &signer.Signer{
		Keys: keys{p}, Timestamps: stamps, Trust: p.Anchors(), Revocation: client, Issuers: client, AllowSandbox: true, Now: now}}
	outbox := &exchange.Outbox{Store: s.db, Blobs: s.db, Directory: directory, Offices: offices, Press: press, Now: now}
	s.desk = web.Desk{
		Office: s.office, Prefix: prefix, Outbox: outbox,
		Inbox:         &exchange.Inbox{Store: s.db, Blobs: s.db, Directory: directory, Offices: offices, Validator: s.validator, Outbox: outbox, Now: now},
		Results:       &exchange.Results{Store: s.db, Blobs: s.db, Offices: offices, Press: press, Now: now},
		Evidence:      &exchange.Evidence{Store: s.db},
		Verifications: &exchange.Verifications{Store: s.db, Blobs: s.db, Now: now},
		Access:        &exchange.Access{Store: s.db, Now: now}, PlainCookies: true,
		Finder: &exchange.Finder{Store: s.db, Directory: directory, Now: now},
		Now:    now, Sandbox: true, Nav: []web.Link{{Text: text.Message{VI: "Bắt đầu", EN: "Start"}, URL: "/"}},
		OnError: func(trace string, err error) { t.Errorf("internal failure %s: %v", trace, err) },
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tokens are the sessions opened so far, by agency and role.
type tokens struct {
	sync.Mutex
	byRole map[exchange.Role]string
}

// session opens a session in a role, once, as the demo's tickets do. Its person has
// the name of the actor whom the tests use for that role.
func (s *site) session(t *testing.T, role exchange.Role) string {
	t.Helper()
	s.tokens.Lock()
	defer s.tokens.Unlock()
	if token, ok := s.tokens.byRole[role]; ok {
		return token
	}
	by, access := exchange.System(s.office.Agency.Code), s.desk.Access
	n := exchange.NewAccount{Login: string(role), Name: s.named(role), Role: role, NoPassword: true}
	if role == exchange.RoleLeader {
		n.Position, n.Competence = "CHỦ TỊCH", "TM. ỦY BAN NHÂN DÂN"
	}
	acc, _, err := access.AddAccount(t.Context(), by, n)
	must(t, err)
	ticket, err := access.Ticket(t.Context(), acc.Actor())
	must(t, err)
	token, _, err := access.Redeem(t.Context(), s.office.Agency.Code, ticket, "test")
	must(t, err)
	if s.tokens.byRole == nil {
		s.tokens.byRole = map[exchange.Role]string{}
	}
	s.tokens.byRole[role] = token
	return token
}

func (s *site) named(role exchange.Role) string {
	switch role { //nolint:exhaustive // the roles that accounts have
	case exchange.RoleLeader:
		return s.leader.Name
	case exchange.RoleOfficer:
		return "Trần Thị Một Cửa"
	case exchange.RoleOperator:
		return "Vũ Văn Quản Trị"
	}
	return s.clerk.Name
}

// as is the desk with the session of someone in a role.
func (s *site) as(t *testing.T, role exchange.Role) http.Handler {
	t.Helper()
	h, token := s.desk.Handler(), s.session(t, role)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "antin_session", Value: token})
		h.ServeHTTP(w, r)
	})
}

// handler is the desk with the session of its văn thư.
func (s *site) handler(t *testing.T) http.Handler {
	t.Helper()
	return s.as(t, exchange.RoleClerk)
}

// document has s compose and issue a document about subject.
func (s *site) document(t *testing.T, subject string) exchange.Document {
	t.Helper()
	d, err := s.desk.Outbox.Create(t.Context(), s.clerk, exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND-VP", Subject: subject, Signatory: "leader",
		Body: "Kính đề nghị quý cơ quan phối hợp. Kinh phí: 3.000.000 đồng.", Addressees: []string{"Cơ quan B"}, Places: []string{"Như trên"},
	})
	must(t, err)
	_, err = s.desk.Outbox.Sign(t.Context(), s.leader, d.ID)
	must(t, err)
	d, err = s.desk.Outbox.Seal(t.Context(), s.clerk, d.ID)
	must(t, err)
	return d
}

// final is the issued file of d.
func (s *site) final(t *testing.T, id exchange.ID) []byte {
	t.Helper()
	_, r, err := s.desk.Outbox.Open(t.Context(), s.clerk, id, exchange.FileFinal)
	must(t, err)
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	must(t, err)
	return b
}

// altered is pdf with one digit of the number changed that văn thư filled in.
func altered(t *testing.T, pdf []byte) []byte {
	t.Helper()
	out := bytes.Clone(pdf)
	at := bytes.Index(out, []byte("/V (0"))
	if at < 0 {
		t.Fatal("the document holds no filled number")
	}
	out[at+5] ^= 1
	return out
}

// imported has s take over a PDF signed elsewhere, under the next number.
func (s *site) imported(t *testing.T, subject string, pdf []byte, seq int) exchange.Document {
	t.Helper()
	d, err := s.desk.Outbox.Create(t.Context(), s.clerk, exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "VP", Subject: subject, PDF: bytes.NewReader(pdf),
		FileName: "văn bản.pdf", Final: &exchange.Number{Seq: seq, Date: time.Now()}, Confirmed: true,
	})
	must(t, err)
	return d
}

// sendTo sends d and returns the item at the other side after everything has moved.
func (s *site) sendTo(t *testing.T, d exchange.Document, to *site) exchange.ItemView {
	t.Helper()
	ds, err := s.desk.Outbox.Send(t.Context(), s.clerk, exchange.SendRequest{Document: d.ID, To: []exchange.AgencyCode{to.office.Agency.Code}})
	must(t, err)
	settle(t, s, to)
	return to.arrived(t, ds[len(ds)-1].TransferID)
}

func (s *site) arrived(t *testing.T, id exchange.TransferID) exchange.ItemView {
	t.Helper()
	items, err := s.desk.Inbox.List(t.Context(), s.clerk, exchange.InboxFilter{})
	must(t, err)
	for _, i := range items {
		if i.TransferID == id {
			return i
		}
	}
	t.Fatalf("transfer %s did not arrive", id)
	return exchange.ItemView{}
}

// settle moves what is due on both sides, as the workers would.
func settle(t *testing.T, a, b *site) {
	t.Helper()
	for range 3 {
		must(t, a.desk.Outbox.Drain(t.Context(), exchange.Lane{From: a.office.Agency.Code, To: b.office.Agency.Code}))
		b.admit(t)
		must(t, b.desk.Outbox.Drain(t.Context(), exchange.Lane{From: b.office.Agency.Code, To: a.office.Agency.Code}))
		a.admit(t)
	}
}

func (s *site) admit(t *testing.T) {
	t.Helper()
	for _, kind := range []exchange.TransferKind{exchange.KindDocument, exchange.KindStatus} {
		items, err := s.desk.Inbox.List(t.Context(), s.clerk, exchange.InboxFilter{Kind: kind, State: exchange.InboxReceived})
		must(t, err)
		for _, i := range items {
			must(t, s.desk.Inbox.Admit(t.Context(), i.ID))
		}
	}
}

// get asks h for a path.
func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

// post sends a form to h.
func post(t *testing.T, h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// page is the body of a page that must have the status and no trace of a mistake
// in a template or the catalogue.
func page(t *testing.T, w *httptest.ResponseRecorder, status int) string {
	t.Helper()
	body := w.Body.String()
	if w.Code != status {
		t.Fatalf("status %d, want %d:\n%s", w.Code, status, body)
	}
	for _, wrong := range []string{"%!", "ZgotmplZ", "&lt;nil&gt;", ">web.", "\"web.", "{{"} {
		if strings.Contains(body, wrong) {
			t.Errorf("the page holds %q", wrong)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
		t.Errorf("the page is cut short:\n%.2000s", body)
	}
	return body
}

func wantAll(t *testing.T, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(body, w) && !strings.Contains(html.UnescapeString(body), w) {
			t.Errorf("the page does not say %q:\n%s", w, body)
		}
	}
}
