package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/api"
	"antin/exchange"
	"antin/internal/text"
)

func TestTheSameRequestGetsTheFirstAnswerAndAnotherUnderItsKeyIsRefused(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	path := "/v1/documents/" + sc.fresh + ":send"
	body := map[string]any{"to": []any{map[string]any{"organ_id": "H15.02"}}, "acting_person": person}
	first := sc.a.ask(t, http.MethodPost, path, body, "Idempotency-Key", "k1")
	first.is(t, http.StatusAccepted)
	settle(t, sc.a, sc.b) // what the answer is about moves on, the answer does not
	again := sc.a.ask(t, http.MethodPost, path, body, "Idempotency-Key", "k1")
	again.is(t, http.StatusAccepted)
	if !bytes.Equal(first.body, again.body) || again.Header.Get("Idempotency-Replayed") != "true" || again.Header.Get("Location") != first.Header.Get("Location") ||
		again.Header.Get("Content-Type") != first.Header.Get("Content-Type") || again.Header.Get("ETag") != first.Header.Get("ETag") {
		t.Errorf("first %v %s\nagain %v %s", first.Header, first.body, again.Header, again.body)
	}
	body["acting_person"] = "Người Khác"
	sc.a.ask(t, http.MethodPost, path, body, "Idempotency-Key", "k1").refused(t, http.StatusUnprocessableEntity, text.IdempotencyKeyReused)
	body["acting_person"] = person
	sc.a.ask(t, http.MethodPost, path, body, "Idempotency-Key", "k1", "Authorization", "Bearer "+scopeKey(api.ScopeDocumentsSend)).
		refused(t, http.StatusUnprocessableEntity, text.IdempotencyKeyReused)
	// A refusal did nothing, so its key may try again.
	bad := map[string]any{"reason": "other", "acting_person": person}
	sc.b.ask(t, http.MethodPost, "/v1/inbox/"+sc.first+":refuse", bad, "Idempotency-Key", "k2").refused(t, http.StatusUnprocessableEntity, text.InvalidInput)
	bad["note"] = "Thiếu phụ lục"
	sc.b.ask(t, http.MethodPost, "/v1/inbox/"+sc.first+":refuse", bad, "Idempotency-Key", "k2").is(t, http.StatusOK)
}

func TestOneKeyActsOnceHoweverManyAskAtOnce(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	path := "/v1/inbox/" + sc.first + ":accept"
	body := map[string]any{"acting_person": person}
	answers := make([]answer, 8)
	var wg sync.WaitGroup
	for n := range answers {
		wg.Go(func() { answers[n] = sc.b.ask(t, http.MethodPost, path, body, "Idempotency-Key", "mot") })
	}
	wg.Wait()
	for _, a := range answers {
		if a.StatusCode == http.StatusConflict {
			if p := a.refused(t, http.StatusConflict, text.InProgress); !p.Retry.Safe || a.Header.Get("Retry-After") == "" {
				t.Errorf("under way: %+v", p)
			}
			continue
		}
		if got := a.is(t, http.StatusOK); got["arrival_number"] != 1.0 {
			t.Errorf("arrival %v", got["arrival_number"])
		}
	}
}

func TestAnEditNeedsTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	path := "/v1/documents/" + string(sc.draft(t, string(exchange.RoleLeader)))
	tag := sc.a.ask(t, http.MethodGet, path, nil).Header.Get("ETag")
	edit := func(header string, body any) answer {
		return sc.a.ask(t, http.MethodPatch, path, body, "If-Match", header)
	}
	edit("", map[string]any{"subject": "A"}).refused(t, http.StatusPreconditionRequired, text.PreconditionRequired)
	got := edit(tag, map[string]any{"subject": "Về việc khác", "due_date": "2026-12-01"})
	if m := got.is(t, http.StatusOK); m["subject"] != "Về việc khác" || m["due_date"] != "2026-12-01" || m["code_notation"] != "VP" || got.Header.Get("ETag") == tag {
		t.Errorf("edited: %v", m)
	}
	stale := edit(tag, map[string]any{"subject": "B"})
	if stale.refused(t, http.StatusPreconditionFailed, text.PreconditionFailed); stale.Header.Get("ETag") != got.Header.Get("ETag") {
		t.Errorf("the refusal does not tell the version that stands: %v", stale.Header)
	}
	if p := edit("*", map[string]any{"subject": nil}).refused(t, http.StatusUnprocessableEntity, text.InvalidInput); !p.points("/subject", "value") {
		t.Errorf("null: %+v", p)
	}
	act := sc.a.ask(t, http.MethodPost, path+":sign-request", map[string]any{"acting_person": person}, "If-Match", tag, "Idempotency-Key", "k")
	act.refused(t, http.StatusPreconditionFailed, text.PreconditionFailed)
}

