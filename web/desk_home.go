package web

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// homeRoutes are the first page and what the operator looks after.
func (h *desk) homeRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/{$}", Handler: h.home},
		{Method: http.MethodGet, Path: "/home", Roles: operators, Handler: h.today},
		{Method: http.MethodGet, Path: "/search", Roles: watchers, Handler: h.search},
		{Method: http.MethodGet, Path: "/search/{id}", Roles: watchers, Handler: h.trace},
		{Method: http.MethodPost, Path: "/search/{id}/resume", Roles: watchers, Handler: h.resumeFor},
	}
}

// home is where each role's day begins: the first page of its navigation that has
// something to do.
func (h *desk) home(w http.ResponseWriter, r *http.Request) {
	role := h.Actor(r).Role
	to := "/results"
	for _, path := range []string{"/home", "/sign", "/inbox"} {
		if h.may(role, path) && (path != "/sign" || role == exchange.RoleLeader) {
			to = path
			break
		}
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang(h.Prefix+to, lang), http.StatusSeeOther)
}

// todo is one thing that the operator should see to.
type todo struct {
	Class string // bad, warn or none: the colour of its edge
	What  string
	Since string
	Fix   string
	Link  string // where it is seen to; empty when that is not a page
	Do    string // what the link says
	harm  int
}

type todayView struct {
	Todo  []todo // in order of harm
	Good  []todo // probes that found nothing
	Asked string // when the probes looked
}

// today is the operator's list of things to do, the most harmful first: not a wall
// of lights, since what is in order needs nobody.
func (h *desk) today(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "web.home.title")
	p.Where = "home"
	v := todayView{Asked: vnTime(h.Now())}
	tasks, err := h.tasks(r.Context(), p, h.Actor(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	own, err := h.certificateTasks(r.Context(), p, h.Actor(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v.Todo = append(tasks, own...)
	if h.Probes != nil {
		for _, probe := range h.Probes(r.Context()) {
			t := todo{Class: "valid", What: probe.Name.In(p.Lang), Since: probe.Detail.In(p.Lang), Fix: probe.Fix.In(p.Lang), harm: probe.Harm}
			if probe.OK {
				v.Good = append(v.Good, t)
				continue
			}
			t.Class = harmClass(probe.Harm)
			v.Todo = append(v.Todo, t)
		}
	}
	slices.SortStableFunc(v.Todo, func(a, b todo) int { return b.harm - a.harm })
	p.again(60) // nothing here changes by the second
	p.Data = v
	h.show(w, http.StatusOK, "today", p)
}

// harmClass is the colour of a harm.
func harmClass(harm int) string {
	switch {
	case harm >= 3:
		return "bad"
	case harm == 2:
		return "warn"
	}
	return "none"
}

// tasks are what the rows of the gateway say needs someone.
func (h *desk) tasks(ctx context.Context, p page, actor exchange.Actor) ([]todo, error) {
	tasks := exchange.Tasks{Store: h.Outbox.Store, Directory: h.Outbox.Directory, Now: h.Now}
	list, err := tasks.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	var out []todo
	for _, x := range list { // they come in order; the harm only sorts them among the probes
		t := todo{What: x.What.In(p.Lang), Fix: x.Fix.In(p.Lang), harm: taskHarm(x.Kind)}
		t.Class = harmClass(t.harm)
		switch x.Kind { //nolint:exhaustive // the others have no page of their own
		case exchange.TaskLocked:
			t.Link, t.Do = p.U("/accounts"), p.say("web.home.open.accounts")
		case exchange.TaskKeyExpiring:
			t.Link, t.Do = p.U("/api-keys"), p.say("web.home.open.keys")
		case exchange.TaskLaneHalted, exchange.TaskLaneDown, exchange.TaskQuarantined, exchange.TaskUnknown:
			if t.Link, t.Do = p.U("/lanes"), p.say("lanes.title"); x.Peer != "" {
				t.Link, t.Do = p.U("/lanes/"+url.PathEscape(string(x.Peer))), p.say("lanes.one", h.nameOf(ctx, x.Peer))
			}
		}
		if !x.Since.IsZero() {
			t.Since = p.say("web.home.since", vnTime(x.Since))
		}
		out = append(out, t)
	}
	return out, nil
}

// taskHarm is how much harm a task does among the probes: 3 stops something now.
func taskHarm(k exchange.TaskKind) int {
	switch k {
	case exchange.TaskLaneHalted, exchange.TaskQuarantined, exchange.TaskUnknown, exchange.TaskLaneDown:
		return 3
	case exchange.TaskDamaged, exchange.TaskManual, exchange.TaskLocked, exchange.TaskKeyExpiring, exchange.TaskHandover:
	}
	return 2
}

// certificateNotice is how long before its end a leader's certificate is mentioned:
// a new one takes weeks to order.
const certificateNotice = 30 * 24 * time.Hour

// certificateTasks are the leaders who cannot sign, or soon cannot.
func (h *desk) certificateTasks(ctx context.Context, p page, actor exchange.Actor) ([]todo, error) {
	accounts, err := h.Access.Accounts(ctx, actor)
	if err != nil {
		return nil, err
	}
	var out []todo
	for _, a := range accounts {
		if a.Disabled || a.Role != exchange.RoleLeader || a.Key != "" { // with a key of the demo
			continue
		}
		if harm, what, args := certificateTask(a, h.Now()); harm > 0 {
			out = append(out, todo{Class: harmClass(harm), harm: harm, What: p.say(what, args...),
				Link: p.U("/accounts/" + string(a.ID)), Do: p.say("web.home.open.account")})
		}
	}
	return out, nil
}

// certificateTask is what to say of a leader's certificate; harm 0 says nothing.
func certificateTask(a exchange.Account, now time.Time) (harm int, what text.Key, args []any) {
	if a.Certificate == nil {
		return 2, "web.home.nocertificate", []any{a.Name}
	}
	c, err := x509.ParseCertificate(a.Certificate)
	switch {
	case err != nil: // bound in a form that only our own code reads: nothing to warn of
		return 0, "", nil
	case now.After(c.NotAfter):
		return 3, "web.home.certificate.over", []any{a.Name, vnDate(c.NotAfter)}
	case c.NotAfter.Sub(now) < certificateNotice:
		return 2, "web.home.certificate.soon", []any{a.Name, vnDate(c.NotAfter)}
	}
	return 0, "", nil
}
