package web

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// recordRoutes are the forms for what came or went on paper.
func (h *desk) recordRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/registers/{book}/new", Roles: clerks, Handler: h.recordForm},
		{Method: http.MethodPost, Path: "/registers/{book}/new", Roles: clerks, Handler: h.record},
	}
}

type recordView struct {
	Action string
	Back   string
	Key    string
	Fields []field
}

// recordForm is the form for a document that came or went outside the network.
func (h *desk) recordForm(w http.ResponseWriter, r *http.Request) {
	today := h.now().In(exchange.Vietnam).Format(time.DateOnly)
	h.showRecord(w, r, filled{values: url.Values{"kind": {strconv.Itoa(letterKind)}, "arrived": {today}, "paper_date": {today}}}, nil)
}

func (h *desk) showRecord(w http.ResponseWriter, r *http.Request, f filled, failed error) {
	book := exchange.Book(r.PathValue("book"))
	if book != exchange.BookOutgoing && book != exchange.BookIncoming {
		h.fail(w, r, text.Errorf(text.NotFound, nil))
		return
	}
	p := h.page(r, text.Key("desk.record."+string(book)))
	p.Where = "registers"
	status := http.StatusOK
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
		status = p.Err.status
	}
	back := p.U("/registers/" + string(book) + "/" + strconv.Itoa(h.thisYear()))
	v := recordView{Action: p.U("/registers/" + string(book) + "/new"), Back: back, Key: f.V("key")}
	if v.Key == "" {
		v.Key = rand.Text()
	}
	m := fields{p.Lang, "f", f}
	kind := must(m.pick("kind", kindOptions(p.Lang)...))
	if book == exchange.BookOutgoing {
		v.Fields = []field{m.make("number", "number"), must(m.text("notation", 60)), must(m.make("date", "paper_date")), kind, must(m.area("subject", 2)),
			must(m.text("signer", 300)), m.text("position", 300), must(m.area("receivers", 2)), m.text("keeper", 300), m.make("number", "copies"),
			must(m.text("channel", 300)), m.area("note", 2)}
	} else {
		v.Fields = []field{m.make("number", "arrival"), must(m.make("date", "arrived")), must(m.text("from_name", 300)), must(m.text("paper_number", 60)),
			must(m.make("date", "paper_date")), kind, must(m.area("subject", 2)), m.text("signer", 300), m.text("handler", 300), m.make("date", "moved"),
			m.text("receipt", 300), must(m.text("channel", 300)), m.area("note", 2)}
	}
	p.Data = v
	h.show(w, status, "record", p)
}

// record enters it in its register.
func (h *desk) record(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		act := h.recordOutgoing
		if exchange.Book(r.PathValue("book")) == exchange.BookIncoming {
			act = h.recordIncoming
		}
		err = twice(f.key(), func() error { return act(r, f) })
	}
	if err != nil {
		if f.values == nil {
			f.values = url.Values{}
		}
		h.showRecord(w, r, f, err)
		return
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang(h.Prefix+"/registers/"+r.PathValue("book")+"/"+strconv.Itoa(h.recordedYear(f)), lang), http.StatusSeeOther)
}

// recordedYear is the year of the register that the form entered.
func (h *desk) recordedYear(f filled) int {
	for _, name := range []string{"arrived", "paper_date"} {
		if t, err := f.date(name); err == nil && !t.IsZero() {
			return t.In(exchange.Vietnam).Year()
		}
	}
	return h.thisYear()
}

func (h *desk) recordOutgoing(r *http.Request, f filled) error {
	kind, err := f.kind()
	if err != nil {
		return err
	}
	number, err := f.number("number")
	if err != nil {
		return err
	}
	copies, err := f.number("copies")
	if err != nil {
		return err
	}
	date, err := f.date("paper_date")
	if err != nil || date.IsZero() {
		return wrongField("paper_date")
	}
	_, err = h.Outbox.Record(r.Context(), h.Actor(r), exchange.PaperDocument{Number: number, Date: date, Kind: kind, Notation: f.trimmed("notation"),
		Subject: f.trimmed("subject"), Signer: f.trimmed("signer"), Position: f.trimmed("position"), Receivers: f.trimmed("receivers"),
		Keeper: f.trimmed("keeper"), Copies: copies, Note: f.trimmed("note"), Channel: f.trimmed("channel"), Key: f.key()})
	return renamed(err, "date", "paper_date")
}

func (h *desk) recordIncoming(r *http.Request, f filled) error {
	kind, err := f.kind()
	if err != nil {
		return err
	}
	arrival, err := f.number("arrival")
	if err != nil {
		return err
	}
	days := map[string]time.Time{}
	for _, name := range []string{"arrived", "paper_date", "moved"} {
		t, err := f.date(name)
		if err != nil || t.IsZero() && name != "moved" {
			return wrongField(name)
		}
		days[name] = t
	}
	_, err = h.Inbox.Record(r.Context(), h.Actor(r), exchange.PaperItem{Arrival: arrival, Arrived: days["arrived"], FromName: f.trimmed("from_name"),
		Number: f.trimmed("paper_number"), Date: days["paper_date"], Kind: kind, Subject: f.trimmed("subject"), SignerName: f.trimmed("signer"),
		Handler: f.trimmed("handler"), Moved: days["moved"], Receipt: f.trimmed("receipt"), Note: f.trimmed("note"), Channel: f.trimmed("channel"), Key: f.key()})
	return renamed(err, "number", "paper_number", "signer_name", "signer", "date", "paper_date")
}
