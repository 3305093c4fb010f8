package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

type eventBody struct {
	Seq     int64               `json:"seq"`
	At      time.Time           `json:"at"`
	Kind    exchange.EventKind  `json:"kind"`
	Message text.Message        `json:"message"`
	Subject exchange.ID         `json:"subject_id"`
	By      actorBody           `json:"by"`
	Peer    exchange.AgencyCode `json:"organ_id,omitempty"`
	SHA256  exchange.Digest     `json:"sha256,omitempty"`
	Data    map[string]string   `json:"data,omitempty"`
	Hash    exchange.Digest     `json:"hash"`
}

type timelineOut struct {
	Body struct {
		Items []eventBody `json:"items"`
	}
}

func eventsOf(events []exchange.Event) []eventBody {
	out := make([]eventBody, len(events))
	for i, e := range events {
		out[i] = eventBody{Seq: e.Seq, At: local(e.At), Kind: e.Kind, Message: e.Message(), Subject: e.Subject, By: actorOf(e.By),
			Peer: e.Peer, SHA256: e.Digest, Data: e.Data, Hash: e.Hash}
	}
	return out
}

type eventsIn struct {
	After int64 `query:"after" minimum:"0" maximum:"9007199254740991"`
	Limit int   `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Wait  int   `query:"wait" minimum:"0" maximum:"25"`
}

type eventsOut struct {
	Body struct {
		Items []eventBody `json:"items"`
		Next  string      `json:"next"`
	}
}

func (s *Server) eventRoutes(b *builder) {
	register(b, route{id: "list-events", method: http.MethodGet, path: "/v1/events", tag: "events", scope: ScopeEventsRead}, s.listEvents)
}

// listEvents gives the facts behind a place of the evidence log. Its next is the
// place to go on from, at the end too.
func (s *Server) listEvents(ctx context.Context, in *eventsIn) (*eventsOut, error) {
	look := func() ([]exchange.Event, error) { return s.Evidence.Feed(ctx, actor(ctx), in.After, in.Limit) }
	events, err := s.waitForEvents(ctx, time.Duration(in.Wait)*time.Second, look)
	if err != nil {
		return nil, err
	}
	var out eventsOut
	out.Body.Items, out.Body.Next = eventsOf(events), strconv.FormatInt(in.After, 10)
	if len(events) > 0 {
		out.Body.Next = strconv.FormatInt(events[len(events)-1].Seq, 10)
	}
	return &out, nil
}

// waitForEvents looks once, or, while there is room among those who wait, until
// something comes.
func (s *Server) waitForEvents(ctx context.Context, wait time.Duration, look func() ([]exchange.Event, error)) ([]exchange.Event, error) {
	if wait == 0 {
		return look()
	}
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return look()
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(waitLook)
	defer again.Stop()
	return awaitEvents(ctx, alarms{grown: func() <-chan struct{} { return s.Evidence.Grown(actor(ctx)) }, look: again.C, over: over.C}, look)
}
