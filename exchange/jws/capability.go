package jws

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

// Capability is what a gateway says of itself for one agency that it serves: how
// it can be talked to. It is good until ExpiresAt, however it came by. Times are
// UTC, whole seconds; sizes are bytes.
type Capability struct {
	Version  int    `json:"version"`
	Agency   string `json:"agency"`   // who signs
	Versions []int  `json:"versions"` // of the protocol, each at /x/v{n}
	// Features name what the gateway can do beyond manifest, part, commit and close.
	Features   []string  `json:"features"`
	Keys       []string  `json:"keys"`       // identifiers of the keys it signs with
	MaxPayload int64     `json:"maxPayload"` // of one transfer
	OneShot    int64     `json:"oneShot"`    // greatest payload in a single request
	MaxPiece   int64     `json:"maxPiece"`   // greatest piece of a part
	MaxWhole   int64     `json:"maxWhole"`   // greatest part in one piece
	MaxBatch   int       `json:"maxBatch"`   // transfers in one batch
	IssuedAt   time.Time `json:"issuedAt"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

// The features that this version knows.
const (
	FeatureResume     = "resume"     // parts in pieces, kept over a restart
	FeatureSignals    = "signals"    // POST /x/v1/signals
	FeaturePull       = "pull"       // GET /x/v1/outbox, POST /x/v1/receipts
	FeatureReconcile  = "reconcile"  // GET /x/v1/reconcile, GET /x/v1/settled/{id}
	FeatureStatements = "statements" // POST /x/v1/statements
)

// maxNames bounds the lists of a capability.
const maxNames = 64

// Has reports whether c names feature.
func (c Capability) Has(feature string) bool { return slices.Contains(c.Features, feature) }

// Speaks returns the greatest version of the protocol that c and ours have in
// common; ok is false when there is none.
func (c Capability) Speaks(ours ...int) (version int, ok bool) {
	for _, v := range ours {
		if v > version && slices.Contains(c.Versions, v) {
			version, ok = v, true
		}
	}
	return version, ok
}

// Check reports the first field of c that is out of bounds, wrapping ErrFormat. A
// version later than ours is no fault: a capability is what versions are found by.
func (c Capability) Check() error {
	switch {
	case c.Version < Version:
		return fieldError("version")
	case !isCode(c.Agency):
		return fieldError("agency")
	case len(c.Versions) == 0 || len(c.Versions) > maxNames || slices.Min(c.Versions) < 1:
		return fieldError("versions")
	case len(c.Features) > maxNames || !allTexts(c.Features):
		return fieldError("features")
	case len(c.Keys) > maxNames || !allTexts(c.Keys):
		return fieldError("keys")
	case c.MaxPayload < 0 || c.OneShot < 0 || c.MaxPiece < 0 || c.MaxWhole < 0 || c.MaxBatch < 0:
		return fieldError("limits")
	case !c.ExpiresAt.After(c.IssuedAt):
		return fieldError("expiresAt")
	}
	return nil
}

func allTexts(list []string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return s == "" || !isText(s, maxText) })
}

// SignCapability checks c and signs it. See Sign.
func SignCapability(random io.Reader, key crypto.Signer, c Capability) ([]byte, error) {
	c.IssuedAt, c.ExpiresAt = whole(c.IssuedAt), whole(c.ExpiresAt)
	return signChecked(random, key, TypeCapability, c)
}

// VerifyCapability verifies a capability. Alone among statements it may hold
// members that this version does not know: it is how a later version makes itself
// known to an earlier one. Members still stand once and under their exact names.
// See Verify.
func VerifyCapability(compact []byte, keys Keys) (c Capability, err error) {
	payload, _, err := Verify(compact, TypeCapability, keys)
	if err != nil {
		return c, err
	}
	known, err := knownMembers(payload, capabilityMembers)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(known, &c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return c, c.Check()
}

var capabilityMembers = []string{"version", "agency", "versions", "features", "keys", "maxPayload", "oneShot", "maxPiece",
	"maxWhole", "maxBatch", "issuedAt", "expiresAt"}

// knownMembers returns the object data with its members of those names alone, and
// refuses one that stands twice.
func knownMembers(data []byte, names []string) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrFormat)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, fmt.Errorf("%w: not an object", ErrFormat)
	}
	kept, seen := map[string]json.RawMessage{}, map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		name, _ := tok.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if seen[name] {
			return nil, fmt.Errorf("%w: member %q twice", ErrFormat, name)
		}
		if seen[name] = true; slices.Contains(names, name) {
			kept[name] = value
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: bytes after the object", ErrFormat)
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return out, nil
}
