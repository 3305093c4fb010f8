package web

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/internal/text"
	"antin/signer"
)

// The forms in which a key elsewhere answers.
const (
	valueRaw = "raw" // the bare signature value
	valueCMS = "cms" // a detached SignedData
)

// maxValue bounds what a key gives, in bytes: a CMS with a long chain and revocation
// facts in it.
const maxValue = 1 << 20

// hexOf writes b as people compare it.
func hexOf(b []byte) string { return hex.EncodeToString(b) }

// newest is the one of several certificates (DER) that is in force at now and was
// issued last; key-not-found when there is none.
func newest(ders [][]byte, now time.Time) ([]*certs.Certificate, error) {
	var best *certs.Certificate
	for _, der := range ders {
		c, err := certs.ParseCertificate(der)
		if err != nil || now.Before(c.NotBefore) || now.After(c.NotAfter) {
			continue
		}
		if best == nil || c.NotBefore.After(best.NotBefore) {
			best = c
		}
	}
	if best == nil {
		return nil, text.Detailed(text.KeyNotFound, nil, "desk.seal.nocertificate")
	}
	return []*certs.Certificate{best}, nil
}

// signingState is a prepared signing for the program that has the key.
type signingState struct {
	Signing          exchange.ID     `json:"signing"`
	Subject          exchange.ID     `json:"subject"`
	Digest           string          `json:"digest"`
	ToSign           string          `json:"to_sign"`           // hex: the digest of the signed attributes
	SignedAttributes []byte          `json:"signed_attributes"` // DER
	DocumentDigest   string          `json:"document_digest"`   // hex: of the ByteRange
	PSS              bool            `json:"pss"`
	Certificate      []byte          `json:"certificate"` // DER
	ExpiresAt        time.Time       `json:"expires_at"`
	Shown            exchange.Digest `json:"shown"`
}

// sendState sends the description of a prepared signing as a file.
func sendState(w http.ResponseWriter, r *http.Request, s exchange.Signing) {
	st := signingState{Signing: s.ID, Subject: s.Subject, Digest: s.Prepared.Digest, ToSign: hexOf(s.Prepared.ToSign()), PSS: s.Prepared.PSS,
		SignedAttributes: s.Prepared.SignedAttributes, DocumentDigest: hexOf(s.Prepared.DocumentDigest), ExpiresAt: s.ExpiresAt.In(exchange.Vietnam), Shown: s.Shown}
	if len(s.Prepared.Certificates) > 0 {
		st.Certificate = s.Prepared.Certificates[0]
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(st); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	downloadBytes(w, r, b.Bytes(), string(s.ID)+".json")
}

// complete finishes what prepared returns with the value of the form: typed as base64
// or hex, or as a file.
func (h *desk) complete(r *http.Request, prepared func() (exchange.Signing, error), f filled) error {
	err := oneOf("form", f.V("form"), valueRaw, valueCMS)
	var value []byte
	if err == nil {
		value, err = h.valueOf(r, f)
	}
	if err != nil {
		return err
	}
	c := signer.Completion{Raw: value}
	if f.V("form") == valueCMS {
		c = signer.Completion{CMS: value}
	}
	s, err := prepared()
	if err != nil {
		return err
	}
	return twice(f.key(), func() error { return h.Outbox.Press.Complete(r.Context(), h.Actor(r), s.ID, c) })
}

func (h *desk) valueOf(r *http.Request, f filled) ([]byte, error) {
	if typed := strings.Join(strings.Fields(f.V("value")), ""); typed != "" {
		if len(typed) > 2*maxValue {
			return nil, text.Errorf(text.TooLarge, nil)
		}
		if b := decodeValue([]byte(f.V("value"))); b != nil {
			return b, nil
		}
		return nil, wrongField("value")
	}
	file, err := h.openFile(r, f)
	if err != nil {
		return nil, err
	}
	if file == nil {
		return nil, wrongField("value")
	}
	defer func() { _ = file.Close() }()
	if file.Size() > maxValue {
		return nil, text.Errorf(text.TooLarge, nil)
	}
	b, err := io.ReadAll(io.NewSectionReader(file, 0, file.Size()))
	if err != nil {
		return nil, err
	}
	if plain := decodeValue(b); plain != nil {
		return plain, nil
	}
	return b, nil
}

// decodeValue reads PEM, base64 or hex; nil when b is none of these.
func decodeValue(b []byte) []byte {
	if block, _ := pem.Decode(b); block != nil {
		return block.Bytes
	}
	s := strings.Join(strings.Fields(string(b)), "")
	if out, err := hex.DecodeString(s); err == nil && len(out) > 0 {
		return out
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if out, err := enc.DecodeString(s); err == nil && len(out) > 0 {
			return out
		}
	}
	return nil
}

// withFile calls act with the file of the form.
func (h *desk) withFile(r *http.Request, f filled, act func(io.Reader) error) error {
	file, err := h.openFile(r, f)
	if err != nil {
		return err
	}
	if file == nil {
		return wrongField("file")
	}
	defer func() { _ = file.Close() }()
	return act(io.NewSectionReader(file, 0, file.Size()))
}
