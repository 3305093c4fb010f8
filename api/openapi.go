package api

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"antin/internal/text"
	"antin/signer/validation"
)

// version is that of the API's description; it grows by adding.
const version = "1.0.0"

// reportTime is how validation.Time looks in JSON.
type reportTime string

// Schema implements huma.SchemaProvider.
func (reportTime) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: both(text.Get("api.report-time")), Examples: []any{"2026-11-23T02:12:44Z", ""}}
}

// tags are the groups of operations, in the order of the documentation.
var tags = []string{"files", "documents", "inbox", "results", "registers", "lanes", "operations", "verifications", "agencies", "events", "public", "gateway"}

func (s *Server) config() huma.Config {
	schemas := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	schemas.RegisterTypeAlias(reflect.TypeFor[validation.Time](), reflect.TypeFor[reportTime]())
	server := s.Prefix
	if server == "" {
		server = "/"
	}
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: text.Get("api.title").VI, Version: version, Description: both(text.Get("api.about")),
			Contact: &huma.Contact{Name: s.Office.Agency.Name, Email: s.Office.Agency.Email},
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
		Servers: []*huma.Server{{URL: server}},
		Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
			securityName:   {Type: "http", Scheme: "bearer", Description: both(text.Get("api.security"))},
			securityPerson: {Type: "http", Scheme: "bearer", Description: both(text.Get("api.security-session"))},
			securityCookie: {Type: "apiKey", In: "cookie", Name: SessionCookie, Description: both(text.Get("api.security-cookie"))}}},
	}
	for _, tag := range tags {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: tag, Description: both(text.Get(text.Key("api.tag." + tag)))})
	}
	return huma.Config{OpenAPI: doc, Formats: map[string]huma.Format{jsonType: jsonFormat, "json": jsonFormat},
		DefaultFormat: jsonType, Transformers: []huma.Transformer{s.transform}}
}

// operations registers every operation.
func (s *Server) operations(b *builder) {
	s.aboutRoutes(b)
	s.fileRoutes(b)
	s.documentRoutes(b)
	s.deliveryRoutes(b)
	s.laneRoutes(b)
	s.inboxRoutes(b)
	s.verificationRoutes(b)
	s.resultRoutes(b)
	s.registerRoutes(b)
	s.signatureRoutes(b)
	s.operationRoutes(b)
	s.eventRoutes(b)
	s.webhookRoutes(b)
	s.searchRoutes(b)
	s.agencyRoutes(b)
	s.publicRoutes(b)
}

// jsonFormat writes JSON without a single angle bracket: what someone wrote into a
// subject is no markup, whoever shows the answer.
var jsonFormat = huma.Format{Marshal: func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }, Unmarshal: json.Unmarshal}

// both is a text in the two languages, for documents that have room for one.
func both(m text.Message) string { return m.VI + " / " + m.EN }

func binary() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "binary"} }

func statusText(code int) string { return strconv.Itoa(code) }

func problemResponse(code int) *huma.Response {
	return &huma.Response{Description: http.StatusText(code), Content: map[string]*huma.MediaType{problemType: {Schema: &huma.Schema{Ref: problemRef}}}}
}

const (
	schemaPrefix = "#/components/schemas/"
	problemRef   = schemaPrefix + "Problem"
	reportRef    = schemaPrefix + "Report"
	eventRef     = schemaPrefix + "EventBody"
)

// fileRequestBody describes what upload reads; with named, also a file uploaded before.
func fileRequestBody(named bool) *huma.RequestBody {
	b := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		pdfType: {Schema: binary()}, octetType: {Schema: binary()},
		formType: {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{"file": binary()}, Required: []string{"file"}}},
	}}
	if named {
		b.Content[jsonType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"sha256"},
			Properties: map[string]*huma.Schema{"sha256": {Type: huma.TypeString, Pattern: "^[0-9a-f]{64}$"}}}}
	}
	return b
}

