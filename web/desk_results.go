package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// resultRoutes are the dossier results (một cửa).
func (h *desk) resultRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/results", Roles: desks, Handler: h.results},
		{Method: http.MethodGet, Path: "/results/new", Roles: makers, Handler: h.newResult},
		{Method: http.MethodPost, Path: "/results/new", Roles: makers, Upload: true, Handler: h.createResult},
		{Method: http.MethodGet, Path: "/results/{id}", Roles: desks, Handler: h.result},
		{Method: http.MethodPost, Path: "/results/{id}/delete", Roles: makers, Handler: h.deleteDraft("/results", h.Results.Delete, h.showResult)},
		{Method: http.MethodGet, Path: "/results/{id}/file", Roles: desks, Handler: h.resultFile},
		{Method: http.MethodGet, Path: "/results/{id}/pages/{page}", Roles: desks, Handler: h.resultPage},
		{Method: http.MethodPost, Path: "/results/{id}/revoke", Roles: clerks, Handler: h.revokeResult},
		{Method: http.MethodGet, Path: "/results/{id}/replace", Roles: makers, Handler: h.replaceResultForm},
		{Method: http.MethodPost, Path: "/results/{id}/replace", Roles: makers, Upload: true, Handler: h.replaceResult},
	}
}

// makers prepare dossier results.
var makers = []exchange.Role{exchange.RoleClerk, exchange.RoleOfficer}

type resultRow struct {
	URL     string
	Dossier string
	Number  string
	Subject string
	Owner   string
	Stage   string
	Gone    string // replaced or revoked, in words
	At      time.Time
}

type resultsView struct {
	Tabs  []tab
	Find  finder
	Rows  []resultRow
	Next  string
	Empty string
	New   string // empty for who makes none
}

// results lists the dossier results.
func (h *desk) results(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.results.title")
	p.Where = "results"
	actor, at, query := h.Actor(r), p.query.Get("tab"), p.query.Get("q")
	v := resultsView{Find: p.finder("/results", p.say("desk.find.results"), at, query), Empty: p.say("web.results.empty")}
	page := exchange.Page{After: exchange.ID(p.query.Get("after")), Limit: rowsPerPage + 1}
	list, err := merged(at, page.Limit, func(x exchange.Result) exchange.ID { return x.ID }, func(s exchange.Stage) ([]exchange.Result, error) {
		return h.Results.List(r.Context(), actor, exchange.ResultFilter{Page: page, Stage: s, Text: query})
	})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p.again(later)
	v.Tabs = listTabs(p, "/results", "desk.results.tab.", at, "all", "sign", "issue", "sent")
	if actor.Role != exchange.RoleLeader {
		v.New = p.U("/results/new")
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		v.Next = p.next("/results", list[rowsPerPage-1].ID)
	}
	for _, x := range list {
		v.Rows = append(v.Rows, resultRow{URL: p.U("/results/" + string(x.ID)), Dossier: x.Form.Dossier, Number: x.Issuance.Number.String(),
			Subject: x.Form.Subject, Owner: x.Form.Owner, Stage: stageWord(p.Lang, x.Issuance), Gone: goneWord(p.Lang, x), At: x.CreatedAt})
	}
	switch {
	case query != "":
		v.Empty = p.say("desk.find.nothing")
	case at != "" && at != "all":
		v.Empty = p.say("desk.tab.empty")
	}
	p.Data = v
	h.show(w, http.StatusOK, "results", p)
}

// goneWord says that a result no longer stands; empty while it does.
func goneWord(lang text.Lang, x exchange.Result) string {
	switch x.State() {
	case exchange.ResultReplaced:
		return text.Get("desk.result.replaced").In(lang)
	case exchange.ResultWithdrawn:
		return text.Get("desk.result.revoked").In(lang)
	case exchange.ResultIssued:
	}
	return ""
}

type resultView struct {
	Result     exchange.Result
	Issuance   exchange.Issuance
	StageWord  string
	Kind       string
	Gone       string
	Paper      paperView
	Timeline   []fact
	Press      pressView
	Chain      []chainRow
	Returned   string
	Check      string // address that the QR leads to, empty before issue
	Delete     string // where a draft is thrown away; empty when it cannot be
	Revoke     string // where it is revoked; empty when it cannot be
	RevokeOpen bool
	Reason     field
	Key        string
	ReplaceURL string
}

func (h *desk) result(w http.ResponseWriter, r *http.Request) {
	h.showResult(w, r, filled{values: url.Values{}}, nil)
}

