package peer_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"antin/exchange"
	"antin/internal/text"
)

func (g *gate) carrier() *exchange.Carrier {
	return &exchange.Carrier{Store: g.db, Open: g.db.Open, Inbox: g.inbox, Held: &exchange.Held{Outbox: g.outbox}, Now: g.now}
}

func (g *gate) export(t *testing.T, to *gate) ([]byte, exchange.Carried) {
	t.Helper()
	var file bytes.Buffer
	done, err := g.carrier().Export(t.Context(), &file, g.party.Agency.Code, to.party.Agency.Code)
	must(t, err)
	return file.Bytes(), done
}

func (g *gate) carryIn(t *testing.T, file []byte) exchange.Carried {
	t.Helper()
	done, err := g.carrier().Import(t.Context(), bytes.NewReader(file), int64(len(file)))
	must(t, err)
	return done
}

// TestCarriedAndSentMix: two are carried, one of them goes by line too before and one
// after; each has one effect and one receipt, which comes back by medium.
func TestCarriedAndSentMix(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	first, second := a.send(t, b, noise(1000)), a.send(t, b, noise(3<<20))
	file, done := a.export(t, b)
	if again, _ := a.export(t, b); done.Transfers != 2 || !bytes.Equal(file, again) {
		t.Errorf("%+v, or another file for the same content", done)
	}
	receipt, err := a.client.Deliver(t.Context(), b.party.Agency, a.envelope(first)) // its answer is lost
	must(t, err)
	for range 2 {
		if got := b.carryIn(t, file); got.Transfers != 2 || len(got.Refused) != 0 {
			t.Errorf("%+v", got)
		}
	}
	if len(b.items(t)) != 2 {
		t.Errorf("%d items", len(b.items(t)))
	}
	back, done := b.export(t, a)
	if done.Receipts != 2 {
		t.Errorf("%+v", done)
	}
	for range 2 {
		if got := a.carryIn(t, back); got.Receipts != 2 || len(got.Refused) != 0 {
			t.Errorf("%+v", got)
		}
	}
	for _, d := range []exchange.Delivery{first, second} {
		if got := a.delivery(t, d.ID); got.State != exchange.DeliveryDelivered {
			t.Error(got.State)
		}
	}
	if !bytes.Equal(a.delivery(t, first.ID).Receipt, receipt) {
		t.Error("the carried receipt is not the one given by line")
	}
	a.drain(t, b)
	if file, done := a.export(t, b); done.Transfers != 0 || len(file) == 0 {
		t.Errorf("still waiting: %+v", done)
	}
}

// xpk makes a carried file with the given entries behind its header.
func xpk(t *testing.T, header string, entries ...func(*zip.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	stored("antin-carry.json", []byte(header))(z)
	for _, e := range entries {
		e(z)
	}
	must(t, z.Close())
	return b.Bytes()
}

func stored(name string, data []byte) func(*zip.Writer) {
	return func(z *zip.Writer) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, _ = w.Write(data)
		}
	}
}

const goodHeader = `{"version":1,"from":"H26.18.5","to":"000.00.00.G22"}`

// TestThreatBombsAndPathTricksInCarriedFiles: what a carrier would not write is refused
// whole, before anything of it is looked at.
func TestThreatBombsAndPathTricksInCarriedFiles(t *testing.T) {
	t.Parallel()
	a, b := gates(t, false)
	d := a.send(t, b, []byte("x"))
	dir := "transfers/" + string(d.TransferID) + "/"
	deflated := func(z *zip.Writer) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: dir + "part-0", Method: zip.Deflate})
		must(t, err)
		_, _ = w.Write(make([]byte, 10<<20))
	}
	many := func(z *zip.Writer) {
		for range 20_001 {
			stored("x", nil)(z)
		}
	}
	manifest := stored(dir+"manifest.jws", d.Manifest)
	for name, file := range map[string][]byte{
		"compressed":       xpk(t, goodHeader, manifest, deflated),
		"many entries":     xpk(t, goodHeader, many),
		"twice":            xpk(t, goodHeader, manifest, manifest),
		"path out":         xpk(t, goodHeader, stored("transfers/../../etc/passwd", []byte("x"))),
		"absolute path":    xpk(t, goodHeader, stored("/etc/passwd", []byte("x"))),
		"backslashes":      xpk(t, goodHeader, stored(`transfers\..\x`, []byte("x"))),
		"long header":      xpk(t, goodHeader[:len(goodHeader)-1]+strings.Repeat(" ", 5000)+"}"),
		"unknown member":   xpk(t, `{"version":1,"from":"H26.18.5","to":"000.00.00.G22","x":1}`),
		"another version":  xpk(t, strings.Replace(goodHeader, "1", "2", 1)),
		"no zip":           []byte("PK"),
		"a comment behind": append(xpk(t, goodHeader, manifest), "comment"...),
	} {
		if _, err := b.carrier().Import(t.Context(), bytes.NewReader(file), int64(len(file))); text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, file := range map[string][]byte{
		"no bytes":      xpk(t, goodHeader, manifest),
		"other bytes":   xpk(t, goodHeader, manifest, stored(dir+"part-0", []byte("y"))),
		"forged sender": xpk(t, strings.Replace(goodHeader, "H26.18.5", "H15.50", 1), manifest, stored(dir+"part-0", []byte("x"))),
	} {
		if got := b.carryIn(t, file); got.Transfers != 0 || len(got.Refused) != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if len(b.items(t)) != 0 || len(b.kinds(t)) != 0 {
		t.Errorf("%v", b.kinds(t))
	}
	other := xpk(t, strings.Replace(goodHeader, "000.00.00.G22", "H99", 1), manifest)
	if _, err := b.carrier().Import(t.Context(), bytes.NewReader(other), int64(len(other))); text.CodeOf(err) != text.NotForUs {
		t.Error(err)
	}
}
