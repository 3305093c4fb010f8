package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
)

func (s *Server) correctionRoutes(b *builder) {
	register(b, route{id: "recall-document", method: http.MethodPost, path: "/v1/documents/{id}:recall", tag: "documents", scope: ScopeDocumentsSend, legal: true,
		status: http.StatusAccepted, maxJSON: maxSmallJSON}, s.recallDocument)
	register(b, route{id: "replace-document", method: http.MethodPost, path: "/v1/documents/{id}:replace", tag: "documents", scope: ScopeDocumentsSend, legal: true,
		status: http.StatusCreated, maxJSON: maxDocumentJSON}, s.replaceDocument)
	register(b, route{id: "mark-delivered", method: http.MethodPost, path: "/v1/deliveries/{id}:mark-delivered", tag: "documents", scope: ScopeDocumentsSend, legal: true,
		maxJSON: maxSmallJSON}, s.markDelivered)
}

type recallRequest struct {
	To           []receiverRequest `json:"to,omitempty" maxItems:"1000"`
	Reason       string            `json:"reason" minLength:"1" maxLength:"500"`
	ActingPerson string            `json:"acting_person,omitempty" maxLength:"200"`
}

type recallIn struct {
	ActIn
	Body recallRequest
}

// recallDocument asks receivers to give a document back (13). Each answers for itself.
func (s *Server) recallDocument(ctx context.Context, in *recallIn) (*sentOut, error) {
	ctx, who, id, err := s.documentAct(ctx, in.ActIn, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	req := exchange.RecallRequest{Document: id, Reason: in.Body.Reason, Key: keyPrefix + in.IdempotencyKey}
	for _, r := range in.Body.To {
		req.To = append(req.To, r.OrganID)
	}
	if _, err := s.Outbox.Recall(ctx, who, req); err != nil {
		return nil, err
	}
	return s.sent(ctx, id)
}

// sent is the answer to what goes out to the receivers of a document.
func (s *Server) sent(ctx context.Context, id exchange.ID) (*sentOut, error) {
	v, err := s.Outbox.Document(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	out := &sentOut{Location: s.Prefix + "/v1/documents/" + string(id) + "/deliveries", ETag: etagOf(v.Version)}
	out.Body.DocumentID, out.Body.Deliveries = id, deliveriesOf(v.Deliveries)
	return out, nil
}

type replaceRequest struct {
	Reason       string          `json:"reason" minLength:"1" maxLength:"500"`
	Document     documentRequest `json:"document"`
	ActingPerson string          `json:"acting_person,omitempty" maxLength:"200"`
}

type replaceIn struct {
	ActIn
	Body replaceRequest
}

// replaceDocument makes the draft that will take a sent document's place.
func (s *Server) replaceDocument(ctx context.Context, in *replaceIn) (*createdDocumentOut, error) {
	ctx, who, id, err := s.documentAct(ctx, in.ActIn, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	if in.Body.Document.ActingPerson != "" {
		return nil, invalid("/document/acting_person", faultUnknown)
	}
	in.Body.Document.ActingPerson = in.Body.ActingPerson
	_, req, done, err := s.newDocument(ctx, in.Body.Document)
	if err != nil {
		return nil, inside("/document", err)
	}
	defer done()
	d, err := s.Outbox.Replace(ctx, who, exchange.ReplaceRequest{Document: id, Reason: in.Body.Reason, New: req, Key: keyPrefix + in.IdempotencyKey})
	if err != nil {
		return nil, part("/document", err)
	}
	return s.createdDocument(d), nil
}

type markRequest struct {
	How          string    `json:"how" minLength:"1" maxLength:"500"`
	At           time.Time `json:"at"`
	ActingPerson string    `json:"acting_person,omitempty" maxLength:"200"`
}

type markIn struct {
	ActIn
	Body markRequest
}

type deliveryOut struct {
	ETag string `header:"ETag"`
	Body deliveryBody
}

// markDelivered records that a document was handed over outside the network.
func (s *Server) markDelivered(ctx context.Context, in *markIn) (*deliveryOut, error) {
	id, err := parseID(in.ID, exchange.PrefixDelivery)
	if err != nil {
		return nil, err
	}
	who, err := acting(ctx, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	ctx = expecting(ctx, in.IfMatch, id)
	d, err := s.Outbox.MarkDelivered(ctx, who, id, in.Body.How, in.Body.At, keyPrefix+in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	name := string(d.To)
	if a, err := s.Outbox.Directory.Agency(ctx, d.To); err == nil {
		name = a.Name
	}
	return &deliveryOut{ETag: etagOf(d.Version), Body: deliveriesOf([]exchange.DeliveryView{{Delivery: d, Receiver: name}})[0]}, nil
}
