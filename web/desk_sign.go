package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// leaders are the competent persons.
var leaders = []exchange.Role{exchange.RoleLeader}

// signRoutes are what turns a draft into an issued document or result: asking,
// signing, numbering, sealing. {id} names either.
func (h *desk) signRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/sign", Roles: leaders, Handler: h.toSign},
		{Method: http.MethodGet, Path: "/sign/{id}", Roles: leaders, Handler: h.signPage},
		{Method: http.MethodGet, Path: "/sign/{id}/file", Roles: leaders, Handler: h.paperFile},
		{Method: http.MethodGet, Path: "/sign/{id}/pages/{page}", Roles: leaders, Handler: h.paperPage},
		{Method: http.MethodGet, Path: "/sign/{id}/state", Roles: leaders, Handler: h.personState},
		{Method: http.MethodPost, Path: "/sign/{id}/key", Roles: leaders, Handler: h.signWithKey},
		{Method: http.MethodPost, Path: "/sign/{id}/return", Roles: leaders, Handler: h.returnPaper},
		{Method: http.MethodPost, Path: "/sign/{id}/complete", Roles: leaders, Upload: true, Handler: h.completePerson},
		{Method: http.MethodPost, Path: "/sign/{id}/upload", Roles: leaders, Upload: true, Handler: h.uploadPerson},
		{Method: http.MethodPost, Path: "/press/{id}/ask", Roles: askers, Handler: h.ask},
		{Method: http.MethodPost, Path: "/press/{id}/number", Roles: clerks, Handler: h.number},
		{Method: http.MethodGet, Path: "/press/{id}/seal", Roles: clerks, Handler: h.sealPage},
		{Method: http.MethodGet, Path: "/press/{id}/seal/pages/{page}", Roles: clerks, Handler: h.sealPreview},
		{Method: http.MethodPost, Path: "/press/{id}/seal", Roles: clerks, Handler: h.seal},
		{Method: http.MethodGet, Path: "/press/{id}/file", Roles: clerks, Handler: h.paperFile},
		{Method: http.MethodGet, Path: "/press/{id}/seal/state", Roles: clerks, Handler: h.sealState},
		{Method: http.MethodPost, Path: "/press/{id}/seal/complete", Roles: clerks, Upload: true, Handler: h.completeSeal},
		{Method: http.MethodPost, Path: "/press/{id}/seal/upload", Roles: clerks, Upload: true, Handler: h.uploadSeal},
	}
}

// askers bring a draft to the competent person.
var askers = []exchange.Role{exchange.RoleClerk, exchange.RoleOfficer}

// paperOf is a document or a result, as the press pages need it.
type paperOf struct {
	ID       exchange.ID
	Issuance exchange.Issuance
	Title    string // number, else kind
	Subject  string
	Kind     string
	Urgent   string
	Folder   string // "/documents/" or "/results/"
	File     string
	open     func(ctx context.Context) (exchange.BlobReader, error)
}

// source is the newest file of p.
func (p paperOf) source() source {
	return source{digest: p.Issuance.Newest().Digest, open: p.open}
}

// paperOf finds what the path's {id} names.
func (h *desk) paperOf(r *http.Request, lang text.Lang) (paperOf, error) {
	id, actor := exchange.ID(r.PathValue("id")), h.Actor(r)
	if id.Has(exchange.PrefixResult) {
		x, err := h.Results.Result(r.Context(), actor, id)
		return h.resultPaper(actor, lang, x), err
	}
	d, err := h.Outbox.Document(r.Context(), actor, id)
	return h.documentPaper(actor, lang, d.Document), err
}

func (h *desk) documentPaper(actor exchange.Actor, lang text.Lang, d exchange.Document) paperOf {
	return paperOf{ID: d.ID, Issuance: d.Issuance, Title: titleOf(lang, d.Issuance), Subject: d.Subject, Kind: kindIn(lang, d.Kind),
		Urgent: urgentWord(lang, d.Priority), Folder: "/documents/", File: d.FileName, open: h.documentSource(actor, d).open}
}

func (h *desk) resultPaper(actor exchange.Actor, lang text.Lang, x exchange.Result) paperOf {
	return paperOf{ID: x.ID, Issuance: x.Issuance, Title: titleOf(lang, x.Issuance), Subject: strings.TrimSpace(x.Form.Dossier + " · " + x.Form.Subject),
		Kind: kindIn(lang, x.Form.Kind), Folder: "/results/", File: x.FileName, open: h.resultSource(actor, x).open}
}

