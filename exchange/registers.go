package exchange

import (
	"context"
	"errors"
	"time"

	"antin/internal/text"
)

// Numbering says who gives the numbers of an office's registers.
type Numbering string

// The ways of numbering.
const (
	NumberingHere     Numbering = ""         // this gateway, in order
	NumberingExternal Numbering = "external" // the agency's own system, which brings each number
)

// Start is the first number of a register's year, for an agency that moves here
// when some numbers of the year were given elsewhere.
type Start struct {
	Agency AgencyCode `json:"agency"`
	Book   Book       `json:"book"`
	Year   int        `json:"year"`
	First  int        `json:"first"`
	At     time.Time  `json:"at"`
	By     Actor      `json:"by"`
}

// Void explains why a number of a register stands for no document.
type Void struct {
	Agency AgencyCode `json:"agency"`
	Book   Book       `json:"book"`
	Year   int        `json:"year"`
	Seq    int        `json:"seq"`
	Reason string     `json:"reason"`
	At     time.Time  `json:"at"`
	By     Actor      `json:"by"`
}

// Columns are what the statute's register prints of a document (NĐ 30/2020,
// Annex IV). Those that belong to the other book stay empty.
type Columns struct {
	Number    string    `json:"number,omitempty"`    // số, ký hiệu of the document
	Date      time.Time `json:"date,omitzero"`       // ngày tháng of the document
	Kind      string    `json:"kind,omitempty"`      // tên loại
	Subject   string    `json:"subject,omitempty"`   // trích yếu
	Signer    string    `json:"signer,omitempty"`    // đi: người ký
	Receivers string    `json:"receivers,omitempty"` // đi: nơi nhận
	Keeper    string    `json:"keeper,omitempty"`    // đi: đơn vị, người nhận bản lưu
	Copies    int       `json:"copies,omitempty"`    // đi: số lượng bản
	Arrived   time.Time `json:"arrived,omitzero"`    // đến: ngày đến
	From      string    `json:"from,omitempty"`      // đến: tác giả
	Handler   string    `json:"handler,omitempty"`   // đến: đơn vị hoặc người nhận
	Moved     time.Time `json:"moved,omitzero"`      // đến: ngày chuyển
	Receipt   string    `json:"receipt,omitempty"`   // đến: ký nhận
	Note      string    `json:"note,omitempty"`      // ghi chú
}

// Line is one printed line of a register.
type Line struct {
	Entry   // Subject is the document, result or inbox item
	Columns Columns
	// Void is set for a number that stands for no document, with the explanation.
	Void *Void
	// ByHand is true for a document that came or went outside the network.
	ByHand bool
}

// Registers keeps an agency's registers of outgoing and incoming documents. Its
// fields are set once, before use; its methods are safe for concurrent use.
type Registers struct {
	Store   Store
	Offices Offices
	Now     func() time.Time
}

// The years and numbers that a register takes: what four and seven digits hold.
const (
	minYear   = 1945
	maxYear   = 9999
	maxNumber = 9_999_999
)

// check refuses what is no register.
func (b Book) check(year int) error {
	if b != BookOutgoing && b != BookIncoming {
		return fieldError("book")
	}
	if year < minYear || year > maxYear {
		return fieldError("year")
	}
	return nil
}

// SetFirst sets the first number of a register's year, once, before any number of
// that year is given. Errors: not-allowed, invalid-input, state-conflict.
func (r *Registers) SetFirst(ctx context.Context, by Actor, book Book, year, first int) error {
	if err := by.may(RoleClerk); err != nil {
		return err
	}
	if err := book.check(year); err != nil {
		return err
	}
	if first < 1 || first > maxNumber {
		return fieldError("first")
	}
	now := r.Now().UTC()
	return r.Store.Update(ctx, func(tx Tx) error {
		lines, _, err := tx.RegisterAfter(ctx, by.Agency, book, year, 0, 1)
		if err != nil {
			return err
		}
		if len(lines) > 0 {
			return text.Detailed(text.StateConflict, nil, "flow.register-begun", year)
		}
		err = tx.SaveStart(ctx, Start{Agency: by.Agency, Book: book, Year: year, First: first, At: now, By: by})
		if errors.Is(err, ErrExists) {
			return text.Detailed(text.StateConflict, nil, "flow.register-start-set", year)
		}
		if err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: by.Agency, At: now, Kind: EventRegisterStarted, Subject: registerID(book, year), By: by,
			Data: map[string]string{"first": itoa(first), "book": string(book), "year": itoa(year)}})
		return err
	})
}

