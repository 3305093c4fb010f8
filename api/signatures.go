package api

import (
	"context"
	"net/http"

	"antin/exchange"
)

// signatureRequest asks for a signature on one uploaded PDF. It becomes a document
// of the agency, since nothing is signed here that no register and no evidence knows.
type signatureRequest struct {
	File         exchange.Digest `json:"file" pattern:"^[0-9a-f]{64}$"`
	FileName     string          `json:"file_name,omitempty" maxLength:"255"`
	Kind         kindBody        `json:"kind"`
	CodeNotation string          `json:"code_notation" minLength:"1" maxLength:"60"`
	Subject      string          `json:"subject" minLength:"1" maxLength:"500"`
	Signatory    string          `json:"signatory,omitempty" maxLength:"200"`
	Seal         bool            `json:"seal,omitempty"`
	ActingPerson string          `json:"acting_person,omitempty" maxLength:"200"`
}

type signatureIn struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           signatureRequest
}

func (s *Server) signatureRoutes(b *builder) {
	register(b, route{id: "create-signature", method: http.MethodPost, path: "/v1/signatures", tag: "operations", scope: ScopeSignQueue, legal: true,
		status: http.StatusAccepted, maxJSON: maxSmallJSON, errors: []int{http.StatusNotFound}}, s.createSignature)
}

// createSignature makes a document of the file and puts it before its signer; with
// Seal, it then waits for the seal as well. A repeat goes on where the first stopped.
func (s *Server) createSignature(ctx context.Context, in *signatureIn) (*operationOut, error) {
	who, err := acting(ctx, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	r, err := s.uploaded(ctx, who, in.Body.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	d, err := s.Outbox.Create(ctx, who, exchange.NewDocument{Kind: exchange.DocumentKind{Code: in.Body.Kind.Code, Name: in.Body.Kind.Name},
		Notation: in.Body.CodeNotation, Subject: in.Body.Subject, Signatory: in.Body.Signatory, PDF: section(r), FileName: in.Body.FileName,
		Key: keyPrefix + in.IdempotencyKey})
	if err != nil {
		return nil, err
	}
	kind := exchange.SigningPerson
	if in.Body.Seal {
		kind = exchange.SigningSeal
	}
	// A key of its own, which no client can choose: the first stands for the document.
	o, err := s.Press.Ask(ctx, who, d.ID, kind, keyPrefix+"ask:"+string(d.ID))
	if err != nil {
		return nil, err
	}
	return s.newOperation(o), nil
}
