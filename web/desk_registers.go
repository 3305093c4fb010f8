package web

import (
	"net/http"
	"strconv"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// linesPerPage is the length of a register on one page, which is also what is
// printed at a time: some twenty sheets.
const linesPerPage = 300

// registerRoutes are sổ văn bản đi and sổ văn bản đến.
func (h *desk) registerRoutes() []route {
	return append([]route{
		{Method: http.MethodGet, Path: "/registers", Roles: desks, Handler: h.registers},
		{Method: http.MethodGet, Path: "/registers/{book}/{year}", Roles: desks, Handler: h.register},
		{Method: http.MethodGet, Path: "/registers/{book}/{year}/csv", Roles: desks, Handler: h.registerCSV},
		{Method: http.MethodPost, Path: "/registers/{book}/{year}/first", Roles: clerks, Handler: h.setFirst},
		{Method: http.MethodPost, Path: "/registers/{book}/{year}/void", Roles: clerks, Handler: h.voidNumber},
	}, h.recordRoutes()...)
}

func (h *desk) books() *exchange.Registers {
	return &exchange.Registers{Store: h.Outbox.Store, Offices: h.Outbox.Offices, Now: h.now}
}

// registers leads to the outgoing register of this year.
func (h *desk) registers(w http.ResponseWriter, r *http.Request) {
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	to := h.Prefix + "/registers/" + string(exchange.BookOutgoing) + "/" + strconv.Itoa(h.thisYear())
	http.Redirect(w, r, withLang(to, lang), http.StatusSeeOther)
}

func (h *desk) thisYear() int { return h.now().In(exchange.Vietnam).Year() }

type registerView struct {
	Title    string
	Agency   string
	Book     exchange.Book
	Year     int
	Books    []tab
	Years    []tab
	Columns  []string
	Rows     []registerRow
	From     string // the first number shown, as asked for
	Search   string
	English  bool
	Next     string
	CSV      string
	Record   string // leads to the form for a document on paper; empty for who may not
	SetFirst string // where the first number is set; empty once it is set or the year has begun
	First    field
	Begins   int // the first number that was set; 0: none was
	Key      string
	Clerk    bool
	Void     string // where a number is voided; empty for who may not
	VoidOpen bool
	// VoidSeq and VoidReason are the fields of that form.
	VoidSeq, VoidReason field
	LinkAt              int // the column that leads to the document
}

type registerRow struct {
	Seq    int
	Cells  []string
	URL    string // of the document; empty when it has no page
	Void   bool   // the number stands for no document
	ByHand bool
}

// asked reads which register a path names.
func asked(r *http.Request) (exchange.Book, int, error) {
	book := exchange.Book(r.PathValue("book"))
	year, err := strconv.Atoi(r.PathValue("year"))
	if err != nil || book != exchange.BookOutgoing && book != exchange.BookIncoming || year < 1945 || year > 2999 {
		return "", 0, text.Errorf(text.NotFound, err)
	}
	return book, year, nil
}

func (h *desk) register(w http.ResponseWriter, r *http.Request) {
	h.showRegister(w, r, filled{values: r.URL.Query()}, nil)
}

// showRegister shows a register with what a form on it carried.
func (h *desk) showRegister(w http.ResponseWriter, r *http.Request, f filled, failed error) {
	book, year, err := asked(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	actor := h.Actor(r)
	p := h.page(r, text.Key("desk.book."+string(book)), year)
	p.Where = "registers"
	path := "/registers/" + string(book) + "/" + strconv.Itoa(year)
	p.at(h.Prefix + path)
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
	}
	from := 1
	if n, err := strconv.Atoi(strings.TrimSpace(f.V("from"))); err == nil && n > 1 && n <= maxNumber {
		from = n
	}
	lines, err := h.books().Lines(r.Context(), actor, book, year, exchange.RegisterPage{After: from - 1, Limit: linesPerPage + 1})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v := registerView{Title: p.Title, Agency: h.Office.Agency.Name, Book: book, Year: year, Columns: columnsOf(p.Lang, book), From: f.trimmed("from"),
		Search: h.Prefix + path, English: p.Lang == text.EN, CSV: p.U(path + "/csv"), Key: f.V("key"), Clerk: actor.Role == exchange.RoleClerk}
	if len(lines) > linesPerPage {
		lines = lines[:linesPerPage]
		v.Next = p.U(path + "?from=" + strconv.Itoa(lines[linesPerPage-1].Seq+1))
	}
	for _, l := range lines {
		v.Rows = append(v.Rows, registerLine(p, l))
	}
	v.LinkAt = len(v.Columns) - 6
	if book == exchange.BookIncoming {
		v.LinkAt = len(v.Columns) - 5
	}
	if v.Clerk && book == exchange.BookOutgoing && len(v.Rows) > 0 {
		m := fields{p.Lang, "void", f}
		v.Void, v.VoidOpen, v.VoidSeq, v.VoidReason = p.U(path+"/void"), f.values.Has("reason"), must(m.make("number", "seq")), must(m.area("reason", 2))
	}
	h.aroundRegister(p, &v)
	if err := h.beginning(r, p, path, f, &v); err != nil {
		h.fail(w, r, err)
		return
	}
	p.Data = v
	status := http.StatusOK
	if p.Err != nil {
		status = p.Err.status
	}
	h.show(w, status, "register", p)
}

// aroundRegister fills in the ways to the other book and to other years.
func (h *desk) aroundRegister(p page, v *registerView) {
	to := func(b exchange.Book, year int) string {
		return p.U("/registers/" + string(b) + "/" + strconv.Itoa(year))
	}
	for _, b := range []exchange.Book{exchange.BookOutgoing, exchange.BookIncoming} {
		v.Books = append(v.Books, tab{Label: p.say(text.Key("desk.book." + string(b) + ".short")), URL: to(b, v.Year), Current: b == v.Book})
	}
	for _, y := range []int{v.Year + 1, v.Year - 1} {
		if y <= h.thisYear() {
			v.Years = append(v.Years, tab{Label: strconv.Itoa(y), URL: to(v.Book, y)})
		}
	}
	if v.Clerk {
		v.Record = p.U("/registers/" + string(v.Book) + "/new")
	}
}

// beginning fills in the first number of the year: as it was set, or the form for it
// while the year has not begun.
func (h *desk) beginning(r *http.Request, p page, path string, f filled, v *registerView) error {
	first, set, err := h.books().First(r.Context(), h.Actor(r), v.Book, v.Year)
	switch {
	case err != nil:
		return err
	case set:
		v.Begins = first
	case v.Clerk && len(v.Rows) == 0 && v.From == "":
		v.SetFirst = p.U(path + "/first")
		v.First = must(fields{p.Lang, "first", f}.make("number", "first"))
	}
	return nil
}

func registerLine(p page, l exchange.Line) registerRow {
	row := registerRow{Seq: l.Seq, Cells: cellsOf(p.Lang, l), Void: l.Void != nil, ByHand: l.ByHand}
	switch {
	case l.Subject.Has(exchange.PrefixDocument):
		row.URL = p.U("/documents/" + string(l.Subject))
	case l.Subject.Has(exchange.PrefixResult):
		row.URL = p.U("/results/" + string(l.Subject))
	case l.Subject.Has(exchange.PrefixInbox):
		row.URL = p.U("/inbox/" + string(l.Subject))
	}
	return row
}

// columnsOf are the headings of a register as the statute prints them (NĐ 30/2020,
// Annex IV).
func columnsOf(lang text.Lang, book exchange.Book) []string {
	keys := []text.Key{"desk.reg.number", "desk.reg.date", "desk.reg.subject", "desk.reg.signer", "desk.reg.receivers", "desk.reg.keeper",
		"desk.reg.copies", "desk.reg.note"}
	if book == exchange.BookIncoming {
		keys = []text.Key{"desk.reg.arrived", "desk.reg.arrival", "desk.reg.from", "desk.reg.number", "desk.reg.date", "desk.reg.subject",
			"desk.reg.handler", "desk.reg.moved", "desk.reg.receipt", "desk.reg.note"}
	}
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = text.Get(k).In(lang)
	}
	return out
}

