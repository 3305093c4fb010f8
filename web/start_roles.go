package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// startCookie holds the start page's own session: one of A's Access, under a name of
// its own, since the agencies' cookies stay on the agencies' pages.
const startCookie = "antin_start"

// startRoles are the roles of each agency that a visitor of the demo may take, as the
// demo's accounts have them.
func startRoles(d *Desk) []exchange.Role {
	roles := []exchange.Role{exchange.RoleClerk}
	if len(d.Office.Signatories) > 0 {
		roles = append(roles, exchange.RoleLeader)
	}
	return append(roles, exchange.RoleOfficer, exchange.RoleOperator)
}

// DemoRoles are the role switches of d's pages, for Desk.Demo: addresses of the
// start page to post to.
func DemoRoles(d *Desk) []Link {
	var out []Link
	for _, role := range startRoles(d) {
		q := url.Values{"agency": {string(d.Office.Agency.Code)}, "role": {string(role)}}
		out = append(out, Link{Name: string(role), // in words when shown
			URL: "/start/role?" + q.Encode()})
	}
	return out
}

// known lets in who came by a ticket.
func (h *start) known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(startCookie)
		if err == nil {
			_, err = h.A.Access.Session(r.Context(), c.Value)
		} else {
			err = text.Errorf(text.SessionExpired, nil)
		}
		if err != nil {
			if text.CodeOf(err) == text.SessionExpired {
				err = text.Detailed(text.SessionExpired, err, "web.start.closed")
			}
			h.fail(w, r, err)
			return
		}
		if r.Method == http.MethodPost {
			if err := checkForm(r, r.URL.Path == "/start/prepare"); err != nil {
				h.fail(w, r, err)
				return
			}
		}
		next(w, r)
	}
}

// enter redeems the ticket of the printed link and opens both desks as their văn thư.
func (h *start) enter(w http.ResponseWriter, r *http.Request) {
	token, _, err := h.A.Access.Redeem(r.Context(), h.A.Office.Agency.Code, r.URL.Query().Get("ticket"), remote(r).String())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: startCookie, Value: token, Path: "/", HttpOnly: true, Secure: !h.A.PlainCookies, //nolint:gosec // the demo stays on loopback
		SameSite: http.SameSiteStrictMode})
	for _, d := range []*Desk{h.A, h.B} {
		if err := h.open(w, r, d); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang("/", lang), http.StatusSeeOther)
}

// open opens d's pages as its văn thư, so that the cards' links lead somewhere.
func (h *start) open(w http.ResponseWriter, r *http.Request, d *Desk) error {
	address, err := h.Enter(r.Context(), d.Office.Agency.Code, exchange.RoleClerk)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	token, s, err := d.Access.Redeem(r.Context(), d.Office.Agency.Code, u.Query().Get("ticket"), remote(r).String())
	if err != nil {
		return err
	}
	(&desk{Desk: *d}).setCookie(w, token, s)
	return nil
}

// takeRole opens an agency's pages in the role asked for.
func (h *start) takeRole(w http.ResponseWriter, r *http.Request) {
	agency, role := exchange.AgencyCode(r.FormValue("agency")), exchange.Role(r.FormValue("role"))
	err := h.offers(agency, role)
	address := ""
	if err == nil {
		key := ""
		if k := r.PostFormValue("key"); k != "" {
			key = string(agency) + " " + string(role) + " " + k
		}
		var m made
		m, err = h.roleDoors.again(key, h.now(), func() (m made, err error) {
			m.secret, err = h.Enter(r.Context(), agency, role)
			return m, err
		})
		address = m.secret
	}
	if err != nil {
		h.cards(w, r, err)
		return
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang(address, lang), http.StatusSeeOther)
}

// offers refuses what no button of the page asks for.
func (h *start) offers(agency exchange.AgencyCode, role exchange.Role) error {
	for _, d := range []*Desk{h.A, h.B} {
		if d.Office.Agency.Code != agency {
			continue
		}
		if !slices.Contains(startRoles(d), role) {
			return wrongField("role")
		}
		return nil
	}
	return wrongField("agency")
}

// thumbnail is the small picture of the first page of one of A's documents.
func (h *start) thumbnail(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("id"), ".png")
	if !ok {
		http.NotFound(w, r)
		return
	}
	actor := h.actorA()
	d, err := h.A.Outbox.Document(r.Context(), actor, exchange.ID(id))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	desk := &desk{Desk: *h.A}
	r.SetPathValue("page", "1.png")
	h.images.servePage(w, r, desk.documentSource(actor, d.Document))
}

// actorA reads A's side for the cards; it performs no act.
func (h *start) actorA() exchange.Actor { return exchange.System(h.A.Office.Agency.Code) }

// actorB reads B's side for the cards; it performs no act.
func (h *start) actorB() exchange.Actor { return exchange.System(h.B.Office.Agency.Code) }
