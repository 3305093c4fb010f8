package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	_ "crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

var signedAt = time.Date(2026, 11, 23, 9, 12, 44, 0, time.FixedZone("", 7*3600))

func open(t *testing.T, data []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	return f
}

// sign prepares o on data and embeds filler as CMS.
func sign(t *testing.T, data []byte, o pades.Options) ([]byte, *pades.Prepared) {
	t.Helper()
	o.M = signedAt
	p, err := pades.Prepare(open(t, data), o)
	if err != nil {
		t.Fatalf("preparing: %v", err)
	}
	if err := p.Embed(bytes.Repeat([]byte{0x30}, 100)); err != nil {
		t.Fatalf("embedding: %v", err)
	}
	return append(bytes.Clone(data), p.Update...), p
}

func signatures(t *testing.T, data []byte) []pades.Signature {
	t.Helper()
	s, err := pades.Signatures(open(t, data))
	if err != nil {
		t.Fatalf("listing: %v", err)
	}
	return s
}

func forEachKind(t *testing.T, run func(t *testing.T, d padestest.Document)) {
	for _, kind := range padestest.Kinds() {
		for _, version := range []string{"1.4", "1.7", "2.0"} {
			if version == "1.4" && kind != padestest.Classic {
				continue
			}
			t.Run(string(kind)+" "+version, func(t *testing.T) {
				t.Parallel()
				run(t, padestest.Simple(kind, version))
			})
		}
	}
}

func TestPrepareKeepsTheOriginalAndTheLayout(t *testing.T) {
	t.Parallel()
	forEachKind(t, func(t *testing.T, d padestest.Document) {
		for _, noEOL := range []bool{false, true} {
			d.NoFinalEOL = noEOL
			original := d.Bytes()
			before := open(t, original).Sections()[0]
			out, p := sign(t, original, pades.Options{})
			if !bytes.HasPrefix(out, original) {
				t.Fatal("original is not a prefix")
			}
			a, b, total := p.GapStart, p.GapStart+p.GapLen-1, int64(len(out))
			if a <= int64(len(original)) || out[a] != '<' || out[b] != '>' {
				t.Fatalf("gap %d..%d is not the string", a, b)
			}
			if want := [4]int64{0, a, b + 1, total - b - 1}; p.ByteRange != want {
				t.Fatalf("ByteRange %v, want %v", p.ByteRange, want)
			}
			s := signatures(t, out)
			if len(s) != 1 || len(s[0].Problems) > 0 {
				t.Fatalf("signatures %+v", s)
			}
			if s[0].ByteRange != p.ByteRange || s[0].ContentsStart != a || s[0].ContentsEnd != b+1 {
				t.Fatalf("found ByteRange %v contents %d..%d", s[0].ByteRange, s[0].ContentsStart, s[0].ContentsEnd)
			}
			if s[0].Page != 1 || s[0].Field != "Signature1" || !s[0].M.Equal(signedAt) {
				t.Fatalf("found page %d field %q M %v", s[0].Page, s[0].Field, s[0].M)
			}
			after := open(t, out).Sections()[0]
			wantKind := before.Kind
			if wantKind == pdf.SectionHybrid {
				wantKind = pdf.SectionTable
			}
			if after.Kind != wantKind {
				t.Fatalf("section %s after %s", after.Kind, before.Kind)
			}
		}
	})
}

func TestDigestCoversAllButTheGap(t *testing.T) {
	t.Parallel()
	original := padestest.Simple(padestest.Classic, "1.7").Bytes()
	out, p := sign(t, original, pades.Options{})
	r := p.ByteRange
	want := sha256.Sum256(append(bytes.Clone(out[:r[1]]), out[r[2]:r[2]+r[3]]...))
	got, err := p.Digest(context.Background(), bytes.NewReader(original), crypto.SHA256)
	if err != nil || !bytes.Equal(got, want[:]) {
		t.Fatalf("digest %x, %v, want %x", got, err, want)
	}
}

func TestEmbedRefusesWhatDoesNotFitAndChangesNothing(t *testing.T) {
	t.Parallel()
	_, p := sign(t, padestest.Simple(padestest.Classic, "1.7").Bytes(), pades.Options{ContentsSize: 512})
	before := bytes.Clone(p.Update)
	err := p.Embed(make([]byte, 513))
	var small *pades.TooSmallError
	if !errors.As(err, &small) || small.Need != 513 || small.Have != 512 {
		t.Fatalf("error %v", err)
	}
	if !bytes.Equal(before, p.Update) {
		t.Fatal("update was changed")
	}
	if err := p.Embed(make([]byte, 512)); err != nil {
		t.Fatalf("exact fit: %v", err)
	}
}

