package api

import (
	"context"
	"net/http"

	"antin/exchange"
)

func (s *Server) recordRoutes(b *builder) {
	register(b, route{id: "record-document", method: http.MethodPost, path: "/v1/documents/paper", tag: "documents", scope: ScopeRegistersWrite, legal: true,
		status: http.StatusCreated, maxJSON: maxSmallJSON}, s.recordDocument)
	register(b, route{id: "record-inbox-item", method: http.MethodPost, path: "/v1/inbox/paper", tag: "inbox", scope: ScopeRegistersWrite, legal: true,
		status: http.StatusCreated, maxJSON: maxSmallJSON}, s.recordItem)
	register(b, route{id: "export-delivery", method: http.MethodGet, path: "/v1/deliveries/{id}/export", tag: "documents", scope: ScopeDocumentsSend,
		errors: []int{http.StatusConflict}, returns: octetType}, s.exportDelivery)
}

type paperDocumentRequest struct {
	Number           int      `json:"number,omitempty" minimum:"1" maximum:"9999999"`
	PromulgationDate string   `json:"promulgation_date" format:"date"`
	Kind             kindBody `json:"kind"`
	CodeNotation     string   `json:"code_notation" minLength:"1" maxLength:"60"`
	Subject          string   `json:"subject" minLength:"1" maxLength:"500"`
	SignerName       string   `json:"signer_name" minLength:"1" maxLength:"200"`
	Position         string   `json:"position,omitempty" maxLength:"200"`
	Receivers        string   `json:"receivers" minLength:"1" maxLength:"500"`
	Keeper           string   `json:"keeper,omitempty" maxLength:"500"`
	Copies           int      `json:"copies,omitempty" minimum:"0" maximum:"100000"`
	Remark           string   `json:"remark,omitempty" maxLength:"500"`
	Channel          string   `json:"channel" minLength:"1" maxLength:"200"`
	ActingPerson     string   `json:"acting_person,omitempty" maxLength:"200"`
}

type recordDocumentIn struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           paperDocumentRequest
}

// recordDocument enters a document that went out on paper in the register.
func (s *Server) recordDocument(ctx context.Context, in *recordDocumentIn) (*createdDocumentOut, error) {
	r := in.Body
	who, err := acting(ctx, r.ActingPerson)
	if err != nil {
		return nil, err
	}
	date, err := parseDay(r.PromulgationDate, "/promulgation_date")
	if err != nil {
		return nil, err
	}
	d, err := s.Outbox.Record(ctx, who, exchange.PaperDocument{Number: r.Number, Date: date, Kind: exchange.DocumentKind{Code: r.Kind.Code, Name: r.Kind.Name},
		Notation: r.CodeNotation, Subject: r.Subject, Signer: r.SignerName, Position: r.Position, Receivers: r.Receivers, Keeper: r.Keeper, Copies: r.Copies,
		Note: r.Remark, Channel: r.Channel, Key: keyPrefix + in.IdempotencyKey})
	if err != nil {
		return nil, err
	}
	return s.createdDocument(d), nil
}

type paperItemRequest struct {
	Number           int      `json:"number,omitempty" minimum:"1" maximum:"9999999"`
	ArrivedOn        string   `json:"arrived_on" format:"date"`
	OrganID          string   `json:"organ_id,omitempty" maxLength:"35"`
	From             string   `json:"from" minLength:"1" maxLength:"500"`
	FullNumber       string   `json:"full_number,omitempty" maxLength:"120"`
	PromulgationDate string   `json:"promulgation_date,omitempty" format:"date"`
	Kind             kindBody `json:"kind"`
	Subject          string   `json:"subject" minLength:"1" maxLength:"500"`
	SignerName       string   `json:"signer_name,omitempty" maxLength:"200"`
	Handler          string   `json:"handler,omitempty" maxLength:"500"`
	MovedOn          string   `json:"moved_on,omitempty" format:"date"`
	Remark           string   `json:"remark,omitempty" maxLength:"500"`
	Channel          string   `json:"channel" minLength:"1" maxLength:"200"`
	ActingPerson     string   `json:"acting_person,omitempty" maxLength:"200"`
}

type recordItemIn struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           paperItemRequest
}

type createdItemOut struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     itemBody
}

// recordItem enters a document that came on paper in the register.
func (s *Server) recordItem(ctx context.Context, in *recordItemIn) (*createdItemOut, error) {
	who, err := acting(ctx, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	p, err := in.Body.item()
	if err != nil {
		return nil, err
	}
	p.Key = keyPrefix + in.IdempotencyKey
	v, err := s.Inbox.Record(ctx, who, p)
	if err != nil {
		return nil, err
	}
	return &createdItemOut{Location: s.Prefix + "/v1/inbox/" + string(v.ID), ETag: etagOf(v.Version), Body: itemOf(v)}, nil
}

func (r paperItemRequest) item() (p exchange.PaperItem, err error) {
	p = exchange.PaperItem{Arrival: r.Number, From: exchange.AgencyCode(r.OrganID), FromName: r.From, Number: r.FullNumber,
		Kind: exchange.DocumentKind{Code: r.Kind.Code, Name: r.Kind.Name}, Subject: r.Subject, SignerName: r.SignerName, Handler: r.Handler,
		Note: r.Remark, Channel: r.Channel}
	if p.Arrived, err = parseDay(r.ArrivedOn, "/arrived_on"); err != nil {
		return p, err
	}
	if p.Date, err = parseDay(r.PromulgationDate, "/promulgation_date"); err != nil {
		return p, err
	}
	p.Moved, err = parseDay(r.MovedOn, "/moved_on")
	return p, err
}

type exportIn struct {
	ID   string              `path:"id"`
	Kind exchange.ExportKind `query:"kind" enum:"edxml,pdf,slip" default:"edxml"`
	PartIn
}

// exportDelivery gives a part of the package for a receiver without a channel.
func (s *Server) exportDelivery(ctx context.Context, in *exportIn) (*download, error) {
	id, err := parseID(in.ID, exchange.PrefixDelivery)
	if err != nil {
		return nil, err
	}
	e, err := s.Outbox.OpenExport(ctx, actor(ctx), id, in.Kind)
	if err != nil {
		return nil, err
	}
	return newDownload(in.PartIn, e.Body, "", e.Name, octetType)
}
