package exchange

import (
	"time"

	"antin/internal/text"
)

// TransferKind says what a transfer carries.
type TransferKind string

// The kinds of transfer.
const (
	KindDocument TransferKind = "document" // an edXML "edoc"
	KindStatus   TransferKind = "status"   // an edXML "status"
)

// Delivery is one message on its way to one receiver: a document, or a status
// about a document. Its TransferID, manifest and payload are fixed before the
// first byte leaves, so that every attempt is the same transfer.
type Delivery struct {
	ID      ID           `json:"id"`
	Agency  AgencyCode   `json:"agency"` // the sender, served here
	To      AgencyCode   `json:"to"`
	Version int          `json:"-"`
	Kind    TransferKind `json:"kind"`
	// Subject is the Document sent, or the InboxItem the status speaks of.
	Subject    ID            `json:"subject"`
	TransferID TransferID    `json:"transfer_id"`
	Payload    Blob          `json:"payload"`  // the edXML message
	Manifest   []byte        `json:"manifest"` // JWS, as every attempt sends it
	Priority   int           `json:"priority"`
	CreatedAt  time.Time     `json:"created_at"`
	ExpiresAt  time.Time     `json:"expires_at"`
	State      DeliveryState `json:"state"`
	Attempts   int           `json:"attempts"`       // failures of this very transfer; a peer that is down costs none
	NextAt     time.Time     `json:"next_at"`        // not before this time
	Note       Note          `json:"note,omitzero"`  // why it has not arrived, or why it was refused
	Receipt    []byte        `json:"receipt"`        // the peer's JWS: accepted, rejected or closed
	EndedAt    time.Time     `json:"ended,omitzero"` // when State became final
	// StatusCode is the status message's code; empty for a document.
	StatusCode StatusCode `json:"status_code,omitempty"`
	// Root is the document to whose timeline the delivery belongs where that is not
	// Subject: a request to take back speaks of one delivery of a document.
	Root ID `json:"root,omitempty"`
	// Handed says how, when and by whom a delivery outside the network was made.
	Handed Handed `json:"handed,omitzero"`
	// Stated is the signed statement that the transfer did not arrive, and Corrected the
	// one that takes it back because a receipt came after all. JWS; nil without.
	Stated    []byte `json:"stated,omitempty"`
	Corrected []byte `json:"corrected,omitempty"`

	// Trace is what the request for it belongs to; empty for none. It goes with the bytes.
	Trace TraceParent `json:"trace,omitempty"`

	unsigned *unsignedManifest // until it is committed
}

// Handed is a delivery made by hand.
type Handed struct {
	How string    `json:"how"` // in the clerk's words
	At  time.Time `json:"at"`  // when it was handed over, as the clerk says
	By  Actor     `json:"by"`
}

// timeline returns what the delivery is part of.
func (d Delivery) timeline() ID {
	if d.Root != "" {
		return d.Root
	}
	return d.Subject
}

// Blobs returns every blob that d keeps alive.
func (d Delivery) Blobs() []Blob { return present(d.Payload) }

// Lane returns the lane d travels in.
func (d Delivery) Lane() Lane { return Lane{From: d.Agency, To: d.To} }

// Note is one reason in words, with the closed list's code.
type Note struct {
	Code    text.Code    `json:"code,omitempty"`
	Message text.Message `json:"message,omitzero"`
}

// NoteOf returns the note that says err, zero for nil.
func NoteOf(err error) Note {
	if err == nil {
		return Note{}
	}
	e := text.As(err)
	return Note{Code: e.Code, Message: e.Message()}
}

// IsZero reports whether n says nothing.
func (n Note) IsZero() bool { return n.Code == "" && n.Message.IsZero() }

// Lane is the way from one agency served here to one peer. Deliveries of a lane
// leave in order of priority, then age, and share back-off: a dead peer holds one
// lane, whatever waits in it.
type Lane struct {
	From AgencyCode
	To   AgencyCode
}

// LaneState is what a lane remembers between attempts. The zero value is a lane
// that works.
type LaneState struct {
	Lane     Lane
	Failures int       // in a row, of the peer as a whole
	FailedAt time.Time // when the last of them was noted
	RetryAt  time.Time // no attempt before; zero: at once
	Note     Note      // the last failure
	Halted   bool      // stopped until someone mends trust: the alarm state
	// Held, where done, says that an operator stopped the lane, and HeldWhy in what words.
	Held    Fact
	HeldWhy string
}

// DeliveryState is where a delivery stands in transport. What the receiver's
// people did with the document is its business history, told apart.
type DeliveryState string

// The transport states.
const (
	DeliveryReady          DeliveryState = "READY"           // committed; due or waiting
	DeliveryQuarantined    DeliveryState = "QUARANTINED"     // failed by itself too often; an operator decides
	DeliveryHeld           DeliveryState = "HELD"            // an operator or a clerk stopped it
	DeliveryDelivered      DeliveryState = "DELIVERED"       // a verified receipt is stored
	DeliveryDeliveredLate  DeliveryState = "DELIVERED_LATE"  // the receipt came after expiry
	DeliveryRefused        DeliveryState = "REFUSED"         // the peer will never take it
	DeliveryNonDelivered   DeliveryState = "NON_DELIVERED"   // the peer closed the transfer, unseen
	DeliveryUnknownExpired DeliveryState = "UNKNOWN_EXPIRED" // expired and the peer cannot be asked: an alarm
	// DeliveryManual: the receiver has no channel; a clerk hands it over and says so.
	DeliveryManual DeliveryState = "MANUAL"
	DeliveryByHand DeliveryState = "DELIVERED_BY_HAND" // a clerk handed it over
)

