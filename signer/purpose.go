package signer

import "context"

// Purpose is what a signature is for: which document, and who decided that it be
// signed. A key that lives outside the process asks for it before it signs, so that
// a digest alone is never enough. The zero value is no purpose.
type Purpose struct {
	// Subject is the object that is signed, as the caller names it.
	Subject string `json:"subject"`
	// Document is the digest, in lower-case hex, of what the signature covers: what
	// the person who decided was shown.
	Document string `json:"document"`
	// Kind is the kind of act: "person", "seal" or "gateway-evidence".
	Kind string `json:"kind"`
	// Attributes are the signed attributes (a DER SET) whose hash is what the key is
	// asked to sign. They tie that hash to Document.
	Attributes []byte `json:"attributes"`
	// Approver is the person who decided.
	Approver Approver `json:"approver"`
	// Session names the login session in which that happened, never by its secret;
	// empty where there is none.
	Session string `json:"session,omitempty"`
}

// Approver is the person who decided that something be signed.
type Approver struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
}

type purposeKey struct{}

// WithPurpose returns a context that says what a key asked for with it is for.
func WithPurpose(ctx context.Context, p Purpose) context.Context {
	return context.WithValue(ctx, purposeKey{}, p)
}

// PurposeOf returns the purpose that WithPurpose put in ctx; ok is false when
// there is none.
func PurposeOf(ctx context.Context) (p Purpose, ok bool) {
	p, ok = ctx.Value(purposeKey{}).(Purpose)
	return p, ok
}
