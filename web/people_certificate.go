package web

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// certificateView is a certificate as an operator compares it with the token.
type certificateView struct {
	Details []detail
	Until   string
	Class   string
	Warning string // it is over, or not begun
}

// viewCertificate describes DER; nil for none, or none that can be read.
func viewCertificate(p page, der []byte, now time.Time) *certificateView {
	if len(der) == 0 {
		return nil
	}
	f, err := exchange.ReadFacts(der)
	if err != nil {
		return nil
	}
	v := &certificateView{Until: p.say("people.certificate.until", vnDate(f.NotAfter)), Class: "ok", Details: []detail{
		{p.say("web.detail.subject"), f.Subject}, {p.say("people.certificate.issuer"), f.Issuer},
		{p.say("web.detail.serial"), f.Serial}, {p.say("web.detail.validity"), vnTime(f.NotBefore) + " – " + vnTime(f.NotAfter)},
		{"SHA-256", f.SHA256},
	}}
	switch {
	case now.After(f.NotAfter):
		v.Class, v.Warning = "bad", p.say("people.certificate.expired")
	case now.Before(f.NotBefore):
		v.Class, v.Warning = "warn", p.say("people.certificate.early")
	case f.NotAfter.Sub(now) < soonOver:
		v.Class, v.Warning = "warn", p.say("people.certificate.soon")
	}
	return v
}

// soonOver is how long before its end a certificate is pointed at: a new one takes
// the authorities some weeks.
const soonOver = 60 * 24 * time.Hour

func encodeDER(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

// showCertificate reads the uploaded file and shows what is in it; nothing is bound yet.
func (h *desk) showCertificate(w http.ResponseWriter, r *http.Request) {
	u, err := readUpload(w, r)
	if err == nil && len(u.data) == 0 {
		err = atField("file", text.Detailed(text.InvalidInput, nil, "people.certificate.choose"))
	}
	if err != nil {
		h.showAccount(w, r, err, nil)
		return
	}
	leaf, err := exchange.ReadLeaf(u.data)
	if err == nil {
		err = h.Access.CheckLeaf(leaf)
	}
	if err != nil {
		h.showAccount(w, r, err, nil)
		return
	}
	h.showAccount(w, r, nil, leaf.Raw)
}

// bindCertificate binds what showCertificate showed, or takes the bound one away.
func (h *desk) bindCertificate(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		err = oneOf("remove", r.PostFormValue("remove"), "", "yes")
	}
	if err == nil {
		der, bad := base64.StdEncoding.DecodeString(r.PostFormValue("der"))
		if remove := r.PostFormValue("remove") == "yes"; bad != nil || remove != (len(der) == 0) {
			err = text.Detailed(text.InvalidInput, bad, "access.certificate-file")
		} else {
			err = h.Access.BindCertificate(exchange.WithIdempotencyKey(r.Context(), formKey(r)), h.Actor(r), id, der)
		}
	}
	h.accountDone(w, r, id, err)
}

// peerView is an agency of the directory.
type peerView struct {
	Code, Name, Endpoint string
	Seals                []certificateView
	Keys                 []keyView
	Certificates         int // pinned for the connection
}

// keyView is a transport key with its dates.
type keyView struct {
	State, Class string
	From, Until  time.Time
}

func (h *desk) peers(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "people.peers.title")
	p.Where = "peers"
	all, err := h.Outbox.Directory.Agencies(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	var out []peerView
	for _, a := range all {
		if a.Code == h.Office.Agency.Code {
			continue
		}
		v := peerView{Code: string(a.Code), Name: a.Name, Endpoint: a.Endpoint, Certificates: len(a.TLS)}
		for _, der := range a.Seals {
			if c := viewCertificate(p, der, h.now()); c != nil {
				v.Seals = append(v.Seals, *c)
			}
		}
		for _, k := range a.Keys {
			v.Keys = append(v.Keys, viewKey(p, k, h.now()))
		}
		out = append(out, v)
	}
	p.Data = out
	h.show(w, http.StatusOK, "peers", p)
}

func viewKey(p page, k exchange.GatewayKey, now time.Time) keyView {
	v := keyView{From: k.NotBefore, Until: k.NotAfter, State: p.say("people.key.inforce"), Class: "ok"}
	switch {
	case k.Compromised:
		v.State, v.Class = p.say("people.key.compromised"), "bad"
	case !k.NotAfter.IsZero() && now.After(k.NotAfter):
		v.State, v.Class = p.say("people.key.over"), "none"
	case now.Before(k.NotBefore):
		v.State, v.Class = p.say("people.key.early"), "none"
	}
	return v
}

// accountTimeline is what happened to an account, in words.
func (h *desk) accountTimeline(p page, events []exchange.Event) []fact {
	var out []fact
	for _, e := range events {
		by := e.By.Name
		if e.By.ID == string(e.Subject) || e.By.Role == exchange.RoleSystem {
			by = ""
		}
		if addr := e.Data["address"]; addr != "" {
			by = strings.TrimSpace(by + " " + p.say("people.from", addr))
		}
		out = append(out, fact{At: e.At, What: e.Message().In(p.Lang), By: by, Alarm: e.Kind == exchange.EventAccountLocked})
	}
	return out
}

// maxAccountEvents bounds what the page of an account shows of its history.
const maxAccountEvents = 50

// newestFirst turns a history round and keeps its newest entries.
func newestFirst(in []fact) []fact {
	slices.Reverse(in)
	return in[:min(len(in), maxAccountEvents)]
}
