package pdf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"errors"
	"fmt"
	"strings"
	"testing"

	golzw "compress/lzw"

	"pgregory.net/rapid"

	"antin/internal/text"
	"antin/signer/pdf"
)

func deflate(data string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(data))
	_ = w.Close()
	return b.String()
}

// decodeStream decodes data as a stream whose dictionary has the given entries.
func decodeStream(t testing.TB, entries, data string, limit int64) (string, error) {
	t.Helper()
	d := newDraft()
	d.pages("")
	d.stream(4, entries, data)
	d.obj(5, "/FlateDecode")
	d.obj(6, "[/AHx 5 0 R]")
	d.table("/Size 7/Root 1 0 R", 1, 2, 3, 4, 5, 6)
	f := mustOpen(t, d.Bytes())
	s, err := f.Stream(pdf.Ref{Num: 4})
	if err != nil {
		return "", err
	}
	out, err := f.Decode(s, limit)
	return string(out), err
}

func TestFiltersAreUndone(t *testing.T) {
	t.Parallel()
	const plain = "An tin, an tin, an tin: 0123456789"
	wrongSum := deflate(plain)
	wrongSum = wrongSum[:len(wrongSum)-1] + "\x00"
	var a85 bytes.Buffer
	w := ascii85.NewEncoder(&a85)
	_, _ = w.Write([]byte(plain))
	_ = w.Close()
	var late bytes.Buffer
	lw := golzw.NewWriter(&late, golzw.MSB, 8)
	_, _ = lw.Write([]byte(plain))
	_ = lw.Close()
	for name, c := range map[string]struct{ entries, data, want string }{
		"none":                        {"", plain, plain},
		"Flate":                       {"/Filter/FlateDecode", deflate(plain), plain},
		"Flate, short name":           {"/Filter/Fl", deflate(plain), plain},
		"Flate with a wrong checksum": {"/Filter/FlateDecode", wrongSum, plain},
		"Flate of nothing":            {"/Filter/FlateDecode", "", ""},
		"hexadecimal":                 {"/Filter/ASCIIHexDecode", "41 6E\n7>rest", "Anp"},
		"ASCII85":                     {"/Filter/ASCII85Decode", "<~" + a85.String() + "~>", plain},
		"ASCII85 without its end":     {"/Filter[/A85]", a85.String(), plain},
		"run lengths":                 {"/Filter/RunLengthDecode", "\x02abc\xfed\x80ignored", "abcddd"},
		"LZW of the specification":    {"/Filter/LZWDecode", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", "-----A---B"},
		"LZW with late change":        {"/Filter/LZWDecode/DecodeParms<</EarlyChange 0>>", late.String(), plain},
		"two filters":                 {"/Filter[/AHx/Fl]", fmt.Sprintf("%x>", deflate(plain)), plain},
		"indirect filters":            {"/Filter 6 0 R", fmt.Sprintf("%x>", deflate(plain)), plain},
		"parameters of the second":    {"/Filter[/AHx/Fl]/DecodeParms[null<</Predictor 12/Columns 2>>]", fmt.Sprintf("%x>", deflate("\x02ab\x02\x01\x01")), "abbc"},
	} {
		got, err := decodeStream(t, c.entries, c.data, 0)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestPredictorsAreUndone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ parms, data, want string }{
		"PNG none":            {"/Predictor 10/Columns 3", "\x00abc\x00def", "abcdef"},
		"PNG sub":             {"/Predictor 11/Columns 3", "\x01a\x01\x01\x01b\x01\x01", "abcbcd"},
		"PNG up":              {"/Predictor 12/Columns 3", "\x02abc\x02\x01\x01\x01", "abcbcd"},
		"PNG average":         {"/Predictor 13/Columns 2", "\x03\x10\x10\x03\x10\x10", "\x10\x18\x18\x28"},
		"PNG Paeth":           {"/Predictor 14/Columns 2", "\x04\x01\x01\x04\x01\x01", "\x01\x02\x02\x03"},
		"PNG of two samples":  {"/Predictor 15/Columns 2/Colors 2", "\x01ab\x01\x01", "abbc"},
		"PNG, last row short": {"/Predictor 12/Columns 3", "\x02abc\x02\x01", "abcb"},
		"TIFF of 8 bits":      {"/Predictor 2/Columns 3", "a\x01\x01b\x01\x01", "abcbcd"},
		"TIFF of 16 bits":     {"/Predictor 2/Columns 2/BitsPerComponent 16", "\x00\xff\x00\x01", "\x00\xff\x01\x00"},
		"no predictor":        {"/Predictor 1/Columns 3", "abc", "abc"},
	} {
		got, err := decodeStream(t, "/Filter/FlateDecode/DecodeParms<<"+c.parms+">>", deflate(c.data), 0)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestDecodeRefusesBombsAndDamage(t *testing.T) {
	t.Parallel()
	bomb := deflate(strings.Repeat("\x00", 40<<20))
	for name, c := range map[string]struct {
		entries, data string
		limit         int64
		want          text.Code
	}{
		"more than the caller's limit": {"/Filter/Fl", deflate(strings.Repeat("a", 2000)), 1999, text.LimitExceeded},
		"a bomb of two passes":         {"/Filter[/Fl/Fl]", deflate(bomb), 0, text.LimitExceeded},
		"nine filters":                 {"/Filter[" + strings.Repeat("/Fl", 9) + "]", "", 0, text.LimitExceeded},
		"damaged Flate":                {"/Filter/Fl", "\x78\x9c\xff\xff\xff\xff\xff", 0, text.PDFMalformed},
		"damaged hexadecimal":          {"/Filter/AHx", "4g", 0, text.PDFMalformed},
		"damaged ASCII85":              {"/Filter/A85", "\x7f\x7f\x7f\x7f\x7f", 0, text.PDFMalformed},
		"a run cut off":                {"/Filter/RL", "\x05ab", 0, text.PDFMalformed},
		"a run without its byte":       {"/Filter/RL", "\xf0", 0, text.PDFMalformed},
		"damaged LZW":                  {"/Filter/LZW", "\xff\xff\xff\xff", 0, text.PDFMalformed},
		"a filter that is no name":     {"/Filter 12", "", 0, text.PDFMalformed},
		"a row of gigabytes":           {"/Filter/Fl/DecodeParms<</Predictor 12/Columns 16000000/Colors 60>>", deflate("\x02a"), 0, text.LimitExceeded},
		"a negative row":               {"/Filter/Fl/DecodeParms<</Predictor 12/Columns -1>>", deflate("\x02a"), 0, text.PDFMalformed},
		"an unknown predictor":         {"/Filter/Fl/DecodeParms<</Predictor 7>>", deflate("a"), 0, text.PDFMalformed},
		"data in another file":         {"/F(other.bin)", "", 0, text.PDFMalformed},
	} {
		_, err := decodeStream(t, c.entries, c.data, c.limit)
		if got := text.CodeOf(err); got != c.want {
			t.Errorf("%s: error is %v, want %s", name, err, c.want)
		}
	}
	for _, filter := range []string{"DCTDecode", "JPXDecode", "Crypt/DecodeParms<</Name/StdCF>>", "Unknown"} {
		if _, err := decodeStream(t, "/Filter/"+filter, "x", 0); !errors.Is(err, pdf.ErrFilter) {
			t.Errorf("%s: error is %v", filter, err)
		}
	}
	if got, err := decodeStream(t, "/Filter/Fl", bomb, 0); err != nil || len(got) != 40<<20 {
		t.Errorf("one honest pass of the highest ratio: %d bytes, %v", len(got), err)
	}
}

func TestFlateStreamsReadBack(t *testing.T) {
	t.Parallel()
	f := mustOpen(t, minimal())
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		got, err := f.Decode(pdf.NewFlateStream(nil, data), 0)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes come back as %d, %v", len(data), len(got), err)
		}
	})
}
