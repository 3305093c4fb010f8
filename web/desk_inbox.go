package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
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

// fileView is one attachment.
type fileView struct {
	N       int
	Name    string
	Size    int64
	Verdict verdictView
	Problem string
	URL     string // download
	Show    string // this page with the file shown; empty for what is no PDF
	Current bool
	Report  string // address of its report, empty when there is none
}

type itemView struct {
	URL      string
	Item     exchange.ItemView
	From     string
	Verdict  verdictView
	Lines    []line
	Report   *reportView
	Files    []fileView
	Paper    *paperView
	Waiting  bool   // being checked
	Decide   bool   // accept or refuse
	Blocked  string // why it cannot be accepted
	Caution  string // what to think of before accepting
	Other    string // address of the item that this one doubles or contradicts
	Told     string // the transport state of our last status
	State    string
	Business string
	Next     *itemRow // the next item that waits
	Refusal  refusalForm
	Assignee string
	Timeline []fact
	Urgent   string
	English  bool
	Steps    []step       // how handling may go on; empty for who may not report it
	Chain    []chainLink  // what it replaces, and what replaces it
	Recall   *recallAsked // the sender's request that waits for an answer
	// RecallSaid is our answer to such a request, in words.
	RecallSaid   string
	RecallReason string

	SelfURL, RefuseURL, RecallURL, MessageURL, ReceiptURL string
}

// step is a later status that may be reported to the sender.
type step struct {
	Code  string
	Label string
}

// chainLink is a document that this one replaces, or that replaces it.
type chainLink struct {
	Text   string
	Number string
	URL    string // empty when we do not have it
}

// recallAsked is a request to give the document back.
type recallAsked struct {
	Reason string
	At     time.Time
}

func (h *desk) item(w http.ResponseWriter, r *http.Request) { h.showItem(w, r, nil) }