func TestAFileIsSentInPartsAndNotTwice(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	sha := a.uploaded(t, []byte("0123456789"))
	get := func(header ...string) answer { return a.ask(t, http.MethodGet, "/v1/files/"+sha, nil, header...) }
	for header, want := range map[string]struct {
		status      int
		body, where string
	}{
		"bytes=2-4": {206, "234", "bytes 2-4/10"}, "bytes=7-": {206, "789", "bytes 7-9/10"}, "bytes=-3": {206, "789", "bytes 7-9/10"}, "bytes=8-99": {206, "89", "bytes 8-9/10"},
		"bytes=-99": {206, "0123456789", "bytes 0-9/10"}, "bytes=4-2": {200, "0123456789", ""}, "bytes=0-1,3-4": {200, "0123456789", ""}, "items=1-2": {200, "0123456789", ""},
	} {
		got := get("Range", header)
		if got.StatusCode != want.status || string(got.body) != want.body || got.Header.Get("Content-Range") != want.where || got.ContentLength != int64(len(want.body)) {
			t.Errorf("%s: %d %q %q", header, got.StatusCode, got.body, got.Header.Get("Content-Range"))
		}
	}
	behind := get("Range", "bytes=10-")
	if behind.refused(t, http.StatusRequestedRangeNotSatisfiable, text.InvalidInput); behind.Header.Get("Content-Range") != "bytes */10" {
		t.Errorf("behind the end: %v", behind.Header)
	}
	tag := get().Header.Get("ETag")
	if same := get("If-None-Match", tag); same.StatusCode != http.StatusNotModified || len(same.body) != 0 {
		t.Errorf("not modified: %d %q", same.StatusCode, same.body)
	}
	if other := get("Range", "bytes=2-4", "If-Range", `"x"`); other.StatusCode != http.StatusOK {
		t.Errorf("another file's range: %d", other.StatusCode)
	}
}

func TestABodyWhoseStatedDigestIsWrongIsRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	data := []byte("%PDF-1.7 not really")
	sum := sha256.Sum256(data)
	right := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	wrong := "sha-256=:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + ":"
	for _, name := range []string{"Content-Digest", "Repr-Digest"} {
		a.ask(t, http.MethodPost, "/v1/files", data, name, wrong).refused(t, http.StatusUnprocessableEntity, text.DigestMismatch)
		a.ask(t, http.MethodPost, "/v1/files", data, name, "sha-256=abc").refused(t, http.StatusBadRequest, text.InvalidInput)
	}
	a.ask(t, http.MethodGet, "/v1/files/"+string(exchange.DigestOf(data)), nil).refused(t, http.StatusNotFound, text.NotFound)
	a.ask(t, http.MethodPost, "/v1/documents", "{}", "Content-Digest", wrong, "Idempotency-Key", "k").refused(t, http.StatusUnprocessableEntity, text.DigestMismatch)
	a.ask(t, http.MethodPost, "/v1/files", data, "Content-Digest", "md5=:AAAA:, "+right).is(t, http.StatusCreated)
}

func TestWhoAsksTooOftenIsTold(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.server.Limits = api.Limits{PerMinute: 3, PerMinuteOpen: 2}
	for left := 2; left >= 0; left-- {
		got := a.ask(t, http.MethodGet, "/v1/agencies", nil)
		if got.is(t, http.StatusOK); got.Header.Get("RateLimit-Limit") != "3" || got.Header.Get("RateLimit-Remaining") != fmt.Sprint(left) || got.Header.Get("RateLimit-Reset") == "" {
			t.Errorf("left %d: %v", left, got.Header)
		}
	}
	over := a.ask(t, http.MethodGet, "/v1/agencies", nil)
	if p := over.refused(t, http.StatusTooManyRequests, text.RateLimited); p.Retry.AfterS == 0 || over.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	a.ask(t, http.MethodGet, "/v1/agencies", nil, "Authorization", "Bearer "+scopeKey(api.ScopeAgenciesRead)).is(t, http.StatusOK)
	for range 2 {
		a.ask(t, http.MethodGet, "/v1/agencies", nil, "Authorization", "Bearer "+wrongKey).refused(t, http.StatusUnauthorized, text.NotAllowed)
	}
	a.ask(t, http.MethodGet, "/v1/agencies", nil, "Authorization", "Bearer "+wrongKey).refused(t, http.StatusTooManyRequests, text.RateLimited)
}

