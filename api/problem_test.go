package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"antin/api"
	"antin/exchange"
	"antin/internal/text"
)

func TestARefusedBodyNamesThePlaceInThePersonsLanguage(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	valid := `{"kind":{"name":"Công văn"},"code_notation":"VP","subject":"S","file":"` + sc.sha + `","final":{"code_number":"5","promulgation_date":"2026-11-23"},"acting_person":"Hoàng Văn Gửi"}`
	edit := func(old, repl string) string {
		if !strings.Contains(valid, old) {
			t.Fatalf("%q is not in the valid body", old)
		}
		return strings.Replace(valid, old, repl, 1)
	}
	for name, c := range map[string]struct {
		body          any
		status        int
		code          text.Code
		pointer, kind string
		header        []string
	}{
		"no JSON":               {body: `{"kind":`, status: 400, code: text.InvalidInput},
		"no body":               {body: ``, status: 400, code: text.InvalidInput},
		"two values":            {body: valid + `{}`, status: 400, code: text.InvalidInput},
		"an array":              {body: `[]`, status: 422, code: text.InvalidInput, kind: "value"},
		"not UTF-8":             {body: edit(`"S"`, "\"\xff\""), status: 400, code: text.InvalidInput},
		"too deep":              {body: strings.Repeat(`[`, 100), status: 400, code: text.InvalidInput},
		"twice the same member": {body: edit(`"subject":"S"`, `"subject":"S","subject":"T"`), status: 400, code: text.InvalidInput, pointer: "/subject", kind: "value"},
		"an unknown member":     {body: edit(`"subject"`, `"x":1,"subject"`), status: 422, code: text.InvalidInput, pointer: "/x", kind: "unknown"},
		"another case":          {body: edit(`"subject"`, `"Subject"`), status: 422, code: text.InvalidInput, pointer: "/Subject", kind: "unknown"},
		"an unknown inside":     {body: edit(`"code_number":"5"`, `"code_number":"5","y":2`), status: 422, code: text.InvalidInput, pointer: "/final/y", kind: "unknown"},
		"a missing member":      {body: edit(`"subject":"S",`, ``), status: 422, code: text.InvalidInput, pointer: "/subject", kind: "required"},
		"a wrong type":          {body: edit(`"S"`, `5`), status: 422, code: text.InvalidInput, pointer: "/subject", kind: "value"},
		"too long":              {body: edit(`"S"`, `"`+strings.Repeat("á", 501)+`"`), status: 422, code: text.InvalidInput, pointer: "/subject", kind: "value"},
		"blank":                 {body: edit(`"S"`, `"  "`), status: 422, code: text.InvalidInput, pointer: "/subject", kind: "value"},
		"control characters":    {body: edit(`"S"`, `"a\u0000b"`), status: 422, code: text.InvalidInput, pointer: "/subject", kind: "value"},
		"turned writing":        {body: edit(`"S"`, `"a\u202eb"`), status: 422, code: text.InvalidInput, pointer: "/subject", kind: "value"},
		"a comma in a notation": {body: edit(`"VP"`, `"V,P"`), status: 422, code: text.InvalidInput, pointer: "/code_notation", kind: "value"},
		"no such day":           {body: edit(`2026-11-23`, `2026-02-30`), status: 422, code: text.InvalidInput, pointer: "/final/promulgation_date", kind: "value"},
		"number nought":         {body: edit(`"5"`, `"0"`), status: 422, code: text.InvalidInput, pointer: "/final/code_number", kind: "value"},
		"a taken number":        {body: edit(`"VP"`, `"UBND-VP"`), status: 201},
		"an unknown file":       {body: edit(sc.sha, strings.Repeat("0", 64)), status: 404, code: text.NotFound, pointer: "/file", kind: "value"},
		"file and body":         {body: edit(`"subject"`, `"body":"b","subject"`), status: 422, code: text.InvalidInput, pointer: "/body", kind: "required"},
		"another media type":    {body: valid, status: 415, code: text.InvalidInput, header: []string{"Content-Type", "text/plain"}},
		"no media type":         {body: valid, status: 415, code: text.InvalidInput, header: []string{"Content-Type", ""}},
		"too large":             {body: edit(`"S"`, `"`+strings.Repeat("x", 5<<20)+`"`), status: 413, code: text.TooLarge},
		"an unknown signatory":  {body: `{"kind":{"name":"Công văn"},"code_notation":"VP","subject":"S","body":"B","signatory":"ai-do"}`, status: 403, code: text.NotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			got := sc.a.ask(t, http.MethodPost, "/v1/documents", c.body, append(c.header, "Idempotency-Key", "k-"+strings.ReplaceAll(name, " ", "-"))...)
			if c.status < 300 {
				got.is(t, c.status)
				return
			}
			p := got.refused(t, c.status, c.code)
			if c.kind != "" && !p.points(c.pointer, c.kind) {
				t.Errorf("want %s %s: %s", c.pointer, c.kind, got.body)
			}
			if strings.Contains(string(got.body), "expected") || strings.Contains(string(got.body), strings.Repeat("x", 100)) {
				t.Errorf("the library speaks, or the body is repeated: %.300s", got.body)
			}
		})
	}
	en := sc.a.ask(t, http.MethodPost, "/v1/documents", `{`, "Idempotency-Key", "k", "Accept-Language", "en-GB").refused(t, 400, text.InvalidInput)
	vi := sc.a.ask(t, http.MethodPost, "/v1/documents", `{`, "Idempotency-Key", "k").refused(t, 400, text.InvalidInput)
	if m := text.Errorf(text.InvalidInput, nil); en.Title != m.Message().EN || vi.Title != m.Message().VI || en.Fix != m.Fix().EN {
		t.Errorf("titles %q, %q", vi.Title, en.Title)
	}
}