func titleOf(lang text.Lang, i exchange.Issuance) string {
	if i.Number.IsZero() {
		return text.Get("web.unnumbered").In(lang)
	}
	return i.Number.String()
}

// showPaper shows the page of what {id} names, with what was wrong.
func (h *desk) showPaper(w http.ResponseWriter, r *http.Request, f filled, failed error) {
	if exchange.ID(r.PathValue("id")).Has(exchange.PrefixResult) {
		h.showResult(w, r, f, failed)
		return
	}
	h.showDocument(w, r, f, failed)
}

// paperDone leads back to what {id} names, or shows there what was wrong.
func (h *desk) paperDone(w http.ResponseWriter, r *http.Request, f filled, err error) {
	if err != nil {
		if f.values == nil {
			f.values = url.Values{}
		}
		h.showPaper(w, r, f, err)
		return
	}
	folder := "/documents/"
	id := exchange.ID(r.PathValue("id"))
	if id.Has(exchange.PrefixResult) {
		folder = "/results/"
	}
	h.back(w, r, folder, id)
}

// paperFile is the newest file, as it is to be signed or sealed elsewhere.
func (h *desk) paperFile(w http.ResponseWriter, r *http.Request) {
	p, err := h.paperOf(r, text.VI)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	f, err := p.open(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }()
	download(w, r, f, p.File, mediaPDF)
}

func (h *desk) paperPage(w http.ResponseWriter, r *http.Request) {
	p, err := h.paperOf(r, text.VI)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.images.servePage(w, r, p.source())
}

// pressView is what stands between a draft and an issued document, for who may do it.
type pressView struct {
	Waiting  string // what is awaited, in words
	Key      string
	Ask      string // address; empty when the reader cannot ask
	Sign     string // leads to the page where the reader signs
	Number   string // address that numbers
	External bool   // the number comes from the agency's own system
	Given    field
	Preview  string // leads to the preview of the seal
}

// pressOf says what the actor can do next with a paper.
func (h *desk) pressOf(r *http.Request, p page, x paperOf, f filled) (pressView, error) {
	actor := h.Actor(r)
	v := pressView{Key: f.V("key")}
	clerk := actor.Role == exchange.RoleClerk
	at := func(act string) string { return p.U("/press/" + string(x.ID) + "/" + act) }
	switch i := x.Issuance; i.Stage() {
	case exchange.StageDraft:
		v.Waiting = p.say("desk.wait.draft")
		if clerk || actor.Role == exchange.RoleOfficer {
			v.Ask = at("ask")
		}
		if actor.Role == exchange.RoleLeader {
			v.Sign = p.U("/sign/" + string(x.ID))
		}
	case exchange.StageAwaitingSignature:
		v.Waiting = p.say("desk.wait.signature", i.Asked.Signature.By.Name, vnTime(i.Asked.Signature.At))
		if actor.Role == exchange.RoleLeader {
			v.Sign = p.U("/sign/" + string(x.ID))
		}
	case exchange.StageSigned, exchange.StageAwaitingSeal, exchange.StageNumbered:
		v.Waiting = p.say("desk.wait.clerk")
		if !clerk {
			break
		}
		v.Waiting = ""
		if i.Numbered.Done() {
			v.Preview = at("seal")
			break
		}
		v.Number = at("number")
		office, err := h.Outbox.Offices.Office(r.Context(), actor.Agency)
		if err != nil {
			return v, err
		}
		if office.Numbering == exchange.NumberingExternal {
			v.External, v.Given = true, must(fields{p.Lang, "given", f}.make("number", "number"))
		}
	case exchange.StageIssued:
	}
	return v, nil
}

// ask brings a draft to the competent person ("trình ký").
func (h *desk) ask(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = twice(f.key(), func() error {
			_, err := h.Outbox.Press.Ask(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), exchange.SigningPerson, f.key())
			return err
		})
	}
	h.paperDone(w, r, f, err)
}

// number gives the next number of the register, or takes the one that the agency's
// own system gave. A repeat keeps the number.
func (h *desk) number(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	given := 0
	if err == nil {
		given, err = f.number("number")
	}
	if err == nil {
		err = twice(f.key(), func() error {
			_, err := h.Outbox.Press.Number(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), given)
			return err
		})
	}
	h.paperDone(w, r, f, err)
}