func TestPDF17DeclaresTheExtensionOnce(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"1.4": false, "1.7": true, "2.0": false} {
		out, _ := sign(t, padestest.Simple(padestest.Classic, version).Bytes(), pades.Options{})
		f := open(t, out)
		_, root, err := f.Root()
		if err != nil {
			t.Fatal(err)
		}
		if root.Has("Extensions") != want {
			t.Errorf("PDF %s: extension declared: %v", version, !want)
		}
		_, p := sign(t, out, pades.Options{})
		if bytes.Contains(p.Update, []byte("/Extensions")) {
			t.Errorf("PDF %s: second signature touches the catalog again", version)
		}
	}
}

func TestSecondSignatureTouchesOnlyPageAndForm(t *testing.T) {
	t.Parallel()
	forEachKind(t, func(t *testing.T, d padestest.Document) {
		one, _ := sign(t, d.Bytes(), pades.Options{})
		two, _ := sign(t, one, pades.Options{Rect: [4]float64{10, 10, 100, 60}})
		s := signatures(t, two)
		if len(s) != 2 || s[0].Field != "Signature1" || s[1].Field != "Signature2" || len(s[0].Problems)+len(s[1].Problems) > 0 {
			t.Fatalf("signatures %+v", s)
		}
		overridden := 0
		for e := range open(t, two).Sections()[0].Entries() {
			if old, had := open(t, one).Entry(e.Num); had && !old.Free && e.Num != 0 {
				overridden++
			}
		}
		if overridden != 2 {
			t.Errorf("%d earlier objects overridden, want page and form", overridden)
		}
	})
}

func TestExistingFieldGetsOnlyItsValue(t *testing.T) {
	t.Parallel()
	d := padestest.Simple(padestest.Classic, "2.0").WithForm("/SigFlags 3", map[int]string{
		10: padestest.SigField("NguoiKy", "/AP << /N 11 0 R >> /Rect [0 0 612 10.50]"),
	}).With(11, padestest.Body("/Type /XObject /Subtype /Form /BBox [0 0 1 1] ", ""))
	original := d.Bytes()
	out, p := sign(t, original, pades.Options{FieldName: "NguoiKy", Existing: true})
	if p.Field != "NguoiKy" {
		t.Fatalf("field %q", p.Field)
	}
	n := 0
	for e := range open(t, out).Sections()[0].Entries() {
		if e.Num != 0 {
			n++
		}
	}
	if n != 2 {
		t.Errorf("update holds %d objects, want field and signature", n)
	}
	if !bytes.Contains(p.Update, []byte("10.50")) {
		t.Error("number spelling changed")
	}
}

func TestCertificationWritesPermsAndDocMDP(t *testing.T) {
	t.Parallel()
	forEachKind(t, func(t *testing.T, d padestest.Document) {
		out, _ := sign(t, d.Bytes(), pades.Options{Certify: 2})
		s := signatures(t, out)
		if len(s) != 1 || s[0].DocMDP != 2 || !s[0].Certification || s[0].Perms != "DocMDP" {
			t.Fatalf("signature %+v", s)
		}
	})
}

func TestLockIsWrittenToFieldAndReference(t *testing.T) {
	t.Parallel()
	lock := &pades.Lock{Action: pades.LockExclude, Fields: []string{"so", "ngày"}}
	out, _ := sign(t, padestest.Simple(padestest.Stream, "1.7").Bytes(), pades.Options{Lock: lock})
	s := signatures(t, out)[0]
	for _, l := range []*pades.Lock{s.Lock, s.FieldMDP} {
		if l == nil || l.Action != pades.LockExclude || len(l.Fields) != 2 || l.Fields[1] != "ngày" || l.Locks("ngày") || !l.Locks("x") {
			t.Fatalf("lock %+v", l)
		}
	}
}

