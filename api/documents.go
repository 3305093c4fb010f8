package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// maxDocumentJSON is the longest request for a document, in bytes: the plain text
// of the longest document composed here, with room for escapes.
const maxDocumentJSON = 4 << 20

// maxSmallJSON bounds every other JSON body, in bytes: a thousand receivers.
const maxSmallJSON = 256 << 10

type documentRequest struct {
	Kind         kindBody          `json:"kind"`
	CodeNotation string            `json:"code_notation" minLength:"1" maxLength:"60"`
	Subject      string            `json:"subject" minLength:"1" maxLength:"500"`
	Security     exchange.Security `json:"security,omitempty" enum:"thuong,mat,toi_mat,tuyet_mat"`
	Priority     int               `json:"priority,omitempty" minimum:"0" maximum:"4"`
	DueDate      string            `json:"due_date,omitempty" format:"date"`
	Places       []string          `json:"places,omitempty" maxItems:"1000"`
	Body         string            `json:"body,omitempty" maxLength:"400000"`
	Addressees   []string          `json:"addressees,omitempty" maxItems:"1000"`
	Signatory    string            `json:"signatory,omitempty" maxLength:"200"`
	File         exchange.Digest   `json:"file,omitempty" pattern:"^[0-9a-f]{64}$"`
	FileName     string            `json:"file_name,omitempty" maxLength:"255"`
	Final        *finalRequest     `json:"final,omitempty"`
	ActingPerson string            `json:"acting_person,omitempty" maxLength:"200"`
}

type finalRequest struct {
	CodeNumber       string `json:"code_number" pattern:"^[0-9]{1,9}$"`
	PromulgationDate string `json:"promulgation_date" format:"date"`
	Confirmed        bool   `json:"confirmed,omitempty"`
}

type createDocumentIn struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" maxLength:"200"`
	Body           documentRequest
}

type documentBody struct {
	ID               exchange.ID       `json:"id"`
	CreatedAt        time.Time         `json:"created_at"`
	CreatedBy        actorBody         `json:"created_by"`
	Stage            exchange.Stage    `json:"stage" enum:"draft,signed,numbered,issued"`
	Kind             kindBody          `json:"kind"`
	CodeNumber       string            `json:"code_number,omitempty"`
	CodeNotation     string            `json:"code_notation"`
	PromulgationDate string            `json:"promulgation_date,omitempty" format:"date"`
	DocumentID       string            `json:"document_id,omitempty"`
	Subject          string            `json:"subject"`
	Signer           *signerBody       `json:"signer,omitempty"`
	Security         exchange.Security `json:"security"`
	Priority         int               `json:"priority"`
	DueDate          string            `json:"due_date,omitempty" format:"date"`
	Places           []string          `json:"places"`
	File             *blobBody         `json:"file,omitempty"`
	Verdict          exchange.Verdict  `json:"verdict,omitempty"`
	Imported         bool              `json:"imported"`
	Issued           *factBody         `json:"issued,omitempty"`
	Sent             *factBody         `json:"sent,omitempty"`
	Deliveries       []deliveryBody    `json:"deliveries"`
}

func documentOf(v exchange.DocumentView) documentBody {
	i := v.Issuance
	b := documentBody{ID: v.ID, CreatedAt: local(v.CreatedAt), CreatedBy: actorOf(v.CreatedBy), Stage: i.Stage(), Kind: kindOf(v.Kind),
		CodeNotation: v.Notation, PromulgationDate: day(i.Number.Date), DocumentID: v.DocumentID, Subject: v.Subject,
		Signer: signerOf(i.Signer), Security: v.Security, Priority: v.Priority, DueDate: day(v.DueDate), Places: append([]string{}, v.Places...),
		File: blobOf(i.Newest(), v.FileName), Verdict: i.Verdict, Imported: v.Imported, Issued: factOf(i.Issued), Sent: factOf(v.Sent),
		Deliveries: deliveriesOf(v.Deliveries)}
	if !i.Number.IsZero() {
		b.CodeNumber = i.Number.CodeNumber()
	}
	return b
}

type createdDocumentOut struct {
	Location string `header:"Location"`
	Body     documentBody
}

type documentOut struct{ Body documentBody }

type documentsOut struct {
	Body struct {
		Items []documentBody `json:"items"`
		Next  string         `json:"next,omitempty"`
	}
}

func (s *Server) documentRoutes(b *builder) {
	register(b, route{id: "create-document", method: http.MethodPost, path: "/v1/documents", tag: "documents", scope: ScopeDocumentsWrite, legal: true,
		status: http.StatusCreated, maxJSON: maxDocumentJSON, errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}}, s.createDocument)
	register(b, route{id: "list-documents", method: http.MethodGet, path: "/v1/documents", tag: "documents", scope: ScopeDocumentsRead}, s.listDocuments)
	register(b, route{id: "get-document", method: http.MethodGet, path: "/v1/documents/{id}", tag: "documents", scope: ScopeDocumentsRead}, s.getDocument)
	register(b, route{id: "document-file", method: http.MethodGet, path: "/v1/documents/{id}/file", tag: "documents", scope: ScopeDocumentsRead, returns: pdfType}, s.documentFile)
	register(b, route{id: "document-edxml", method: http.MethodGet, path: "/v1/documents/{id}/edxml", tag: "documents", scope: ScopeDocumentsRead, returns: edxmlType}, s.documentEdXML)
	register(b, route{id: "document-timeline", method: http.MethodGet, path: "/v1/documents/{id}/timeline", tag: "documents", scope: ScopeDocumentsRead}, s.documentTimeline)
}

