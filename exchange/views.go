package exchange

import (
	"context"

	"antin/internal/text"
)

// DeliveryView is a delivery with what its receiver's people reported.
type DeliveryView struct {
	Delivery
	Receiver string   // the receiver's name, or its code when the directory has none
	Business Business // derived from History
	History  []Status
}

// DocumentView is an outgoing document with its deliveries.
type DocumentView struct {
	Document
	Deliveries []DeliveryView
}

// ItemView is an inbox item with the statuses that went out, and came in, about it.
type ItemView struct {
	InboxItem
	Business Business
	History  []Status
	// Told is the transport state of the newest status message: whether the sender
	// knows. Empty when none was sent.
	Told DeliveryState
}

// Document returns one document of the actor's agency with its deliveries;
// not-found otherwise.
func (o *Outbox) Document(ctx context.Context, actor Actor, id ID) (v DocumentView, err error) {
	err = o.Store.View(ctx, func(tx Tx) error {
		d, err := tx.Document(ctx, id)
		if err != nil {
			return err
		}
		if err := ownedBy(d.Agency, actor); err != nil {
			return err
		}
		v, err = o.view(ctx, tx, d)
		return err
	})
	return v, err
}

// List returns documents of the actor's agency with their deliveries, newest first.
func (o *Outbox) List(ctx context.Context, actor Actor, f DocumentFilter) (out []DocumentView, err error) {
	err = o.Store.View(ctx, func(tx Tx) error {
		docs, err := tx.DocumentList(ctx, actor.Agency, f)
		if err != nil {
			return err
		}
		out, err = o.views(ctx, tx, docs)
		return err
	})
	return out, err
}

func (o *Outbox) view(ctx context.Context, tx Tx, d Document) (DocumentView, error) {
	all, err := o.views(ctx, tx, []Document{d})
	if err != nil {
		return DocumentView{}, err
	}
	return all[0], nil
}

// views puts documents together with their deliveries and histories, in a fixed
// number of queries however many they are.
func (o *Outbox) views(ctx context.Context, tx Tx, docs []Document) ([]DocumentView, error) {
	ids := make([]ID, len(docs))
	for i, d := range docs {
		ids[i] = d.ID
	}
	deliveries, err := tx.DeliveriesIn(ctx, ids)
	if err != nil {
		return nil, err
	}
	var made []ID
	for _, d := range docs {
		for _, x := range deliveries[d.ID] {
			made = append(made, x.ID)
		}
	}
	histories, err := tx.HistoriesIn(ctx, made)
	if err != nil {
		return nil, err
	}
	out := make([]DocumentView, len(docs))
	for i, d := range docs {
		out[i].Document = d
		for _, x := range deliveries[d.ID] {
			history := histories[x.ID]
			v := DeliveryView{Delivery: x, Receiver: string(x.To), Business: Current(history), History: history}
			if a, err := o.Directory.Agency(ctx, x.To); err == nil {
				v.Receiver = a.Name
			}
			out[i].Deliveries = append(out[i].Deliveries, v)
		}
	}
	return out, nil
}

// FileKind names a file of a document.
type FileKind string

// The files of a document.
const (
	FileDraft   FileKind = "draft"   // before any signature of ours
	FileSigned  FileKind = "signed"  // with the person's signature
	FileFinal   FileKind = "final"   // issued
	FileNewest  FileKind = "newest"  // the most advanced of these
	FileMessage FileKind = "message" // the edXML message as it left
)

// Open returns a file of a document. The caller closes it. not-found when there is
// no such file yet.
func (o *Outbox) Open(ctx context.Context, actor Actor, id ID, kind FileKind) (Document, BlobReader, error) {
	v, err := o.Document(ctx, actor, id)
	if err != nil {
		return Document{}, nil, err
	}
	var b Blob
	switch i := v.Issuance; kind {
	case FileDraft:
		b = i.Draft
	case FileSigned:
		b = i.Signed
	case FileFinal:
		b = i.Final
	case FileNewest:
		b = i.Newest()
	case FileMessage:
		b = v.Message
	}
	if b.IsZero() {
		return v.Document, nil, text.Errorf(text.NotFound, nil)
	}
	r, err := o.Blobs.Open(ctx, b.Digest)
	return v.Document, r, err
}

// Register returns the lines of a register of the actor's agency (sổ văn bản đi,
// sổ văn bản đến).
func (o *Outbox) Register(ctx context.Context, actor Actor, book Book, year int) (out []Entry, err error) {
	err = o.Store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Register(ctx, actor.Agency, book, year)
		return err
	})
	return out, err
}

// Lane returns the state of the way to a peer.
func (o *Outbox) Lane(ctx context.Context, actor Actor, to AgencyCode) (s LaneState, err error) {
	err = o.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.Lane(ctx, Lane{From: actor.Agency, To: to})
		return err
	})
	return s, err
}