// First returns the first number of a register's year, 1 when none was set, and
// whether it was set.
func (r *Registers) First(ctx context.Context, actor Actor, book Book, year int) (first int, set bool, err error) {
	if err := actor.may(registerReaders...); err != nil {
		return 0, false, err
	}
	if err := book.check(year); err != nil {
		return 0, false, err
	}
	var s Start
	err = r.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.Start(ctx, actor.Agency, book, year)
		return err
	})
	if errors.Is(err, &text.Error{Code: text.NotFound}) {
		return 1, false, nil
	}
	return s.First, err == nil, err
}

// registerReaders may read the registers.
var registerReaders = []Role{RoleClerk, RoleLeader, RoleOfficer, RoleIntegrator}

// registerID names a register in the evidence.
func registerID(book Book, year int) ID { return ID("so_" + string(book) + "_" + itoa(year)) }

// Void explains that a number stands for no document: its document was numbered
// and never issued. The line stays; the document, when it is issued after all,
// takes another number. Errors: not-allowed, invalid-input, not-found,
// state-conflict when the document is issued or the number is explained already.
func (r *Registers) Void(ctx context.Context, clerk Actor, book Book, year, seq int, reason string) error {
	if err := clerk.may(RoleClerk); err != nil {
		return err
	}
	tidy(&reason)
	if err := errors.Join(book.check(year), checkText("reason", reason, maxReason, true)); err != nil {
		return err
	}
	now := r.Now().UTC()
	return r.Store.Update(ctx, func(tx Tx) error {
		e, err := tx.RegisterEntry(ctx, clerk.Agency, book, year, seq)
		if err != nil {
			return err
		}
		if err := withdrawNumber(ctx, tx, clerk, e); err != nil {
			return err
		}
		err = tx.AddVoid(ctx, Void{Agency: e.Agency, Book: book, Year: year, Seq: seq, Reason: reason, At: now, By: clerk})
		if errors.Is(err, ErrExists) {
			return text.Detailed(text.StateConflict, nil, "flow.voided-already", seq)
		}
		if err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: e.Agency, At: now, Kind: EventNumberVoided, Subject: e.Subject, By: clerk,
			Data: map[string]string{"number": itoa(seq), "book": string(book), "year": itoa(year), "reason": reason}})
		return err
	})
}

// withdrawNumber takes the number of line e from its document, which must not be
// issued.
func withdrawNumber(ctx context.Context, tx Tx, actor Actor, e Entry) error {
	var p paper
	switch {
	case e.Subject.Has(PrefixDocument):
		p = &documentPaper{id: e.Subject, actor: actor}
	case e.Subject.Has(PrefixResult):
		p = &resultPaper{id: e.Subject, actor: actor}
	default:
		return text.Detailed(text.StateConflict, nil, "flow.void-issued", e.Seq)
	}
	if err := p.load(ctx, tx); err != nil {
		return err
	}
	i := p.issuance()
	if i.Number.Seq != e.Seq || i.Number.Year != e.Year {
		return nil // it holds another number by now
	}
	if i.Issued.Done() || i.Sealed.Done() {
		return text.Detailed(text.StateConflict, nil, "flow.void-issued", e.Seq)
	}
	if err := tx.DropSignings(ctx, e.Subject, SigningSeal); err != nil {
		return err // a seal that was prepared shows the number
	}
	i.Number, i.Numbered = Number{}, Fact{}
	if d, ok := p.(*documentPaper); ok {
		d.doc.DocumentID = ""
	}
	return p.save(ctx, tx)
}

// takeNumber enters e in its register: as the next number, or as given when that
// is not 0. With external numbering a number must be given, and only then may it
// be. number-taken when another document has it.
func takeNumber(ctx context.Context, tx Tx, o Office, e Entry, given int) (int, error) {
	if err := refuseInQuarantine(ctx, tx); err != nil {
		return 0, err
	}
	switch {
	case o.Numbering == NumberingExternal && given == 0:
		return 0, text.Detailed(text.InvalidInput, nil, "flow.number-external")
	case o.Numbering != NumberingExternal && given != 0:
		return 0, text.Detailed(text.InvalidInput, nil, "flow.number-here")
	case given == 0:
		return tx.TakeNumber(ctx, e)
	}
	return giveNumber(ctx, tx, e, given)
}

// giveNumber enters e under a number given from outside.
func giveNumber(ctx context.Context, tx Tx, e Entry, given int) (int, error) {
	if given < 1 || given > maxNumber {
		return 0, fieldError("number")
	}
	e.Seq = given
	seq, err := tx.EnterNumber(ctx, e)
	if errors.Is(err, ErrExists) || err == nil && seq != given {
		return 0, text.Detailed(text.NumberTaken, nil, "flow.number", given, e.Year)
	}
	return seq, err
}
