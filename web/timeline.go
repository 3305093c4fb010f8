package web

import (
	"context"
	"slices"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// fact is one line of a timeline in words.
type fact struct {
	At    time.Time
	What  string
	By    string
	Alarm bool
	Other bool // the other side did it, and signed that it did
}

// viewTimeline puts events in words, oldest first.
func viewTimeline(lang text.Lang, events []exchange.Event) []fact {
	out := make([]fact, len(events))
	for i, e := range events {
		out[i] = fact{At: e.At, What: e.Message().In(lang), Alarm: alarming(e)}
		if e.By.Role != exchange.RoleSystem {
			out[i].By = e.By.Name
		}
	}
	return out
}

// timeline is viewTimeline with the names of other agencies for their codes, as people
// here speak of them.
func (h *desk) timeline(ctx context.Context, lang text.Lang, events []exchange.Event) []fact {
	named, names := slices.Clone(events), map[exchange.AgencyCode]exchange.AgencyCode{}
	for i, e := range named {
		if e.Peer == "" {
			continue
		}
		if _, known := names[e.Peer]; !known {
			names[e.Peer] = exchange.AgencyCode(h.nameOf(ctx, e.Peer))
		}
		named[i].Peer = names[e.Peer]
	}
	return viewTimeline(lang, named)
}

// alarming says which facts a reader must not overlook.
func alarming(e exchange.Event) bool {
	switch e.Kind { //nolint:exhaustive // everything else goes its normal way
	case exchange.EventSigningRefused, exchange.EventSendRefused, exchange.EventDeliveryRefused, exchange.EventDeliveryEnded,
		exchange.EventLaneHalted, exchange.EventTransferRefused, exchange.EventReplayConflict, exchange.EventDamaged,
		exchange.EventReturned, exchange.EventContradiction, exchange.EventStatusUnknown,
		exchange.EventDirectoryRefused, exchange.EventDirectoryExpired,
		exchange.EventRestored, exchange.EventQuarantineOverridden:
		return true
	case exchange.EventStatusReceived:
		return exchange.StatusCode(e.Data["status"]) == exchange.StatusReturned
	}
	return false
}

// deliveryView is a delivery: transport and business are two facts.
type deliveryView struct {
	Receiver  string
	Code      string
	State     string
	Class     string // ok, wait or bad
	Attempts  int
	Note      string
	SentAt    time.Time
	EndedAt   time.Time
	Business  string // code and words
	BusyClass string
	By        string
	Reason    string
	At        time.Time
	Recall    string
	Handed    string      // how, when and by whom it was handed over outside the network
	Resume    string      // address that sends it again; empty when there is nothing to do
	Manual    *manualView // for a receiver without a channel, until it was handed over

	id    exchange.ID
	state exchange.DeliveryState
	ask   exchange.RecallAnswer
}

// manualView is what a clerk does for a receiver without a channel.
type manualView struct {
	EdXML, PDF, Slip string
	Action           string
	Key              string
	Fields           []field
	Open             bool
}

func viewDelivery(lang text.Lang, d exchange.DeliveryView) deliveryView {
	v := deliveryView{Receiver: d.Receiver, Code: string(d.To), State: d.State.Message().In(lang), Class: "bad", Attempts: d.Attempts,
		id: d.ID, state: d.State, ask: d.Business.RecallAnswer(), SentAt: d.CreatedAt, EndedAt: d.EndedAt, By: d.Business.By, Reason: d.Business.Reason, At: d.Business.At}
	switch d.State {
	case exchange.DeliveryDelivered, exchange.DeliveryDeliveredLate:
		v.Class = "ok"
	case exchange.DeliveryByHand:
		v.Class = "ok"
		v.Handed = text.Get("desk.handed.fact", d.Handed.How, vnTime(d.Handed.At), d.Handed.By.Name).In(lang)
	case exchange.DeliveryManual:
		v.Class, v.Note = "warn", d.Note.Message.In(lang)
	case exchange.DeliveryReady, exchange.DeliveryHeld:
		v.Class, v.Note = "wait", d.Note.Message.In(lang)
	case exchange.DeliveryQuarantined, exchange.DeliveryRefused, exchange.DeliveryNonDelivered, exchange.DeliveryUnknownExpired:
		v.Note = d.Note.Message.In(lang)
	}
	if c := d.Business.Code; c != "" {
		v.Business, v.BusyClass = string(c)+" "+c.Message().In(lang), "ok"
		if c == exchange.StatusReturned {
			v.BusyClass = "bad"
		}
	}
	if c := d.Business.Recall; c != "" {
		v.Recall = string(c) + " " + c.Message().In(lang)
	}
	return v
}

func viewDeliveries(lang text.Lang, ds []exchange.DeliveryView) []deliveryView {
	out := make([]deliveryView, len(ds))
	for i, d := range ds {
		out[i] = viewDelivery(lang, d)
	}
	return out
}
