package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// watchers look after what leaves the agency.
var watchers = []exchange.Role{exchange.RoleOperator, exchange.RoleClerk}

// laneRoutes are the ways to other agencies and the deliveries on them.
func (h *desk) laneRoutes() []route {
	get, post := http.MethodGet, http.MethodPost
	return []route{
		{Method: get, Path: "/lanes", Roles: watchers, Handler: h.lanes},
		{Method: get, Path: "/lanes/{to}", Roles: watchers, Handler: h.lane},
		{Method: post, Path: "/lanes/{to}/hold", Roles: watchers, Handler: h.holdLane},
		{Method: post, Path: "/lanes/{to}/release", Roles: watchers, Handler: h.releaseLane},
		{Method: get, Path: "/deliveries/{id}", Roles: watchers, Handler: h.delivery},
		{Method: post, Path: "/deliveries/{id}/hold", Roles: watchers, Handler: h.deliveryAct(exchange.SignalHeld)},
		{Method: post, Path: "/deliveries/{id}/quarantine", Roles: watchers, Handler: h.deliveryAct(exchange.SignalExhausted)},
		{Method: post, Path: "/deliveries/{id}/resume", Roles: watchers, Handler: h.deliveryAct(exchange.SignalResumed)},
	}
}

// laneRow is the way to one agency in the list.
type laneRow struct {
	Name, Code, URL              string
	State, Class                 string // in a word
	Waiting                      int
	Age                          string // of the oldest that waits
	Oldest                       time.Time
	Held, Quarantined, Unknown   int
	Failures                     int
	FailedAt, RetryAt, StoppedAt time.Time
	Error                        string // the last failure
	StoppedBy, StoppedWhy        string
	harm                         int
}

type lanesView struct {
	Rows  []laneRow
	Empty string
}

// lanes lists every way on which something waits or stands still, what needs somebody
// first.
func (h *desk) lanes(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "lanes.title")
	p.Where = "lanes"
	all, err := h.Outbox.Lanes(r.Context(), h.Actor(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v := lanesView{Empty: p.say("lanes.empty")}
	for _, l := range all {
		v.Rows = append(v.Rows, h.laneRow(p, l))
	}
	slices.SortStableFunc(v.Rows, func(a, b laneRow) int {
		switch {
		case a.harm != b.harm:
			return b.harm - a.harm
		case a.Oldest.IsZero() != b.Oldest.IsZero():
			if a.Oldest.IsZero() {
				return 1
			}
			return -1
		}
		return a.Oldest.Compare(b.Oldest)
	})
	p.again(later)
	p.Data = v
	h.show(w, http.StatusOK, "lanes", p)
}

func (h *desk) laneRow(p page, l exchange.LaneView) laneRow {
	s := l.State
	row := laneRow{Name: l.Name, Code: string(l.To), URL: p.U("/lanes/" + url.PathEscape(string(l.To))), Waiting: l.Waiting, Oldest: l.Oldest,
		Held: l.Held, Quarantined: l.Quarantined, Unknown: l.Unknown, Failures: s.Failures, FailedAt: s.FailedAt, RetryAt: s.RetryAt, Error: s.Note.Message.In(p.Lang)}
	if !l.Oldest.IsZero() {
		row.Age = ageIn(p, h.now().Sub(l.Oldest))
	}
	word := text.Key("lanes.state.open")
	row.Class = "ok"
	switch {
	case s.Held.Done():
		word, row.Class, row.harm = "lanes.state.held", "warn", 2
		row.StoppedAt, row.StoppedBy, row.StoppedWhy = s.Held.At, s.Held.By.Name, s.HeldWhy
	case s.Halted:
		word, row.Class, row.harm = "lanes.state.halted", "bad", 4
	case s.Failures > 0:
		word, row.Class, row.harm = "lanes.state.failing", "bad", 3
	case l.Quarantined+l.Unknown > 0:
		word, row.Class, row.harm = "lanes.state.stuck", "warn", 2
	case l.Waiting > 0:
		word, row.Class, row.harm = "lanes.state.waiting", "wait", 1
	}
	row.State = p.say(word)
	return row
}

// ageIn is how long something waits, in words.
func ageIn(p page, d time.Duration) string {
	minutes := int(max(d, 0) / time.Minute)
	switch {
	case minutes >= 24*60:
		return p.say("lanes.age.days", minutes/(24*60), minutes/60%24)
	case minutes >= 60:
		return p.say("lanes.age.hours", minutes/60, minutes%60)
	case minutes >= 1:
		return p.say("lanes.age.minutes", minutes)
	}
	return p.say("lanes.age.now")
}

// laneStates are the states whose deliveries the page of a lane lists, as its tabs.
var laneStates = []exchange.DeliveryState{exchange.DeliveryReady, exchange.DeliveryHeld, exchange.DeliveryQuarantined, exchange.DeliveryUnknownExpired,
	exchange.DeliveryDelivered, exchange.DeliveryDeliveredLate, exchange.DeliveryRefused, exchange.DeliveryNonDelivered}

type laneView struct {
	laneRow
	Tabs     []tab
	Rows     []laneDelivery
	Next     string
	Hold     string // where it is stopped; empty while it is
	HoldOpen bool
	Release  string // where it is let go, or its peer is tried at once; empty when there is nothing to
	Reason   field
	Key      string
	Timeline []fact
}

// laneDelivery is a delivery in the list of its lane.
type laneDelivery struct {
	URL, Transfer, Kind, Note string
	Attempts                  int
	At, EndedAt               time.Time
}

func (h *desk) lane(w http.ResponseWriter, r *http.Request) {
	h.showLane(w, r, filled{values: url.Values{}}, nil)
}

func (h *desk) showLane(w http.ResponseWriter, r *http.Request, f filled, failed error) {
	ctx, actor, to := r.Context(), h.Actor(r), exchange.AgencyCode(r.PathValue("to"))
	if !to.Valid() {
		h.fail(w, r, text.Errorf(text.NotFound, nil))
		return
	}
	l, err := h.Outbox.WayTo(ctx, actor, to)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "lanes.one", l.Name)
	path := "/lanes/" + url.PathEscape(string(to))
	p.at(h.Prefix + path)
	p.Where = "lanes"
	status := http.StatusOK
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
		status = p.Err.status
	}
	v := laneView{laneRow: h.laneRow(p, l), Key: rand.Text(), HoldOpen: f.values.Has("reason")}
	if l.State.Held.Done() || l.State.Failures > 0 || l.State.Halted {
		v.Release = p.U(path + "/release")
	}
	if !l.State.Held.Done() {
		v.Hold, v.Reason = p.U(path+"/hold"), must(fields{p.Lang, "hold", f}.area("reason", 2))
	}
	if err := h.laneList(ctx, p, actor, to, path, &v); err != nil {
		h.fail(w, r, err)
		return
	}
	if events, err := h.Evidence.Timeline(ctx, actor, l.State.Lane.ID()); err == nil {
		v.Timeline = newestFirst(h.timeline(ctx, p.Lang, events))
	}
	p.again(later)
	p.Data = v
	h.show(w, status, "lane", p)
}