func (h *desk) showResult(w http.ResponseWriter, r *http.Request, f filled, failed error) {
	actor := h.Actor(r)
	x, err := h.Results.Result(r.Context(), actor, exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	events, err := h.Evidence.Timeline(r.Context(), actor, x.ID)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "web.result.title", x.Form.Dossier)
	p.at(h.Prefix + "/results/" + string(x.ID))
	p.Where = "results"
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
	}
	v := resultView{Result: x, Issuance: x.Issuance, StageWord: stageWord(p.Lang, x.Issuance), Kind: kindIn(p.Lang, x.Form.Kind),
		Gone: goneWord(p.Lang, x), Timeline: h.timeline(r.Context(), p.Lang, events), Key: f.V("key")}
	if v.Key == "" {
		v.Key = rand.Text()
	}
	if v.Press, err = h.pressOf(r, p, h.resultPaper(actor, p.Lang, x), f); err == nil {
		err = h.resultEnds(r, p, f, x, &v)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v.Paper = h.images.paper(r.Context(), &p, h.resultSource(actor, x), x.FileName, h.Prefix+"/results/"+string(x.ID)+"/pages/")
	p.Data = v
	status := http.StatusOK
	if p.Err != nil {
		status = p.Err.status
	}
	h.show(w, status, "result", p)
}

// resultEnds fills in what can be done once a result is issued, and its chain.
func (h *desk) resultEnds(r *http.Request, p page, f filled, x exchange.Result, v *resultView) error {
	path := "/results/" + string(x.ID)
	role := h.Actor(r).Role
	if x.Issuance.Issued.Done() {
		if h.Office.VerifyURL != "" {
			v.Check = withLang(strings.TrimSuffix(h.Office.VerifyURL, "/")+"/"+x.Token, p.Lang)
		}
		if role == exchange.RoleClerk && !x.Revoked.Done() {
			v.Revoke, v.RevokeOpen = p.U(path+"/revoke"), f.values.Has("reason")
			v.Reason = must(fields{p.Lang, "revoke", f}.area("reason", 2))
		}
		if role != exchange.RoleLeader && !x.Revoked.Done() && x.ReplacedBy == "" {
			v.ReplaceURL = p.U(path + "/replace")
		}
	} else {
		v.Returned = x.Issuance.Returned.Reason
		if role != exchange.RoleLeader && x.Issuance.Stage() == exchange.StageDraft {
			v.Delete = p.U(path + "/delete")
		}
	}
	for _, l := range []struct {
		id  exchange.ID
		key text.Key
	}{{x.Replaces, "desk.chain.replaces"}, {x.ReplacedBy, "desk.chain.replaced"}} {
		if l.id == "" {
			continue
		}
		other, err := h.Results.Result(r.Context(), h.Actor(r), l.id)
		if err != nil {
			return err
		}
		v.Chain = append(v.Chain, chainRow{Text: p.say(l.key), URL: p.U("/results/" + string(l.id)),
			Name: strings.TrimSpace(titleOf(p.Lang, other.Issuance) + " · " + other.Form.Subject)})
	}
	return nil
}

func (h *desk) resultSource(actor exchange.Actor, x exchange.Result) source {
	return source{digest: x.Issuance.Newest().Digest, open: func(ctx context.Context) (exchange.BlobReader, error) {
		_, f, err := h.Results.Open(ctx, actor, x.ID)
		return f, err
	}}
}

func (h *desk) resultPage(w http.ResponseWriter, r *http.Request) {
	actor := h.Actor(r)
	x, err := h.Results.Result(r.Context(), actor, exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.images.servePage(w, r, h.resultSource(actor, x))
}

func (h *desk) resultFile(w http.ResponseWriter, r *http.Request) {
	x, f, err := h.Results.Open(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }()
	download(w, r, f, x.FileName, mediaPDF)
}

// resultForm is the form of a new result, or of one that takes another's place.
type resultForm struct {
	Action  string
	Back    string
	Old     string
	Replace bool
	Key     string
	Fields  []field
	Reason  *field
}

func (h *desk) newResult(w http.ResponseWriter, r *http.Request) {
	f := filled{values: url.Values{"kind": {"2"}}} // a result is mostly a decision
	h.showResultForm(w, r, f, resultForm{}, nil)
}

func (h *desk) showResultForm(w http.ResponseWriter, r *http.Request, f filled, v resultForm, failed error) {
	title := text.Key("desk.result.new")
	if v.Replace {
		title = "desk.result.replace"
	}
	p := h.page(r, title)
	p.Where = "results"
	p.at(r.URL.Path)
	status := http.StatusOK
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
		status = p.Err.status
	}
	people, err := h.signatories(r, p.Lang)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if v.Action == "" {
		v.Action, v.Back = p.U("/results/new"), p.U("/results")
	}
	if v.Key = f.V("key"); v.Key == "" {
		v.Key = rand.Text()
	}
	m := fields{lang: p.Lang, id: "f", f: f}
	v.Fields = []field{must(m.text("dossier", 60)), m.text("procedure", 60), m.text("procedure_name", 300), m.text("owner", 300),
		must(m.pick("kind", kindOptions(p.Lang)...)), must(m.text("notation", 60)), must(m.area("subject", 2)), must(m.area("body", 10)),
		must(m.pick("signatory", people...)), m.make("date", "received"), m.make("date", "valid_until"), m.area("places", 2)}
	if v.Replace {
		reason := must(m.area("reason", 2))
		v.Reason = &reason
	}
	p.Data = v
	h.show(w, status, "result-form", p)
}

