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

// never are strings that no member of a request takes, whatever it is for.
var never = map[string]any{
	"NUL": "a\x00b", "escape": "a\x1b[31mb", "turned writing": "a\u202eb", "isolates": "\u2066a\u2069", "a lone surrogate": json.RawMessage(`"\ud800"`),
	"huge": strings.Repeat("ạ", 80_000),
}

// wrongTypes are values by the JSON type that they have.
var wrongTypes = map[string]any{"string": "x", "integer": 17, "number": 17.5, "boolean": true, "array": []any{[]any{}}, "object": map[string]any{"a": 1}, "null": nil}

// field is one member of a JSON body.
type field struct {
	pointer []string // "0" stands for the elements of an array
	types   []string
}

// fields lists the members of a schema, those of its objects and arrays among them.
func fields(schemas, s map[string]any, at []string) (out []field) {
	s = resolved(schemas, s)
	for _, name := range propertiesOf(schemas, s) {
		inner, _ := s["properties"].(map[string]any)[name].(map[string]any)
		pointer := append(slices.Clone(at), name)
		inner = resolved(schemas, inner)
		if types := typesOf(inner); len(types) > 0 {
			out = append(out, field{pointer, types})
		}
		out = append(out, fields(schemas, inner, pointer)...)
		if items, ok := inner["items"].(map[string]any); ok {
			items = resolved(schemas, items)
			element := append(slices.Clone(pointer), "0")
			out = append(out, field{element, typesOf(items)})
			out = append(out, fields(schemas, items, element)...)
		}
	}
	return out
}

func typesOf(s map[string]any) (out []string) {
	switch t := s["type"].(type) {
	case string:
		out = []string{t}
	case []any:
		for _, one := range t {
			out = append(out, one.(string))
		}
	}
	if slices.Contains(out, "number") {
		out = append(out, "integer")
	}
	return out
}

// refusedValues are what f takes of nobody.
func (f field) refusedValues() map[string]any {
	out := map[string]any{}
	for name, v := range wrongTypes {
		if !slices.Contains(f.types, name) {
			out[name] = v
		}
	}
	if slices.Contains(f.types, "string") {
		maps.Copy(out, never)
	}
	if f.pointer[len(f.pointer)-1] == "body" {
		delete(out, "huge") // a document may be that long; what is longer is too large as a whole
	}
	return out
}

// put is a copy of body with v at pointer.
func put(body any, pointer []string, v any) any {
	if len(pointer) == 0 {
		return v
	}
	if pointer[0] == "0" {
		list, _ := body.([]any)
		if list = slices.Clone(list); len(list) == 0 {
			list = []any{nil}
		}
		list[0] = put(list[0], pointer[1:], v)
		return list
	}
	m, _ := body.(map[string]any)
	if m = maps.Clone(m); m == nil {
		m = map[string]any{}
	}
	m[pointer[0]] = put(m[pointer[0]], pointer[1:], v)
	return m
}

// asJSON is v as it comes out of a decoder, so that put finds its way.
func asJSON(t *testing.T, v any) (out any) {
	t.Helper()
	data, err := json.Marshal(v)
	must(t, err)
	must(t, json.Unmarshal(data, &out))
	return out
}

// names reports whether one of p's errors is about the place, one in it, or the list
// that it is in.
func (p problem) names(place string) bool {
	for _, e := range p.Errors {
		if e.Pointer == place || strings.HasPrefix(e.Pointer, place+"/") || strings.HasSuffix(place, "/0") && e.Pointer == strings.TrimSuffix(place, "/0") {
			return strings.ContainsAny(e.Detail, "ườáịếâư") // in Vietnamese
		}
	}
	return false
}

