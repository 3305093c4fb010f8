// Package api is the HTTP door for an agency's own systems: JSON in, one call of
// exchange or validation, JSON out, described by the OpenAPI document it serves.
//
// It decides nothing. No key signs as a person or uses the agency's seal, so there
// is no operation for either: a document is signed and sealed by people, or comes
// here finished. cmd/antin mounts Server.Handler; nothing else calls this package.
package api
