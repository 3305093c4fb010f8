package exchange

import (
	"time"

	"antin/internal/text"
)

// Transfer is what a receiver remembers of a transfer for good: its identity,
// the digest of its bytes and the receipt it answered with. A repeat is answered
// from it with the same bytes. It also holds a transfer that was rejected, or closed unseen.
type Transfer struct {
	Recipient AgencyCode   `json:"recipient"`
	Sender    AgencyCode   `json:"sender"`
	ID        TransferID   `json:"id"`
	Kind      TransferKind `json:"kind"`
	Payload   Blob         `json:"payload"` // zero unless accepted
	Manifest  []byte       `json:"manifest"`
	Receipt   []byte       `json:"receipt"` // JWS as sent; the same for every repeat
	Answer    ReceiptKind  `json:"answer"`  // what Receipt states
	At        time.Time    `json:"at"`
	Item      ID           `json:"item,omitempty"` // the InboxItem made of it
}

// TransferKey is the identity under which a transfer is unique.
type TransferKey struct {
	Recipient AgencyCode
	Sender    AgencyCode
	ID        TransferID
}

// Key returns the identity of t.
func (t Transfer) Key() TransferKey {
	return TransferKey{Recipient: t.Recipient, Sender: t.Sender, ID: t.ID}
}

// Blobs returns every blob that t keeps alive.
func (t Transfer) Blobs() []Blob { return present(t.Payload) }

// InboxItem is one incoming message: a document (văn bản đến), or a status about
// one of ours. It exists once its bytes are safe here, whatever they turn out to be.
type InboxItem struct {
	ID         ID           `json:"id"`
	Agency     AgencyCode   `json:"agency"` // the receiver, served here
	From       AgencyCode   `json:"from"`   // the peer that proved itself by key
	FromName   string       `json:"from_name"`
	Version    int          `json:"-"`
	UpdatedAt  time.Time    `json:"-"`
	Kind       TransferKind `json:"kind"`
	TransferID TransferID   `json:"transfer_id"`
	// Place is the transfer's place in its sender's lane to us; zero when it has none.
	Place      LanePlace  `json:"place,omitzero"`
	ReceivedAt time.Time  `json:"received_at"`
	Raw        Blob       `json:"raw"` // the edXML message, byte for byte
	State      InboxState `json:"state"`
	Problem    Note       `json:"problem,omitzero"` // why it could not be read or does not fit its sender
	Tries      int        `json:"tries"`            // admissions that failed to run

	// The rest is known once the message was read.
	Header      DocumentHeader `json:"header,omitzero"`
	Attachments []Attachment   `json:"attachments,omitempty"`
	Verdict     Verdict        `json:"verdict,omitempty"` // the gravest of the attachments'
	CheckedAt   time.Time      `json:"checked_at,omitzero"`
	// Blocked, where set, says why the item cannot be accepted.
	Blocked     Note `json:"blocked,omitzero"`
	DuplicateOf ID   `json:"duplicate_of,omitempty"` // same document, same content, come again
	ConflictsOf ID   `json:"conflicts_of,omitempty"` // same document id, other content: for the clerk

	// What văn thư decided.
	Accepted Fact   `json:"accepted,omitzero"`
	Arrival  int    `json:"arrival,omitempty"` // số đến; 0 before acceptance
	Year     int    `json:"year,omitempty"`    // of the register of Arrival
	Assignee string `json:"assignee,omitempty"`
	Refused  Fact   `json:"refused,omitzero"`
	Reason   string `json:"reason,omitempty"`

	// Status and Reason of a status message are what it says.
	Status StatusCode `json:"status,omitempty"`
	// Recall is the sender's request to take the document back, zero when there is none.
	Recall RecallState `json:"recall,omitzero"`
	// Replaces and ReplacedBy link the items of a chain of replacements.
	Replaces   []ID `json:"replaces,omitempty"`
	ReplacedBy ID   `json:"replaced_by,omitempty"`
	// Trace is what the sender's request belongs to, as its gateway said; empty for none.
	Trace TraceParent `json:"trace,omitempty"`
	// Hand is set for a document that came outside the network: it has no file here.
	Hand ByHand `json:"hand,omitzero"`
}

