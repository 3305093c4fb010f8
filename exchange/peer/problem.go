package peer

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"antin/internal/text"
)

// problem is an answer that is no receipt (RFC 9457).
type problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Code   text.Code    `json:"code"`
	Detail text.Message `json:"message"`
}

const (
	typeProblem  = "application/problem+json"
	typeReceipt  = "application/jose"
	typeTransfer = "application/vnd.antin.transfer"
	typeJSON     = "application/json"
)

// statusOf maps the closed list to HTTP. A code that is not listed is the
// server's own trouble.
func statusOf(code text.Code) int {
	switch code { //nolint:exhaustive // the codes that exchange answers to a transfer; the rest are 500
	case text.InvalidInput, text.DigestMismatch, text.EdXMLMalformed:
		return http.StatusBadRequest
	case text.NotAllowed:
		return http.StatusForbidden
	case text.NotFound:
		return http.StatusNotFound
	case text.ReplayConflict, text.StateConflict:
		return http.StatusConflict
	case text.TooLarge:
		return http.StatusRequestEntityTooLarge
	case text.NotForUs, text.ReceiverUnknown, text.PeerRefused:
		return http.StatusUnprocessableEntity
	case text.StorageFull:
		return http.StatusInsufficientStorage
	case text.PeerUnavailable, text.DatabaseUnavailable, text.BlobsUnavailable:
		return http.StatusServiceUnavailable
	case text.Interrupted:
		return http.StatusRequestTimeout
	}
	return http.StatusInternalServerError
}

// problemOf is err as a peer is told it.
func problemOf(err error) problem {
	e := text.As(err)
	status := statusOf(e.Code)
	return problem{Type: "urn:antin:problem:" + string(e.Code), Title: http.StatusText(status), Status: status, Code: e.Code, Detail: e.Message()}
}

// retryAfter is what a server in trouble asks for.
const retryAfter = 30 * time.Second

// answerProblem tells a peer what went wrong: the code and its words, never the cause.
func answerProblem(w http.ResponseWriter, err error) {
	p := problemOf(err)
	status := p.Status
	body, err := json.Marshal(p)
	if err != nil {
		status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Type", typeProblem)
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable || status == http.StatusInsufficientStorage {
		h.Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a peer that has gone asks again
}
