package web_test

import (
	"bytes"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/internal/text"
	"antin/web"
)

// rule is what a field takes.
type rule struct {
	// kind is line, lines, number, date, moment, choice, login, value, hidden, secret, file,
	// ignored for what means something beside other answers only, or kept for the
	// names of a file that comes anew.
	kind     string
	limit    int // characters of line and lines
	required bool
	says     string // how the refusal names it; empty: by its label in the catalogue
}

// anything is in every refusal.
const anything = "<"

// What no field takes, whatever its kind.
var never = []string{"\x00", "\xff\xfe"}

// bad are the values that a field of the rule must refuse.
func (r rule) bad() []string {
	markup, path, huge := "<script>alert(1)</script>", "../../etc/passwd", strings.Repeat("Ậ", 6000)
	out := slices.Clone(never)
	switch r.kind {
	case "kept":
		return nil
	case "login":
		out = append(out, "-1", markup, path, huge, "có dấu", "a\u202eb", "e\u0302\u0301")
	case "line", "lines":
		out = append(out, "a\u202egpj.exe", "a\u0007b", "\u200b", strings.Repeat("Ậ", r.limit+1))
	case "number":
		out = append(out, "abc", "-1", "1.5", "1e3", "99999999999999999999", markup, path, huge, "\u202e1", "e\u0302\u0301")
	case "date", "moment":
		out = append(out, "hôm qua", "31/02/2026", "2026-13-45", "0001-01-01", "99999-01-01", markup, path, huge, "\u202e2026-01-01", "e\u0302\u0301")
	case "choice":
		out = append(out, "khong-co", "-1", "99999999999999999999", markup, path, huge, "\u202ex", "e\u0302\u0301")
	case "value":
		out = append(out, markup, path, "\u202eAAAA", "e\u0302\u0301", "1")
	case "hidden":
		out = append(out, huge, "a\u0007b", "a\u202eb")
	case "secret":
		out = append(out, "ngắn", strings.Repeat("a", 6000))
	}
	if r.required {
		out = append(out, "", " ")
	}
	return out
}

// formCase is a form with an answer to every field that is taken, and what each
// field takes.
type formCase struct {
	route  string // as the table of pages has it
	as     exchange.Role
	path   string
	valid  url.Values
	fields map[string]rule
	file   []byte // of the field "file"; nil: the form has none
	name   string // of the file
	shown  string // page that shows afterwards what was typed; empty: the answer leads there
	// logged says that the log keeps refused tries of this form: a signature, a seal
	// or a log-in that was not let through.
	logged bool
}

var (
	key       = rule{kind: "hidden", says: "Biểu mẫu"}
	version   = rule{kind: "number", required: true, says: "Biểu mẫu"}
	confirmed = rule{kind: "choice", says: "Biểu mẫu"}
)

func line(limit int) rule  { return rule{kind: "line", limit: limit} }
func lines(limit int) rule { return rule{kind: "lines", limit: limit} }

// needed is r of a field that may not be empty.
func needed(r rule) rule {
	r.required = true
	return r
}

// named is r of a field whose refusal says other words than its label.
func named(r rule, says string) rule {
	r.says = says
	return r
}

// typed is a text that is all right in any field, and must come out as text, in
// composed characters.
const typed = `<img src=x onerror=alert(1)> ../../etc/passwd "Tie` + "\u0302\u0301" + `ng"`

// formWorld is a pair of agencies with something for every form.
type formWorld struct {
	a, b  *site
	start http.Handler // of the demo over both
	lone  exchange.AgencyCode
	ids   map[string]string
}

