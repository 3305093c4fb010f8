package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// apiKeyRow is an API key in the list.
type apiKeyRow struct {
	exchange.APIKey
	URL          string
	State, Class string
	Open         bool // can still be rotated and revoked
	Overlap      bool // its earlier secret still works
}

// apiKeysView is the page of the API keys.
type apiKeysView struct {
	Keys    []apiKeyRow
	Scopes  []choice
	Name    string
	Days    []choice
	Overlap []choice
	Wrong   map[string]string // what is wrong with the new key
	Bad     exchange.ID       // the key whose rotation was wrong
}

func (h *desk) apiKeys(w http.ResponseWriter, r *http.Request) { h.showAPIKeys(w, r, nil) }

func (h *desk) showAPIKeys(w http.ResponseWriter, r *http.Request, failed error) {
	all, err := h.Access.Keys(r.Context(), h.Actor(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "people.keys.title")
	p.Where = "keys"
	p.at(h.Prefix + "/api-keys")
	v := apiKeysView{Name: clip(r.PostFormValue("name"))}
	for _, s := range h.Access.Scopes {
		v.Scopes = append(v.Scopes, choice{Value: s, Label: scopeWords(p.Lang, s), Selected: slices.Contains(r.PostForm["scope"], s)})
	}
	for _, d := range []int{90, 180, 365} {
		v.Days = append(v.Days, choice{Value: strconv.Itoa(d), Label: p.say("people.key.days", d), Selected: d == 365})
	}
	for _, d := range []int{0, 1, 7, 30} {
		v.Overlap = append(v.Overlap, choice{Value: strconv.Itoa(d), Label: p.say("people.key.overlap", d), Selected: d == 7})
	}
	now := h.now()
	for _, k := range all {
		row := apiKeyRow{APIKey: k, URL: "/api-keys/" + string(k.ID), Open: k.RevokedAt.IsZero(), Overlap: k.RevokedAt.IsZero() && now.Before(k.OldUntil)}
		switch {
		case !k.RevokedAt.IsZero():
			row.State, row.Class = p.say("people.key.revoked"), "bad"
		case !k.InForce(now):
			row.State, row.Class = p.say("people.key.expired"), "bad"
		case k.ExpiresAt.Sub(now) < soonOver/4:
			row.State, row.Class = p.say("people.key.soon"), "warn"
		default:
			row.State, row.Class = p.say("people.key.inforce"), "ok"
		}
		v.Keys = append(v.Keys, row)
	}
	status := http.StatusOK
	if failed != nil {
		f := typed(r)
		p.Err = h.blame(p.Lang, &f, failed)
		status, v.Wrong, v.Bad = p.Err.status, f.wrong, exchange.ID(r.PathValue("id"))
		f.put("name", "name")
		f.put("days", "days")
		f.put("overlap", "overlap-"+string(v.Bad))
		if len(v.Scopes) > 0 {
			f.put("scope", "scope-0")
		}
	}
	p.Data = v
	h.show(w, status, "api-keys", p)
}

// scopeWords is what a scope lets a key do; empty for one that the catalogue does not
// know, which then stands by its name alone.
func scopeWords(lang text.Lang, scope string) string {
	k := text.Key("people.scope." + scope)
	if !text.Known(k) {
		return ""
	}
	return text.Get(k).In(lang)
}

// newKeyView shows a key's secret, once.
type newKeyView struct {
	Key    exchange.APIKey
	Secret string
	Try    string // an address of the API that the key opens; "" when none is safe to try
}

// harmless are calls that change nothing, by the scope they need.
var harmless = []struct{ scope, path string }{
	{"agencies:read", "/v1/agencies"}, {"documents:read", "/v1/documents"}, {"inbox:read", "/v1/inbox"}, {"results:read", "/v1/results"}, {"events:read", "/v1/events"},
}

func (h *desk) showKey(w http.ResponseWriter, r *http.Request, secret string, k exchange.APIKey) {
	p := h.page(r, "people.key.secret.title")
	p.Where = "keys"
	p.at(h.Prefix + "/api-keys")
	scheme := "https"
	if h.PlainCookies {
		scheme = "http"
	}
	v := newKeyView{Key: k, Secret: secret}
	for _, c := range harmless {
		if k.Has(c.scope) {
			v.Try = scheme + "://" + r.Host + h.Prefix + c.path
			break
		}
	}
	p.Data = v
	h.show(w, http.StatusOK, "api-key-secret", p)
}

func (h *desk) addAPIKey(w http.ResponseWriter, r *http.Request) {
	if err := form(r); err != nil {
		h.fail(w, r, err)
		return
	}
	n := exchange.NewAPIKey{Name: r.PostFormValue("name"), Scopes: r.PostForm["scope"]}
	days, err := days(r, "days")
	if err == nil && days == 0 {
		err = wrongField("days")
	}
	if err == nil {
		n.ExpiresAt = h.now().Add(days)
		var m made
		if m, err = h.secrets.do(h.formOf(r), h.now(), func() (m made, err error) {
			m.secret, m.key, err = h.Access.NewKey(r.Context(), h.Actor(r), n)
			return m, err
		}); err == nil {
			h.showKey(w, r, m.secret, m.key)
			return
		}
	}
	h.showAPIKeys(w, r, err)
}

// days is a number of days of a form.
func days(r *http.Request, field string) (time.Duration, error) {
	n, err := strconv.Atoi(r.PostFormValue(field))
	if err != nil || n < 0 || n > 366 {
		return 0, wrongField(field)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

func (h *desk) rotateAPIKey(w http.ResponseWriter, r *http.Request) {
	err := form(r)
	var overlap time.Duration
	if err == nil {
		overlap, err = days(r, "overlap")
	}
	if err != nil {
		h.showAPIKeys(w, r, err)
		return
	}
	m, err := h.secrets.do(h.formOf(r), h.now(), func() (m made, err error) {
		m.secret, m.key, err = h.Access.RotateKey(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), overlap)
		return m, err
	})
	if err != nil {
		h.showAPIKeys(w, r, err)
		return
	}
	h.showKey(w, r, m.secret, m.key)
}

func (h *desk) revokeAPIKey(w http.ResponseWriter, r *http.Request) {
	err := form(r)
	if err == nil {
		err = h.Access.RevokeKey(exchange.WithIdempotencyKey(r.Context(), formKey(r)), h.Actor(r), exchange.ID(r.PathValue("id")))
	}
	if err != nil {
		h.showAPIKeys(w, r, err)
		return
	}
	h.back(w, r, "/api-keys", "")
}