func TestActsThatCannotBeAreRefusedWithTheirCode(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	to := func(code string) string {
		return fmt.Sprintf(`{"to":[{"organ_id":%q}],"acting_person":"Hoàng Văn Gửi"}`, code)
	}
	person := `"acting_person":"Hoàng Văn Nhận"`
	draft := sc.a.ask(t, http.MethodPost, "/v1/documents", `{"kind":{"name":"Công văn"},"code_notation":"VP","subject":"S","body":"B","signatory":"lanh_dao"}`,
		"Idempotency-Key", "nhap").is(t, http.StatusCreated)["id"].(string)
	sc.b.ask(t, http.MethodPost, "/v1/inbox/"+sc.first+":accept", "{"+person+"}", "Idempotency-Key", "a").is(t, http.StatusOK)
	sc.a.ask(t, http.MethodPost, "/v1/documents/"+sc.fresh+":send", to("H15.02"), "Idempotency-Key", "s").is(t, http.StatusAccepted)
	for name, c := range map[string]struct {
		at         *site
		path, body string
		key        string
		status     int
		code       text.Code
		pointer    string
	}{
		"an unknown receiver":          {sc.a, "/v1/documents/" + sc.sent + ":send", to("H00.00"), "", 422, text.ReceiverUnknown, ""},
		"to oneself":                   {sc.a, "/v1/documents/" + sc.sent + ":send", to("H15.01"), "", 422, text.InvalidInput, ""},
		"to nobody":                    {sc.a, "/v1/documents/" + sc.sent + ":send", `{"to":[],"acting_person":"Hoàng Văn Gửi"}`, "", 422, text.InvalidInput, "/to"},
		"to null":                      {sc.a, "/v1/documents/" + sc.sent + ":send", `{"to":null,"acting_person":"Hoàng Văn Gửi"}`, "", 422, text.InvalidInput, "/to"},
		"an identifier too long":       {sc.a, "/v1/documents/" + sc.sent + ":send", to(strings.Repeat("H", 36)), "", 422, text.InvalidInput, "/to/0/organ_id"},
		"sent already":                 {sc.a, "/v1/documents/" + sc.sent + ":send", to("H15.02"), "", 409, text.StateConflict, ""},
		"unsigned":                     {sc.a, "/v1/documents/" + draft + ":send", to("H15.02"), "", 422, text.SignatureRequired, ""},
		"the key of another request":   {sc.a, "/v1/documents/" + sc.fresh + ":send", to("H15.99"), "s", 422, text.IdempotencyKeyReused, ""},
		"an unknown document":          {sc.a, "/v1/documents/vb_00000000000000000000000000:send", to("H15.02"), "", 404, text.NotFound, ""},
		"the item of another agency":   {sc.a, "/v1/inbox/" + sc.next + ":accept", "{" + person + "}", "", 404, text.NotFound, ""},
		"accepted already":             {sc.b, "/v1/inbox/" + sc.first + ":accept", "{" + person + "}", "", 409, text.StateConflict, ""},
		"refused once accepted":        {sc.b, "/v1/inbox/" + sc.first + ":refuse", `{"reason":"incomplete",` + person + "}", "", 409, text.StateConflict, ""},
		"nobody accepts":               {sc.b, "/v1/inbox/" + sc.next + ":accept", "{}", "", 422, text.InvalidInput, "/acting_person"},
		"refused without a reason":     {sc.b, "/v1/inbox/" + sc.next + ":refuse", "{" + person + "}", "", 422, text.InvalidInput, "/reason"},
		"refused for an unknown one":   {sc.b, "/v1/inbox/" + sc.next + ":refuse", `{"reason":"x",` + person + "}", "", 422, text.InvalidInput, "/reason"},
		"another reason without words": {sc.b, "/v1/inbox/" + sc.next + ":refuse", `{"reason":"other",` + person + "}", "", 422, text.InvalidInput, "/note"},
	} {
		t.Run(name, func(t *testing.T) {
			key := c.key
			if key == "" {
				key = "k-" + strings.ReplaceAll(name, " ", "-")
			}
			got := c.at.ask(t, http.MethodPost, c.path, c.body, "Idempotency-Key", key)
			p := got.refused(t, c.status, c.code)
			if c.pointer != "" && !p.points(c.pointer, "value") && !p.points(c.pointer, "required") {
				t.Errorf("want %s: %s", c.pointer, got.body)
			}
			if p.Retry.Safe {
				t.Error("a retry is called hopeful")
			}
		})
	}
}

