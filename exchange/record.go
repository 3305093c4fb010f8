package exchange

import (
	"context"
	"errors"
	"time"

	"antin/internal/text"
)

// PaperDocument is an outgoing document that went on paper or by another channel,
// for the register alone.
type PaperDocument struct {
	Number    int // as given on the paper; 0 takes the next
	Date      time.Time
	Kind      DocumentKind
	Notation  string
	Subject   string
	Signer    string
	Position  string
	Receivers string
	Keeper    string // đơn vị, người nhận bản lưu
	Copies    int    // số lượng bản
	Note      string
	Channel   string // by what way it went: "giấy, bưu điện"
	Key       string // idempotency key; may be empty
}

// maxCopies bounds the copies of a paper document, what a print shop might deliver.
const maxCopies = 100_000

// Record enters a document in the register of outgoing documents that went outside
// the network. It has no file here. A number that is named must be free: it may
// lie before those given since, never on one of them. Errors: not-allowed,
// invalid-input, number-taken, storage-full.
func (o *Outbox) Record(ctx context.Context, actor Actor, p PaperDocument) (Document, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return Document{}, err
	}
	now := o.Now().UTC()
	if err := p.check(now); err != nil {
		return Document{}, err
	}
	office, err := o.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return Document{}, err
	}
	particulars := p
	particulars.Key = ""
	idem, err := newOnce(actor.Agency, p.Key, "document.record", particulars)
	if err != nil {
		return Document{}, err
	}
	fact := Fact{At: now, By: actor}
	d := Document{ID: NewID(PrefixDocument, now), Agency: actor.Agency, CreatedAt: now, CreatedBy: actor, Kind: p.Kind, Notation: p.Notation,
		Subject: p.Subject, Security: SecurityOrdinary, Imported: true, Sent: fact,
		Hand:     ByHand{Channel: p.Channel, Columns: Columns{Receivers: p.Receivers, Keeper: p.Keeper, Copies: p.Copies, Note: p.Note}},
		Issuance: Issuance{Signer: Signer{Name: p.Signer, Position: p.Position}, Numbered: fact, Issued: fact}}
	id := d.ID
	err = o.Store.Update(ctx, func(tx Tx) error {
		made, ok, err := idem.done(ctx, tx)
		if ok || err != nil {
			id = made
			return err
		}
		id = d.ID
		return recordDocument(ctx, tx, office, actor, d, p, now, idem)
	})
	if err != nil {
		return Document{}, err
	}
	v, err := o.Document(ctx, actor, id)
	return v.Document, err
}

func recordDocument(ctx context.Context, tx Tx, office Office, actor Actor, d Document, p PaperDocument, now time.Time, idem once) error {
	day := dayIn(p.Date)
	seq, err := recordNumber(ctx, tx, office, Entry{Agency: d.Agency, Book: BookOutgoing, Year: day.Year(), Subject: d.ID, At: now, By: actor}, p.Number)
	if err != nil {
		return err
	}
	d.Issuance.Number = Number{Year: day.Year(), Seq: seq, Notation: p.Notation, Date: day.UTC()}
	d.DocumentID = documentID(d.Agency, d.Issuance.Number)
	if err := tx.CreateDocument(ctx, d); err != nil {
		return taken(err)
	}
	if _, err := tx.AppendEvent(ctx, Event{Agency: d.Agency, At: now, Kind: EventRecorded, Subject: d.ID, By: actor,
		Data: map[string]string{"number": d.Issuance.Number.String(), "channel": p.Channel}}); err != nil {
		return err
	}
	return idem.keep(ctx, tx, d.ID, now)
}

// recordNumber enters a document that bears its number already, or takes the next.
func recordNumber(ctx context.Context, tx Tx, office Office, e Entry, given int) (int, error) {
	if given == 0 {
		return takeNumber(ctx, tx, office, e, 0)
	}
	return giveNumber(ctx, tx, e, given)
}

func (p *PaperDocument) check(now time.Time) error {
	tidy(&p.Kind.Name, &p.Notation, &p.Subject, &p.Signer, &p.Position, &p.Receivers, &p.Keeper, &p.Note, &p.Channel)
	return firstError(checkNotation(p.Notation), checkText("kind", p.Kind.Name, maxSubject, true), checkText("subject", p.Subject, maxSubject, true),
		checkText("signer", p.Signer, maxSubject, true), checkText("position", p.Position, maxSubject, false),
		checkText("receivers", p.Receivers, maxReceiverNames, true), checkText("keeper", p.Keeper, maxSubject, false),
		checkText("note", p.Note, maxReason, false), checkText("channel", p.Channel, maxSubject, true),
		checkRange("copies", p.Copies, 0, maxCopies), checkRange("number", p.Number, 0, maxNumber), checkDay("date", p.Date, now))
}

// PaperItem is an incoming document that came on paper or by another channel, for
// the register alone.
type PaperItem struct {
	Arrival    int // số đến; 0 takes the next
	Arrived    time.Time
	From       AgencyCode // may be empty: not every sender has an identifier
	FromName   string
	Number     string // số, ký hiệu as printed, "7816/VPCP-TTĐT"
	Date       time.Time
	Kind       DocumentKind
	Subject    string
	SignerName string
	Handler    string    // đơn vị hoặc người nhận
	Moved      time.Time // ngày chuyển; zero: not yet
	Receipt    string    // ký nhận
	Note       string
	Channel    string // by what way it came
	Key        string // idempotency key; may be empty
}

