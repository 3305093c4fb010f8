package web

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// rowsPerPage is the length of a list on one page.
const rowsPerPage = 50

// rowReceivers is how many receivers a row names before it counts the rest.
const rowReceivers = 3

// documentRow is an outgoing document in the list.
type documentRow struct {
	URL        string
	Number     string
	Kind       string
	Subject    string
	Stage      string
	Verdict    *verdictView // only where it is not plainly valid
	Deliveries []deliveryView
	More       int // receivers beyond those shown
	MoreThere  int // of these, how many have it
	At         time.Time
}

type documentsView struct {
	Rows []documentRow
	Next string
}

// documents lists văn bản đi.
func (h *desk) documents(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.documents.title")
	p.Where = "documents"
	docs, err := h.Outbox.List(r.Context(), h.Actor(r), exchange.Page{After: exchange.ID(p.query.Get("after")), Limit: rowsPerPage + 1})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p.again(later)
	var v documentsView
	if len(docs) > rowsPerPage {
		docs = docs[:rowsPerPage]
		v.Next = p.U("/documents?after=" + string(docs[rowsPerPage-1].ID))
	}
	for _, d := range docs {
		row := documentRow{URL: p.U("/documents/" + string(d.ID)), Number: d.Issuance.Number.String(), Kind: d.Kind.Name, Subject: d.Subject,
			Stage: p.say(text.Key("web.stage." + string(d.Issuance.Stage()))), At: d.CreatedAt}
		if verdict := d.Issuance.Verdict; d.Issuance.Issued.Done() && verdict != exchange.VerdictValid {
			view := viewVerdict(p.Lang, verdict)
			row.Verdict = &view
		}
		for i, dl := range viewDeliveries(p.Lang, d.Deliveries) {
			if dl.Class == "wait" {
				p.again(soon)
			}
			switch {
			case i < rowReceivers:
				row.Deliveries = append(row.Deliveries, dl)
			default:
				row.More++
				if dl.Class == "ok" {
					row.MoreThere++
				}
			}
		}
		v.Rows = append(v.Rows, row)
	}
	p.Data = v
	h.show(w, http.StatusOK, "documents", p)
}

// receiverChoice is an agency that a document may be sent to.
type receiverChoice struct {
	Code string
	Name string
}

type documentView struct {
	URL        string
	Document   exchange.Document
	Issuance   exchange.Issuance
	Stage      exchange.Stage
	StageWord  string
	Paper      paperView
	Deliveries []deliveryView
	Timeline   []fact
	MaySeal    bool
	Choices    []receiverChoice // empty unless it may be sent
}

// document shows one outgoing document.
func (h *desk) document(w http.ResponseWriter, r *http.Request) { h.showDocument(w, r, nil) }

func (h *desk) showDocument(w http.ResponseWriter, r *http.Request, failed error) {
	actor := h.Actor(r)
	d, err := h.Outbox.Document(r.Context(), actor, exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	events, err := h.Evidence.Timeline(r.Context(), actor, d.ID)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	title := d.Issuance.Number.String()
	if title == "" {
		title = d.Subject
	}
	p := h.page(r, "web.document.title", title)
	p.at(h.Prefix + "/documents/" + string(d.ID))
	if len(d.Deliveries) > 0 {
		p.again(later) // the receivers' people report when they will
	}
	p.Where = "documents"
	v := documentView{URL: p.U("/documents/" + string(d.ID)), Document: d.Document, Issuance: d.Issuance, Stage: d.Issuance.Stage(),
		Deliveries: viewDeliveries(p.Lang, d.Deliveries), Timeline: viewTimeline(p.Lang, events)}
	v.StageWord = p.say(text.Key("web.stage." + string(v.Stage)))
	v.MaySeal = v.Stage == exchange.StageSigned || v.Stage == exchange.StageNumbered
	if v.Stage == exchange.StageIssued {
		if v.Choices, err = h.receivers(r.Context(), d); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	for _, dl := range v.Deliveries {
		if dl.Class == "wait" || dl.Class == "ok" && dl.Business == "" {
			p.again(soon)
		}
	}
	v.Paper = h.images.paper(r.Context(), &p, h.documentSource(actor, d.Document), d.FileName, h.Prefix+"/documents/"+string(d.ID)+"/pages/")
	p.Data = v
	status := http.StatusOK
	if failed != nil {
		p.Err = h.errView(p.Lang, failed)
		status = p.Err.status
	}
	h.show(w, status, "document", p)
}

// receivers lists the agencies that d may still be sent to.
func (h *desk) receivers(ctx context.Context, d exchange.DocumentView) ([]receiverChoice, error) {
	agencies, err := h.Outbox.Directory.Agencies(ctx)
	if err != nil {
		return nil, err
	}
	taken := map[exchange.AgencyCode]bool{d.Agency: true}
	for _, dl := range d.Deliveries {
		if dl.State != exchange.DeliveryRefused && dl.State != exchange.DeliveryNonDelivered {
			taken[dl.To] = true
		}
	}
	var out []receiverChoice
	for _, a := range agencies {
		if !taken[a.Code] {
			out = append(out, receiverChoice{Code: string(a.Code), Name: a.Name})
		}
	}
	return out, nil
}

func (h *desk) documentSource(actor exchange.Actor, d exchange.Document) source {
	return source{digest: d.Issuance.Newest().Digest, open: func(ctx context.Context) (exchange.BlobReader, error) {
		_, f, err := h.Outbox.Open(ctx, actor, d.ID, exchange.FileNewest)
		return f, err
	}}
}

func (h *desk) documentPage(w http.ResponseWriter, r *http.Request) {
	actor := h.Actor(r)
	d, err := h.Outbox.Document(r.Context(), actor, exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.images.servePage(w, r, h.documentSource(actor, d.Document))
}

func (h *desk) documentFile(w http.ResponseWriter, r *http.Request) {
	d, f, err := h.Outbox.Open(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), exchange.FileNewest)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }()
	download(w, r, f, d.FileName, mediaPDF)
}

func (h *desk) documentMessage(w http.ResponseWriter, r *http.Request) {
	d, f, err := h.Outbox.Open(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), exchange.FileMessage)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }()
	download(w, r, f, string(d.ID)+".edxml", mediaBytes)
}

// sealDocument numbers, dates and seals: the act of the văn thư who pressed the button.
func (h *desk) sealDocument(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		_, err = h.Outbox.Seal(r.Context(), h.Actor(r), id)
	}
	if err != nil {
		h.showDocument(w, r, err)
		return
	}
	h.back(w, r, "/documents/", id)
}

func (h *desk) sendDocument(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		req := exchange.SendRequest{Document: id, Key: formKey(r)}
		for _, code := range r.PostForm["to"] {
			req.To = append(req.To, exchange.AgencyCode(code))
		}
		if len(req.To) == 0 {
			err = text.Detailed(text.InvalidInput, nil, "web.send.nobody")
		} else {
			err = twice(req.Key, func() error {
				_, err := h.Outbox.Send(r.Context(), h.Actor(r), req)
				return err
			})
		}
	}
	if err != nil {
		h.showDocument(w, r, err)
		return
	}
	h.back(w, r, "/documents/", id)
}
