package validation

import (
	"encoding/json"
	"time"

	"antin/internal/text"
	"antin/signer/ades"
)

// Verdict is the answer for the whole file.
type Verdict string

// The verdicts, from the best to the gravest.
const (
	Valid          Verdict = "valid"
	ValidWithNotes Verdict = "valid_with_notes"
	Unsigned       Verdict = "unsigned"
	Inconclusive   Verdict = "inconclusive"
	Invalid        Verdict = "invalid"
)

// rank orders verdicts by gravity; an unknown word is as grave as invalid.
func (v Verdict) rank() int {
	switch v {
	case Valid:
		return 0
	case ValidWithNotes:
		return 1
	case Unsigned:
		return 2
	case Inconclusive:
		return 3
	case Invalid:
	}
	return 4
}

// gravest returns the graver of two verdicts.
func gravest(a, b Verdict) Verdict {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// Time is a moment in UTC, in JSON an RFC 3339 text of whole seconds; the zero
// Time is the empty text.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte(`""`), nil
	}
	return json.Marshal(t.UTC().Format(time.RFC3339))
}

// UnmarshalJSON implements json.Unmarshaler, so that a stored report can be read again.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == "" {
		*t = Time{}
		return nil
	}
	p, err := time.Parse(time.RFC3339, s)
	*t = Time{p.UTC()}
	return err
}

// Report is the result of one validation. Its JSON form is the object that
// `antin verify --json` prints; other programs rely on it. It is plain data.
type Report struct {
	File    string  `json:"file"`
	SHA256  string  `json:"sha256"` // lower-case hex of the whole file
	Verdict Verdict `json:"verdict"`
	// Headline is the verdict in words.
	Headline text.Message `json:"headline"`
	// Reasons say why the verdict is not plainly valid, gravest first.
	Reasons    []Reason    `json:"reasons"`
	Signatures []Signature `json:"signatures"`
	// Changes lists what later revisions did after the first signed one.
	Changes   []Change   `json:"changes"`
	Policy    PolicyName `json:"policy"`
	CheckedAt Time       `json:"checked_at"`
	// Online reports that revocation data could be asked for over a network.
	Online bool `json:"online"`
	// Sandbox reports that some accepted path contains a sandbox certificate:
	// the document is test data, whatever the verdict.
	Sandbox bool `json:"test_data,omitempty"`
}

// Exit is the process exit code for the verdict by the contract.
func (r *Report) Exit() int {
	switch r.Verdict {
	case Valid, ValidWithNotes:
		return 0
	case Unsigned:
		return 5
	case Inconclusive:
		return 4
	case Invalid:
	}
	return 3
}

// PolicyName says under which rules the report was made.
type PolicyName struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Reason is one finding that speaks for the verdict.
type Reason struct {
	Code ReasonCode `json:"code"`
	// Signature is the field concerned, "" for the file as a whole.
	Signature string `json:"signature"`
	// Page is the page concerned, from 1; 0 when unknown or none.
	Page    int          `json:"page"`
	Message text.Message `json:"message"`

	verdict Verdict // what this reason alone makes of the file
}

// SignatureType says what kind of signature a field holds.
type SignatureType string

// The kinds of signatures.
const (
	ApprovalSignature      SignatureType = "signature"
	CertificationSignature SignatureType = "certification"
	DocumentTimestamp      SignatureType = "document_timestamp"
)

// Integrity says whether the signed bytes are those that were signed.
type Integrity string

// The states of integrity.
const (
	IntegrityOK         Integrity = "ok"
	IntegrityBroken     Integrity = "broken"
	IntegrityNotChecked Integrity = "not_checked"
)

// Signature is the report on one signature or document time-stamp.
type Signature struct {
	Field         string             `json:"field"`
	Type          SignatureType      `json:"type"`
	Format        string             `json:"format"`
	SubFilter     string             `json:"subfilter"`
	Indication    ades.Indication    `json:"indication"`
	SubIndication ades.SubIndication `json:"sub_indication"`
	Integrity     Integrity          `json:"integrity"`
	// Level is the level reached, computed and not claimed ("PAdES-B-LT"); for
	// what is no baseline signature it is the SubFilter.
	Level     string `json:"level"`
	Signer    Signer `json:"signer"`
	Digest    string `json:"digest"`
	Algorithm string `json:"algorithm"`
	KeyBits   int    `json:"key_bits"`
	// ClaimedTime is the signer's own word; it moves nothing.
	ClaimedTime    Time        `json:"claimed_time"`
	BestTime       Time        `json:"best_time"`
	BestTimeSource TimeSource  `json:"best_time_source"`
	Timestamps     []Timestamp `json:"timestamps"`
	Revocation     Revocation  `json:"revocation"`
	Covers         Coverage    `json:"covers"`
	Permission     Permission  `json:"permission"`
	// Modifications is the gravest kind of change made after this signature.
	Modifications Modification `json:"modifications"`
	// Chain is the certification path, signer first; empty when none was found.
	Chain []string `json:"chain"`

	// Page is the page, from 1, on which the signature stands; 0 when none shows it.
	Page int `json:"page"`
	// Box is its place on that page, left, bottom, right, top in points; empty for a
	// signature that takes up no room.
	Box []float64 `json:"box"`

	// CheckableUntil is until when the signature can be judged like this from what
	// the document holds; zero for one that did not pass.
	CheckableUntil Time `json:"checkable_until"`

	// TryAgain says when a TRY_LATER may be answered; empty for everything else.
	TryAgain TryAgain `json:"try_again"`
	// PastValidation names the proof of existence that is missing where a path has ended
	// since; nil for everything else.
	PastValidation *PastValidation `json:"past_validation,omitempty"`
	// Attributes is what the signer stated in the CMS, each statement judged.
	Attributes Attributes `json:"attributes"`

	// Material is what the judgement stands on; empty in a report read from JSON.
	Material Material `json:"-"`
}