// resultOf reads the form of a result.
func (h *desk) resultOf(r *http.Request, f filled) (exchange.NewResult, error) {
	kind, err := f.kind()
	if err != nil {
		return exchange.NewResult{}, err
	}
	received, err := f.date("received")
	if err != nil {
		return exchange.NewResult{}, err
	}
	until, err := f.date("valid_until")
	if err != nil {
		return exchange.NewResult{}, err
	}
	if f.V("signatory") == "" {
		return exchange.NewResult{}, wrongField("signatory")
	}
	if err := h.offered(r, f.V("signatory")); err != nil {
		return exchange.NewResult{}, err
	}
	return exchange.NewResult{Signatory: f.V("signatory"), Key: f.key(), Form: exchange.ResultForm{
		Dossier: f.trimmed("dossier"), Procedure: f.trimmed("procedure"), ProcedureName: f.trimmed("procedure_name"), Owner: f.trimmed("owner"),
		Kind: kind, Notation: f.trimmed("notation"), Subject: f.trimmed("subject"), Body: f.trimmed("body"), Places: f.lines("places"),
		Received: received, ValidUntil: until}}, nil
}

func (h *desk) createResult(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	var made exchange.Result
	if err == nil {
		var req exchange.NewResult
		if req, err = h.resultOf(r, f); err == nil {
			err = twice(req.Key, func() error {
				made, err = h.Results.Create(r.Context(), h.Actor(r), req)
				return err
			})
		}
	}
	if err != nil {
		h.showResultForm(w, r, f, resultForm{}, err)
		return
	}
	h.back(w, r, "/results/", made.ID)
}

// replacing is the form of a result that takes x's place.
func (h *desk) replacing(r *http.Request, x exchange.Result) resultForm {
	p := h.page(r, "desk.result.replace")
	return resultForm{Action: p.U("/results/" + string(x.ID) + "/replace"), Back: p.U("/results/" + string(x.ID)), Replace: true,
		Old: titleOf(p.Lang, x.Issuance) + " · " + x.Form.Dossier}
}

func (h *desk) replaceResultForm(w http.ResponseWriter, r *http.Request) {
	x, err := h.Results.Result(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(exchange.Vietnam).Format(time.DateOnly)
	}
	o := x.Form
	f := filled{values: url.Values{}}
	for name, value := range map[string]string{"dossier": o.Dossier, "procedure": o.Procedure, "procedure_name": o.ProcedureName, "owner": o.Owner,
		"kind": strconv.Itoa(o.Kind.Code), "notation": o.Notation, "subject": o.Subject, "body": o.Body, "places": strings.Join(o.Places, "\n"),
		"received": day(o.Received), "valid_until": day(o.ValidUntil), "signatory": x.Issuance.Signer.ActorID} {
		f.values.Set(name, value)
	}
	h.showResultForm(w, r, f, h.replacing(r, x), nil)
}

func (h *desk) replaceResult(w http.ResponseWriter, r *http.Request) {
	x, err := h.Results.Result(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	f, err := h.readForm(r)
	var made exchange.Result
	if err == nil {
		var req exchange.NewResult
		if req, err = h.resultOf(r, f); err == nil {
			err = twice(req.Key, func() error {
				made, err = h.Results.Replace(r.Context(), h.Actor(r), x.ID, req, f.trimmed("reason"))
				return err
			})
		}
	}
	if err != nil {
		h.showResultForm(w, r, f, h.replacing(r, x), err)
		return
	}
	h.back(w, r, "/results/", made.ID)
}

// revokeResult takes an issued result back.
func (h *desk) revokeResult(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = twice(f.key(), func() error {
			_, err := h.Results.Revoke(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), f.trimmed("reason"), f.key())
			return err
		})
	}
	h.paperDone(w, r, f, err)
}
