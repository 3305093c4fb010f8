package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

func (s *Server) searchRoutes(b *builder) {
	register(b, route{id: "search", method: http.MethodGet, path: "/v1/search", tag: "lanes", scope: ScopeLanesRead}, s.search)
	register(b, route{id: "get-delivery", method: http.MethodGet, path: "/v1/deliveries/{id}", tag: "lanes", scope: ScopeLanesRead}, s.getDelivery)
}

type searchIn struct {
	Q string `query:"q" required:"true" minLength:"1" maxLength:"200"`
}

// hitBody is one thing that a search found: that it is there, never what it says.
type hitBody struct {
	Kind exchange.HitKind `json:"kind" enum:"document,inbox,result,delivery,lane"`
	// ID is that of the object; of a lane the organ_id of its agency.
	ID     exchange.ID `json:"id"`
	Number string      `json:"number,omitempty"`
	Peers  string      `json:"peers,omitempty"`
	State  string      `json:"state,omitempty"`
	At     time.Time   `json:"at,omitzero"`
}

// answeredBody is a transfer of which nothing was kept but the answer to it.
type answeredBody struct {
	TransferID exchange.TransferID  `json:"transfer_id"`
	Sender     exchange.AgencyCode  `json:"sender"`
	Answer     exchange.ReceiptKind `json:"answer" enum:"accepted,rejected,closed"`
	At         time.Time            `json:"at"`
}

// failureBody is a failure of the gateway itself that was answered under a trace id.
type failureBody struct {
	TraceID string    `json:"trace_id"`
	At      time.Time `json:"at"`
	Where   string    `json:"where"`
}

type searchOut struct {
	Body struct {
		Items     []hitBody      `json:"items"`
		Transfers []answeredBody `json:"transfers"`
		Failure   *failureBody   `json:"failure,omitempty"`
	}
}

// search finds what a number, an organisation, a person or an id stands for.
func (s *Server) search(ctx context.Context, in *searchIn) (*searchOut, error) {
	if strings.TrimSpace(in.Q) == "" {
		return nil, invalid("query/q", faultValue)
	}
	found, err := s.Finder.Search(ctx, actor(ctx), in.Q)
	if err != nil {
		return nil, err
	}
	var out searchOut
	out.Body.Items, out.Body.Transfers = []hitBody{}, []answeredBody{}
	for _, h := range found.Hits {
		out.Body.Items = append(out.Body.Items, hitBody{Kind: h.Kind, ID: h.ID, Number: h.Number, Peers: h.Peers, State: h.State, At: local(h.At)})
	}
	for _, t := range found.Transfers {
		out.Body.Transfers = append(out.Body.Transfers, answeredBody{TransferID: t.ID, Sender: t.Sender, Answer: t.Answer, At: local(t.At)})
	}
	if x := found.Trouble; x != nil {
		out.Body.Failure = &failureBody{TraceID: x.Trace, At: local(x.At), Where: x.Where}
	}
	return &out, nil
}

// deliveryPageBody is one delivery with what happened to it on this side, and what the
// other side's gateway signed about it.
type deliveryPageBody struct {
	Delivery deliveryBody          `json:"delivery"`
	Kind     exchange.TransferKind `json:"kind" enum:"document,status"`
	About    exchange.ID           `json:"about"` // the document or inbox item that it carries or speaks of
	TraceID  string                `json:"trace_id,omitempty"`
	Proof    *proofBody            `json:"proof,omitempty"`
	Timeline []eventBody           `json:"timeline"`
}

// proofBody is the other side's signed answer.
type proofBody struct {
	Kind exchange.ReceiptKind `json:"kind,omitempty"` // empty when it proves nothing
	At   time.Time            `json:"at,omitzero"`    // by the other side's clock
	Code text.Code            `json:"code,omitempty"` // of a rejection
	// Verified reports that its signature is one that the directory knows for that
	// agency, and that it answers this transfer.
	Verified bool `json:"verified"`
}

type deliveryPageOut struct {
	ETag string `header:"ETag"`
	Body deliveryPageBody
}

// getDelivery tells of one delivery.
func (s *Server) getDelivery(ctx context.Context, in *IDIn) (*deliveryPageOut, error) {
	id, err := parseID(in.ID, exchange.PrefixDelivery)
	if err != nil {
		return nil, err
	}
	who := actor(ctx)
	v, err := s.Outbox.Delivery(ctx, who, id)
	if err != nil {
		return nil, err
	}
	events, err := s.Evidence.Timeline(ctx, who, id)
	if err != nil && text.CodeOf(err) != text.NotFound {
		return nil, err
	}
	out := deliveryPageOut{ETag: etagOf(v.Version), Body: deliveryPageBody{Delivery: deliveriesOf([]exchange.DeliveryView{v})[0], Kind: v.Kind, About: v.Subject,
		TraceID: v.Trace.ID(), Timeline: eventsOf(events)}}
	if p, ok := s.Outbox.Proof(ctx, v.Delivery); ok {
		out.Body.Proof = &proofBody{Kind: p.Kind, At: local(p.At), Code: p.Code, Verified: p.Good}
	}
	return &out, nil
}