// Signer describes the signing certificate; all fields are empty when none was found.
type Signer struct {
	Subject   string `json:"subject"`
	Serial    string `json:"serial"` // upper-case hex
	Issuer    string `json:"issuer"`
	NotBefore Time   `json:"not_before"`
	NotAfter  Time   `json:"not_after"`
	SHA256    string `json:"sha256"` // lower-case hex of the certificate
}

// TimeSource says what proves the best signature time.
type TimeSource string

// The sources of time, strongest last resort first.
const (
	TimeNow                TimeSource = "now"
	TimeSignatureTimestamp TimeSource = "signature_timestamp"
	TimeDocumentTimestamp  TimeSource = "document_timestamp"
	TimeEvidence           TimeSource = "evidence"
)

// Timestamp is a signature time-stamp.
type Timestamp struct {
	Time       Time            `json:"time"`
	TSA        string          `json:"tsa"`
	Indication ades.Indication `json:"indication"`
	// SubIndication says why it proves no time; empty for one that does.
	SubIndication ades.SubIndication `json:"sub_indication"`
}

// Revocation is the signing certificate's revocation status at best_time.
type Revocation struct {
	Status     string `json:"status"`     // good, revoked or unknown
	RevokedAt  Time   `json:"revoked_at"` // also set when the revocation came after best_time
	Reason     string `json:"reason"`
	Source     string `json:"source"` // ocsp, crl or none
	ThisUpdate Time   `json:"this_update"`
	Embedded   bool   `json:"embedded"`
}

// Coverage says which revision a signature covers, of how many.
type Coverage struct {
	Revision  int  `json:"revision"` // from 1; 0 when it covers none
	Of        int  `json:"of"`
	WholeFile bool `json:"whole_file"`
	// Bytes is the length of what was signed: the file's first Bytes bytes are the
	// document as its signer left it. 0 when it covers none.
	Bytes int64 `json:"bytes"`
}

// Permission is what a signature permits later (ISO 32000-2, table 257).
type Permission string

// The permissions.
const (
	PermissionNone        Permission = "none" // nothing stated
	PermissionNoChanges   Permission = "no_changes"
	PermissionFormFilling Permission = "form_filling"
	PermissionAnnotations Permission = "annotations"
)

// Modification is a kind of change after a signature, by gravity.
type Modification string

// The kinds of change, from none to forbidden.
const (
	ModificationNone       Modification = "none"
	ModificationEvidence   Modification = "evidence"
	ModificationForm       Modification = "form"
	ModificationAnnotation Modification = "annotation"
	ModificationForbidden  Modification = "forbidden"
)

func (m Modification) rank() int {
	switch m {
	case ModificationNone:
		return 0
	case ModificationEvidence:
		return 1
	case ModificationForm:
		return 2
	case ModificationAnnotation:
		return 3
	case ModificationForbidden:
	}
	return 4
}

// worst returns the graver of two kinds of change.
func worst(a, b Modification) Modification {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// ChangeKind says what a change touched.
type ChangeKind string

// The kinds of changed things.
const (
	ChangeSignature  ChangeKind = "signature"
	ChangeEvidence   ChangeKind = "evidence"
	ChangeForm       ChangeKind = "form"
	ChangeAnnotation ChangeKind = "annotation"
	ChangeContent    ChangeKind = "content"
	ChangeOther      ChangeKind = "other"
)

// Change is one thing that a revision did after a signed one.
type Change struct {
	// AfterRevision is the revision, from 1, that was the newest before the change.
	AfterRevision int        `json:"after_revision"`
	Kind          ChangeKind `json:"kind"`
	Object        string     `json:"object"` // "12 0"; "" for the trailer or the file's structure
	Page          int        `json:"page"`   // from 1; 0 when unknown or none
	// Allowed reports that every signature made before permits it.
	Allowed bool `json:"allowed"`
	// ForbiddenBy names the signatures made before that do not permit it.
	ForbiddenBy []string `json:"forbidden_by"`
	// CoveredBy names the intact later signatures that protect it.
	CoveredBy []string     `json:"covered_by"`
	Message   text.Message `json:"message"`

	// Revision is the revision, from 1, that made the change.
	Revision int `json:"revision"`
	// Path says where the object hangs: "page 2/Contents", "trailer/Root", "12 0/AP/N".
	Path string `json:"path"`
	// Box is the place on the page, left, bottom, right, top in points; empty when
	// the change has no place of its own.
	Box []float64 `json:"box"`
	// Words lists what reads otherwise than before; empty when no text differs or
	// none could be read.
	Words []Wording `json:"words"`
}
