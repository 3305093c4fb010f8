package web

import (
	"crypto/rand"
	"embed"
	"html/template"
	"strings"
	"sync"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are the parsed pages, once for each language. They are parsed when the
// first page is asked for: the commands that show no page start without them.
var templates = sync.OnceValue(func() map[text.Lang]*template.Template {
	return map[text.Lang]*template.Template{text.VI: parse(text.VI), text.EN: parse(text.EN)}
})

// parse reads the embedded templates; a mistake in them is one of the program and
// shows with its first page.
func parse(lang text.Lang) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"t":     func(key string, args ...any) string { return text.Get(text.Key(key), args...).In(lang) },
		"in":    func(m text.Message) string { return m.In(lang) },
		"time":  vnTime,
		"short": vnShort,
		"date":  vnDate,
		"iso":   func(t time.Time) string { return t.In(exchange.Vietnam).Format(time.RFC3339) },
		"key":   rand.Text,
		"verdict": func(v exchange.Verdict) verdictView {
			return viewVerdict(lang, v)
		},
		"flaw": flaw,
		"add":  func(a, b int) int { return a + b },
	}).ParseFS(templateFiles, "templates/*.html"))
}

// flaw is what marks a control whose field is wrong: that it is, and by what it is
// described, the element id-wrong before others. A field that is right keeps the others.
func flaw(wrong map[string]string, name, id string, others ...string) template.HTMLAttr {
	invalid := ""
	if wrong[name] != "" {
		invalid, others = ` aria-invalid="true"`, append([]string{id + "-wrong"}, others...)
	}
	if len(others) == 0 {
		return ""
	}
	return template.HTMLAttr(invalid + ` aria-describedby="` + template.HTMLEscapeString(strings.Join(others, " ")) + `"`) //nolint:gosec // our own words, escaped
}
