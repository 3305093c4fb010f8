package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
)

func (s *Server) laneRoutes(b *builder) {
	register(b, route{id: "list-lanes", method: http.MethodGet, path: "/v1/lanes", tag: "lanes", scope: ScopeLanesRead}, s.listLanes)
	register(b, route{id: "hold-lane", method: http.MethodPost, path: "/v1/lanes/{organ_id}:hold", tag: "lanes", scope: ScopeLanesWrite, legal: true,
		maxJSON: maxSmallJSON}, s.holdLane)
	register(b, route{id: "release-lane", method: http.MethodPost, path: "/v1/lanes/{organ_id}:release", tag: "lanes", scope: ScopeLanesWrite, legal: true,
		maxJSON: maxSmallJSON}, s.releaseLane)
	register(b, route{id: "hold-delivery", method: http.MethodPost, path: "/v1/deliveries/{id}:hold", tag: "lanes", scope: ScopeLanesWrite, legal: true,
		maxJSON: maxSmallJSON}, s.holdDelivery)
	register(b, route{id: "quarantine-delivery", method: http.MethodPost, path: "/v1/deliveries/{id}:quarantine", tag: "lanes", scope: ScopeLanesWrite, legal: true,
		maxJSON: maxSmallJSON}, s.quarantineDelivery)
	register(b, route{id: "resume-delivery", method: http.MethodPost, path: "/v1/deliveries/{id}:resume", tag: "lanes", scope: ScopeLanesWrite, legal: true,
		maxJSON: maxSmallJSON}, s.resumeDelivery)
}

// laneBody is the way to one agency.
type laneBody struct {
	OrganID     exchange.AgencyCode `json:"organ_id"`
	Name        string              `json:"name"`
	Waiting     int                 `json:"waiting"`
	Oldest      time.Time           `json:"oldest,omitzero"`      // when the oldest of those was handed over
	AgeSeconds  int64               `json:"age_seconds,omitzero"` // of the oldest
	Held        int                 `json:"held"`
	Quarantined int                 `json:"quarantined"`
	Unknown     int                 `json:"unknown"`
	Failures    int                 `json:"failures"` // of the peer, in a row
	RetryAt     time.Time           `json:"retry_at,omitzero"`
	Halted      bool                `json:"halted"` // until somebody mends trust
	Note        *noteBody           `json:"note,omitempty"`
	Stopped     *stopBody           `json:"stopped,omitempty"`
}

// stopBody says who stopped a lane, when and why.
type stopBody struct {
	At     time.Time `json:"at"`
	By     actorBody `json:"by"`
	Reason string    `json:"reason"`
}

func laneOf(v exchange.LaneView, now time.Time) laneBody {
	b := laneBody{OrganID: v.To, Name: v.Name, Waiting: v.Waiting, Oldest: local(v.Oldest), Held: v.Held, Quarantined: v.Quarantined, Unknown: v.Unknown,
		Failures: v.State.Failures, RetryAt: local(v.State.RetryAt), Halted: v.State.Halted, Note: noteOf(v.State.Note)}
	if !v.Oldest.IsZero() {
		b.AgeSeconds = max(0, int64(now.Sub(v.Oldest).Seconds()))
	}
	if v.State.Held.Done() {
		b.Stopped = &stopBody{At: local(v.State.Held.At), By: actorOf(v.State.Held.By), Reason: v.State.HeldWhy}
	}
	return b
}

type lanesOut struct {
	Body struct {
		Items []laneBody `json:"items"`
	}
}

// listLanes tells of every way on which something waits or stands still, or whose
// peer failed last.
func (s *Server) listLanes(ctx context.Context, _ *struct{}) (*lanesOut, error) {
	lanes, err := s.Outbox.Lanes(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	var out lanesOut
	out.Body.Items = make([]laneBody, len(lanes))
	for i, v := range lanes {
		out.Body.Items[i] = laneOf(v, s.Outbox.Now())
	}
	return &out, nil
}

// LaneIn is the part that every act on a lane shares.
type LaneIn struct {
	OrganID        string `path:"organ_id" maxLength:"200"`
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
}

// act says who acts, and on the way to whom.
func (in LaneIn) act(ctx context.Context, person string) (exchange.Actor, exchange.AgencyCode, error) {
	to := exchange.AgencyCode(in.OrganID)
	if !to.Valid() {
		return exchange.Actor{}, "", invalid("path/organ_id", faultValue)
	}
	who, err := acting(ctx, person)
	return who, to, err
}

type laneReasonIn struct {
	LaneIn
	Body reasonRequest
}

type laneActIn struct {
	LaneIn
	Body actRequest
}

func (s *Server) holdLane(ctx context.Context, in *laneReasonIn) (*lanesOut, error) {
	who, to, err := in.act(ctx, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	if err := s.Outbox.HoldLane(ctx, who, to, in.Body.Reason); err != nil {
		return nil, err
	}
	return s.listLanes(ctx, nil)
}

func (s *Server) releaseLane(ctx context.Context, in *laneActIn) (*lanesOut, error) {
	who, to, err := in.act(ctx, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	if err := s.Outbox.ReleaseLane(ctx, who, to); err != nil {
		return nil, err
	}
	return s.listLanes(ctx, nil)
}

type deliveryReasonIn struct {
	ActIn
	Body reasonRequest
}

type deliveryActIn struct {
	ActIn
	Body actRequest
}

func (s *Server) holdDelivery(ctx context.Context, in *deliveryReasonIn) (*deliveryOut, error) {
	return s.deliveryAct(ctx, in.ActIn, in.Body.ActingPerson, func(ctx context.Context, who exchange.Actor, id exchange.ID) error {
		return s.Outbox.Hold(ctx, who, id, in.Body.Reason)
	})
}

func (s *Server) quarantineDelivery(ctx context.Context, in *deliveryReasonIn) (*deliveryOut, error) {
	return s.deliveryAct(ctx, in.ActIn, in.Body.ActingPerson, func(ctx context.Context, who exchange.Actor, id exchange.ID) error {
		return s.Outbox.Quarantine(ctx, who, id, in.Body.Reason)
	})
}

func (s *Server) resumeDelivery(ctx context.Context, in *deliveryActIn) (*deliveryOut, error) {
	return s.deliveryAct(ctx, in.ActIn, in.Body.ActingPerson, s.Outbox.Resume)
}

// deliveryAct does one act on a delivery and answers with what it is by then.
func (s *Server) deliveryAct(ctx context.Context, in ActIn, person string, act func(context.Context, exchange.Actor, exchange.ID) error) (*deliveryOut, error) {
	id, err := parseID(in.ID, exchange.PrefixDelivery)
	if err != nil {
		return nil, err
	}
	who, err := acting(ctx, person)
	if err != nil {
		return nil, err
	}
	if err := act(expecting(ctx, in.IfMatch, id), who, id); err != nil {
		return nil, err
	}
	v, err := s.Outbox.Delivery(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	return &deliveryOut{ETag: etagOf(v.Version), Body: deliveriesOf([]exchange.DeliveryView{v})[0]}, nil
}
