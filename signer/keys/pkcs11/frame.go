package pkcs11

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// maxFrame bounds one message, in bytes: the largest answer holds MaxCertificates
	// certificates of some kB each, in base64.
	maxFrame = 2 << 20
	// MaxCertificates is how many certificates of a token are read: a person's token
	// holds a handful, and an HSM's further ones are not the chain of one key.
	MaxCertificates = 128
	// MaxKeys is how many keys that fit a URI are told apart; more is no choice that a
	// person could make.
	MaxKeys = 64
)

// Op is what a Request asks.
type Op string

// The operations. OpLoad comes first and once.
const (
	OpLoad   Op = "load"   // load Request.Module; answers Library
	OpTokens Op = "tokens" // the tokens that are there; uses no PIN
	OpOpen   Op = "open"   // log in to Slot where asked, then find keys and certificates
	OpSign   Op = "sign"   // one signature by Key
)

// Request is one message to the helper. Its ID comes back in the answer.
type Request struct {
	ID uint64 `json:"id"`
	Op Op     `json:"op"`

	Module   string `json:"module,omitempty"`   // path of the vendor's library
	Sessions int    `json:"sessions,omitempty"` // of each token, at most; 0 is DefaultSessions

	Slot   uint   `json:"slot,omitempty"`
	Serial string `json:"serial,omitempty"` // the token that must be in Slot
	Login  bool   `json:"login,omitempty"`  // present PIN before the search
	PIN    []byte `json:"pin,omitempty"`    // with OpSign only for a key that wants it each time
	Object string `json:"object,omitempty"` // CKA_LABEL of the key; empty for any
	KeyID  []byte `json:"key_id,omitempty"` // CKA_ID of the key; empty for any

	Key       uint      `json:"key,omitempty"` // handle, as OpOpen told it
	Mechanism Mechanism `json:"mechanism,omitempty"`
	Hash      string    `json:"hash,omitempty"` // of RSA-PSS: "SHA-256" and so on
	Data      []byte    `json:"data,omitempty"`
}

// Mechanism is a way to sign, by its name in PKCS #11.
type Mechanism string

// The mechanisms that are used.
const (
	RSAPKCS Mechanism = "CKM_RSA_PKCS"     // over a DigestInfo
	RSAPSS  Mechanism = "CKM_RSA_PKCS_PSS" // over a hash
	ECDSA   Mechanism = "CKM_ECDSA"        // over a hash; gives r and s side by side
	EdDSA   Mechanism = "CKM_EDDSA"        // over the message
)

// AnswerCode says why a request was not carried out; "" is success.
type AnswerCode string

// The codes of an Answer.
const (
	CodeModule      AnswerCode = "module" // the library cannot be loaded
	CodeNoCgo       AnswerCode = "built-without-cgo"
	CodeBad         AnswerCode = "bad-request"
	CodeAbsent      AnswerCode = "token-absent"
	CodeSession     AnswerCode = "session-lost"
	CodePINWrong    AnswerCode = "pin-wrong"
	CodePINLocked   AnswerCode = "pin-locked"
	CodePINLastTry  AnswerCode = "pin-last-try"
	CodePINExpired  AnswerCode = "pin-expired"
	CodePINNeeded   AnswerCode = "pin-needed"
	CodeUnsupported AnswerCode = "mechanism-unsupported"
	CodeFailed      AnswerCode = "failed"
)

// Answer is one message from the helper.
type Answer struct {
	ID     uint64     `json:"id"`
	Code   AnswerCode `json:"code,omitempty"`
	Reason string     `json:"reason,omitempty"` // for logs: the function and its CKR value
	// KeyUsed reports that C_Sign was called. Where it is false a refused signature
	// was not made.
	KeyUsed bool `json:"key_used,omitempty"`
	// Login tells how C_Login ended where it was called.
	Login LoginOutcome `json:"login,omitempty"`

	Library      string       `json:"library,omitempty"`
	Tokens       []Token      `json:"tokens,omitempty"`
	Keys         []KeyObject  `json:"keys,omitempty"`
	Certificates []CertObject `json:"certificates,omitempty"`
	Mechanisms   []Mechanism  `json:"mechanisms,omitempty"`
	Signature    []byte       `json:"signature,omitempty"`
}

// LoginOutcome is how a presented PIN was received; "" when none was presented.
type LoginOutcome string

// The outcomes. After LoginFailed the PIN may have been counted as wrong.
const (
	LoginOK     LoginOutcome = "ok"
	LoginFailed LoginOutcome = "failed"
)

// Token is one token as its library describes it.
type Token struct {
	Slot         uint   `json:"slot"`
	Label        string `json:"label"`
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Serial       string `json:"serial"`
	// Login tells that keys want a PIN; PINPad that the reader takes it by itself.
	Login  bool `json:"login"`
	PINPad bool `json:"pin_pad,omitempty"`
	// CountLow, LastTry and Locked are what the token says of wrong PINs before.
	CountLow bool `json:"pin_count_low,omitempty"`
	LastTry  bool `json:"pin_last_try,omitempty"`
	Locked   bool `json:"pin_locked,omitempty"`
}

// KeyType is the kind of a key object.
type KeyType string

// The kinds of key that can sign.
const (
	KeyRSA     KeyType = "RSA"
	KeyEC      KeyType = "EC"
	KeyEdwards KeyType = "EC-EDWARDS"
)

// KeyObject is a private key that can sign.
type KeyObject struct {
	Handle uint    `json:"handle"`
	ID     []byte  `json:"id,omitempty"`
	Label  string  `json:"label,omitempty"`
	Type   KeyType `json:"type"`
	// Public is the modulus of an RSA key, the point of an EC key as the token keeps
	// it; empty where the token does not tell.
	Public []byte `json:"public,omitempty"`
	// EachTime tells that every signature wants the PIN (CKA_ALWAYS_AUTHENTICATE).
	EachTime bool `json:"each_time,omitempty"`
}

// CertObject is an X.509 certificate on the token.
type CertObject struct {
	ID    []byte `json:"id,omitempty"`
	Label string `json:"label,omitempty"`
	DER   []byte `json:"der"`
}

// errFrame is returned for bytes that are no message of this protocol.
var errFrame = errors.New("token helper: malformed frame")

// ReadFrame reads one message into v, which must be a Request or an Answer. io.EOF
// means that the other side ended between two messages. Unknown members, two values
// and anything behind the value are refused.
func ReadFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errFrame
		}
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxFrame {
		return fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	var body bytes.Buffer // grows with what comes, not with what is announced
	if got, err := io.CopyN(&body, r, int64(n)); err != nil {
		return fmt.Errorf("%w: %d of %d bytes: %w", errFrame, got, n, err)
	}
	d := json.NewDecoder(&body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", errFrame)
	}
	return nil
}

// WriteFrame writes v as one message, in one Write. n is how much of it was written,
// out of size: less than all of it is no message to the other side.
func WriteFrame(w io.Writer, v any) (n, size int, err error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, 0, fmt.Errorf("encoding frame: %w", err)
	}
	if len(body) > maxFrame {
		return 0, 0, fmt.Errorf("%w: %d bytes", errFrame, len(body))
	}
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	out = append(out, body...)
	n, err = w.Write(out)
	return n, len(out), err
}
