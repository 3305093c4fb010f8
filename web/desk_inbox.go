package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// maxOpen bounds the items shown as waiting; who has more sees the oldest leave first.
const maxOpen = 200

// itemRow is an incoming document in a list.
type itemRow struct {
	URL     string
	Verdict verdictView
	From    string
	Number  string
	Subject string
	Urgent  string
	State   string
	Arrival int
	At      time.Time
}

// inboxRoutes are văn bản đến.
func (h *desk) inboxRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/inbox", Roles: inboxers, Handler: h.inbox},
		{Method: http.MethodGet, Path: "/inbox/{id}", Roles: inboxers, Handler: h.item},
		{Method: http.MethodGet, Path: "/inbox/{id}/message", Roles: inboxers, Handler: h.itemMessage},
		{Method: http.MethodGet, Path: "/inbox/{id}/receipt", Roles: inboxers, Handler: h.itemReceipt},
		{Method: http.MethodGet, Path: "/inbox/{id}/files/{n}", Roles: inboxers, Handler: h.itemFile},
		{Method: http.MethodGet, Path: "/inbox/{id}/files/{n}/report", Roles: inboxers, Handler: h.itemReport},
		{Method: http.MethodGet, Path: "/inbox/{id}/files/{n}/pages/{page}", Roles: inboxers, Handler: h.itemPage},
		{Method: http.MethodPost, Path: "/inbox/{id}/accept", Roles: clerks, Handler: h.accept},
		{Method: http.MethodPost, Path: "/inbox/{id}/refuse", Roles: clerks, Handler: h.refuse},
		{Method: http.MethodPost, Path: "/inbox/{id}/handle", Roles: inboxers, Handler: h.handle},
		{Method: http.MethodPost, Path: "/inbox/{id}/recall", Roles: clerks, Handler: h.answerRecall},
	}
}

type inboxView struct {
	Tabs  []tab
	Tab   string
	Query string // what was searched for
	Find  finder
	Rows  []itemRow
	// States is set where rows stand in different states: what waits needs no column for it.
	States bool
	Next   string
	Empty  string // what stands in place of rows
	// Record leads to the form for what came on paper; empty for who may not enter it.
	Record string
}

// tab is one of the ways to see a list.
type tab struct {
	ID      string
	Label   string
	URL     string
	Current bool
}

// The tabs of the incoming list: which states each shows. The first is where a
// văn thư's day begins.
var inboxTabs = []struct {
	id     string
	states []exchange.InboxState
}{
	{"open", []exchange.InboxState{exchange.InboxWaiting, exchange.InboxDamaged, exchange.InboxReceived}},
	{"accepted", []exchange.InboxState{exchange.InboxAccepted, exchange.InboxAssigned, exchange.InboxProcessing, exchange.InboxCompleted}},
	{"returned", []exchange.InboxState{exchange.InboxReturned}},
	{"all", []exchange.InboxState{""}},
}

