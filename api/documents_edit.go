package api

import (
	"context"
	"io"
	"net/http"

	"antin/exchange"
)

// editRequest changes the members that it holds and leaves the others. An empty
// due_date takes the date away.
type editRequest struct {
	Kind         *kindBody          `json:"kind,omitempty"`
	CodeNotation *string            `json:"code_notation,omitempty" minLength:"1" maxLength:"60"`
	Subject      *string            `json:"subject,omitempty" minLength:"1" maxLength:"500"`
	Security     *exchange.Security `json:"security,omitempty" enum:"thuong,mat,toi_mat,tuyet_mat"`
	Priority     *int               `json:"priority,omitempty" minimum:"0" maximum:"4"`
	DueDate      *string            `json:"due_date,omitempty" maxLength:"10"`
	Places       *[]string          `json:"places,omitempty" maxItems:"1000"`
	Body         *string            `json:"body,omitempty" minLength:"1" maxLength:"400000"`
	Addressees   *[]string          `json:"addressees,omitempty" maxItems:"1000"`
	Signatory    *string            `json:"signatory,omitempty" maxLength:"200"`
	File         exchange.Digest    `json:"file,omitempty" pattern:"^[0-9a-f]{64}$"`
	FileName     string             `json:"file_name,omitempty" maxLength:"255"`
}

type editIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" maxLength:"200"`
	Body    editRequest
}

func (r editRequest) edit() (e exchange.EditDocument, err error) {
	e = exchange.EditDocument{Notation: r.CodeNotation, Subject: r.Subject, Security: r.Security, Priority: r.Priority, Places: r.Places,
		Body: r.Body, Addressees: r.Addressees, Signatory: r.Signatory, FileName: r.FileName}
	if r.Kind != nil {
		e.Kind = &exchange.DocumentKind{Code: r.Kind.Code, Name: r.Kind.Name}
	}
	if r.DueDate != nil {
		due, err := parseDay(*r.DueDate, "/due_date")
		if err != nil {
			return e, err
		}
		e.DueDate = &due
	}
	return e, nil
}

func (s *Server) editRoutes(b *builder) {
	register(b, route{id: "edit-document", method: http.MethodPatch, path: "/v1/documents/{id}", tag: "documents", scope: ScopeDocumentsWrite,
		maxJSON: maxDocumentJSON}, s.editDocument)
	register(b, route{id: "delete-document", method: http.MethodDelete, path: "/v1/documents/{id}", tag: "documents", scope: ScopeDocumentsWrite,
		status: http.StatusNoContent}, s.deleteDocument)
}

type deleteIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" maxLength:"200"`
}

// nothing is the answer that has no body.
type nothing struct{}

// deleteDocument throws a draft away, which must be the one that the caller read.
func (s *Server) deleteDocument(ctx context.Context, in *deleteIn) (*nothing, error) {
	v, err := s.document(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := mustMatch(in.IfMatch, v.Version); err != nil {
		return nil, err
	}
	return &nothing{}, s.Outbox.Delete(ctx, actor(ctx), v.ID, v.Version)
}

// editDocument changes a draft, which must be the one that the caller read.
func (s *Server) editDocument(ctx context.Context, in *editIn) (*documentOut, error) {
	v, err := s.document(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := mustMatch(in.IfMatch, v.Version); err != nil {
		return nil, err
	}
	e, err := in.Body.edit()
	if err != nil {
		return nil, err
	}
	if in.Body.File != "" {
		r, err := s.uploaded(ctx, actor(ctx), in.Body.File)
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }()
		e.PDF = section(r)
	}
	d, err := s.Outbox.Edit(ctx, actor(ctx), v.ID, v.Version, e)
	if err != nil {
		return nil, err
	}
	return &documentOut{ETag: etagOf(d.Version), Body: documentOf(exchange.DocumentView{Document: d})}, nil
}

// section reads a blob from its first byte.
func section(r exchange.BlobReader) io.Reader { return io.NewSectionReader(r, 0, r.Size()) }
