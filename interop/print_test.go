//go:build interop

package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// printed is the page as the browser prints it: the words of its sheets, and how wide
// and high a sheet is.
type printed struct {
	sheets []string
	size   string
}

func (b *browser) print(name string) printed {
	b.t.Helper()
	out, err := chromedp.Call(b.ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if err != nil {
		b.t.Fatal(err)
	}
	dir := b.t.TempDir()
	if kept := os.Getenv(picturesEnv); kept != "" {
		dir = kept
	}
	file := filepath.Join(dir, "print-"+name+".pdf")
	if err := os.WriteFile(file, out.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
	words, err := exec.CommandContext(b.t.Context(), "pdftotext", "-layout", file, "-").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	info, err := exec.CommandContext(b.t.Context(), "pdfinfo", file).Output()
	if err != nil {
		b.t.Fatal(err)
	}
	p := printed{sheets: strings.Split(strings.TrimSuffix(string(words), "\f"), "\f")}
	if m := regexp.MustCompile(`Page size:\s+(.*)`).FindSubmatch(info); m != nil {
		p.size = string(m[1])
	}
	return p
}

// holds fails unless the print says all of the words, and none of the others.
func (p printed) holds(t *testing.T, name string, words, others []string) {
	t.Helper()
	said := strings.Join(strings.Fields(strings.Join(p.sheets, " ")), " ")
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("the print of %s does not say %q: %s", name, w, said)
		}
	}
	for _, w := range others {
		if strings.Contains(said, w) {
			t.Errorf("the print of %s says %q", name, w)
		}
	}
}

// TestPagesPrintWhatBelongsOnPaper prints the pages that offices keep on paper: what
// is on them, and nothing to be pressed.
func TestPagesPrintWhatBelongsOnPaper(t *testing.T) {
	d, b := liveDemo(t), newBrowser(t)
	b.open(d.start)
	b.run(chromedp.Click(`form[action="/start/prepare"] button.primary`), chromedp.WaitVisible(`#card1 .thumb`))
	b.run(chromedp.Click(`form[action="/start/send"] button`), chromedp.WaitVisible(`#see`))
	never := []string{"Kiểm tra tệp", "English", "Trang bắt đầu", "Xem trang văn bản", "Bỏ qua"}

	b.as(d, "H98.21", "van_thu")
	b.open(d.desk + "/a/documents")
	b.run(chromedp.Click(`a.row`), chromedp.WaitReady(`#timeline`))
	b.run(chromedp.WaitVisible(`.paper img`))
	p := b.print("document")
	p.holds(t, "a document", []string{"02/UBND-VP", "Về việc phối hợp", "HỢP LỆ", "UBND phường Mẫu Đơn", "Diễn biến", "in bởi Phạm Thị Văn Thư", "UBND xã Thử Nghiệm"},
		append(never, "Tải PDF", "Yêu cầu thu hồi", "Tạo văn bản thay thế"))
	if len(p.sheets) != 2 || !strings.HasPrefix(p.size, "595") && !strings.HasPrefix(p.size, "594") {
		t.Errorf("a document of one page prints on %d sheets of %s", len(p.sheets), p.size)
	}

	b.as(d, "H98.35", "van_thu")
	b.eventually(d.desk+"/b/inbox", "HỢP LỆ")
	b.run(chromedp.Click(`a.row`), chromedp.WaitReady(`#accept-title`), chromedp.WaitVisible(`.paper img`))
	b.print("item").holds(t, "an item", []string{"Ai ký", "Nguyễn Văn An", "Có bị sửa không", "Diễn biến"}, append(never, "Tiếp nhận và lấy số đến", "Trả lại nơi gửi", "Để sau"))
	b.run(chromedp.Click(`form[action$="/accept"] button`), chromedp.WaitReady(`#decision [role=status]`))

	for _, book := range []struct {
		name, path string
		columns    []string
	}{
		{"register-di", "/a/registers/di/", []string{"SỔ ĐĂNG KÝ VĂN BẢN ĐI", "Số, ký hiệu", "Ngày tháng", "Tên loại và trích yếu", "Người ký", "Nơi nhận", "bản lưu", "Số lượng", "Ghi chú", "(1)", "(8)", "in bởi"}},
		{"register-den", "/b/registers/den/", []string{"SỔ ĐĂNG KÝ VĂN BẢN ĐẾN", "Ngày đến", "Tác giả", "Tên loại và trích yếu nội dung", "(1)", "(10)", "02/UBND-VP", "in bởi"}},
	} {
		agency := map[string]string{"/a": "H98.21", "/b": "H98.35"}[book.path[:2]]
		b.as(d, agency, "van_thu")
		b.open(d.desk + book.path[:2] + "/registers")
		if strings.Contains(book.path, "den") {
			b.run(chromedp.Click(chromedp.Search(`//nav[@class="tabs"]//a[contains(.,"Sổ đến")]`)), chromedp.WaitReady(`.register`))
		}
		p := b.print(book.name)
		p.holds(t, book.name, book.columns, append(never, "Hủy số", "Tải bảng", "Ghi văn bản giấy", "Từ số"))
		if !strings.HasPrefix(p.size, "841") && !strings.HasPrefix(p.size, "842") {
			t.Errorf("%s prints on %s, not across", book.name, p.size)
		}
	}

	b.as(d, "H98.21", "van_thu")
	b.open(d.desk + "/a/results")
	b.run(chromedp.Click(`a.row`), chromedp.WaitReady(`#timeline`), chromedp.WaitVisible(`.paper img`))
	b.print("result").holds(t, "a result", []string{"Lê Thị Hồng Nhung", "01/QĐ-UBND", "Trang tra cứu"}, append(never, "Thu hồi kết quả", "Tải kết quả"))
	b.quiet()
}
