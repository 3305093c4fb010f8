package pades

import (
	"crypto"
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/pdf"
)

// LastPage as Options.Page means the last page.
const LastPage = -1

// Options says what the signature revision holds. The zero value is an
// invisible approval signature in a new field on the first page.
type Options struct {
	// Form is the file's form from an earlier call with the same file; nil reads it.
	Form *Form

	// FieldName is the fully qualified name of the field to sign. An existing
	// empty field of that name is filled, else a new one is made; empty takes the
	// first free "Signature1", "Signature2", …
	FieldName string
	// Existing demands that the field be there already: field-not-found otherwise.
	Existing bool
	// Page is the page of a new field, from 1; 0 is the first, LastPage the last.
	Page int
	// Rect is the place of a new field in the page's default user space (points):
	// left, bottom, right, top. All zero makes the field invisible.
	Rect [4]float64
	// Appearance draws the signature; nil leaves it without a picture.
	Appearance Appearance

	// SubFilter is SubFilterCAdES when empty.
	SubFilter string
	// Reason is left out of the dictionary when Commitment is set (EN 319 142-1, 6.3).
	Reason, Location, Name string
	// Commitment says that the CMS will carry a commitment type or a signature policy.
	Commitment bool
	// M is the claimed time of signing, written with its zone.
	M time.Time

	// Certify makes a certification signature with this DocMDP permission (1 to
	// 3); 0 makes an approval signature.
	Certify int
	// NewFieldAfterCertify allows a new field in a document certified with
	// permission 2, which some validators refuse.
	NewFieldAfterCertify bool
	// Lock freezes fields; nil takes the /Lock of an existing field. It may not
	// differ from that one.
	Lock *Lock
	// Fill holds values for empty text fields, by fully qualified name, filled in
	// the same revision.
	Fill map[string]string
	// FieldAppearance draws filled fields; nil uses the field's own /DA with a
	// simple font, which is enough for digits and plain letters.
	FieldAppearance FieldAppearance

	// ContentsSize is the room for the CMS in bytes (twice as many in the file);
	// 0 takes DefaultContentsSize.
	ContentsSize int

	// Digest, Scheme, Timestamp, LongTerm and Chain describe the signature to come, so
	// that the demands of the field's seed value can be checked beforehand, and the
	// extensions of PDF that it uses declared. Chain
	// has the signing certificate first; while it is empty, demands on the
	// certificate are not checked.
	Digest              crypto.Hash
	Scheme              ades.SignatureAlgorithm
	Timestamp, LongTerm bool
	Chain               []*certs.Certificate
}

// DefaultContentsSize holds an RSA-4096 signature with a chain of four such
// certificates and a time-stamp token, with room to spare.
const DefaultContentsSize = 16 << 10

// Appearance adds a Form XObject of w × h points, its lower left corner at the
// origin, to u and returns its object. Page rotation is not its concern.
type Appearance func(u *pdf.Update, w, h float64) (pdf.Ref, error)

// FilledField is a text field about to be filled.
type FilledField struct {
	Name, Value   string
	Width, Height float64 // of the widget, points
	// DefaultAppearance is the inherited /DA; Quadding the inherited /Q (0 left,
	// 1 centred, 2 right).
	DefaultAppearance string
	Quadding          int
}

// FieldAppearance adds a Form XObject of f.Width × f.Height points showing
// f.Value to u and returns its object.
type FieldAppearance func(u *pdf.Update, f FilledField) (pdf.Ref, error)
