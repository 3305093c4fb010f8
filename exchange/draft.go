package exchange

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"antin/exchange/edxml"
	"antin/internal/text"
	"antin/signer/compose"
	"antin/signer/pdf"
)

const (
	maxSubject  = 500 // characters; what other systems' checkers accept
	maxNotation = 60
	maxPlaces   = 1000
	maxReason   = 500
	maxPriority = 4
	// MaxUpload bounds an uploaded PDF, in bytes: what one attachment may hold.
	MaxUpload = edxml.MaxAttachment
)

// field returns invalid-input naming a field of a request.
func fieldError(name string) error {
	return text.Detailed(text.InvalidInput, nil, "exchange.field", name)
}

func checkText(name, s string, limit int, required bool) error {
	if required && strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > limit || !utf8.ValidString(s) {
		return fieldError(name)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || invisible(r) {
			return text.Detailed(text.InvalidInput, nil, "flow.invisible", name)
		}
	}
	return nil
}

// invisible reports whether r could make a text read otherwise than it is: marks
// that turn its direction, and characters without width. The zero-width joiner
// stays, since scripts need it.
func invisible(r rune) bool {
	switch {
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // embeddings, overrides, isolates
		return true
	case r == 0x200e, r == 0x200f, r == 0x061c: // directional marks
		return true
	case r == 0x200b, r == 0x200c, r == 0x2060, r == 0xfeff: // without width
		return true
	case r == 0x2028, r == 0x2029: // line and paragraph separators, which are no line breaks to a form
		return true
	}
	return false
}

// tidy puts texts that a person typed into the form in which they are kept:
// composed characters (NFC), no white space around.
func tidy(texts ...*string) {
	for _, s := range texts {
		*s = strings.TrimSpace(norm.NFC.String(*s))
	}
}

// checkList accepts a list of short texts.
func checkList(name string, list []string) error {
	if len(list) > maxPlaces {
		return fieldError(name)
	}
	for _, s := range list {
		if err := checkText(name, s, maxSubject, false); err != nil {
			return err
		}
	}
	return nil
}

// checkNotation accepts what may follow the number: no separator of the edXML
// DocumentId, no space.
func checkNotation(s string) error {
	if err := checkText("notation", s, maxNotation, true); err != nil {
		return err
	}
	if strings.ContainsAny(s, ", \t\r\n") {
		return fieldError("notation")
	}
	return nil
}

// form is the layout common to what an office composes.
func (o Office) form(kind DocumentKind, notation, subject, body string, places []string, s Signatory, at time.Time) compose.DocumentForm {
	return compose.DocumentForm{
		ParentAgency: o.Agency.InCharge, Agency: o.Agency.Name, Place: o.Agency.Place, Type: typeName(kind),
		Notation: notation, Subject: subject, Body: compose.Text(body), Receivers: places,
		Signer:         compose.Signer{Competence: s.Competence, Position: s.Position, Name: s.Name},
		SealDiameterMM: o.SealDiameterMM, Created: at,
	}
}

// officialLetter is the code of a công văn, which has no type line.
const officialLetter = 18

func typeName(k DocumentKind) string {
	if k.Code == officialLetter {
		return ""
	}
	return k.Name
}

// keepPDF stores a composed PDF.
func keepPDF(ctx context.Context, blobs Blobs, b []byte) (Blob, error) {
	blob, err := blobs.Put(ctx, bytes.NewReader(b))
	if err != nil {
		return Blob{}, fmt.Errorf("storing composed document: %w", err)
	}
	return blob, nil
}

// upload stores a PDF that someone gives, at most MaxUpload bytes, and refuses what
// is no PDF that could ever be signed.
func upload(ctx context.Context, blobs Blobs, r io.Reader) (Blob, error) {
	blob, err := blobs.Put(ctx, &capped{r: r, left: MaxUpload})
	if err != nil {
		return Blob{}, err
	}
	f, err := blobs.Open(ctx, blob.Digest)
	if err != nil {
		return Blob{}, err
	}
	defer func() { _ = f.Close() }()
	parsed, err := pdf.Open(f, f.Size(), pdf.Options{})
	if err != nil {
		return Blob{}, err
	}
	if err := parsed.EncryptionError(); err != nil {
		return blob, err
	}
	// One that opens without a password is refused too: every receiver, and every
	// archive, must be able to work with it, by whatever program.
	if parsed.Encrypted() {
		return blob, text.Detailed(text.EncryptionUnsupported, nil, "exchange.encrypted")
	}
	return blob, nil
}

// capped reads at most left bytes of r and ends in too-large when there are more.
type capped struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n, text.Detailed(text.TooLarge, nil, "exchange.upload-limit", MaxUpload>>20)
	}
	return n, err
}

// newToken is 128 random bits in letters that are easy to type.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return sortable.EncodeToString(b[:])
}

// printedToken is token in groups of five, as people copy it from paper.
func printedToken(token string) string {
	var groups []string
	for c := range slices.Chunk([]byte(token), 5) {
		groups = append(groups, string(c))
	}
	return strings.Join(groups, "-")
}

// typedToken is the token that someone typed: groups and capitals do not matter.
func typedToken(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(s))
}

// fileName is a name for a file about subject, safe on any system.
func fileName(subject, id string) string {
	name := edxml.SafeName(subject)
	if name == "" {
		name = hex.EncodeToString([]byte(id))
	}
	return strings.TrimSuffix(name, ".pdf") + ".pdf"
}
