package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"antin/exchange"
	"antin/internal/text"
)

// Problem is the body of every answer that is not a success: RFC 9457 with the
// closed list's code, what to do next, and the id under which the log has the rest.
type Problem struct {
	Type   string    `json:"type" format:"uri-reference"`
	Title  string    `json:"title"`
	Status int       `json:"status"`
	Detail string    `json:"detail"`
	Code   text.Code `json:"code"`
	// Errors names the members of the request that are wrong; empty when none is.
	Errors  []FieldProblem `json:"errors"`
	Fix     string         `json:"fix"`
	Retry   Retry          `json:"retry"`
	TraceID string         `json:"trace_id"`

	header http.Header
	lang   text.Lang
}

// FieldProblem is one thing wrong with one part of the request.
type FieldProblem struct {
	// Pointer is a JSON pointer (RFC 6901) into the body, or "header/NAME",
	// "query/NAME" or "path/NAME".
	Pointer string `json:"pointer"`
	Code    string `json:"code" enum:"required,unknown,value"`
	Detail  string `json:"detail"`
}

// Retry says whether the same request may be sent again, unchanged, with hope.
type Retry struct {
	Safe   bool `json:"safe"`
	AfterS int  `json:"after_s"` // seconds to wait; 0 when no time is known
}

// Error implements error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus makes huma answer with the problem's status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders makes huma send the problem's headers.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType makes huma name the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return problemType }

const (
	problemType = "application/problem+json"
	// problemDocs is the page of the documentation that lists the codes.
	problemDocs = errorCodesPath + "#"
	// retryAfter is what a client is asked to wait when something outside is down, in
	// seconds: about the time in which our own lanes try again.
	retryAfter = 30
	// maxFieldProblems and maxPointer bound what an answer repeats of a request.
	maxFieldProblems = 50
	maxPointer       = 200
)

// statuses says which HTTP status each code has. internal stands for what is not listed.
var statuses = map[text.Code]int{
	text.NotAPDF: 422, text.PDFMalformed: 422, text.PDFRepairNeeded: 422, text.PasswordRequired: 422, text.PasswordWrong: 422,
	text.PermissionDenied: 422, text.EncryptionUnsupported: 422, text.DocMDPForbids: 422, text.FieldLocked: 422,
	text.FieldAlreadySigned: 409, text.FieldNotFound: 422, text.SeedValueUnmet: 422, text.KeyLocked: 409, text.KeyNotFound: 422,
	text.CertificateExpired: 422, text.CertificateRevoked: 422, text.CertificateMismatch: 422, text.CertificateUntrusted: 422,
	text.TSAUnavailable: 503, text.RevocationUnavailable: 503, text.GlyphMissing: 422, text.LimitExceeded: 422,
	text.OutputExists: 409, text.StorageFull: 503, text.DatabaseUnavailable: 503, text.BlobsUnavailable: 503, text.ReceiverUnknown: 422, text.NotForUs: 422, text.EdXMLMalformed: 422,
	text.TooLarge: 413, text.SignatureRequired: 422, text.SelfCheckFailed: 500, text.DigestMismatch: 422, text.PeerRefused: 409,
	text.PeerUnavailable: 503, text.ReplayConflict: 422, text.StateConflict: 409, text.NotFound: 404, text.NotAllowed: 403,
	text.InvalidInput: 422, text.FileUnreadable: 400,
	text.IdempotencyKeyReused: 422, text.InProgress: 409, text.PreconditionFailed: 412, text.PreconditionRequired: 428, text.RateLimited: 429,
	text.LoginFailed: 401, text.LockedOut: 429, text.SessionExpired: 401, text.ConfigInvalid: 422, text.DatabaseNewer: 409, text.DataInUse: 409,
	text.SandboxCertificate: 422, text.NumberTaken: 409, text.KeyUnavailable: 503, text.TokenAbsent: 503, text.SignatureLost: 503, text.NoChannel: 422, text.DocumentChanged: 409,
	text.Interrupted: 503, text.Internal: 500,
}