func TestAnAddressThatIsNotOursIsAProblemToo(t *testing.T) {
	t.Parallel()
	sc := newScene(t)
	id := "/v1/documents/" + sc.sent
	for path, want := range map[string]int{
		"/": 404, "/v1/": 404, "/v1/nothing": 404, "/v1/documents/": 404, "/docs/x": 404, "/openapi-3.0.json": 404, "/schemas/Problem.json": 404,
		id + ":seal": 405, id + ":sign": 404, id + ":send": 405, id + "%3Asend": 405, id + "/:send": 404, id + "/@send": 404, id + "/%40send": 404, id + ":send:send": 404,
		id + "%2Ffile": 404, id + "/file/": 404, "/v1/documents/../documents/" + sc.sent: 404, "/v1/documents/%00": 404, "/v1/documents/%ff": 404,
		"/v1/documents/vb_x": 404, "/v1/documents/" + sc.first: 404, "/v1/documents/" + strings.Repeat("v", 5000): 404, "/v1/documents/" + sc.sent + "'": 404,
		"/v1/files/" + strings.Repeat("0", 64): 404, "/v1/files/x": 404, "/v1/results/kq_x": 404, "/v1/inbox/" + sc.sent: 404,
		"/v1/documents?limit=0": 422, "/v1/documents?limit=501": 422, "/v1/documents?limit=x": 422, "/v1/documents?cursor=%27": 422, "/v1/documents?nothing=1": 422, "/v1/documents?limit=": 422, "/v1/documents?stage=": 422,
		"/v1/inbox?state=x": 422, "/v1/agencies?q=" + strings.Repeat("x", 201): 422,
	} {
		code := map[int]text.Code{404: text.NotFound, 405: text.InvalidInput, 422: text.InvalidInput}[want]
		sc.a.ask(t, http.MethodGet, path, nil).refused(t, want, code)
	}
	sc.b.ask(t, http.MethodGet, "/v1/inbox/"+sc.first+"/attachments/1", nil).refused(t, 404, text.NotFound)
	sc.b.ask(t, http.MethodGet, "/v1/inbox/"+sc.first+"/attachments/-1", nil).refused(t, 422, text.InvalidInput)
	sc.b.ask(t, http.MethodGet, "/v1/inbox/"+sc.first+"/report?attachment=7", nil).refused(t, 404, text.NotFound)
	sc.a.ask(t, http.MethodPut, id, nil).refused(t, 405, text.InvalidInput)
	// Another agency's file is not reached by its digest, though its bytes are known.
	sc.b.ask(t, http.MethodGet, "/v1/files/"+sc.sha, nil).refused(t, 404, text.NotFound)
	resp, err := http.Get(sc.a.http.URL + "/v1/documents") // without the prefix
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("without prefix: %d", resp.StatusCode)
	}
}

