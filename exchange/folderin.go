package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// EventFolderFailing is the fact that incoming documents cannot be laid into the folder
// of the agency's own systems. They wait.
const EventFolderFailing EventKind = "folder.failing"

const (
	// folderTaker is the name of the folder's row in HandoverRows.
	folderTaker = "folder"
	// folderLook is how often the log is looked at while nobody rings, and folderPage how
	// many events are read at a time.
	folderLook, folderPage = 5 * time.Second, 200
	// MaxFolderPause is the longest pause between attempts at a folder that takes nothing.
	MaxFolderPause = 5 * time.Minute
)

// Parcel is an incoming document as it is laid into a folder.
type Parcel struct {
	ID    ID           // of the inbox item: the parcel's name
	Files []ParcelFile // the message first
	Slip  []byte       // what is known of it, as JSON
}

// ParcelFile is one file of a Parcel. Its name is safe as that of a file, and no other
// of the parcel has it.
type ParcelFile struct {
	Name string
	Blob Blob
}

// Tray is where parcels are laid.
type Tray interface {
	// Lay lays p whole or not at all, and durably. One that lies there already is left as
	// it is. open returns the bytes of a file.
	Lay(ctx context.Context, p Parcel, open func(ctx context.Context, d Digest) (BlobReader, error)) error
}

// Exporter lays incoming documents into a folder, each once, in the order of the
// evidence log. Its fields are set once, before use.
type Exporter struct {
	Store  Store
	Blobs  Blobs
	Tray   Tray
	Agency AgencyCode
	Now    func() time.Time
	// OnArrival lays a document down when it was read and checked; otherwise that is done
	// when văn thư has accepted it.
	OnArrival bool
	// Worker and Bell are those of Webhooks.
	Worker *Worker
	Bell   *Bell
	// OnError hears of each failure; it may be nil.
	OnError func(err error)
}

// Run lays parcels until ctx is done.
func (x *Exporter) Run(ctx context.Context) error {
	for {
		var rung <-chan struct{}
		if x.Bell != nil {
			rung = x.Bell.Next(x.Agency)
		}
		next, err := x.Drain(ctx)
		if err != nil && ctx.Err() == nil && x.OnError != nil {
			x.OnError(fmt.Errorf("folder: %w", err))
		}
		pause := folderLook
		if !next.IsZero() {
			rung, pause = nil, min(pause, max(0, next.Sub(x.Now())))
		}
		if !await(ctx, pause, rung, nil) {
			return nil
		}
	}
}

// Drain lays what is due and returns when to come again, zero where that is when
// something new arrives. The error is the folder's or our own; nothing is lost by it.
func (x *Exporter) Drain(ctx context.Context) (next time.Time, err error) {
	row, events, err := x.look(ctx)
	if err != nil || len(events) == 0 || row.NextAt.After(x.Now()) {
		return row.NextAt, err
	}
	do := func(ctx context.Context, fence int64) (err error) {
		next, err = x.drain(ctx, fence)
		return err
	}
	if x.Worker == nil {
		return next, do(ctx, 0)
	}
	err = x.Worker.inTurn(ctx, Job{Kind: JobHandover, Key: folderTaker + ":" + string(x.Agency)}, do)
	return next, err
}

func (x *Exporter) look(ctx context.Context) (row Handover, events []Event, err error) {
	err = x.Store.View(ctx, func(tx Tx) (err error) {
		if row, err = tx.Handover(ctx, x.Agency, folderTaker); err != nil {
			return err
		}
		events, err = tx.EventsAfter(ctx, x.Agency, row.Seq, folderPage)
		return err
	})
	return row, events, err
}

func (x *Exporter) drain(ctx context.Context, fence int64) (time.Time, error) {
	for {
		row, events, err := x.look(ctx)
		if err != nil || len(events) == 0 || row.NextAt.After(x.Now()) || ctx.Err() != nil {
			return row.NextAt, err
		}
		done := row.Seq
		for _, e := range events {
			if err = x.take(ctx, e); err != nil {
				break
			}
			if done = e.Seq; x.wants(e) || ctx.Err() != nil {
				break // noted at once: what was laid down is not laid down again
			}
		}
		next, serr := x.settle(ctx, fence, done, err)
		if serr != nil {
			return next, serr
		}
		if err != nil || !next.IsZero() {
			return next, err
		}
	}
}

func (x *Exporter) wants(e Event) bool {
	if !e.Subject.Has(PrefixInbox) {
		return false
	}
	if x.OnArrival {
		return e.Kind == EventValidated
	}
	return e.Kind == EventAccepted
}

// take lays down what e speaks of, where it is for the folder.
func (x *Exporter) take(ctx context.Context, e Event) error {
	if !x.wants(e) {
		return nil
	}
	var item InboxItem
	err := x.Store.View(ctx, func(tx Tx) (err error) {
		item, err = tx.InboxItem(ctx, e.Subject)
		return err
	})
	if err != nil || item.Kind != KindDocument || item.Hand.Channel != "" { // what came on paper has no file
		return err
	}
	p, err := parcelOf(item)
	if err != nil {
		return err
	}
	return x.Tray.Lay(ctx, p, x.Blobs.Open)
}

