package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

type sendRequest struct {
	To           []receiverRequest `json:"to" minItems:"1" maxItems:"1000"`
	ActingPerson string            `json:"acting_person,omitempty" maxLength:"200"`
}

type receiverRequest struct {
	OrganID exchange.AgencyCode `json:"organ_id" minLength:"1" maxLength:"35"`
}

type sendIn struct {
	ActIn
	Body sendRequest
}

type deliveryBody struct {
	ID        exchange.ID         `json:"id"`
	OrganID   exchange.AgencyCode `json:"organ_id"`
	Name      string              `json:"name"`
	Transport transportBody       `json:"transport"`
	Business  *statusBody         `json:"business,omitempty"`
	Recall    exchange.StatusCode `json:"recall,omitempty"`
	History   []statusBody        `json:"history"`
}

type transportBody struct {
	State      exchange.DeliveryState `json:"state"`
	Label      text.Message           `json:"label"`
	TransferID exchange.TransferID    `json:"transfer_id"`
	Attempts   int                    `json:"attempts"`
	CreatedAt  time.Time              `json:"created_at"`
	ExpiresAt  time.Time              `json:"expires_at"`
	EndedAt    time.Time              `json:"ended_at,omitzero"`
	Note       *noteBody              `json:"note,omitempty"`
	Receipt    string                 `json:"receipt,omitempty"`
	Handed     *handedBody            `json:"handed,omitempty"`
}

// handedBody is a delivery made by hand, as a clerk says.
type handedBody struct {
	How string    `json:"how"`
	At  time.Time `json:"at"`
	By  actorBody `json:"by"`
}

func handedOf(h exchange.Handed) *handedBody {
	if h.At.IsZero() {
		return nil
	}
	return &handedBody{How: h.How, At: local(h.At), By: actorOf(h.By)}
}

func deliveriesOf(views []exchange.DeliveryView) []deliveryBody {
	out := make([]deliveryBody, len(views))
	for i, v := range views {
		out[i] = deliveryBody{ID: v.ID, OrganID: v.To, Name: v.Receiver, Business: businessOf(v.Business), Recall: v.Business.Recall, History: historyOf(v.History),
			Transport: transportBody{State: v.State, Label: v.State.Message(), TransferID: v.TransferID, Attempts: v.Attempts, CreatedAt: local(v.CreatedAt),
				ExpiresAt: local(v.ExpiresAt), EndedAt: local(v.EndedAt), Note: noteOf(v.Note), Receipt: string(v.Receipt), Handed: handedOf(v.Handed)}}
	}
	return out
}

type sentOut struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     struct {
		DocumentID exchange.ID    `json:"id"`
		Deliveries []deliveryBody `json:"deliveries"`
	}
}

type deliveriesOut struct {
	Body struct {
		Items []deliveryBody `json:"items"`
	}
}

func (s *Server) deliveryRoutes(b *builder) {
	register(b, route{id: "send-document", method: http.MethodPost, path: "/v1/documents/{id}:send", tag: "documents", scope: ScopeDocumentsSend, legal: true,
		status: http.StatusAccepted, maxJSON: maxSmallJSON, errors: []int{http.StatusConflict, http.StatusServiceUnavailable}}, s.sendDocument)
	register(b, route{id: "list-deliveries", method: http.MethodGet, path: "/v1/documents/{id}/deliveries", tag: "documents", scope: ScopeDocumentsRead}, s.listDeliveries)
}

func (s *Server) sendDocument(ctx context.Context, in *sendIn) (*sentOut, error) {
	ctx, who, id, err := s.documentAct(ctx, in.ActIn, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	req := exchange.SendRequest{Document: id, Key: keyPrefix + in.IdempotencyKey}
	for _, r := range in.Body.To {
		req.To = append(req.To, r.OrganID)
	}
	if _, err := s.Outbox.Send(ctx, who, req); err != nil {
		return nil, err
	}
	return s.sent(ctx, id)
}

func (s *Server) listDeliveries(ctx context.Context, in *IDIn) (*deliveriesOut, error) {
	v, err := s.document(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var out deliveriesOut
	out.Body.Items = deliveriesOf(v.Deliveries)
	return &out, nil
}
