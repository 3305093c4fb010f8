package pdf_test

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"antin/internal/text"
	"antin/signer/pdf"
)

func TestObjectsReadAndWriteBackInTheirSpelling(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"612":                       "612",
		"612.0":                     "612.0",
		"-.002":                     "-.002",
		"+17":                       "+17",
		"4.":                        "4.",
		"00012":                     "00012",
		"true":                      "true",
		"null":                      "null",
		"12 0 R":                    "12 0 R",
		"12 %comment\n 0\tR":        "12 0 R",
		"[1 2 R]":                   "[1 2 R]",
		"[1 2 3 0 R 4]":             "[1 2 3 0 R 4]",
		"[/A/B(c)<d>]":              "[/A /B (c) <d0>]",
		"/Name#20with#2Fodd":        "/Name#20with#2Fodd",
		"/A#42":                     "/AB",
		"/Bad#zz":                   "/Bad#23zz",
		"/":                         "/",
		"()":                        "()",
		`(a\(b\)c)`:                 `(a\(b\)c)`,
		"(a(b)c)":                   `(a\(b\)c)`,
		`(\101\7\1234)`:             "(A\x07S4)",
		"(a\\\nb)":                  "(ab)",
		"(a\r\nb\rc)":               `(a\nb\nc)`,
		`(\r\n\t\q)`:                "(\\r\\n\tq)",
		"<48 65\n6C6>":              "<48656c60>",
		"<<>>":                      "<<>>",
		"<</B 1/A<</C[]>>/D null>>": "<</B 1 /A <</C []>> /D null>>",
	} {
		o, n, err := pdf.ParseObject([]byte(in))
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if n != len(in) {
			t.Errorf("%q: took %d of %d bytes", in, n, len(in))
		}
		if in == "[1 2 R]" { // one reference, not two numbers and a word
			if a, ok := o.(pdf.Array); !ok || len(a) != 1 || a[0] != (pdf.Ref{Num: 1, Gen: 2}) {
				t.Errorf("%q reads as %v", in, o)
			}
		}
		if got := string(pdf.Append(nil, o)); got != want {
			t.Errorf("%q is written as %q, want %q", in, got, want)
		}
	}
}

func TestParseObjectRefusesWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]text.Code{
		"":                                  text.PDFMalformed,
		"]":                                 text.PDFMalformed,
		"[1 2":                              text.PDFMalformed,
		"(never ends":                       text.PDFMalformed,
		"<4G>":                              text.PDFMalformed,
		"<41":                               text.PDFMalformed,
		"<</A>>":                            text.PDFMalformed,
		"<<1 2>>":                           text.PDFMalformed,
		"<</A 1":                            text.PDFMalformed,
		"nul":                               text.PDFMalformed,
		"12x":                               text.PDFMalformed,
		"{":                                 text.PDFMalformed,
		strings.Repeat("[", 300):            text.LimitExceeded,
		strings.Repeat("<</A", 300):         text.LimitExceeded,
		"/" + strings.Repeat("a", 5000):     text.LimitExceeded,
		strings.Repeat("9", 5000):           text.LimitExceeded,
		"[" + strings.Repeat("0 ", 1<<20+1): text.LimitExceeded,
	} {
		_, _, err := pdf.ParseObject([]byte(in))
		if got := text.CodeOf(err); got != want {
			t.Errorf("%.20q: error is %v, want %s", in, err, want)
		}
	}
}

func TestNestingOf256IsReadAnd257IsNot(t *testing.T) {
	t.Parallel()
	nest := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, _, err := pdf.ParseObject(nest(257)); err != nil { // 256 levels below the outermost
		t.Errorf("256 levels: %v", err)
	}
	_, _, err := pdf.ParseObject(nest(258))
	wantCode(t, err, text.LimitExceeded)
}

func TestDictionaryKeepsOrderAndNotesDuplicates(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	in.WriteString("<</A 1/B 2/A 3")
	for i := range 40 { // past the size from which keys are indexed
		in.WriteString("/K" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + " 0")
	}
	in.WriteString("/B 4>>")
	o, _, err := pdf.ParseObject([]byte(in.String()))
	if err != nil {
		t.Fatal(err)
	}
	d, _ := o.(*pdf.Dict)
	if got := d.Duplicates(); !reflect.DeepEqual(got, []pdf.Name{"A", "B"}) {
		t.Errorf("duplicates are %v", got)
	}
	if d.Get("A") != pdf.Object(mustNumber(t, "3")) || d.Get("B") != pdf.Object(mustNumber(t, "4")) {
		t.Errorf("the last value does not win: %v %v", d.Get("A"), d.Get("B"))
	}
	if keys := d.Keys(); len(keys) != 42 || keys[0] != "A" || keys[1] != "B" {
		t.Errorf("keys are %v", keys)
	}
	d.Delete("A")
	if d.Get("A") != nil || d.Len() != 41 || d.Get("Kaa") == nil {
		t.Error("deleting a key loses others")
	}
	c := d.Clone()
	c.Set("Kaa", pdf.Name("new"))
	if d.Get("Kaa") == pdf.Object(pdf.Name("new")) {
		t.Error("a change of the clone shows in the original")
	}
	var none *pdf.Dict
	if none.Get("A") != nil || none.Len() != 0 || none.Has("A") || none.Keys() != nil {
		t.Error("a nil dictionary does not read as empty")
	}
}

