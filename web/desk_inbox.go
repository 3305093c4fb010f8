package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
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

type inboxView struct {
	Open []itemRow // what the clerk has to decide, urgent first, then the oldest
	Done []itemRow // the rest, newest first
	Next string
}

// inbox lists văn bản đến, what is not decided first.
func (h *desk) inbox(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.inbox.title")
	p.Where = "inbox"
	actor := h.Actor(r)
	var v inboxView
	after := exchange.ID(p.query.Get("after"))
	if after == "" {
		open, err := h.open(r.Context(), actor)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		for _, i := range open {
			if i.State == exchange.InboxReceived {
				p.again(soon)
			}
			v.Open = append(v.Open, h.itemRow(r.Context(), p, i))
		}
	}
	items, err := h.Inbox.List(r.Context(), actor, exchange.InboxFilter{Page: exchange.Page{After: after, Limit: rowsPerPage + 1}})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if len(items) > rowsPerPage {
		items = items[:rowsPerPage]
		v.Next = p.U("/inbox?after=" + string(items[rowsPerPage-1].ID))
	}
	for _, i := range items {
		if !undecided(i.State) {
			v.Done = append(v.Done, h.itemRow(r.Context(), p, i))
		}
	}
	p.again(later) // an arrival shows by itself
	p.Data = v
	h.show(w, http.StatusOK, "inbox", p)
}

func undecided(s exchange.InboxState) bool {
	return s == exchange.InboxReceived || s == exchange.InboxWaiting || s == exchange.InboxDamaged
}

// open returns what the clerk has to decide: urgent first, then the oldest.
func (h *desk) open(ctx context.Context, actor exchange.Actor) ([]exchange.ItemView, error) {
	var all []exchange.ItemView
	for _, state := range []exchange.InboxState{exchange.InboxWaiting, exchange.InboxDamaged, exchange.InboxReceived} {
		items, err := h.Inbox.List(ctx, actor, exchange.InboxFilter{State: state, Page: exchange.Page{Limit: maxOpen}})
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

func (h *desk) itemRow(ctx context.Context, p page, i exchange.ItemView) itemRow {
	row := itemRow{URL: p.U("/inbox/" + string(i.ID)), Verdict: itemVerdict(p.Lang, i.InboxItem), From: h.fromName(ctx, i.InboxItem),
		Number: i.Header.FullNumber(), Subject: i.Header.Subject, State: i.State.Message().In(p.Lang), Arrival: i.Arrival, At: i.ReceivedAt}
	if i.Header.Priority > 0 {
		row.Urgent = p.say(text.Key("web.priority." + strconv.Itoa(min(i.Header.Priority, 4))))
	}
	if row.Subject == "" {
		row.Subject = p.say("web.inbox.unread")
	}
	return row
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
		State: i.State.Message().In(p.Lang), Waiting: i.State == exchange.InboxReceived, Assignee: r.PostFormValue("assignee")}
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
	v.Decide = i.State == exchange.InboxWaiting || i.State == exchange.InboxDamaged
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
	open, err := h.open(ctx, actor)
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
