package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// zeros gives zero bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// isVietnamese reports whether a sentence has letters that only Vietnamese has.
func isVietnamese(m text.Message) bool {
	return m.VI != m.EN && strings.ContainsAny(strings.ToLower(m.VI), "ăâđêôơưạảấầẩậắằẳặẹẻẽếềểễệịọỏốồổỗộớờởợụủứừửữựỳỵỷỹ")
}

func TestUnknownReceiverIsRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	d := newOffices(t, nil)
	doc, err := d.a.outbox.Create(t.Context(), d.a.clerk, finished(1, bytes.NewReader(samplePDF(t)), ""))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.a.outbox.Send(t.Context(), d.a.clerk, exchange.SendRequest{Document: doc.ID, To: []exchange.AgencyCode{"H98.35", "H98.404"}})
	if e := text.As(err); text.CodeOf(err) != text.ReceiverUnknown || !isVietnamese(e.Message()) || !isVietnamese(e.Fix()) || !strings.Contains(e.Message().VI, "H98.404") {
		t.Errorf("%v", err)
	}
	view, err := d.a.outbox.Document(t.Context(), d.a.clerk, doc.ID)
	if err != nil || len(view.Deliveries) > 0 || view.Sent.Done() {
		t.Errorf("%d deliveries to the receiver that is known: %v", len(view.Deliveries), err)
	}
}

func TestUnsignedPDFIsSentOnlyOnPurposeAndMayBeAcceptedAsUnsigned(t *testing.T) {
	t.Parallel()
	d := newOffices(t, nil)
	req := finished(1, bytes.NewReader(samplePDF(t)), "")
	req.Confirmed = false
	if _, err := d.a.outbox.Create(t.Context(), d.a.clerk, req); text.CodeOf(err) != text.SignatureRequired {
		t.Errorf("an unsigned document was taken as finished: %v", err)
	}
	delivery := submit(t, d, 1, samplePDF(t))
	item, err := d.story.arrived(t.Context(), delivery)
	if err != nil || item.Verdict != exchange.VerdictUnsigned || !item.Blocked.IsZero() {
		t.Fatalf("%s, blocked %v: %v", item.Verdict, item.Blocked, err)
	}
	if item, err = d.b.inbox.Accept(t.Context(), d.b.clerk, exchange.Decision{Item: item.ID}); err != nil || item.Verdict != exchange.VerdictUnsigned {
		t.Errorf("accepted as %s: %v", item.Verdict, err)
	}
	if _, err := d.story.told(t.Context(), delivery, exchange.StatusAccepted); err != nil {
		t.Error(err)
	}
}

func TestTooGreatAnAttachmentIsRefusedAtEachDoor(t *testing.T) {
	t.Parallel()
	const size = 300 << 20
	d := newOffices(t, nil)
	// Our own clerk's upload.
	head := samplePDF(t)
	_, err := d.a.outbox.Create(t.Context(), d.a.clerk, finished(1, io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, size)), ""))
	if e := text.As(err); text.CodeOf(err) != text.TooLarge || !isVietnamese(e.Message()) || !isVietnamese(e.Fix()) {
		t.Errorf("an upload of 300 MB: %v", err)
	}
	// Another gateway's transfer: refused under B's key before a byte was asked for.
	e := statement(t, d, nil, func(m *jws.Manifest) { m.Parts[0].Size = size })
	e.Open = func(context.Context) (io.ReadCloser, error) {
		t.Error("the bytes were asked for")
		return nil, errors.New("not asked for")
	}
	keys, err := jws.NewKeys(d.b.identity.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := d.a.client.Deliver(t.Context(), d.b.office.Agency, e)
	if err != nil {
		t.Fatal(err)
	}
	if said, _, err := jws.VerifyReceipt(receipt, keys); err != nil || said.Outcome != jws.Refused || said.Code != string(text.TooLarge) {
		t.Errorf("B says %s %s: %v", said.Outcome, said.Code, err)
	}
	for _, n := range []*node{d.a, d.b} {
		all, err := everything(t.Context(), n)
		if err != nil || len(all.items)+len(all.documents) > 0 {
			t.Errorf("%s holds %d items, %d documents: %v", n.office.Agency.Code, len(all.items), len(all.documents), err)
		}
	}
	checkNoFileOver(t, d.dir, 8<<20)
}

