package api_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/compose"
)

// scene is a pair of agencies with one of everything that an operation needs.
type scene struct {
	a, b        *site
	pdf         []byte
	sha, sent   string // at A: an uploaded file, a document that was sent
	fresh       string // at A: a document not yet sent
	first, next string // at B: two items that wait
	result      string // at A
	leader      string // the account at A who signs by a session
	tokens      map[exchange.Role]string
	documents   int // how many A has
}

const person = "Hoàng Văn Nhận"

func newScene(t *testing.T) *scene {
	t.Helper()
	a, b := newPair(t)
	sc := &scene{a: a, b: b, pdf: a.signedPDF(t), tokens: map[exchange.Role]string{}, documents: 4}
	sc.sha = a.uploaded(t, sc.pdf)
	sc.sent, sc.fresh = a.created(t, sc.sha, "1"), a.created(t, sc.sha, "2")
	other := a.created(t, sc.sha, "3")
	a.send(t, sc.sent, b)
	a.send(t, other, b)
	settle(t, a, b)
	items := b.ask(t, http.MethodGet, "/v1/inbox?state=WAITING", nil).is(t, http.StatusOK)["items"].([]any)
	if len(items) != 2 {
		t.Fatalf("%d items wait", len(items))
	}
	sc.first, sc.next = items[0].(map[string]any)["id"].(string), items[1].(map[string]any)["id"].(string)
	sc.result = sc.newResult(t)
	return sc
}

func (sc *scene) newResult(t *testing.T) string {
	t.Helper()
	r, err := sc.a.results.Create(t.Context(), sc.a.actor(exchange.RoleOfficer), exchange.NewResult{Signatory: string(exchange.RoleLeader), Form: exchange.ResultForm{
		Dossier: "H15.01-261123-0001", Owner: "Lê Thị Bình", Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND",
		Subject: "Về việc cấp bản sao", Body: "Điều 1. Cấp."}})
	must(t, err)
	return string(r.ID)
}

func resultRequest() map[string]any {
	return map[string]any{"dossier": "H15.01-261123-0002", "owner": "Lê Thị Bình", "kind": map[string]any{"code": 2, "name": "Quyết định"},
		"code_notation": "QĐ-UBND", "subject": "Về việc cấp bản sao", "body": "Điều 1. Cấp.", "signatory": string(exchange.RoleLeader)}
}

// staff opens sessions of a clerk, a leader and an officer of A.
func (sc *scene) staff(t *testing.T) {
	t.Helper()
	for _, role := range []exchange.Role{exchange.RoleClerk, exchange.RoleLeader, exchange.RoleOfficer} {
		sc.tokens[role] = "antin_session_" + sc.a.session(t, role)
	}
	s, err := sc.a.access.Session(t.Context(), sc.tokens[exchange.RoleLeader][len("antin_session_"):])
	must(t, err)
	sc.leader = s.Actor.ID
}

// draft makes a draft at A that signatory is to sign.
func (sc *scene) draft(t *testing.T, signatory string) exchange.ID {
	t.Helper()
	d, err := sc.a.outbox.Create(t.Context(), sc.a.actor(exchange.RoleClerk), exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"},
		Notation: "VP", Subject: "Về việc thử", Body: "Nội dung.", Signatory: signatory})
	must(t, err)
	sc.documents++
	return d.ID
}

func (sc *scene) signed(t *testing.T, id exchange.ID) exchange.ID {
	t.Helper()
	must(t, sc.a.press.Sign(t.Context(), sc.a.actor(exchange.RoleLeader), id))
	return id
}

func (sc *scene) numbered(t *testing.T, id exchange.ID) exchange.ID {
	t.Helper()
	_, err := sc.a.press.Number(t.Context(), sc.a.actor(exchange.RoleClerk), sc.signed(t, id), 0)
	must(t, err)
	return id
}

// issued makes a result that was issued.
func (sc *scene) issued(t *testing.T) exchange.Result {
	t.Helper()
	id := exchange.ID(sc.newResult(t))
	must(t, sc.a.press.Sign(t.Context(), sc.a.actor(exchange.RoleLeader), id))
	r, err := sc.a.results.Seal(t.Context(), sc.a.actor(exchange.RoleClerk), id)
	must(t, err)
	return r
}

// prepared asks, by a session of role, for a signing of path.
func (sc *scene) prepared(t *testing.T, path string, role exchange.Role) map[string]any {
	t.Helper()
	return sc.a.ask(t, http.MethodPost, path+":prepare", sc.prepare(t, role), "Authorization", "Bearer "+sc.tokens[role], "Idempotency-Key", "chuan-bi"+path).is(t, http.StatusCreated)
}

