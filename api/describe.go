package api

import (
	"context"
	"net/http"

	"antin/exchange"
)

// limitsBody is what a client may send at most.
type limitsBody struct {
	RequestsPerMinute  int   `json:"requests_per_minute"`
	FileBytes          int64 `json:"file_bytes"`
	DocumentBytes      int64 `json:"document_bytes"`
	VerificationBytes  int64 `json:"verification_bytes"`
	JSONBytes          int64 `json:"json_bytes"`
	Receivers          int   `json:"receivers"`
	PageItems          int   `json:"page_items"`
	WaitSeconds        int   `json:"wait_s"`
	IdempotencyKeyDays int   `json:"idempotency_key_days"`
}

type aboutBody struct {
	Version string              `json:"version"`
	OrganID exchange.AgencyCode `json:"organ_id"`
	Agency  string              `json:"agency"`
	Limits  limitsBody          `json:"limits"`
	Links   map[string]string   `json:"links"`
}

type aboutOut struct{ Body aboutBody }

// The most of each that one request may ask for; the schemas and the exchange
// enforce them, this tells them.
const (
	maxReceivers = 1000
	maxItems     = 500
	hoursOfDay   = 24
)

func (s *Server) aboutRoutes(b *builder) {
	register(b, route{id: "about", method: http.MethodGet, path: "/v1", tag: "gateway"}, s.about)
}

// about says whose API this is and what it takes.
func (s *Server) about(context.Context, *struct{}) (*aboutOut, error) {
	return &aboutOut{Body: aboutBody{Version: version, OrganID: s.Office.Agency.Code, Agency: s.Office.Agency.Name,
		Limits: limitsBody{RequestsPerMinute: s.Limits.keyed(), FileBytes: maxFile, DocumentBytes: exchange.MaxUpload, VerificationBytes: maxVerified,
			JSONBytes: maxDocumentJSON, Receivers: maxReceivers, PageItems: maxItems, WaitSeconds: maxWait,
			IdempotencyKeyDays: int(exchange.ReplyLife.Hours()) / hoursOfDay},
		Links: map[string]string{"openapi": s.Prefix + "/openapi.json", "documentation": s.Prefix + docsPath, "errors": s.Prefix + errorCodesPath}}}, nil
}