// inbox lists văn bản đến under one tab.
func (h *desk) inbox(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.inbox.title")
	p.Where = "inbox"
	actor := h.Actor(r)
	v := inboxView{Tab: inboxTabs[0].id, Query: strings.TrimSpace(p.query.Get("q"))}
	states := inboxTabs[0].states
	for _, t := range inboxTabs {
		if t.id == p.query.Get("tab") {
			v.Tab, states = t.id, t.states
		}
	}
	v.States = v.Tab != inboxTabs[0].id || v.Query != ""
	v.Tabs = h.inboxTabs(p, v)
	if record := "/registers/" + string(exchange.BookIncoming) + "/new"; h.may(actor.Role, "/registers/{book}/new") {
		v.Record = p.U(record)
	}
	v.Find = p.finder("/inbox", p.say("web.inbox.find"), v.Tab, v.Query)
	v.Empty = p.say(text.Key("web.inbox.empty." + v.Tab))
	if v.Query != "" {
		v.Empty = p.say("web.search.nothing", v.Query)
	}
	items, next, err := h.inboxRows(r.Context(), actor, v, states, exchange.ID(p.query.Get("after")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	for _, i := range items {
		if i.State == exchange.InboxReceived {
			p.again(soon)
		}
		v.Rows = append(v.Rows, h.itemRow(r.Context(), p, i))
	}
	if next != "" {
		v.Next = p.U("/inbox?" + url.Values{"tab": {v.Tab}, "q": {v.Query}, "after": {string(next)}}.Encode())
	}
	p.again(later) // an arrival shows by itself
	p.Data = v
	h.show(w, http.StatusOK, "inbox", p)
}

func (h *desk) inboxTabs(p page, v inboxView) []tab {
	var out []tab
	for _, t := range inboxTabs {
		q := url.Values{}
		if t.id != inboxTabs[0].id {
			q.Set("tab", t.id)
		}
		if v.Query != "" {
			q.Set("q", v.Query)
		}
		path := "/inbox"
		if len(q) > 0 {
			path += "?" + q.Encode()
		}
		out = append(out, tab{ID: t.id, Label: p.say(text.Key("web.inbox.tab." + t.id)), URL: p.U(path), Current: t.id == v.Tab})
	}
	return out
}

// inboxRows returns one page of a tab, and where the next begins. What is open is
// shown whole, in the order to work in; the rest is newest first.
func (h *desk) inboxRows(ctx context.Context, actor exchange.Actor, v inboxView, states []exchange.InboxState, after exchange.ID) ([]exchange.ItemView, exchange.ID, error) {
	if v.Tab == inboxTabs[0].id {
		items, err := h.open(ctx, actor, v.Query)
		return items, "", err
	}
	var all []exchange.ItemView
	for _, state := range states {
		items, err := h.Inbox.List(ctx, actor, inboxFilter(state, v.Query, exchange.Page{After: after, Limit: rowsPerPage + 1}))
		if err != nil {
			return nil, "", err
		}
		all = append(all, items...)
	}
	slices.SortFunc(all, func(a, b exchange.ItemView) int { return strings.Compare(string(b.ID), string(a.ID)) })
	if len(all) <= rowsPerPage {
		return all, "", nil
	}
	all = all[:rowsPerPage]
	return all, all[rowsPerPage-1].ID, nil
}

// open returns what the clerk has to decide and query finds: the most urgent first,
// then the oldest.
func (h *desk) open(ctx context.Context, actor exchange.Actor, query string) ([]exchange.ItemView, error) {
	var all []exchange.ItemView
	for _, state := range inboxTabs[0].states {
		items, err := h.Inbox.List(ctx, actor, inboxFilter(state, query, exchange.Page{Limit: maxOpen}))
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	slices.SortStableFunc(all, func(a, b exchange.ItemView) int {
		if d := b.Header.Priority - a.Header.Priority; d != 0 {
			return d
		}
		return a.ReceivedAt.Compare(b.ReceivedAt)
	})
	return all, nil
}

func inboxFilter(state exchange.InboxState, query string, p exchange.Page) exchange.InboxFilter {
	return exchange.InboxFilter{State: state, Text: query, Page: p}
}

func (h *desk) itemRow(ctx context.Context, p page, i exchange.ItemView) itemRow {
	row := itemRow{URL: p.U("/inbox/" + string(i.ID)), Verdict: itemVerdict(p.Lang, i.InboxItem), From: h.fromName(ctx, i.InboxItem),
		Number: i.Header.FullNumber(), Subject: i.Header.Subject, State: i.State.Message().In(p.Lang), Arrival: i.Arrival, At: i.ReceivedAt}
	row.Urgent = priorityWord(p, i.Header.Priority)
	if row.Subject == "" {
		row.Subject = p.say("web.inbox.unread")
	}
	return row
}

// priorityWord is the degree of urgency in words; empty for the ordinary.
func priorityWord(p page, priority int) string {
	if priority <= 0 {
		return ""
	}
	return p.say(text.Key("web.priority." + strconv.Itoa(min(priority, 4))))
}

// fromName is who sent an item: the directory's name, since the message's own is
// only the sender's word.
func (h *desk) fromName(ctx context.Context, i exchange.InboxItem) string {
	return h.nameOf(ctx, i.From)
}