// cellsOf are the columns of one line.
func cellsOf(lang text.Lang, l exchange.Line) []string {
	c := l.Columns
	what := strings.TrimSpace(c.Kind + " " + c.Subject)
	note := c.Note
	if l.Void != nil {
		note = strings.TrimSpace(text.Get("desk.reg.void", l.Void.Reason).In(lang) + " " + note)
	}
	if l.Book == exchange.BookIncoming {
		return []string{vnDate(c.Arrived), strconv.Itoa(l.Seq), c.From, c.Number, vnDate(c.Date), what, c.Handler, vnDate(c.Moved), c.Receipt, note}
	}
	copies := ""
	if c.Copies > 0 {
		copies = strconv.Itoa(c.Copies)
	}
	return []string{c.Number, vnDate(c.Date), what, c.Signer, c.Receivers, c.Keeper, copies, note}
}

// setFirst sets the first number of a year.
func (h *desk) setFirst(w http.ResponseWriter, r *http.Request) {
	book, year, err := asked(r)
	f, formErr := h.readForm(r)
	if err == nil {
		err = formErr
	}
	first := 0
	if err == nil {
		first, err = f.needed("first")
	}
	if err == nil {
		err = h.forms.do(h.onceOf(r, f), func() error { return h.books().SetFirst(r.Context(), h.Actor(r), book, year, first) })
	}
	h.registerDone(w, r, f, err)
}

// voidNumber explains a number that stands for no document.
func (h *desk) voidNumber(w http.ResponseWriter, r *http.Request) {
	book, year, err := asked(r)
	f, formErr := h.readForm(r)
	if err == nil {
		err = formErr
	}
	seq := 0
	if err == nil {
		seq, err = f.needed("seq")
	}
	if err == nil {
		err = h.forms.do(h.onceOf(r, f), func() error {
			return renamed(h.books().Void(r.Context(), h.Actor(r), book, year, seq, f.trimmed("reason")), "number", "seq")
		})
	}
	h.registerDone(w, r, f, err)
}

func (h *desk) registerDone(w http.ResponseWriter, r *http.Request, f filled, err error) {
	if err != nil {
		h.showRegister(w, r, f, err)
		return
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	to := h.Prefix + "/registers/" + r.PathValue("book") + "/" + r.PathValue("year")
	http.Redirect(w, r, withLang(to, lang), http.StatusSeeOther)
}