// Record enters a document in the register of incoming documents that came outside
// the network. It counts as accepted; its sender is told nothing by this gateway.
// Errors: not-allowed, invalid-input, number-taken, storage-full.
func (in *Inbox) Record(ctx context.Context, actor Actor, p PaperItem) (ItemView, error) {
	if err := actor.may(RoleClerk, RoleIntegrator); err != nil {
		return ItemView{}, err
	}
	now := in.Now().UTC()
	if err := p.check(now); err != nil {
		return ItemView{}, err
	}
	office, err := in.Offices.Office(ctx, actor.Agency)
	if err != nil {
		return ItemView{}, err
	}
	particulars := p
	particulars.Key = ""
	idem, err := newOnce(actor.Agency, p.Key, "inbox.record", particulars)
	if err != nil {
		return ItemView{}, err
	}
	i := InboxItem{ID: NewID(PrefixInbox, now), Agency: actor.Agency, From: p.From, FromName: p.FromName, Kind: KindDocument,
		TransferID: NewTransferID(now), ReceivedAt: p.Arrived.UTC(), State: InboxAccepted, CheckedAt: now, Accepted: Fact{At: now, By: actor}, Assignee: p.Handler,
		Header: DocumentHeader{From: p.From, FromName: p.FromName, Number: p.Number, Date: dayIn(p.Date).UTC(), Kind: p.Kind, Subject: p.Subject, SignerName: p.SignerName},
		Hand:   ByHand{Channel: p.Channel, Columns: Columns{Moved: p.Moved, Receipt: p.Receipt, Note: p.Note}}}
	id := i.ID
	err = in.Store.Update(ctx, func(tx Tx) error {
		made, ok, err := idem.done(ctx, tx)
		if ok || err != nil {
			id = made
			return err
		}
		id = i.ID
		return recordItem(ctx, tx, office, actor, i, p, now, idem)
	})
	if err != nil {
		return ItemView{}, err
	}
	return in.Item(ctx, actor, id)
}

func recordItem(ctx context.Context, tx Tx, office Office, actor Actor, i InboxItem, p PaperItem, now time.Time, idem once) error {
	i.Year = p.Arrived.In(Vietnam).Year()
	seq, err := recordNumber(ctx, tx, office, Entry{Agency: i.Agency, Book: BookIncoming, Year: i.Year, Subject: i.ID, At: now, By: actor}, p.Arrival)
	if err != nil {
		return err
	}
	i.Arrival = seq
	if err := tx.CreateInboxItem(ctx, i); err != nil {
		return err
	}
	status := Status{Subject: i.ID, Code: StatusAccepted, Direction: DirectionOut, At: now.Truncate(time.Second), RecordedAt: now, By: actor.Name}
	if err := tx.AppendStatus(ctx, status); err != nil {
		return err
	}
	if _, err := tx.AppendEvent(ctx, Event{Agency: i.Agency, At: now, Kind: EventRecorded, Subject: i.ID, By: actor, Peer: i.From,
		Data: map[string]string{"number": itoa(seq), "channel": p.Channel}}); err != nil {
		return err
	}
	return idem.keep(ctx, tx, i.ID, now)
}

func (p *PaperItem) check(now time.Time) error {
	tidy(&p.FromName, &p.Number, &p.Kind.Name, &p.Subject, &p.SignerName, &p.Handler, &p.Receipt, &p.Note, &p.Channel)
	if p.From != "" && !p.From.Valid() {
		return fieldError("from")
	}
	if !p.Moved.IsZero() && p.Moved.After(now.Add(maxClockAhead)) {
		return text.Detailed(text.InvalidInput, nil, "flow.future", "moved")
	}
	return firstError(checkText("from_name", p.FromName, maxSubject, true), checkText("number", p.Number, maxSubject, true),
		checkText("kind", p.Kind.Name, maxSubject, false), checkText("subject", p.Subject, maxSubject, true),
		checkText("signer_name", p.SignerName, maxSubject, false), checkText("handler", p.Handler, maxSubject, false),
		checkText("receipt", p.Receipt, maxSubject, false), checkText("note", p.Note, maxReason, false),
		checkText("channel", p.Channel, maxSubject, true), checkRange("arrival", p.Arrival, 0, maxNumber),
		checkDay("arrived", p.Arrived, now), checkDay("date", p.Date, now))
}

// firstError returns the first that is not nil, so that one field is named at a time.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkRange(name string, n, low, high int) error {
	if n < low || n > high {
		return fieldError(name)
	}
	return nil
}

// checkDay accepts a day that has come, of a year that a register takes.
func checkDay(name string, day, now time.Time) error {
	if day.IsZero() {
		return fieldError(name)
	}
	if day.After(now.Add(maxClockAhead)) {
		return text.Detailed(text.InvalidInput, nil, "flow.future", name)
	}
	if err := BookOutgoing.check(day.In(Vietnam).Year()); err != nil {
		return errors.Join(fieldError(name), err)
	}
	return nil
}
