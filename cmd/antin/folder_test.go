package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// dropped is an outgoing folder whose messages end here.
type dropped struct {
	*drop
	sent map[string][]byte // by key
	keys []string
	fail error
}

func newDropped(t *testing.T) *dropped {
	t.Helper()
	d := &dropped{sent: map[string][]byte{}}
	d.drop = &drop{dir: t.TempDir(), agency: "H15.01", limit: 1 << 20, now: time.Now, log: slog.New(slog.DiscardHandler),
		send: func(_ context.Context, _ exchange.Actor, key string, r io.Reader) ([]exchange.Delivery, error) {
			b, err := io.ReadAll(r)
			if err != nil {
				return nil, err
			}
			d.keys = append(d.keys, key)
			if d.fail != nil {
				return nil, d.fail
			}
			d.sent[key] = b
			return []exchange.Delivery{{ID: "dl_1", To: "H15.02", TransferID: "t"}}, nil
		}}
	return d
}

func (d *dropped) put(t *testing.T, name string, data []byte) {
	t.Helper()
	file := filepath.Join(d.dir, name)
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, data, 0o600))
}

// names lists the visible names below dir.
func (d *dropped) names(t *testing.T, dir string) (out []string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(d.dir, dir))
	must(t, err)
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

// outcome is the only one in dir.
func (d *dropped) outcome(t *testing.T, dir string) (o dropOutcome) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(d.dir, dir, "*.json"))
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("%d outcomes in %s: %v", len(found), dir, found)
	}
	b, err := os.ReadFile(found[0])
	must(t, err)
	must(t, json.Unmarshal(b, &o))
	if _, err := os.Lstat(strings.TrimSuffix(found[0], ".json")); err != nil {
		t.Errorf("what it speaks of is not beside it: %v", err)
	}
	return o
}

func TestTheFolderTakesAFileOnceWhenItRests(t *testing.T) {
	t.Parallel()
	d := newDropped(t)
	d.put(t, "vb.edxml", []byte("một"))
	d.put(t, "con-ghi.edxml.part", []byte("nửa"))
	d.put(t, ".an.edxml", []byte("ẩn"))
	must(t, d.look(t.Context()))
	if len(d.keys) != 0 {
		t.Fatal("taken at first sight")
	}
	d.put(t, "vb.edxml", []byte("một hai")) // still being written
	must(t, d.look(t.Context()))
	if len(d.keys) != 0 {
		t.Fatal("taken while it grows")
	}
	for range 3 {
		must(t, d.look(t.Context()))
	}
	if len(d.keys) != 1 || string(d.sent[d.keys[0]]) != "một hai" {
		t.Fatalf("sent %q", d.sent)
	}
	if o := d.outcome(t, sentDir); o.Status != "sent" || o.File != "vb.edxml" || len(o.Deliveries) != 1 {
		t.Errorf("outcome %+v", o)
	}
	if got := d.names(t, "."); !slices.Equal(got, []string{".an.edxml", takenDir, "con-ghi.edxml.part", sentDir, failedDir}) {
		t.Errorf("left %v", got)
	}
}

func TestTheFolderSetsAsideWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(d *dropped)
		code text.Code
	}{
		"refused":           {func(d *dropped) { d.fail = text.Errorf(text.SignatureRequired, nil); d.put(t, "a.edxml", []byte("x")) }, text.SignatureRequired},
		"another kind":      {func(d *dropped) { d.put(t, "a.docx", []byte("x")) }, text.InvalidInput},
		"too great":         {func(d *dropped) { d.put(t, "a.edxml", make([]byte, 2<<20)) }, text.TooLarge},
		"no archive":        {func(d *dropped) { d.put(t, "a.zip", []byte("x")) }, text.InvalidInput},
		"an archive's path": {func(d *dropped) { d.put(t, "a.zip", zipped(t, "../../x")) }, text.InvalidInput},
		"a bomb":            {func(d *dropped) { d.put(t, "a.zip", zippedWith(t, "x.pdf", make([]byte, 8<<20))) }, text.TooLarge},
		"one name twice":    {func(d *dropped) { d.put(t, "a.zip", zipped(t, "x", "x")) }, text.InvalidInput},
		"folder in folder":  {func(d *dropped) { d.put(t, "a/b/c", []byte("x")) }, text.InvalidInput},
		"a link": {func(d *dropped) {
			must(t, os.Symlink("/etc/passwd", filepath.Join(d.dir, "a.edxml")))
		}, text.InvalidInput},
		"a link in a folder": {func(d *dropped) {
			d.put(t, "a/thong-diep.json", []byte("{}"))
			must(t, os.Symlink("/etc/passwd", filepath.Join(d.dir, "a", "b.pdf")))
		}, text.InvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDropped(t)
			c.make(d)
			for range 3 {
				must(t, d.look(t.Context()))
			}
			o := d.outcome(t, failedDir)
			if o.Status != "failed" || o.Error == nil || o.Error.Code != c.code || o.Error.Message.VI == "" || len(d.sent) != 0 {
				t.Errorf("outcome %+v %+v", o, o.Error)
			}
			if left := d.names(t, takenDir); len(left) != 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		_, err := z.Create(n)
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

func zippedWith(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	must(t, err)
	_, err = w.Write(data)
	must(t, err)
	must(t, z.Close())
	return b.Bytes()
}

// A failure of our own side leaves the file taken; it goes out later under the same key,
// also from another process.
func TestTheFolderTriesAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	d := newDropped(t)
	d.fail = text.Errorf(text.StorageFull, nil)
	d.put(t, "vb.edxml", []byte("một"))
	must(t, d.look(t.Context()))
	if err := d.look(t.Context()); text.CodeOf(err) != text.StorageFull {
		t.Fatalf("looked with %v", err)
	}
	must(t, d.look(t.Context())) // not yet again
	if len(d.keys) != 1 {
		t.Errorf("%d attempts", len(d.keys))
	}
	d.fail, d.again, d.seen = nil, nil, nil // another process
	must(t, d.look(t.Context()))
	if len(d.keys) != 2 || d.keys[0] != d.keys[1] || len(d.sent) != 1 {
		t.Errorf("keys %v", d.keys)
	}
	d.outcome(t, sentDir)
}

func TestAFolderWithAHeaderIsPacked(t *testing.T) {
	t.Parallel()
	d := newDropped(t)
	header := `{"kind":"edoc","from":{"organ_id":"H15.01","name":"A"},"to":[{"organ_id":"H15.02","name":"B"}],"document_id":"H15.01,2026/11/24,7/QĐ",
		"code":{"number":"7","notation":"QĐ"},"subject":"Về việc thử","attachments":[{"file":"a.pdf"}]}`
	d.put(t, "goi/thong-diep.json", []byte(header))
	d.put(t, "goi/a.pdf", []byte("%PDF-1.7 thử"))
	for range 3 {
		must(t, d.look(t.Context()))
	}
	if len(d.sent) != 1 {
		t.Fatalf("sent %d; failed: %v", len(d.sent), d.names(t, failedDir))
	}
	if b := d.sent[d.keys[0]]; !bytes.Contains(b, []byte("H15.02")) {
		t.Errorf("packed %.300s", b)
	}
}

type bytesReader struct{ *bytes.Reader }

func (bytesReader) Close() error { return nil }

func TestTheTrayLaysWholeParcelsWithinItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := []byte("nội dung")
	open := func(context.Context, exchange.Digest) (exchange.BlobReader, error) {
		return bytesReader{bytes.NewReader(content)}, nil
	}
	p := exchange.Parcel{ID: "vd_1", Slip: []byte("{}"), Files: []exchange.ParcelFile{{Name: "van-ban.edxml"}, {Name: "01-a.pdf"}}}
	for range 2 { // the second finds it there
		must(t, tray{dir}.Lay(t.Context(), p, open))
	}
	for _, name := range []string{"van-ban.edxml", "01-a.pdf"} {
		if b, err := os.ReadFile(filepath.Join(dir, "vd_1", name)); err != nil || !bytes.Equal(b, content) {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	evil := exchange.Parcel{ID: "vd_2", Files: []exchange.ParcelFile{{Name: "../../x"}}}
	if err := (tray{dir}).Lay(t.Context(), evil, open); err == nil {
		t.Error("a name led out of the folder")
	}
	broken := func(context.Context, exchange.Digest) (exchange.BlobReader, error) {
		return nil, errors.New("no bytes")
	}
	if err := (tray{dir}).Lay(t.Context(), exchange.Parcel{ID: "vd_3", Files: p.Files}, broken); err == nil {
		t.Error("laid without bytes")
	}
	if got := (&dropped{drop: &drop{dir: dir}}).names(t, "."); !slices.Equal(got, []string{"vd_1"}) {
		t.Errorf("in the folder: %v", got)
	}
	if err := (tray{filepath.Join(dir, "none")}).Lay(t.Context(), p, open); text.CodeOf(err) != text.FileUnreadable {
		t.Errorf("without a folder: %v", err)
	}
	outside := t.TempDir()
	must(t, os.Symlink(outside, filepath.Join(dir, layingPrefix+"vd_4")))
	must(t, tray{dir}.Lay(t.Context(), exchange.Parcel{ID: "vd_4", Files: p.Files}, open))
	if list, err := os.ReadDir(outside); err != nil || len(list) != 0 {
		t.Errorf("a link led out: %v %v", list, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
