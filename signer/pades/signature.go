package pades

import (
	"time"

	"antin/signer/pdf"
)

// Problem names something about a signature field or value that a validator has
// to judge. Problems are collected, never a reason to skip a signature.
type Problem string

// The problems that Signatures reports.
const (
	// ProblemValueShared: two fields have the same signature dictionary as value.
	ProblemValueShared Problem = "value-shared"
	// ProblemNameShared: two signature fields have one fully qualified name.
	ProblemNameShared Problem = "name-shared"
	// ProblemValueDirect: the field's /V is a dictionary written in place, so no
	// reference names it.
	ProblemValueDirect Problem = "value-direct"
	// ProblemValueNotDictionary: /V is neither a dictionary nor null.
	ProblemValueNotDictionary Problem = "value-not-dictionary"
	// ProblemByteRangeMissing: no /ByteRange, or null.
	ProblemByteRangeMissing Problem = "byterange-missing"
	// ProblemByteRangeIndirect: /ByteRange or one of its numbers is a reference.
	ProblemByteRangeIndirect Problem = "byterange-indirect"
	// ProblemByteRangeMalformed: /ByteRange is not four integers.
	ProblemByteRangeMalformed Problem = "byterange-malformed"
	// ProblemContentsMissing: no /Contents, null, empty, or not a string.
	ProblemContentsMissing Problem = "contents-missing"
	// ProblemContentsIndirect: /Contents is a reference.
	ProblemContentsIndirect Problem = "contents-indirect"
	// ProblemContentsNotHex: /Contents is a literal string.
	ProblemContentsNotHex Problem = "contents-not-hex"
	// ProblemContentsUnlocated: the token of /Contents was not found in the file
	// (its dictionary lies in an object stream or is direct).
	ProblemContentsUnlocated Problem = "contents-unlocated"
	// ProblemSubFilterUnknown: a /SubFilter that this package does not know.
	ProblemSubFilterUnknown Problem = "subfilter-unknown"
	// ProblemNotInFields: a widget on a page that no path from AcroForm /Fields reaches.
	ProblemNotInFields Problem = "not-in-fields"
	// ProblemNoField: a signature that only /Perms names.
	ProblemNoField Problem = "no-field"
	// ProblemFieldTree: the field tree above it has a cycle or is too deep.
	ProblemFieldTree Problem = "field-tree"
	// ProblemObjectUnreadable: the field or its value could not be parsed.
	ProblemObjectUnreadable Problem = "object-unreadable"
)

// Fatal reports whether p by itself keeps a signature from having one clear
// meaning, so that a validator must not call it anything better than a format
// failure (guide: universal signature forgery, doubled fields).
func (p Problem) Fatal() bool {
	switch p {
	case ProblemValueDirect, ProblemContentsNotHex, ProblemSubFilterUnknown, ProblemNotInFields, ProblemNoField:
		return false
	case ProblemValueShared, ProblemNameShared, ProblemValueNotDictionary, ProblemByteRangeMissing,
		ProblemByteRangeIndirect, ProblemByteRangeMalformed, ProblemContentsMissing, ProblemContentsIndirect,
		ProblemContentsUnlocated, ProblemFieldTree, ProblemObjectUnreadable:
		return true
	}
	return true
}

// The values of /SubFilter that are known here (ISO 32000-2, table 255; EN 319 142-1).
const (
	SubFilterCAdES     = "ETSI.CAdES.detached"
	SubFilterPKCS7     = "adbe.pkcs7.detached"
	SubFilterPKCS7SHA1 = "adbe.pkcs7.sha1"
	SubFilterX509RSA   = "adbe.x509.rsa_sha1"
	SubFilterRFC3161   = "ETSI.RFC3161"
)

// Signature is one signature field, signed or empty, or a signature value that
// no field holds.
type Signature struct {
	// Field is the fully qualified name ("Group.Signature1"); empty when the
	// value has no field or the field has no name.
	Field string
	// FieldRef is the object of the field (the merged widget where there is one);
	// zero when the field is direct or absent.
	FieldRef pdf.Ref
	// FieldDict is the field's dictionary, nil when absent.
	FieldDict *pdf.Dict
	// WidgetRef is the first widget annotation; it equals FieldRef for a merged one.
	WidgetRef pdf.Ref

	// ValueRef is the signature dictionary's object; zero when direct or absent.
	ValueRef pdf.Ref
	// Value is the signature dictionary; nil for an empty field.
	Value *pdf.Dict

	// SubFilter is /SubFilter as written; Type is /Type ("Sig", "DocTimeStamp" or "").
	SubFilter, Type string
	// ByteRange holds the four numbers when HasByteRange; they are not judged here.
	ByteRange    [4]int64
	HasByteRange bool
	// Contents is the decoded string, padding included; padding that an encrypted
	// file's own cipher made of zeros is zeros again.
	Contents []byte
	// ContentsStart and ContentsEnd delimit the token of /Contents in the file,
	// from '<' to the byte after '>'; both 0 when it was not located.
	ContentsStart, ContentsEnd int64
	// M, Reason, Location and Name are claims of the dictionary; M is zero when
	// absent or unreadable.
	M                      time.Time
	Reason, Location, Name string

	// Perms is the key of catalog /Perms that names this value ("DocMDP", "UR3",
	// "UR"); empty when none does. UR3 and UR are usage rights that an application
	// vendor granted, not somebody's signature.
	Perms string
	// DocMDP is the permission (1 to 3) that a certification signature states in
	// its /Reference; 0 when it is not one.
	DocMDP int
	// Certification reports that catalog /Perms /DocMDP names this value.
	Certification bool
	// FieldMDP is the field lock written in the signature's /Reference, nil when none.
	FieldMDP *Lock
	// Lock is the field's /Lock dictionary, nil when none.
	Lock *Lock

	// Page is the number of the page that shows the widget, from 1; 0 when none does.
	Page int
	// Rect is the widget's rectangle, normalised.
	Rect [4]float64

	// Problems lists what a validator has to judge, in the order found.
	Problems []Problem
}

// Signed reports whether the field has a value.
func (s *Signature) Signed() bool { return s.Value != nil || s.Has(ProblemValueNotDictionary) }

// DocumentTimestamp reports whether the value is a document time-stamp.
func (s *Signature) DocumentTimestamp() bool {
	return s.Type == "DocTimeStamp" || s.SubFilter == SubFilterRFC3161
}

// Has reports whether p was found.
func (s *Signature) Has(p Problem) bool {
	for _, q := range s.Problems {
		if q == p {
			return true
		}
	}
	return false
}

func (s *Signature) add(p Problem) {
	if !s.Has(p) {
		s.Problems = append(s.Problems, p)
	}
}