// statusOf returns the HTTP status of a code.
func statusOf(c text.Code) int {
	if s, ok := statuses[c]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// refusal is an error that knows more than its code: a status of its own, the
// members it is about, or headers.
type refusal struct {
	err    error
	status int // 0: that of the code
	fields []fault
	header http.Header
	// retryAfter is what to wait, in seconds, before the same request may be sent
	// again; 0 when that does not depend on time.
	retryAfter int
}

// fault is a FieldProblem before it is put into words.
type fault struct {
	pointer string
	code    string
	detail  text.Message
}

// Error implements error.
func (r *refusal) Error() string { return r.err.Error() }

// Unwrap returns the coded error.
func (r *refusal) Unwrap() error { return r.err }

// The codes of FieldProblem.
const (
	faultRequired = "required"
	faultUnknown  = "unknown"
	faultValue    = "value"
)

func newFault(pointer, code string) fault {
	return fault{pointer: pointer, code: code, detail: text.Get(text.Key("api.fault." + code))}
}

// badRequest is invalid-input under status 400: the request could not be read at all.
func badRequest(pointer string, key text.Key, args ...any) error {
	e := text.Detailed(text.InvalidInput, nil, key, args...)
	return &refusal{err: e, status: http.StatusBadRequest, fields: []fault{{pointer: pointer, code: faultValue, detail: e.Detail}}}
}

// invalid is invalid-input about one member.
func invalid(pointer, code string) error {
	return &refusal{err: text.Errorf(text.InvalidInput, nil), fields: []fault{newFault(pointer, code)}}
}

// problem puts err into the shape and language of the answer to the request of
// ctx. What the closed list has no code for is 500 with its text hidden, and goes
// to OnError with the trace id.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	c := callOf(ctx)
	e := text.As(err)
	if e.Code == text.ReplayConflict { // the acts' own word for a key that stands for another request
		e = text.Errorf(text.IdempotencyKeyReused, err)
	}
	if e.Code == text.Internal && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		e = text.Errorf(text.Interrupted, err)
	}
	p := &Problem{Type: s.Prefix + problemDocs + string(e.Code), Title: text.Errorf(e.Code, nil).Message().In(c.lang), Status: statusOf(e.Code),
		Detail: e.Message().In(c.lang), Code: e.Code, Errors: []FieldProblem{}, Fix: e.Fix().In(c.lang), TraceID: c.trace,
		header: http.Header{}, lang: c.lang}
	faults := exchangeFaults(e)
	var r *refusal
	if errors.As(err, &r) {
		if r.status != 0 {
			p.Status = r.status
		}
		if r.header != nil {
			p.header = r.header.Clone()
		}
		p.Retry.AfterS = r.retryAfter
		faults = append(faults, r.fields...)
	}
	var stale *exchange.StaleError
	if errors.As(err, &stale) && p.header.Get("Etag") == "" {
		p.header.Set("Etag", etagOf(stale.Have))
		faults = append(faults, newFault("header/If-Match", faultValue))
	}
	for _, f := range faults[:min(len(faults), maxFieldProblems)] {
		p.Errors = append(p.Errors, FieldProblem{Pointer: clip(f.pointer), Code: f.code, Detail: f.detail.In(c.lang)})
	}
	p.Retry.Safe = p.Status >= http.StatusInternalServerError || p.Status == http.StatusRequestTimeout || p.Retry.AfterS > 0
	if p.Status == http.StatusServiceUnavailable {
		p.Retry.AfterS = retryAfter
	}
	if p.Retry.AfterS > 0 {
		p.header.Set("Retry-After", strconv.Itoa(p.Retry.AfterS))
	}
	if p.Status == http.StatusInternalServerError {
		s.report(c, err)
	}
	return p
}

