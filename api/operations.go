package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// pollAfter is when to look at an operation again, in seconds: people sign and seal
// in minutes.
const pollAfter = 10

type operationBody struct {
	ID        exchange.ID             `json:"id"`
	Kind      exchange.OperationKind  `json:"kind" enum:"sign,seal,send"`
	State     exchange.OperationState `json:"state" enum:"awaiting_signature,awaiting_seal,running,done,failed"`
	Label     text.Message            `json:"label"`
	Subject   exchange.ID             `json:"subject_id"`
	By        actorBody               `json:"by"`
	CreatedAt time.Time               `json:"created_at"`
	UpdatedAt time.Time               `json:"updated_at"`
	Error     *noteBody               `json:"error,omitempty"`
}

func operationOf(o exchange.Operation) operationBody {
	return operationBody{ID: o.ID, Kind: o.Kind, State: o.State, Label: text.Get(text.Key("api.operation." + string(o.State))), Subject: o.Subject,
		By: actorOf(o.By), CreatedAt: local(o.CreatedAt), UpdatedAt: local(o.UpdatedAt), Error: noteOf(o.Error)}
}

type operationOut struct {
	Location   string `header:"Location"`
	RetryAfter int    `header:"Retry-After"`
	Body       operationBody
}

func (s *Server) newOperation(o exchange.Operation) *operationOut {
	out := &operationOut{Location: s.Prefix + "/v1/operations/" + string(o.ID), Body: operationOf(o)}
	if o.State != exchange.OperationDone && o.State != exchange.OperationFailed {
		out.RetryAfter = pollAfter
	}
	return out
}

func (s *Server) operationRoutes(b *builder) {
	register(b, route{id: "get-operation", method: http.MethodGet, path: "/v1/operations/{id}", tag: "operations", scope: ScopeOperationsRead}, s.getOperation)
}

func (s *Server) getOperation(ctx context.Context, in *IDIn) (*operationOut, error) {
	id, err := parseID(in.ID, exchange.PrefixOperation)
	if err != nil {
		return nil, err
	}
	o, err := s.Operations.Operation(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	return s.newOperation(o), nil
}
