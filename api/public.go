package api

import (
	"context"
	"net/http"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

type publicIn struct {
	Code string `path:"code" maxLength:"100"`
}

// publicBody is what anyone may learn who holds a result with its code: enough to
// compare with the sheet in hand, never the file, never whose it is.
type publicBody struct {
	State            string       `json:"state" enum:"issued,replaced,withdrawn"`
	Label            text.Message `json:"label"`
	Agency           string       `json:"agency"`
	Kind             string       `json:"kind"`
	CodeNumber       string       `json:"code_number"`
	CodeNotation     string       `json:"code_notation"`
	PromulgationDate string       `json:"promulgation_date" format:"date"`
	Owner            string       `json:"owner,omitempty"`
	ValidUntil       string       `json:"valid_until,omitempty" format:"date"`
	ReplacedBy       string       `json:"replaced_by,omitempty"`
	WithdrawnAt      time.Time    `json:"withdrawn_at,omitzero"`
}

type publicOut struct{ Body publicBody }

func (s *Server) publicRoutes(b *builder) {
	register(b, route{id: "public-result", method: http.MethodGet, path: "/v1/public/results/{code}", tag: "public"}, s.publicResult)
}

// publicResult answers for the code of a result's QR.
func (s *Server) publicResult(ctx context.Context, in *publicIn) (*publicOut, error) {
	r, err := s.Results.ByToken(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	if r.Agency != s.Office.Agency.Code {
		return nil, text.Errorf(text.NotFound, nil)
	}
	n := r.Issuance.Number
	b := publicBody{State: "issued", Agency: s.Office.Agency.Name, Kind: r.Form.Kind.Name, CodeNumber: n.CodeNumber(), CodeNotation: n.Notation,
		PromulgationDate: day(n.Date), Owner: exchange.MaskedName(r.Form.Owner), ValidUntil: day(r.Form.ValidUntil)}
	switch {
	case r.Revoked.Done():
		b.State, b.WithdrawnAt = "withdrawn", local(r.Revoked.At)
	case r.ReplacedBy != "":
		b.State = "replaced"
		if next, err := s.Results.Result(ctx, exchange.System(r.Agency), r.ReplacedBy); err == nil {
			b.ReplacedBy = next.Issuance.Number.String()
		}
	}
	b.Label = text.Get(text.Key("api.public." + b.State))
	return &publicOut{Body: b}, nil
}
