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
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           documentRequest
}

type documentsIn struct {
	PageIn
	SinceIn
	Stage exchange.Stage `query:"stage" enum:"draft,awaiting_signature,signed,numbered,awaiting_seal,issued"`
	Q     string         `query:"q" maxLength:"200"`
}

// idPart names an object of which a file, or a part of it, is wanted.
type idPart struct {
	IDIn
	PartIn
}

type documentBody struct {
	ID               exchange.ID       `json:"id"`
	CreatedAt        time.Time         `json:"created_at"`
	UpdatedAt        time.Time         `json:"updated_at"`
	CreatedBy        actorBody         `json:"created_by"`
	Stage            exchange.Stage    `json:"stage" enum:"draft,awaiting_signature,signed,numbered,awaiting_seal,issued"`
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
	Replaces         exchange.ID       `json:"replaces,omitempty"`
	ReplacedBy       exchange.ID       `json:"replaced_by,omitempty"`
	Channel          string            `json:"channel,omitempty"`
	Deliveries       []deliveryBody    `json:"deliveries"`
}

func documentOf(v exchange.DocumentView) documentBody {
	i := v.Issuance
	b := documentBody{ID: v.ID, CreatedAt: local(v.CreatedAt), UpdatedAt: local(v.UpdatedAt), CreatedBy: actorOf(v.CreatedBy), Stage: i.Stage(), Kind: kindOf(v.Kind),
		CodeNotation: v.Notation, PromulgationDate: day(i.Number.Date), DocumentID: v.DocumentID, Subject: v.Subject,
		Signer: signerOf(i.Signer), Security: v.Security, Priority: v.Priority, DueDate: day(v.DueDate), Places: append([]string{}, v.Places...),
		File: blobOf(i.Newest(), v.FileName), Verdict: i.Verdict, Imported: v.Imported, Issued: factOf(i.Issued), Sent: factOf(v.Sent),
		Replaces: v.Replaces, ReplacedBy: v.ReplacedBy, Channel: v.Hand.Channel,
		Deliveries: deliveriesOf(v.Deliveries)}
	if !i.Number.IsZero() {
		b.CodeNumber = i.Number.CodeNumber()
	}
	return b
}

type createdDocumentOut struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     documentBody
}

type documentOut struct {
	ETag string `header:"ETag"`
	Body documentBody
}

type documentsOut struct {
	Body struct {
		Items []documentBody `json:"items"`
		Next  string         `json:"next,omitempty"`
	}
}

func (s *Server) documentRoutes(b *builder) {
	s.editRoutes(b)
	s.correctionRoutes(b)
	s.recordRoutes(b)
	s.paperRoutes(b, "documents", "document")
	register(b, route{id: "create-document", method: http.MethodPost, path: "/v1/documents", tag: "documents", scope: ScopeDocumentsWrite, keyed: true,
		status: http.StatusCreated, maxJSON: maxDocumentJSON, errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}}, s.createDocument)
	register(b, route{id: "list-documents", method: http.MethodGet, path: "/v1/documents", tag: "documents", scope: ScopeDocumentsRead}, s.listDocuments)
	register(b, route{id: "get-document", method: http.MethodGet, path: "/v1/documents/{id}", tag: "documents", scope: ScopeDocumentsRead}, s.getDocument)
	register(b, route{id: "document-file", method: http.MethodGet, path: "/v1/documents/{id}/file", tag: "documents", scope: ScopeDocumentsRead, returns: pdfType}, s.documentFile)
	register(b, route{id: "document-edxml", method: http.MethodGet, path: "/v1/documents/{id}/edxml", tag: "documents", scope: ScopeDocumentsRead, returns: edxmlType}, s.documentEdXML)
	register(b, route{id: "document-timeline", method: http.MethodGet, path: "/v1/documents/{id}/timeline", tag: "documents", scope: ScopeDocumentsRead}, s.documentTimeline)
}