// TestEveryFieldOfEveryOperationRefusesWhatItCannotMean takes, for every operation of
// the OpenAPI document, a request that would succeed, and spoils one member, parameter
// or header of it at a time: a 4xx names that place in Vietnamese, and nothing is stored.
func TestEveryFieldOfEveryOperationRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	requests := sc.requests(t)
	schemas := sc.a.description(t)["components"].(map[string]any)["schemas"].(map[string]any)
	before, events := sc.rows(t), sc.events(t)
	asked := 0
	for _, o := range sc.a.operations(t) {
		good, ok := requests[o.id]
		if !ok {
			t.Fatalf("%s has no request that succeeds", o.id)
		}
		spoilt := func(what, place string, r request) {
			t.Helper()
			asked++
			a := sc.spoilt(t, o, r, asked)
			checkRefusal(t, a, o.id+" "+what)
			var p problem
			if a.StatusCode < 400 || a.StatusCode >= 500 {
				t.Errorf("%s %s %s: %d %.200s", o.id, place, what, a.StatusCode, a.body)
			} else if err := json.Unmarshal(a.body, &p); err != nil || a.StatusCode != http.StatusNotFound && !p.names(place) {
				t.Errorf("%s %s %s: does not name the place: %d %.300s", o.id, place, what, a.StatusCode, a.body)
			}
		}
		if schema := bodySchema(o); schema != nil {
			body := asJSON(t, good.body)
			if _, raw := good.body.([]byte); raw { // it takes a file, or JSON that names one
				body = asJSON(t, put(exampleOf(o), []string{"sha256"}, sc.sha))
			}
			for _, f := range fields(schemas, schema, nil) {
				for name, v := range f.refusedValues() {
					r := good
					r.body = put(body, f.pointer, v)
					spoilt(name, "/"+strings.Join(f.pointer, "/"), r)
				}
			}
			for name, v := range wrongTypes {
				if name != "object" {
					r := good
					r.body = v
					spoilt("as the whole body: "+name, "", r)
				}
			}
			r := good
			r.body = put(body, []string{"khong_co"}, 1)
			spoilt("an unknown member", "/khong_co", r)
		}
		sc.spoiltParameters(o, good, spoilt)
	}
	if asked < 1500 {
		t.Errorf("only %d requests: the walk does not see the document", asked)
	}
	if now := sc.rows(t); now != before {
		t.Errorf("something was stored: %s, before %s", now, before)
	}
	if now := sc.events(t); now != events {
		t.Errorf("something was recorded: %d events, before %d", now, events)
	}
	t.Logf("%d requests", asked)
	for _, s := range []*site{sc.a, sc.b} {
		if f := s.failures(); len(f) > 0 {
			t.Errorf("%d failures, first: %v", len(f), f[0])
		}
	}
}

// bodySchema is the schema of o's JSON body; nil when it takes none.
func bodySchema(o operation) map[string]any {
	request, _ := o.raw["requestBody"].(map[string]any)
	content, _ := request["content"].(map[string]any)
	body, _ := content["application/json"].(map[string]any)
	schema, _ := body["schema"].(map[string]any)
	return schema
}

// spoilt sends r with who may do o.
func (sc *scene) spoilt(t *testing.T, o operation, r request, n int) answer {
	t.Helper()
	key := r.good(o)
	if !o.people && o.scope != "" {
		key = fullKey
	}
	header := []string{}
	if key != "" {
		header = append(header, "Authorization", "Bearer "+key)
	}
	if o.keyed {
		header = append(header, "Idempotency-Key", fmt.Sprint("hong-", n))
	}
	body := r.body
	if body == nil && bodySchema(o) != nil {
		body = json.RawMessage("null")
	}
	return r.at.ask(t, o.method, r.path, body, append(header, r.header...)...)
}

// spoiltParameters spoils what o takes in its path, its query and its headers.
func (sc *scene) spoiltParameters(o operation, good request, spoilt func(what, place string, r request)) {
	parameters, _ := o.raw["parameters"].([]any)
	for _, p := range parameters {
		p := p.(map[string]any)
		name, in := p["name"].(string), p["in"].(string)
		schema, _ := p["schema"].(map[string]any)
		values := map[string]string{"NUL": "a\x00b", "escape": "a\x1b[31mb", "turned writing": "a\u202eb", "isolates": "\u2066a\u2069", "half a letter": "\xe1\xba", "huge": strings.Repeat("ạ", 2000)}
		if types := typesOf(schema); !slices.Contains(types, "string") {
			maps.Copy(values, map[string]string{"letters": "mười", "out of range": "99999999999999999999", "negative": "-7", "a fraction": "1.5"})
		}
		for what, v := range values {
			r := good
			switch in {
			case "query":
				u, _ := url.Parse(good.path)
				q := u.Query()
				q.Set(name, v)
				u.RawQuery = q.Encode()
				r.path = u.String()
			case "path":
				at, _ := url.Parse(good.path)
				m := pathPattern(o.path).FindStringSubmatchIndex(at.EscapedPath())
				if m == nil {
					continue
				}
				i := slices.Index(placeholders(o.path), name)
				r.path = at.EscapedPath()[:m[2+2*i]] + url.PathEscape(v) + at.EscapedPath()[m[3+2*i]:]
			case "header":
				if strings.ContainsAny(v, "\x00\x1b") || slices.Contains(lenient, name) {
					continue
				}
				r.header = append(slices.Clone(good.header), name, v)
			}
			spoilt(what, in+"/"+name, r)
		}
	}
}

// lenient are headers that HTTP has a server read as absent when they are malformed
// (RFC 9110, 12.4, 13.1 and 14.2).
var lenient = []string{"Accept", "Accept-Language", "If-None-Match", "If-Range", "Range"}

// placeholders are the names of the parameters in a path.
func placeholders(path string) (out []string) {
	for _, rest := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(rest, "}")
		out = append(out, name)
	}
	return out
}

// events counts what A and B have recorded.
func (sc *scene) events(t *testing.T) (n int) {
	t.Helper()
	for _, s := range []*site{sc.a, sc.b} {
		must(t, s.db.View(t.Context(), func(tx exchange.Tx) error {
			all, err := tx.EventsAfter(t.Context(), s.office.Agency.Code, 0, 10_000)
			n += len(all)
			return err
		}))
	}
	return n
}
