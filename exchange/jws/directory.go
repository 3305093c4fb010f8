package jws

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxDirectoryLife bounds how long a signed directory may be relied on: whoever holds
// back newer ones can hide a compromised key no longer than that.
const MaxDirectoryLife = 400 * 24 * time.Hour

// Directory says of a file of agencies which version it is and until when it holds.
// Serial grows with every version. Times are UTC, whole seconds.
type Directory struct {
	Version   int       `json:"version"`
	Serial    int64     `json:"serial"` // of the directory, from 1
	Size      int64     `json:"size"`   // of the file's bytes behind the first line
	SHA256    string    `json:"sha256"` // of them
	IssuedAt  time.Time `json:"issuedAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

var directoryShape = shape{"": {"version", "serial", "size", "sha256", "issuedAt", "expiresAt"}}

// Check reports the first field of d that is out of bounds, wrapping ErrFormat.
func (d Directory) Check() error {
	switch {
	case d.Version != Version:
		return fieldError("version")
	case d.Serial < 1:
		return fieldError("serial")
	case d.Size < 0:
		return fieldError("size")
	case !isDigest(d.SHA256):
		return fieldError("sha256")
	case d.IssuedAt.IsZero():
		return fieldError("issuedAt")
	case !d.ExpiresAt.After(d.IssuedAt), d.ExpiresAt.Sub(d.IssuedAt) > MaxDirectoryLife:
		return fieldError("expiresAt")
	}
	return nil
}

// directoryLine begins the first line of a signed directory: a comment to whoever reads
// the file as YAML.
const directoryLine = "# antin-directory "

// ErrUnsigned reports a directory without a statement in its first line.
var ErrUnsigned = errors.New("directory is not signed")

// SignDirectory returns body under a first line with its statement. Version, Size and
// SHA256 of d are set here. See Sign.
func SignDirectory(random io.Reader, key crypto.Signer, d Directory, body []byte) ([]byte, error) {
	sum := sha256.Sum256(body)
	d.Version, d.Size, d.SHA256 = Version, int64(len(body)), hex.EncodeToString(sum[:])
	d.IssuedAt, d.ExpiresAt = whole(d.IssuedAt), whole(d.ExpiresAt)
	statement, err := signChecked(random, key, TypeDirectory, d)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{[]byte(directoryLine), statement, []byte("\n"), body}, nil), nil
}

// IsSignedDirectory reports whether file begins as a signed directory does; nothing is
// believed.
func IsSignedDirectory(file []byte) bool { return bytes.HasPrefix(file, []byte(directoryLine)) }

// VerifyDirectory verifies a signed directory and returns what its statement says, its
// bytes behind the first line and the key's identifier. It does not look at the clock.
// Errors wrap ErrUnsigned, or are those of Verify.
func VerifyDirectory(file []byte, keys Keys) (d Directory, body []byte, kid string, err error) {
	rest, ok := bytes.CutPrefix(file, []byte(directoryLine))
	if !ok {
		return d, nil, "", ErrUnsigned
	}
	statement, body, ok := bytes.Cut(rest, []byte("\n"))
	if !ok {
		return d, nil, "", fmt.Errorf("%w: first line does not end", ErrFormat)
	}
	payload, kid, err := Verify(statement, TypeDirectory, keys)
	if err != nil {
		return d, nil, "", err
	}
	if err := strict(payload, directoryShape, &d); err != nil {
		return d, nil, "", err
	}
	if err := d.Check(); err != nil {
		return d, nil, "", err
	}
	sum := sha256.Sum256(body)
	if d.Size != int64(len(body)) || d.SHA256 != hex.EncodeToString(sum[:]) {
		return d, nil, "", fmt.Errorf("%w: other bytes than those that were signed", ErrSignature)
	}
	return d, body, kid, nil
}

// StatedDirectory is what a signed directory says of itself, and whose key it says
// signed it.
type StatedDirectory struct {
	Directory
	Signer string // the key's identifier
}

// PeekDirectory reads what a signed directory says of itself without believing it.
// Errors wrap ErrUnsigned, ErrFormat or ErrType.
func PeekDirectory(file []byte) (d StatedDirectory, err error) {
	rest, ok := bytes.CutPrefix(file, []byte(directoryLine))
	if !ok {
		return d, ErrUnsigned
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	s, err := split(line)
	if err != nil {
		return d, err
	}
	if s.header.Typ != TypeDirectory {
		return d, ErrType
	}
	d.Signer = s.header.Kid
	if err := strict(s.payload, directoryShape, &d.Directory); err != nil {
		return d, err
	}
	return d, d.Check()
}
