package pdf_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

// passwordsOf returns the passwords that open a file of k.
func passwordsOf(k cryptKind) []string {
	list := []string{k.user}
	if k.owner != "" {
		list = append(list, k.owner)
	}
	return list
}

// wantPlain checks that the kit's strings and streams are read plain.
func wantPlain(t *testing.T, f *pdf.File) {
	t.Helper()
	_, root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	if lang, err := f.String(root.Get("Lang")); err != nil || string(lang.Value) != "vi" {
		t.Errorf("language is %q, %v", lang.Value, err)
	}
	info, err := f.Dict(f.Trailer().Get("Info"))
	if err != nil {
		t.Fatal(err)
	}
	if title, err := f.String(info.Get("Title")); err != nil || title.Text() != kitTitle {
		t.Errorf("title is %q, %v", title.Text(), err)
	}
	for num, want := range map[int]string{4: kitContent, 5: kitMetadata} {
		s, err := f.Stream(pdf.Ref{Num: num})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Decode(s, 0); err != nil || string(got) != want {
			t.Errorf("stream %d is %q, %v", num, got, err)
		}
	}
}

func TestEveryEncryptionOpensWithItsPasswords(t *testing.T) {
	t.Parallel()
	for name, k := range cryptKinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := k.make(t)
			for _, password := range passwordsOf(k) {
				f := openWith(t, data, password)
				if err := f.EncryptionError(); err != nil {
					t.Fatalf("with %q: %v", password, err)
				}
				wantPlain(t, f)
			}
			if k.user != "" {
				wantCode(t, openWith(t, data, "").EncryptionError(), text.PasswordRequired)
				wantCode(t, openWith(t, data, "other").EncryptionError(), text.PasswordWrong)
			}
		})
	}
}

// updatedInKind adds an object of every sort to data, overrides the catalog and the
// information, and returns the whole file with the references of a signature
// dictionary and of a stream.
func updatedInKind(t *testing.T, data []byte, password string) (out []byte, signature, stream pdf.Ref) {
	t.Helper()
	f := openWith(t, data, password)
	u := f.NewUpdate()
	contents, ranges := pdf.HexPlaceholder(8), pdf.SpacePlaceholder(16)
	signature = u.Add(pdf.NewDict("Type", pdf.Name("Sig"), "Reason", pdf.TextString("ký"), "ByteRange", ranges,
		"Contents", contents, "Cert", pdf.Array{pdf.String{Value: []byte("cert"), Hex: true}}))
	stream = u.Add(pdf.NewFlateStream(pdf.NewDict("Note", pdf.TextString("note")), []byte("new stream")))
	rootRef, root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	root = root.Clone()
	root.Set("Stream", stream)
	u.Put(rootRef, root)
	infoRef, _ := f.Trailer().Get("Info").(pdf.Ref)
	info, err := f.Dict(infoRef)
	if err != nil {
		t.Fatal(err)
	}
	u.Put(infoRef, info)
	u.Put(pdf.Ref{Num: 4}, mustLoad(t, f, pdf.Ref{Num: 4}))
	built := mustBuild(t, u)
	if err := errors.Join(built.Patch(contents, []byte("3003020101")), built.Patch(ranges, []byte("[0 1 2 3]"))); err != nil {
		t.Fatal(err)
	}
	return joinBuilt(data, built), signature, stream
}

func mustLoad(t *testing.T, f *pdf.File, ref pdf.Ref) pdf.Object {
	t.Helper()
	o, err := f.Load(ref)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestUpdatesAreEncryptedLikeTheFile(t *testing.T) {
	t.Parallel()
	for name, k := range cryptKinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := k.make(t)
			password := passwordsOf(k)[len(passwordsOf(k))-1]
			out, signature, stream := updatedInKind(t, data, password)
			again, _, _ := updatedInKind(t, data, password)
			if !bytes.Equal(out, again) {
				t.Error("the same update gives other bytes")
			}
			f := openWith(t, out, k.user)
			wantPlain(t, f)
			d, err := f.Dict(signature)
			if err != nil {
				t.Fatal(err)
			}
			if s, _ := f.String(d.Get("Reason")); s.Text() != "ký" {
				t.Errorf("reason is %q", s.Text())
			}
			if s, _ := f.String(d.Get("Contents")); !bytes.HasPrefix(s.Value, []byte{0x30, 0x03}) {
				t.Errorf("contents are %x, not as written", s.Value)
			}
			st, err := f.Stream(stream)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.Decode(st, 0); err != nil || string(got) != "new stream" {
				t.Errorf("new stream is %q, %v", got, err)
			}
			for _, key := range []pdf.Name{"Encrypt", "Root", "Info"} {
				if f.Trailer().Get(key) != openWith(t, data, k.user).Trailer().Get(key) {
					t.Errorf("trailer's %s changed", key)
				}
			}
			if k.method != "Identity" && bytes.Contains(out[len(data):], []byte("note")) {
				t.Error("a string of the update is plain")
			}
			qpdfAccepts(t, out, k.user)
		})
	}
}

// qpdfAccepts lets qpdf judge, where it is installed.
func qpdfAccepts(t *testing.T, data []byte, password string) {
	t.Helper()
	qpdf, err := exec.LookPath("qpdf")
	if err != nil {
		t.Log("qpdf is not installed: it was not asked")
		return
	}
	file := filepath.Join(t.TempDir(), "file.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(qpdf, "--password="+password, "--check", file).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
}

func TestPermissionsAreHonouredAndLiftedByTheOwner(t *testing.T) {
	t.Parallel()
	const none, fill, annotate, all = -4 &^ (8 | 32 | 256), -4 &^ (8 | 32), -4 &^ (8 | 256), -4
	for _, c := range []struct {
		revision      int
		permissions   int32
		exists, fresh text.Code
	}{
		{2, all, "", ""}, {2, annotate, "", text.PermissionDenied}, {2, none, text.PermissionDenied, text.PermissionDenied},
		{2, fill, text.PermissionDenied, text.PermissionDenied}, // a bit that revision 2 does not know
		{3, all, "", ""}, {3, annotate, "", text.PermissionDenied}, {3, fill, "", text.PermissionDenied},
		{3, none, text.PermissionDenied, text.PermissionDenied},
		{6, none, text.PermissionDenied, text.PermissionDenied}, {6, fill, "", text.PermissionDenied}, {6, all, "", ""},
	} {
		k := cryptKind{version: map[int]int{2: 1, 3: 2, 6: 5}[c.revision], revision: c.revision, method: "V2", owner: "owner", permissions: c.permissions}
		if c.revision == 6 {
			k.method = "AESV3"
		}
		data := k.make(t)
		f := openWith(t, data, "")
		wantCode(t, f.MaySign(false), c.exists)
		wantCode(t, f.MaySign(true), c.fresh)
		owner := openWith(t, data, "owner")
		wantCode(t, owner.MaySign(true), "")
		wantCode(t, owner.MaySign(false), "")
		if c.fresh != "" {
			wantCode(t, openWith(t, data, "mistyped").MaySign(true), text.PasswordWrong)
		}
	}
}

func TestWidenedPermissionsCountForNothing(t *testing.T) {
	t.Parallel()
	data := cryptKind{version: 5, revision: 6, method: "AESV3", owner: "owner", permissions: -300}.make(t)
	wide := replaceOnce(t, data, "/P -300", "/P -004")
	wantCode(t, openWith(t, wide, "").MaySign(true), text.PermissionDenied)
}
