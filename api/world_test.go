package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/api"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/tsa"
	"antin/signer/validation"
	"antin/store"
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

// keys is the KeyProvider over the PKI's roles.
type keys struct{ *certstest.Server }

func (k keys) Key(_ context.Context, id string) (signer.Key, error) {
	e := k.Signer(id)
	if e == nil {
		return signer.Key{}, text.Errorf(text.KeyNotFound, nil)
	}
	return signer.Key{Signer: e.Key, Chain: e.Chain}, nil
}

// site is one agency with its store and its API on a loopback port.
type site struct {
	office    exchange.Office
	prefix    string
	db        *store.DB
	outbox    *exchange.Outbox
	inbox     *exchange.Inbox
	results   *exchange.Results
	validator *validation.Validator
	worker    *exchange.Worker
	server    *api.Server
	http      *httptest.Server
	access    *exchange.Access
	press     *exchange.Press
	secrets   map[string]string // of the keys below, by name

	at     time.Time // where set, the time of the API's verdicts
	mu     sync.Mutex
	errors []error // what OnError was told
}

func (s *site) actor(role exchange.Role) exchange.Actor {
	return exchange.Actor{ID: string(role), Name: "Nguyễn Văn " + string(role), Role: role, Agency: s.office.Agency.Code}
}

// The names of the tests' keys; ask puts their secrets in place.
const (
	fullKey  = "khoa-day-du"
	otherKey = "khoa-don-vi-khac" // known to the server, of another agency
	wrongKey = "antin_test_khongcokhoanaynhuthe"
)

func scopeKey(s api.Scope) string { return "khoa-" + string(s) }

// newPair returns two agencies whose documents reach one another.
func newPair(t *testing.T) (a, b *site) {
	t.Helper()
	a, b = newSite("H15.01", certstest.RoleSealA, "/a"), newSite("H15.02", certstest.RoleSealB, "/b")
	directory := exchange.AgencyList{a.office.Agency, b.office.Agency, {Code: "H15.99", Name: "Sở Giáo dục và Đào tạo Đà Nẵng"}}
	a.open(t, directory)
	b.open(t, directory)
	a.outbox.Transport, b.outbox.Transport = exchangetest.Direct{Receiver: b.inbox}, exchangetest.Direct{Receiver: a.inbox}
	return a, b
}

func newSite(code exchange.AgencyCode, seal, prefix string) *site {
	p := exchangetest.NewParty(code)
	p.Agency.Place = "Hà Nội"
	// The transport key of a party is in force around exchangetest's clock; ours is the real one.
	p.Agency.Keys[0].NotBefore = time.Time{}
	return &site{prefix: prefix, office: exchange.Office{Agency: p.Agency, SealKey: seal, GatewayKey: p.Key, Sandbox: true,
		Signatories: []exchange.Signatory{{ActorID: string(exchange.RoleLeader), Name: "Nguyễn Văn Ký", Position: "CHỦ TỊCH", Key: certstest.RoleLeader}}}}
}

func (s *site) open(t *testing.T, directory exchange.Directory) {
	t.Helper()
	p, err := pki()
	must(t, err)
	s.db, err = store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: time.Now})
	must(t, err)
	t.Cleanup(func() { must(t, s.db.Close()) })
	client, err := fetch.New(fetch.Options{AllowHosts: []string{p.AllowHost}, Now: time.Now})
	must(t, err)
	stamps, err := tsa.New(tsa.Options{URLs: []string{p.TSAURL()}, Now: time.Now})
	must(t, err)
	s.access = &exchange.Access{Store: s.db, Now: time.Now, Scopes: api.ScopeNames()}
	offices := exchange.AccessOffices{Base: exchange.OfficeList{s.office}, Access: s.access}
	s.validator = &validation.Validator{Trust: p.Anchors(), Revocation: client, Issuers: client, AllowSandbox: true}
	s.press = &exchange.Press{Store: s.db, Blobs: s.db, Offices: offices, Validator: s.validator, Now: time.Now, Signer: &signer.Signer{
		Keys: keys{p}, Timestamps: stamps, Trust: p.Anchors(), Revocation: client, Issuers: client, AllowSandbox: true, Now: time.Now}}
	s.outbox = &exchange.Outbox{Store: s.db, Blobs: s.db, Directory: directory, Offices: offices, Press: s.press, Now: time.Now}
	s.inbox = &exchange.Inbox{Store: s.db, Blobs: s.db, Directory: directory, Offices: offices, Validator: s.validator, Outbox: s.outbox, Now: time.Now}
	s.results = &exchange.Results{Store: s.db, Blobs: s.db, Offices: offices, Press: s.press, Now: time.Now}
	s.worker = &exchange.Worker{Store: s.db, Blobs: s.db, Queue: s.db, Outbox: s.outbox, Inbox: s.inbox, Now: time.Now}
	s.serve(t)
}

