package signer

import (
	"crypto"
	"encoding/asn1"
	"io"
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
)

// Input is the document to be signed. It is only read, and may be read several
// times; memory does not depend on Size.
type Input struct {
	Reader io.ReaderAt
	Size   int64 // bytes
	Name   string
	// Password opens an encrypted file: the user's or the owner's. It is looked at
	// only then; empty tries the empty user password.
	Password string
}

// Request says what signature is wanted. The zero value, but for Key, is an
// invisible B-B approval signature in a new field on the first page.
type Request struct {
	// Key is the key's name, as the KeyProvider knows it.
	Key string
	// Certificates stand in for the key's own chain in Prepare, when the key lives
	// where no KeyProvider reaches; the signing certificate first.
	Certificates []*certs.Certificate
	// Level is BB, BT, BLT or BLTA; empty is BB.
	Level ades.Level

	// Field is the field to sign; empty makes a new one. Existing demands that it
	// be there already.
	Field    string
	Existing bool
	// Page, Rect and the flag below are those of pades.Options.
	Page                 int
	Rect                 [4]float64
	NewFieldAfterCertify bool
	// Anchor puts a new field beside this text: its last occurrence on Page, or with
	// Page 0 in the document. Rect then counts from the text's lower left corner as
	// the page is shown, so that a negative bottom hangs the field below the text.
	Anchor string
	// Appearance draws the signature; Draw makes the appearance once certificate
	// and time are known, and is used when Appearance is nil. Neither looks at page
	// rotation: the box they are given is the one the reader sees.
	Appearance pades.Appearance
	Draw       func(signer *certs.Certificate, at time.Time) (pades.Appearance, error)

	// Reason is not written together with Commitment, which says it in the CMS.
	Reason, Location, Name string
	// Commitment is a commitment type (EN 319 122-1, 5.2.3); nil states none.
	Commitment asn1.ObjectIdentifier
	// Policy is the signature policy that the signature follows (EPES, EN 319
	// 122-1, 5.2.9.1); nil states none. Like Commitment it keeps Reason out of the file.
	Policy *cms.Policy
	// Role is the role that the signer claims (signer-attributes-v2); empty claims none.
	Role string
	// ContentTimestamp asks for a time-stamp over the content before it is signed
	// (EN 319 122-1, 5.2.8), whatever the level: Timestamps is asked once more.
	ContentTimestamp bool
	// Certify, Lock and Fill are those of pades.Options. FieldAppearance draws the
	// filled fields; nil draws them as appearance.FieldText does.
	Certify         int
	Lock            *pades.Lock
	Fill            map[string]string
	FieldAppearance pades.FieldAppearance

	// Digest is SHA-256, SHA-384, SHA-512 or one of SHA3-256, SHA3-384, SHA3-512
	// (ISO/TS 32001); 0 is SHA-256. Ed25519 keys always go with SHA-512 (RFC 8419).
	// PSS asks RSA keys for RSASSA-PSS.
	Digest crypto.Hash
	PSS    bool
	// PKCS7 writes the older adbe.pkcs7.detached, for readers that know nothing else.
	PKCS7 bool
	// ContentsSize overrides the estimated room for the CMS, in bytes; 0 estimates.
	ContentsSize int
	// Life is how long what Prepare returns may wait for its value; 0 is
	// DefaultLife, more than MaxLife is refused. Sign ignores it.
	Life time.Duration
	// TimestampLater makes B-B of a signature for which no time-stamp is to be had,
	// with WarnTimestampLater, instead of refusing; Augment raises it later.
	TimestampLater bool
	// Offline asks nothing of any network: no revocation question before the key
	// is used, no time-stamp, no revocation data.
	Offline bool
}

// Warning is a word that programs rely on.
type Warning string

// The warnings.
const (
	// WarnRevocationUnknown: nobody could say whether the signing certificate is revoked.
	WarnRevocationUnknown Warning = "revocation-unknown"
	// WarnNotTrusted: no trust anchors are configured, so that the path was not judged.
	WarnNotTrusted Warning = "trust-not-checked"
	// WarnChainIncomplete: the CA certificate above the signer's is not known, so that it
	// is not in the signature and whoever validates has to have it.
	WarnChainIncomplete Warning = "chain-incomplete"
	// WarnEarlierInvalid: a signature that was there before is broken, and stays so.
	WarnEarlierInvalid Warning = "earlier-signature-invalid"
	// WarnNormalised: the document was written anew before it was signed, so that the
	// original is no prefix of the output. Sign never gives it: whoever calls
	// Normalise first does.
	WarnNormalised Warning = "normalised"
)

// The warnings about the document, which preflight finds before a key is touched:
// see the notes of package pades.
const (
	WarnXFA                  = Warning(pades.NoteXFA)
	WarnUsageRights          = Warning(pades.NoteUsageRights)
	WarnJavaScript           = Warning(pades.NoteJavaScript)
	WarnOptionalContent      = Warning(pades.NoteOptionalContent)
	WarnNeedAppearances      = Warning(pades.NoteNeedAppearances)
	WarnNewFieldAfterCertify = Warning(pades.NoteNewFieldAfterCertify)
	WarnNotTagged            = Warning(pades.NoteNotTagged)
	WarnExternalStream       = Warning(pades.NoteExternalStream)
	WarnFontsNotEmbedded     = Warning(pades.NoteFontsNotEmbedded)
)

// WarnReadersDiffer says that other programs may read the document otherwise: an object
// number that stands there twice, bytes between objects, a beginning that is another
// format's. Like those above it is found before a key is used.
const WarnReadersDiffer Warning = "readers-differ"

// WarnTimestampLater says that no time-stamp was to be had, so that the level is B-B.
const WarnTimestampLater Warning = "timestamp-later"

// The sources of Result.SignedAt.
const (
	TimeSourceTSA   = "tsa"
	TimeSourceClock = "clock" // the signer's own clock: a claim
)

// Result describes a signed file. The JSON keys are those of `antin sign --json`.
type Result struct {
	Field  string `json:"field"`
	Level  string `json:"level"`  // "PAdES-B-LT"
	SHA256 string `json:"sha256"` // of the whole output, lower-case hex
	Bytes  int64  `json:"bytes"`  // length of the output
	Signer string `json:"signer"` // subject of the signing certificate
	// SignedAt is the time-stamp's time where there is one, in UTC.
	SignedAt   time.Time `json:"signed_at"`
	TimeSource string    `json:"time_source"`
	Warnings   []Warning `json:"warnings,omitempty"`

	// Certificate is the signing certificate.
	Certificate *certs.Certificate `json:"-"`
	// Verdict is the self-check's word on the new signature (EN 319 102-1).
	Indication ades.Indication `json:"-"`
	// SubIndication goes with Indication.
	SubIndication ades.SubIndication `json:"-"`
}
