package compose_test

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"antin/signer/compose"
	"antin/signer/pdf"
)

// pageTexts reads the text of every page back through the fonts' ToUnicode maps,
// pieces joined by spaces in the order in which they are drawn.
func pageTexts(t *testing.T, f *pdf.File) []string {
	t.Helper()
	var pages []string
	for p, err := range f.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, pageText(t, f, p.Dict))
	}
	return pages
}

var (
	shown  = regexp.MustCompile(`(?s)/(\w+) [\d.]+ Tf\n[^\[]*\[(.*?)\] TJ`)
	hexed  = regexp.MustCompile(`<([0-9A-F]*)>`)
	mapped = regexp.MustCompile(`<([0-9A-F]{4})> <([0-9A-F]+)>\n`)
)

func pageText(t *testing.T, f *pdf.File, page *pdf.Dict) string {
	t.Helper()
	decode := func(o pdf.Object) string {
		s, err := f.Stream(o)
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.Decode(s, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	dict := func(o pdf.Object) *pdf.Dict {
		d, err := f.Dict(o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	fonts := dict(dict(page.Get("Resources")).Get("Font"))
	maps := map[string]map[string]string{}
	for _, name := range fonts.Keys() {
		m := map[string]string{}
		for _, line := range mapped.FindAllStringSubmatch(decode(dict(fonts.Get(name)).Get("ToUnicode")), -1) {
			m[line[1]] = utf16Text(t, line[2])
		}
		maps[string(name)] = m
	}
	var pieces []string
	for _, run := range shown.FindAllStringSubmatch(decode(page.Get("Contents")), -1) {
		piece := ""
		for _, part := range hexed.FindAllStringSubmatch(run[2], -1) {
			for codes := part[1]; len(codes) >= 4; codes = codes[4:] {
				s, ok := maps[run[1]][codes[:4]]
				if !ok {
					t.Fatalf("code %s of %s has no character", codes[:4], run[1])
				}
				piece += s
			}
		}
		pieces = append(pieces, strings.TrimSpace(piece))
	}
	return strings.Join(pieces, " ")
}

func utf16Text(t *testing.T, digits string) string {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil || len(b)%2 != 0 {
		t.Fatalf("bad UTF-16 %q: %v", digits, err)
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

func long(paragraphs int) []compose.Block {
	var b strings.Builder
	for i := range paragraphs {
		fmt.Fprintf(&b, "Đoạn%d. Thực hiện chương trình công tác năm 2026, Ủy ban nhân dân phường đã xây dựng dự thảo Kế hoạch "+
			"chuyển đổi số năm 2027, trong đó xác định rõ mục tiêu, chỉ tiêu, nhiệm vụ và giải pháp trọng tâm của từng ngành. Hết%d.\n", i, i)
	}
	return compose.Text(b.String())
}

func TestALongTextKeepsItsOrderOverNumberedPages(t *testing.T) {
	t.Parallel()
	form := decision()
	form.Body = long(60)
	data, err := compose.Document(form)
	pages := pageTexts(t, open(t, data, err))
	if len(pages) < 5 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, p := range pages {
		if number := strconv.Itoa(i+1) + " "; i > 0 && !strings.HasPrefix(p, number) {
			t.Errorf("page %d begins %.20q", i+1, p)
		}
	}
	if strings.HasPrefix(pages[0], "1 ") {
		t.Error("the first page carries a number")
	}
	whole, at := strings.Join(pages, " "), 0
	for i := range 60 {
		for _, mark := range []string{"Đoạn%d.", "Hết%d."} {
			next := strings.Index(whole[at:], fmt.Sprintf(mark, i))
			if next < 0 {
				t.Fatalf("%s is missing or out of order", fmt.Sprintf(mark, i))
			}
			at += next
		}
	}
}

func TestTheSignatureNeverStandsAloneOnAPage(t *testing.T) {
	t.Parallel()
	for n := range 14 {
		form := decision()
		form.Body = long(n + 1)
		data, err := compose.Document(form)
		f := open(t, data, err)
		pages := pageTexts(t, f)
		last := pages[len(pages)-1]
		if !strings.Contains(last, "Nguyễn Thị Thùy Dương") || !strings.Contains(last, fmt.Sprintf("Hết%d.", n)) {
			t.Errorf("%d paragraphs: the last page says %.80q", n+1, last)
		}
		fields, err := compose.Fields(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range fields {
			want := 1
			if field.Signature {
				want = len(pages)
			}
			if field.Page != want || field.Rect[0] < 0 || field.Rect[1] < 20 || field.Rect[2] > 595 || field.Rect[3] > 842 {
				t.Errorf("%d paragraphs: %s on page %d at %v", n+1, field.Name, field.Page, field.Rect)
			}
		}
	}
}

func TestATableRepeatsItsTitlesOnEveryPage(t *testing.T) {
	t.Parallel()
	table := compose.Table{Columns: []compose.Column{{Title: "STT", Weight: 0.1, Centred: true}, {Title: "Nhiệm vụ", Weight: 3}, {Title: "Đơn vị"}}}
	for i := range 90 {
		table.Rows = append(table.Rows, []string{strconv.Itoa(i + 1), "Số hóa kết quả giải quyết thủ tục hành chính còn hiệu lực của tổ chức, cá nhân", "Văn phòng"})
	}
	form := decision()
	form.Body = []compose.Block{compose.Heading{Text: "DANH MỤC"}, table}
	data, err := compose.Document(form)
	pages := pageTexts(t, open(t, data, err))
	if len(pages) < 3 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, p := range pages {
		if strings.Count(p, "STT Nhiệm vụ Đơn vị") != 1 {
			t.Errorf("page %d shows the titles %d times", i+1, strings.Count(p, "STT Nhiệm vụ Đơn vị"))
		}
	}
}

func TestPlainTextBecomesTheBodyOfADecision(t *testing.T) {
	t.Parallel()
	blocks := compose.Text("Căn cứ Luật A;\n\nXét đề nghị của B.\nQUYẾT ĐỊNH:\nĐiều 2a. Nội dung.\nCăn cứ kết quả, giao C.\nTÊN CƠ QUAN CHỮ HOA")
	want := []compose.Block{
		compose.Paragraph{Text: "Căn cứ Luật A;", Italic: true},
		compose.Paragraph{Text: "Xét đề nghị của B.", Italic: true},
		compose.Heading{Text: "QUYẾT ĐỊNH:"},
		compose.Paragraph{Lead: "Điều 2a.", Text: "Nội dung."},
		compose.Paragraph{Text: "Căn cứ kết quả, giao C."},
		compose.Paragraph{Text: "TÊN CƠ QUAN CHỮ HOA"},
	}
	if len(blocks) != len(want) {
		t.Fatalf("%d blocks: %v", len(blocks), blocks)
	}
	for i := range want {
		if blocks[i] != want[i] {
			t.Errorf("block %d is %#v, want %#v", i, blocks[i], want[i])
		}
	}
}

func TestAWordWiderThanTheLineIsBroken(t *testing.T) {
	t.Parallel()
	form := decision()
	word := strings.Repeat("Đườnglink", 60)
	form.Body = compose.Text(word)
	data, err := compose.Document(form)
	whole := strings.ReplaceAll(strings.Join(pageTexts(t, open(t, data, err)), ""), " ", "")
	if !strings.Contains(whole, word) {
		t.Error("part of the word is lost")
	}
}
