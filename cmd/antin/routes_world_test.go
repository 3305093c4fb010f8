package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/api"
	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/validation"
)

// stoppedClock stands still, so that no session slides and no last use is written.
type stoppedClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *stoppedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *stoppedClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// gates is one agency's pages and API, as serve mounts them, with someone in each
// role and a document, an incoming item's id and a result to aim at.
type gates struct {
	*core
	clock    *stoppedClock
	dir      string
	pages    http.Handler
	pageRows []pageRow
	api      http.Handler
	apiRows  []api.Route
	sessions map[exchange.Role]string
	foreign  string // the session of another agency's văn thư, in the same store
	must     string // the session of a văn thư whose password must be changed
	keys     map[string]string
	ids      map[string]string // by the first part of a path
}

type pageRow struct {
	method, path string
	roles        []exchange.Role
	open         bool
}

func newGates(t *testing.T) *gates {
	t.Helper()
	party := exchangetest.NewParty("H15.01")
	d := &gates{clock: &stoppedClock{at: time.Now()}, dir: t.TempDir(), sessions: map[exchange.Role]string{}, keys: map[string]string{}}
	office := exchange.Office{Agency: party.Agency, GatewayKey: party.Key, Sandbox: true, VerifyURL: "http://127.0.0.1/q"}
	var err error
	d.core, err = newCore(t.Context(), d.clock.Now, coreParts{dir: d.dir, office: office, directory: exchange.AgencyList{party.Agency},
		sign: &signer.Signer{Keys: noKeys{}, Now: d.clock.Now}, judge: &validation.Validator{}, scopes: scopeNames()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.close() })
	desk := d.desk(d.clock.Now, "", nil, func(trace string, err error) { t.Errorf("pages: %s: %v", trace, err) })
	d.pages = desk.Handler()
	for _, r := range desk.Routes() {
		d.pageRows = append(d.pageRows, pageRow{r.Method, r.Path, r.Roles, r.Open})
	}
	server := d.apiServer(d.clock.Now, "", func(trace, request string, err error) { t.Errorf("api: %s: %s: %v", trace, request, err) })
	server.Limits.PerMinute = 1 << 20 // the limits are not what is asked here
	var calls atomic.Int64
	server.Address = func(*http.Request) string { return fmt.Sprint(calls.Add(1)) }
	if d.api, err = server.Handler(); err != nil {
		t.Fatal(err)
	}
	d.apiRows = server.Routes()
	d.people(t, office.Agency.Code)
	d.apiKeys(t, office.Agency.Code)
	d.papers(t)
	return d
}

