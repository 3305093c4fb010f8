package api

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"antin/internal/text"
)

// digestHeaders state the digest of a request's body (RFC 9530). Ours carry no
// content coding, so both mean the same bytes.
var digestHeaders = []string{"Content-Digest", "Repr-Digest"}

// statedDigest returns the SHA-256 that the request states for its body, nil when
// it states none. Other algorithms are left aside, as the RFC asks.
func statedDigest(ctx huma.Context) ([]byte, error) {
	var found []byte
	for _, name := range digestHeaders {
		for part := range strings.SplitSeq(ctx.Header(name), ",") {
			part = strings.TrimSpace(part)
			algorithm, value, ok := strings.Cut(part, "=")
			switch {
			case part == "", ok && !strings.EqualFold(algorithm, "sha-256"):
				continue
			case !ok: // who states a digest wants it checked, and this states none
				return nil, badRequest("header/"+name, "api.digest-form")
			}
			value, open := strings.CutPrefix(value, ":")
			value, closed := strings.CutSuffix(value, ":")
			sum, err := base64.StdEncoding.DecodeString(value)
			if !open || !closed || err != nil || len(sum) != sha256.Size {
				return nil, badRequest("header/"+name, "api.digest-form")
			}
			if found != nil && string(found) != string(sum) {
				return nil, digestMismatch(name)
			}
			found = sum
		}
	}
	return found, nil
}

func digestMismatch(header string) error {
	return &refusal{err: text.Detailed(text.DigestMismatch, nil, "api.digest"), fields: []fault{newFault("header/"+header, faultValue)}}
}

// digestReader ends in digest-mismatch where r ends with other bytes than stated.
type digestReader struct {
	r    io.Reader
	sum  hash.Hash
	want []byte
}

// checked reads r against the digest that the request states, if it states one.
func checked(ctx huma.Context, r io.Reader) (io.Reader, error) {
	want, err := statedDigest(ctx)
	if err != nil || want == nil {
		return r, err
	}
	return &digestReader{r: r, sum: sha256.New(), want: want}, nil
}

// Read implements io.Reader.
func (d *digestReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && string(d.sum.Sum(nil)) != string(d.want) {
		return n, digestMismatch(digestHeaders[0])
	}
	return n, err
}