// finish completes the OpenAPI document: bodies and answers that huma cannot see,
// the problem schema in place of its own, and the descriptions.
func (b *builder) finish() error {
	doc := b.api.OpenAPI()
	registry := doc.Components.Schemas
	registry.Schema(reflect.TypeFor[Problem](), true, "Problem")
	registry.Schema(reflect.TypeFor[validation.Report](), true, "Report")
	delete(registry.Map(), "ErrorModel")
	delete(registry.Map(), "ErrorDetail")
	for _, r := range b.own {
		// Set only now: huma would read and check a body that it knows of.
		doc.Paths[r.path].Post.RequestBody = r.body
	}
	for _, path := range []string{"/v1/verifications", "/v1/verifications/{id}", "/v1/verifications/{id}/report.json", "/v1/inbox/{id}/report"} {
		op := doc.Paths[path].Post
		if op == nil {
			op = doc.Paths[path].Get
		}
		op.Responses["200"].Content = map[string]*huma.MediaType{jsonType: {Schema: &huma.Schema{Ref: reportRef}}}
	}
	numbers := doc.Paths["/v1/registers/{register}/numbers"].Get.Responses["200"]
	numbers.Content = map[string]*huma.MediaType{jsonType: {Schema: registry.Schema(reflect.TypeFor[linesBody](), true, "LinesBody")},
		"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}
	if err := b.examples(doc); err != nil {
		return err
	}
	requests := b.requestSchemas(doc)
	var foreign []string // the report's words, and the evidence's, are others' than ours
	reach(registry, &huma.Schema{Ref: reportRef}, &foreign)
	reach(registry, &huma.Schema{Ref: eventRef}, &foreign)
	for name, schema := range registry.Map() {
		describe(schema, !slices.Contains(requests, name), !slices.Contains(foreign, name))
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				p.Description = described(p.Name)
			}
			describeHeaders(op)
		}
	}
	return nil
}

// describeHeaders words the headers of answers.
func describeHeaders(op *huma.Operation) {
	for _, r := range op.Responses {
		for name, h := range r.Headers {
			h.Description = described(name)
		}
	}
}

// requestSchemas names the schemas that requests are checked against.
func (b *builder) requestSchemas(doc *huma.OpenAPI) (names []string) {
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Patch} {
			if op == nil || op.RequestBody == nil {
				continue
			}
			for _, m := range op.RequestBody.Content {
				reach(doc.Components.Schemas, m.Schema, &names)
			}
		}
	}
	return names
}

// reach adds to names every schema that s leads to.
func reach(registry huma.Registry, s *huma.Schema, names *[]string) {
	if s == nil {
		return
	}
	if name := strings.TrimPrefix(s.Ref, schemaPrefix); s.Ref != "" && !slices.Contains(*names, name) {
		*names = append(*names, name)
		reach(registry, registry.Map()[name], names)
	}
	reach(registry, s.Items, names)
	for _, p := range s.Properties {
		reach(registry, p, names)
	}
}

// describe words the members of a schema, when they are ours to word. An answer's schema is open: members are
// added as the API grows, and no client may break on one it does not know.
func describe(s *huma.Schema, open, ours bool) {
	if s == nil || s.Type != huma.TypeObject {
		return
	}
	if open && s.AdditionalProperties == false {
		s.AdditionalProperties = nil
	}
	for name, p := range s.Properties {
		if p.Type == huma.TypeArray {
			p.Nullable = false
		}
		if ours && p.Ref == "" && p.Description == "" {
			p.Description = described(name)
		}
		describe(p, open, ours)
		describe(p.Items, open, ours)
	}
}

// described is the catalogue's word on a member or parameter; "" when it has none
// because the name says it.
func described(name string) string {
	if key := text.Key("api.field." + strings.ToLower(name)); text.Known(key) {
		return both(text.Get(key))
	}
	return ""
}
