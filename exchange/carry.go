package exchange

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// The form of a carried file (.xpk): a zip whose entries are stored, never
// compressed, under names that follow from what they hold, without times, so that
// the same content gives the same bytes.
const (
	carryHeader  = "antin-carry.json"
	carryVersion = 1
	// maxCarryEntries and maxCarryBytes bound a file: what a reader can list in memory,
	// and what a zip holds without its extension for great ones.
	maxCarryEntries = 20_000
	maxCarryBytes   = 3 << 30
	// carryReceipts is how far back receipts are carried along: longer than any
	// transfer waits. One that was carried before does no harm.
	carryReceipts = 30 * 24 * time.Hour
	// maxCarryHeader bounds the header, in bytes.
	maxCarryHeader = 4 << 10
)

// carryName says what an entry holds.
var carryName = regexp.MustCompile(`^(?:transfers/([0-9a-f-]{36})/(manifest\.jws|part-0)|receipts/([0-9a-f-]{36})\.jws)$`)

// carryHead is the first entry.
type carryHead struct {
	Version int        `json:"version"`
	From    AgencyCode `json:"from"`
	To      AgencyCode `json:"to"`
}

// Carried is what a file holds or brought.
type Carried struct {
	From      AgencyCode     `json:"from"`
	To        AgencyCode     `json:"to"`
	Transfers int            `json:"transfers"`
	Receipts  int            `json:"receipts"`
	More      bool           `json:"more,omitempty"`    // of an export: not all found room
	Refused   []CarryRefusal `json:"refused,omitempty"` // of an import
}

// CarryRefusal is a transfer or receipt of a carried file that was not taken.
type CarryRefusal struct {
	ID   TransferID `json:"transfer"`
	Code text.Code  `json:"code"`
}

// Carrier writes and reads what goes by medium instead of a line: the same manifests,
// bytes and receipts, so that both ways may be mixed. Its fields are set once, before use.
type Carrier struct {
	Store Store
	// Open returns stored bytes, as Blobs does.
	Open  func(ctx context.Context, d Digest) (BlobReader, error)
	Inbox *Inbox // for Import
	Held  *Held  // for Import
	Now   func() time.Time
}

// Export writes everything that waits to go from own to peer, and the receipts that
// own gave peer in the last thirty days. It changes nothing: what is carried still
// goes by line when that comes back.
func (c *Carrier) Export(ctx context.Context, w io.Writer, own, peer AgencyCode) (out Carried, err error) {
	out = Carried{From: own, To: peer}
	var waiting []Delivery
	var given []Settled
	err = c.Store.View(ctx, func(tx Tx) (err error) {
		if waiting, out.More, err = waitingBetween(ctx, tx, own, peer); err != nil {
			return err
		}
		now := c.Now().UTC()
		given, err = tx.SettledOf(ctx, SettledQuery{Agency: own, Peer: peer, From: now.Add(-carryReceipts), To: now.Add(time.Hour), Limit: maxCarryEntries / 4})
		return err
	})
	if err != nil {
		return out, err
	}
	z := &carryWriter{z: zip.NewWriter(w)}
	head, err := json.Marshal(carryHead{carryVersion, own, peer})
	if err != nil {
		return out, err
	}
	z.add(carryHeader, bytes.NewReader(head))
	for _, d := range waiting {
		if z.size+d.Payload.Size > maxCarryBytes {
			out.More = true
			continue
		}
		if err := c.exportTransfer(ctx, z, d); err != nil {
			return out, err
		}
		out.Transfers++
	}
	for _, s := range given {
		receipt, err := c.receipt(ctx, TransferKey{Recipient: own, Sender: peer, ID: s.ID})
		if err != nil {
			return out, err
		}
		z.add("receipts/"+string(s.ID)+".jws", bytes.NewReader(receipt))
		out.Receipts++
	}
	return out, errors.Join(z.err, z.z.Close())
}

