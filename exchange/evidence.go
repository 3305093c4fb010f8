package exchange

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"time"
)

// EventKind names a fact of the evidence log.
type EventKind string

// The facts.
const (
	EventDocumentCreated EventKind = "document.created"
	EventResultCreated   EventKind = "result.created"
	EventApproved        EventKind = "approved"
	EventSigned          EventKind = "signed"
	EventNumbered        EventKind = "numbered"
	EventSealed          EventKind = "sealed"
	EventIssued          EventKind = "issued"
	EventSigningRefused  EventKind = "signing.refused"
	EventSendRefused     EventKind = "send.refused"
	EventSent            EventKind = "sent"             // handed to the outbox: submission
	EventDelivered       EventKind = "delivered"        // the receiver's receipt is stored
	EventDeliveryRefused EventKind = "delivery.refused" // the peer's permanent refusal
	EventDeliveryEnded   EventKind = "delivery.ended"   // expired, closed or quarantined
	EventDeliveryResumed EventKind = "delivery.resumed" // by an operator
	EventLaneHalted      EventKind = "lane.halted"

	EventDeliveryHeld        EventKind = "delivery.held"        // by a person
	EventDeliveryQuarantined EventKind = "delivery.quarantined" // by a person
	EventLaneHeld            EventKind = "lane.held"
	EventLaneReleased        EventKind = "lane.released"
	EventLaneGap             EventKind = "lane.gap"         // a signal was let past others that did not come
	EventNonDelivery         EventKind = "nondelivery"      // stated, over the gateway's signature
	EventNonDeliveryVoided   EventKind = "nondelivery.void" // a receipt came after all
	EventVerified            EventKind = "verified"         // a file was checked on request
	EventSettings            EventKind = "settings"         // configuration, directory or key are others than before

	EventReceived        EventKind = "received" // bytes safe, receipt signed
	EventTransferRefused EventKind = "transfer.refused"
	EventReplayConflict  EventKind = "replay.conflict" // one transfer id, two contents
	EventTransferClosed  EventKind = "transfer.closed"
	EventValidated       EventKind = "validated"
	EventDamaged         EventKind = "damaged"
	EventDuplicate       EventKind = "duplicate"
	EventAccepted        EventKind = "accepted"
	EventReturned        EventKind = "returned"
	EventHandling        EventKind = "handling"        // assigned, in process, completed
	EventStatusReceived  EventKind = "status.received" // a peer's status message
	EventStatusUnknown   EventKind = "status.unmatched"
	EventContradiction   EventKind = "contradiction" // a signal the state machine refused

	EventDocumentEdited  EventKind = "document.edited"
	EventReplacementMade EventKind = "replacement.created" // a draft that is to replace an issued document
	EventReplaced        EventKind = "replaced"            // another document stands in its place
	EventRecallRequested EventKind = "recall.requested"
	EventRecallAnswered  EventKind = "recall.answered"
	EventDeliveryManual  EventKind = "delivery.manual" // the receiver has no channel
	EventDeliveredByHand EventKind = "delivered.hand"
	EventRecorded        EventKind = "recorded" // came or went outside the network
	EventRegisterStarted EventKind = "register.started"
	EventNumberVoided    EventKind = "number.voided"
	EventResultRevoked   EventKind = "result.revoked"
	EventResultReplaced  EventKind = "result.replaced"

	// Who may come in.
	EventAccountCreated     EventKind = "account.created"
	EventAccountChanged     EventKind = "account.changed"
	EventAccountPassword    EventKind = "account.password" // reset by who manages accounts
	EventAccountOwnPassword EventKind = "account.password.own"
	EventAccountCertificate EventKind = "account.certificate" // bound or taken away
	EventAccountDisabled    EventKind = "account.disabled"
	EventAccountEnabled     EventKind = "account.enabled"
	EventAccountLogin       EventKind = "account.login"
	EventAccountLocked      EventKind = "account.locked" // too many wrong passwords
	EventKeyCreated         EventKind = "apikey.created"
	EventKeyRotated         EventKind = "apikey.rotated"
	EventKeyRevoked         EventKind = "apikey.revoked"
)

// Event is one fact, kept for good. Events of an agency form a chain: each holds
// the hash of the one before, so that a change or a gap shows.
type Event struct {
	Agency AgencyCode `json:"agency"`
	Seq    int64      `json:"seq"` // from 1, without gaps, per agency
	At     time.Time  `json:"at"`  // UTC, by our clock; Seq orders, not At
	Kind   EventKind  `json:"kind"`
	// Subject is what the fact is about; Parent, where set, is the document or
	// inbox item whose timeline the fact also belongs to.
	Subject ID         `json:"subject"`
	Parent  ID         `json:"parent,omitempty"`
	By      Actor      `json:"by"`
	Peer    AgencyCode `json:"peer,omitempty"`
	Digest  Digest     `json:"sha256,omitempty"` // of the bytes the fact is about
	// Data holds the fact's particulars: numbers, codes, reasons. Never document content.
	Data map[string]string `json:"data,omitempty"`
	Prev Digest            `json:"prev"` // Hash of the event before; empty for the first
	Hash Digest            `json:"hash"`
}

// Chained returns e placed after prev (the zero Event for the first of a chain),
// with Seq, Prev and Hash set.
func (e Event) Chained(prev Event) Event {
	e.Seq, e.Prev = prev.Seq+1, prev.Hash
	e.At = e.At.UTC().Truncate(time.Microsecond)
	e.Hash = e.sum()
	return e
}

// Intact reports whether e's hash is that of its fields and it follows prev.
func (e Event) Intact(prev Event) bool {
	return e.Seq == prev.Seq+1 && e.Prev == prev.Hash && e.Hash == e.sum()
}

// sum hashes every field but Hash, each preceded by its length, so that no two
// different events give the same input.
func (e Event) sum() Digest {
	h := sha256.New()
	field := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], uint64(e.Seq))
	for _, s := range []string{"antin-event-1", string(e.Agency), string(seq[:]), e.At.UTC().Format(time.RFC3339Nano),
		string(e.Kind), string(e.Subject), string(e.Parent), e.By.ID, e.By.Name, string(e.By.Role), string(e.By.Agency),
		string(e.Peer), string(e.Digest), string(e.Prev)} {
		field(s)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Data)) {
		field(k)
		field(e.Data[k])
	}
	return Digest(hex.EncodeToString(h.Sum(nil)))
}
