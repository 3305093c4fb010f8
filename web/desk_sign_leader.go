package web

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/internal/text"
)

// maxToSign bounds the list of what waits for a competent person: the next and the
// one before are found in it.
const maxToSign = 300

// signRow is one paper that waits for the reader's signature.
type signRow struct {
	URL     string
	Kind    string
	Subject string
	Urgent  string
	Asked   string
	At      time.Time
	Due     time.Time
	id      exchange.ID
	urgency int
}

type signList struct {
	Rows  []signRow
	Empty string
}

// waitingFor lists what waits for the actor's signature: the most urgent first, then
// what waits longest.
func (h *desk) waitingFor(r *http.Request, p page) ([]signRow, error) {
	actor := h.Actor(r)
	mine := func(i exchange.Issuance) bool { return i.Signer.ActorID == "" || i.Signer.ActorID == actor.ID }
	limit := exchange.Page{Limit: maxToSign}
	docs, err := h.Outbox.List(r.Context(), actor, exchange.DocumentFilter{Stage: exchange.StageAwaitingSignature, Page: limit})
	if err != nil {
		return nil, err
	}
	results, err := h.Results.List(r.Context(), actor, exchange.ResultFilter{Stage: exchange.StageAwaitingSignature, Page: limit})
	if err != nil {
		return nil, err
	}
	var rows []signRow
	add := func(x paperOf, urgency int, due time.Time) {
		if !mine(x.Issuance) {
			return
		}
		q := x.Issuance.Asked.Signature
		rows = append(rows, signRow{URL: p.U("/sign/" + string(x.ID)), Kind: x.Kind, Subject: x.Subject, Urgent: x.Urgent, Asked: q.By.Name,
			At: q.At, Due: due, id: x.ID, urgency: urgency})
	}
	for _, d := range docs {
		add(h.documentPaper(actor, p.Lang, d.Document), d.Priority, d.DueDate)
	}
	for _, x := range results {
		add(h.resultPaper(actor, p.Lang, x), 0, time.Time{})
	}
	slices.SortStableFunc(rows, func(a, b signRow) int {
		if a.urgency != b.urgency {
			return b.urgency - a.urgency
		}
		return a.At.Compare(b.At)
	})
	return rows, nil
}

// toSign is the list Chờ ký.
func (h *desk) toSign(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "desk.sign.title")
	p.Where = "sign"
	p.again(later)
	rows, err := h.waitingFor(r, p)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p.Data = signList{Rows: rows}
	h.show(w, http.StatusOK, "sign-list", p)
}

// signView is one paper before the competent person who signs it.
type signView struct {
	paperOf
	Paper    paperView
	Facts    []detail
	State    string // why it cannot be signed any more; empty when it can
	Previous string
	Next     string
	At, Of   int // its place among those waiting; 0: it is not among them
	Key      string
	KeyHere  bool // one button signs: the demo
	SignURL  string
	Return   string
	Reason   field
	Returns  bool   // the form to return it is open
	Bound    string // the certificate bound to the reader's account, in words
	Serial   string
	Ends     string
	NoBound  bool
	Refused  string // why the reader cannot sign it
	Prepare  string // leads to the second way, where the digest is shown
	Token    *tokenView
	Timeline []fact
}

func (h *desk) signPage(w http.ResponseWriter, r *http.Request) {
	h.showSign(w, r, filled{values: url.Values{}}, nil)
}

// showSign shows a paper to its competent person, with what a form on it carried.
func (h *desk) showSign(w http.ResponseWriter, r *http.Request, f filled, failed error) {
	p := h.page(r, "desk.sign.one")
	x, err := h.paperOf(r, p.Lang)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	actor := h.Actor(r)
	events, err := h.Evidence.Timeline(r.Context(), actor, x.ID)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	path := "/sign/" + string(x.ID)
	p.Where = "sign"
	p.at(h.Prefix + path)
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
	}
	v := signView{paperOf: x, Key: f.V("key"), SignURL: p.U(path + "/key"), Return: p.U(path + "/return"), Timeline: h.timeline(r.Context(), p.Lang, events),
		Reason: must(fields{p.Lang, "return", f}.area("reason", 3)), Returns: f.values.Has("reason"), Prepare: p.U(path + "?prepare=1")}
	if v.Key == "" {
		v.Key = rand.Text()
	}
	if i := x.Issuance; i.Signing.Done() || i.Issued.Done() {
		v.State = stageWord(p.Lang, i)
	}
	if err := h.beside(r, p, &v); err != nil {
		h.fail(w, r, err)
		return
	}
	v.Paper = h.images.paper(r.Context(), &p, x.source(), x.File, h.Prefix+path+"/pages/")
	if v.State == "" {
		h.waysToSign(r, p, f, &v, path)
	}
	p.Data = v
	status := http.StatusOK
	if p.Err != nil {
		status = p.Err.status
	}
	h.show(w, status, "sign", p)
}