// waitingBetween returns what waits between two agencies, by age.
func waitingBetween(ctx context.Context, tx Tx, own, peer AgencyCode) (out []Delivery, more bool, err error) {
	for after := ID(""); ; {
		page, err := tx.WaitingFor(ctx, peer, after, waitingPage)
		if err != nil {
			return nil, false, err
		}
		for _, d := range page {
			if len(out) == maxCarryEntries/4 {
				return out, true, nil
			}
			if d.Agency == own {
				out = append(out, d)
			}
		}
		if len(page) < waitingPage {
			return out, false, nil
		}
		after = page[len(page)-1].ID
	}
}

func (c *Carrier) exportTransfer(ctx context.Context, z *carryWriter, d Delivery) error {
	r, err := c.Open(ctx, d.Payload.Digest)
	if err != nil {
		return fmt.Errorf("bytes of %s: %w", d.ID, err)
	}
	defer func() { _ = r.Close() }()
	dir := "transfers/" + string(d.TransferID) + "/"
	z.add(dir+"manifest.jws", bytes.NewReader(d.Manifest))
	z.add(dir+"part-0", io.NewSectionReader(r, 0, r.Size()))
	return z.err
}

func (c *Carrier) receipt(ctx context.Context, k TransferKey) (receipt []byte, err error) {
	err = c.Store.View(ctx, func(tx Tx) error {
		t, err := tx.Transfer(ctx, k)
		receipt = t.Receipt
		return err
	})
	return receipt, err
}

// carryWriter adds entries until one fails.
type carryWriter struct {
	z    *zip.Writer
	size int64
	err  error
}

func (w *carryWriter) add(name string, r io.Reader) {
	if w.err != nil {
		return
	}
	e, err := w.z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		w.err = err
		return
	}
	n, err := io.Copy(e, r)
	w.size += n
	w.err = err
}

// Import takes in a carried file of that size: transfers as Receive does, after their
// manifests were verified, and receipts as if the peer had brought them. Each stands
// for itself; importing a file again changes nothing. Errors: invalid-input when it
// is no such file or holds anything else, not-for-us; those of our own side.
func (c *Carrier) Import(ctx context.Context, r io.ReaderAt, size int64) (out Carried, err error) {
	entries, head, err := readCarried(r, size)
	if err != nil {
		return out, text.Detailed(text.InvalidInput, err, "exchange.carried")
	}
	out.From, out.To = head.From, head.To
	if _, err := c.Inbox.Offices.Office(ctx, head.To); err != nil {
		return out, err
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		id, what := e.parts()
		switch what {
		case "manifest.jws":
			err = c.importTransfer(ctx, head, id, e, entries)
		case "receipt":
			err = c.importReceipt(ctx, head, e)
		default:
			continue // bytes go with their manifest
		}
		if err == nil && what == "receipt" {
			out.Receipts++
		} else if err == nil {
			out.Transfers++
		} else if code := text.CodeOf(err); code == text.Internal || code == text.StorageFull || ctx.Err() != nil {
			return out, err
		} else {
			out.Refused = append(out.Refused, CarryRefusal{ID: id, Code: code})
		}
	}
	return out, nil
}

func (c *Carrier) importTransfer(ctx context.Context, head carryHead, id TransferID, e carryEntry, all map[string]carryEntry) error {
	manifest, err := e.read(jws.MaxSize)
	if err != nil {
		return err
	}
	in := Incoming{Peer: head.From, ID: id, Manifest: manifest}
	opened, err := c.Inbox.open(ctx, in)
	if err != nil {
		return err
	}
	if err := c.Inbox.verify(ctx, opened); err != nil { // no line has proven the sender
		return err
	}
	part, ok := all["transfers/"+string(id)+"/part-0"]
	if !ok || opened.key.Recipient != head.To {
		return text.Errorf(text.InvalidInput, errors.New("transfer without bytes, or for another"))
	}
	body, err := part.f.Open()
	if err != nil {
		return text.Errorf(text.InvalidInput, err)
	}
	defer func() { _ = body.Close() }()
	in.Payload = spoilt{body}
	receipt, err := c.Inbox.Receive(ctx, in)
	if err == nil && receipt.Kind != ReceiptAccepted {
		err = text.Errorf(text.PeerRefused, nil)
	}
	return err
}