func newFormWorld(t *testing.T) formWorld {
	t.Helper()
	a, b := newPair(t)
	lone := b.office.Agency
	lone.Code, lone.Name, lone.Endpoint = "H98.99", "Xã Xa", ""
	w := formWorld{a: a, b: b, lone: lone.Code, ids: map[string]string{}}
	a.desk.Outbox.Directory = exchange.AgencyList{a.office.Agency, b.office.Agency, lone}
	a.desk.Access.Scopes = []string{"documents:read", "verify"}
	ctx := t.Context()
	for _, name := range []string{"sent", "asked back"} {
		d := a.document(t, "Đã gửi "+name)
		w.ids[name] = string(d.ID)
		w.ids["b:"+name] = string(a.sendTo(t, d, b).ID)
	}
	w.ids["b:waiting"] = string(a.sendTo(t, a.document(t, "Chờ tiếp nhận"), b).ID)
	w.ids["b:bad"] = string(a.sendTo(t, a.imported(t, "Bị sửa", altered(t, a.final(t, exchange.ID(w.ids["sent"]))), 900), b).ID)
	_, err := b.desk.Inbox.Accept(ctx, b.clerk, exchange.Decision{Item: exchange.ID(w.ids["b:sent"])})
	must(t, err)
	_, err = a.desk.Outbox.Recall(ctx, a.clerk, exchange.RecallRequest{Document: exchange.ID(w.ids["asked back"]), To: []exchange.AgencyCode{b.office.Agency.Code}, Reason: "Sai số"})
	must(t, err)
	settle(t, a, b)
	hand := a.document(t, "Giao tay")
	ds, err := a.desk.Outbox.Send(ctx, a.clerk, exchange.SendRequest{Document: hand.ID, To: []exchange.AgencyCode{lone.Code}})
	must(t, err)
	w.ids["hand"], w.ids["delivery"] = string(hand.ID), string(ds[0].ID)
	down := b.office.Agency
	down.Code, down.Name = "H98.88", "Sở Đang Tắt"
	a.desk.Outbox.Directory = exchange.AgencyList{a.office.Agency, b.office.Agency, lone, down}
	ds, err = a.desk.Outbox.Send(ctx, a.clerk, exchange.SendRequest{Document: a.document(t, "Đang chờ gửi").ID, To: []exchange.AgencyCode{down.Code}})
	must(t, err)
	w.ids["waiting"] = string(ds[0].ID)
	w.ids["issued"], w.ids["started"] = string(a.document(t, "Chưa gửi").ID), string(a.document(t, "Bắt đầu").ID)
	for _, name := range []string{"one", "two"} {
		x, err := a.desk.Results.Create(ctx, a.clerk, exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{Dossier: "H98.21-" + name,
			Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QD", Subject: "Bản sao", Body: "Điều 1."}})
		must(t, err)
		_, err = a.desk.Results.Sign(ctx, a.leader, x.ID)
		must(t, err)
		_, err = a.desk.Results.Seal(ctx, a.clerk, x.ID)
		must(t, err)
		w.ids["result "+name] = string(x.ID)
	}
	draft, err := a.desk.Results.Create(ctx, a.clerk, exchange.NewResult{Signatory: "leader", Form: exchange.ResultForm{Dossier: "H98.21-draft",
		Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QD", Subject: "Bản nháp", Body: "Điều 1."}})
	must(t, err)
	w.ids["result draft"] = string(draft.ID)
	w.papers(t)
	acc := a.person(t, "chi", exchange.RoleLeader, true)
	w.ids["account"] = string(acc.ID)
	p, err := pki()
	must(t, err)
	must(t, a.desk.Access.BindCertificate(ctx, exchange.System(a.office.Agency.Code), acc.ID, p.Signer(certstest.RoleLeader).Certificate.Raw))
	for _, name := range []string{"rotated", "revoked"} {
		_, k, err := a.desk.Access.NewKey(ctx, exchange.System(a.office.Agency.Code), exchange.NewAPIKey{Name: name, Scopes: []string{"verify"}, ExpiresAt: time.Now().AddDate(0, 1, 0)})
		must(t, err)
		w.ids[name] = string(k.ID)
	}
	w.start = entered(t, web.Start{Story: &story{t: t, a: a, b: b}, Enter: enter(t, a, b), A: &a.desk, B: &b.desk, Now: time.Now})
	return w
}

// papers makes drafts and papers on their way through signature, number and seal.
func (w formWorld) papers(t *testing.T) {
	t.Helper()
	a := w.a
	clerk, leader, _ := a.staffed(t)
	for _, name := range []string{"draft", "deleted", "to ask", "to sign", "to return", "signed", "numbered"} {
		form := composed("Dự thảo "+name, a.signatory(t))
		at := post(t, clerk, "/a/documents/new", form).Header().Get("Location")
		id := string(idIn(t, at))
		w.ids[name] = id
		if slices.Contains([]string{"draft", "deleted", "to ask"}, name) {
			continue
		}
		twicePosted(t, clerk, "/a/press/"+id+"/ask", url.Values{"key": {"ask" + id}}, at)
		if name == "to sign" || name == "to return" {
			continue
		}
		if r := post(t, leader, "/a/sign/"+id+"/key", url.Values{"key": {"sign" + id}}); r.Code != http.StatusSeeOther {
			t.Fatalf("signing: %d %s", r.Code, r.Body)
		}
		if name == "numbered" {
			twicePosted(t, clerk, "/a/press/"+id+"/number", url.Values{"key": {"n" + id}}, at)
		}
	}
}

// shown is the digest that the preview of the seal names.
func (w formWorld) shown(t *testing.T) string {
	t.Helper()
	body := page(t, get(t, w.a.as(t, exchange.RoleClerk), "/a/press/"+w.ids["numbered"]+"/seal"), http.StatusOK)
	m := regexp.MustCompile(`name="shown" value="([0-9a-f]{64})"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("the preview names no digest")
	}
	return m[1]
}

// send posts a form with its file, if it has one.
func (c formCase) send(t *testing.T, h http.Handler, form url.Values, file []byte) *httptest.ResponseRecorder {
	t.Helper()
	if c.file == nil {
		return post(t, h, c.path, form)
	}
	plain := map[string]string{}
	for k := range form {
		plain[k] = form.Get(k)
	}
	return upload(t, h, c.path, c.name, bytes.NewReader(file), plain)
}

// handler is the desk of the side that the form is on, in its role.
func (w formWorld) handler(t *testing.T, c formCase) (*site, http.Handler) {
	t.Helper()
	s := w.a
	if strings.HasPrefix(c.path, "/start/") || c.path == "/" {
		return s, w.start
	}
	if strings.HasPrefix(c.path, "/b/") {
		s = w.b
	}
	return s, s.as(t, c.as)
}

// events counts what the log holds.
func (s *site) events(t *testing.T) int64 {
	t.Helper()
	n, _, err := s.desk.Evidence.Verify(t.Context(), s.office.Agency.Code)
	must(t, err)
	return n
}

// problem is what a page says at its top.
var problem = regexp.MustCompile(`(?s)<div id="problem" role="alert">(.*?)</div>\s*</div>`)

func TestEveryFieldOfEveryFormRefusesWhatItCannotTake(t *testing.T) {
	t.Parallel()
	w := newFormWorld(t)
	for _, c := range w.cases(t) {
		s, h := w.handler(t, c)
		before := s.events(t)
		for _, name := range slices.Sorted(maps.Keys(c.fields)) {
			r := c.fields[name]
			if r.kind == "file" {
				w.badFiles(t, c, h)
				continue
			}
			for _, value := range r.bad() {
				form := maps.Clone(c.valid)
				form[name] = []string{value}
				wantRefused(t, c, name, r, value, c.send(t, h, form, c.file))
			}
		}
		if after := s.events(t); after != before && !c.logged {
			t.Errorf("%s: refused forms left %d entries in the log", c.path, after-before)
		}
		c.take(t, s, h)
	}
}

// wantRefused says what is wrong with an answer to a bad value.
func wantRefused(t *testing.T, c formCase, name string, r rule, value string, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	if w.Code < 400 || w.Code >= 500 {
		t.Errorf("%s %s=%.24q: %d", c.path, name, value, w.Code)
		return
	}
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") {
		t.Errorf("%s %s=%.24q comes out as markup", c.path, name, value)
	}
	says := r.says
	if says == "" {
		says = text.Get(text.Key("desk.f." + name)).VI
	}
	if m := problem.FindStringSubmatch(body); m == nil || !strings.Contains(m[1], says) {
		said := "nothing"
		if m != nil {
			said = m[1]
		}
		t.Errorf("%s %s=%.24q: the refusal does not say %q: %s", c.path, name, value, says, said)
	}
	if !slices.Contains(never, value) && w.Code != http.StatusTooManyRequests { // who tries too often is told that alone; of which no browser sends any, and no page can show them again
		wantAtField(t, c, name, value, body)
	}
}

// The controls of a form that a person sees and fills in.
var (
	controls    = regexp.MustCompile(`<(?:input|select|textarea)\b[^>]*>`)
	controlName = regexp.MustCompile(`\sname="([^"]+)"`)
	controlID   = regexp.MustCompile(`\sid="([^"]+)"`)
	controlType = regexp.MustCompile(`\stype="([^"]+)"`)
	describedBy = regexp.MustCompile(`\saria-describedby="([^"]+)"`)
	linked      = regexp.MustCompile(`<a href="#([^"]+)">`)
)

// formsOf are the insides of the forms of a page that are sent to path.
func formsOf(body, path string) (out []string) {
	same := func(action string) bool {
		action, _, _ = strings.Cut(html.UnescapeString(action), "?")
		return action == path
	}
	for _, m := range postForms.FindAllStringSubmatch(body, -1) {
		if same(formAction.FindStringSubmatch(m[1])[1]) {
			out = append(out, m[2])
		}
	}
	for _, m := range lateAction.FindAllStringSubmatch(body, -1) {
		if same(m[2]) {
			out = append(out, m[1])
		}
	}
	return out
}

// pressed are fields that nobody types: a page that carries something else in them was
// tampered with, and is not shown again.
var pressed = []string{"key", "version", "lang", "username", "form", "delivery", "remove", "disabled", "confirmed", "shown", "way", "agree", "code"}

// wantAtField says unless what is wrong stands at the control of that name, as a
// screen reader finds it, and the top of the page leads there.
func wantAtField(t *testing.T, c formCase, name, value, body string) {
	t.Helper()
	forms := formsOf(body, c.path)
	if len(forms) == 0 {
		if c.shown != refusedAll && !(slices.Contains(pressed, name) && strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) || len(value) > 2048) {
			t.Errorf("%s %s=%.24q: the form is not shown again", c.path, name, value)
		}
		return
	}
	seen, marked, ids := 0, 0, map[string]bool{}
	for _, inside := range forms {
		for _, tag := range controls.FindAllString(inside, -1) {
			m, kind := controlName.FindStringSubmatch(tag), controlType.FindStringSubmatch(tag)
			if m == nil || kind != nil && kind[1] == "hidden" {
				continue
			}
			at := controlID.FindStringSubmatch(tag)
			invalid := strings.Contains(tag, ` aria-invalid="true"`)
			if invalid && at != nil {
				ids[at[1]] = true
			}
			if m[1] != name {
				continue
			}
			seen++
			if !invalid {
				continue
			}
			marked++
			by := describedBy.FindStringSubmatch(tag)
			if by == nil || !strings.Contains(body, `id="`+strings.Fields(by[1])[0]+`"`) {
				t.Errorf("%s %s=%.24q: nothing describes what is wrong with %s", c.path, name, value, tag)
			}
		}
	}
	if seen == 0 { // filled in by the page, or pressed
		return
	}
	if marked == 0 {
		t.Errorf("%s %s=%.24q: the field is not marked", c.path, name, value)
		return
	}
	to := linked.FindStringSubmatch(problem.FindString(body))
	if to == nil || !ids[to[1]] {
		t.Errorf("%s %s=%.24q: the top leads to no field that is marked: %v of %v", c.path, name, value, to, ids)
	}
}

// badFiles sends files that are none of what the form asks for.
func (w formWorld) badFiles(t *testing.T, c formCase, h http.Handler) {
	t.Helper()
	if c.file == nil {
		return
	}
	for _, file := range []string{"", "không phải tệp cần", "%PDF-1.7\n", "<html><script>alert(1)</script></html>", "\x00\x00"} {
		a := c.send(t, h, c.valid, []byte(file))
		if a.Code < 400 || a.Code >= 500 || strings.Contains(a.Body.String(), "<script>alert") {
			t.Errorf("%s with the file %.20q: %d", c.path, file, a.Code)
		}
	}
}

// sessionEnds marks the form after which nobody is there to press again.
const sessionEnds = "session ends"

// take sends the form as it should be, which must work, and sees that what was typed
// comes out as text.
func (c formCase) take(t *testing.T, s *site, h http.Handler) {
	t.Helper()
	a := c.send(t, h, c.valid, c.file)
	if c.shown == refusedAll {
		if a.Code < 400 || a.Code >= 500 {
			t.Logf("%s: %d", c.path, a.Code)
		}
		return
	}
	if a.Code != http.StatusSeeOther && a.Code != http.StatusOK {
		t.Errorf("%s with a right answer: %d %s", c.path, a.Code, problem.FindString(a.Body.String()))
		return
	}
	if c.shown == sessionEnds {
		return
	}
	n := s.events(t)
	if again := c.send(t, h, c.valid, c.file); again.Code != a.Code || again.Header().Get("Location") != a.Header().Get("Location") {
		t.Errorf("%s pressed twice: %d to %q, then %d to %q %s", c.path, a.Code, a.Header().Get("Location"), again.Code, again.Header().Get("Location"), problem.FindString(again.Body.String()))
	}
	if after := s.events(t); after != n {
		t.Errorf("%s pressed twice acts twice: %d entries more in the log", c.path, after-n)
	}
	body := a.Body.String()
	if to := a.Header().Get("Location"); to != "" {
		to, _, _ = strings.Cut(to, "#")
		if a = get(t, h, to); a.Code == http.StatusSeeOther {
			a = get(t, h, a.Header().Get("Location"))
		}
		body = a.Body.String()
	}
	if strings.Contains(body, "<img src=x") {
		t.Errorf("%s: what was typed is markup on the next page", c.path)
	}
	if strings.Contains(body, "e\u0302\u0301") && c.file == nil {
		t.Errorf("%s: what was typed is not kept in composed characters", c.path)
	}
}

// The forms of pages as they are written.
var (
	postForms  = regexp.MustCompile(`(?s)<form\b([^>]*method="post"[^>]*)>(.*?)</form>`)
	formAction = regexp.MustCompile(`action="([^"]*)"`)
	formNames  = regexp.MustCompile(`<(?:input|select|textarea|button)\b[^>]*?\sname="([^"]+)"`)
	lateAction = regexp.MustCompile(`(?s)<form\b[^>]*method="get"[^>]*>(.*?formmethod="post" formaction="([^"]*)".*?)</form>`)
)

func TestEveryFormAndFieldHasAnEntryInTheTable(t *testing.T) {
	t.Parallel()
	w := newFormWorld(t)
	entries := map[string]map[string]rule{}
	for _, c := range w.cases(t) {
		if entries[c.route] == nil {
			entries[c.route] = map[string]rule{}
		}
		maps.Copy(entries[c.route], c.fields)
	}
	patterns := http.NewServeMux()
	for _, rt := range w.a.desk.Routes() {
		if rt.Method != http.MethodPost {
			continue
		}
		if entries[rt.Path] == nil {
			t.Errorf("the form of %s has no entry", rt.Path)
		}
		patterns.Handle("POST "+rt.Path, http.NotFoundHandler())
	}
	for rt := range entries {
		if strings.HasPrefix(rt, "/start/") {
			patterns.Handle("POST "+rt, http.NotFoundHandler())
		}
	}
	routeOf := func(action string) string {
		action, _, _ = strings.Cut(action, "?")
		u, err := url.Parse("http://x" + strings.TrimPrefix(strings.TrimPrefix(action, "/a"), "/b"))
		must(t, err)
		_, pattern := patterns.Handler(&http.Request{Method: http.MethodPost, URL: u, Host: "x"})
		return strings.TrimPrefix(pattern, "POST ")
	}
	seen := map[string]bool{}
	look := func(body string) {
		check := func(action, inside string) {
			rt := routeOf(action)
			if seen[rt] = true; rt == "" {
				t.Errorf("a form leads to %s, which is no page", action)
			}
			for _, m := range formNames.FindAllStringSubmatch(inside, -1) {
				if _, ok := entries[rt][m[1]]; !ok {
					t.Errorf("the field %s of %s has no entry", m[1], rt)
				}
			}
			if !strings.Contains(inside, ` name="key"`) {
				t.Errorf("the form of %s carries no key: pressed twice, it acts twice", rt)
			}
		}
		for _, m := range postForms.FindAllStringSubmatch(body, -1) {
			check(formAction.FindStringSubmatch(m[1])[1], m[2])
		}
		for _, m := range lateAction.FindAllStringSubmatch(body, -1) {
			check(m[2], m[1])
		}
	}
	n := 0
	for _, at := range w.pages() {
		s, h := w.handler(t, formCase{path: at.path, as: at.as})
		if strings.HasSuffix(at.path, "/login") {
			h = s.desk.Handler()
		}
		look(page(t, get(t, h, at.path), http.StatusOK))
		n++
	}
	for rt := range entries {
		if !seen[rt] && !slices.Contains(unseen, rt) {
			t.Errorf("no page looked at shows the form of %s", rt)
		}
	}
	t.Logf("%d pages, %d forms", n, len(seen))
}

// unseen are forms that only stand on pages of another set-up: with a token for the
// key, and with a delivery that was set aside.
var unseen = []string{"/sign/{id}/upload", "/sign/{id}/complete", "/press/{id}/seal/upload", "/press/{id}/seal/complete",
	"/documents/{id}/deliveries/{delivery}/resume", "/search/{id}/resume", "/lanes/{to}/release"}

type formPage struct {
	as   exchange.Role
	path string
}

// pages are those that show the forms.
func (w formWorld) pages() []formPage {
	clerk, leader, it := exchange.RoleClerk, exchange.RoleLeader, exchange.RoleOperator
	year := strconv.Itoa(time.Now().In(exchange.Vietnam).Year())
	out := []formPage{{clerk, "/"}, {clerk, "/a/documents/new"}, {clerk, "/a/documents/" + w.ids["draft"] + "/edit"}, {clerk, "/a/documents/" + w.ids["sent"] + "/replace"},
		{clerk, "/a/results/new"}, {clerk, "/a/results/" + w.ids["result one"]}, {clerk, "/a/results/" + w.ids["result draft"]}, {clerk, "/a/results/" + w.ids["result one"] + "/replace"},
		{clerk, "/a/registers/di/new"}, {clerk, "/a/registers/den/new"}, {clerk, "/a/registers/di/" + year}, {clerk, "/b/registers/di/" + year},
		{clerk, "/a/press/" + w.ids["numbered"] + "/seal"}, {clerk, "/a/verifications"}, {clerk, "/a/password"}, {clerk, "/a/login"},
		{leader, "/a/sign"}, {leader, "/a/sign/" + w.ids["to sign"]},
		{it, "/a/accounts"}, {it, "/a/accounts/new"}, {it, "/a/accounts/" + w.ids["account"]}, {it, "/a/api-keys"}, {it, "/a/search/" + w.ids["hand"]},
		{it, "/a/lanes"}, {it, "/a/lanes/H98.35"}, {clerk, "/a/lanes/H98.88"}, {clerk, "/a/deliveries/" + w.ids["waiting"]}, {it, "/a/deliveries/" + w.ids["waiting"]}}
	for _, name := range []string{"draft", "to ask", "sent", "hand", "issued", "signed", "numbered"} {
		out = append(out, formPage{clerk, "/a/documents/" + w.ids[name]})
	}
	for _, name := range []string{"b:waiting", "b:bad", "b:sent", "b:asked back"} {
		out = append(out, formPage{clerk, "/b/inbox/" + w.ids[name]})
	}
	return out
}

func TestWhatIsNoFormIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	w := newFormWorld(t)
	bodies := []struct{ kind, body string }{
		{"multipart/form-data", "x"}, {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\ncut"},
		{"multipart/form-data; boundary=" + strings.Repeat("b", 5000), "x"}, {"application/x-www-form-urlencoded", "%zz=%"},
		{"application/x-www-form-urlencoded", strings.Repeat("a=1&", 400_000)}, {"application/json", `{"key":"x"}`}, {"", "x"}, {"text/\x00", "x"},
	}
	for _, c := range w.cases(t) {
		if c.route == "/logout" || len(c.fields) == 1 && c.file == nil { // nothing is read from these but the key of a double click
			continue
		}
		_, h := w.handler(t, c)
		for _, b := range bodies {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, io.NopCloser(strings.NewReader(b.body)))
			r.Header.Set("Content-Type", b.kind)
			a := httptest.NewRecorder()
			h.ServeHTTP(a, r)
			if a.Code < 400 || a.Code >= 500 {
				t.Errorf("%s with %.30q as %.40q: %d", c.path, b.body, b.kind, a.Code)
			}
		}
	}
	public := w.a.public(t).Handler()
	for _, b := range bodies {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.NopCloser(strings.NewReader(b.body)))
		r.Header.Set("Content-Type", b.kind)
		a := httptest.NewRecorder()
		public.ServeHTTP(a, r)
		if a.Code < 400 || a.Code >= 500 {
			t.Errorf("the public page with %.30q as %.40q: %d", b.body, b.kind, a.Code)
		}
	}
}

func TestNothingInAnAddressBreaksAPage(t *testing.T) {
	t.Parallel()
	w := newFormWorld(t)
	pages := w.pages()
	for _, list := range []string{"/a/documents", "/a/results", "/a/inbox", "/a/registers", "/a/documents/\u202e", "/a/registers/xx/2026", "/a/registers/di/99999"} {
		pages = append(pages, formPage{exchange.RoleClerk, list})
	}
	pages = append(pages, formPage{exchange.RoleOperator, "/a/search"}, formPage{exchange.RoleOperator, "/a/home"})
	for _, at := range pages {
		_, h := w.handler(t, formCase{path: at.path, as: at.as})
		for _, v := range []string{"\x00", "\xff\xfe", "<script>alert(1)</script>", "../../etc/passwd", "\u202egpj", "-1", "99999999999999999999", strings.Repeat("Ậ", 2000), `" or 1=1 --`} {
			q := url.Values{}
			for _, name := range []string{"q", "tab", "after", "from", "lang", "to", "paste", "prepare", "file", "reason", "note", "next", "delivery", "act", "key"} {
				q.Set(name, v)
			}
			a := get(t, h, (&url.URL{Path: at.path, RawQuery: q.Encode()}).String())
			if a.Code >= 500 || strings.Contains(a.Body.String(), "<script>alert") {
				t.Errorf("%s with %.20q: %d", at.path, v, a.Code)
			}
		}
	}
}