func (s *site) serve(t *testing.T) {
	t.Helper()
	s.secrets = map[string]string{}
	key := func(name string, agency exchange.AgencyCode, scopes ...string) {
		secret, _, err := s.access.NewKey(t.Context(), exchange.System(agency), exchange.NewAPIKey{Name: "Hệ thống văn bản", Scopes: scopes})
		must(t, err)
		s.secrets[name] = secret
	}
	key(fullKey, s.office.Agency.Code, api.ScopeNames()...)
	for _, scope := range api.ScopeNames() {
		key(scopeKey(api.Scope(scope)), s.office.Agency.Code, scope)
	}
	key(otherKey, "H99.99", api.ScopeNames()...)
	s.server = &api.Server{Office: s.office, Outbox: s.outbox, Inbox: s.inbox, Results: s.results, Evidence: &exchange.Evidence{Store: s.db},
		Files: &exchange.Files{Store: s.db, Blobs: s.db, Now: time.Now}, Press: s.press,
		Registers:  &exchange.Registers{Store: s.db, Offices: s.outbox.Offices, Now: time.Now},
		Operations: &exchange.Operations{Store: s.db}, Verifications: &exchange.Verifications{Store: s.db, Blobs: s.db, Now: time.Now},
		Finder:    &exchange.Finder{Store: s.db, Directory: s.outbox.Directory, Now: s.now},
		Webhooks:  &exchange.Webhooks{Store: s.db, Now: s.now, Agency: s.office.Agency.Code},
		Validator: s.validator, Access: s.access, Now: s.now, Prefix: s.prefix, Limits: api.Limits{PerMinute: 1 << 20, PerMinuteOpen: 1 << 20},
		OnError: func(trace, request string, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.errors = append(s.errors, fmt.Errorf("%s (trace %s): %w", request, trace, err))
		}}
	h, err := s.server.Handler()
	must(t, err)
	s.http = httptest.NewServer(h)
	t.Cleanup(s.http.Close)
}

func (s *site) now() time.Time {
	if s.at.IsZero() {
		return time.Now()
	}
	return s.at
}

func (s *site) failures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error{}, s.errors...)
}

// session opens a session of a person of that role and returns its token.
func (s *site) session(t *testing.T, role exchange.Role) string {
	t.Helper()
	n := exchange.NewAccount{Login: "nguoi." + strings.ReplaceAll(string(role), "_", "."), Name: "Trần Thị " + string(role), Role: role, NoPassword: true}
	if role == exchange.RoleLeader {
		p, err := pki()
		must(t, err)
		n.Position, n.Certificate = "PHÓ CHỦ TỊCH", p.Signer(certstest.RoleLeader).Chain[0].Raw
	}
	acc, _, err := s.access.AddAccount(t.Context(), exchange.System(s.office.Agency.Code), n)
	must(t, err)
	ticket, err := s.access.Ticket(t.Context(), acc.Actor())
	must(t, err)
	token, _, err := s.access.Redeem(t.Context(), s.office.Agency.Code, ticket, "127.0.0.1")
	must(t, err)
	return token
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is a response, read.
type answer struct {
	*http.Response
	body []byte
}

// ask sends a request; header is name, value, name, value.
func (s *site) ask(t *testing.T, method, path string, body any, header ...string) answer {
	t.Helper()
	var r io.Reader
	contentType := ""
	switch b := body.(type) {
	case nil:
	case []byte:
		r, contentType = bytes.NewReader(b), "application/pdf"
	case string:
		r, contentType = strings.NewReader(b), "application/json"
	case io.Reader:
		r = b
	default:
		data, err := json.Marshal(b)
		must(t, err)
		r, contentType = bytes.NewReader(data), "application/json"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.http.URL+s.prefix+path, r)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+fullKey)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	if secret := s.secrets[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]; secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	must(t, err)
	return answer{resp, data}
}

