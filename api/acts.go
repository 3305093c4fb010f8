package api

import (
	"context"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// ActIn is the part that every act on one object shares. The object may be pinned to
// the version that the caller saw.
type ActIn struct {
	ID             string `path:"id"`
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	IfMatch        string `header:"If-Match" maxLength:"200"`
}

// documentAct says who acts and on which document. The act itself is to be done under
// the context that it returns, which ends it when the document no longer stands as the
// caller saw it.
func (s *Server) documentAct(ctx context.Context, a ActIn, person string) (context.Context, exchange.Actor, exchange.ID, error) {
	return s.paperAct(ctx, a, exchange.PrefixDocument, person)
}

// paperAct is documentAct for documents and results.
func (s *Server) paperAct(ctx context.Context, a ActIn, prefix, person string) (context.Context, exchange.Actor, exchange.ID, error) {
	id, err := parseID(a.ID, prefix)
	if err != nil {
		return ctx, exchange.Actor{}, "", err
	}
	version, err := s.paperVersion(ctx, id)
	if err != nil {
		return ctx, exchange.Actor{}, "", err
	}
	who, err := acting(ctx, person)
	if err == nil {
		err = ifMatch(a.IfMatch, version)
	}
	return expecting(ctx, a.IfMatch, id), who, id, err
}

// paperVersion is the version of a document or a result.
func (s *Server) paperVersion(ctx context.Context, id exchange.ID) (int, error) {
	if id.Has(exchange.PrefixResult) {
		r, err := s.Results.Result(ctx, actor(ctx), id)
		return r.Version, err
	}
	v, err := s.Outbox.Document(ctx, actor(ctx), id)
	return v.Version, err
}

// paperPrefix is the prefix of the ids under a collection's path.
func paperPrefix(collection string) string {
	if collection == "results" {
		return exchange.PrefixResult
	}
	return exchange.PrefixDocument
}

// paperID reads an id of a document or a result.
func paperID(raw, pointer string) (exchange.ID, error) {
	for _, prefix := range []string{exchange.PrefixDocument, exchange.PrefixResult} {
		if strings.HasPrefix(raw, prefix) && plausible(raw, prefix) {
			return exchange.ID(raw), nil
		}
	}
	return "", &refusal{err: text.Errorf(text.InvalidInput, nil), fields: []fault{newFault(pointer, faultValue)}}
}

// actRequest is the body of an act that needs nothing but its actor.
type actRequest struct {
	ActingPerson string `json:"acting_person,omitempty" maxLength:"200"`
}

// reasonRequest is the body of an act that needs a reason.
type reasonRequest struct {
	Reason       string `json:"reason" minLength:"1" maxLength:"500"`
	ActingPerson string `json:"acting_person,omitempty" maxLength:"200"`
}