// laneList fills in the deliveries of one state, and the tabs to the others.
func (h *desk) laneList(ctx context.Context, p page, actor exchange.Actor, to exchange.AgencyCode, path string, v *laneView) error {
	state := exchange.DeliveryState(p.query.Get("tab"))
	if !slices.Contains(laneStates, state) {
		state = laneStates[0]
	}
	for i, s := range laneStates {
		at := path
		if i > 0 {
			at += "?tab=" + string(s)
		}
		v.Tabs = append(v.Tabs, tab{ID: string(s), Label: s.Message().In(p.Lang), URL: p.U(at), Current: s == state})
	}
	list, err := h.Outbox.LaneDeliveries(ctx, actor, to, state, exchange.Page{After: exchange.ID(p.query.Get("after")), Limit: rowsPerPage + 1})
	if err != nil {
		return err
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		v.Next = p.next(path, list[rowsPerPage-1].ID)
	}
	for _, d := range list {
		v.Rows = append(v.Rows, laneDelivery{URL: p.U("/deliveries/" + string(d.ID)), Transfer: string(d.TransferID), Kind: p.say(text.Key("lanes.kind." + string(d.Kind))),
			Attempts: d.Attempts, Note: d.Note.Message.In(p.Lang), At: d.CreatedAt, EndedAt: d.EndedAt})
	}
	return nil
}

func (h *desk) holdLane(w http.ResponseWriter, r *http.Request) {
	h.laneAct(w, r, func(f filled) error {
		return h.Outbox.HoldLane(r.Context(), h.Actor(r), exchange.AgencyCode(r.PathValue("to")), f.trimmed("reason"))
	})
}

func (h *desk) releaseLane(w http.ResponseWriter, r *http.Request) {
	h.laneAct(w, r, func(filled) error {
		return h.Outbox.ReleaseLane(r.Context(), h.Actor(r), exchange.AgencyCode(r.PathValue("to")))
	})
}

// laneAct does one act on a lane, once, and leads back to its page.
func (h *desk) laneAct(w http.ResponseWriter, r *http.Request, act func(filled) error) {
	f, err := h.readForm(r)
	if err == nil {
		err = h.forms.do(h.onceOf(r, f), func() error { return act(f) })
	}
	if err != nil {
		h.showLane(w, r, f, err)
		return
	}
	h.back(w, r, "/lanes/", exchange.ID(r.PathValue("to")))
}
