package exchange_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"antin/exchange"
	"antin/exchange/edxml"
	"antin/internal/text"
)

// sealed issues a document of the site and returns its edXML message to the other, as
// the agency's own system would make one.
func (s *site) sealed(t *testing.T, to *site) []byte {
	t.Helper()
	ctx := t.Context()
	d, err := s.outbox.Create(ctx, s.clerk, letter("folder"))
	must(t, err)
	_, err = s.outbox.Sign(ctx, s.leader, d.ID)
	must(t, err)
	d, err = s.outbox.Seal(ctx, s.clerk, d.ID)
	must(t, err)
	return s.message(t, to, s.bytesOf(t, d.Issuance.Final.Digest))
}

// message is an edXML message to the other with one PDF.
func (s *site) message(t *testing.T, to *site, pdf []byte) []byte {
	t.Helper()
	organ := func(a exchange.Agency) edxml.Organization {
		return edxml.Organization{OrganID: string(a.Code), Name: a.Name}
	}
	m := &edxml.Message{Kind: edxml.Edoc, From: organ(s.office.Agency), To: []edxml.Organization{organ(to.office.Agency)}, DocumentID: "H15.01,2026/11/24,7/QĐ",
		Code: edxml.Code{Number: "7", Notation: "QĐ-UBND"}, Promulgation: edxml.Promulgation{Place: "Hà Nội", Date: s.Now()}, Type: edxml.DocumentType{Name: "Quyết định"},
		Subject: "Ban hành quy chế", Signer: edxml.SignerInfo{FullName: "Nguyễn Văn Ký"}, Trace: []edxml.TraceHeader{{OrganID: string(s.office.Agency.Code), Time: s.Now()}},
		Attachments: []edxml.Attachment{edxml.BytesAttachment("vb.pdf", "application/pdf", pdf)}}
	var out bytes.Buffer
	must(t, edxml.Write(&out, m, edxml.WriteOptions{}))
	return out.Bytes()
}

func TestAMessageOfTheAgencysOwnSystemIsSentOnce(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	message := a.sealed(t, b)
	integrator := exchange.Actor{ID: "folder", Name: "Thư mục", Role: exchange.RoleIntegrator, Agency: "H15.01"}
	send := func(key string, body []byte) ([]exchange.Delivery, error) {
		return a.outbox.SendMessage(t.Context(), integrator, key, bytes.NewReader(body))
	}
	first, err := send("k1", message)
	must(t, err)
	again, err := send("k1", message) // as after a crash between sending and moving the file
	must(t, err)
	if len(first) != 1 || len(again) != 1 || again[0].ID != first[0].ID {
		t.Fatalf("sent %v, then %v", first, again)
	}
	settle(t, a, b)
	if items := b.documents(t); len(items) != 1 || items[0].Header.DocumentID != "H15.01,2026/11/24,7/QĐ" {
		t.Errorf("arrived: %v", items)
	}
	if d := a.delivery(t, first[0].ID); d.State != exchange.DeliveryDelivered {
		t.Errorf("delivery is %s", d.State)
	}
	for name, c := range map[string]struct {
		body []byte
		code text.Code
	}{
		"unsigned":         {a.message(t, b, plainPDF(t, "không ký")), text.SignatureRequired},
		"no message":       {[]byte("<x/>"), text.EdXMLMalformed},
		"another's":        {b.message(t, a, plainPDF(t, "x")), text.NotAllowed},
		"cut":              {message[:len(message)/2], text.EdXMLMalformed},
		"changed":          {[]byte(strings.Replace(string(message), "H15.02", "H99.99", 1)), text.ReceiverUnknown},
		"no PDF":           {a.message(t, b, []byte("không phải PDF")), text.NotAPDF},
		"to nobody we see": {nil, text.EdXMLMalformed},
	} {
		if _, err := send("k-"+name, c.body); text.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if _, err := a.outbox.SendMessage(t.Context(), a.leader, "k2", bytes.NewReader(message)); text.CodeOf(err) != text.NotAllowed {
		t.Errorf("sent by a leader: %v", err)
	}
}

// scriptedTray fails as it is told, then keeps what is laid.
type scriptedTray struct {
	fail error
	laid []exchange.Parcel
}

func (s *scriptedTray) Lay(ctx context.Context, p exchange.Parcel, open func(context.Context, exchange.Digest) (exchange.BlobReader, error)) error {
	if s.fail != nil {
		return s.fail
	}
	for _, f := range p.Files {
		r, err := open(ctx, f.Blob.Digest)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, r)
		if err != nil || n != f.Blob.Size {
			return io.ErrUnexpectedEOF
		}
		if err := r.Close(); err != nil {
			return err
		}
	}
	s.laid = append(s.laid, p)
	return nil
}