// RecallState is a request to take a document back and its answer, as the
// receiver keeps them.
type RecallState struct {
	AskedAt  time.Time `json:"asked_at"`
	AskedBy  string    `json:"asked_by"` // whom the request names
	Reason   string    `json:"reason"`
	Answered Fact      `json:"answered,omitzero"`
	Agreed   bool      `json:"agreed,omitempty"`
	Answer   string    `json:"answer,omitempty"` // the reason of a refusal
}

// Open reports whether r waits for an answer.
func (r RecallState) Open() bool { return !r.AskedAt.IsZero() && !r.Answered.Done() }

// Blobs returns every blob that i keeps alive.
func (i InboxItem) Blobs() []Blob {
	blobs := present(i.Raw)
	for _, a := range i.Attachments {
		blobs = append(blobs, present(a.Blob, a.Report)...)
	}
	return blobs
}

// DocumentHeader is what the edXML header of an incoming document says. It is the
// sender's word: nothing of it is verified but From.
type DocumentHeader struct {
	From       AgencyCode   `json:"from"`
	FromName   string       `json:"from_name"`
	DocumentID string       `json:"document_id"`
	Number     string       `json:"number"`   // "7816"
	Notation   string       `json:"notation"` // "VPCP-TTĐT"; empty when Number holds both
	Date       time.Time    `json:"date,omitzero"`
	Place      string       `json:"place,omitempty"`
	Kind       DocumentKind `json:"kind"`
	Subject    string       `json:"subject"`
	SignerName string       `json:"signer_name,omitempty"`
	Position   string       `json:"position,omitempty"`
	Priority   int          `json:"priority"`
	DueDate    time.Time    `json:"due_date,omitzero"`
	Business   int          `json:"business"` // 0 new, 1 revoke, 2 update, 3 replace
	// Replaces are the ids of the sender's documents that this one replaces here.
	Replaces      []string `json:"replaces,omitempty"`
	ReplaceReason string   `json:"replace_reason,omitempty"`
}

// FullNumber is number and notation as one text.
func (h DocumentHeader) FullNumber() string {
	if h.Notation == "" {
		return h.Number
	}
	return h.Number + "/" + h.Notation
}

// Attachment is one file of an incoming document.
type Attachment struct {
	Name      string  `json:"name"` // the sender's; shown, never used as a path
	MediaType string  `json:"media_type"`
	Blob      Blob    `json:"blob"`
	Verdict   Verdict `json:"verdict"`
	Report    Blob    `json:"report,omitzero"` // JSON of the validation report
	Problem   Note    `json:"problem,omitzero"`
	// Agreement says whether certificate, page and message name the same people.
	Agreement []Agreement `json:"agreement,omitempty"`
}

// Verdict is the one word a validation ends in, as the contract writes it.
type Verdict string

// The verdicts, gravest first. VerdictNone is of a file no signature rule applies to.
const (
	VerdictInvalid      Verdict = "invalid"
	VerdictInconclusive Verdict = "inconclusive"
	VerdictUnsigned     Verdict = "unsigned"
	VerdictNotes        Verdict = "valid_with_notes"
	VerdictValid        Verdict = "valid"
	VerdictNone         Verdict = ""
)

// gravity orders verdicts; greater is graver.
func (v Verdict) gravity() int {
	switch v {
	case VerdictInvalid:
		return 5
	case VerdictInconclusive:
		return 4
	case VerdictUnsigned:
		return 3
	case VerdictNotes:
		return 2
	case VerdictValid:
		return 1
	case VerdictNone:
	}
	return 0
}

// Worse returns the graver of v and o.
func (v Verdict) Worse(o Verdict) Verdict {
	if o.gravity() > v.gravity() {
		return o
	}
	return v
}

// InboxState is where an incoming message stands with us.
type InboxState string

