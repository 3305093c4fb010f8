package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

type inboxIn struct {
	PageIn
	SinceIn
	State exchange.InboxState `query:"state" enum:"RECEIVED,WAITING,DAMAGED,DUPLICATE,APPLIED,ACCEPTED,ASSIGNED,PROCESSING,COMPLETED,RETURNED,RECALLED"`
	Q     string              `query:"q" maxLength:"200"`
}

type itemBody struct {
	ID               exchange.ID         `json:"id"`
	State            exchange.InboxState `json:"state"`
	Label            text.Message        `json:"label"`
	Verdict          exchange.Verdict    `json:"verdict,omitempty"`
	Headline         *text.Message       `json:"headline,omitempty"`
	OrganID          exchange.AgencyCode `json:"organ_id"`
	Name             string              `json:"name,omitempty"`
	ReceivedAt       time.Time           `json:"received_at"`
	CheckedAt        time.Time           `json:"checked_at,omitzero"`
	UpdatedAt        time.Time           `json:"updated_at"`
	DocumentID       string              `json:"document_id,omitempty"`
	CodeNumber       string              `json:"code_number,omitempty"`
	CodeNotation     string              `json:"code_notation,omitempty"`
	PromulgationDate string              `json:"promulgation_date,omitempty" format:"date"`
	Kind             *kindBody           `json:"kind,omitempty"`
	Subject          string              `json:"subject,omitempty"`
	Signer           *signerBody         `json:"signer,omitempty"`
	Priority         int                 `json:"priority"`
	DueDate          string              `json:"due_date,omitempty" format:"date"`
	Attachments      []attachmentBody    `json:"attachments"`
	Message          blobBody            `json:"message"`
	TransferID       exchange.TransferID `json:"transfer_id"`
	Problem          *noteBody           `json:"problem,omitempty"`
	Blocked          *noteBody           `json:"blocked,omitempty"`
	DuplicateOf      exchange.ID         `json:"duplicate_of,omitempty"`
	ConflictsOf      exchange.ID         `json:"conflicts_of,omitempty"`
	Accepted         *factBody           `json:"accepted,omitempty"`
	ArrivalNumber    int                 `json:"arrival_number,omitempty"`
	ArrivalYear      int                 `json:"arrival_year,omitempty"`
	Assignee         string              `json:"assignee,omitempty"`
	Refused          *factBody           `json:"refused,omitempty"`
	Reason           string              `json:"reason,omitempty"`
	Recall           *recallBody         `json:"recall,omitempty"`
	Replaces         []exchange.ID       `json:"replaces,omitempty"`
	ReplacedBy       exchange.ID         `json:"replaced_by,omitempty"`
	Channel          string              `json:"channel,omitempty"`
	Business         *statusBody         `json:"business,omitempty"`
	ToldSender       *toldBody           `json:"told_sender,omitempty"`
	History          []statusBody        `json:"history"`
}

type attachmentBody struct {
	N         int              `json:"n"`
	Name      string           `json:"name"`
	MediaType string           `json:"media_type"`
	SHA256    exchange.Digest  `json:"sha256,omitempty"`
	Bytes     int64            `json:"bytes"`
	Verdict   exchange.Verdict `json:"verdict,omitempty"`
	Report    bool             `json:"report"`
	Problem   *noteBody        `json:"problem,omitempty"`
}

type toldBody struct {
	State exchange.DeliveryState `json:"state"`
	Label text.Message           `json:"label"`
}

func itemOf(v exchange.ItemView) itemBody {
	h := v.Header
	b := itemBody{ID: v.ID, State: v.State, Label: v.State.Message(), Verdict: v.Verdict, OrganID: v.From, Name: v.FromName, ReceivedAt: local(v.ReceivedAt),
		CheckedAt: local(v.CheckedAt), UpdatedAt: local(v.UpdatedAt), DocumentID: h.DocumentID, CodeNumber: h.Number, CodeNotation: h.Notation, PromulgationDate: day(h.Date),
		Subject: h.Subject, Priority: h.Priority, DueDate: day(h.DueDate), Attachments: make([]attachmentBody, len(v.Attachments)),
		Message: blobBody{SHA256: v.Raw.Digest, Bytes: v.Raw.Size}, TransferID: v.TransferID, Problem: noteOf(v.Problem), Blocked: noteOf(v.Blocked),
		DuplicateOf: v.DuplicateOf, ConflictsOf: v.ConflictsOf, Accepted: factOf(v.Accepted), ArrivalNumber: v.Arrival, ArrivalYear: v.Year,
		Assignee: v.Assignee, Refused: factOf(v.Refused), Reason: v.Reason, Recall: recallOf(v.Recall),
		Replaces: v.Replaces, ReplacedBy: v.ReplacedBy, Channel: v.Hand.Channel, Business: businessOf(v.Business), History: historyOf(v.History)}
	if v.Verdict != "" {
		headline := text.Get(text.Key("verdict." + string(v.Verdict)))
		b.Headline = &headline
	}
	if h.Kind.Name != "" {
		kind := kindOf(h.Kind)
		b.Kind = &kind
	}
	if h.SignerName != "" {
		b.Signer = &signerBody{FullName: h.SignerName, Position: h.Position}
	}
	for n, a := range v.Attachments {
		b.Attachments[n] = attachmentBody{N: n, Name: a.Name, MediaType: a.MediaType, SHA256: a.Blob.Digest, Bytes: a.Blob.Size, Verdict: a.Verdict,
			Report: !a.Report.IsZero(), Problem: noteOf(a.Problem)}
	}
	if v.Told != "" {
		b.ToldSender = &toldBody{State: v.Told, Label: v.Told.Message()}
	}
	return b
}