func TestFillWritesValueAndAppearance(t *testing.T) {
	t.Parallel()
	d := padestest.Simple(padestest.ObjectStreams, "1.7").WithForm("", map[int]string{
		10: padestest.TextField("so", ""), 11: padestest.SigField("CoQuan", ""),
	})
	out, _ := sign(t, d.Bytes(), pades.Options{FieldName: "CoQuan", Existing: true, Fill: map[string]string{"so": "128"}})
	f := open(t, out)
	field, err := f.Dict(pdf.Ref{Num: 10})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := field.Get("V").(pdf.String); v.Text() != "128" {
		t.Errorf("value %v", field.Get("V"))
	}
	ap, err := f.Dict(field.Get("AP"))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := f.Stream(ap.Get("N"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.Decode(stream, 1<<16)
	if err != nil || !bytes.Contains(data, []byte("(128) Tj")) {
		t.Errorf("appearance %q, %v", data, err)
	}
}

func TestReasonGivesWayToCommitment(t *testing.T) {
	t.Parallel()
	original := padestest.Simple(padestest.Classic, "1.7").Bytes()
	_, with := sign(t, original, pades.Options{Reason: "Phe duyet"})
	_, without := sign(t, original, pades.Options{Reason: "Phe duyet", Commitment: true})
	if !bytes.Contains(with.Update, []byte("/Reason")) || bytes.Contains(without.Update, []byte("/Reason")) {
		t.Error("reason is written with a commitment, or missing without")
	}
	if bytes.Contains(with.Update, []byte("/Cert")) {
		t.Error("/Cert is written")
	}
}

func TestUnreadableOriginalIsAnError(t *testing.T) {
	t.Parallel()
	original := padestest.Simple(padestest.Classic, "1.7").Bytes()
	_, p := sign(t, original, pades.Options{})
	if _, err := p.Digest(context.Background(), bytes.NewReader(original[:len(original)-1]), crypto.SHA256); err == nil {
		t.Error("shortened original is accepted")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Digest(ctx, bytes.NewReader(original), crypto.SHA256); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func wantCode(t *testing.T, err error, code text.Code) {
	t.Helper()
	if text.CodeOf(err) != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// acroForm is the interactive form's dictionary.
func acroForm(t *testing.T, data []byte) *pdf.Dict {
	t.Helper()
	f := open(t, data)
	_, root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.Dict(root.Get("AcroForm"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSigFlagsGainBitsAndLoseNone(t *testing.T) {
	t.Parallel()
	for entries, want := range map[string]int64{"": 3, "/SigFlags 1": 3, "/SigFlags 4": 7, "/SigFlags 3": 3} {
		d := padestest.Simple(padestest.Classic, "1.7").WithForm(entries, map[int]string{10: padestest.SigField("A", "")})
		out, _ := sign(t, d.Bytes(), pades.Options{FieldName: "A"})
		if n, _ := acroForm(t, out).Get("SigFlags").(pdf.Number); n.String() != pdf.Int(want).String() {
			t.Errorf("%q: flags %s, want %d", entries, n, want)
		}
	}
}

func TestNeedAppearancesGoesOnlyWhileItIsHarmless(t *testing.T) {
	t.Parallel()
	need := "/NeedAppearances true /SigFlags 3"
	fields := map[int]string{10: padestest.SigField("A", ""), 11: padestest.SigField("B", "/V 20 0 R"), 12: padestest.TextField("so", "/V (1)")}
	document := func(numbers ...int) padestest.Document {
		chosen := map[int]string{}
		for _, n := range numbers {
			chosen[n] = fields[n]
		}
		return padestest.Simple(padestest.Classic, "2.0").WithForm(need, chosen).With(20, sigValue)
	}
	for name, c := range map[string]struct {
		document padestest.Document
		kept     bool
	}{
		"nothing signed, nothing filled": {document(10), false},
		"a signature exists":             {document(10, 11), true},
		"a field shows a value":          {document(10, 12), true},
	} {
		out, _ := sign(t, c.document.Bytes(), pades.Options{FieldName: "A"})
		if acroForm(t, out).Has("NeedAppearances") != c.kept {
			t.Errorf("%s: kept %v, want %v", name, !c.kept, c.kept)
		}
	}
}

// The matrices are worked out by hand: on a page shown turned clockwise by 90
// degrees the reader's right is the page's up, and the reader's up its left.
func TestAppearanceIsTurnedBack(t *testing.T) {
	t.Parallel()
	const w, h = 100, 40
	for rotate, want := range map[string]struct{ turn, size string }{
		"90":  {"q 0 1 -1 0 100 0 cm /Fm0 Do Q", "40x100"},
		"180": {"q -1 0 0 -1 100 40 cm /Fm0 Do Q", "100x40"},
		"270": {"q 0 -1 1 0 0 40 cm /Fm0 Do Q", "40x100"},
	} {
		d := padestest.Simple(padestest.Classic, "1.7").With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate "+rotate+" >>")
		var size string
		_, p := sign(t, d.Bytes(), pades.Options{Rect: [4]float64{10, 10, 10 + w, 10 + h},
			Appearance: func(u *pdf.Update, w, h float64) (pdf.Ref, error) {
				size = fmt.Sprintf("%gx%g", w, h)
				return u.Add(pdf.NewStream(pdf.NewDict(pdf.Name("Subtype"), pdf.Name("Form")), nil)), nil
			}})
		if size != want.size || !bytes.Contains(p.Update, []byte(want.turn)) {
			t.Errorf("rotation %s: drawn at %s, or not turned by %q", rotate, size, want.turn)
		}
	}
}
