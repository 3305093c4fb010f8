package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// maxFound bounds what a search shows of each kind; who finds more narrows it.
const maxFound = 30

// foundRow is a document, item or result as the operator may see it: that it
// exists, where it came from or went, and how it stands. Never its subject or content.
type foundRow struct {
	URL    string
	Kind   string
	Number string
	Peers  string
	State  string
	At     time.Time
}

type searchView struct {
	Find     finder
	Rows     []foundRow
	Refused  []refusedRow // transfers of which nothing was made
	Trouble  *troubleView // a failure that a page or the API showed under the id
	Query    string
	Empty    string
	Anything bool
}

// refusedRow is a transfer that came in and was not taken.
type refusedRow struct {
	Peer  string
	State string
	At    time.Time
}

// troubleView is a failure of our own side. What is the program's own word on it.
type troubleView struct {
	At          time.Time
	Where, What string
}

// search finds what the operator is asked about on the telephone: by number, agency,
// person, or an id that someone read out.
func (h *desk) search(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.nav.search")
	p.Where = "search"
	query := strings.TrimSpace(p.query.Get("q"))
	if id := exchange.ID(query); known(id) {
		lang, _ := text.ParseLang(p.query.Get("lang"))
		http.Redirect(w, r, withLang(h.Prefix+"/search/"+url.PathEscape(query), lang), http.StatusSeeOther)
		return
	}
	v := searchView{Find: p.finder("/search", p.say("web.find.label"), "", query), Empty: p.say("web.find.explain"), Query: clip(query)}
	if query != "" {
		byID, err := h.byID(r.Context(), p, h.Actor(r), query, &v)
		if err == nil && byID != "" {
			lang, _ := text.ParseLang(p.query.Get("lang"))
			http.Redirect(w, r, withLang(h.Prefix+"/search/"+url.PathEscape(string(byID)), lang), http.StatusSeeOther)
			return
		}
		if err == nil {
			var rows []foundRow
			rows, err = h.found(r.Context(), p, h.Actor(r), query)
			v.Rows = append(v.Rows, rows...)
		}
		if err != nil {
			h.fail(w, r, err)
			return
		}
		v.Empty = p.say("web.search.nothing", query)
	}
	v.Anything = len(v.Rows)+len(v.Refused) > 0 || v.Trouble != nil
	p.Data = v
	h.show(w, http.StatusOK, "search", p)
}

// byID puts into v what query stands for as the id of a transfer or of a failure. It
// returns the one thing whose timeline tells all there is, if that is so.
func (h *desk) byID(ctx context.Context, p page, actor exchange.Actor, query string, v *searchView) (exchange.ID, error) {
	if h.Finder == nil || strings.ContainsAny(query, " \t") {
		return "", nil
	}
	f, err := h.Finder.Find(ctx, actor, query)
	if err != nil {
		return "", err
	}
	for _, t := range f.Transfers {
		if t.Item == "" {
			v.Refused = append(v.Refused, refusedRow{Peer: h.nameOf(ctx, t.Sender), State: p.say(text.Key("web.find.answer." + string(t.Answer))), At: t.At})
		}
	}
	if x := f.Trouble; x != nil {
		v.Trouble = &troubleView{At: x.At, Where: x.Where, What: x.What}
	}
	if len(f.Subjects) > 0 && len(v.Refused) == 0 && v.Trouble == nil {
		return f.Subjects[0], nil // an agency gives each transfer an id of its own
	}
	for _, id := range f.Subjects {
		v.Rows = append(v.Rows, foundRow{URL: p.U("/search/" + string(id)), Number: string(id)})
	}
	return "", nil
}

// known reports whether id is of something that has a timeline.
func known(id exchange.ID) bool {
	for _, prefix := range []string{exchange.PrefixDocument, exchange.PrefixInbox, exchange.PrefixResult, exchange.PrefixDelivery} {
		if id.Has(prefix) {
			return true
		}
	}
	return false
}