func TestAnUploadIsBoundedWholeAndOfAKnownType(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	form := func(parts ...string) (io.Reader, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, p := range parts {
			name, file, _ := strings.Cut(p, "=")
			part, err := w.CreateFormFile(name, file)
			must(t, err)
			_, _ = io.WriteString(part, "bytes of "+file)
		}
		must(t, w.Close())
		return &b, w.FormDataContentType()
	}
	post := func(body any, contentType string) answer {
		return a.ask(t, http.MethodPost, "/v1/files", body, "Content-Type", contentType)
	}
	body, ct := form("file=văn bản.txt")
	got := post(body, ct).is(t, http.StatusCreated)
	if got["name"] != "văn bản.txt" || got["media_type"] != "application/octet-stream" || got["bytes"] != float64(len("bytes of văn bản.txt")) {
		t.Errorf("got %v", got)
	}
	down := a.ask(t, http.MethodGet, "/v1/files/"+got["sha256"].(string), nil)
	if down.is(t, http.StatusOK); string(down.body) != "bytes of văn bản.txt" || !strings.HasPrefix(down.Header.Get("Content-Disposition"), "attachment") ||
		down.Header.Get("Content-Type") != "application/octet-stream" || down.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("download: %v %q", down.Header, down.body)
	}
	body, ct = form("other=a")
	post(body, ct).refused(t, 400, text.InvalidInput)
	body, ct = form("file=a", "file=b")
	post(body, ct).refused(t, 400, text.InvalidInput)
	for _, parts := range [][]string{{"note=a", "file=a"}, {"file=a", "note=a"}, strings.Split(strings.Repeat("x=y,", 30)+"file=a", ",")} {
		body, ct = form(parts...)
		post(body, ct).refused(t, 400, text.InvalidInput)
	}
	body, ct = form("file=a")
	cut, err := io.ReadAll(body)
	must(t, err)
	post(bytes.NewReader(cut[:len(cut)-10]), ct).refused(t, 400, text.FileUnreadable)
	post(strings.NewReader("x"), "multipart/form-data").refused(t, 400, text.InvalidInput)
	post(strings.NewReader("x"), "application/x-www-form-urlencoded").refused(t, 415, text.InvalidInput)
	post(strings.NewReader("x"), "").refused(t, 415, text.InvalidInput)
	a.ask(t, http.MethodPost, "/v1/files?name=a%00b", []byte("x")).refused(t, 422, text.InvalidInput)

	// A file for verification ends at 30 MiB, stated or not.
	const limit = 30 << 20
	unstated := struct{ io.Reader }{bytes.NewReader(make([]byte, limit+1))}
	a.ask(t, http.MethodPost, "/v1/verifications", unstated, "Content-Type", "application/pdf").refused(t, 413, text.TooLarge)
	a.ask(t, http.MethodPost, "/v1/verifications", `{"sha256":"`+strings.Repeat("0", 64)+`"}`).refused(t, 404, text.NotFound)
	a.ask(t, http.MethodPost, "/v1/verifications", `{"sha256":"x","y":1}`).refused(t, 422, text.InvalidInput)
	if status := a.rawPost(t, 201<<20, 0); status != http.StatusRequestEntityTooLarge {
		t.Errorf("201 MiB stated: %d", status)
	}
	// Cut off in the middle: a 4xx if anyone still reads it, and nothing is stored.
	if status := a.rawPost(t, 1000, 10); status != http.StatusBadRequest {
		t.Errorf("cut off: %d", status)
	}
	if f := a.failures(); len(f) > 0 {
		t.Errorf("failures: %v", f)
	}
}

