package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

type resultRow struct {
	URL     string
	Dossier string
	Number  string
	Subject string
	Owner   string
	Stage   string
	Verdict verdictView
	At      time.Time
}

type resultsView struct {
	Rows []resultRow
	Next string
}

// results lists the dossier results.
func (h *desk) results(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.results.title")
	p.Where = "results"
	list, err := h.Results.List(r.Context(), h.Actor(r), exchange.Page{After: exchange.ID(p.query.Get("after")), Limit: rowsPerPage + 1})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	var v resultsView
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		v.Next = p.U("/results?after=" + string(list[rowsPerPage-1].ID))
	}
	for _, x := range list {
		v.Rows = append(v.Rows, resultRow{URL: p.U("/results/" + string(x.ID)), Dossier: x.Form.Dossier, Number: x.Issuance.Number.String(),
			Subject: x.Form.Subject, Owner: x.Form.Owner, Stage: p.say(text.Key("web.stage." + string(x.Issuance.Stage()))),
			Verdict: viewVerdict(p.Lang, x.Issuance.Verdict), At: x.CreatedAt})
	}
	p.Data = v
	h.show(w, http.StatusOK, "results", p)
}

type resultView struct {
	URL       string
	Result    exchange.Result
	Issuance  exchange.Issuance
	Stage     exchange.Stage
	StageWord string
	Paper     paperView
	Timeline  []fact
	MaySeal   bool
	Check     string // address that the QR leads to, empty before issue
}

func (h *desk) result(w http.ResponseWriter, r *http.Request) { h.showResult(w, r, nil) }

func (h *desk) showResult(w http.ResponseWriter, r *http.Request, failed error) {
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
	v := resultView{URL: p.U("/results/" + string(x.ID)), Result: x, Issuance: x.Issuance, Stage: x.Issuance.Stage(), Timeline: viewTimeline(p.Lang, events)}
	v.StageWord = p.say(text.Key("web.stage." + string(v.Stage)))
	v.MaySeal = v.Stage == exchange.StageSigned || v.Stage == exchange.StageNumbered
	if v.Stage == exchange.StageIssued && h.Office.VerifyURL != "" {
		v.Check = withLang(strings.TrimSuffix(h.Office.VerifyURL, "/")+"/"+x.Token, p.Lang)
	}
	v.Paper = h.images.paper(r.Context(), &p, h.resultSource(actor, x), x.FileName, h.Prefix+"/results/"+string(x.ID)+"/pages/")
	p.Data = v
	status := http.StatusOK
	if failed != nil {
		p.Err = h.errView(p.Lang, failed)
		status = p.Err.status
	}
	h.show(w, status, "result", p)
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

// sealResult numbers, dates and seals: the act of the văn thư who pressed the button.
func (h *desk) sealResult(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		_, err = h.Results.Seal(r.Context(), h.Actor(r), id)
	}
	if err != nil {
		h.showResult(w, r, err)
		return
	}
	h.back(w, r, "/results/", id)
}
