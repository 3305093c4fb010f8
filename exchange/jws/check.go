package jws

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"unicode"
)

// The bounds of a statement's fields. Lengths are bytes of UTF-8.
const (
	maxParts     = 64
	maxCode      = 35  // of an agency
	maxText      = 255 // document id, number, names
	maxMediaType = 127 // RFC 6838, 4.2
	maxPriority  = 4
)

var (
	manifestShape = shape{
		"": {"version", "transferId", "sender", "recipient", "kind", "documentId", "number", "parts", "lane",
			"priority", "supersedes", "createdAt", "expiresAt"},
		"parts": {"name", "mediaType", "size", "sha256"},
		"lane":  {"class", "epoch", "seq"},
	}
	receiptShape = shape{"": {"version", "transferId", "manifestSha256", "sender", "recipient", "outcome", "code",
		"partsSha256", "receivedAt"}}
)

// Check reports the first field of m that is out of bounds, wrapping ErrFormat.
func (m Manifest) Check() error {
	switch {
	case m.Version != Version:
		return fieldError("version")
	case !isUUID(m.TransferID):
		return fieldError("transferId")
	case !isCode(m.Sender):
		return fieldError("sender")
	case !isCode(m.Recipient):
		return fieldError("recipient")
	case m.Kind != KindDocument && m.Kind != KindStatus:
		return fieldError("kind")
	case !isText(m.DocumentID, maxText):
		return fieldError("documentId")
	case !isText(m.Number, maxText):
		return fieldError("number")
	case len(m.Parts) == 0 || len(m.Parts) > maxParts:
		return fieldError("parts")
	case m.Priority < 0 || m.Priority > maxPriority:
		return fieldError("priority")
	case m.Supersedes != "" && !isUUID(m.Supersedes):
		return fieldError("supersedes")
	case m.Lane != nil && !m.Lane.valid():
		return fieldError("lane")
	case m.CreatedAt.IsZero():
		return fieldError("createdAt")
	case !m.ExpiresAt.After(m.CreatedAt):
		return fieldError("expiresAt")
	}
	for _, p := range m.Parts {
		if p.Name == "" || !isText(p.Name, maxText) || p.MediaType == "" || !isText(p.MediaType, maxMediaType) ||
			p.Size < 0 || !isDigest(p.SHA256) {
			return fieldError("parts")
		}
	}
	return nil
}

// Check reports the first field of r that is out of bounds, wrapping ErrFormat.
func (r Receipt) Check() error {
	switch {
	case r.Version != Version:
		return fieldError("version")
	case !isUUID(r.TransferID):
		return fieldError("transferId")
	case !isDigest(r.ManifestSHA256):
		return fieldError("manifestSha256")
	case !isCode(r.Sender):
		return fieldError("sender")
	case !isCode(r.Recipient):
		return fieldError("recipient")
	case r.Outcome != "" && r.Outcome != Received && r.Outcome != Refused:
		return fieldError("outcome")
	case (r.Outcome == Refused) != (r.Code != "") || !isText(r.Code, maxCode):
		return fieldError("code")
	case !isDigest(r.PartsSHA256):
		return fieldError("partsSha256")
	case r.ReceivedAt.IsZero():
		return fieldError("receivedAt")
	}
	return nil
}

func fieldError(name string) error { return fmt.Errorf("%w: field %s", ErrFormat, name) }

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

func isDigest(s string) bool {
	return len(s) == 2*sha256.Size && !slices.ContainsFunc([]byte(s), func(c byte) bool { return !isHex(c) })
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

func isCode(s string) bool {
	if s == "" || len(s) > maxCode {
		return false
	}
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isText(s string, most int) bool {
	for _, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return len(s) <= most
}
