package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"antin/exchange"
)

// hostile are values that no member of ours is made for.
var hostile = map[string]any{
	"a number": 17.5, "a huge number": json.RawMessage("1e400"), "a negative number": -1, "true": true, "null": nil, "an array": []any{[]any{}}, "an object": map[string]any{"a": 1},
	"empty": "", "blank": " \t ", "huge": strings.Repeat("ạ", 500_001), "NUL": "a\x00b", "escape": "a\x1b[31mb", "turned writing": "a\u202eb", "isolates": "\u2066a\u2069",
	"decomposed": "Nguye\u0302\u0303n", "HTML": `"><script>alert(1)</script>`, "a path": "../../../etc/passwd", "a Windows path": `C:\con`, "a URL": "javascript:alert(1)",
	"SQL": "' OR 1=1; --", "a template": "{{.}}${7*7}%s%n", "line breaks": "a\r\nX-Evil: 1", "a lone surrogate": json.RawMessage(`"\ud800"`), "emoji": "🏛️", "zero width": "\u200b",
}

// TestNoMemberOfAnyRequestBreaksTheServer puts every hostile value in the place of
// every member that the OpenAPI document describes.
func TestNoMemberOfAnyRequestBreaksTheServer(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	sc.staff(t)
	schemas := sc.a.description(t)["components"].(map[string]any)["schemas"].(map[string]any)
	asked := 0
	for _, o := range sc.a.operations(t) {
		for _, pointer := range members(schemas, o) {
			for name, value := range hostile {
				asked++
				body := planted(exampleOf(o), pointer, value)
				got := sc.hostileCall(t, o, sc.filled(o, ""), body)
				checkRefusal(t, got, fmt.Sprintf("%s %v %s", o.id, pointer, name))
			}
		}
		for _, param := range strings.Split(o.path, "{")[1:] {
			param, _, _ := strings.Cut(param, "}")
			for name, value := range hostile {
				text, ok := value.(string)
				if !ok || text == "" || len(text) > 10_000 {
					continue
				}
				asked++
				path := strings.Replace(o.path, "{"+param+"}", url.PathEscape(text), 1)
				checkRefusal(t, sc.hostileCall(t, o, sc.filled(o, path), exampleOf(o)), o.id+" "+param+" "+name)
			}
		}
	}
	if asked < 3000 {
		t.Errorf("only %d requests: the walk does not see the document", asked)
	}
	for _, s := range []*site{sc.a, sc.b} {
		if f := s.failures(); len(f) > 0 {
			t.Errorf("%d failures, first: %v", len(f), f[0])
		}
	}
}

// filled is the path of o with ids that exist.
func (sc *scene) filled(o operation, path string) string {
	if path == "" {
		path = o.path
	}
	id := sc.sent
	switch {
	case strings.HasPrefix(path, "/v1/results"):
		id = sc.result
	case strings.HasPrefix(path, "/v1/inbox"):
		id = sc.first
	}
	return strings.NewReplacer("{id}", id, "{register}", "di", "{year}", "2026", "{number}", "1", "{sha256}", sc.sha, "{n}", "0", "{organ_id}", "H15.02", "{code}", "x").Replace(path)
}

func (sc *scene) hostileCall(t *testing.T, o operation, path string, body any) answer {
	t.Helper()
	at, key := sc.a, fullKey
	if strings.HasPrefix(o.path, "/v1/inbox") {
		at = sc.b
	}
	if o.people {
		key = sc.tokens[exchange.RoleClerk]
	}
	if o.method == http.MethodGet {
		body = nil
	}
	sc.documents++
	return at.ask(t, o.method, path, body, "Authorization", "Bearer "+key, "Idempotency-Key", fmt.Sprint("h", sc.documents), "If-Match", `"999"`)
}

// checkRefusal fails for a server's fault, and for an answer that is no problem of our shape or repeats markup.
func checkRefusal(t *testing.T, a answer, what string) {
	t.Helper()
	if a.StatusCode >= http.StatusInternalServerError {
		t.Errorf("%s: %d %.300s", what, a.StatusCode, a.body)
		return
	}
	if strings.Contains(string(a.body), "<script>") || len(a.Header.Values("X-Evil")) > 0 {
		t.Errorf("%s: markup in the answer: %.300s", what, a.body)
	}
	if a.StatusCode < http.StatusBadRequest || strings.Contains(a.Header.Get("Content-Type"), "octet-stream") {
		return
	}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Code == "" || p.Detail == "" || p.Errors == nil {
		t.Errorf("%s: %d is no problem: %.300s", what, a.StatusCode, a.body)
	}
	for _, e := range p.Errors {
		if e.Detail == "" || strings.Contains(e.Detail, "expected") {
			t.Errorf("%s: %+v", what, e)
		}
	}
}

// exampleOf is a body that o takes, nil for none.
func exampleOf(o operation) any {
	request, _ := o.raw["requestBody"].(map[string]any)
	content, _ := request["content"].(map[string]any)
	asJSON, _ := content["application/json"].(map[string]any)
	return asJSON["example"]
}

// members lists the pointers of what o's JSON body may hold, two levels deep.
func members(schemas map[string]any, o operation) [][]string {
	request, _ := o.raw["requestBody"].(map[string]any)
	content, _ := request["content"].(map[string]any)
	asJSON, _ := content["application/json"].(map[string]any)
	schema, _ := asJSON["schema"].(map[string]any)
	var out [][]string
	for _, name := range propertiesOf(schemas, schema) {
		out = append(out, []string{name})
		inner, _ := resolved(schemas, schema)["properties"].(map[string]any)[name].(map[string]any)
		for _, below := range propertiesOf(schemas, inner) {
			out = append(out, []string{name, below})
		}
	}
	return out
}

func resolved(schemas map[string]any, s map[string]any) map[string]any {
	if ref, ok := s["$ref"].(string); ok {
		s, _ = schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
	}
	return s
}

func propertiesOf(schemas map[string]any, s map[string]any) []string {
	properties, _ := resolved(schemas, s)["properties"].(map[string]any)
	return slices.Sorted(maps.Keys(properties))
}

// planted is a copy of body with value at pointer.
func planted(body any, pointer []string, value any) map[string]any {
	m, _ := body.(map[string]any)
	out := maps.Clone(m)
	if out == nil {
		out = map[string]any{}
	}
	if len(pointer) == 1 {
		out[pointer[0]] = value
		return out
	}
	out[pointer[0]] = planted(out[pointer[0]], pointer[1:], value)
	return out
}
