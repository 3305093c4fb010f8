package web

import (
	"net/http"
	"net/url"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// documentView is one outgoing document: its pages on the left, the four steps of
// its way on the right.
type documentView struct {
	URL        string
	Document   exchange.Document
	Issuance   exchange.Issuance
	Stage      exchange.Stage
	StageWord  string
	Kind       string
	Urgent     string
	Paper      paperView
	Deliveries []deliveryView
	Timeline   []fact
	Clerk      bool // whether the reader may number, seal and send
	Steps      []documentStep
	Facts      []detail
	HasFile    bool
	Edit       string     // leads to the form that changes the draft; empty when it cannot be
	Delete     string     // where a draft is thrown away; empty when it cannot be
	ReplaceURL string     // leads to the form of a document in its place; empty when there is none to be
	Returned   string     // why the competent person gave it back
	Chain      []chainRow // what it replaces and what replaced it
	Press      pressView
	Send       *sendView   // nil unless it may be sent
	Recall     *recallView // nil unless it may be asked back
}

// chainRow is one end of a chain of replacements.
type chainRow struct{ Text, URL, Name string }

// recallView is the form that asks receivers to give a document back.
type recallView struct {
	Action    string
	Key       string
	Open      bool
	Receivers []option
	Reason    field
	Wrong     map[string]string // what is wrong with the receivers
}

// documentStep is one of the four steps of an outgoing document.
type documentStep struct {
	Word  string
	Class string // done, current or empty
}

// sendView is the third and fourth step.
type sendView struct {
	receiversView
	Key    string
	Open   bool // it is the next thing to do, or was begun
	Checks []line
	Wrong  string            // what is wrong with the receivers
	Wrongs map[string]string // where that stands: to, q or paste
	Action string            // where the form is sent, and where it searches
	Search string
	// English keeps the language of a search without script.
	English bool
}

// document shows one outgoing document.
func (h *desk) document(w http.ResponseWriter, r *http.Request) {
	h.showDocument(w, r, filled{values: r.URL.Query()}, nil)
}

// showDocument shows a document with what a form on it carried, and what was wrong
// with that.
func (h *desk) showDocument(w http.ResponseWriter, r *http.Request, f filled, failed error) {
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
	p.Where = "documents"
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
	}
	v := documentView{URL: p.prefix + "/documents/" + string(d.ID), Document: d.Document, Issuance: d.Issuance, Stage: d.Issuance.Stage(),
		StageWord: stageWord(p.Lang, d.Issuance), Kind: kindIn(p.Lang, d.Kind), Urgent: urgentWord(p.Lang, d.Priority),
		Deliveries: viewDeliveries(p.Lang, d.Deliveries), Timeline: h.timeline(r.Context(), p.Lang, events), Clerk: actor.Role == exchange.RoleClerk}
	h.watch(&p, v.Deliveries)
	v.Paper = h.images.paper(r.Context(), &p, h.documentSource(actor, d.Document), d.FileName, h.Prefix+"/documents/"+string(d.ID)+"/pages/")
	v.HasFile = !d.Issuance.Newest().IsZero()
	if v.Press, err = h.pressOf(r, p, h.documentPaper(actor, p.Lang, d.Document), f); err != nil {
		h.fail(w, r, err)
		return
	}
	v.Facts = documentFacts(p, d.Document)
	v.Steps = documentSteps(p, d)
	if err := h.afterwards(r, p, d, f, &v); err != nil {
		h.fail(w, r, err)
		return
	}
	if v.Clerk && v.Stage == exchange.StageIssued {
		if v.Send, err = h.sendStep(r, p, d, v.Paper, f); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	p.Data = v
	status := http.StatusOK
	if p.Err != nil {
		status = p.Err.status
	}
	h.show(w, status, "document", p)
}

// documentFacts are the facts of a document that its pages do not print.
func documentFacts(p page, d exchange.Document) []detail {
	var out []detail
	add := func(key text.Key, value string) {
		if value != "" {
			out = append(out, detail{p.say(key), value})
		}
	}
	if !d.Issuance.Signing.Done() {
		add("desk.f.signatory", strings.TrimPrefix(d.Issuance.Signer.Name+", "+d.Issuance.Signer.Position, ", "))
	}
	add("desk.f.due", vnDate(d.DueDate))
	add("desk.fact.addressees", strings.Join(d.Places, "; "))
	return out
}

// watch has the page look again while something may still come.
func (h *desk) watch(p *page, deliveries []deliveryView) {
	if len(deliveries) > 0 {
		p.again(later) // the receivers' people report when they will
	}
	for _, dl := range deliveries {
		if dl.Class == "wait" || dl.Class == "ok" && dl.Business == "" {
			p.again(soon)
		}
	}
}

// documentSteps says how far a document has come.
func documentSteps(p page, d exchange.DocumentView) []documentStep {
	i := d.Issuance
	done := []bool{i.Numbered.Done() || d.Imported, i.Issued.Done(), len(d.Deliveries) > 0, len(d.Deliveries) > 0}
	out := make([]documentStep, len(done))
	current := false
	for n, key := range []text.Key{"desk.step.number", "desk.step.seal", "desk.step.receivers", "desk.step.send"} {
		out[n].Word = p.say(key)
		switch {
		case done[n]:
			out[n].Class = "done"
		case !current:
			out[n].Class, current = "current", true
		}
	}
	return out
}

// sendStep is the choice of receivers with the checks before sending; nil when
// everyone in the directory has the document.
func (h *desk) sendStep(r *http.Request, p page, d exchange.DocumentView, paper paperView, f filled) (*sendView, error) {
	rv, err := h.receivers(r.Context(), d, f.values)
	if err != nil || rv.Total == 0 {
		return nil, err
	}
	v := &sendView{receiversView: rv, Key: f.V("key"), Wrong: f.wrong["to"]}
	v.Open = rv.Already == 0 || rv.Query != "" || len(rv.Chosen) > 0 || rv.Paste != "" || v.Wrong != ""
	v.Action, v.Search, v.English = p.U("/documents/"+string(d.ID)+"/send"), p.prefix+"/documents/"+string(d.ID), p.Lang == text.EN
	v.Checks = checksBefore(p.Lang, d, rv, paper)
	if rv.Paste != "" {
		v.Wrong = p.say("desk.paste.unknown", strings.Join(strings.Split(rv.Paste, "\n"), "; "))
	}
	v.place(f)
	return v, nil
}

// place says at which control it stands that the receivers are wrong: the list that
// was pasted, else the first that can be ticked, else the search.
func (v *sendView) place(f filled) {
	name, id := "q", "receiver-q"
	switch {
	case v.Wrong == "":
		return
	case v.Paste != "":
		name, id = "paste", "paste"
	case len(v.Chosen) > 0:
		name, id = "to", "to-"+v.Chosen[0].Code
	case len(v.Found) > 0:
		name, id = "to", "to-"+v.Found[0].Code
	}
	v.Wrongs = map[string]string{name: v.Wrong}
	f.put("to", id)
}

// checksBefore are the six lines that stand before the button that sends.
func checksBefore(lang text.Lang, d exchange.DocumentView, to receiversView, paper paperView) []line {
	i := d.Issuance
	say := func(label text.Key, good bool, otherwise string, ok, not text.Key) line {
		if good {
			return newLine(lang, label, "ok", text.Get(ok).In(lang))
		}
		return newLine(lang, label, otherwise, text.Get(not).In(lang))
	}
	valid := i.Verdict == exchange.VerdictValid || i.Verdict == exchange.VerdictNotes
	out := []line{
		say("desk.check.person", i.Signing.Done() || d.Imported && valid, "bad", "desk.check.person.ok", "desk.check.person.not"),
		say("desk.check.seal", i.Sealed.Done() || d.Imported && valid, "bad", "desk.check.seal.ok", "desk.check.seal.not"),
		say("desk.check.time", i.Verdict == exchange.VerdictValid, "warn", "desk.check.time.ok", "desk.check.time.not"),
		newLine(lang, "desk.check.number", "ok", i.Number.String()+", "+vnDate(i.Number.Date)),
		say("desk.check.file", paper.Problem == "", "warn", "desk.check.file.ok", "desk.check.file.not"),
	}
	if i.Number.IsZero() {
		out[3] = newLine(lang, "desk.check.number", "bad", text.Get("web.unnumbered").In(lang))
	}
	switch {
	case len(to.Chosen) == 0:
		out = append(out, newLine(lang, "desk.check.channel", "warn", text.Get("web.send.nobody").In(lang)))
	case to.Manual > 0:
		out = append(out, newLine(lang, "desk.check.channel", "warn", text.Get("desk.check.channel.manual", to.Manual).In(lang)))
	default:
		out = append(out, newLine(lang, "desk.check.channel", "ok", text.Get("desk.check.channel.ok", len(to.Chosen)).In(lang)))
	}
	return out
}

// sendDocument sends to the receivers chosen. Lines of a pasted list that name
// nobody stop it: a document that misses a receiver is worse than one sent later.
func (h *desk) sendDocument(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	f, err := h.readForm(r)
	if err == nil {
		err = h.send(r, id, f)
	}
	if err != nil {
		if f.values == nil {
			f.values = url.Values{}
		}
		h.showDocument(w, r, f, err)
		return
	}
	h.back(w, r, "/documents/", id, "deliveries")
}

func (h *desk) send(r *http.Request, id exchange.ID, f filled) error {
	to, unknown, err := h.chosenReceivers(r, f)
	switch {
	case err != nil:
		return err
	case len(unknown) > 0:
		return text.Detailed(text.ReceiverUnknown, nil, "desk.paste.unknown", strings.Join(unknown, "; "))
	case len(to) == 0:
		return atField("to", text.Detailed(text.InvalidInput, nil, "web.send.nobody"))
	}
	req := exchange.SendRequest{Document: id, To: to, Key: f.key()}
	return twice(req.Key, func() error {
		_, err := h.Outbox.Send(r.Context(), h.Actor(r), req)
		return err
	})
}