// exchangeFields says where the fields that exchange names stand in our bodies.
var exchangeFields = map[string]string{
	"subject": "/subject", "notation": "/code_notation", "body": "/body", "kind": "/kind/name", "file_name": "/file_name",
	"priority": "/priority", "places": "/places", "signatory": "/signatory", "final": "/final", "security": "/security",
	"to": "/to", "reason": "/reason", "assignee": "/assignee", "acting_person": "/acting_person", "how": "/how", "at": "/at", "number": "/number",
	"first": "/first", "year": "/year", "book": "path/register", "dossier": "/dossier", "procedure": "/procedure", "owner": "/owner",
	"addressees": "/addressees", "due_date": "/due_date", "name": "query/name", "channel": "/channel",
}

// exchangeFaults returns where the field stands that e, when it is exchange's
// refusal of a field, is about.
func exchangeFaults(e *text.Error) []fault {
	if e.Code != text.InvalidInput || e.Detail.IsZero() {
		return nil
	}
	for field, pointer := range exchangeFields {
		if e.Detail == text.Get("exchange.field", field) {
			return []fault{newFault(pointer, faultValue)}
		}
	}
	return nil
}

// inside moves the places that err names into the member that the faulty part is.
func inside(member string, err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	moved := *r
	moved.fields = nil
	for _, f := range r.fields {
		if f.pointer == "" || f.pointer[0] == '/' {
			f.pointer = member + f.pointer
		}
		moved.fields = append(moved.fields, f)
	}
	return &moved
}

// part is inside for what exchange refuses of the part of a request that stands in
// member; the reason stands beside it.
func part(member string, err error) error {
	e := text.As(err)
	if e == nil {
		return err
	}
	fields := exchangeFaults(e)
	if len(fields) == 0 || fields[0].pointer == exchangeFields["reason"] {
		return err
	}
	return inside(member, &refusal{err: err, fields: fields})
}

// clip bounds what an answer repeats of a request, without cutting a letter.
func clip(s string) string {
	if len(s) <= maxPointer {
		return s
	}
	n := maxPointer
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// transform turns huma's own errors into problems, and is where a problem's
// language is named.
func (s *Server) transform(ctx huma.Context, _ string, v any) (any, error) {
	if m, ok := v.(*huma.ErrorModel); ok {
		v = s.problem(ctx.Context(), fromHuma(m))
	}
	if p, ok := v.(*Problem); ok {
		ctx.SetHeader("Content-Language", string(p.lang))
	}
	return v, nil
}

// fromHuma returns what a refusal of huma's means in our words. The status has
// been settled by then.
func fromHuma(m *huma.ErrorModel) error {
	r := &refusal{err: text.Errorf(text.InvalidInput, nil), status: m.Status}
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		r.err = text.Errorf(text.TooLarge, nil)
	case http.StatusUnsupportedMediaType:
		r.err = text.Detailed(text.InvalidInput, nil, "api.media-type", jsonType)
	case http.StatusInternalServerError:
		var causes []error
		for _, d := range m.Errors {
			causes = append(causes, d)
		}
		r.err = text.Errorf(text.Internal, errors.Join(append(causes, m)...))
		return r
	}
	for _, d := range m.Errors {
		r.fields = append(r.fields, humaFault(d))
	}
	return r
}

// humaFault says where and of what kind a schema violation is. Neither the value
// nor the schema's English goes out.
func humaFault(d *huma.ErrorDetail) fault {
	place, rest, _ := strings.Cut(d.Location, ".")
	if place != "body" {
		return newFault(place+"/"+rest, paramFault(d.Message))
	}
	pointer := jsonPointer(rest)
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name = strings.TrimSuffix(name, " to be present")
		return newFault(pointer+"/"+name, faultRequired)
	}
	if strings.HasPrefix(d.Message, "unexpected property") {
		return newFault(pointer, faultUnknown)
	}
	return newFault(pointer, faultValue)
}

func paramFault(message string) string {
	switch {
	case strings.HasPrefix(message, "required"):
		return faultRequired
	case strings.HasPrefix(message, "unknown"):
		return faultUnknown
	}
	return faultValue
}

// jsonPointer turns "to[0].organ_id" into "/to/0/organ_id".
func jsonPointer(path string) string {
	if path == "" {
		return ""
	}
	path = pointerEscape.Replace(path)
	return "/" + strings.NewReplacer("[", "/", "]", "", ".", "/").Replace(path)
}
