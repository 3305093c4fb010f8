package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"antin/api"
	"antin/internal/text"
)

// operation is what the tests read of the OpenAPI document.
type operation struct {
	method, path string
	id           string
	scope        api.Scope // empty: open, or for people alone
	people       bool      // a session is needed, a key will not do
	legal        bool      // a key must name the acting person
	keyed        bool      // wants an Idempotency-Key
	raw          map[string]any
}

// operations reads the OpenAPI document that s serves.
func (s *site) operations(t *testing.T) []operation {
	t.Helper()
	doc := s.description(t)
	var out []operation
	for path, item := range doc["paths"].(map[string]any) {
		for method, raw := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			op := raw.(map[string]any)
			o := operation{method: strings.ToUpper(method), path: path, id: op["operationId"].(string), raw: op}
			if sec, ok := op["security"].([]any); ok {
				scope, _ := op["x-scope"].(string)
				o.scope, o.people = api.Scope(scope), scope == "" && len(sec) > 0
			}
			params, _ := op["parameters"].([]any)
			for _, p := range params {
				m := p.(map[string]any)
				if d, _ := m["description"].(string); d == "" {
					t.Errorf("%s: parameter %s has no description", o.id, m["name"])
				}
				o.legal = o.legal || m["name"] == "Acting-Person"
				o.keyed = o.keyed || m["name"] == "Idempotency-Key" && m["required"] == true
			}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return out
}

func (s *site) description(t *testing.T) map[string]any {
	t.Helper()
	return s.ask(t, http.MethodGet, "/openapi.json", nil, "Authorization", "").is(t, http.StatusOK)
}

func TestTheOpenAPIDocumentIsWholeAndClosedOnlyForRequests(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	doc := a.description(t)
	if doc["openapi"] != "3.1.0" || doc["servers"].([]any)[0].(map[string]any)["url"] != "/a" {
		t.Errorf("openapi %v, servers %v", doc["openapi"], doc["servers"])
	}
	for _, p := range []string{"/v1/documents/{id}:send", "/v1/inbox/{id}:accept", "/v1/inbox/{id}:refuse"} {
		if _, ok := doc["paths"].(map[string]any)[p]; !ok {
			t.Errorf("no path %s", p)
		}
	}
	if yaml := a.ask(t, http.MethodGet, "/openapi.yaml", nil, "Authorization", ""); yaml.StatusCode != http.StatusOK || !strings.Contains(string(yaml.body), "openapi: 3.1.0") {
		t.Errorf("openapi.yaml: %d %.80s", yaml.StatusCode, yaml.body)
	}
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	for name, closed := range map[string]bool{"DocumentRequest": true, "ReceiverRequest": true, "DocumentBody": false, "Report": false, "Problem": false, "ItemBody": false} {
		schema, ok := schemas[name].(map[string]any)
		if got := schema["additionalProperties"] == false; !ok || got != closed {
			t.Errorf("%s: known %v, closed %v", name, ok, got)
		}
	}
	if _, ok := schemas["ErrorModel"]; ok {
		t.Error("the library's own error is described")
	}
	word := func(schema, member string) bool {
		p, ok := schemas[schema].(map[string]any)["properties"].(map[string]any)[member].(map[string]any)
		return ok && p["description"] != nil
	}
	if !word("RefuseRequest", "reason") || word("Revocation", "reason") || word("EventBody", "kind") {
		t.Error("a member is worded by the name alone, or not at all")
	}
	checkRefs(t, schemas, doc)
	ids := map[string]bool{}
	for _, o := range a.operations(t) {
		vi := text.Get(text.Key("api.op." + o.id))
		if ids[o.id] || o.raw["summary"] != vi.VI || !strings.Contains(o.raw["description"].(string), vi.EN) || vi.VI == vi.EN || len(o.raw["tags"].([]any)) != 1 {
			t.Errorf("%s is doubled or undescribed: %v", o.id, o.raw["summary"])
		}
		ids[o.id] = true
		if _, ok := o.raw["responses"].(map[string]any)["500"]; !ok {
			t.Errorf("%s documents no failure", o.id)
		}
		if o.method == http.MethodPost && o.raw["requestBody"] == nil {
			t.Errorf("%s describes no body", o.id)
		}
	}
}

// checkRefs fails for a $ref that leads nowhere.
func checkRefs(t *testing.T, schemas map[string]any, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			if _, known := schemas[strings.TrimPrefix(ref, "#/components/schemas/")]; !known {
				t.Errorf("%s leads nowhere", ref)
			}
		}
		for _, x := range v {
			checkRefs(t, schemas, x)
		}
	case []any:
		for _, x := range v {
			checkRefs(t, schemas, x)
		}
	}
}