// is fails unless the answer has that status, and returns its JSON.
func (a answer) is(t *testing.T, status int) map[string]any {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: got %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	m := map[string]any{}
	if strings.Contains(a.Header.Get("Content-Type"), "json") {
		must(t, json.Unmarshal(a.body, &m))
	}
	return m
}

// refused fails unless the answer is a problem of that status and code in its full shape.
func (a answer) refused(t *testing.T, status int, code text.Code) problem {
	t.Helper()
	a.is(t, status)
	var p problem
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	must(t, d.Decode(&p))
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %q", ct)
	}
	if p.Code != code || p.Status != status || p.Title == "" || p.Detail == "" || p.Fix == "" || len(p.TraceID) != 32 || p.Errors == nil ||
		!strings.HasSuffix(p.Type, "/docs/reference/error-codes#"+string(code)) || a.Header.Get("Trace-Id") != p.TraceID || a.Header.Get("Content-Language") == "" {
		t.Errorf("want code %s: %s", code, a.body)
	}
	return p
}

type problem struct {
	Type   string    `json:"type"`
	Title  string    `json:"title"`
	Status int       `json:"status"`
	Detail string    `json:"detail"`
	Code   text.Code `json:"code"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Code    string `json:"code"`
		Detail  string `json:"detail"`
	} `json:"errors"`
	Fix   string `json:"fix"`
	Retry struct {
		Safe   bool `json:"safe"`
		AfterS int  `json:"after_s"`
	} `json:"retry"`
	TraceID string `json:"trace_id"`
}

// points reports whether p names pointer, with that code.
func (p problem) points(pointer, code string) bool {
	for _, e := range p.Errors {
		if e.Pointer == pointer && e.Code == code && e.Detail != "" {
			return true
		}
	}
	return false
}

// signedPDF is a document signed and sealed by people of s, as a file.
func (s *site) signedPDF(t *testing.T) []byte {
	t.Helper()
	d, err := s.outbox.Create(t.Context(), s.actor(exchange.RoleClerk), exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"},
		Notation: "VP", Subject: "Về việc thử", Body: "Nội dung.", Signatory: string(exchange.RoleLeader)})
	must(t, err)
	_, err = s.outbox.Sign(t.Context(), s.actor(exchange.RoleLeader), d.ID)
	must(t, err)
	_, err = s.outbox.Seal(t.Context(), s.actor(exchange.RoleClerk), d.ID)
	must(t, err)
	_, r, err := s.outbox.Open(t.Context(), s.actor(exchange.RoleClerk), d.ID, exchange.FileFinal)
	must(t, err)
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	must(t, err)
	return data
}

// settle moves everything that is due on both sides, as the workers would.
func settle(t *testing.T, a, b *site) {
	t.Helper()
	for range 4 {
		for _, s := range []struct{ from, to *site }{{a, b}, {b, a}} {
			must(t, s.from.outbox.Drain(t.Context(), exchange.Lane{From: s.from.office.Agency.Code, To: s.to.office.Agency.Code}))
			for _, kind := range []exchange.TransferKind{exchange.KindDocument, exchange.KindStatus} {
				items, err := s.to.inbox.List(t.Context(), s.to.actor(exchange.RoleClerk), exchange.InboxFilter{Kind: kind, State: exchange.InboxReceived})
				must(t, err)
				for _, i := range items {
					must(t, s.to.inbox.Admit(t.Context(), i.ID))
				}
			}
		}
	}
}