// found lists what query finds among outgoing documents, incoming ones and results.
func (h *desk) found(ctx context.Context, p page, actor exchange.Actor, query string) ([]foundRow, error) {
	limit := exchange.Page{Limit: maxFound}
	var out []foundRow
	add := func(kind text.Key, id exchange.ID, number, peers, state string, at time.Time) {
		out = append(out, foundRow{URL: p.U("/search/" + string(id)), Kind: p.say(kind), Number: number, Peers: peers, State: state, At: at})
	}
	docs, err := h.Outbox.List(ctx, actor, exchange.DocumentFilter{Page: limit, Text: query})
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		add("web.nav.documents", d.ID, d.Issuance.Number.String(), d.Receivers, p.say(text.Key("web.stage."+string(d.Issuance.Stage()))), d.CreatedAt)
	}
	items, err := h.Inbox.List(ctx, actor, exchange.InboxFilter{Page: limit, Text: query})
	if err != nil {
		return nil, err
	}
	for _, i := range items {
		add("web.nav.inbox", i.ID, i.Header.FullNumber(), h.fromName(ctx, i.InboxItem), i.State.Message().In(p.Lang), i.ReceivedAt)
	}
	results, err := h.Results.List(ctx, actor, exchange.ResultFilter{Page: limit, Text: query})
	if err != nil {
		return nil, err
	}
	for _, x := range results {
		add("web.nav.results", x.ID, x.Issuance.Number.String(), "", p.say(text.Key("web.stage."+string(x.Issuance.Stage()))), x.CreatedAt)
	}
	return out, nil
}

// traceView is the timeline of one thing, for the operator.
type traceView struct {
	ID         string
	Find       finder
	Deliveries []resumable
	URL        string // to post to
	Timeline   []fact
}

// resumable is a delivery of a document, as the operator may push it.
type resumable struct {
	ID       string
	Transfer string // the id under which the other side knows it
	View     deliveryView
	MayRetry bool
}

// trace shows what happened to a document, without showing the document.
func (h *desk) trace(w http.ResponseWriter, r *http.Request) { h.showTrace(w, r, nil) }

func (h *desk) showTrace(w http.ResponseWriter, r *http.Request, failed error) {
	id, actor := exchange.ID(r.PathValue("id")), h.Actor(r)
	events, err := h.Evidence.Timeline(r.Context(), actor, id)
	if err == nil && len(events) == 0 {
		err = text.Errorf(text.NotFound, nil)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "web.find.title", string(id))
	p.at(h.Prefix + "/search/" + string(id))
	p.Where = "search"
	v := traceView{ID: string(id), Find: p.finder("/search", p.say("web.find.label"), "", ""), Timeline: viewTimeline(p.Lang, events),
		URL: p.U("/search/" + string(id) + "/resume")}
	if id.Has(exchange.PrefixDocument) {
		d, err := h.Outbox.Document(r.Context(), actor, id)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		for _, dl := range d.Deliveries {
			stuck := dl.State == exchange.DeliveryQuarantined || dl.State == exchange.DeliveryReady && dl.Attempts > 0
			v.Deliveries = append(v.Deliveries, resumable{ID: string(dl.ID), Transfer: string(dl.TransferID), View: viewDelivery(p.Lang, dl), MayRetry: stuck})
		}
	}
	status := http.StatusOK
	if failed != nil {
		p.Err = h.errView(p.Lang, failed)
		status = p.Err.status
	}
	p.Data = v
	h.show(w, status, "trace", p)
}

// resumeFor has a delivery tried again at once, under the same transfer id.
func (h *desk) resumeFor(w http.ResponseWriter, r *http.Request) {
	err := form(r)
	if err == nil {
		err = h.forms.do(h.formOf(r), func() error {
			return h.Outbox.Resume(r.Context(), h.Actor(r), exchange.ID(r.PostFormValue("delivery")))
		})
	}
	if err != nil {
		h.showTrace(w, r, err)
		return
	}
	h.back(w, r, "/search/", exchange.ID(r.PathValue("id")))
}
