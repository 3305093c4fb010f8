package exchange

import (
	"context"
	"crypto"
	"slices"
	"strings"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// AgencyCode is the official identifier of an agency (mã định danh, the edXML
// OrganId), in either syntax in force, kept exactly as written.
type AgencyCode string

// maxAgencyCode is the length limit of an identifier in use on the national axis.
const maxAgencyCode = 35

// Valid reports whether c could be an identifier: 1 to 35 characters, letters,
// digits, '.', '-' and '_', beginning with a letter or digit.
func (c AgencyCode) Valid() bool {
	if len(c) == 0 || len(c) > maxAgencyCode {
		return false
	}
	for i, r := range []byte(c) {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case i > 0 && (r == '.' || r == '-' || r == '_'):
		default:
			return false
		}
	}
	return true
}

// Agency is one entry of the directory. A zero ValidTo means no end.
type Agency struct {
	Code      AgencyCode
	Name      string // as printed on documents, with its diacritics
	InCharge  string // cơ quan chủ quản
	Place     string // of the date line of documents, "Hà Nội"
	Address   string
	Email     string
	Telephone string
	Website   string
	Endpoint  string // where its gateway listens; the transport knows the form
	// Pull: nobody reaches its gateway, which fetches what waits for it here.
	Pull       bool
	Keys       []GatewayKey
	TLS        [][32]byte // SHA-256 of the certificates its gateway may connect with
	Seals      [][]byte   // DER of the agency's seal certificates
	MaxPayload int64      // bytes it takes in one transfer; 0 is unknown
	ValidFrom  time.Time
	ValidTo    time.Time
	Successor  AgencyCode // who answers after ValidTo; empty when none
}

// GatewayKey is a transport key of an agency's gateway: it signs manifests and
// receipts, never documents. Retired keys stay listed so that what they signed
// can still be checked; a compromised one verifies nothing.
type GatewayKey struct {
	Public      crypto.PublicKey // ECDSA P-256 or RSA
	NotBefore   time.Time
	NotAfter    time.Time // zero: no end set
	Compromised bool
}

// In reports whether k may be relied on at t.
func (k GatewayKey) In(t time.Time) bool {
	return !k.Compromised && !t.Before(k.NotBefore) && (k.NotAfter.IsZero() || !t.After(k.NotAfter))
}

// keysAt returns what a verifier relies on at t for statements of a's gateway.
func (a Agency) keysAt(t time.Time) (jws.Keys, error) {
	var public []crypto.PublicKey
	for _, k := range a.Keys {
		if k.In(t) {
			public = append(public, k.Public)
		}
	}
	return jws.NewKeys(public...)
}

// openAt reports whether a is in being at t.
func (a Agency) openAt(t time.Time) bool {
	return !t.Before(a.ValidFrom) && (a.ValidTo.IsZero() || !t.After(a.ValidTo))
}

// Directory answers who an agency is. Implementations are safe for concurrent use.
type Directory interface {
	// Agency returns the entry of code; receiver-unknown when there is none.
	Agency(ctx context.Context, code AgencyCode) (Agency, error)
	// Agencies returns all entries, sorted by code.
	Agencies(ctx context.Context) ([]Agency, error)
}

// AgencyList is a fixed Directory.
type AgencyList []Agency

// Agency implements Directory.
func (l AgencyList) Agency(_ context.Context, code AgencyCode) (Agency, error) {
	for _, a := range l {
		if a.Code == code {
			return a, nil
		}
	}
	return Agency{}, text.Detailed(text.ReceiverUnknown, nil, "exchange.agency", string(code))
}

// Agencies implements Directory.
func (l AgencyList) Agencies(context.Context) ([]Agency, error) {
	sorted := slices.Clone(l)
	slices.SortFunc(sorted, func(a, b Agency) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return sorted, nil
}

// Office is an agency that this gateway serves, with what only its own gateway
// holds. Keys are named, not held: the signer's KeyProvider finds them.
type Office struct {
	Agency         Agency
	SealKey        string  // the KeyProvider's id of the agency's seal
	SealDiameterMM float64 // true size of the seal; 0 means 36 mm
	Signatories    []Signatory
	GatewayKey     crypto.Signer // signs manifests and receipts; its public half is among Agency.Keys
	// GatewayCertificate is the DER of the certificate of GatewayKey; nil when there is
	// none, and then reports are not signed.
	GatewayCertificate []byte
	VerifyURL          string    // base address of the public verification page, for the QR
	Sandbox            bool      // marks pages and files as DỮ LIỆU THỬ
	Numbering          Numbering // who gives the registers' numbers
}

// Signatory is a competent person of an office: who may sign its documents, in
// what words the office prints before the name, and with which key.
type Signatory struct {
	ActorID    string // Actor.ID of the person
	Name       string
	Position   string // chức vụ, "CHỦ TỊCH"
	Competence string // TM., KT., TL., TUQ., Q. or empty
	Key        string // the KeyProvider's id of the person's key; empty when it is not held here
	// Certificate is the DER of the certificate bound to the person: no other signs
	// for them when prepared or uploaded; nil when none is bound.
	Certificate []byte
}

// Signatory returns the competent person whose actor id is given; not-allowed
// when the office lists no such person.
func (o Office) Signatory(actorID string) (Signatory, error) {
	for _, s := range o.Signatories {
		if s.ActorID == actorID {
			return s, nil
		}
	}
	return Signatory{}, text.Detailed(text.NotAllowed, nil, "exchange.not-signatory", actorID)
}

// Offices answers which agencies this gateway serves.
type Offices interface {
	// Office returns the served agency code; not-for-us when it is not served here.
	Office(ctx context.Context, code AgencyCode) (Office, error)
	// Offices returns every agency served here.
	Offices(ctx context.Context) ([]Office, error)
}

// OfficeList is a fixed Offices.
type OfficeList []Office

// Office implements Offices.
func (l OfficeList) Office(_ context.Context, code AgencyCode) (Office, error) {
	for _, o := range l {
		if o.Agency.Code == code {
			return o, nil
		}
	}
	return Office{}, text.Detailed(text.NotForUs, nil, "exchange.agency", string(code))
}

// Offices implements Offices.
func (l OfficeList) Offices(context.Context) ([]Office, error) { return slices.Clone(l), nil }
