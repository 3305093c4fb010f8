package signer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

func whole(t *testing.T, in signer.Input) []byte {
	t.Helper()
	data, err := io.ReadAll(io.NewSectionReader(in.Reader, 0, in.Size))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// damagedFile is a document with a form, metadata and information under a broken
// cross-reference; extra is put before it.
func damagedFile(extra string) []byte {
	const content = "BT (endstream endobj 3 0 obj) Tj ET"
	var b bytes.Buffer
	b.WriteString("%PDF-1.6\n")
	for i, body := range []string{
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>/Metadata 6 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Annots[5 0 R]>>",
		"<</Length 8 0 R>>\nstream\n" + content + "\nendstream",
		"<</FT/Tx/T(name)/V(An)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 3 0 R>>",
		"<</Type/Metadata/Subtype/XML/Length 11>>\nstream\n<x:xmpmeta>\nendstream",
		"<</Title(Quyet dinh)>>", fmt.Sprint(len(content)), "<</Nobody/Refers>>",
	} {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	b.WriteString(extra + "trailer\n<</Root 1 0 R/Info 7 0 R/Size 10/ID[<aa><bb>]>>\nstartxref\n7\n%%EOF\n")
	return b.Bytes()
}

func TestNormalisedFilesKeepWhatTheyHoldAndAreSigned(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	data := damagedFile("")
	s := newAuthorities(t).signer()
	_, err := s.Sign(ctx, input(data), io.Discard, signer.Request{Key: certstest.RoleLeader, Level: ades.BB})
	if text.CodeOf(err) != text.PDFRepairNeeded {
		t.Fatalf("as it is: %v", err)
	}
	in, changed, err := signer.Normalise(ctx, input(data))
	if err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	out := whole(t, in)
	for _, kept := range []string{"%PDF-1.6\n", "BT (endstream endobj 3 0 obj) Tj ET\nendstream", "/V (An)", "<x:xmpmeta>", "(Quyet dinh)", "<aa>"} {
		if !bytes.Contains(out, []byte(kept)) {
			t.Errorf("%q is lost", kept)
		}
	}
	if bytes.Contains(out, []byte("Nobody")) {
		t.Error("what nothing refers to is kept")
	}
	again, _, err := signer.Normalise(ctx, input(data))
	if err != nil || !bytes.Equal(out, whole(t, again)) {
		t.Errorf("a second time gives other bytes, %v", err)
	}
	if _, changed, err := signer.Normalise(ctx, in); err != nil || changed {
		t.Errorf("the result is rewritten again: %v, %v", changed, err)
	}
	var signed bytes.Buffer
	if _, err := s.Sign(ctx, in, &signed, signer.Request{Key: certstest.RoleLeader, Level: ades.BB}); err != nil {
		t.Fatalf("signing: %v", err)
	}
	if !bytes.HasPrefix(signed.Bytes(), out) {
		t.Error("the normalised file is no prefix of the signed one")
	}
}

func TestFilesInNoNeedAreNotRewritten(t *testing.T) {
	t.Parallel()
	in := input(padestest.Simple(padestest.Classic, "1.7").Bytes())
	got, changed, err := signer.Normalise(context.Background(), in)
	if err != nil || changed || got.Reader != in.Reader {
		t.Errorf("changed %v, %v", changed, err)
	}
}

func TestNormaliseRefusesWhatItCannotRepairSafely(t *testing.T) {
	t.Parallel()
	sound := string(damagedFile(""))
	for name, c := range map[string]struct {
		data string
		want text.Code
	}{
		"a signature":                       {string(damagedFile("10 0 obj\n<</Type/Sig/ByteRange[0 1 2 3]/Contents<30>>>\nendobj\n")), text.PDFRepairNeeded},
		"an object lost":                    {strings.Replace(sound, "2 0 obj", "2 0 ob_", 1), text.PDFRepairNeeded},
		"an object twice":                   {string(damagedFile("5 0 obj\n<</FT/Tx/T(other)>>\nendobj\n")), text.PDFRepairNeeded},
		"a stream without its end":          {strings.Replace(sound, "<x:xmpmeta>\nendstream\nendobj", "<x:xmpm", 1), text.PDFRepairNeeded},
		"encryption":                        {strings.Replace(sound, "/Size 10", "/Encrypt 7 0 R", 1), text.EncryptionUnsupported},
		"two catalogs, no trailer":          {strings.Replace(string(damagedFile("10 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")), "trailer", "nothing", 1), text.PDFRepairNeeded},
		"a newer object that does not read": {string(damagedFile("startxref\n1\n%%EOF\n5 0 obj\n<</FT/Tx/T(new\nendobj\n")), text.PDFRepairNeeded},
		"security store of a signer":        {strings.Replace(sound, "/Metadata 6 0 R", "/DSS 6 0 R", 1), text.PDFRepairNeeded},
	} {
		in := input([]byte(c.data))
		got, changed, err := signer.Normalise(context.Background(), in)
		if text.CodeOf(err) != c.want || changed || got.Reader != in.Reader {
			t.Errorf("%s: changed %v, error %v, want %s", name, changed, err, c.want)
		}
	}
	if _, err := pdf.Rewritten(strings.NewReader(sound), int64(len(sound)), pdf.Options{}); err != nil {
		t.Errorf("the file that the others are made of: %v", err)
	}
}