func (s *Server) createDocument(ctx context.Context, in *createDocumentIn) (*createdDocumentOut, error) {
	who, req, done, err := s.newDocument(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	defer done()
	req.Key = keyPrefix + in.IdempotencyKey
	d, err := s.Outbox.Create(ctx, who, req)
	if err != nil {
		return nil, err
	}
	return s.createdDocument(d), nil
}

func (s *Server) createdDocument(d exchange.Document) *createdDocumentOut {
	return &createdDocumentOut{Location: s.Prefix + "/v1/documents/" + string(d.ID), ETag: etagOf(d.Version), Body: documentOf(exchange.DocumentView{Document: d})}
}

// newDocument is what b asks for, and who asks. done closes the file that it reads.
func (s *Server) newDocument(ctx context.Context, b documentRequest) (who exchange.Actor, req exchange.NewDocument, done func(), err error) {
	who = actor(ctx)
	if b.Final != nil || b.ActingPerson != "" { // a draft has no legal effect
		if who, err = acting(ctx, b.ActingPerson); err != nil {
			return who, req, nil, err
		}
	}
	if req, err = b.request(); err != nil {
		return who, req, nil, err
	}
	done = func() {}
	if b.File == "" {
		return who, req, done, nil
	}
	r, err := s.uploaded(ctx, who, b.File)
	if err != nil {
		return who, req, nil, err
	}
	req.PDF = io.NewSectionReader(r, 0, r.Size())
	return who, req, func() { _ = r.Close() }, nil
}

// uploaded opens a file that a request names by digest in its member "file".
func (s *Server) uploaded(ctx context.Context, who exchange.Actor, d exchange.Digest) (exchange.BlobReader, error) {
	r, err := s.Files.Open(ctx, who, d)
	if text.CodeOf(err) == text.NotFound {
		return nil, &refusal{err: err, fields: []fault{newFault("/file", faultValue)}}
	}
	return r, err
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

func (s *Server) listDocuments(ctx context.Context, in *documentsIn) (*documentsOut, error) {
	list, err := s.Outbox.List(ctx, actor(ctx), exchange.DocumentFilter{Page: in.page(), Stage: in.Stage, Text: in.Q, UpdatedAfter: in.UpdatedAfter})
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
	return s.Outbox.Document(ctx, actor(ctx), id)
}

func (s *Server) getDocument(ctx context.Context, in *IDIn) (*documentOut, error) {
	v, err := s.document(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &documentOut{ETag: etagOf(v.Version), Body: documentOf(v)}, nil
}

func (s *Server) documentFile(ctx context.Context, in *idPart) (*download, error) {
	id, err := parseID(in.ID, exchange.PrefixDocument)
	if err != nil {
		return nil, err
	}
	d, r, err := s.Outbox.Open(ctx, actor(ctx), id, exchange.FileNewest)
	if err != nil {
		return nil, err
	}
	return newDownload(in.PartIn, r, d.Issuance.Newest().Digest, d.FileName, pdfType)
}

// edxmlType is the media type of an edXML message.
const edxmlType = "application/edxml+xml"

func (s *Server) documentEdXML(ctx context.Context, in *idPart) (*download, error) {
	id, err := parseID(in.ID, exchange.PrefixDocument)
	if err != nil {
		return nil, err
	}
	d, r, err := s.Outbox.Open(ctx, actor(ctx), id, exchange.FileMessage)
	if err != nil {
		return nil, err
	}
	return newDownload(in.PartIn, r, d.Message.Digest, "vanban.edxml", edxmlType)
}

func (s *Server) documentTimeline(ctx context.Context, in *IDIn) (*timelineOut, error) {
	id, err := parseID(in.ID, exchange.PrefixDocument)
	if err != nil {
		return nil, err
	}
	events, err := s.Evidence.Timeline(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	var out timelineOut
	out.Body.Items = eventsOf(events)
	return &out, nil
}