func (s *Server) createDocument(ctx context.Context, in *createDocumentIn) (*createdDocumentOut, error) {
	who := actor(ctx, in.Body.ActingPerson)
	req, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	req.Key = keyPrefix + in.IdempotencyKey
	if in.Body.File != "" {
		r, err := s.Files.Open(ctx, who, in.Body.File)
		if text.CodeOf(err) == text.NotFound {
			return nil, &refusal{err: err, fields: []fault{newFault("/file", faultValue)}}
		}
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }()
		req.PDF = io.NewSectionReader(r, 0, r.Size())
	}
	d, err := s.Outbox.Create(ctx, who, req)
	if err != nil {
		return nil, err
	}
	return &createdDocumentOut{Location: s.Prefix + "/v1/documents/" + string(d.ID), Body: documentOf(exchange.DocumentView{Document: d})}, nil
}

// request turns the body into what exchange takes. What exchange checks itself is
// left to it.
func (b documentRequest) request() (req exchange.NewDocument, err error) {
	req = exchange.NewDocument{Kind: exchange.DocumentKind{Code: b.Kind.Code, Name: b.Kind.Name}, Notation: b.CodeNotation, Subject: b.Subject,
		Security: b.Security, Priority: b.Priority, Places: b.Places, Body: b.Body, Addressees: b.Addressees, Signatory: b.Signatory, FileName: b.FileName}
	switch {
	case (b.File == "") == (b.Body == ""):
		return req, &refusal{err: text.Detailed(text.InvalidInput, nil, "api.file-or-body"), fields: []fault{newFault("/file", faultRequired), newFault("/body", faultRequired)}}
	case b.Final != nil && b.File == "":
		return req, invalid("/file", faultRequired)
	}
	if req.DueDate, err = parseDay(b.DueDate, "/due_date"); err != nil {
		return req, err
	}
	if b.Final == nil {
		return req, nil
	}
	seq, err := strconv.Atoi(b.Final.CodeNumber)
	if err != nil || seq <= 0 {
		return req, invalid("/final/code_number", faultValue)
	}
	date, err := parseDay(b.Final.PromulgationDate, "/final/promulgation_date")
	req.Final, req.Confirmed = &exchange.Number{Seq: seq, Date: date}, b.Final.Confirmed
	return req, err
}

func (s *Server) listDocuments(ctx context.Context, in *pageIn) (*documentsOut, error) {
	page, err := in.page(exchange.PrefixDocument)
	if err != nil {
		return nil, err
	}
	list, err := s.Outbox.List(ctx, actor(ctx, ""), page)
	if err != nil {
		return nil, err
	}
	var out documentsOut
	out.Body.Items = []documentBody{}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, documentOf(v))
		out.Body.Next = in.next(len(list), v.ID)
	}
	return &out, nil
}

func (s *Server) document(ctx context.Context, raw string) (exchange.DocumentView, error) {
	id, err := parseID(raw, exchange.PrefixDocument)
	if err != nil {
		return exchange.DocumentView{}, err
	}
	return s.Outbox.Document(ctx, actor(ctx, ""), id)
}

func (s *Server) getDocument(ctx context.Context, in *idIn) (*documentOut, error) {
	v, err := s.document(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &documentOut{Body: documentOf(v)}, nil
}

func (s *Server) documentFile(ctx context.Context, in *idIn) (*download, error) {
	id, err := parseID(in.ID, exchange.PrefixDocument)
	if err != nil {
		return nil, err
	}
	d, r, err := s.Outbox.Open(ctx, actor(ctx, ""), id, exchange.FileNewest)
	if err != nil {
		return nil, err
	}
	return newDownload(r, d.Issuance.Newest().Digest, d.FileName, pdfType), nil
}

// edxmlType is the media type of an edXML message.
const edxmlType = "application/edxml+xml"

func (s *Server) documentEdXML(ctx context.Context, in *idIn) (*download, error) {
	id, err := parseID(in.ID, exchange.PrefixDocument)
	if err != nil {
		return nil, err
	}
	d, r, err := s.Outbox.Open(ctx, actor(ctx, ""), id, exchange.FileMessage)
	if err != nil {
		return nil, err
	}
	return newDownload(r, d.Message.Digest, "vanban.edxml", edxmlType), nil
}

type eventBody struct {
	Seq     int64               `json:"seq"`
	At      time.Time           `json:"at"`
	Kind    exchange.EventKind  `json:"kind"`
	Message text.Message        `json:"message"`
	Subject exchange.ID         `json:"subject_id"`
	By      actorBody           `json:"by"`
	Peer    exchange.AgencyCode `json:"organ_id,omitempty"`
	SHA256  exchange.Digest     `json:"sha256,omitempty"`
	Data    map[string]string   `json:"data,omitempty"`
	Hash    exchange.Digest     `json:"hash"`
}

type timelineOut struct {
	Body struct {
		Items []eventBody `json:"items"`
	}
}

func (s *Server) documentTimeline(ctx context.Context, in *idIn) (*timelineOut, error) {
	id, err := parseID(in.ID, exchange.PrefixDocument)
	if err != nil {
		return nil, err
	}
	events, err := s.Evidence.Timeline(ctx, actor(ctx, ""), id)
	if err != nil {
		return nil, err
	}
	var out timelineOut
	out.Body.Items = make([]eventBody, len(events))
	for i, e := range events {
		out.Body.Items[i] = eventBody{Seq: e.Seq, At: local(e.At), Kind: e.Kind, Message: e.Message(), Subject: e.Subject, By: actorOf(e.By),
			Peer: e.Peer, SHA256: e.Digest, Data: e.Data, Hash: e.Hash}
	}
	return &out, nil
}
