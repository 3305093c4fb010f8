package pdf_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"antin/signer/pdf"
)

// encryptedSamples is one file of every kind of encryption, made once.
func encryptedSamples(t *testing.T) map[string][]byte {
	t.Helper()
	list := map[string][]byte{}
	for name, k := range cryptKinds() {
		if k.user == "" || k.user == "user" {
			list[name] = k.make(t)
		}
	}
	return list
}

func TestAnyObjectsSurviveUpdatesOfEncryptedFiles(t *testing.T) {
	t.Parallel()
	samples := encryptedSamples(t)
	names := slices.Sorted(maps.Keys(samples))
	rapid.Check(t, func(t *rapid.T) {
		data := samples[rapid.SampledFrom(names).Draw(t, "kind")]
		f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{Password: "user"})
		if err != nil {
			t.Fatal(err)
		}
		u := f.NewUpdate()
		want := map[pdf.Ref]pdf.Object{}
		for range rapid.IntRange(1, 5).Draw(t, "new") {
			o := objects().Draw(t, "object")
			if _, ref := o.(pdf.Ref); !ref {
				want[u.Add(o)] = o
			}
		}
		b, err := u.Build()
		if err != nil {
			t.Fatal(err)
		}
		out := joinBuilt(data, b)
		if !bytes.HasPrefix(out, data) {
			t.Fatal("the original is no prefix")
		}
		g, err := pdf.Open(bytes.NewReader(out), int64(len(out)), pdf.Options{Password: "user"})
		if err != nil {
			t.Fatal(err)
		}
		for ref, o := range want {
			got, err := g.Load(ref)
			if err != nil || string(pdf.Append(nil, got)) != string(pdf.Append(nil, o)) {
				t.Fatalf("%v: %s, %v, want %s", ref, pdf.Append(nil, got), err, pdf.Append(nil, o))
			}
		}
	})
}

// token draws one value in a spelling that a writer must keep.
func token() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"612", "612.0", "+17", "-.002", "4.", "007", "0.50", "--5", "null", "true", "false", "12 0 R", "[]", "<<>>", "[1.0 2.00 3 0 R]",
			"<</A 1.50/B[0 0.0]>>", "(text)", "<0a0B>", "/Name",
		}),
		rapid.Map(rapid.Float64Range(-1e6, 1e6), func(v float64) string { return fmt.Sprintf("%.3f", v) }),
		rapid.Map(rapid.IntRange(-1<<40, 1<<40), func(v int) string { return fmt.Sprint(v) }),
	)
}

// spelled writes text as this package does: with single blanks.
func spelled(t *rapid.T, text string) string {
	o, _, err := pdf.ParseObject([]byte(text + " "))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(pdf.Append(nil, o))
}

func TestOverriddenDictionariesKeepTheirTokens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDraft()
		values := rapid.SliceOfN(token(), 1, 12).Draw(t, "values")
		var entries []string
		for i, v := range values {
			entries = append(entries, fmt.Sprintf("/K%d %s", i, v))
		}
		d.pages("")
		d.obj(4, "<<"+strings.Join(entries, " ")+">>")
		d.table("/Size 5/Root 1 0 R", 1, 2, 3, 4)
		data := bytes.Clone(d.Bytes())
		f, err := open(data)
		if err != nil {
			t.Fatal(err)
		}
		old, err := f.Dict(pdf.Ref{Num: 4})
		if err != nil {
			t.Fatal(err)
		}
		u := f.NewUpdate()
		changed := old.Clone()
		changed.Set("New", pdf.Int(1))
		u.Put(pdf.Ref{Num: 4}, changed)
		b, err := u.Build()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			// Numbers, names, strings and references in the spelling they were read with;
			// only white space between tokens is the writer's own.
			if want := fmt.Sprintf("/K%d %s", i, spelled(t, v)); !bytes.Contains(b.Data, []byte(want)) {
				t.Fatalf("%q is not in %q", want, b.Data)
			}
			for _, number := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune("[]<>/ AB", r) }) {
				if strings.ContainsAny(number, "0123456789.") && !strings.HasPrefix(number, "0a0") && !bytes.Contains(b.Data, []byte(number)) {
					t.Fatalf("%q of %q is not in %q", number, v, b.Data)
				}
			}
		}
	})
}

func TestTheHoleIsExactlyTheHexadecimalString(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := samples()[rapid.SampledFrom([]pdf.SectionKind{pdf.SectionTable, pdf.SectionStream, pdf.SectionHybrid}).Draw(t, "kind")]
		f, err := open(data)
		if err != nil {
			t.Fatal(err)
		}
		hole := pdf.HexPlaceholder(rapid.IntRange(1, 5000).Draw(t, "room"))
		u := f.NewUpdate()
		for range rapid.IntRange(0, 3).Draw(t, "before") {
			u.Add(objects().Draw(t, "object"))
		}
		ref := u.Add(pdf.NewDict("Type", pdf.Name("Sig"), "Contents", hole))
		b, err := u.Build()
		if err != nil {
			t.Fatal(err)
		}
		content := rapid.SliceOfN(rapid.Byte(), 0, hole.Size/2).Draw(t, "content")
		if err := b.Patch(hole, []byte(fmt.Sprintf("%x", content))); err != nil {
			t.Fatal(err)
		}
		out := joinBuilt(data, b)
		g, err := open(out)
		if err != nil {
			t.Fatal(err)
		}
		start, end, direct, err := g.SignatureSpan(ref, "Contents")
		if err != nil || !direct || start != b.Offset(hole) || end != start+int64(hole.Len()) || out[start] != '<' || out[end-1] != '>' {
			t.Fatalf("the value stands at %d to %d, direct %v, %v; the hole at %d", start, end, direct, err, b.Offset(hole))
		}
		if !bytes.HasPrefix(out, data) {
			t.Fatal("the original is no prefix")
		}
	})
}
