package text

import (
	"errors"
	"maps"
	"slices"
)

// Code is one of the closed list of error codes that the command line and the
// API share. Programs rely on the words; they are never renamed.
type Code string

// The error codes. Each has a message, a next step and an exit code in this file.
const (
	NotAPDF               Code = "not-a-pdf"
	PDFMalformed          Code = "pdf-malformed"
	PDFRepairNeeded       Code = "pdf-repair-needed"
	PasswordRequired      Code = "password-required"
	PasswordWrong         Code = "password-wrong"
	PermissionDenied      Code = "permission-denied"
	EncryptionUnsupported Code = "encryption-unsupported"
	DocMDPForbids         Code = "docmdp-forbids"
	FieldLocked           Code = "field-locked"
	FieldAlreadySigned    Code = "field-already-signed"
	FieldNotFound         Code = "field-not-found"
	SeedValueUnmet        Code = "seed-value-unmet"
	KeyLocked             Code = "key-locked"
	KeyNotFound           Code = "key-not-found"
	CertificateExpired    Code = "certificate-expired"
	CertificateRevoked    Code = "certificate-revoked"
	CertificateMismatch   Code = "certificate-mismatch"
	CertificateUntrusted  Code = "certificate-untrusted"
	TSAUnavailable        Code = "tsa-unavailable"
	RevocationUnavailable Code = "revocation-unavailable"
	GlyphMissing          Code = "glyph-missing"
	LimitExceeded         Code = "limit-exceeded"
	OutputExists          Code = "output-exists"
	StorageFull           Code = "storage-full"
	DatabaseUnavailable   Code = "database-unavailable"
	BlobsUnavailable      Code = "blobs-unavailable"
	ReceiverUnknown       Code = "receiver-unknown"
	NotForUs              Code = "not-for-us"
	EdXMLMalformed        Code = "edxml-malformed"
	TooLarge              Code = "too-large"
	SignatureRequired     Code = "signature-required"
	SelfCheckFailed       Code = "self-check-failed"
	DigestMismatch        Code = "digest-mismatch"
	PeerRefused           Code = "peer-refused"
	PeerUnavailable       Code = "peer-unavailable"
	ReplayConflict        Code = "replay-conflict"
	StateConflict         Code = "state-conflict"
	NotFound              Code = "not-found"
	NotAllowed            Code = "not-allowed"
	InvalidInput          Code = "invalid-input"
	FileUnreadable        Code = "file-unreadable"
	Interrupted           Code = "interrupted"
	Internal              Code = "internal"
	IdempotencyKeyReused  Code = "idempotency-key-reused"
	InProgress            Code = "in-progress"
	PreconditionFailed    Code = "precondition-failed"
	PreconditionRequired  Code = "precondition-required"
	RateLimited           Code = "rate-limited"
	LoginFailed           Code = "login-failed"
	LockedOut             Code = "locked-out"
	SessionExpired        Code = "session-expired"
	ConfigInvalid         Code = "config-invalid"
	DatabaseNewer         Code = "database-newer"
	DataInUse             Code = "data-in-use"
	SandboxCertificate    Code = "sandbox-certificate"
	NumberTaken           Code = "number-taken"
	KeyUnavailable        Code = "key-unavailable"
	TokenAbsent           Code = "token-absent"
	SignatureLost         Code = "signature-lost"
	NoChannel             Code = "no-channel"
	DocumentChanged       Code = "document-changed"
)

type codeEntry struct {
	exit    int
	message Message
	fix     Message
}

// Error is an error meant for a person: a code of the closed list, the values
// its message names, and the cause for the log. Message and Fix speak; the cause
// is never shown to a user.
type Error struct {
	Code Code
	// Detail, where set, is one more sentence about this very case: the field,
	// the line, the limit.
	Detail Message
	// Next, where set, takes the place of the code's own advice.
	Next Message
	Err  error
}

// Errorf returns an *Error of code caused by err (which may be nil), with no detail.
func Errorf(code Code, err error) *Error { return &Error{Code: code, Err: err} }

// Detailed returns an *Error of code caused by err whose detail is the catalogue
// entry key with args.
func Detailed(code Code, err error, key Key, args ...any) *Error {
	return &Error{Code: code, Detail: Get(key, args...), Err: err}
}

// WithNext sets what to do next to the catalogue entry key with args, and returns e.
func (e *Error) WithNext(key Key, args ...any) *Error {
	e.Next = Get(key, args...)
	return e
}

// Error implements error in English, for logs.
func (e *Error) Error() string {
	s := string(e.Code)
	if !e.Detail.IsZero() {
		s += ": " + e.Detail.EN
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Code: c}) match on the code alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Err == nil && t.Detail.IsZero()
}

// Message is what happened, in both languages.
func (e *Error) Message() Message {
	m := e.Code.entry().message
	if !e.Detail.IsZero() {
		m.VI += " " + e.Detail.VI
		m.EN += " " + e.Detail.EN
	}
	return m
}

// Fix is what to do next, in both languages.
func (e *Error) Fix() Message {
	if !e.Next.IsZero() {
		return e.Next
	}
	return e.Code.entry().fix
}

// Exit is the process exit code of c by the contract.
func (c Code) Exit() int { return c.entry().exit }

// Known reports whether c is in the closed list.
func (c Code) Known() bool { _, ok := codes[c]; return ok }

// Codes returns the closed list, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(codes)) }

func (c Code) entry() codeEntry {
	if e, ok := codes[c]; ok {
		return e
	}
	return codes[Internal]
}

// As returns the first *Error in err's chain; an err that holds none becomes an
// Internal error with err as its cause. As(nil) is nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Err: err}
}

// CodeOf returns the code of err, "" for nil and Internal for an unknown error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return As(err).Code
}
