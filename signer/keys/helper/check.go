package helper

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // the hashes a request may name
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode"
	"unicode/utf8"

	"antin/internal/text"
	"antin/signer"
)

// decode reads exactly one JSON value without unknown members.
func decode(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", errFrame)
	}
	return nil
}

// hashes are those that a request may name.
var hashes = map[string]crypto.Hash{"SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512}

// Kind is the act that a key is for.
type Kind string

// The kinds of key.
const (
	KindPerson   Kind = "person"           // a competent person's signature
	KindSeal     Kind = "seal"             // the agency's seal
	KindEvidence Kind = "gateway-evidence" // the gateway's own statements
)

// roles are the approvers that each kind of key signs for.
var roles = map[Kind][]string{
	KindPerson:   {"lanh_dao"},
	KindSeal:     {"van_thu"},
	KindEvidence: {"system"},
}

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool { return len(roles[k]) > 0 }

// refusal says why a request is not carried out; its code is the protocol's.
type refusal struct{ code, reason string }

func (r *refusal) Error() string { return r.code + ": " + r.reason }

// The codes of an answer.
const (
	codeBadRequest = "bad-request"
	codeNoPurpose  = "purpose-incomplete"
	codeNotAllowed = "not-allowed"
	codeUnbound    = "digest-unbound"
	codeUnknownKey = "key-not-found"
	codeRate       = "rate-limited"
	codeBusy       = "busy"
	codeLog        = "log-failed"
	codeKey        = "key-failed"
	codeAbsent     = "token-absent"   // of keys in tokens: it is not there
	codeDown       = "key-down"       // likewise: its library fails; nothing was signed
	codeLost       = "signature-lost" // likewise: whether a signature was made is unknown
)

// keyCode is the code for a key that failed with err.
func keyCode(err error) string {
	switch text.CodeOf(err) {
	case text.TokenAbsent:
		return codeAbsent
	case text.KeyUnavailable:
		return codeDown
	case text.SignatureLost:
		return codeLost
	default:
		return codeKey
	}
}

func refuse(code, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// check refuses a request to sign that is not complete, not consistent, or not what
// a key of that kind is for.
func (r *request) check(kind Kind) error {
	if err := completePurpose(r.Purpose); err != nil {
		return err
	}
	if r.Purpose.Kind != string(kind) {
		return refuse(codeNotAllowed, "a key of kind %s does not sign as %q", kind, r.Purpose.Kind)
	}
	if !slices.Contains(roles[kind], r.Purpose.Approver.Role) {
		return refuse(codeNotAllowed, "role %q does not use a key of kind %s", r.Purpose.Approver.Role, kind)
	}
	return r.bound()
}

func completePurpose(p signer.Purpose) error {
	for name, v := range map[string]string{"subject": p.Subject, "kind": p.Kind, "approver.id": p.Approver.ID,
		"approver.name": p.Approver.Name, "approver.role": p.Approver.Role} {
		if v == "" {
			return refuse(codeNoPurpose, "%s is missing", name)
		}
	}
	for _, v := range []string{p.Subject, p.Kind, p.Approver.ID, p.Approver.Name, p.Approver.Role, p.Session} {
		if len(v) > maxWord || !utf8.ValidString(v) || bytes.ContainsFunc([]byte(v), unicode.IsControl) {
			return refuse(codeBadRequest, "a word of the purpose is too long or holds control characters")
		}
	}
	if b, err := hex.DecodeString(p.Document); err != nil || !shaLength(len(b)) || hex.EncodeToString(b) != p.Document {
		return refuse(codeNoPurpose, "document is no digest")
	}
	if len(p.Attributes) == 0 {
		return refuse(codeNoPurpose, "attributes are missing")
	}
	return nil
}

func shaLength(n int) bool {
	return n == crypto.SHA256.Size() || n == crypto.SHA384.Size() || n == crypto.SHA512.Size()
}

// bound makes sure that the digest to sign is that of the attributes, and that the
// attributes name the document.
func (r *request) bound() error {
	toSign := r.Purpose.Attributes
	if r.Hash != "" {
		h, ok := hashes[r.Hash]
		if !ok || len(r.Digest) != h.Size() {
			return refuse(codeBadRequest, "hash %q with %d bytes", r.Hash, len(r.Digest))
		}
		sum := h.New()
		sum.Write(r.Purpose.Attributes)
		toSign = sum.Sum(nil)
	}
	if !bytes.Equal(toSign, r.Digest) {
		return refuse(codeUnbound, "the digest is not that of the attributes")
	}
	digest, err := messageDigest(r.Purpose.Attributes)
	if err != nil {
		return refuse(codeUnbound, "%v", err)
	}
	if hex.EncodeToString(digest) != r.Purpose.Document {
		return refuse(codeUnbound, "the attributes name another document")
	}
	return nil
}

// oidMessageDigest is message-digest of RFC 5652, 11.2.
var oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}

// messageDigest reads the one message-digest of a DER SET of attributes.
func messageDigest(der []byte) ([]byte, error) {
	type attribute struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}
	var set []attribute
	if rest, err := asn1.UnmarshalWithParams(der, &set, "set"); err != nil || len(rest) > 0 {
		return nil, errors.New("attributes are no SET OF Attribute")
	}
	var found []byte
	for _, a := range set {
		if !a.Type.Equal(oidMessageDigest) {
			continue
		}
		if found != nil || len(a.Values) != 1 {
			return nil, errors.New("more than one message-digest")
		}
		if rest, err := asn1.Unmarshal(a.Values[0].FullBytes, &found); err != nil || len(rest) > 0 || len(found) == 0 {
			return nil, errors.New("message-digest is no OCTET STRING")
		}
	}
	if found == nil {
		return nil, errors.New("no message-digest")
	}
	return found, nil
}