func TestIncomingDocumentsAreLaidDownOnce(t *testing.T) {
	t.Parallel()
	for name, onArrival := range map[string]bool{"on arrival": true, "when accepted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newPair(t)
			tray := &scriptedTray{}
			x := &exchange.Exporter{Store: b.db, Blobs: b.db, Tray: tray, Agency: "H15.02", Now: b.Now, OnArrival: onArrival}
			_, item := arrived(t, a, b, 1)
			drain := func() error { _, err := x.Drain(t.Context()); return err }
			must(t, drain())
			if want := map[bool]int{true: 1, false: 0}[onArrival]; len(tray.laid) != want {
				t.Fatalf("%d parcels after arrival", len(tray.laid))
			}
			_, err := b.inbox.Accept(t.Context(), b.clerk, exchange.Decision{Item: item.ID, Key: "k"})
			must(t, err)
			for range 3 {
				must(t, drain())
			}
			if len(tray.laid) != 1 || tray.laid[0].ID != item.ID || len(tray.laid[0].Files) != 2 || tray.laid[0].Files[0].Name != "van-ban.edxml" {
				t.Fatalf("laid %+v", tray.laid)
			}
			var slip map[string]any
			must(t, json.Unmarshal(tray.laid[0].Slip, &slip))
			if slip["organ_id"] != "H15.01" || slip["subject"] != "Về việc số 1" || len(slip["files"].([]any)) != 2 {
				t.Errorf("slip %s", tray.laid[0].Slip)
			}
		})
	}
}

// A folder that takes nothing raises an alarm, costs an attempt now and then, and gets
// everything when it can be written again.
func TestAFolderThatCannotBeWrittenLosesNothing(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	tray := &scriptedTray{fail: text.Errorf(text.StorageFull, nil)}
	x := &exchange.Exporter{Store: b.db, Blobs: b.db, Tray: tray, Agency: "H15.02", Now: b.Now, OnArrival: true}
	for n := range 3 {
		arrived(t, a, b, n+1)
	}
	tries := 0
	for begun := b.Now(); b.Now().Sub(begun) < 24*60*60*1e9; tries++ {
		next, err := x.Drain(t.Context())
		if err == nil || next.Sub(b.Now()) > exchange.MaxFolderPause {
			t.Fatalf("failed with %v, next at %v", err, next)
		}
		b.advance(next.Sub(b.Now()))
	}
	if tries < 24*60/5-10 || tries > 400 {
		t.Errorf("%d attempts in a day", tries)
	}
	h, err := exchange.FolderState(t.Context(), b.db, "H15.02")
	must(t, err)
	if h.Attempts == 0 || h.Note.Code != text.StorageFull {
		t.Errorf("state %+v", h)
	}
	operator := exchange.Actor{ID: "it", Name: "IT", Role: exchange.RoleOperator, Agency: "H15.02"}
	tasks, err := (&exchange.Tasks{Store: b.db, Directory: exchange.AgencyList{}, Now: b.Now}).List(t.Context(), operator)
	must(t, err)
	if len(tasks) != 1 || tasks[0].Kind != exchange.TaskHandover {
		t.Errorf("tasks %v", tasks)
	}
	alarms := 0
	events, err := (&exchange.Evidence{Store: b.db}).Feed(t.Context(), b.clerk, 0, 500)
	must(t, err)
	for _, e := range events {
		if e.Kind == exchange.EventFolderFailing {
			alarms++
		}
	}
	if alarms != 1 {
		t.Errorf("%d alarms", alarms)
	}
	tray.fail = nil
	b.advance(exchange.MaxFolderPause)
	for range 4 {
		_, err := x.Drain(t.Context())
		must(t, err)
	}
	if len(tray.laid) != 3 {
		t.Errorf("%d of 3 laid", len(tray.laid))
	}
}