func TestEveryOperationIsClosedToOthersAndAnswersItsOwnKey(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	requests := sc.requests(t)
	before := sc.rows(t)
	ops := sc.a.operations(t)
	if len(ops) != len(requests) {
		t.Errorf("%d operations, %d requests", len(ops), len(requests))
	}
	for _, o := range ops {
		r, ok := requests[o.id]
		if !ok {
			t.Errorf("no request for %s", o.id)
			continue
		}
		if o.scope == "" && !o.people {
			continue
		}
		for _, key := range []string{"", wrongKey, strings.Repeat("x", 300)} {
			got := sc.do(t, o, r, key)
			got.refused(t, http.StatusUnauthorized, text.NotAllowed)
			if !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: no challenge", o.id)
			}
		}
		sc.do(t, o, r, otherKey).refused(t, http.StatusForbidden, text.NotAllowed)
		for _, s := range api.Scopes() {
			if s != o.scope {
				sc.do(t, o, r, scopeKey(s)).refused(t, http.StatusForbidden, text.NotAllowed)
			}
		}
		if o.keyed {
			got := r.at.ask(t, o.method, r.path, r.body, "Authorization", "Bearer "+r.good(o))
			if p := got.refused(t, http.StatusBadRequest, text.InvalidInput); !p.points("header/Idempotency-Key", "value") {
				t.Errorf("%s without idempotency key: %+v", o.id, p)
			}
		} else if o.method == http.MethodPost && o.id != "upload-file" && o.id != "verify" && !showsSecret(o) || o.legal {
			t.Errorf("%s has legal effect and no idempotency key", o.id)
		}
	}
	if after := sc.rows(t); after != before {
		t.Errorf("refused requests left traces:\n%s\n%s", before, after)
	}
	for _, o := range ops {
		if o.legal {
			named, ok := requests[o.id].body.(map[string]any)
			if !ok {
				t.Fatalf("%s has legal effect and no body", o.id)
			}
			unnamed := requests[o.id]
			body := maps.Clone(named)
			delete(body, "acting_person")
			unnamed.body = body
			if p := sc.do(t, o, unnamed, scopeKey(o.scope)).refused(t, http.StatusUnprocessableEntity, text.InvalidInput); !p.points("/acting_person", "required") {
				t.Errorf("%s by nobody: %+v", o.id, p)
			}
		}
		got := sc.do(t, o, requests[o.id], requests[o.id].good(o))
		documented := o.raw["responses"].(map[string]any)
		if _, ok := documented[fmt.Sprint(got.StatusCode)]; !ok || got.StatusCode >= 300 {
			t.Errorf("%s: %d %s", o.id, got.StatusCode, got.body)
		}
		if got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", o.id)
		}
	}
	for _, s := range []*site{sc.a, sc.b} {
		if f := s.failures(); len(f) > 0 {
			t.Errorf("failures: %v", f)
		}
	}
}

// rows is the state that refused requests must not touch.
func (sc *scene) rows(t *testing.T) string {
	t.Helper()
	docs := sc.a.ask(t, http.MethodGet, "/v1/documents", nil).is(t, http.StatusOK)
	items := sc.b.ask(t, http.MethodGet, "/v1/inbox", nil).is(t, http.StatusOK)
	out, err := json.Marshal([]any{docs, items})
	must(t, err)
	return string(out)
}

func TestListsGoOnByCursorUntilTheEnd(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	for path, want := range map[string]int{"/v1/documents": sc.documents, "/v1/agencies": 3} {
		seen, cursor := map[string]bool{}, ""
		for range want + 1 {
			page := sc.a.ask(t, http.MethodGet, path+"?limit=2&cursor="+cursor, nil).is(t, http.StatusOK)
			for _, i := range page["items"].([]any) {
				m := i.(map[string]any)
				id, ok := m["id"].(string)
				if !ok {
					id = m["organ_id"].(string)
				}
				if seen[id] {
					t.Errorf("%s shows %s twice", path, id)
				}
				seen[id] = true
			}
			cursor, _ = page["next"].(string)
			if cursor == "" {
				break
			}
		}
		if len(seen) != want || cursor != "" {
			t.Errorf("%s: %d of %d seen, cursor %q", path, len(seen), want, cursor)
		}
	}
}

func TestTheDirectoryIsSearchedWithoutDiacritics(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for q, want := range map[string]int{"so+giao+duc": 1, "dA+nANG": 1, "Đà": 1, "H15": 3, "giáo dục": 1, "iao": 0, "H15.02": 1, "": 3} {
		got := a.ask(t, http.MethodGet, "/v1/agencies?q="+strings.ReplaceAll(q, " ", "%20"), nil).is(t, http.StatusOK)["items"].([]any)
		if len(got) != want {
			t.Errorf("%q finds %d, want %d", q, len(got), want)
		}
	}
}

// showsSecret reports whether o answers with a secret: such an answer is kept nowhere, so
// that it cannot be given once more under an idempotency key either.
func showsSecret(o operation) bool { return o.id == "create-webhook" || o.id == "rotate-webhook" }