// checkNoFileOver looks for bytes that a refusal left on the disk.
func checkNoFileOver(t *testing.T, dir string, limit int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if info, err := e.Info(); err == nil && info.Size() > limit {
			t.Errorf("%s of %d bytes was left", path, info.Size())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMessageForAnotherAgencyIsNotTaken(t *testing.T) {
	t.Parallel()
	d := newOffices(t, nil)
	payload := []byte("<edXML>cho người khác</edXML>")
	e := statement(t, d, payload, func(m *jws.Manifest) { m.Recipient = "H98.99" })
	_, err := d.a.client.Deliver(t.Context(), d.b.office.Agency, e)
	var de *exchange.DeliveryError
	if !errors.As(err, &de) || de.Class != exchange.ClassPermanent || text.CodeOf(err) != text.NotForUs {
		t.Errorf("%v", err)
	}
	all, err := everything(t.Context(), d.b)
	if err != nil || len(all.items)+len(all.transfers) > 0 {
		t.Errorf("B holds %d items, %d transfers: %v", len(all.items), len(all.transfers), err)
	}
	if _, err := d.b.db.Open(t.Context(), e.Payload.Digest); text.CodeOf(err) != text.NotFound {
		t.Errorf("the bytes are at B: %v", err)
	}
}

// attachment finds the content of a message's first attachment.
var attachment = regexp.MustCompile(`(?s)(<edXML:ContentTransferEncoded[^>]*>)[^<]*(</edXML:ContentTransferEncoded>)`)

// zipBomb is an archive of one entry of zeros that unpacks a thousandfold.
func zipBomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	entry, err := w.Create("bom.pdf")
	if err == nil {
		_, err = io.Copy(entry, io.LimitReader(zeros{}, 400<<20))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHostileMessageIsSetAsideWithItsReasonAndTheReceiverLives(t *testing.T) {
	t.Parallel()
	d := newOffices(t, nil)
	first, err := d.story.delivered(t.Context(), submit(t, d, 1, samplePDF(t)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.a.db.Open(t.Context(), first.Payload.Digest)
	if err != nil {
		t.Fatal(err)
	}
	good, err := io.ReadAll(raw)
	if err != nil || !attachment.Match(good) {
		t.Fatalf("the message has no attachment: %v", err)
	}
	_, body, _ := bytes.Cut(good, []byte("?>"))
	replaced := func(from, to string) []byte {
		out := bytes.ReplaceAll(good, []byte(from), []byte(to))
		if bytes.Equal(out, good) {
			t.Fatalf("no %q in the message", from)
		}
		return out
	}
	var entities strings.Builder
	entities.WriteString(`<?xml version="1.0" encoding="utf-8"?><!DOCTYPE a [<!ENTITY a0 "ha">`)
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&entities, `<!ENTITY a%d "&a%d;&a%d;">`, i, i-1, i-1)
	}
	entities.WriteString(`]>`)
	cases := []struct {
		name    string
		payload []byte
		code    text.Code
	}{
		{"entities that double thirty times", append([]byte(entities.String()), bytes.Replace(body, []byte("Văn bản thử"), []byte("&a29;"), 1)...), text.EdXMLMalformed},
		{"a hundred thousand levels", []byte(strings.Repeat("<a>", 100_000)), text.LimitExceeded},
		{"a million elements", []byte("<a>" + strings.Repeat("<b/>", 1_000_000) + "</a>"), text.LimitExceeded},
		{"an archive that unpacks a thousandfold", attachment.ReplaceAll(good, []byte("${1}"+base64.StdEncoding.EncodeToString(zipBomb(t))+"${2}")), text.TooLarge},
		{"a header for another agency", replaced("H98.35", "H98.99"), text.NotForUs},
		{"a header from another agency", replaced("H98.21", "H98.77"), text.EdXMLMalformed},
		{"no XML at all", []byte("%PDF-1.7 xin chào"), text.EdXMLMalformed},
		{"half a message", good[:len(good)/2], text.EdXMLMalformed},
		{"nothing", []byte{}, text.EdXMLMalformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			begin := time.Now()
			e := statement(t, d, c.payload, nil)
			if _, err := d.a.client.Deliver(t.Context(), d.b.office.Agency, e); err != nil {
				t.Fatal(err) // the transport speaks of bytes alone
			}
			item, err := d.story.arrived(t.Context(), exchange.Delivery{TransferID: e.TransferID})
			if err != nil {
				t.Fatal(err)
			}
			if item.State != exchange.InboxDamaged || item.Problem.Code != c.code || !isVietnamese(item.Problem.Message) || item.Blocked.IsZero() {
				t.Errorf("%s, blocked %v: %s %s", item.State, !item.Blocked.IsZero(), item.Problem.Code, item.Problem.Message.VI)
			}
			t.Logf("%v: %s", time.Since(begin).Round(time.Millisecond), item.Problem.Message.VI)
			if _, err := d.b.inbox.Accept(t.Context(), d.b.clerk, exchange.Decision{Item: item.ID}); err == nil {
				t.Error("it could be accepted")
			}
			// What is proposed can be done: back to the sender with that reason.
			item, err = d.b.inbox.Refuse(t.Context(), d.b.clerk, exchange.Decision{Item: item.ID, Reason: item.Problem.Message.VI})
			if err != nil || item.State != exchange.InboxReturned || item.Business.Code != exchange.StatusReturned {
				t.Errorf("%s %s: %v", item.State, item.Business.Code, err)
			}
		})
	}
	item, err := d.story.arrived(t.Context(), submit(t, d, 2, samplePDF(t)))
	if err != nil || item.State != exchange.InboxWaiting {
		t.Errorf("after all this a good document is %s: %v", item.State, err)
	}
	checkNoFileOver(t, d.dir, 150<<20) // nothing of a bomb was unpacked to its end
}

// fullDisk is B's disk while it is full: either no bytes can be written, or no rows.
type fullDisk struct {
	exchange.Store
	exchange.Blobs
	noBytes, noRows atomic.Bool
}

var errFull = &os.PathError{Op: "write", Path: "blobs", Err: syscall.ENOSPC}

func (f *fullDisk) Put(ctx context.Context, r io.Reader) (exchange.Blob, error) {
	if f.noBytes.Load() {
		_, _ = io.CopyN(io.Discard, r, 1000)
		return exchange.Blob{}, text.Errorf(text.StorageFull, errFull)
	}
	return f.Blobs.Put(ctx, r)
}

func (f *fullDisk) Update(ctx context.Context, fn func(exchange.Tx) error) error {
	return f.Store.Update(ctx, func(tx exchange.Tx) error {
		if err := fn(tx); err != nil || !f.noRows.Load() {
			return err
		}
		return text.Errorf(text.StorageFull, errFull) // at the commit, when all is written
	})
}

func TestFullDiskAtTheReceiverLosesNothing(t *testing.T) {
	t.Parallel()
	disk := &fullDisk{}
	d := newOffices(t, func(d *demo) {
		disk.Store, disk.Blobs = d.b.db, d.b.db
		d.b.inbox.Store, d.b.inbox.Blobs = disk, disk
	})
	great := crashPDF(t, 6)
	for i, full := range []*atomic.Bool{&disk.noBytes, &disk.noRows} {
		full.Store(true)
		small, large := submit(t, d, 10*i+1, samplePDF(t)), submit(t, d, 10*i+2, great)
		var lane exchange.LaneState
		err := waitFor(t.Context(), 30*time.Second, "the lane to wait", func(ctx context.Context) (_ bool, err error) {
			lane, err = d.a.outbox.Lane(ctx, d.a.clerk, d.b.office.Agency.Code)
			return lane.Failures > 0, err
		})
		if err != nil || lane.Halted || lane.Note.Code != text.PeerUnavailable || !strings.Contains(lane.Note.Message.VI, "Bên nhận báo hết chỗ lưu") || !lane.RetryAt.After(time.Now()) {
			t.Fatalf("lane %+v: %v", lane, err)
		}
		for _, s := range []exchange.Delivery{small, large} {
			view, err := d.a.outbox.Document(t.Context(), d.a.clerk, s.Subject)
			if err != nil || view.Deliveries[0].State != exchange.DeliveryReady || view.Deliveries[0].Attempts != 0 {
				t.Errorf("%+v: %v", view.Deliveries, err)
			}
			// Both ways of travelling meet the full disk: in one piece, and in parts.
			_, err = d.a.client.Deliver(t.Context(), d.b.office.Agency, envelopeOf(d.a, s))
			var de *exchange.DeliveryError
			if !errors.As(err, &de) || de.Class != exchange.ClassPeerDown || text.CodeOf(err) != text.StorageFull || de.RetryAfter <= 0 {
				t.Errorf("%d bytes: %v", s.Payload.Size, err)
			}
			key := exchange.TransferKey{Recipient: s.To, Sender: s.Agency, ID: s.TransferID}
			if _, err := d.b.inbox.Known(t.Context(), key); text.CodeOf(err) != text.NotFound {
				t.Errorf("B keeps something of a transfer it could not store: %v", err)
			}
		}
		full.Store(false)
		// The peer asked for half a minute; the clerk, who has heard, does not wait.
		if err := d.a.outbox.Resume(t.Context(), d.a.clerk, small.ID); err != nil {
			t.Fatal(err)
		}
		for _, s := range []exchange.Delivery{small, large} {
			if _, err := d.story.delivered(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if item, err := d.story.arrived(t.Context(), s); err != nil || item.State != exchange.InboxWaiting {
				t.Errorf("%s: %v", item.State, err)
			}
		}
	}
	if all, err := everything(t.Context(), d.b); err != nil || len(all.items) != 4 {
		t.Errorf("B holds %d items: %v", len(all.items), err)
	}
}

// demoWith runs the main job with someone's own PDF.
func demoWith(t *testing.T, file string) (dir string, code int, stderr string) {
	t.Helper()
	dir = t.TempDir()
	code, _, stderr = invoke(t, "demo", "--once", "--dir", dir, "--addr", "127.0.0.1:0", "--pdf", file)
	return dir, code, stderr
}

func TestMainJobTakesAPDFThatStrangersHaveSigned(t *testing.T) {
	t.Parallel()
	b := newBench(t) // a PKI that the demo does not know
	signed := b.out("nguoi-khac-ky.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, signed, "--level", "B-T", "--tsa", b.tsa, "--page", "last", "--rect", "50,50,200,60")...); code != 0 {
		t.Fatal(stderr)
	}
	dir, code, stderr := demoWith(t, signed)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var report struct {
		Verdict    string `json:"verdict"`
		Signatures []struct {
			Indication string `json:"indication"`
			Integrity  string `json:"integrity"`
		} `json:"signatures"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "b", "report.json"))
	if err = errors.Join(err, json.Unmarshal(data, &report)); err != nil {
		t.Fatal(err)
	}
	if report.Verdict != "inconclusive" || len(report.Signatures) != 3 {
		t.Errorf("B calls it %s, with %d signatures", report.Verdict, len(report.Signatures))
	}
	passed := 0
	for _, s := range report.Signatures {
		if s.Integrity != "ok" {
			t.Errorf("integrity %s", s.Integrity)
		}
		if s.Indication == "TOTAL-PASSED" {
			passed++
		}
	}
	if passed != 2 {
		t.Errorf("%d signatures passed; ours are two", passed)
	}
	sent, _ := os.ReadFile(filepath.Join(dir, "a", "vanban.pdf"))
	original, _ := os.ReadFile(signed)
	if len(original) == 0 || !bytes.HasPrefix(sent, original) {
		t.Error("the strangers' bytes were changed")
	}
}

func TestMainJobRefusesAPDFThatCannotBeSignedSafely(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	certified := b.out("chung-nhan.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, certified, "--certify", "1")...); code != 0 {
		t.Fatal(stderr)
	}
	encrypted := bytes.Replace(samplePDF(t), []byte("trailer\n<<"), []byte("trailer\n<< /Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 >>"), 1)
	huge := b.out("qua-lon.pdf")
	if err := writeLargePDF(huge, 17_800); err != nil { // some 300 MB
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file, code string
		exit             int
	}{
		{"encrypted", b.write(t, "ma-hoa.pdf", encrypted), "encryption-unsupported", 7},
		{"cut off", b.write(t, "cut.pdf", samplePDF(t)[:300]), "pdf-", 1},
		{"cross-references damaged", b.write(t, "hong.pdf", bytes.Replace(samplePDF(t), []byte("startxref\n"), []byte("startxref\n9"), 1)), "pdf-", 1},
		{"certified against any change", certified, "docmdp-forbids", 7},
		{"300 MB", huge, "too-large", 1},
		{"not there", b.out("khong-co.pdf"), "not-found", 8},
		{"a folder", b.dir, "file-unreadable", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, code, stderr := demoWith(t, c.file)
			if code != c.exit || !strings.Contains(stderr, "["+c.code) {
				t.Errorf("exit %d, want %d [%s]: %s", code, c.exit, c.code, stderr)
			}
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "→ ") {
				t.Errorf("the last line is no next step: %q", last)
			}
			if len(lines) < 2 || !isVietnamese(text.Message{VI: lines[len(lines)-2]}) {
				t.Errorf("no sentence says why: %s", stderr)
			}
			for _, name := range []string{"a", "b"} {
				if _, err := os.Stat(filepath.Join(dir, name, "vanban.pdf")); err == nil {
					t.Errorf("%s/vanban.pdf was left", name)
				}
			}
		})
	}
}