func (d *gates) people(t *testing.T, code exchange.AgencyCode) {
	t.Helper()
	open := func(agency exchange.AgencyCode, login string, role exchange.Role) string {
		acc, _, err := d.access.AddAccount(t.Context(), exchange.System(agency), exchange.NewAccount{Login: login, Name: "Người " + login, Role: role, Position: "CHỦ TỊCH", NoPassword: true})
		if err != nil {
			t.Fatal(err)
		}
		ticket, err := d.access.Ticket(t.Context(), acc.Actor())
		if err != nil {
			t.Fatal(err)
		}
		token, _, err := d.access.Redeem(t.Context(), agency, ticket, "")
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for _, role := range exchange.AccountRoles() {
		d.sessions[role] = open(code, string(role), role)
	}
	d.foreign = open("H15.02", "other", exchange.RoleClerk)
	_, shown, err := d.access.AddAccount(t.Context(), exchange.System(code), exchange.NewAccount{Login: "fresh", Name: "Người mới", Role: exchange.RoleClerk})
	if err != nil {
		t.Fatal(err)
	}
	if d.must, _, err = d.access.Login(t.Context(), code, "fresh", shown, ""); err != nil {
		t.Fatal(err)
	}
}

func (d *gates) apiKeys(t *testing.T, code exchange.AgencyCode) {
	t.Helper()
	by := exchange.System(code)
	add := func(name string, by exchange.Actor, ends time.Duration, scopes ...string) exchange.APIKey {
		secret, k, err := d.access.NewKey(t.Context(), by, exchange.NewAPIKey{Name: name, Scopes: scopes, ExpiresAt: d.clock.Now().Add(ends)})
		if err != nil {
			t.Fatal(err)
		}
		d.keys[name] = secret
		return k
	}
	all := scopeNames()
	for _, s := range all {
		add("only "+s, by, time.Hour, s)
	}
	add("foreign", exchange.System("H15.02"), time.Hour, all...)
	add("expired", by, time.Second, all...)
	revoked := add("revoked", by, time.Hour, all...)
	if err := d.access.RevokeKey(t.Context(), by, revoked.ID); err != nil {
		t.Fatal(err)
	}
	d.clock.advance(2 * time.Second)
	for name, secret := range d.keys { // the first use is written; further ones of the minute are not
		_, err := d.access.KeyBySecret(t.Context(), secret)
		if dead := name == "expired" || name == "revoked"; dead != (text.CodeOf(err) == text.NotAllowed) {
			t.Fatalf("key %s: %v", name, err)
		}
	}
}

// papers makes what the paths name, so that a missing check would find something to change.
func (d *gates) papers(t *testing.T) {
	t.Helper()
	actor := func(role exchange.Role) exchange.Actor {
		s, err := d.access.Session(t.Context(), d.sessions[role])
		if err != nil {
			t.Fatal(err)
		}
		return s.Actor
	}
	doc, err := d.outbox.Create(t.Context(), actor(exchange.RoleClerk), exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "VP",
		Subject: "Về việc phối hợp", Signatory: actor(exchange.RoleLeader).ID, Body: "Nội dung."})
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := d.access.NewKey(t.Context(), exchange.System(doc.Agency), exchange.NewAPIKey{Name: "target", Scopes: []string{"verify"}})
	if err != nil {
		t.Fatal(err)
	}
	d.ids = map[string]string{"documents": string(doc.ID), "accounts": actor(exchange.RoleClerk).ID, "api-keys": string(key.ID)}
}

var wildcard = regexp.MustCompile(`\{[a-z0-9_]+\}`)

// aim puts ids that exist in the place of a pattern's wildcards.
func (d *gates) aim(pattern string) string {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(pattern, "/v1"), "/"), "/")
	id := d.ids[parts[0]]
	if id == "" {
		id = "vd_01"
	}
	first := true
	return strings.TrimSuffix(wildcard.ReplaceAllStringFunc(pattern, func(string) string {
		if first {
			first = false
			return id
		}
		return "1"
	}), "{$}")
}

// digest is the SHA-256 of every row of every table.
func (d *gates) digest(t *testing.T) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(d.dir, "antin.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sum := sha256.New()
	for _, table := range column(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`) {
		fmt.Fprintln(sum, table)
		lines := rowsOf(t, db, table)
		slices.Sort(lines)
		fmt.Fprintln(sum, strings.Join(lines, "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// rowsOf is every row of a table as text.
func rowsOf(t *testing.T, db *sql.DB, table string) (lines []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, to := make([]any, len(cols)), make([]any, len(cols))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%v", cells))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func column(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// knock asks a handler as someone.
func knock(ctx context.Context, h http.Handler, method, path, cookie, bearer string) *httptest.ResponseRecorder {
	body := url.Values{"key": {"k"}, "name": {"x"}, "role": {"it"}, "version": {"1"}, "disabled": {"yes"}, "scope": {"verify"}, "days": {"1"}, "reason": {"other"}, "note": {"x"}}.Encode()
	kind := "application/x-www-form-urlencoded"
	if strings.HasPrefix(path, "/v1/") {
		body, kind = `{}`, "application/json"
	}
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Idempotency-Key", "k-"+path)
	r.Header.Set("Acting-Person", "An")
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "antin_session", Value: cookie})
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
