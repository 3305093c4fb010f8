package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"antin/internal/text"
)

const (
	docsPath       = "/docs"
	errorCodesPath = "/docs/reference/error-codes"
	// docsPolicy lets the pages load their own style sheet and nothing else.
	docsPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

var (
	//go:embed docs/page.html
	docsHTML string
	//go:embed docs/docs.css
	docsCSS []byte
)

// docsPage is what the template of the documentation shows.
type docsPage struct {
	Lang          text.Lang
	Base          string
	Title, About  string
	Words         map[string]string
	Tags          []docsTag    // of the operations' page
	Schemas       []docsSchema // beside them
	Codes         []docsCode   // of the page of error codes
	Other         text.Lang
	OtherName     string
	Self          string
	ShowOperation bool
}

type docsTag struct {
	Name, Description string
	Operations        []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary string
	Needs                     string
	Parameters                []docsField
	Body                      []docsContent
	Answers                   []docsAnswer
	Example                   string
}

type docsField struct {
	Name, Where, Type, Description string
	Required                       bool
}

type docsContent struct{ Type, Schema string }

type docsAnswer struct {
	Status, Description string
	Content             []docsContent
}

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsCode struct {
	Code         text.Code
	Status       int
	Message, Fix string
}

// serveDocs puts the documentation beside the description that it is made of: one
// page for the operations, one for the error codes, in both languages.
func (s *Server) serveDocs(e *echo.Echo, doc *huma.OpenAPI) error {
	page, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return fmt.Errorf("reading documentation page: %w", err)
	}
	rendered := map[string][]byte{}
	for _, lang := range []text.Lang{text.VI, text.EN} {
		for path, p := range map[string]docsPage{docsPath: s.operationsPage(doc, lang), errorCodesPath: s.codesPage(lang)} {
			var b bytes.Buffer
			if err := page.Execute(&b, p); err != nil {
				return fmt.Errorf("writing documentation page: %w", err)
			}
			rendered[path+string(lang)] = b.Bytes()
		}
	}
	for _, path := range []string{docsPath, errorCodesPath} {
		e.GET(path, func(c echo.Context) error {
			lang, asked := text.ParseLang(c.QueryParam("lang"))
			if !asked {
				lang = callOf(c.Request().Context()).lang
			}
			h := c.Response().Header()
			h.Set("Content-Security-Policy", docsPolicy)
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Content-Language", string(lang))
			return c.HTMLBlob(http.StatusOK, rendered[path+string(lang)])
		})
	}
	e.GET("/docs/docs.css", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/css; charset=utf-8", docsCSS) })
	return nil
}

// docsWords are the words of the page itself.
var docsWords = []string{"operations", "codes", "schemas", "parameters", "body", "answers", "example", "needs", "required", "open", "people", "status", "fix",
	"skip", "contents"}

func (s *Server) newDocsPage(lang text.Lang, self string) docsPage {
	p := docsPage{Lang: lang, Base: s.Prefix, Title: text.Get("api.title").In(lang), Words: map[string]string{}, Self: s.Prefix + self}
	for _, w := range docsWords {
		p.Words[w] = text.Get(text.Key("api.docs." + w)).In(lang)
	}
	p.Other = text.EN
	if lang == text.EN {
		p.Other = text.VI
	}
	p.OtherName = text.Get(text.Key("api.docs.lang-" + string(p.Other))).In(p.Other)
	return p
}

func (s *Server) codesPage(lang text.Lang) docsPage {
	p := s.newDocsPage(lang, errorCodesPath)
	for _, c := range text.Codes() {
		e := text.Errorf(c, nil)
		p.Codes = append(p.Codes, docsCode{Code: c, Status: statusOf(c), Message: e.Message().In(lang), Fix: e.Fix().In(lang)})
	}
	return p
}

func (s *Server) operationsPage(doc *huma.OpenAPI, lang text.Lang) docsPage {
	p := s.newDocsPage(lang, docsPath)
	p.ShowOperation, p.About = true, text.Get("api.about").In(lang)
	groups := map[string]*docsTag{}
	for _, name := range tags {
		p.Tags = append(p.Tags, docsTag{Name: name, Description: text.Get(text.Key("api.tag." + name)).In(lang)})
	}
	for i := range p.Tags {
		groups[p.Tags[i].Name] = &p.Tags[i]
	}
	for _, path := range slices.Sorted(mapKeys(doc.Paths)) {
		item := doc.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch} {
			if op != nil {
				g := groups[op.Tags[0]]
				g.Operations = append(g.Operations, s.docsOperation(op, lang, p.Words))
			}
		}
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(mapKeys(schemas)) {
		p.Schemas = append(p.Schemas, docsSchema{Name: name, Fields: docsMembers(schemas[name], lang)})
	}
	return p
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (s *Server) docsOperation(op *huma.Operation, lang text.Lang, words map[string]string) docsOperation {
	out := docsOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: text.Get(text.Key("api.op." + op.OperationID)).In(lang), Needs: words["open"]}
	if scope, ok := op.Extensions["x-scope"].(string); ok {
		out.Needs = scope
	} else if len(op.Security) > 0 {
		out.Needs = words["people"]
	}
	for _, q := range op.Parameters {
		out.Parameters = append(out.Parameters, docsField{Name: q.Name, Where: q.In, Required: q.Required, Type: typeOf(q.Schema), Description: fieldWord(q.Name, lang)})
	}
	if op.RequestBody != nil {
		out.Body = docsContents(op.RequestBody.Content)
		if m := op.RequestBody.Content[jsonType]; m != nil && m.Example != nil {
			b, _ := json.MarshalIndent(m.Example, "", "  ") // it was decoded from JSON
			out.Example = string(b)
		}
	}
	for _, status := range slices.Sorted(mapKeys(op.Responses)) {
		r := op.Responses[status]
		out.Answers = append(out.Answers, docsAnswer{Status: status, Description: r.Description, Content: docsContents(r.Content)})
	}
	return out
}

func docsContents(content map[string]*huma.MediaType) []docsContent {
	var out []docsContent
	for _, mt := range slices.Sorted(mapKeys(content)) {
		c := docsContent{Type: mt}
		if s := content[mt].Schema; s != nil {
			c.Schema = strings.TrimPrefix(s.Ref, schemaPrefix)
		}
		out = append(out, c)
	}
	return out
}

func docsMembers(s *huma.Schema, lang text.Lang) []docsField {
	var out []docsField
	for _, name := range slices.Sorted(mapKeys(s.Properties)) {
		out = append(out, docsField{Name: name, Required: slices.Contains(s.Required, name), Type: typeOf(s.Properties[name]), Description: fieldWord(name, lang)})
	}
	return out
}

func fieldWord(name string, lang text.Lang) string {
	if key := text.Key("api.field." + strings.ToLower(name)); text.Known(key) {
		return text.Get(key).In(lang)
	}
	return ""
}

// typeOf is a schema in few words.
func typeOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, schemaPrefix)
	case s.Type == huma.TypeArray:
		return "[" + typeOf(s.Items) + "]"
	}
	out := s.Type
	if s.Format != "" {
		out += " " + s.Format
	}
	if len(s.Enum) > 0 {
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		out += ": " + strings.Join(words, " | ")
	}
	if s.MaxLength != nil {
		out += fmt.Sprintf(" ≤ %d", *s.MaxLength)
	}
	if s.Maximum != nil {
		out += fmt.Sprintf(" ≤ %.0f", *s.Maximum)
	}
	return out
}