func TestASessionActsByItsRoleAndUnderItsOwnName(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	token := sc.b.session(t, exchange.RoleClerk)
	officer := sc.b.session(t, exchange.RoleOfficer)
	path := "/v1/inbox/" + sc.first + ":accept"
	accept := func(body string, header ...string) answer {
		return sc.b.ask(t, http.MethodPost, path, body, append([]string{"Authorization", "", "Idempotency-Key", "k"}, header...)...)
	}
	accept("{}", "Cookie", "antin_session="+officer).refused(t, http.StatusForbidden, text.NotAllowed)
	accept("{}", "Cookie", "antin_session="+token, "Sec-Fetch-Site", "cross-site").refused(t, http.StatusForbidden, text.NotAllowed)
	if p := accept(`{"acting_person":"Ai Khác"}`, "Cookie", "antin_session="+token).refused(t, http.StatusUnprocessableEntity, text.InvalidInput); !p.points("/acting_person", "unknown") {
		t.Errorf("a session in another's name: %+v", p)
	}
	accept("{}", "Authorization", "Bearer antin_session_nobody").refused(t, http.StatusUnauthorized, text.SessionExpired)
	got := accept("{}", "Cookie", "antin_session="+token).is(t, http.StatusOK)
	by := got["accepted"].(map[string]any)["by"].(map[string]any)
	if by["name"] != "Trần Thị van_thu" || !strings.HasPrefix(by["id"].(string), "tk_") || by["role"] != "van_thu" {
		t.Errorf("accepted by %v", by)
	}
	next := sc.b.ask(t, http.MethodPost, "/v1/inbox/"+sc.next+":accept", "{}", "Idempotency-Key", "k3", "Acting-Person", "Ho%C3%A0ng%20V%C4%83n").is(t, http.StatusOK)
	if by := next["accepted"].(map[string]any)["by"].(map[string]any); by["name"] != "Hoàng Văn" {
		t.Errorf("named by header: %v", by)
	}
}

func TestEventsComeInOrderAndAreWaitedFor(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	after, seen := "0", 0
	for range 100 {
		page := sc.a.ask(t, http.MethodGet, "/v1/events?limit=5&after="+after, nil).is(t, http.StatusOK)
		items := page["items"].([]any)
		for n, e := range items {
			if got := e.(map[string]any)["seq"]; got != float64(seen+n+1) {
				t.Fatalf("event %v in place %d", got, seen+n+1)
			}
		}
		seen += len(items)
		if after = page["next"].(string); len(items) == 0 {
			break
		}
	}
	done := make(chan answer, 1)
	go func() { done <- sc.a.ask(t, http.MethodGet, "/v1/events?wait=20&after="+after, nil) }()
	began := time.Now()
	sc.draft(t, string(exchange.RoleLeader))
	got := <-done
	if items := got.is(t, http.StatusOK)["items"].([]any); len(items) == 0 || time.Since(began) > 15*time.Second {
		t.Errorf("%d events after %s", len(items), time.Since(began))
	}
}

func TestARegisterIsJSONOrASpreadsheetThatRunsNothing(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	sc.a.ask(t, http.MethodPost, "/v1/documents/paper", map[string]any{"promulgation_date": today, "kind": map[string]any{"name": "Công văn"}, "code_notation": "VP",
		"subject": "=cmd|' /C calc'!A0", "signer_name": "Lê Văn C", "receivers": "UBND tỉnh", "channel": "giấy", "acting_person": person}, "Idempotency-Key", "k").is(t, http.StatusCreated)
	items := sc.a.ask(t, http.MethodGet, "/v1/registers/di/numbers?year=2026", nil).is(t, http.StatusOK)["items"].([]any)
	last := items[len(items)-1].(map[string]any)
	if last["by_hand"] != true || last["receivers"] != "UBND tỉnh" {
		t.Errorf("line: %v", last)
	}
	sheet := sc.a.ask(t, http.MethodGet, "/v1/registers/di/numbers?year=2026", nil, "Accept", "text/csv")
	if sheet.StatusCode != http.StatusOK || !strings.HasPrefix(sheet.Header.Get("Content-Type"), "text/csv") || !strings.Contains(string(sheet.body), ",'=cmd|") ||
		strings.Contains(string(sheet.body), ",=cmd") {
		t.Errorf("%v\n%s", sheet.Header, sheet.body)
	}
}

