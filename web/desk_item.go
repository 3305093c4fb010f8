package web

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
)

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
	// Wrong is what is wrong with fields of the decision, by their names.
	Wrong map[string]string

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
		v.Wrong = wrongOf(r, failed, p.Err)
		p.Data = v
	}
	h.show(w, status, "item", p)
}

// wrongOf says at which field of the decision the error stands, and what it says; said
// then leads there.
func wrongOf(r *http.Request, failed error, said *errView) map[string]string {
	name, _ := fieldIn(text.As(failed))
	switch end := path.Base(r.URL.Path); {
	case text.CodeOf(failed) != text.InvalidInput:
		return nil
	case end == "refuse" && !slices.Contains(refusalReasons, r.PostFormValue("reason")):
		name = "why"
	case end == "refuse":
		name = "note"
	case end == "recall" && r.PostFormValue("agree") != "":
		name = "reason"
	}
	var f filled
	f.mark(said, name)
	for field, id := range map[string]string{"assignee": "assignee", "note": "note", "reason": "recall-reason", "why": "reason-" + refusalReasons[0]} {
		f.put(field, id)
	}
	return f.wrong
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
	current, from := h.fillFiles(*p, v), h.sender(ctx, i.From)
	var report *validation.Report
	if current >= 0 {
		var err error
		if report, err = h.report(ctx, actor, i.InboxItem, current); err != nil {
			return err
		}
		paper := h.images.judged(ctx, p, h.attachmentSource(actor, i.InboxItem, current), i.Attachments[current].Name,
			h.Prefix+v.URL+"/files/"+strconv.Itoa(current)+"/pages/", report, from)
		v.Paper = &paper
	}
	if report != nil {
		v.Report = viewReport(p.Lang, report, from)
		v.Report.link(*p, v.Paper)
	}
	if !v.Waiting {
		v.Lines = fiveLines(p.Lang, i, report, from)
	}
	events, err := h.Evidence.Timeline(ctx, actor, i.ID)
	if err != nil {
		return err
	}
	v.Timeline = h.timeline(ctx, p.Lang, events)
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
