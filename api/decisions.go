package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// recallBody is the sender's request to take its document back.
type recallBody struct {
	AskedAt  time.Time `json:"asked_at"`
	AskedBy  string    `json:"asked_by,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Answered *factBody `json:"answered,omitempty"`
	Agreed   bool      `json:"agreed"`
	Answer   string    `json:"answer,omitempty"`
}

func recallOf(r exchange.RecallState) *recallBody {
	if r.AskedAt.IsZero() {
		return nil
	}
	return &recallBody{AskedAt: local(r.AskedAt), AskedBy: r.AskedBy, Reason: r.Reason, Answered: factOf(r.Answered), Agreed: r.Agreed, Answer: r.Answer}
}

func (s *Server) decisionRoutes(b *builder) {
	for _, d := range []struct {
		verb    string
		roles   []exchange.Role
		handler func(context.Context, *handleIn) (*itemOut, error)
	}{
		{"accept", clerk, s.acceptItem}, {"assign", signers, s.handled(exchange.StatusAssigned)},
		{"process", signers, s.handled(exchange.StatusProcessing)}, {"complete", signers, s.handled(exchange.StatusCompleted)},
	} {
		register(b, decisionRoute(d.verb, d.roles), d.handler)
	}
	register(b, decisionRoute("refuse", clerk), s.refuseItem)
	register(b, decisionRoute("answer-recall", clerk), s.answerRecall)
}

func decisionRoute(verb string, roles []exchange.Role) route {
	return route{id: verb + "-inbox-item", method: http.MethodPost, path: "/v1/inbox/{id}:" + verb, tag: "inbox", scope: ScopeInboxDecide, roles: roles,
		legal: true, maxJSON: maxSmallJSON}
}

// decision is what every act on an inbox item needs: who, on what, once.
// It is done under the context that it returns, as with documentAct.
func (s *Server) decision(ctx context.Context, a ActIn, person string) (context.Context, exchange.Actor, exchange.Decision, error) {
	v, err := s.item(ctx, a.ID)
	if err != nil {
		return ctx, exchange.Actor{}, exchange.Decision{}, err
	}
	who, err := acting(ctx, person)
	if err == nil {
		err = ifMatch(a.IfMatch, v.Version)
	}
	return expecting(ctx, a.IfMatch, v.ID), who, exchange.Decision{Item: v.ID, Key: keyPrefix + a.IdempotencyKey}, err
}

type handleRequest struct {
	Assignee     string `json:"assignee,omitempty" maxLength:"500"`
	ActingPerson string `json:"acting_person,omitempty" maxLength:"200"`
}

type handleIn struct {
	ActIn
	Body handleRequest
}

func (s *Server) acceptItem(ctx context.Context, in *handleIn) (*itemOut, error) {
	ctx, who, d, err := s.decision(ctx, in.ActIn, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	d.Assignee = in.Body.Assignee
	v, err := s.Inbox.Accept(ctx, who, d)
	if err != nil {
		return nil, err
	}
	return newItem(v), nil
}

// handled reports that an accepted document is assigned (04), in process (05) or completed (06).
func (s *Server) handled(code exchange.StatusCode) func(context.Context, *handleIn) (*itemOut, error) {
	return func(ctx context.Context, in *handleIn) (*itemOut, error) {
		ctx, who, d, err := s.decision(ctx, in.ActIn, in.Body.ActingPerson)
		if err != nil {
			return nil, err
		}
		d.Assignee = in.Body.Assignee
		v, err := s.Inbox.Handle(ctx, who, code, d)
		if err != nil {
			return nil, err
		}
		return newItem(v), nil
	}
}

// Reason is why an incoming document is returned.
type Reason string

// The reasons. With ReasonOther the note is required.
const (
	ReasonInvalidSignature Reason = "invalid_signature"
	ReasonMissingSignature Reason = "missing_signature"
	ReasonWrongReceiver    Reason = "wrong_receiver"
	ReasonUnreadable       Reason = "unreadable"
	ReasonIncomplete       Reason = "incomplete"
	ReasonOther            Reason = "other"
)

type refuseRequest struct {
	Reason       Reason `json:"reason" enum:"invalid_signature,missing_signature,wrong_receiver,unreadable,incomplete,other"`
	Note         string `json:"note,omitempty" maxLength:"400"`
	ActingPerson string `json:"acting_person,omitempty" maxLength:"200"`
}

type refuseIn struct {
	ActIn
	Body refuseRequest
}

// words is what the sender reads: in Vietnamese, as on paper.
func (r refuseRequest) words() (string, error) {
	if r.Reason == ReasonOther {
		if r.Note == "" {
			return "", invalid("/note", faultRequired)
		}
		return r.Note, nil
	}
	words := text.Get(text.Key("api.reason." + string(r.Reason))).VI
	if r.Note != "" {
		words += ". " + r.Note
	}
	return words, nil
}

func (s *Server) refuseItem(ctx context.Context, in *refuseIn) (*itemOut, error) {
	words, err := in.Body.words()
	if err != nil {
		return nil, err
	}
	ctx, who, d, err := s.decision(ctx, in.ActIn, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	d.Reason = words
	v, err := s.Inbox.Refuse(ctx, who, d)
	if err != nil {
		return nil, err
	}
	return newItem(v), nil
}

type answerRequest struct {
	Agree        bool   `json:"agree"`
	Note         string `json:"note,omitempty" maxLength:"400"`
	ActingPerson string `json:"acting_person,omitempty" maxLength:"200"`
}

type answerIn struct {
	ActIn
	Body answerRequest
}

// answerRecall agrees (15) that the sender takes its document back, or not (16).
func (s *Server) answerRecall(ctx context.Context, in *answerIn) (*itemOut, error) {
	if !in.Body.Agree && in.Body.Note == "" {
		return nil, invalid("/note", faultRequired)
	}
	ctx, who, d, err := s.decision(ctx, in.ActIn, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	d.Reason = in.Body.Note
	v, err := s.Inbox.AnswerRecall(ctx, who, d, in.Body.Agree)
	if err != nil {
		return nil, err
	}
	return newItem(v), nil
}