// beside finds the papers before and after v among those waiting.
func (h *desk) beside(r *http.Request, p page, v *signView) error {
	rows, err := h.waitingFor(r, p)
	if err != nil {
		return err
	}
	v.Of = len(rows)
	at := slices.IndexFunc(rows, func(x signRow) bool { return x.id == v.ID })
	v.At = at + 1
	if at > 0 {
		v.Previous = rows[at-1].URL
	}
	if at+1 < len(rows) {
		v.Next = rows[at+1].URL
	}
	return nil
}

// waysToSign fills in how the reader can sign: with the key held here, or with one
// of their own; or why not.
func (h *desk) waysToSign(r *http.Request, p page, f filled, v *signView, path string) {
	refuse := func(err error) { v.Refused = h.errView(p.Lang, err).Message }
	person, err := h.signatory(r)
	if err != nil {
		refuse(err)
		return
	}
	v.KeyHere = person.Key != ""
	bound, err := certs.ParseCertificate(person.Certificate)
	if err == nil {
		v.Bound, v.Serial, v.Ends = bound.CommonName, strings.ToUpper(bound.Serial.Text(16)), vnDate(bound.NotAfter)
	}
	if v.NoBound = err != nil; v.KeyHere || v.NoBound {
		return
	}
	file := p.U(path + "/file")
	v.Token = &tokenView{File: file, Upload: p.U(path + "/upload"), UploadKey: rand.Text(), UploadFor: must(fields{p.Lang, "signed", f}.make("file", "file"))}
	v.Token.UploadFor.Label, v.Token.UploadFor.Help = p.say("desk.token.signed"), p.say("desk.token.signed.help")
	if p.query.Get("prepare") == "" && f.V("form") == "" {
		return
	}
	s, err := h.preparedPerson(r, person)
	if err != nil {
		refuse(err)
		return
	}
	v.Token = h.tokenView(p, f, s, file, path)
}

// signatory is the reader as a competent person of the office.
func (h *desk) signatory(r *http.Request) (exchange.Signatory, error) {
	office, err := h.Outbox.Offices.Office(r.Context(), h.Actor(r).Agency)
	if err != nil {
		return exchange.Signatory{}, err
	}
	return office.Signatory(h.Actor(r).ID)
}

// preparedPerson prepares the reader's signature by the certificate bound to the account.
func (h *desk) preparedPerson(r *http.Request, person exchange.Signatory) (exchange.Signing, error) {
	bound, err := certs.ParseCertificate(person.Certificate)
	if err != nil {
		return exchange.Signing{}, text.Detailed(text.CertificateMismatch, err, "desk.sign.nobound")
	}
	return h.Outbox.Press.Prepare(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), exchange.SigningPerson, []*certs.Certificate{bound})
}

func (h *desk) personSigning(r *http.Request) (exchange.Signing, error) {
	person, err := h.signatory(r)
	if err != nil {
		return exchange.Signing{}, err
	}
	return h.preparedPerson(r, person)
}

func (h *desk) personState(w http.ResponseWriter, r *http.Request) {
	s, err := h.personSigning(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	sendState(w, r, s)
}

// signWithKey signs with the key that the gateway holds for the reader.
func (h *desk) signWithKey(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = twice(f.key(), func() error { return h.Outbox.Press.Sign(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id"))) })
	}
	h.signed(w, r, f, err)
}

// returnPaper gives a draft back with the reason.
func (h *desk) returnPaper(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = h.forms.do(h.onceOf(r, f), func() error {
			return h.Outbox.Press.Return(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), f.trimmed("reason"))
		})
	}
	h.signed(w, r, f, err)
}

func (h *desk) completePerson(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = h.complete(r, func() (exchange.Signing, error) { return h.personSigning(r) }, f)
	}
	h.signed(w, r, f, err)
}

func (h *desk) uploadPerson(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = h.withFile(r, f, func(pdf io.Reader) error {
			return h.Outbox.Press.Upload(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), pdf)
		})
	}
	h.signed(w, r, f, err)
}

// signed goes on to the next paper that waits, else to the list.
func (h *desk) signed(w http.ResponseWriter, r *http.Request, f filled, err error) {
	if err != nil {
		if f.values == nil {
			f.values = url.Values{}
		}
		h.showSign(w, r, f, err)
		return
	}
	p := h.page(r, "desk.sign.title")
	to := p.U("/sign")
	if rows, err := h.waitingFor(r, p); err == nil && len(rows) > 0 {
		to = rows[0].URL
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