func mustNumber(t *testing.T, s string) pdf.Number {
	t.Helper()
	o, _, err := pdf.ParseObject([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	n, ok := o.(pdf.Number)
	if !ok {
		t.Fatalf("%q is not a number", s)
	}
	return n
}

func TestNumbersHaveTheirValues(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]float64{"1.5": 1.5, "-.5": -.5, "4.": 4, "--5": -5, "12-3": 12, "+7": 7, ".": 0, "00012": 12} {
		if got := mustNumber(t, in).Float64(); got != want {
			t.Errorf("%s is %v, want %v", in, got, want)
		}
	}
	if _, ok := mustNumber(t, "1.0").Int64(); ok {
		t.Error("1.0 passes for an integer")
	}
	if _, ok := mustNumber(t, "99999999999999999999").Int64(); ok {
		t.Error("an integer out of range passes")
	}
	for f, want := range map[float64]string{0.1: "0.1", -0.0000001: "0", 12: "12", 1e15: "1000000000000000", 1.23456789: "1.23457"} {
		if got := pdf.Real(f).String(); got != want {
			t.Errorf("Real(%v) is %s, want %s", f, got, want)
		}
	}
	if got := (pdf.Number{}).String(); got != "0" {
		t.Errorf("the zero Number is %q", got)
	}
}

func TestTextStringsKeepVietnamese(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", "Đã ký số bởi Nguyễn Văn Ánh", "𝛼 beyond the first plane", "a\nb"} {
		if got := pdf.TextString(s).Text(); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
	for in, want := range map[string]string{
		"\xef\xbb\xbfK\xc3\xbd":                   "Ký",
		"\xff\xfeK\x00\xfd\x00":                   "Ký",
		"\x93quoted\x94 \xa0":                     "ﬁquotedﬂ €",
		"\xfe\xff\x00\x1b\x00v\x00i\x00\x1b\x00K": "K",
	} {
		if got := (pdf.String{Value: []byte(in)}).Text(); got != want {
			t.Errorf("%q reads as %q, want %q", in, got, want)
		}
	}
}

// objects generates any object that can stand in a file, without streams.
func objects() *rapid.Generator[pdf.Object] {
	name := rapid.Map(rapid.StringMatching(`[a-zA-Z0-9 #/()\x01-\x08é]{0,12}`), func(s string) pdf.Name { return pdf.Name(s) })
	leaf := rapid.OneOf(
		rapid.Just[pdf.Object](pdf.Null{}),
		rapid.Map(rapid.Bool(), func(b bool) pdf.Object { return pdf.Bool(b) }),
		rapid.Map(rapid.Int64(), func(n int64) pdf.Object { return pdf.Int(n) }),
		rapid.Map(rapid.Float64Range(-1e6, 1e6), func(f float64) pdf.Object { return pdf.Real(f) }),
		rapid.Map(name, func(n pdf.Name) pdf.Object { return n }),
		rapid.Custom(func(t *rapid.T) pdf.Object {
			return pdf.String{Value: rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "bytes"), Hex: rapid.Bool().Draw(t, "hex")}
		}),
		rapid.Custom(func(t *rapid.T) pdf.Object {
			return pdf.Ref{Num: rapid.IntRange(1, 1<<20).Draw(t, "num"), Gen: rapid.IntRange(0, 65535).Draw(t, "gen")}
		}),
	)
	var any func(depth int) *rapid.Generator[pdf.Object]
	any = func(depth int) *rapid.Generator[pdf.Object] {
		if depth == 0 {
			return leaf
		}
		inner := any(depth - 1)
		return rapid.OneOf(leaf,
			rapid.Map(rapid.SliceOfN(inner, 0, 6), func(l []pdf.Object) pdf.Object { return append(pdf.Array{}, l...) }),
			rapid.Custom(func(t *rapid.T) pdf.Object {
				d := &pdf.Dict{}
				for range rapid.IntRange(0, 20).Draw(t, "keys") {
					d.Set(name.Draw(t, "key"), leaf.Draw(t, "value"))
				}
				d.Set(name.Draw(t, "key"), inner.Draw(t, "value"))
				return d
			}))
	}
	return any(3)
}

func TestWhatIsWrittenReadsBackTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := objects().Draw(t, "object")
		spelled := pdf.Append(nil, o)
		back, n, err := pdf.ParseObject(append(spelled[:len(spelled):len(spelled)], ' '))
		if err != nil {
			t.Fatalf("%q: %v", spelled, err)
		}
		if n != len(spelled) || !reflect.DeepEqual(normal(o), normal(back)) {
			t.Fatalf("%q reads back as %q (%d bytes)", spelled, pdf.Append(nil, back), n)
		}
	})
}

// normal turns o into plain maps and slices for comparison.
func normal(o pdf.Object) any {
	switch o := o.(type) {
	case *pdf.Dict:
		type pair struct {
			k pdf.Name
			v any
		}
		list := []pair{}
		for _, k := range o.Keys() {
			list = append(list, pair{k, normal(o.Get(k))})
		}
		return list
	case pdf.Array:
		list := []any{}
		for _, e := range o {
			list = append(list, normal(e))
		}
		return list
	case pdf.String:
		return [2]any{string(o.Value), o.Hex}
	}
	return o
}
