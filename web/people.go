package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// peopleRoutes are the operator's pages: accounts, API keys, peers.
func (h *desk) peopleRoutes() []route {
	get, post := http.MethodGet, http.MethodPost
	return []route{
		{Method: get, Path: "/accounts", Roles: operators, Handler: h.accounts},
		{Method: get, Path: "/accounts/new", Roles: operators, Handler: h.newAccount},
		{Method: post, Path: "/accounts", Roles: operators, Handler: h.addAccount},
		{Method: get, Path: "/accounts/{id}", Roles: operators, Handler: h.account},
		{Method: post, Path: "/accounts/{id}", Roles: operators, Handler: h.editAccount},
		{Method: post, Path: "/accounts/{id}/password", Roles: operators, Handler: h.resetPassword},
		{Method: post, Path: "/accounts/{id}/disabled", Roles: operators, Handler: h.setDisabled},
		{Method: post, Path: "/accounts/{id}/certificate", Roles: operators, Upload: true, Handler: h.showCertificate},
		{Method: post, Path: "/accounts/{id}/certificate/bind", Roles: operators, Handler: h.bindCertificate},
		{Method: get, Path: "/api-keys", Roles: operators, Handler: h.apiKeys},
		{Method: post, Path: "/api-keys", Roles: operators, Handler: h.addAPIKey},
		{Method: post, Path: "/api-keys/{id}/rotate", Roles: operators, Handler: h.rotateAPIKey},
		{Method: post, Path: "/api-keys/{id}/revoke", Roles: operators, Handler: h.revokeAPIKey},
		{Method: get, Path: "/peers", Roles: operators, Handler: h.peers},
	}
}

// choice is an entry of a list to choose from.
type choice struct {
	Value    string
	Label    string
	Selected bool
}

// accountRow is an account in the list.
type accountRow struct {
	URL, Login, Name, Role, Position string
	State, Class                     string
	Certificate                      string // what is to be known about it, for a lãnh đạo
	LastLogin                        time.Time
}

func (h *desk) accounts(w http.ResponseWriter, r *http.Request) {
	all, err := h.Access.Accounts(r.Context(), h.Actor(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "people.accounts.title")
	p.Where = "people"
	rows := make([]accountRow, len(all))
	for i, a := range all {
		rows[i] = accountRow{URL: p.U("/accounts/" + url.PathEscape(string(a.ID))), Login: a.Login, Name: a.Name,
			Role: p.say(text.Key("role." + string(a.Role))), Position: a.Position, LastLogin: a.LastLogin}
		rows[i].State, rows[i].Class = h.accountState(p, a)
		if a.Role == exchange.RoleLeader {
			rows[i].Certificate = p.say("people.certificate.none")
			if v := viewCertificate(p, a.Certificate, h.now()); v != nil {
				rows[i].Certificate = v.Until
			}
		}
	}
	p.Data = rows
	h.show(w, http.StatusOK, "accounts", p)
}

// accountState is whether an account can be used, in words.
func (h *desk) accountState(p page, a exchange.Account) (state, class string) {
	switch {
	case a.Disabled:
		return p.say("people.state.disabled"), "bad"
	case h.now().Before(a.LockedUntil):
		return p.say("people.state.locked", vnTime(a.LockedUntil)), "warn"
	case a.MustChange:
		return p.say("people.state.must"), "warn"
	}
	return p.say("people.state.good"), "ok"
}

// accountForm is what an operator writes about an account.
type accountForm struct {
	Login, Name, Position, Competence string
	Roles                             []choice
	Wrong                             map[string]string // what is wrong with fields, by their names
}

// written is the form of an account as it came in, with what f says is wrong.
func (p page) written(f filled) accountForm {
	for _, name := range []string{"login", "name", "role", "position", "competence"} {
		f.put(name, name)
	}
	return accountForm{Login: clip(f.V("login")), Name: clip(f.V("name")), Position: clip(f.V("position")), Competence: clip(f.V("competence")),
		Roles: p.roles(f.V("role")), Wrong: f.wrong}
}

func (p page) roles(selected string) []choice {
	var out []choice
	for _, r := range exchange.AccountRoles() {
		out = append(out, choice{Value: string(r), Label: p.say(text.Key("role." + string(r))), Selected: string(r) == selected})
	}
	return out
}

func (h *desk) newAccount(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "people.add.title")
	p.Where, p.Data = "people", accountForm{Roles: p.roles(string(exchange.RoleClerk))}
	h.show(w, http.StatusOK, "account-new", p)
}

// secretView shows a password or key that is kept nowhere.
type secretView struct {
	Account exchange.Account
	Secret  string
	Back    string
}

func (h *desk) addAccount(w http.ResponseWriter, r *http.Request) {
	if err := form(r); err != nil {
		h.fail(w, r, err)
		return
	}
	v := func(name string) string { return r.PostFormValue(name) }
	m, err := h.secrets.do(h.formOf(r), h.now(), func() (m made, err error) {
		m.account, m.secret, err = h.Access.AddAccount(r.Context(), h.Actor(r), exchange.NewAccount{Login: v("login"), Name: v("name"),
			Role: exchange.Role(v("role")), Position: v("position"), Competence: v("competence")})
		return m, err
	})
	if err != nil {
		p := h.page(r, "people.add.title")
		p.Where = "people"
		p.at(h.Prefix + "/accounts/new")
		f := typed(r)
		p.Err = h.blame(p.Lang, &f, err)
		p.Data = p.written(f)
		h.show(w, p.Err.status, "account-new", p)
		return
	}
	h.showPassword(w, r, m.account, m.secret)
}

