package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
)

// `antin sign --resume STATE` stops before the key and goes on later. Where STATE
// is not there yet, the signing is prepared and written to it; where it is, the
// signing is completed: with --value, the signature or CMS that came back from
// elsewhere, else with --key.

// certificateRef names certificates without a key, for signing that is completed
// with a value from elsewhere.
const certificateRef = "cert:"

// signingKey opens what --key names; a key of its certificate alone has no Signer.
func (c *signCmd) signingKey(e *env) (signer.Key, error) {
	path, certificateOnly := strings.CutPrefix(c.Key, certificateRef)
	switch {
	case c.Key == "" && c.Value != "":
		return signer.Key{}, nil
	case c.Key == "":
		return signer.Key{}, text.Detailed(text.InvalidInput, nil, "cli.need_key")
	case !certificateOnly:
		return loadKey(e, c.Key, c.KeyPasswordFile)
	}
	data, err := readKeyFile(path)
	if err != nil {
		return signer.Key{}, err
	}
	found, err := certs.ParseBundle(data)
	if err != nil || len(found) == 0 {
		return signer.Key{}, text.Detailed(text.FileUnreadable, err, "key.no_certificate")
	}
	return signer.Key{Chain: found}, nil
}

// checkResume refuses flags that make no sense together.
func (c *signCmd) checkResume() error {
	if (c.Resume != "" && len(c.Files) > 1) || (c.Value != "" && c.Resume == "") {
		return text.Detailed(text.InvalidInput, nil, "cli.resume_one")
	}
	return nil
}

// prepareOne stops before the key and stores the state.
func (c *signCmd) prepareOne(ctx context.Context, s *signer.Signer, in signer.Input, req signer.Request) (*signer.Prepared, error) {
	req.Life = signer.MaxLife
	p, err := s.Prepare(ctx, in, req)
	if err != nil {
		return nil, err
	}
	return p, writeState(c.Resume, p)
}

// stops reports whether this run is to stop before the key: a state is asked for
// and there is none.
func (c *signCmd) stops() bool {
	if c.Resume == "" || c.Value != "" {
		return false
	}
	_, err := os.Stat(c.Resume)
	return errors.Is(err, fs.ErrNotExist)
}

// completeOne goes on where the state stopped.
func (c *signCmd) completeOne(ctx context.Context, s *signer.Signer, in signer.Input, out io.Writer) (*signer.Result, error) {
	p, err := readState(c.Resume)
	if err != nil {
		return nil, err
	}
	var value signer.Completion
	switch {
	case c.Value != "":
		value, err = readValue(c.Value)
	case strings.HasPrefix(c.Key, certificateRef):
		err = text.Detailed(text.InvalidInput, nil, "cli.need_value", c.Resume)
	default:
		value, err = s.SignPrepared(ctx, c.Key, p)
	}
	if err != nil {
		return nil, err
	}
	return s.Complete(ctx, in, p, value, out)
}

// maxState bounds the state of a prepared signing, in bytes: its update is at most
// a few megabytes of pictures, half as long again in base64.
const maxState = 64 << 20

func readState(path string) (*signer.Prepared, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, inputError(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return nil, inputError(path, err)
	}
	if len(data) > maxState {
		return nil, text.Detailed(text.TooLarge, nil, "cli.path", path)
	}
	var p signer.Prepared
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, text.Detailed(text.FileUnreadable, err, "cli.bad_state", path)
	}
	return &p, nil
}

// writeState stores p for its owner alone: it holds no key, but the document's
// update with whatever the signature shows.
func writeState(path string, p *signer.Prepared) error {
	data, err := indentJSON(p)
	if err != nil {
		return err
	}
	return writeFileMode(path, 0o600, false, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// signedDataOID is the DER of id-signedData, with which a CMS begins after two headers.
var signedDataOID = []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02}

// readValue reads a signature value or a complete CMS, in binary or base64.
func readValue(path string) (signer.Completion, error) {
	data, err := readKeyFile(path)
	if err != nil {
		return signer.Completion{}, err
	}
	if decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data))); err == nil {
		data = decoded
	}
	const headers = 24 // two of five bytes at most, and the identifier
	if bytes.Contains(data[:min(len(data), headers)], signedDataOID) {
		return signer.Completion{CMS: data}, nil
	}
	return signer.Completion{Raw: data}, nil
}

// stopped is what a line says of a signing that waits for its value.
type stopped struct {
	State   string    `json:"state"`   // the file it is stored in
	Digest  string    `json:"digest"`  // hash algorithm
	ToSign  string    `json:"to_sign"` // base64: what the key signs
	Expires time.Time `json:"expires"`
}

func (c *signCmd) stopped(p *signer.Prepared) *stopped {
	return &stopped{State: c.Resume, Digest: p.Digest, ToSign: base64.StdEncoding.EncodeToString(p.ToSign()), Expires: p.Expires}
}
