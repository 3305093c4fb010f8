package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
)

type resultBody struct {
	ID               exchange.ID      `json:"id"`
	CreatedAt        time.Time        `json:"created_at"`
	UpdatedAt        time.Time        `json:"updated_at"`
	CreatedBy        actorBody        `json:"created_by"`
	Stage            exchange.Stage   `json:"stage" enum:"draft,awaiting_signature,signed,numbered,awaiting_seal,issued"`
	Dossier          string           `json:"dossier"`
	Procedure        string           `json:"procedure,omitempty"`
	ProcedureName    string           `json:"procedure_name,omitempty"`
	Owner            string           `json:"owner,omitempty"`
	Kind             kindBody         `json:"kind"`
	CodeNumber       string           `json:"code_number,omitempty"`
	CodeNotation     string           `json:"code_notation"`
	PromulgationDate string           `json:"promulgation_date,omitempty" format:"date"`
	Subject          string           `json:"subject"`
	Signer           *signerBody      `json:"signer,omitempty"`
	ValidUntil       string           `json:"valid_until,omitempty" format:"date"`
	VerifyCode       string           `json:"verify_code"`
	File             *blobBody        `json:"file,omitempty"`
	Verdict          exchange.Verdict `json:"verdict,omitempty"`
	Issued           *factBody        `json:"issued,omitempty"`
	Revoked          *factBody        `json:"revoked,omitempty"`
	Reason           string           `json:"reason,omitempty"`
	Replaces         exchange.ID      `json:"replaces,omitempty"`
	ReplacedBy       exchange.ID      `json:"replaced_by,omitempty"`
}

func resultOf(r exchange.Result) resultBody {
	i, f := r.Issuance, r.Form
	b := resultBody{ID: r.ID, CreatedAt: local(r.CreatedAt), UpdatedAt: local(r.UpdatedAt), CreatedBy: actorOf(r.CreatedBy), Stage: i.Stage(), Dossier: f.Dossier, Procedure: f.Procedure,
		ProcedureName: f.ProcedureName, Owner: f.Owner, Kind: kindOf(f.Kind), CodeNotation: f.Notation, PromulgationDate: day(i.Number.Date),
		Subject: f.Subject, Signer: signerOf(i.Signer), ValidUntil: day(f.ValidUntil), VerifyCode: r.Token, File: blobOf(i.Newest(), r.FileName),
		Verdict: i.Verdict, Issued: factOf(i.Issued), Revoked: factOf(r.Revoked), Reason: r.RevokeReason, Replaces: r.Replaces, ReplacedBy: r.ReplacedBy}
	if !i.Number.IsZero() {
		b.CodeNumber = i.Number.CodeNumber()
	}
	return b
}

type resultOut struct {
	ETag string `header:"ETag"`
	Body resultBody
}

type resultListIn struct {
	PageIn
	SinceIn
	Stage exchange.Stage `query:"stage" enum:"draft,awaiting_signature,signed,numbered,awaiting_seal,issued"`
	Q     string         `query:"q" maxLength:"200"`
}

type resultsOut struct {
	Body struct {
		Items []resultBody `json:"items"`
		Next  string       `json:"next,omitempty"`
	}
}

func (s *Server) resultRoutes(b *builder) {
	s.issueRoutes(b)
	s.paperRoutes(b, "results", "result")
	register(b, route{id: "list-results", method: http.MethodGet, path: "/v1/results", tag: "results", scope: ScopeResultsRead}, s.listResults)
	register(b, route{id: "get-result", method: http.MethodGet, path: "/v1/results/{id}", tag: "results", scope: ScopeResultsRead}, s.getResult)
	register(b, route{id: "delete-result", method: http.MethodDelete, path: "/v1/results/{id}", tag: "results", scope: ScopeResultsWrite,
		status: http.StatusNoContent}, s.deleteResult)
	register(b, route{id: "result-file", method: http.MethodGet, path: "/v1/results/{id}/file", tag: "results", scope: ScopeResultsRead, returns: pdfType}, s.resultFile)
}

func (s *Server) listResults(ctx context.Context, in *resultListIn) (*resultsOut, error) {
	list, err := s.Results.List(ctx, actor(ctx), exchange.ResultFilter{Page: in.page(), Stage: in.Stage, Text: in.Q, UpdatedAfter: in.UpdatedAfter})
	if err != nil {
		return nil, err
	}
	var out resultsOut
	out.Body.Items = []resultBody{}
	for _, r := range list {
		out.Body.Items = append(out.Body.Items, resultOf(r))
		out.Body.Next = in.next(len(list), r.ID)
	}
	return &out, nil
}

func (s *Server) getResult(ctx context.Context, in *IDIn) (*resultOut, error) {
	id, err := parseID(in.ID, exchange.PrefixResult)
	if err != nil {
		return nil, err
	}
	r, err := s.Results.Result(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	return &resultOut{ETag: etagOf(r.Version), Body: resultOf(r)}, nil
}

// deleteResult throws a draft away, which must be the one that the caller read.
func (s *Server) deleteResult(ctx context.Context, in *deleteIn) (*nothing, error) {
	id, err := parseID(in.ID, exchange.PrefixResult)
	if err != nil {
		return nil, err
	}
	r, err := s.Results.Result(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	if err := mustMatch(in.IfMatch, r.Version); err != nil {
		return nil, err
	}
	return &nothing{}, s.Results.Delete(ctx, actor(ctx), id, r.Version)
}

func (s *Server) resultFile(ctx context.Context, in *idPart) (*download, error) {
	id, err := parseID(in.ID, exchange.PrefixResult)
	if err != nil {
		return nil, err
	}
	r, f, err := s.Results.Open(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	return newDownload(in.PartIn, f, r.Issuance.Newest().Digest, r.FileName, pdfType)
}
