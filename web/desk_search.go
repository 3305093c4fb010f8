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
	v := searchView{Find: p.finder("/search", p.say("web.find.label"), "", query), Empty: p.say("web.find.explain"), Query: clip(query)}
	if query != "" {
		found, err := h.hits(r.Context(), h.Actor(r), query)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		h.tell(r.Context(), p, found, &v)
		if len(found.Hits) == 1 && found.ByID && len(v.Refused) == 0 && v.Trouble == nil {
			http.Redirect(w, r, v.Rows[0].URL, http.StatusSeeOther) // its own page tells the rest
			return
		}
		v.Empty = p.say("web.search.nothing", query)
	}
	v.Anything = len(v.Rows)+len(v.Refused) > 0 || v.Trouble != nil
	p.Data = v
	h.show(w, http.StatusOK, "search", p)
}

// hits is what the Finder knows; nothing without one.
func (h *desk) hits(ctx context.Context, actor exchange.Actor, query string) (exchange.Hits, error) {
	if h.Finder == nil {
		return exchange.Hits{}, nil
	}
	return h.Finder.Search(ctx, actor, query)
}

// tell puts into v what a search found.
func (h *desk) tell(ctx context.Context, p page, found exchange.Hits, v *searchView) {
	for _, x := range found.Hits {
		row := foundRow{URL: p.U("/search/" + string(x.ID)), Kind: p.say(text.Key("web.find.kind." + string(x.Kind))), Number: x.Number, Peers: x.Peers, At: x.At}
		switch x.Kind {
		case exchange.HitDocument, exchange.HitResult:
			row.State = p.say(text.Key("web.stage." + x.State))
		case exchange.HitInbox:
			row.State = exchange.InboxState(x.State).Message().In(p.Lang)
		case exchange.HitDelivery:
			row.URL, row.State = p.U("/deliveries/"+string(x.ID)), exchange.DeliveryState(x.State).Message().In(p.Lang)
			row.Peers = h.nameOf(ctx, exchange.AgencyCode(x.Peers))
		case exchange.HitLane:
			row.URL, row.Number = p.U("/lanes/"+url.PathEscape(string(x.ID))), string(x.ID)
		}
		v.Rows = append(v.Rows, row)
	}
	for _, t := range found.Transfers {
		v.Refused = append(v.Refused, refusedRow{Peer: h.nameOf(ctx, t.Sender), State: p.say(text.Key("web.find.answer." + string(t.Answer))), At: t.At})
	}
	if x := found.Trouble; x != nil {
		v.Trouble = &troubleView{At: x.At, Where: x.Where, What: x.What}
	}
}

// traceView is the timeline of one thing, for the operator.
type traceView struct {
	ID         string
	Find       finder
	Deliveries []resumable
	URL        string // to post to
	Timeline   []fact // of both sides
}

// resumable is a delivery of a document, as the operator may push it.
type resumable struct {
	ID       string
	URL      string // its own page
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
	v := traceView{ID: string(id), Find: p.finder("/search", p.say("web.find.label"), "", ""), URL: p.U("/search/" + string(id) + "/resume")}
	deliveries, err := h.Outbox.DeliveriesAbout(r.Context(), actor, id)
	var sent []fact
	if err == nil && id.Has(exchange.PrefixInbox) {
		sent, err = h.sentFact(r.Context(), p.Lang, actor, id)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v.Timeline = inOrder(append(sent, h.bothSides(r.Context(), p.Lang, events, deliveries)...))
	for _, dl := range deliveries {
		stuck := dl.State == exchange.DeliveryQuarantined || dl.State == exchange.DeliveryReady && dl.Attempts > 0
		v.Deliveries = append(v.Deliveries, resumable{ID: string(dl.ID), URL: p.U("/deliveries/" + string(dl.ID)), Transfer: string(dl.TransferID),
			View: viewDelivery(p.Lang, dl), MayRetry: stuck})
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