// DeliveryStates lists every transport state.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{DeliveryReady, DeliveryQuarantined, DeliveryHeld, DeliveryDelivered, DeliveryDeliveredLate,
		DeliveryRefused, DeliveryNonDelivered, DeliveryUnknownExpired, DeliveryManual, DeliveryByHand}
}

// DeliverySignal is something that happens to a delivery.
type DeliverySignal string

// The signals.
const (
	SignalAccepted  DeliverySignal = "accepted"  // a verified receipt
	SignalRejected  DeliverySignal = "rejected"  // a permanent refusal
	SignalClosed    DeliverySignal = "closed"    // a verified closed receipt
	SignalExpired   DeliverySignal = "expired"   // past expiry, and the peer did not answer
	SignalExhausted DeliverySignal = "exhausted" // the last attempt of its own was spent
	SignalResumed   DeliverySignal = "resumed"   // an operator sends it on
	SignalHeld      DeliverySignal = "held"      // a person stops it
	SignalHanded    DeliverySignal = "handed"    // a clerk handed it over outside the network
)

// DeliverySignals lists every signal.
func DeliverySignals() []DeliverySignal {
	return []DeliverySignal{SignalAccepted, SignalRejected, SignalClosed, SignalExpired, SignalExhausted, SignalResumed, SignalHanded, SignalHeld}
}

// deliveryTable is the whole machine: for each state, what each signal makes of
// it. A signal that leads to the same state is a repeat and changes nothing; a
// signal that is not listed contradicts the state and is refused.
var deliveryTable = map[DeliveryState]map[DeliverySignal]DeliveryState{
	DeliveryReady: {
		SignalAccepted: DeliveryDelivered, SignalRejected: DeliveryRefused, SignalClosed: DeliveryNonDelivered,
		SignalExpired: DeliveryUnknownExpired, SignalExhausted: DeliveryQuarantined, SignalResumed: DeliveryReady,
		SignalHeld: DeliveryHeld,
	},
	// What was under way when it was held may still come to an end.
	DeliveryHeld: {
		SignalAccepted: DeliveryDelivered, SignalRejected: DeliveryRefused, SignalClosed: DeliveryNonDelivered,
		SignalExpired: DeliveryUnknownExpired, SignalExhausted: DeliveryHeld, SignalResumed: DeliveryReady, SignalHeld: DeliveryHeld,
	},
	DeliveryQuarantined: {
		SignalAccepted: DeliveryDelivered, SignalRejected: DeliveryRefused, SignalClosed: DeliveryNonDelivered,
		SignalExpired: DeliveryUnknownExpired, SignalExhausted: DeliveryQuarantined, SignalResumed: DeliveryReady,
		SignalHeld: DeliveryHeld,
	},
	DeliveryUnknownExpired: {
		SignalAccepted: DeliveryDeliveredLate, SignalRejected: DeliveryRefused, SignalClosed: DeliveryNonDelivered,
		SignalExpired: DeliveryUnknownExpired, SignalExhausted: DeliveryUnknownExpired, SignalResumed: DeliveryUnknownExpired,
	},
	DeliveryDelivered:     {SignalAccepted: DeliveryDelivered, SignalExpired: DeliveryDelivered, SignalExhausted: DeliveryDelivered},
	DeliveryDeliveredLate: {SignalAccepted: DeliveryDeliveredLate, SignalExpired: DeliveryDeliveredLate, SignalExhausted: DeliveryDeliveredLate},
	DeliveryRefused:       {SignalRejected: DeliveryRefused, SignalExpired: DeliveryRefused, SignalExhausted: DeliveryRefused},
	DeliveryManual:        {SignalHanded: DeliveryByHand},
	DeliveryByHand:        {SignalHanded: DeliveryByHand},
	// The peer promised to take none; should it prove that it has taken them, that counts.
	DeliveryNonDelivered: {SignalAccepted: DeliveryDeliveredLate, SignalClosed: DeliveryNonDelivered, SignalExpired: DeliveryNonDelivered, SignalExhausted: DeliveryNonDelivered},
}

// Next returns the state that signal leads to from s; ok is false when the signal
// contradicts the state.
func (s DeliveryState) Next(signal DeliverySignal) (next DeliveryState, ok bool) {
	next, ok = deliveryTable[s][signal]
	return next, ok
}

// Final reports whether no delivery leaves s by itself.
func (s DeliveryState) Final() bool {
	switch s {
	case DeliveryDelivered, DeliveryDeliveredLate, DeliveryRefused, DeliveryNonDelivered, DeliveryByHand:
		return true
	case DeliveryReady, DeliveryQuarantined, DeliveryHeld, DeliveryUnknownExpired, DeliveryManual:
	}
	return false
}

// advance moves d by signal at the given time and reports whether it moved. It is
// the only place that changes State. A contradiction is a state-conflict.
func (d *Delivery) advance(signal DeliverySignal, at time.Time) (moved bool, err error) {
	next, ok := d.State.Next(signal)
	if !ok {
		return false, text.Detailed(text.StateConflict, nil, "exchange.delivery-conflict", string(d.State), string(signal))
	}
	if next == d.State {
		return false, nil
	}
	d.State = next
	if next.Final() {
		d.EndedAt = at
	}
	return true, nil
}
