package exchange

import (
	"time"
)

// StatusCode is a business status of edXML (QCVN 102), as the wire writes it.
type StatusCode string

// The status codes in use. 07–12 and 14 are unassigned.
const (
	StatusArrived         StatusCode = "01" // đã đến: in the receiver's system, no one has acted
	StatusReturned        StatusCode = "02" // từ chối tiếp nhận, with the reason
	StatusAccepted        StatusCode = "03" // đã tiếp nhận, vào sổ
	StatusAssigned        StatusCode = "04" // phân công xử lý
	StatusProcessing      StatusCode = "05" // đang xử lý
	StatusCompleted       StatusCode = "06" // hoàn thành
	StatusRecallRequested StatusCode = "13" // the sender asks to take back
	StatusRecallAgreed    StatusCode = "15"
	StatusRecallRefused   StatusCode = "16"
)

// StatusCodes lists every assigned code.
func StatusCodes() []StatusCode {
	return []StatusCode{StatusArrived, StatusReturned, StatusAccepted, StatusAssigned, StatusProcessing,
		StatusCompleted, StatusRecallRequested, StatusRecallAgreed, StatusRecallRefused}
}

// Known reports whether c is assigned.
func (c StatusCode) Known() bool { return c.rank() > 0 || c.recall() }

// NeedsReason reports whether the sender of c must say why (codes 02, 13, 16).
func (c StatusCode) NeedsReason() bool {
	return c == StatusReturned || c == StatusRecallRequested || c == StatusRecallRefused
}

// recall reports whether c belongs to taking back rather than to progress.
func (c StatusCode) recall() bool {
	return c == StatusRecallRequested || c == StatusRecallAgreed || c == StatusRecallRefused
}

// rank orders the codes of progress; 0 for the codes that are none.
func (c StatusCode) rank() int {
	switch c {
	case StatusArrived:
		return 1
	case StatusReturned:
		return 2
	case StatusAccepted:
		return 3
	case StatusAssigned:
		return 4
	case StatusProcessing:
		return 5
	case StatusCompleted:
		return 6
	case StatusRecallRequested, StatusRecallAgreed, StatusRecallRefused:
	}
	return 0
}

// Direction says which way a status went.
type Direction string

// The directions.
const (
	DirectionIn  Direction = "in"
	DirectionOut Direction = "out"
)

// Status is one entry of a business history: of a document at one receiver, as
// its sender heard it, or of an inbox item, as its receiver said it. Entries are
// only ever added.
type Status struct {
	// Subject is the Delivery of the document (sender's side) or the InboxItem
	// (receiver's side).
	Subject    ID         `json:"subject"`
	Code       StatusCode `json:"code"`
	Direction  Direction  `json:"direction"`
	At         time.Time  `json:"at"`          // as the message claims
	RecordedAt time.Time  `json:"recorded_at"` // by our clock
	By         string     `json:"by"`          // the person or unit the message names
	Reason     string     `json:"reason,omitempty"`
	// Transfer is the transfer that carried it, empty when it is not on its way yet.
	Transfer TransferID `json:"transfer,omitempty"`
}

// Business is the present business state, derived from a history.
type Business struct {
	Code   StatusCode // the newest progress, 01–06; empty when nothing is known
	Recall StatusCode // 13, 15 or 16; empty when none was asked for
	At     time.Time  // of Code
	By     string
	Reason string // of Code, else of Recall
}

// Current derives the present state from a history. Codes may be skipped,
// repeated or late, and the answer does not depend on the order they came in:
// among 01 and 03–06 the furthest wins; a return (02) yields only to progress
// that its sender dates after it; the latest claim of a recall code wins.
func Current(history []Status) Business {
	var returned, furthest, recall Status
	for _, s := range history {
		switch {
		case s.Code.recall():
			if later(s, recall) {
				recall = s
			}
		case s.Code == StatusReturned:
			if later(s, returned) {
				returned = s
			}
		}
	}
	for _, s := range history {
		if s.Code.recall() || s.Code == StatusReturned || s.Code.rank() == 0 {
			continue
		}
		if returned.Code != "" && (s.Code == StatusArrived || !s.At.After(returned.At)) {
			continue
		}
		if s.Code.rank() > furthest.Code.rank() || s.Code == furthest.Code && s.At.Before(furthest.At) {
			furthest = s
		}
	}
	now := furthest
	if now.Code == "" {
		now = returned
	}
	b := Business{Code: now.Code, Recall: recall.Code, At: now.At, By: now.By, Reason: now.Reason}
	if b.Reason == "" {
		b.Reason = recall.Reason
	}
	return b
}

// later reports whether a claims a later time than b; at equal times the greater
// code wins, so that the outcome is the same in any order.
func later(a, b Status) bool {
	if !a.At.Equal(b.At) {
		return a.At.After(b.At)
	}
	return a.Code > b.Code || a.Code == b.Code && a.Reason > b.Reason
}