// Item returns one item of the actor's agency; not-found otherwise.
func (in *Inbox) Item(ctx context.Context, actor Actor, id ID) (v ItemView, err error) {
	err = in.Store.View(ctx, func(tx Tx) error {
		i, err := tx.InboxItem(ctx, id)
		if err != nil {
			return err
		}
		if err := ownedBy(i.Agency, actor); err != nil {
			return err
		}
		v, err = itemView(ctx, tx, i)
		return err
	})
	return v, err
}

// List returns items of the actor's agency, newest first. An empty f.Kind lists
// documents.
func (in *Inbox) List(ctx context.Context, actor Actor, f InboxFilter) (out []ItemView, err error) {
	if f.Kind == "" {
		f.Kind = KindDocument
	}
	err = in.Store.View(ctx, func(tx Tx) error {
		items, err := tx.InboxItems(ctx, actor.Agency, f)
		if err != nil {
			return err
		}
		out, err = itemViews(ctx, tx, items)
		return err
	})
	return out, err
}

func itemView(ctx context.Context, tx Tx, i InboxItem) (ItemView, error) {
	all, err := itemViews(ctx, tx, []InboxItem{i})
	if err != nil {
		return ItemView{}, err
	}
	return all[0], nil
}

// itemViews puts items together with what was said about them, in a fixed number
// of queries however many they are.
func itemViews(ctx context.Context, tx Tx, items []InboxItem) ([]ItemView, error) {
	ids := make([]ID, len(items))
	for n, i := range items {
		ids[n] = i.ID
	}
	histories, err := tx.HistoriesIn(ctx, ids)
	if err != nil {
		return nil, err
	}
	deliveries, err := tx.DeliveriesIn(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ItemView, len(items))
	for n, i := range items {
		out[n] = ItemView{InboxItem: i, Business: Current(histories[i.ID]), History: histories[i.ID]}
		if sent := deliveries[i.ID]; len(sent) > 0 {
			out[n].Told = sent[len(sent)-1].State
		}
	}
	return out, nil
}

// OpenRaw returns the edXML message of an item, byte for byte as it came. The
// caller closes it.
func (in *Inbox) OpenRaw(ctx context.Context, actor Actor, id ID) (BlobReader, error) {
	v, err := in.Item(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return in.Blobs.Open(ctx, v.Raw.Digest)
}

// OpenAttachment returns attachment n (from 0) of an item. The caller closes it.
func (in *Inbox) OpenAttachment(ctx context.Context, actor Actor, id ID, n int) (Attachment, BlobReader, error) {
	a, err := in.attachment(ctx, actor, id, n)
	if err != nil {
		return Attachment{}, nil, err
	}
	if a.Blob.IsZero() {
		return a, nil, text.Errorf(text.NotFound, nil)
	}
	r, err := in.Blobs.Open(ctx, a.Blob.Digest)
	return a, r, err
}

// Report returns the validation report of attachment n (from 0) as JSON: the
// object of `antin verify --json`. not-found for a file that has none.
func (in *Inbox) Report(ctx context.Context, actor Actor, id ID, n int) ([]byte, error) {
	a, err := in.attachment(ctx, actor, id, n)
	if err != nil {
		return nil, err
	}
	if a.Report.IsZero() {
		return nil, text.Errorf(text.NotFound, nil)
	}
	return readBlob(ctx, in.Blobs, a.Report.Digest, maxReport)
}

// maxReport bounds a stored report, in bytes: some 500 signatures.
const maxReport = 16 << 20

func (in *Inbox) attachment(ctx context.Context, actor Actor, id ID, n int) (Attachment, error) {
	v, err := in.Item(ctx, actor, id)
	if err != nil {
		return Attachment{}, err
	}
	if n < 0 || n >= len(v.Attachments) {
		return Attachment{}, text.Errorf(text.NotFound, nil)
	}
	return v.Attachments[n], nil
}

// Receipt returns the receipt that answered an item's transfer, and its manifest.
func (in *Inbox) Receipt(ctx context.Context, actor Actor, id ID) (t Transfer, err error) {
	v, err := in.Item(ctx, actor, id)
	if err != nil {
		return Transfer{}, err
	}
	err = in.Store.View(ctx, func(tx Tx) (err error) {
		t, err = tx.Transfer(ctx, TransferKey{Recipient: v.Agency, Sender: v.From, ID: v.TransferID})
		return err
	})
	return t, err
}

// Message is the meaning of c in words.
func (c StatusCode) Message() text.Message {
	if !c.Known() {
		return text.Message{VI: string(c), EN: string(c)}
	}
	return text.Get(text.Key("status." + string(c)))
}

// Message is the transport state in words.
func (s DeliveryState) Message() text.Message {
	return text.Get(text.Key("delivery." + string(s)))
}

// Message is the state of an inbox item in words.
func (s InboxState) Message() text.Message { return text.Get(text.Key("inbox." + string(s))) }
