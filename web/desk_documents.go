package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// rowsPerPage is the length of a list on one page.
const rowsPerPage = 50

// rowReceivers is how many receivers a row names before it counts the rest.
const rowReceivers = 3

// documentRoutes are văn bản đi.
func (h *desk) documentRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/documents", Roles: desks, Handler: h.documents},
		{Method: http.MethodGet, Path: "/documents/new", Roles: desks, Handler: h.newDocument},
		{Method: http.MethodPost, Path: "/documents/new", Roles: desks, Upload: true, Handler: h.createDocument},
		{Method: http.MethodGet, Path: "/documents/{id}", Roles: desks, Handler: h.document},
		{Method: http.MethodGet, Path: "/documents/{id}/file", Roles: desks, Handler: h.documentFile},
		{Method: http.MethodGet, Path: "/documents/{id}/message", Roles: desks, Handler: h.documentMessage},
		{Method: http.MethodGet, Path: "/documents/{id}/pages/{page}", Roles: desks, Handler: h.documentPage},
		{Method: http.MethodGet, Path: "/documents/{id}/edit", Roles: desks, Handler: h.editDocument},
		{Method: http.MethodPost, Path: "/documents/{id}/edit", Roles: desks, Upload: true, Handler: h.saveDocument},
		{Method: http.MethodPost, Path: "/documents/{id}/delete", Roles: desks, Handler: h.deleteDraft("/documents", h.Outbox.Delete, h.showDocument)},
		{Method: http.MethodGet, Path: "/documents/{id}/replace", Roles: clerks, Handler: h.replaceForm},
		{Method: http.MethodPost, Path: "/documents/{id}/replace", Roles: clerks, Upload: true, Handler: h.replaceDocument},
		{Method: http.MethodPost, Path: "/documents/{id}/recall", Roles: clerks, Handler: h.recall},
		{Method: http.MethodGet, Path: "/documents/{id}/deliveries/{delivery}/{export}", Roles: clerks, Handler: h.export},
		{Method: http.MethodPost, Path: "/documents/{id}/deliveries/{delivery}/handed", Roles: clerks, Handler: h.handed},
		{Method: http.MethodPost, Path: "/documents/{id}/deliveries/{delivery}/resume", Roles: clerks, Handler: h.resendDelivery},
		{Method: http.MethodPost, Path: "/documents/{id}/send", Roles: clerks, Upload: true, Handler: h.sendDocument},
	}
}

// documentRow is an outgoing document in the list.
type documentRow struct {
	URL        string
	Number     string
	Kind       string
	Subject    string
	Urgent     string
	Stage      string
	Verdict    *verdictView // only where it is not plainly valid
	Deliveries []deliveryView
	More       int // receivers beyond those shown
	MoreThere  int // of these, how many have it
	At         time.Time
}

type documentsView struct {
	Tabs  []tab
	Find  finder
	Rows  []documentRow
	Next  string
	Empty string
	New   string // leads to the form of a new document
}

// documents lists văn bản đi.
func (h *desk) documents(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.documents.title")
	p.Where = "documents"
	at, query := p.query.Get("tab"), p.query.Get("q")
	v := documentsView{New: p.U("/documents/new"), Find: p.finder("/documents", p.say("desk.find.documents"), at, query)}
	page := exchange.Page{After: exchange.ID(p.query.Get("after")), Limit: rowsPerPage + 1}
	docs, err := merged(at, page.Limit, func(d exchange.DocumentView) exchange.ID { return d.ID }, func(s exchange.Stage) ([]exchange.DocumentView, error) {
		return h.Outbox.List(r.Context(), h.Actor(r), exchange.DocumentFilter{Page: page, Stage: s, Text: query})
	})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p.again(later)
	v.Tabs = listTabs(p, "/documents", "desk.tab.", at, "all", "sign", "issue", "sent")
	if len(docs) > rowsPerPage {
		docs = docs[:rowsPerPage]
		v.Next = p.next("/documents", docs[rowsPerPage-1].ID)
	}
	for _, d := range docs {
		v.Rows = append(v.Rows, h.documentRow(&p, d))
	}
	switch {
	case query != "":
		v.Empty = p.say("desk.find.nothing")
	case at != "" && at != "all":
		v.Empty = p.say("desk.tab.empty")
	default:
		v.Empty = p.say("web.documents.empty")
	}
	p.Data = v
	h.show(w, http.StatusOK, "documents", p)
}

func (h *desk) documentRow(p *page, d exchange.DocumentView) documentRow {
	row := documentRow{URL: p.U("/documents/" + string(d.ID)), Number: d.Issuance.Number.String(), Kind: kindIn(p.Lang, d.Kind), Subject: d.Subject,
		Urgent: urgentWord(p.Lang, d.Priority), Stage: stageWord(p.Lang, d.Issuance), At: d.CreatedAt}
	if verdict := d.Issuance.Verdict; d.Issuance.Issued.Done() && verdict != exchange.VerdictValid && verdict != exchange.VerdictNone {
		view := viewVerdict(p.Lang, verdict)
		row.Verdict = &view
	}
	for i, dl := range viewDeliveries(p.Lang, d.Deliveries) {
		if dl.Class == "wait" {
			p.again(soon)
		}
		if i < rowReceivers {
			row.Deliveries = append(row.Deliveries, dl)
			continue
		}
		row.More++
		if dl.Class == "ok" {
			row.MoreThere++
		}
	}
	return row
}

// listTabs are the tabs of a list; the first id is the one shown when none is asked
// for.
func listTabs(p page, path, words, at string, ids ...string) []tab {
	if at == "" {
		at = ids[0]
	}
	out := make([]tab, len(ids))
	for i, id := range ids {
		to := path
		if i > 0 {
			to += "?tab=" + id
		}
		out[i] = tab{ID: id, Label: p.say(text.Key(words + id)), URL: p.U(to), Current: id == at}
	}
	return out
}

// next is the address of the part of a list behind id, with its tab and search.
func (p page) next(path string, id exchange.ID) string {
	q := url.Values{"after": {string(id)}}
	for _, k := range []string{"tab", "q"} {
		if v := p.query.Get(k); v != "" {
			q.Set(k, v)
		}
	}
	return p.U(path + "?" + q.Encode())
}

// kindIn is the name of a kind in the reader's language: the document's own name
// unless it is one of the statute's.
func kindIn(lang text.Lang, k exchange.DocumentKind) string {
	if k.Code >= 1 && k.Code <= kinds && kindName(k.Code) == k.Name {
		return text.Get(text.Key("desk.kind." + strconv.Itoa(k.Code))).In(lang)
	}
	return k.Name
}

func urgentWord(lang text.Lang, priority int) string {
	if priority < 1 || priority > 4 {
		return ""
	}
	return text.Get(text.Key("web.priority." + strconv.Itoa(priority))).In(lang)
}

func stageWord(lang text.Lang, i exchange.Issuance) string {
	return text.Get(text.Key("web.stage." + string(i.Stage()))).In(lang)
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
