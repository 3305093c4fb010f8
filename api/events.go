package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// maxWait is the longest that a question for events waits for one, in seconds: less
	// than proxies wait for an answer.
	maxWait = 25
	// waitStep is how often the feed is looked at while someone waits: a read of one row.
	waitStep = time.Second
	// maxWaiting bounds the questions that wait at once; the next one is answered as it stands.
	maxWaiting = 64
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
	wait := time.Duration(in.Wait) * time.Second
	if wait > 0 {
		select {
		case s.waiting <- struct{}{}:
			defer func() { <-s.waiting }()
		default:
			wait = 0
		}
	}
	end := time.NewTimer(wait)
	defer end.Stop()
	step := time.NewTicker(waitStep)
	defer step.Stop()
	for {
		events, err := s.Evidence.Feed(ctx, actor(ctx), in.After, in.Limit)
		if err != nil {
			return nil, err
		}
		var out eventsOut
		out.Body.Items, out.Body.Next = eventsOf(events), strconv.FormatInt(in.After, 10)
		if len(events) > 0 {
			out.Body.Next = strconv.FormatInt(events[len(events)-1].Seq, 10)
		}
		if len(events) > 0 || wait == 0 {
			return &out, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-end.C:
			return &out, nil
		case <-step.C:
		}
	}
}
