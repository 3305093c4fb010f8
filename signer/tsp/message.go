package tsp

import (
	"crypto"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"antin/signer/ades"
	"antin/signer/cms"
)

// Query is what a token is asked for.
type Query struct {
	// Hash and Imprint are the hash to be stamped.
	Hash    crypto.Hash
	Imprint []byte
	// Nonce ties the answer to the request; 64 bits at least. Nil sends none.
	Nonce *big.Int
	// Policy asks for a TSA policy; nil leaves the choice to the TSA.
	Policy asn1.ObjectIdentifier
}

// Request encodes a TimeStampReq for imprint, made with hash, with certReq set
// and without a policy.
func Request(hash crypto.Hash, imprint []byte, nonce *big.Int) ([]byte, error) {
	return Query{Hash: hash, Imprint: imprint, Nonce: nonce}.Encode()
}

// Encode returns the DER of a TimeStampReq (RFC 3161, 2.4.1) with certReq set.
// ErrUnsupported: a hash without an identifier. ErrImprint: an imprint that is
// not as long as its hash.
func (q Query) Encode() ([]byte, error) {
	oid := ades.HashOID(q.Hash)
	if oid == nil {
		return nil, fmt.Errorf("%w: hash %s", ErrUnsupported, q.Hash)
	}
	if len(q.Imprint) != q.Hash.Size() {
		return nil, fmt.Errorf("%w: %d bytes are no %s", ErrImprint, len(q.Imprint), q.Hash)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid)
				// NULL although it may be absent: some services know only this form.
				b.AddASN1NULL()
			})
			b.AddASN1OctetString(q.Imprint)
		})
		if q.Policy != nil {
			b.AddASN1ObjectIdentifier(q.Policy)
		}
		if q.Nonce != nil {
			b.AddASN1BigInt(q.Nonce)
		}
		b.AddASN1Boolean(true)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	return der, nil
}

// Status is PKIStatus (RFC 3161, 2.4.2).
type Status int

// The statuses. The first two come with a token.
const (
	Granted         Status = 0
	GrantedWithMods Status = 1
	Rejection       Status = 2
	Waiting         Status = 3
)

// RefusedError is a response without a token.
type RefusedError struct {
	Status Status
	// FailInfo is the number of the bit set in PKIFailureInfo; -1 when there is none.
	FailInfo int
	// Text is the TSA's own explanation, printable and short; often empty.
	Text string
}

// failures are the bits of PKIFailureInfo that RFC 3161 defines.
var failures = map[int]string{
	0: "bad algorithm", 2: "bad request", 5: "bad data format", 14: "time not available",
	15: "unaccepted policy", 16: "unaccepted extension", 17: "additional information not available",
	25: "system failure",
}

// Error implements error in English, for logs.
func (e *RefusedError) Error() string {
	s := fmt.Sprintf("%v with status %d", ErrRefused, e.Status)
	if name, ok := failures[e.FailInfo]; ok {
		s += ", " + name
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Is makes errors.Is find ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// ParseResponse reads a TimeStampResp (RFC 3161, 2.4.2) and returns the bytes of
// its token, which are not looked into. A refusal is a *RefusedError; other
// errors wrap ErrMalformed.
func ParseResponse(b []byte) (token []byte, err error) {
	parts, err := cms.Elements(b)
	if err != nil {
		return nil, fmt.Errorf("%w: response: %w", ErrMalformed, err)
	}
	if b[0] != 0x30 || len(parts) == 0 || len(parts) > 2 {
		return nil, fmt.Errorf("%w: response of %d parts", ErrMalformed, len(parts))
	}
	status, err := parseStatus(parts[0])
	if err != nil {
		return nil, err
	}
	if status.Status != Granted && status.Status != GrantedWithMods {
		return nil, status
	}
	if len(parts) != 2 {
		return nil, fmt.Errorf("%w: granted without a token", ErrMalformed)
	}
	return parts[1], nil
}

// parseStatus reads PKIStatusInfo. It never returns nil without an error.
func parseStatus(b []byte) (*RefusedError, error) {
	bad := fmt.Errorf("%w: status", ErrMalformed)
	in := cryptobyte.String(b)
	var info cryptobyte.String
	var status int64
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&status) || status < 0 || status > 255 {
		return nil, bad
	}
	r := &RefusedError{Status: Status(status), FailInfo: -1}
	var texts cryptobyte.String
	var present bool
	if !info.ReadOptionalASN1(&texts, &present, cbasn1.SEQUENCE) {
		return nil, bad
	}
	if present {
		r.Text = statusText(texts)
	}
	if info.PeekASN1Tag(cbasn1.BIT_STRING) {
		var bits asn1.BitString
		if !info.ReadASN1BitString(&bits) {
			return nil, bad
		}
		for i := range bits.BitLength {
			if bits.At(i) == 1 {
				r.FailInfo = i
				break
			}
		}
	}
	return r, nil
}

// maxStatusText bounds what a TSA may put into our messages and logs, in runes.
const maxStatusText = 200

// statusText joins PKIFreeText into one printable line.
func statusText(texts cryptobyte.String) string {
	var parts []string
	for !texts.Empty() {
		var s cryptobyte.String
		var tag cbasn1.Tag
		if !texts.ReadAnyASN1(&s, &tag) {
			break
		}
		parts = append(parts, strings.ToValidUTF8(string(s), "?"))
	}
	line := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.Join(parts, "; "))
	if runes := []rune(line); len(runes) > maxStatusText {
		line = string(runes[:maxStatusText]) + "…"
	}
	return strings.TrimSpace(line)
}