// spoilt calls bytes that the medium lost what they are.
type spoilt struct{ io.Reader }

// Read implements io.Reader.
func (s spoilt) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = text.Errorf(text.DigestMismatch, err)
	}
	return n, err
}

func (c *Carrier) importReceipt(ctx context.Context, head carryHead, e carryEntry) error {
	receipt, err := e.read(jws.MaxSize)
	if err != nil {
		return err
	}
	return c.Held.Take(ctx, head.From, receipt)
}

// carryEntry is one entry of a carried file.
type carryEntry struct {
	name string
	f    *zip.File
}

// parts says whose entry e is and what it holds.
func (e carryEntry) parts() (id TransferID, what string) {
	m := carryName.FindStringSubmatch(e.name)
	switch {
	case m == nil:
		return "", ""
	case m[3] != "":
		return TransferID(m[3]), "receipt"
	}
	return TransferID(m[1]), m[2]
}

func (e carryEntry) read(most int64) ([]byte, error) {
	f, err := e.f.Open()
	if err != nil {
		return nil, text.Errorf(text.InvalidInput, err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil || int64(len(b)) > most {
		return nil, text.Errorf(text.InvalidInput, fmt.Errorf("entry %s: %w", e.name, errors.Join(err, jws.ErrFormat)))
	}
	return b, nil
}

// readCarried lists a carried file and refuses whatever a carrier would not write.
func readCarried(r io.ReaderAt, size int64) (entries map[string]carryEntry, head carryHead, err error) {
	if err := boundZip(r, size); err != nil {
		return nil, head, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, head, err
	}
	entries = make(map[string]carryEntry, len(z.File))
	for i, f := range z.File {
		_, twice := entries[f.Name]
		switch {
		case (i == 0) != (f.Name == carryHeader), i > 0 && !carryName.MatchString(f.Name):
			return nil, head, fmt.Errorf("entry %q", f.Name)
		case twice:
			return nil, head, fmt.Errorf("entry %q twice", f.Name)
		case f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 || f.Flags&1 != 0:
			return nil, head, fmt.Errorf("entry %q is not stored as it is", f.Name)
		}
		entries[f.Name] = carryEntry{f.Name, f}
	}
	b, err := entries[carryHeader].readHead()
	if err != nil {
		return nil, head, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&head); err != nil || head.Version != carryVersion || !head.From.Valid() || !head.To.Valid() {
		return nil, head, errors.Join(err, errors.New("header"))
	}
	delete(entries, carryHeader)
	return entries, head, nil
}

func (e carryEntry) readHead() ([]byte, error) {
	if e.f == nil {
		return nil, errors.New("no header")
	}
	return e.read(maxCarryHeader)
}

// boundZip looks at the end record of a zip before its directory is read: the
// directory of a hostile one would fill the memory.
func boundZip(r io.ReaderAt, size int64) error {
	const record, maxDirectory = 22, 8 << 20
	if size < record {
		return errors.New("no zip")
	}
	var end [record]byte
	if _, err := r.ReadAt(end[:], size-record); err != nil { // a carrier writes no comment behind it
		return err
	}
	count, directory := binary.LittleEndian.Uint16(end[10:]), binary.LittleEndian.Uint32(end[12:])
	if !bytes.Equal(end[:4], []byte("PK\x05\x06")) || count == 0xffff || int(count) > maxCarryEntries || directory > maxDirectory {
		return fmt.Errorf("%d entries in a directory of %d bytes", count, directory)
	}
	return nil
}
