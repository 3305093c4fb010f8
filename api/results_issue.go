package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
)

type resultRequest struct {
	Dossier       string   `json:"dossier" minLength:"1" maxLength:"60"`
	Procedure     string   `json:"procedure,omitempty" maxLength:"200"`
	ProcedureName string   `json:"procedure_name,omitempty" maxLength:"300"`
	Owner         string   `json:"owner,omitempty" maxLength:"500"`
	Kind          kindBody `json:"kind"`
	CodeNotation  string   `json:"code_notation" minLength:"1" maxLength:"60"`
	Subject       string   `json:"subject" minLength:"1" maxLength:"500"`
	Body          string   `json:"body" minLength:"1" maxLength:"400000"`
	Places        []string `json:"places,omitempty" maxItems:"1000"`
	ReceivedAt    string   `json:"received_on,omitempty" format:"date"`
	ValidUntil    string   `json:"valid_until,omitempty" format:"date"`
	Signatory     string   `json:"signatory" minLength:"1" maxLength:"200"`
	ActingPerson  string   `json:"acting_person,omitempty" maxLength:"200"`
}

func (r resultRequest) request() (req exchange.NewResult, err error) {
	var received, until time.Time
	if received, err = parseDay(r.ReceivedAt, "/received_on"); err != nil {
		return req, err
	}
	if until, err = parseDay(r.ValidUntil, "/valid_until"); err != nil {
		return req, err
	}
	return exchange.NewResult{Signatory: r.Signatory, Form: exchange.ResultForm{Dossier: r.Dossier, Procedure: r.Procedure, ProcedureName: r.ProcedureName,
		Owner: r.Owner, Kind: exchange.DocumentKind{Code: r.Kind.Code, Name: r.Kind.Name}, Notation: r.CodeNotation, Subject: r.Subject, Body: r.Body,
		Places: r.Places, Received: received, ValidUntil: until}}, nil
}

type createResultIn struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           resultRequest
}

type createdResultOut struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     resultBody
}

func (s *Server) createdResult(r exchange.Result) *createdResultOut {
	return &createdResultOut{Location: s.Prefix + "/v1/results/" + string(r.ID), ETag: etagOf(r.Version), Body: resultOf(r)}
}

func (s *Server) issueRoutes(b *builder) {
	register(b, route{id: "create-result", method: http.MethodPost, path: "/v1/results", tag: "results", scope: ScopeResultsWrite, keyed: true,
		status: http.StatusCreated, maxJSON: maxDocumentJSON}, s.createResult)
	register(b, route{id: "issue-result", method: http.MethodPost, path: "/v1/results/{id}:issue", tag: "results", scope: ScopeResultsIssue, legal: true,
		status: http.StatusAccepted, maxJSON: maxSmallJSON}, s.issueResult)
	register(b, route{id: "revoke-result", method: http.MethodPost, path: "/v1/results/{id}:revoke", tag: "results", scope: ScopeResultsRevoke, legal: true,
		maxJSON: maxSmallJSON}, s.revokeResult)
	register(b, route{id: "replace-result", method: http.MethodPost, path: "/v1/results/{id}:replace", tag: "results", scope: ScopeResultsRevoke, legal: true,
		status: http.StatusCreated, maxJSON: maxDocumentJSON}, s.replaceResult)
}

// createResult composes a dossier result. It is a draft without legal effect.
func (s *Server) createResult(ctx context.Context, in *createResultIn) (*createdResultOut, error) {
	who := actor(ctx)
	if in.Body.ActingPerson != "" {
		var err error
		if who, err = acting(ctx, in.Body.ActingPerson); err != nil {
			return nil, err
		}
	}
	req, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	req.Key = keyPrefix + in.IdempotencyKey
	r, err := s.Results.Create(ctx, who, req)
	if err != nil {
		return nil, err
	}
	return s.createdResult(r), nil
}

// issueResult puts a result in the queue of those who sign and seal: the leader
// first, then văn thư, who numbers and seals, and so it is issued.
func (s *Server) issueResult(ctx context.Context, in *actIn) (*operationOut, error) {
	return papers{s, exchange.PrefixResult}.ask(ctx, in.ActIn, exchange.SigningSeal, in.Body.ActingPerson)
}

type reasonIn struct {
	ActIn
	Body reasonRequest
}

func (s *Server) revokeResult(ctx context.Context, in *reasonIn) (*resultOut, error) {
	ctx, who, id, err := s.paperAct(ctx, in.ActIn, exchange.PrefixResult, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	r, err := s.Results.Revoke(ctx, who, id, in.Body.Reason, keyPrefix+in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return &resultOut{ETag: etagOf(r.Version), Body: resultOf(r)}, nil
}

type replaceResultRequest struct {
	Reason       string        `json:"reason" minLength:"1" maxLength:"500"`
	Result       resultRequest `json:"result"`
	ActingPerson string        `json:"acting_person,omitempty" maxLength:"200"`
}

type replaceResultIn struct {
	ActIn
	Body replaceResultRequest
}

// replaceResult makes the draft of the result that will take another's place.
func (s *Server) replaceResult(ctx context.Context, in *replaceResultIn) (*createdResultOut, error) {
	ctx, who, id, err := s.paperAct(ctx, in.ActIn, exchange.PrefixResult, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	if in.Body.Result.ActingPerson != "" {
		return nil, invalid("/result/acting_person", faultUnknown)
	}
	req, err := in.Body.Result.request()
	if err != nil {
		return nil, inside("/result", err)
	}
	req.Key = keyPrefix + in.IdempotencyKey
	r, err := s.Results.Replace(ctx, who, id, req, in.Body.Reason)
	if err != nil {
		return nil, part("/result", err)
	}
	return s.createdResult(r), nil
}
