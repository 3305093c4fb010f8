package exchange

import (
	"context"
	"time"
)

// FlowRows holds what registers, lists, records made by hand, verifications and
// the operator's list of things to do need beside the rows of the core.
type FlowRows interface {
	// SaveStart keeps the first number of a register's year; ErrExists when one is kept.
	SaveStart(ctx context.Context, s Start) error
	// Start returns the first number set for a register's year; not-found when none was.
	Start(ctx context.Context, agency AgencyCode, book Book, year int) (Start, error)
	// EnterNumber adds the line e with the number that it holds; ErrExists when that
	// number is taken. A subject that holds a line of that book keeps it: its number
	// is returned, whatever e asks.
	EnterNumber(ctx context.Context, e Entry) (int, error)
	// RegisterEntry returns one line; not-found.
	RegisterEntry(ctx context.Context, agency AgencyCode, book Book, year, seq int) (Entry, error)
	// RegisterAfter returns at most limit lines behind number after, in order, with
	// what was explained about each.
	RegisterAfter(ctx context.Context, agency AgencyCode, book Book, year, after, limit int) ([]Entry, []Void, error)
	// AddVoid explains that a number stays without a document; ErrExists when it is
	// explained already.
	AddVoid(ctx context.Context, v Void) error

	// DocumentList, ResultList and InboxList return one page of a list, newest first,
	// narrowed by filters that indexes answer.
	DocumentList(ctx context.Context, agency AgencyCode, f DocumentFilter) ([]Document, error)
	ResultList(ctx context.Context, agency AgencyCode, f ResultFilter) ([]Result, error)

	// DocumentsIn, ResultsIn and ItemsIn return the rows of ids that exist, by id.
	DocumentsIn(ctx context.Context, ids []ID) (map[ID]Document, error)
	ResultsIn(ctx context.Context, ids []ID) (map[ID]Result, error)
	ItemsIn(ctx context.Context, ids []ID) (map[ID]InboxItem, error)
	// DeliveriesIn returns the deliveries of each subject, oldest first.
	DeliveriesIn(ctx context.Context, subjects []ID) (map[ID][]Delivery, error)
	// HistoriesIn returns the history of each subject in the order it was added to.
	HistoriesIn(ctx context.Context, subjects []ID) (map[ID][]Status, error)

	// CreateOperation adds o; ErrExists when its ID is taken.
	CreateOperation(ctx context.Context, o Operation) error
	// Operation returns the stored part of an operation; not-found.
	Operation(ctx context.Context, id ID) (Operation, error)
	// CreateVerification adds v; ErrExists when its ID is taken.
	CreateVerification(ctx context.Context, v Verification) error
	// Verification returns a verification without its report's bytes; not-found.
	Verification(ctx context.Context, id ID) (Verification, error)

	// Lanes returns the state of every lane of agency that ever failed.
	Lanes(ctx context.Context, agency AgencyCode) ([]LaneState, error)
	// DeliveryCounts counts agency's deliveries that are in one of states, by receiver
	// and state.
	DeliveryCounts(ctx context.Context, agency AgencyCode, states ...DeliveryState) ([]DeliveryCount, error)
	// InboxCount counts agency's incoming documents in a state.
	InboxCount(ctx context.Context, agency AgencyCode, state InboxState) (int, error)
}

// DeliveryCount is how many deliveries to a receiver are in a state, and since when.
type DeliveryCount struct {
	To     AgencyCode
	State  DeliveryState
	Count  int
	Oldest time.Time // when the oldest of them was made
}

// DocumentFilter narrows a list of documents. Zero fields do not narrow.
type DocumentFilter struct {
	Page
	Stage Stage
	// Text finds documents that hold each of its words, or a word that begins with
	// it, in their number, subject, signer or receivers. Case and diacritics do not matter.
	Text string
	// UpdatedAfter finds what changed later, deliveries and what their receivers
	// reported included.
	UpdatedAfter time.Time
}

// ResultFilter narrows a list of results, as DocumentFilter does.
type ResultFilter struct {
	Page
	Stage        Stage
	Text         string // in number, subject, dossier code, procedure or owner
	UpdatedAfter time.Time
}
