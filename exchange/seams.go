package exchange

import (
	"context"
	"errors"
	"io"
	"time"
)

// Store keeps the rows. Implementations are safe for concurrent use.
type Store interface {
	// Update runs fn in one serializable transaction that commits when fn returns
	// nil and leaves no trace otherwise. fn may run more than once, so it changes
	// nothing but tx and variables it sets anew each time; it must not call Update,
	// View or Blobs. Nothing that fn did may be told to anyone before Update returns nil.
	// It runs what Expected makes of fn.
	// Errors: fn's own, storage-full, or the engine's.
	Update(ctx context.Context, fn func(tx Tx) error) error
	// View runs fn against one consistent state. Writes through tx fail.
	View(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction: small parts, one for each kind of row.
type Tx interface {
	DocumentRows
	ResultRows
	DeliveryRows
	LaneRows
	LanePlaceRows
	LaneDeliveryRows
	TransferRows
	InboxRows
	StatusRows
	RegisterRows
	EventRows
	AnswerRows
	AccessRows
	SigningRows
	FlowRows
	ReplyRows
	FindRows
	AuditRows
	TurnRows
	HandoverRows
	WebhookRows
	UploadRows
	SettledRows
	MarkRows
	SealRows
	Jobs
}

// ErrExists is returned by the Create methods when the row's identity is taken.
// Inside Update it leaves the transaction usable.
var ErrExists = errors.New("exists already")

// Page asks for one page of a list, newest first. The zero value is the first 100.
type Page struct {
	After ID  // continue behind this one; empty: from the newest
	Limit int // at most 500; 0 means 100
}

// DocumentRows holds outgoing documents. Save fails with state-conflict unless the
// stored version is the one that was read; it then counts one up.
type DocumentRows interface {
	CreateDocument(ctx context.Context, d Document) error
	SaveDocument(ctx context.Context, d Document) error
	// DeleteDocument removes a draft with what was prepared for it, under the rule of Save.
	DeleteDocument(ctx context.Context, d Document) error
	// Document returns the document id; not-found when there is none.
	Document(ctx context.Context, id ID) (Document, error)
	// DocumentByNumber returns agency's document whose edXML DocumentId is given; not-found.
	DocumentByNumber(ctx context.Context, agency AgencyCode, documentID string) (Document, error)
	// Documents returns agency's documents, newest first.
	Documents(ctx context.Context, agency AgencyCode, p Page) ([]Document, error)
}

// ResultRows holds dossier results, under the same rules as DocumentRows.
type ResultRows interface {
	CreateResult(ctx context.Context, r Result) error
	SaveResult(ctx context.Context, r Result) error
	// DeleteResult removes a draft with what was prepared for it, under the rule of Save.
	DeleteResult(ctx context.Context, r Result) error
	Result(ctx context.Context, id ID) (Result, error)
	// ResultByToken returns the result whose QR carries token; not-found.
	ResultByToken(ctx context.Context, token string) (Result, error)
	Results(ctx context.Context, agency AgencyCode, p Page) ([]Result, error)
}

// DeliveryRows holds deliveries, under the same rules as DocumentRows.
type DeliveryRows interface {
	CreateDelivery(ctx context.Context, d Delivery) error
	SaveDelivery(ctx context.Context, d Delivery) error
	Delivery(ctx context.Context, id ID) (Delivery, error)
	// DeliveriesOf returns every delivery of a subject, oldest first.
	DeliveriesOf(ctx context.Context, subject ID) ([]Delivery, error)
	// DueDeliveries returns at most limit deliveries of lane that are to be tried by
	// now (READY, or UNKNOWN_EXPIRED to be asked again), by priority, then age, without
	// those of except.
	DueDeliveries(ctx context.Context, lane Lane, now time.Time, limit int, except ...ID) ([]Delivery, error)
}

// LaneRows holds the state of lanes.
type LaneRows interface {
	// Lane returns the state of lane, zero but for its name when nothing was saved.
	Lane(ctx context.Context, lane Lane) (LaneState, error)
	SaveLane(ctx context.Context, s LaneState) error
	// OpenLanes returns every lane that holds a delivery still to be tried, with the
	// earliest time one of them may be.
	OpenLanes(ctx context.Context) ([]DueLane, error)
	// NextInLane returns when the next delivery of lane may be tried, its own back-off
	// alone considered; ok is false when none waits.
	NextInLane(ctx context.Context, lane Lane) (at time.Time, ok bool, err error)
}

// DueLane is a lane with work and when that is due, the lane's back-off included.
type DueLane struct {
	Lane Lane
	At   time.Time
}

// TransferRows holds the identity, digest and receipt of every incoming transfer,
// for good.
type TransferRows interface {
	// CreateTransfer adds t; ErrExists when its key is taken.
	CreateTransfer(ctx context.Context, t Transfer) error
	// Transfer returns the transfer of key; not-found.
	Transfer(ctx context.Context, key TransferKey) (Transfer, error)
}

// InboxFilter narrows a list of inbox items. Zero fields do not narrow.
type InboxFilter struct {
	Page
	Kind  TransferKind
	State InboxState
	// Text finds items as DocumentFilter.Text does: number, subject, sender, số đến.
	Text string
	// UpdatedAfter finds items as DocumentFilter.UpdatedAfter does.
	UpdatedAfter time.Time
}

// InboxRows holds inbox items, under the same rules as DocumentRows.
type InboxRows interface {
	CreateInboxItem(ctx context.Context, i InboxItem) error
	SaveInboxItem(ctx context.Context, i InboxItem) error
	InboxItem(ctx context.Context, id ID) (InboxItem, error)
	// InboxItems returns agency's items, newest first; an empty agency means all.
	InboxItems(ctx context.Context, agency AgencyCode, f InboxFilter) ([]InboxItem, error)
	// CountInbox counts agency's items of that kind and state, no further than limit.
	CountInbox(ctx context.Context, agency AgencyCode, kind TransferKind, state InboxState, limit int) (int, error)
	// InboxByDocument returns agency's items whose header names that sender and document id.
	InboxByDocument(ctx context.Context, agency, from AgencyCode, documentID string) ([]InboxItem, error)
}

// StatusRows holds business histories; entries are only added.
type StatusRows interface {
	AppendStatus(ctx context.Context, s Status) error
	// History returns the entries of subject in the order they were added.
	History(ctx context.Context, subject ID) ([]Status, error)
}

// Book names a register of an agency.
type Book string

// The registers: số đi (one series for everything issued) and số đến.
const (
	BookOutgoing Book = "di"
	BookIncoming Book = "den"
)

// Entry is one line of a register.
type Entry struct {
	Agency  AgencyCode `json:"agency"`
	Book    Book       `json:"book"`
	Year    int        `json:"year"`
	Seq     int        `json:"seq"`
	Subject ID         `json:"subject"`
	At      time.Time  `json:"at"`
	By      Actor      `json:"by"`
}

// RegisterRows gives out numbers: from 1 in each agency, book and year, without
// gaps, each once (NĐ 30/2020 art. 15).
type RegisterRows interface {
	// TakeNumber adds the next line to the register that e names and returns its Seq;
	// e.Seq is ignored. A subject that holds a line of that book already gets the same
	// number again.
	TakeNumber(ctx context.Context, e Entry) (int, error)
	// Register returns the lines of a register in order.
	Register(ctx context.Context, agency AgencyCode, book Book, year int) ([]Entry, error)
}

// EventRows is the evidence log; events are only added.
type EventRows interface {
	// AppendEvent chains e to agency's last event, adds it and returns it as stored.
	AppendEvent(ctx context.Context, e Event) (Event, error)
	// EventsOf returns the events whose subject or parent is id, in order.
	EventsOf(ctx context.Context, id ID) ([]Event, error)
	// EventsAfter returns at most limit events of agency behind seq, in order.
	EventsAfter(ctx context.Context, agency AgencyCode, seq int64, limit int) ([]Event, error)
	// LastEvent returns agency's newest event, the zero Event when it has none.
	LastEvent(ctx context.Context, agency AgencyCode) (Event, error)
}

// Answer is what was answered to a request that carried an idempotency key.
type Answer struct {
	Agency  AgencyCode
	Key     string
	Request Digest // of what was asked
	Subject ID     // what the request made or changed
	At      time.Time
}

// AnswerRows remembers idempotency keys.
type AnswerRows interface {
	// Answer returns the answer kept under key; not-found.
	Answer(ctx context.Context, agency AgencyCode, key string) (Answer, error)
	// SaveAnswer keeps a; ErrExists when the key is taken.
	SaveAnswer(ctx context.Context, a Answer) error
}

// JobKind says what a job wakes.
type JobKind string

// The kinds of job.
const (
	JobLane  JobKind = "lane"  // send what is due in a lane; Key is "FROM>TO"
	JobAdmit JobKind = "admit" // read and check an inbox item; Key is its ID
)

// Job wakes a worker. It carries no truth: it may be lost, doubled or late.
type Job struct {
	Kind JobKind
	Key  string
	At   time.Time // not before; zero: at once
}

// Jobs is the queue's part of the transaction.
type Jobs interface {
	// Enqueue wakes a worker for j once the transaction has committed and j.At has
	// come. A job that is queued for as early a time and not started yet is not
	// queued again.
	Enqueue(ctx context.Context, j Job) error
	// Started says that work on j begins at now, so that a later Enqueue wakes anew.
	Started(ctx context.Context, j Job, now time.Time) error
}

// Queue runs jobs.
type Queue interface {
	// Work calls handle for every job that is due, several at a time, until ctx is
	// done, then waits for those under way and returns nil. A job whose handle
	// returns an error or never ends is dropped: the sweeper wakes it again.
	Work(ctx context.Context, handle func(ctx context.Context, j Job) error) error
}

// Envelope is one transfer as it goes on the wire.
type Envelope struct {
	TransferID TransferID
	From       AgencyCode
	To         AgencyCode
	Manifest   []byte // JWS, stored before the first attempt
	Payload    Blob
	// Open returns the payload from its first byte; the transport closes it. It may
	// be called once per attempt.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Transport carries envelopes to peers. Implementations are safe for concurrent
// use, decide nothing and store nothing.
type Transport interface {
	// Deliver hands e to the gateway of agency to and returns the signed answer: an
	// accepted, rejected or closed receipt (JWS bytes, as received).
	//
	// Delivery is at least once: the peer drops repeats by transfer id. A nil error
	// means that the answer's bytes arrived, not that its signature is valid; the
	// caller verifies. Every other outcome is a *DeliveryError.
	Deliver(ctx context.Context, to Agency, e Envelope) (receipt []byte, err error)
	// Close asks the peer to take no bytes for the transfer any more, and returns
	// the signed answer: the accepted receipt when it has them already, else a closed
	// receipt. Repeats get the same bytes. Errors are as for Deliver.
	Close(ctx context.Context, to Agency, e Envelope) (receipt []byte, err error)
}

// DeliveryClass says what a failed attempt means.
type DeliveryClass string

// The classes of failure.
const (
	// ClassPeerDown: the peer as a whole did not answer or is busy. The lane backs
	// off; the transfer loses no attempt. The class of an unknown error.
	ClassPeerDown DeliveryClass = "peer_down"
	// ClassTransfer: this transfer failed in a way that may pass (bytes spoiled on the
	// way, an answer that does not verify). It loses an attempt; the lane goes on.
	ClassTransfer DeliveryClass = "transfer"
	// ClassPermanent: the peer will never take this transfer.
	ClassPermanent DeliveryClass = "permanent"
	// ClassTrust: identity or authorisation failed (TLS, 401, 403). The lane stops and
	// alarms; the transfer loses no attempt.
	ClassTrust DeliveryClass = "trust"
)

// DeliveryError is a failed attempt.
type DeliveryError struct {
	Class      DeliveryClass
	RetryAfter time.Duration // as the peer asked; 0: by our own schedule
	Err        error         // a *text.Error where the peer's code is of the closed list
}

// Error implements error.
func (e *DeliveryError) Error() string {
	if e.Err == nil {
		return "delivering: " + string(e.Class)
	}
	return "delivering: " + string(e.Class) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *DeliveryError) Unwrap() error { return e.Err }

// classOf returns the DeliveryError in err's chain, or one of ClassPeerDown.
func classOf(err error) *DeliveryError {
	var de *DeliveryError
	if errors.As(err, &de) {
		return de
	}
	return &DeliveryError{Class: ClassPeerDown, Err: err}
}