// rawPost states a length, sends only so many bytes, closes its side and returns
// the status of the answer.
func (s *site) rawPost(t *testing.T, stated, sent int) int {
	t.Helper()
	c, err := net.Dial("tcp", s.http.Listener.Addr().String())
	must(t, err)
	defer func() { _ = c.Close() }()
	_, err = fmt.Fprintf(c, "POST %s/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/pdf\r\nContent-Length: %d\r\n\r\n%s",
		s.prefix, s.secrets[fullKey], stated, strings.Repeat("x", sent))
	must(t, err)
	must(t, c.(*net.TCPConn).CloseWrite())
	head := make([]byte, 12)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatalf("no answer: %v", err)
	}
	var status int
	_, err = fmt.Sscanf(string(head), "HTTP/1.1 %d", &status)
	must(t, err)
	return status
}

// brokenStore is a database that answers nothing.
type brokenStore struct{ exchange.Store }

// View implements exchange.Store.
func (brokenStore) View(context.Context, func(exchange.Tx) error) error {
	return errors.New("sql: database is closed")
}

func TestAnUnexpectedFailureShowsNothingOfItself(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	a.outbox.Store = brokenStore{a.db}
	got := a.ask(t, http.MethodGet, "/v1/documents", nil)
	p := got.refused(t, http.StatusInternalServerError, text.Internal)
	if !p.Retry.Safe || strings.Contains(string(got.body), "sql") || strings.Contains(string(got.body), "closed") {
		t.Errorf("%s", got.body)
	}
	f := a.failures()
	if len(f) != 1 || !strings.Contains(f[0].Error(), p.TraceID) || !strings.Contains(f[0].Error(), "GET /a/v1/documents") {
		t.Errorf("failures: %v", f)
	}
	a.ask(t, http.MethodGet, "/healthz", nil, "Authorization", "").refused(t, http.StatusServiceUnavailable, text.Internal)
}

func TestAServerThatLacksSomethingIsNotServed(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	for name, spoil := range map[string]func(*api.Server){
		"access": func(s *api.Server) { s.Access = nil }, "files": func(s *api.Server) { s.Files = nil }, "now": func(s *api.Server) { s.Now = nil },
		"prefix": func(s *api.Server) { s.Prefix = "a/" }, "office": func(s *api.Server) { s.Office.Agency.Code = "" },
	} {
		bad := whole(a)
		if _, err := bad.Handler(); err != nil {
			t.Fatal(err)
		}
		spoil(&bad)
		if _, err := bad.Handler(); err == nil {
			t.Errorf("without %s it is served", name)
		}
	}
	ready := whole(a)
	h, err := ready.Handler()
	must(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if w.Code != http.StatusOK {
		t.Errorf("without prefix: %d %s", w.Code, w.Body)
	}
}

// whole is a server like that of s, without a prefix.
func whole(s *site) api.Server {
	return api.Server{Office: s.office, Outbox: s.outbox, Inbox: s.inbox, Results: s.results, Evidence: s.server.Evidence, Files: s.server.Files,
		Press: s.press, Registers: s.server.Registers, Operations: s.server.Operations, Verifications: s.server.Verifications,
		Finder: s.server.Finder, Webhooks: s.server.Webhooks, Validator: s.validator, Access: s.access, Now: s.now}
}