func (sc *scene) prepare(t *testing.T, role exchange.Role) map[string]any {
	t.Helper()
	if role == exchange.RoleClerk {
		return map[string]any{"kind": "seal"}
	}
	p, err := pki()
	must(t, err)
	var chain []string
	for _, c := range p.Signer(certstest.RoleLeader).Chain {
		chain = append(chain, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return map[string]any{"kind": "person", "certificates": chain}
}

// completed is the body that completes what prepare answered, signed as a token would.
func completed(t *testing.T, answer map[string]any) map[string]any {
	t.Helper()
	p, err := pki()
	must(t, err)
	toSign, err := base64.StdEncoding.DecodeString(answer["to_sign"].(string))
	must(t, err)
	value, err := p.Signer(certstest.RoleLeader).Key.Sign(rand.Reader, toSign, crypto.SHA256)
	must(t, err)
	return map[string]any{"signing": answer["id"], "value": base64.StdEncoding.EncodeToString(value)}
}

// elsewhere signs the draft of id with a tool of its own and uploads the outcome.
func (sc *scene) elsewhere(t *testing.T, id exchange.ID, draft exchange.Digest) string {
	t.Helper()
	r, err := sc.a.db.Open(t.Context(), draft)
	must(t, err)
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	must(t, err)
	var out bytes.Buffer
	_, err = sc.a.press.Signer.Sign(t.Context(), signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Name: string(id)}, &out,
		signer.Request{Key: certstest.RoleLeader, Field: compose.FieldPerson, Existing: true, Level: ades.BLT})
	must(t, err)
	return sc.a.uploaded(t, out.Bytes())
}

// request is one call of an operation.
type request struct {
	at     *site
	path   string // with its parameters filled in
	body   any
	token  string // of the session that it needs, where no key will do
	header []string
}

// good is the key, or the session, that may call o.
func (r request) good(o operation) string {
	switch {
	case o.people:
		return r.token
	case o.scope == "":
		return ""
	}
	return scopeKey(o.scope)
}

// requests holds one request for each operation that must succeed for a caller
// who may. An operation that is not here fails the tests that go by the OpenAPI document.
func (sc *scene) requests(t *testing.T) map[string]request {
	t.Helper()
	sc.staff(t)
	out := map[string]request{}
	sc.reading(t, out)
	sc.deciding(t, out)
	sc.sending(t, out)
	sc.signing(t, out)
	return out
}

func (sc *scene) reading(t *testing.T, out map[string]request) {
	t.Helper()
	report := sc.a.ask(t, http.MethodPost, "/v1/verifications", sc.pdf)
	report.is(t, http.StatusOK)
	verification := report.Header.Get("Location")[len(sc.a.prefix):]
	asked, err := sc.a.press.Ask(t.Context(), sc.a.actor(exchange.RoleClerk), sc.draft(t, string(exchange.RoleLeader)), exchange.SigningPerson, "")
	must(t, err)
	for id, path := range map[string]string{
		"about": "/v1", "health": "/healthz", "get-file": "/v1/files/" + sc.sha,
		"list-documents": "/v1/documents?limit=2&stage=issued&q=phoi+hop", "get-document": "/v1/documents/" + sc.sent, "document-file": "/v1/documents/" + sc.sent + "/file",
		"document-edxml": "/v1/documents/" + sc.sent + "/edxml", "document-timeline": "/v1/documents/" + sc.sent + "/timeline",
		"list-deliveries": "/v1/documents/" + sc.sent + "/deliveries", "list-results": "/v1/results", "get-result": "/v1/results/" + sc.result,
		"result-file": "/v1/results/" + sc.result + "/file", "list-agencies": "/v1/agencies?q=so%20giao", "get-agency": "/v1/agencies/H15.02",
		"get-verification": verification, "verification-report": verification + "/report.json", "verification-report-pdf": verification + "/report.pdf",
		"verification-report-xml": verification + "/report.xml", "list-numbers": "/v1/registers/di/numbers",
		"get-operation": "/v1/operations/" + string(asked.ID), "list-events": "/v1/events?after=0&limit=3", "public-result": "/v1/public/results/" + sc.issued(t).Token,
	} {
		out[id] = request{at: sc.a, path: path}
	}
	for id, path := range map[string]string{"list-inbox": "?limit=1", "get-inbox-item": "/" + sc.first, "inbox-edxml": "/" + sc.first + "/edxml",
		"inbox-attachment": "/" + sc.first + "/attachments/0", "inbox-report": "/" + sc.first + "/report"} {
		out[id] = request{at: sc.b, path: "/v1/inbox" + path}
	}
	out["upload-file"] = request{at: sc.a, path: "/v1/files?name=a.pdf", body: sc.pdf}
	out["verify"] = request{at: sc.a, path: "/v1/verifications", body: sc.pdf}
}

// deciding prepares one item of B for each decision.
func (sc *scene) deciding(t *testing.T, out map[string]request) {
	t.Helper()
	var items []string
	for n := range 5 {
		sc.documents++
		sc.a.send(t, sc.a.created(t, sc.sha, fmt.Sprint(100+n)), sc.b)
	}
	recalled := sc.a.created(t, sc.sha, "110")
	sc.documents++
	sc.a.send(t, recalled, sc.b)
	settle(t, sc.a, sc.b)
	sc.a.ask(t, http.MethodPost, "/v1/documents/"+recalled+":recall", map[string]any{"reason": "Sai thể thức", "acting_person": person}, "Idempotency-Key", "thu-hoi").is(t, http.StatusAccepted)
	settle(t, sc.a, sc.b)
	for _, i := range sc.b.ask(t, http.MethodGet, "/v1/inbox?state=WAITING", nil).is(t, http.StatusOK)["items"].([]any) {
		m := i.(map[string]any)
		if id := m["id"].(string); m["recall"] != nil {
			out["answer-recall-inbox-item"] = request{at: sc.b, path: "/v1/inbox/" + id + ":answer-recall", body: map[string]any{"agree": true, "acting_person": person}}
		} else if id != sc.first && id != sc.next {
			items = append(items, id)
		}
	}
	if len(items) < 3 {
		t.Fatalf("%d items wait", len(items))
	}
	body := map[string]any{"acting_person": person, "assignee": "Văn phòng"}
	out["accept-inbox-item"] = request{at: sc.b, path: "/v1/inbox/" + sc.first + ":accept", body: body}
	out["refuse-inbox-item"] = request{at: sc.b, path: "/v1/inbox/" + sc.next + ":refuse", body: map[string]any{"reason": "incomplete", "acting_person": person}}
	for n, verb := range []string{"assign", "process", "complete"} {
		path := "/v1/inbox/" + items[n]
		sc.b.ask(t, http.MethodPost, path+":accept", body, "Idempotency-Key", "nhan-"+verb).is(t, http.StatusOK)
		out[verb+"-inbox-item"] = request{at: sc.b, path: path + ":" + verb, body: body}
	}
	out["record-inbox-item"] = request{at: sc.b, path: "/v1/inbox/paper", body: map[string]any{"arrived_on": today, "from": "UBND tỉnh", "full_number": "12/UBND",
		"promulgation_date": today, "kind": map[string]any{"name": "Công văn"}, "subject": "Về việc họp", "signer_name": "Lê Văn C", "handler": "Văn phòng",
		"channel": "giấy", "acting_person": person}}
}

// waiting makes n deliveries of A that nobody sends on in this scene.
func (sc *scene) waiting(t *testing.T, n int) (ids []string) {
	t.Helper()
	for i := range n {
		d, err := sc.a.outbox.SendReady(t.Context(), sc.a.actor(exchange.RoleClerk), exchange.ReadyMessage{To: "H15.02", Message: strings.NewReader(strings.Repeat("x", i+1))})
		must(t, err)
		ids = append(ids, string(d.ID))
	}
	return ids
}

// sending prepares documents of A for what becomes of them behind their seal.
func (sc *scene) sending(t *testing.T, out map[string]request) {
	t.Helper()
	to := func(code string) map[string]any {
		return map[string]any{"to": []any{map[string]any{"organ_id": code}}, "acting_person": person}
	}
	byHand := sc.a.created(t, sc.sha, "120")
	sc.documents++
	handed := sc.a.ask(t, http.MethodPost, "/v1/documents/"+byHand+":send", to("H15.99"), "Idempotency-Key", "gui-tay").is(t, http.StatusAccepted)
	delivery := handed["deliveries"].([]any)[0].(map[string]any)["id"].(string)
	draft := "/v1/documents/" + string(sc.draft(t, string(exchange.RoleLeader)))
	tag := sc.a.ask(t, http.MethodGet, draft, nil).Header.Get("ETag")
	result := sc.issued(t)
	waiting := sc.waiting(t, 3)
	for id, r := range map[string]request{
		"create-document": {path: "/v1/documents", body: finalRequest(sc.sha, "77")},
		"create-signature": {path: "/v1/signatures", body: map[string]any{"file": sc.sha, "kind": map[string]any{"name": "Công văn"}, "code_notation": "VP", "subject": "Về việc ký",
			"acting_person": person}},
		"edit-document":   {path: draft, body: map[string]any{"subject": "Về việc khác"}, header: []string{"If-Match", tag}},
		"delete-document": {path: "/v1/documents/" + string(sc.draft(t, string(exchange.RoleLeader))), header: []string{"If-Match", `"1"`}},
		"send-document":   {path: "/v1/documents/" + sc.fresh + ":send", body: to("H15.02")},
		"recall-document": {path: "/v1/documents/" + sc.sent + ":recall", body: map[string]any{"reason": "Sai thể thức", "acting_person": person}},
		"replace-document": {path: "/v1/documents/" + sc.sent + ":replace", body: map[string]any{"reason": "Sai số liệu", "acting_person": person, "document": map[string]any{
			"kind": map[string]any{"name": "Công văn"}, "code_notation": "VP", "subject": "Về việc thay thế", "body": "Nội dung.", "signatory": string(exchange.RoleLeader)}}},
		"mark-delivered":      {path: "/v1/deliveries/" + delivery + ":mark-delivered", body: map[string]any{"how": "Chuyển trực tiếp", "at": "2026-11-23T09:00:00+07:00", "acting_person": person}},
		"hold-delivery":       {path: "/v1/deliveries/" + waiting[0] + ":hold", body: map[string]any{"reason": "Chờ đính chính", "acting_person": person}},
		"quarantine-delivery": {path: "/v1/deliveries/" + waiting[1] + ":quarantine", body: map[string]any{"reason": "Nghi gửi nhầm", "acting_person": person}},
		"resume-delivery":     {path: "/v1/deliveries/" + waiting[2] + ":resume", body: map[string]any{"acting_person": person}},
		"list-lanes":          {path: "/v1/lanes"},
		"search":              {path: "/v1/search?q=UBND"},
		"get-delivery":        {path: "/v1/deliveries/" + waiting[2]},
		"hold-lane":           {path: "/v1/lanes/H15.77:hold", body: map[string]any{"reason": "Chuyển trụ sở", "acting_person": person}},
		"release-lane":        {path: "/v1/lanes/H15.77:release", body: map[string]any{"acting_person": person}},
		"export-delivery":     {path: "/v1/deliveries/" + delivery + "/export?kind=slip"},
		"record-document": {path: "/v1/documents/paper", body: map[string]any{"promulgation_date": today, "kind": map[string]any{"name": "Công văn"}, "code_notation": "VP",
			"subject": "Về việc họp", "signer_name": "Lê Văn C", "receivers": "UBND tỉnh", "channel": "giấy, bưu điện", "acting_person": person}},
		"delete-result":  {path: "/v1/results/" + sc.newResult(t), header: []string{"If-Match", `"1"`}},
		"create-result":  {path: "/v1/results", body: resultRequest()},
		"issue-result":   {path: "/v1/results/" + sc.newResult(t) + ":issue", body: map[string]any{"acting_person": person}},
		"revoke-result":  {path: "/v1/results/" + string(result.ID) + ":revoke", body: map[string]any{"reason": "Cấp nhầm", "acting_person": person}},
		"replace-result": {path: "/v1/results/" + string(sc.issued(t).ID) + ":replace", body: map[string]any{"reason": "Sai tên", "acting_person": person, "result": resultRequest()}},
	} {
		r.at = sc.a
		out[id] = r
	}
}

// signing prepares papers of A for every step from the draft to the seal.
func (sc *scene) signing(t *testing.T, out map[string]request) {
	t.Helper()
	clerk, leader := sc.tokens[exchange.RoleClerk], sc.tokens[exchange.RoleLeader]
	named := map[string]any{"acting_person": person}
	for _, c := range []struct {
		noun, collection string
		make             func(signatory string) exchange.ID
	}{
		{"document", "/v1/documents/", func(signatory string) exchange.ID { return sc.draft(t, signatory) }},
		{"result", "/v1/results/", func(signatory string) exchange.ID {
			r, err := sc.a.results.Create(t.Context(), sc.a.actor(exchange.RoleClerk), exchange.NewResult{Signatory: signatory, Form: exchange.ResultForm{
				Dossier: "H15.01-261123-0003", Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND", Subject: "Về việc cấp", Body: "Điều 1."}})
			must(t, err)
			return r.ID
		}},
	} {
		fixed := string(exchange.RoleLeader)
		path := func(id exchange.ID) string { return c.collection + string(id) }
		toComplete, toReturn, toAttach := c.make(sc.leader), c.make(sc.leader), c.make(sc.leader)
		_, err := sc.a.press.Ask(t.Context(), sc.a.actor(exchange.RoleClerk), toReturn, exchange.SigningPerson, "")
		must(t, err)
		toSeal := sc.numbered(t, c.make(fixed))
		shown := sc.prepared(t, path(toSeal), exchange.RoleClerk)["shown_sha256"]
		file := sc.a.ask(t, http.MethodGet, path(toAttach), nil).is(t, http.StatusOK)["file"].(map[string]any)["sha256"].(string)
		for verb, r := range map[string]request{
			"number":        {path: path(sc.signed(t, c.make(fixed))), body: named},
			"sign-request":  {path: path(c.make(fixed)), body: named},
			"seal":          {path: path(sc.signed(t, c.make(fixed))), body: named},
			"prepare":       {path: path(c.make(sc.leader)), body: sc.prepare(t, exchange.RoleLeader), token: leader},
			"complete":      {path: path(toComplete), body: completed(t, sc.prepared(t, path(toComplete), exchange.RoleLeader)), token: leader},
			"confirm-seal":  {path: path(toSeal), body: map[string]any{"shown_sha256": shown}, token: clerk},
			"attach-signed": {path: path(toAttach), body: map[string]any{"kind": "person", "file": sc.elsewhere(t, toAttach, exchange.Digest(file))}, token: leader},
			"return":        {path: path(toReturn), body: map[string]any{"reason": "Sửa lại câu đầu"}, token: leader},
		} {
			r.at, r.path = sc.a, r.path+":"+verb
			out[verb+"-"+c.noun] = r
		}
	}
	number := sc.numbered(t, sc.draft(t, string(exchange.RoleLeader)))
	v, err := sc.a.outbox.Document(t.Context(), sc.a.actor(exchange.RoleClerk), number)
	must(t, err)
	n := v.Issuance.Number
	sc.hooks(t, out)
	out["take-number"] = request{at: sc.a, path: "/v1/registers/di/numbers", body: map[string]any{"subject_id": sc.signed(t, sc.draft(t, string(exchange.RoleLeader))), "acting_person": person}}
	out["void-number"] = request{at: sc.a, path: fmt.Sprintf("/v1/registers/di/numbers/%d/%d:void", n.Year, n.Seq), body: map[string]any{"reason": "Không ban hành"}, token: clerk}
	out["start-register"] = request{at: sc.a, path: "/v1/registers/den:start", body: map[string]any{"year": 2030, "first": 51}, token: clerk}
}

// hooks prepares a webhook of A for each act on one.
func (sc *scene) hooks(t *testing.T, out map[string]request) {
	t.Helper()
	it := "antin_session_" + sc.a.session(t, exchange.RoleOperator)
	made := func(name string) string {
		_, v, err := sc.a.server.Webhooks.Add(t.Context(), exchange.System("H15.01"), exchange.NewWebhook{Name: name, URL: "https://qlvb.example/antin", After: -1})
		must(t, err)
		return "/v1/webhooks/" + string(v.ID)
	}
	for id, r := range map[string]request{
		"list-webhooks":     {path: "/v1/webhooks"},
		"create-webhook":    {path: "/v1/webhooks", body: map[string]any{"name": "Quản lý văn bản", "url": "https://qlvb.example/antin", "kinds": []any{"accepted"}}},
		"get-webhook":       {path: made("xem")},
		"disable-webhook":   {path: made("dừng") + ":disable", body: map[string]any{}},
		"enable-webhook":    {path: made("chạy") + ":enable", body: map[string]any{}},
		"rotate-webhook":    {path: made("đổi") + ":rotate", body: map[string]any{"overlap_days": 7}},
		"redeliver-webhook": {path: made("lại") + ":redeliver", body: map[string]any{"seq": 1}},
	} {
		r.at, r.token = sc.a, it
		out[id] = r
	}
}

func (sc *scene) do(t *testing.T, o operation, r request, key string) answer {
	t.Helper()
	header := []string{"Authorization", ""}
	if key != "" {
		header[1] = "Bearer " + key
	}
	return r.at.ask(t, o.method, r.path, r.body, append(append(header, r.header...), "Idempotency-Key", "k-"+o.id)...)
}
