package api

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"antin/exchange"
	"antin/internal/text"
)

type agenciesIn struct {
	Q      string              `query:"q" maxLength:"200"`
	Limit  int                 `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor exchange.AgencyCode `query:"cursor" maxLength:"35"`
}

type agencyBody struct {
	OrganID   exchange.AgencyCode `json:"organ_id"`
	Name      string              `json:"name"`
	InCharge  string              `json:"in_charge,omitempty"`
	Address   string              `json:"address,omitempty"`
	Email     string              `json:"email,omitempty"`
	Telephone string              `json:"telephone,omitempty"`
	Website   string              `json:"website,omitempty"`
	ValidFrom time.Time           `json:"valid_from,omitzero"`
	ValidTo   time.Time           `json:"valid_to,omitzero"`
	Successor exchange.AgencyCode `json:"successor,omitempty"`
}

func agencyOf(a exchange.Agency) agencyBody {
	return agencyBody{OrganID: a.Code, Name: a.Name, InCharge: a.InCharge, Address: a.Address, Email: a.Email, Telephone: a.Telephone,
		Website: a.Website, ValidFrom: local(a.ValidFrom), ValidTo: local(a.ValidTo), Successor: a.Successor}
}

type agenciesOut struct {
	Body struct {
		Items []agencyBody        `json:"items"`
		Next  exchange.AgencyCode `json:"next,omitempty"`
	}
}

func (s *Server) agencyRoutes(b *builder) {
	register(b, route{id: "list-agencies", method: http.MethodGet, path: "/v1/agencies", tag: "agencies", scope: ScopeAgenciesRead}, s.listAgencies)
	register(b, route{id: "get-agency", method: http.MethodGet, path: "/v1/agencies/{organ_id}", tag: "agencies", scope: ScopeAgenciesRead}, s.getAgency)
	register(b, route{id: "health", method: http.MethodGet, path: "/healthz", tag: "gateway", errors: []int{http.StatusServiceUnavailable}}, s.health)
}

// listAgencies searches the directory: every word of the question must begin a
// word of the name or the identifier, whatever its case and diacritics.
func (s *Server) listAgencies(ctx context.Context, in *agenciesIn) (*agenciesOut, error) {
	all, err := s.Outbox.Directory.Agencies(ctx)
	if err != nil {
		return nil, err
	}
	words := strings.Fields(fold(in.Q))
	var out agenciesOut
	out.Body.Items = []agencyBody{}
	for _, a := range all {
		if a.Code <= in.Cursor || !matches(a, words) {
			continue
		}
		if len(out.Body.Items) == in.Limit {
			out.Body.Next = out.Body.Items[in.Limit-1].OrganID
			break
		}
		out.Body.Items = append(out.Body.Items, agencyOf(a))
	}
	return &out, nil
}

func matches(a exchange.Agency, words []string) bool {
	hay := " " + fold(string(a.Code)) + " " + strings.Join(strings.Fields(fold(a.Name+" "+a.InCharge)), " ")
	for _, w := range words {
		if !strings.Contains(hay, " "+w) {
			return false
		}
	}
	return true
}

// fold leaves of s what a search compares: lower case without diacritics. The đ is
// a letter of its own and does not decompose.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 'đ':
			b.WriteRune('d')
		case !unicode.Is(unicode.Mn, r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

type agencyIn struct {
	OrganID string `path:"organ_id" maxLength:"200"`
}

type agencyOut struct{ Body agencyBody }

func (s *Server) getAgency(ctx context.Context, in *agencyIn) (*agencyOut, error) {
	a, err := s.Outbox.Directory.Agency(ctx, exchange.AgencyCode(in.OrganID))
	if text.CodeOf(err) == text.ReceiverUnknown {
		return nil, text.Errorf(text.NotFound, err)
	}
	if err != nil {
		return nil, err
	}
	return &agencyOut{Body: agencyOf(a)}, nil
}

type healthOut struct {
	Body struct {
		Status string `json:"status" enum:"ok"`
	}
}

// health answers once the database has: it says nothing of keys, time-stamps or peers.
func (s *Server) health(ctx context.Context, _ *struct{}) (*healthOut, error) {
	if _, err := s.Outbox.List(ctx, exchange.System(s.Office.Agency.Code), exchange.DocumentFilter{Page: exchange.Page{Limit: 1}}); err != nil {
		s.report(callOf(ctx), err)
		return nil, &refusal{err: err, status: http.StatusServiceUnavailable}
	}
	var out healthOut
	out.Body.Status = "ok"
	return &out, nil
}