// The states of an inbox item.
const (
	InboxReceived   InboxState = "RECEIVED"   // bytes safe, not read yet
	InboxWaiting    InboxState = "WAITING"    // read and checked; văn thư decides
	InboxDamaged    InboxState = "DAMAGED"    // cannot be read; return (02) is proposed
	InboxDuplicate  InboxState = "DUPLICATE"  // another item already holds this document
	InboxApplied    InboxState = "APPLIED"    // a status message, taken into the history
	InboxAccepted   InboxState = "ACCEPTED"   // 03
	InboxAssigned   InboxState = "ASSIGNED"   // 04
	InboxProcessing InboxState = "PROCESSING" // 05
	InboxCompleted  InboxState = "COMPLETED"  // 06
	InboxReturned   InboxState = "RETURNED"   // 02
	InboxRecalled   InboxState = "RECALLED"   // 15: taken back by its sender
)

// InboxStates lists every state of an inbox item.
func InboxStates() []InboxState {
	return []InboxState{InboxReceived, InboxWaiting, InboxDamaged, InboxDuplicate, InboxApplied,
		InboxAccepted, InboxAssigned, InboxProcessing, InboxCompleted, InboxReturned, InboxRecalled}
}

// InboxSignal is something that is done to an inbox item.
type InboxSignal string

// The signals.
const (
	InboxAdmit    InboxSignal = "admit"    // read and checked
	InboxDamage   InboxSignal = "damage"   // found unreadable
	InboxRepeat   InboxSignal = "repeat"   // found to be a document we hold already
	InboxApply    InboxSignal = "apply"    // a status message found its document
	InboxAccept   InboxSignal = "accept"   // văn thư takes it in
	InboxRefuse   InboxSignal = "refuse"   // văn thư returns it
	InboxAssign   InboxSignal = "assign"   // someone is to handle it
	InboxProcess  InboxSignal = "process"  // someone handles it
	InboxComplete InboxSignal = "complete" // it is handled
	InboxRecall   InboxSignal = "recall"   // văn thư agrees that its sender takes it back
)

// InboxSignals lists every signal.
func InboxSignals() []InboxSignal {
	return []InboxSignal{InboxAdmit, InboxDamage, InboxRepeat, InboxApply, InboxAccept, InboxRefuse,
		InboxAssign, InboxProcess, InboxComplete, InboxRecall}
}

// inboxTable is the whole machine; a signal that is not listed is refused. Steps
// of handling may be skipped, as agencies do.
var inboxTable = map[InboxState]map[InboxSignal]InboxState{
	InboxReceived: {
		InboxAdmit: InboxWaiting, InboxDamage: InboxDamaged, InboxRepeat: InboxDuplicate, InboxApply: InboxApplied,
	},
	InboxWaiting:    {InboxAccept: InboxAccepted, InboxRefuse: InboxReturned, InboxRecall: InboxRecalled},
	InboxDamaged:    {InboxRefuse: InboxReturned, InboxRecall: InboxRecalled},
	InboxAccepted:   {InboxAssign: InboxAssigned, InboxProcess: InboxProcessing, InboxComplete: InboxCompleted, InboxRecall: InboxRecalled},
	InboxAssigned:   {InboxAssign: InboxAssigned, InboxProcess: InboxProcessing, InboxComplete: InboxCompleted, InboxRecall: InboxRecalled},
	InboxProcessing: {InboxAssign: InboxAssigned, InboxComplete: InboxCompleted, InboxRecall: InboxRecalled},
	InboxCompleted:  {}, // what is handled can no longer be taken back
	InboxReturned:   {},
	InboxRecalled:   {},
	InboxDuplicate:  {},
	InboxApplied:    {},
}

// Next returns the state that signal leads to from s; ok is false when it may not
// happen there.
func (s InboxState) Next(signal InboxSignal) (next InboxState, ok bool) {
	next, ok = inboxTable[s][signal]
	return next, ok
}

// advance moves i by signal; it is the only place that changes State.
func (i *InboxItem) advance(signal InboxSignal) error {
	next, ok := i.State.Next(signal)
	if !ok {
		return text.Detailed(text.StateConflict, nil, "exchange.inbox-conflict", string(i.State), string(signal))
	}
	i.State = next
	return nil
}