func TestThePublicLookUpTellsLittleAndAboutIssuedResultsAlone(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	r := sc.issued(t)
	got := sc.a.ask(t, http.MethodGet, "/v1/public/results/"+strings.ToUpper(r.Token), nil, "Authorization", "")
	m := got.is(t, http.StatusOK)
	if m["state"] != "issued" || m["owner"] != "L*** T*** Bình" || strings.Contains(string(got.body), "Lê Thị") || strings.Contains(string(got.body), "sha256") {
		t.Errorf("%s", got.body)
	}
	draft, err := sc.a.results.Result(t.Context(), sc.a.actor(exchange.RoleClerk), exchange.ID(sc.result))
	must(t, err)
	sc.a.ask(t, http.MethodGet, "/v1/public/results/"+draft.Token, nil, "Authorization", "").refused(t, http.StatusNotFound, text.NotFound)
	sc.a.ask(t, http.MethodPost, "/v1/results/"+string(r.ID)+":revoke", map[string]any{"reason": "Cấp nhầm", "acting_person": person}, "Idempotency-Key", "k").is(t, http.StatusOK)
	if m := sc.a.ask(t, http.MethodGet, "/v1/public/results/"+r.Token, nil, "Authorization", "").is(t, http.StatusOK); m["state"] != "withdrawn" {
		t.Errorf("revoked: %v", m)
	}
}

func TestTheDocumentationIsServedAndEveryProblemLeadsToIt(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for path, want := range map[string]string{"/docs": "POST</b> <code>/v1/documents/{id}:send", "/docs?lang=en": "Send an issued document", "/docs/reference/error-codes": "signature-required"} {
		got := a.ask(t, http.MethodGet, path, nil, "Authorization", "")
		policy := got.Header.Get("Content-Security-Policy")
		if got.StatusCode != http.StatusOK || !strings.Contains(string(got.body), want) || !strings.Contains(policy, "default-src 'none'") ||
			strings.Contains(string(got.body), "<script") || strings.Contains(string(got.body), "style=") || strings.Contains(string(got.body), "api.") && strings.Contains(string(got.body), ">api.") {
			t.Errorf("%s: %d %s", path, got.StatusCode, policy)
		}
	}
	if css := a.ask(t, http.MethodGet, "/docs/docs.css", nil, "Authorization", ""); css.StatusCode != http.StatusOK || !strings.HasPrefix(css.Header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", css.StatusCode)
	}
	p := a.ask(t, http.MethodGet, "/v1/documents/vb_x", nil).refused(t, http.StatusNotFound, text.NotFound)
	page, anchor, _ := strings.Cut(p.Type, "#")
	resp, err := http.Get(a.http.URL + page)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	must(t, err)
	if resp.StatusCode != http.StatusOK || !strings.Contains(b.String(), `id="`+anchor+`"`) {
		t.Errorf("%s leads to %d", p.Type, resp.StatusCode)
	}
}

func TestEveryExampleIsTakenByItsOwnSchema(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	sc.staff(t)
	for _, o := range sc.a.operations(t) {
		request, _ := o.raw["requestBody"].(map[string]any)
		content, _ := request["content"].(map[string]any)
		asJSON, _ := content["application/json"].(map[string]any)
		example, ok := asJSON["example"]
		if !ok {
			continue
		}
		body, err := json.Marshal(example)
		must(t, err)
		key := fullKey
		if o.people {
			key = sc.tokens[exchange.RoleClerk]
		}
		path := strings.NewReplacer("{id}", sc.sent, "{register}", "di", "{year}", "2026", "{number}", "99").Replace(o.path)
		got := sc.a.ask(t, o.method, path, body, "Content-Type", "application/json", "Idempotency-Key", "vd-"+o.id, "If-Match", "*", "Authorization", "Bearer "+key)
		var p problem
		if got.StatusCode >= 300 {
			must(t, json.Unmarshal(got.body, &p))
		}
		for _, e := range p.Errors {
			if e.Code != "value" || got.StatusCode == http.StatusBadRequest {
				t.Errorf("%s: %s", o.id, got.body)
			}
		}
	}
}