func (h *desk) showItem(w http.ResponseWriter, r *http.Request, failed error) {
	ctx, actor := r.Context(), h.Actor(r)
	i, err := h.Inbox.Item(ctx, actor, exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	title := i.Header.FullNumber()
	if title == "" {
		title = string(i.From)
	}
	p := h.page(r, "web.item.title", title)
	p.at(h.Prefix + "/inbox/" + string(i.ID))
	p.Where = "inbox"
	v := itemView{URL: "/inbox/" + string(i.ID), Item: i, From: h.fromName(ctx, i.InboxItem), Verdict: itemVerdict(p.Lang, i.InboxItem),
		State: i.State.Message().In(p.Lang), Waiting: i.State == exchange.InboxReceived,
		Assignee: r.PostFormValue("assignee"), RecallReason: r.PostFormValue("reason")}
	if err := h.fillItem(ctx, actor, &p, &v); err != nil {
		h.fail(w, r, err)
		return
	}
	v.Refusal = newRefusal(p, r, i.InboxItem)
	p.Data = v
	status := http.StatusOK
	if failed != nil {
		p.Err = h.errView(p.Lang, failed)
		status = p.Err.status
	}
	h.show(w, status, "item", p)
}

// fillItem adds what is known of i beyond the item itself.
func (h *desk) fillItem(ctx context.Context, actor exchange.Actor, p *page, v *itemView) error {
	i := v.Item
	v.English, v.Urgent = p.Lang == text.EN, priorityWord(*p, i.Header.Priority)
	v.SelfURL, v.RefuseURL, v.RecallURL = p.U(v.URL), p.U(v.URL+"/refuse"), p.U(v.URL+"/recall")
	if !i.Raw.IsZero() {
		v.MessageURL, v.ReceiptURL = p.U(v.URL+"/message"), p.U(v.URL+"/receipt")
	}
	v.Decide = actor.Role == exchange.RoleClerk && (i.State == exchange.InboxWaiting || i.State == exchange.InboxDamaged)
	v.Steps = steps(*p, i.State)
	h.fillRecall(*p, actor, v)
	if err := h.fillChain(ctx, *p, actor, v); err != nil {
		return err
	}
	v.Blocked = i.Blocked.Message.In(p.Lang)
	if i.State == exchange.InboxDamaged && v.Blocked == "" {
		v.Blocked = p.say("web.accept.damaged")
	}
	if v.Decide && v.Blocked == "" && (i.Verdict == exchange.VerdictInconclusive || i.Verdict == exchange.VerdictUnsigned) {
		v.Caution = p.say(text.Key("web.accept.caution." + string(i.Verdict)))
	}
	if other := i.DuplicateOf + i.ConflictsOf; other != "" {
		v.Other = p.U("/inbox/" + string(other))
	}
	if i.Told != "" {
		v.Told = i.Told.Message().In(p.Lang)
	}
	if c := i.Business.Code; c != "" {
		v.Business = string(c) + " " + c.Message().In(p.Lang)
	}
	if v.Waiting || i.Told == exchange.DeliveryReady {
		p.again(soon)
	}
	current := h.fillFiles(*p, v)
	var report *validation.Report
	if current >= 0 {
		var err error
		if report, err = h.report(ctx, actor, i.InboxItem, current); err != nil {
			return err
		}
		paper := h.images.paper(ctx, p, h.attachmentSource(actor, i.InboxItem, current), i.Attachments[current].Name,
			h.Prefix+v.URL+"/files/"+strconv.Itoa(current)+"/pages/")
		v.Paper = &paper
	}
	from := h.sender(ctx, i.From)
	if report != nil {
		v.Report = viewReport(p.Lang, report, from)
	}
	if !v.Waiting {
		v.Lines = fiveLines(p.Lang, i, report, from)
	}
	events, err := h.Evidence.Timeline(ctx, actor, i.ID)
	if err != nil {
		return err
	}
	v.Timeline = viewTimeline(p.Lang, events)
	open, err := h.open(ctx, actor, "")
	if err != nil {
		return err
	}
	for _, o := range open {
		if o.ID != i.ID && o.State != exchange.InboxReceived {
			next := h.itemRow(ctx, *p, o)
			v.Next = &next
			break
		}
	}
	return nil
}

// fillFiles lists the attachments and returns the one that is shown: the one asked
// for, else the gravest PDF; -1 when there is none to show.
func (h *desk) fillFiles(p page, v *itemView) int {
	current := -1
	for n, a := range v.Item.Attachments {
		base := v.URL + "/files/" + strconv.Itoa(n)
		f := fileView{N: n, Name: a.Name, Size: a.Blob.Size, Verdict: viewVerdict(p.Lang, a.Verdict), Problem: a.Problem.Message.In(p.Lang)}
		if !a.Blob.IsZero() {
			f.URL = p.U(base)
		}
		if isPDF(a) && !a.Blob.IsZero() {
			f.Show = p.U(v.URL + "?file=" + strconv.Itoa(n))
			if current < 0 || a.Verdict != v.Item.Attachments[current].Verdict && a.Verdict.Worse(v.Item.Attachments[current].Verdict) == a.Verdict {
				current = n
			}
		}
		if !a.Report.IsZero() {
			f.Report = p.U(base + "/report")
		}
		v.Files = append(v.Files, f)
	}
	if n, err := strconv.Atoi(p.query.Get("file")); err == nil && n >= 0 && n < len(v.Files) && v.Files[n].Show != "" {
		current = n
	}
	if current >= 0 {
		v.Files[current].Current = true
	}
	return current
}

// report reads the stored report of attachment n; nil when it has none.
func (h *desk) report(ctx context.Context, actor exchange.Actor, i exchange.InboxItem, n int) (*validation.Report, error) {
	if i.Attachments[n].Report.IsZero() {
		return nil, nil
	}
	b, err := h.Inbox.Report(ctx, actor, i.ID, n)
	if err != nil {
		return nil, err
	}
	var r validation.Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func (h *desk) attachmentSource(actor exchange.Actor, i exchange.InboxItem, n int) source {
	return source{digest: i.Attachments[n].Blob.Digest, open: func(ctx context.Context) (exchange.BlobReader, error) {
		_, f, err := h.Inbox.OpenAttachment(ctx, actor, i.ID, n)
		return f, err
	}}
}