type itemOut struct {
	ETag string `header:"ETag"`
	Body itemBody
}

func newItem(v exchange.ItemView) *itemOut { return &itemOut{ETag: etagOf(v.Version), Body: itemOf(v)} }

type itemsOut struct {
	Body struct {
		Items []itemBody `json:"items"`
		Next  string     `json:"next,omitempty"`
	}
}

func (s *Server) inboxRoutes(b *builder) {
	register(b, route{id: "list-inbox", method: http.MethodGet, path: "/v1/inbox", tag: "inbox", scope: ScopeInboxRead}, s.listInbox)
	register(b, route{id: "get-inbox-item", method: http.MethodGet, path: "/v1/inbox/{id}", tag: "inbox", scope: ScopeInboxRead}, s.getItem)
	register(b, route{id: "inbox-edxml", method: http.MethodGet, path: "/v1/inbox/{id}/edxml", tag: "inbox", scope: ScopeInboxRead, returns: edxmlType}, s.itemEdXML)
	register(b, route{id: "inbox-attachment", method: http.MethodGet, path: "/v1/inbox/{id}/attachments/{n}", tag: "inbox", scope: ScopeInboxRead, returns: octetType}, s.itemAttachment)
	register(b, route{id: "inbox-report", method: http.MethodGet, path: "/v1/inbox/{id}/report", tag: "inbox", scope: ScopeInboxRead}, s.itemReport)
	s.decisionRoutes(b)
}

func (s *Server) listInbox(ctx context.Context, in *inboxIn) (*itemsOut, error) {
	list, err := s.Inbox.List(ctx, actor(ctx), exchange.InboxFilter{Page: in.page(), State: in.State, Text: in.Q, UpdatedAfter: in.UpdatedAfter})
	if err != nil {
		return nil, err
	}
	var out itemsOut
	out.Body.Items = []itemBody{}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, itemOf(v))
		out.Body.Next = in.next(len(list), v.ID)
	}
	return &out, nil
}

// item returns a document of the inbox; the status messages beside them are the
// gateways' own talk, and show in the histories.
func (s *Server) item(ctx context.Context, raw string) (exchange.ItemView, error) {
	id, err := parseID(raw, exchange.PrefixInbox)
	if err != nil {
		return exchange.ItemView{}, err
	}
	v, err := s.Inbox.Item(ctx, actor(ctx), id)
	if err == nil && v.Kind != exchange.KindDocument {
		err = text.Errorf(text.NotFound, nil)
	}
	return v, err
}

func (s *Server) getItem(ctx context.Context, in *IDIn) (*itemOut, error) {
	v, err := s.item(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return newItem(v), nil
}

func (s *Server) itemEdXML(ctx context.Context, in *idPart) (*download, error) {
	v, err := s.item(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Inbox.OpenRaw(ctx, actor(ctx), v.ID)
	if err != nil {
		return nil, err
	}
	return newDownload(in.PartIn, r, v.Raw.Digest, "vanban.edxml", edxmlType)
}

type attachmentIn struct {
	ID string `path:"id"`
	N  int    `path:"n" minimum:"0" maximum:"10000"`
	PartIn
}

func (s *Server) itemAttachment(ctx context.Context, in *attachmentIn) (*download, error) {
	v, err := s.item(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	a, r, err := s.Inbox.OpenAttachment(ctx, actor(ctx), v.ID, in.N)
	if err != nil {
		return nil, err
	}
	mediaType := octetType // the sender's word on the type goes out only where it is harmless
	if a.MediaType == pdfType {
		mediaType = pdfType
	}
	return newDownload(in.PartIn, r, a.Blob.Digest, a.Name, mediaType)
}

type reportIn struct {
	ID string `path:"id"`
	N  int    `query:"attachment" minimum:"-1" maximum:"10000" default:"-1"`
}

// itemReport returns the report on one attachment; without a number, on the first
// that bears the item's verdict.
func (s *Server) itemReport(ctx context.Context, in *reportIn) (*reportOut, error) {
	v, err := s.item(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	n := in.N
	if n < 0 {
		n = slices.IndexFunc(v.Attachments, func(a exchange.Attachment) bool { return !a.Report.IsZero() && a.Verdict == v.Verdict })
	}
	report, err := s.Inbox.Report(ctx, actor(ctx), v.ID, n)
	if err != nil {
		return nil, err
	}
	return newReport(report), nil
}