// errShown says that a secret was shown and is gone.
var errShown = text.Detailed(text.StateConflict, nil, "people.secret.shown")

// formOf is onceOf of a form without a file.
func (h *desk) formOf(r *http.Request) string {
	if formKey(r) == "" { // which parses the form
		return ""
	}
	return h.onceOf(r, typed(r))
}

// showPassword is the only page that ever shows it.
func (h *desk) showPassword(w http.ResponseWriter, r *http.Request, acc exchange.Account, password string) {
	p := h.page(r, "people.secret.title")
	p.Where = "people"
	back := "/accounts/" + url.PathEscape(string(acc.ID))
	p.at(h.Prefix + back)
	p.Data = secretView{Account: acc, Secret: password, Back: p.U(back)}
	h.show(w, http.StatusOK, "account-password", p)
}

// accountView is the page of one account.
type accountView struct {
	Account     exchange.Account
	Form        accountForm
	URL         string
	Role        string
	State       string
	Class       string
	Self        bool
	Leader      bool
	Certificate *certificateView  // bound
	Offered     *certificateView  // read from the file just uploaded, to be confirmed
	DER         string            // of Offered, in base64
	Wrong       map[string]string // what is wrong with the file of a certificate
	Timeline    []fact
}

func (h *desk) account(w http.ResponseWriter, r *http.Request) {
	h.showAccount(w, r, nil, nil)
}

// showAccount is the page of the account that r names, with an error of a form on it
// beside what was typed, or a certificate to be confirmed.
func (h *desk) showAccount(w http.ResponseWriter, r *http.Request, failed error, offered []byte) {
	id := exchange.ID(r.PathValue("id"))
	acc, err := h.Access.Account(r.Context(), h.Actor(r), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "people.account.title", acc.Name)
	p.Where = "people"
	url := "/accounts/" + url.PathEscape(string(id))
	p.at(h.Prefix + url)
	v := accountView{Account: acc, URL: url, Role: p.say(text.Key("role." + string(acc.Role))), Self: string(acc.ID) == h.Actor(r).ID,
		Form:   accountForm{Login: acc.Login, Name: acc.Name, Position: acc.Position, Competence: acc.Competence, Roles: p.roles(string(acc.Role))},
		Leader: acc.Role == exchange.RoleLeader, Certificate: viewCertificate(p, acc.Certificate, h.now())}
	v.State, v.Class = h.accountState(p, acc)
	if v.Offered = viewCertificate(p, offered, h.now()); v.Offered != nil {
		v.DER = encodeDER(offered)
	}
	if events, err := h.Evidence.Timeline(r.Context(), h.Actor(r), id); err == nil {
		v.Timeline = newestFirst(h.accountTimeline(p, events))
	}
	status := http.StatusOK
	if failed != nil {
		f := typed(r)
		p.Err = h.blame(p.Lang, &f, failed)
		status, v.Wrong = p.Err.status, f.wrong
		f.put("file", "file")
		if f.values.Has("name") && p.Err.status != http.StatusPreconditionFailed { // else somebody changed it meanwhile, which must be seen
			v.Form = p.written(f)
		}
	}
	p.Data = v
	h.show(w, status, "account", p)
}

func (h *desk) editAccount(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		var version int
		if version, err = strconv.Atoi(r.PostFormValue("version")); err != nil || version < 1 {
			h.accountDone(w, r, id, wrongField("version"))
			return
		}
		err = h.forms.do(h.formOf(r), func() error {
			_, err := h.Access.EditAccount(r.Context(), h.Actor(r), id, exchange.EditAccount{Version: version, Name: r.PostFormValue("name"),
				Role: exchange.Role(r.PostFormValue("role")), Position: r.PostFormValue("position"), Competence: r.PostFormValue("competence")})
			return err
		})
	}
	h.accountDone(w, r, id, err)
}

// accountDone shows the account's page again, with what went wrong, if anything.
func (h *desk) accountDone(w http.ResponseWriter, r *http.Request, id exchange.ID, err error) {
	if err != nil {
		h.showAccount(w, r, err, nil)
		return
	}
	h.back(w, r, "/accounts/", id)
}

func (h *desk) resetPassword(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	if string(id) == h.Actor(r).ID { // one's own is changed with the old one, not reset
		h.showAccount(w, r, text.Detailed(text.StateConflict, nil, "people.reset.self"), nil)
		return
	}
	if err := form(r); err != nil {
		h.fail(w, r, err)
		return
	}
	m, err := h.secrets.do(h.formOf(r), h.now(), func() (m made, err error) {
		if m.secret, err = h.Access.ResetPassword(r.Context(), h.Actor(r), id, ""); err != nil {
			return m, err
		}
		m.account, err = h.Access.Account(r.Context(), h.Actor(r), id)
		return m, err
	})
	if err != nil {
		h.showAccount(w, r, err, nil)
		return
	}
	h.showPassword(w, r, m.account, m.secret)
}

func (h *desk) setDisabled(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		err = oneOf("disabled", r.PostFormValue("disabled"), "yes", "no")
	}
	if err == nil {
		err = h.Access.SetDisabled(exchange.WithIdempotencyKey(r.Context(), formKey(r)), h.Actor(r), id, r.PostFormValue("disabled") == "yes")
	}
	h.accountDone(w, r, id, err)
}
