package helper

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"antin/signer"
)

const (
	// maxFrame bounds one message, in bytes: a request holds signed attributes of at
	// most a few kB, an answer a chain of certificates.
	maxFrame = 64 << 10
	// maxDigest is the longest digest asked for, SHA-512's.
	maxDigest = 64
	// maxWord bounds each word of a purpose, in bytes: names with their diacritics.
	maxWord = 512
)

// The operations.
const (
	opPing         = "ping"
	opCertificates = "certificates"
	opSign         = "sign"
)

// request is what a client asks.
type request struct {
	Op      string         `json:"op"`
	Key     string         `json:"key,omitempty"`
	Hash    string         `json:"hash,omitempty"` // "SHA-256", "SHA-384", "SHA-512"; empty for Ed25519
	Digest  []byte         `json:"digest,omitempty"`
	PSS     bool           `json:"pss,omitempty"`
	Purpose signer.Purpose `json:"purpose,omitzero"`
}

// answer is what the server says. Code is empty when all went well.
type answer struct {
	Code         string   `json:"code,omitempty"`
	Reason       string   `json:"reason,omitempty"` // for the log of the other side
	Certificates [][]byte `json:"certificates,omitempty"`
	Signature    []byte   `json:"signature,omitempty"`
}

// errFrame is returned for bytes that are no frame of this protocol.
var errFrame = errors.New("key helper: malformed frame")

// readFrame reads one message into v. io.EOF means that the other side closed
// between two messages. Unknown members, two values and anything behind the value
// are refused.
func readFrame(r io.Reader, v any) error {
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
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	return decode(body, v)
}

// writeFrame writes v as one message, in one Write.
func writeFrame(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding frame: %w", err)
	}
	if len(body) > maxFrame {
		return fmt.Errorf("%w: %d bytes", errFrame, len(body))
	}
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	_, err = w.Write(append(out, body...))
	return err
}