// settle notes how far the folder has come, and a failure with when to try again.
func (x *Exporter) settle(ctx context.Context, fence, seq int64, failure error) (next time.Time, err error) {
	now := x.Now().UTC().Truncate(time.Microsecond)
	if ctx.Err() != nil {
		return time.Time{}, nil
	}
	err = x.Store.Update(ctx, func(tx Tx) error {
		next = time.Time{}
		if mine, err := holdsHandover(ctx, tx, folderTaker+":"+string(x.Agency), fence); err != nil || !mine {
			next = now.Add(folderLook)
			return err
		}
		row, err := tx.Handover(ctx, x.Agency, folderTaker)
		if err != nil {
			return err
		}
		if seq > row.Seq {
			row = row.taken(seq, now)
		}
		if failure == nil {
			return tx.SaveHandover(ctx, row)
		}
		first := row.Attempts == 0
		row = row.failed(NoteOf(failure), now, min(wait(row.Attempts+1, folderTaker), MaxFolderPause))
		next = row.NextAt
		if err := tx.SaveHandover(ctx, row); err != nil || !first {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: x.Agency, At: now, Kind: EventFolderFailing, Subject: ID(folderTaker), By: System(x.Agency),
			Data: map[string]string{"code": string(row.Note.Code)}})
		return err
	})
	return next, err
}

// slip is what is known of a document that lies in the folder.
type slip struct {
	ID         ID         `json:"id"`
	OrganID    AgencyCode `json:"organ_id"` // the sender, as its gateway proved
	From       string     `json:"from"`
	DocumentID string     `json:"document_id"`
	Number     string     `json:"code_number"`
	Notation   string     `json:"code_notation"`
	Date       string     `json:"promulgation_date,omitempty"`
	Subject    string     `json:"subject"`
	Signer     string     `json:"signer,omitempty"`
	Priority   int        `json:"priority"`
	DueDate    string     `json:"due_date,omitempty"`
	Verdict    Verdict    `json:"verdict"`
	ReceivedAt time.Time  `json:"received_at"`
	AcceptedAt time.Time  `json:"accepted_at,omitzero"`
	Arrival    int        `json:"arrival_number,omitempty"`
	Transfer   TransferID `json:"transfer_id"`
	Replaces   []string   `json:"replaces,omitempty"`
	TraceID    string     `json:"trace_id,omitempty"`
	Files      []slipFile `json:"files"`
}

type slipFile struct {
	File      string  `json:"file"`
	Name      string  `json:"name,omitempty"` // as the sender called it
	SHA256    Digest  `json:"sha256"`
	Bytes     int64   `json:"bytes"`
	MediaType string  `json:"media_type"`
	Verdict   Verdict `json:"verdict,omitempty"`
}

// parcelMessage is the name of the message in a parcel.
const parcelMessage = "van-ban.edxml"

func parcelOf(i InboxItem) (Parcel, error) {
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(Vietnam).Format(time.DateOnly)
	}
	h := i.Header
	s := slip{ID: i.ID, OrganID: i.From, From: i.FromName, DocumentID: h.DocumentID, Number: h.Number, Notation: h.Notation, Date: day(h.Date),
		Subject: h.Subject, Signer: h.SignerName, Priority: h.Priority, DueDate: day(h.DueDate), Verdict: i.Verdict, ReceivedAt: i.ReceivedAt.In(Vietnam),
		Arrival: i.Arrival, Transfer: i.TransferID, Replaces: h.Replaces, TraceID: i.Trace.ID(),
		Files: []slipFile{{File: parcelMessage, SHA256: i.Raw.Digest, Bytes: i.Raw.Size, MediaType: messageType}}}
	if i.Accepted.Done() {
		s.AcceptedAt = i.Accepted.At.In(Vietnam)
	}
	p := Parcel{ID: i.ID, Files: []ParcelFile{{Name: parcelMessage, Blob: i.Raw}}}
	for n, a := range i.Attachments {
		if a.Blob.IsZero() {
			continue
		}
		name := fmt.Sprintf("%02d-%s", n+1, edxml.SafeName(a.Name)) // the number parts equal names
		p.Files = append(p.Files, ParcelFile{Name: name, Blob: a.Blob})
		s.Files = append(s.Files, slipFile{File: name, Name: a.Name, SHA256: a.Blob.Digest, Bytes: a.Blob.Size, MediaType: a.MediaType, Verdict: a.Verdict})
	}
	var err error
	p.Slip, err = json.MarshalIndent(s, "", "  ")
	return p, err
}

// FolderState tells how far the folder of an agency has come.
func FolderState(ctx context.Context, s Store, agency AgencyCode) (h Handover, err error) {
	err = s.View(ctx, func(tx Tx) (err error) {
		h, err = tx.Handover(ctx, agency, folderTaker)
		return err
	})
	return h, err
}

// handoverTasks finds what does not take what is handed to it.
func handoverTasks(ctx context.Context, tx Tx, agency AgencyCode) (out []Task, err error) {
	all, err := tx.Webhooks(ctx, agency)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		v, err := webhookView(ctx, tx, w)
		if err != nil {
			return nil, err
		}
		switch {
		case v.State == WebhookParked:
			out = append(out, Task{Kind: TaskHandover, Count: int(v.Behind), Since: v.Handover.Parked, What: text.Get("flow.task-webhook", w.Name, v.Behind), Fix: text.Get("flow.task-webhook-fix")})
		case v.State != WebhookDisabled && len(v.Parked) > 0:
			out = append(out, Task{Kind: TaskHandover, Count: len(v.Parked), Since: v.Parked[0].At, What: text.Get("flow.task-webhook-event", w.Name, len(v.Parked)), Fix: text.Get("flow.task-webhook-event-fix")})
		}
	}
	h, err := tx.Handover(ctx, agency, folderTaker)
	if err == nil && h.Attempts > 0 {
		out = append(out, Task{Kind: TaskHandover, Count: 1, Since: h.FailingSince, What: text.Get("flow.task-folder", h.Note.Message), Fix: text.Get("flow.task-folder-fix")})
	}
	return out, err
}
