package web_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/internal/text"
)

// staffed has a's office take its competent persons from the accounts, with the
// PKI's key for the leader, and returns a desk handler for each role.
func (s *site) staffed(t *testing.T) (clerk, leader, officer http.Handler) {
	t.Helper()
	clerk, leader, officer = s.as(t, exchange.RoleClerk), s.as(t, exchange.RoleLeader), s.as(t, exchange.RoleOfficer)
	acc, err := s.desk.Access.AccountByLogin(t.Context(), s.office.Agency.Code, string(exchange.RoleLeader))
	must(t, err)
	office := s.office
	office.Signatories = []exchange.Signatory{{ActorID: string(acc.ID), Name: acc.Name, Position: "CHỦ TỊCH", Key: certstest.RoleLeader}}
	offices := exchange.OfficeList{office}
	s.desk.Outbox.Offices, s.desk.Outbox.Press.Offices, s.desk.Results.Offices = offices, offices, offices
	return clerk, leader, officer
}

// sealed numbers, previews and seals what id names, each step pressed twice.
func (s *site) sealed(t *testing.T, h http.Handler, id exchange.ID, location string) {
	t.Helper()
	press := s.desk.Prefix + "/press/" + string(id)
	twicePosted(t, h, press+"/number", url.Values{"key": {"n" + string(id)}}, location)
	body := page(t, get(t, h, press+"/seal"), http.StatusOK)
	m := regexp.MustCompile(`name="shown" value="([0-9a-f]{64})"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("the preview names no digest:\n%s", body)
	}
	wantAll(t, body, m[1][:12], "Đóng dấu bản này")
	other := url.Values{"key": {"x"}, "shown": {strings.Repeat("0", 64)}}
	wantAll(t, page(t, post(t, h, press+"/seal", other), http.StatusConflict), "không còn đúng như bản đã xem trước")
	twicePosted(t, h, press+"/seal", url.Values{"key": {"s" + string(id)}, "shown": {m[1]}}, location)
}

func composed(subject, signatory string) url.Values {
	return url.Values{"key": {"k-" + subject}, "way": {"compose"}, "kind": {"18"}, "notation": {"UBND-VP"}, "subject": {subject}, "priority": {"1"},
		"due": {"2026-12-31"}, "places": {"Như trên\r\nLưu: VT"}, "addressees": {"Cơ quan B"}, "body": {"Kính đề nghị phối hợp."}, "signatory": {signatory}}
}

func (s *site) signatory(t *testing.T) string {
	t.Helper()
	o, err := s.desk.Outbox.Offices.Office(t.Context(), s.office.Agency.Code)
	must(t, err)
	return o.Signatories[0].ActorID
}

func idIn(t *testing.T, location string) exchange.ID {
	t.Helper()
	location, _, _ = strings.Cut(location, "#")
	return exchange.ID(location[strings.LastIndex(location, "/")+1:])
}

func TestDocumentIsMadeSignedNumberedSealedAndSentByForms(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	clerk, leader, _ := a.staffed(t)
	page(t, get(t, clerk, "/a/documents/new"), http.StatusOK)

	form := composed(hostile, a.signatory(t))
	w := post(t, clerk, "/a/documents/new", form)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	at := w.Header().Get("Location")
	id := idIn(t, at)
	if again := post(t, clerk, "/a/documents/new", form); again.Header().Get("Location") != at {
		t.Errorf("the same form made another document: %s", again.Header().Get("Location"))
	}
	wantAll(t, page(t, get(t, clerk, at), http.StatusOK), "Trình ký", "KHẨN", "31/12/2026", "&lt;script&gt;")

	// Edited, against the version that was read.
	body := page(t, get(t, clerk, at+"/edit"), http.StatusOK)
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)[1]
	form.Set("version", version)
	form.Set("subject", "Về việc phối hợp")
	if w := post(t, clerk, at+"/edit", form); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	form.Set("subject", "Người khác sửa")
	wantAll(t, page(t, post(t, clerk, at+"/edit", form), http.StatusPreconditionFailed), "đã được người khác sửa", "Người khác sửa")

	twicePosted(t, clerk, "/a/press/"+string(id)+"/ask", url.Values{"key": {"ask"}}, at)
	wantAll(t, page(t, get(t, leader, "/a/sign"), http.StatusOK), "Về việc phối hợp", "Lê Thị Văn Thư")
	one := "/a/sign/" + string(id)
	wantAll(t, page(t, get(t, leader, one), http.StatusOK), "Đồng ý và ký", "Trả lại", "1 trên 1")
	wantAll(t, page(t, post(t, leader, one+"/return", url.Values{"key": {"r"}, "reason": {" "}}), http.StatusUnprocessableEntity), `aria-invalid="true"`)
	if w := post(t, leader, one+"/return", url.Values{"key": {"r"}, "reason": {"Sửa câu <b>đầu</b>"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantAll(t, page(t, get(t, clerk, at), http.StatusOK), "Lãnh đạo trả lại:", "Sửa câu &lt;b&gt;đầu&lt;/b&gt;")
	twicePosted(t, clerk, "/a/press/"+string(id)+"/ask", url.Values{"key": {"ask2"}}, at)
	twicePosted(t, leader, one+"/key", url.Values{"key": {"sign"}}, "/a/sign")

	a.sealed(t, clerk, id, at)
	body = page(t, get(t, clerk, at), http.StatusOK)
	wantAll(t, body, "HỢP LỆ", "01/UBND-VP", "Kiểm tra trước khi gửi", "Chưa chọn nơi nhận.")

	// Receivers: found without diacritics, chosen, kept in the address; nobody is refused.
	folded := strings.Fields(exchange.Fold(b.office.Agency.Name))
	body = page(t, get(t, clerk, at+"?q="+url.QueryEscape(strings.Join(folded[:2], " "))), http.StatusOK)
	wantAll(t, body, b.office.Agency.Name)
	body = page(t, get(t, clerk, at+"?to="+string(b.office.Agency.Code)), http.StatusOK)
	wantAll(t, body, "Đã chọn (1)", `value="`+string(b.office.Agency.Code)+`" checked`)
	wantAll(t, page(t, post(t, clerk, at+"/send", url.Values{"key": {"e"}}), http.StatusUnprocessableEntity), "Chưa chọn nơi nhận.")
	body = page(t, post(t, clerk, at+"/send", url.Values{"key": {"e"}, "paste": {string(b.office.Agency.Code) + "\nSở <i>Ma</i>"}}), http.StatusNotFound)
	wantAll(t, body, "Sở &lt;i&gt;Ma&lt;/i&gt;", "Đã chọn (1)")
	twicePosted(t, clerk, at+"/send", url.Values{"key": {"send"}, "paste": {b.office.Agency.Name}}, at+"#deliveries")
	v, err := a.desk.Outbox.Document(t.Context(), a.clerk, id)
	must(t, err)
	if len(v.Deliveries) != 1 || v.Deliveries[0].To != b.office.Agency.Code {
		t.Fatalf("%d deliveries", len(v.Deliveries))
	}
}

func TestRecallHandOverAndReplacementByForms(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	clerk := a.as(t, exchange.RoleClerk)
	d := a.document(t, "Văn bản sẽ thu hồi")
	at := "/a/documents/" + string(d.ID)
	a.sendTo(t, d, b)
	body := page(t, get(t, clerk, at), http.StatusOK)
	wantAll(t, body, "Đây là yêu cầu. Bên nhận đồng ý hoặc từ chối.", "Tạo văn bản thay thế")
	to := string(b.office.Agency.Code)
	wantAll(t, page(t, post(t, clerk, at+"/recall", url.Values{"key": {"c"}, "reason": {"Sai số liệu"}}), http.StatusUnprocessableEntity), "Sai số liệu</textarea>")
	wantAll(t, page(t, post(t, clerk, at+"/recall", url.Values{"key": {"c"}, "to": {to}, "reason": {""}}), http.StatusUnprocessableEntity), `aria-invalid="true"`)
	twicePosted(t, clerk, at+"/recall", url.Values{"key": {"c"}, "to": {to}, "reason": {"Sai số liệu"}}, at+"#deliveries")
	wantAll(t, page(t, get(t, clerk, at), http.StatusOK), "Thu hồi:", "13 ")

	form := composed("Văn bản thay thế", "leader")
	form.Set("reason", "")
	wantAll(t, page(t, post(t, clerk, at+"/replace", form), http.StatusUnprocessableEntity), "Văn bản thay thế")
	form.Set("reason", "Sửa số liệu")
	w := post(t, clerk, at+"/replace", form)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantAll(t, page(t, get(t, clerk, w.Header().Get("Location")), http.StatusOK), "Thay cho", "01/UBND-VP")
	wantAll(t, page(t, get(t, clerk, at), http.StatusOK), "Đã được thay bằng")
}

func TestReceiverWithoutChannelIsHandedThePackage(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	lone := b.office.Agency
	lone.Code, lone.Name, lone.Endpoint = "H98.99", "Xã <u>Xa</u>", ""
	a.desk.Outbox.Directory = exchange.AgencyList{a.office.Agency, b.office.Agency, lone}
	clerk := a.as(t, exchange.RoleClerk)
	d := a.document(t, "Gửi bằng tay")
	at := "/a/documents/" + string(d.ID)
	wantAll(t, page(t, get(t, clerk, at+"?to=H98.99"), http.StatusOK), "chưa kết nối", "1 nơi chưa kết nối")
	twicePosted(t, clerk, at+"/send", url.Values{"key": {"s"}, "to": {"H98.99"}}, at+"#deliveries")
	v, err := a.desk.Outbox.Document(t.Context(), a.clerk, d.ID)
	must(t, err)
	base := at + "/deliveries/" + string(v.Deliveries[0].ID)
	for _, kind := range []string{"edxml", "pdf", "slip"} {
		w := get(t, clerk, base+"/"+kind)
		if w.Code != http.StatusOK || w.Body.Len() == 0 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d, %d bytes", kind, w.Code, w.Body.Len())
		}
	}
	wantAll(t, page(t, post(t, clerk, base+"/handed", url.Values{"key": {"h"}, "how": {""}, "when": {""}}), http.StatusUnprocessableEntity), `aria-invalid="true"`)
	wantAll(t, page(t, post(t, clerk, base+"/handed", url.Values{"key": {"h"}, "how": {"Giao tay"}, "when": {"hôm qua"}}), http.StatusUnprocessableEntity), `value="Giao tay"`, `value="hôm qua"`)
	twicePosted(t, clerk, base+"/handed", url.Values{"key": {"h"}, "how": {"Giao tay <b>"}, "when": {time.Now().In(exchange.Vietnam).Add(-time.Minute).Format("2006-01-02T15:04")}}, at+"#deliveries")
	wantAll(t, page(t, get(t, clerk, at), http.StatusOK), "Giao tay &lt;b&gt;", "Xã &lt;u&gt;Xa&lt;/u&gt;")
}

func TestUploadedFileIsKeptWhenAnotherFieldIsWrong(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	clerk := a.as(t, exchange.RoleClerk)
	pdf := a.final(t, a.document(t, "Văn bản gốc").ID)
	fields := map[string]string{"key": "u", "way": "upload", "kind": "18", "notation": "có dấu cách", "subject": "Tải lên", "priority": "0"}
	body := page(t, upload(t, clerk, "/a/documents/new", "văn bản.pdf", bytes.NewReader(pdf), fields), http.StatusUnprocessableEntity)
	wantAll(t, body, "văn bản.pdf", `value="có dấu cách"`, `aria-invalid="true"`, "Ký hiệu: chưa đúng.")
	digest := regexp.MustCompile(`name="file_digest" value="([0-9a-f]{64})"`).FindStringSubmatch(body)
	if digest == nil {
		t.Fatal("the file is not kept")
	}
	form := url.Values{"file_digest": {digest[1]}, "file_name": {"văn bản.pdf"}}
	for k, v := range fields {
		form.Set(k, v)
	}
	form.Set("notation", "UBND-VP")
	if w := post(t, clerk, "/a/documents/new", form); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantAll(t, page(t, upload(t, clerk, "/a/documents/new", "x.pdf", strings.NewReader("không phải PDF"), map[string]string{"key": "v", "way": "upload", "kind": "18",
		"notation": "A", "subject": "Tải lên"}), http.StatusUnprocessableEntity), "không phải là PDF", `aria-invalid="true"`)
}

func TestEveryFieldOfAFormRefusesWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	clerk, _, officer := a.staffed(t)
	bad := []string{"\x00", "\xff\xfe", "a\u202eb", strings.Repeat("Ạ", 1000), "<script>alert(1)</script>", "../../etc/passwd", "-1", "99999999999999999999"}
	for path, c := range map[string]struct {
		h    http.Handler
		form url.Values
	}{
		"/a/documents/new":    {clerk, composed("Đúng", a.signatory(t))},
		"/a/results/new":      {officer, resultForm(a.signatory(t))},
		"/a/registers/di/new": {clerk, url.Values{"key": {"p"}, "kind": {"18"}, "notation": {"A"}, "paper_date": {"2026-01-05"}, "subject": {"S"}, "signer": {"N"}, "receivers": {"R"}, "channel": {"giấy"}, "number": {""}, "copies": {""}, "note": {""}}},
	} {
		for name := range c.form {
			for _, value := range bad {
				form := url.Values{}
				for k, v := range c.form {
					form[k] = v
				}
				form.Set(name, value)
				form.Set("key", "f"+name+strconv.Itoa(len(value))+value[:1])
				w := post(t, c.h, path, form)
				if w.Code >= 500 || w.Code == http.StatusOK {
					t.Errorf("%s %s=%.20q: %d", path, name, value, w.Code)
				}
				if strings.Contains(w.Body.String(), "<script>alert") {
					t.Errorf("%s %s: markup is live", path, name)
				}
			}
		}
	}
}

func resultForm(signatory string) url.Values {
	return url.Values{"key": {"r"}, "dossier": {"H98.21-261123-0001"}, "procedure": {"2.000635"}, "procedure_name": {"Cấp bản sao"}, "owner": {"Lê Thị Hồng Nhung"},
		"kind": {"2"}, "notation": {"QĐ-UBND"}, "subject": {"Cấp bản sao"}, "body": {"Điều 1. Cấp bản sao."}, "signatory": {signatory},
		"received": {"2026-11-20"}, "valid_until": {"2027-11-20"}, "places": {"Như trên"}}
}

func TestResultIsIssuedReplacedAndRevokedByForms(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	clerk, leader, officer := a.staffed(t)
	issue := func(path string, form url.Values) string {
		w := post(t, officer, path, form)
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%d\n%s", w.Code, w.Body)
		}
		at := w.Header().Get("Location")
		id := idIn(t, at)
		twicePosted(t, officer, "/a/press/"+string(id)+"/ask", url.Values{"key": {"ask" + string(id)}}, at)
		twicePosted(t, leader, "/a/sign/"+string(id)+"/key", url.Values{"key": {"k"}}, "/a/sign")
		a.sealed(t, clerk, id, at)
		return at
	}
	first := issue("/a/results/new", resultForm(a.signatory(t)))
	wantAll(t, page(t, get(t, officer, first), http.StatusOK), "HỢP LỆ", "Tải kết quả để trao", "/q/", "20/11/2027")
	form := resultForm(a.signatory(t))
	form.Set("key", "again")
	form.Set("reason", "Sai họ tên")
	second := issue(first+"/replace", form)
	wantAll(t, page(t, get(t, officer, first), http.StatusOK), "Đã được thay thế", "02/QĐ-UBND")
	wantAll(t, page(t, post(t, clerk, second+"/revoke", url.Values{"key": {"v"}, "reason": {""}}), http.StatusUnprocessableEntity), `aria-invalid="true"`)
	twicePosted(t, clerk, second+"/revoke", url.Values{"key": {"v"}, "reason": {"Cấp nhầm"}}, second)
	wantAll(t, page(t, get(t, officer, second), http.StatusOK), "Đã thu hồi", "Cấp nhầm")
	wantAll(t, page(t, get(t, officer, "/a/results?q=nhung"), http.StatusOK), "H98.21-261123-0001")
}

func TestRegistersArePrintedCountedAndExplained(t *testing.T) {
	t.Parallel()
	a, _ := newPair(t)
	clerk, leader, _ := a.staffed(t)
	year := strconv.Itoa(time.Now().In(exchange.Vietnam).Year())
	book := "/a/registers/di/" + year
	wantAll(t, page(t, get(t, clerk, book), http.StatusOK), "Số bắt đầu", "Sổ chưa có dòng nào")
	wantAll(t, page(t, post(t, clerk, book+"/first", url.Values{"first": {"không"}}), http.StatusUnprocessableEntity), `value="không"`, `aria-invalid="true"`)
	postedOnce(t, clerk, book+"/first", url.Values{"first": {"41"}}, book)
	paper := url.Values{"key": {"p"}, "kind": {"18"}, "notation": {"UBND"}, "paper_date": {time.Now().In(exchange.Vietnam).Format("2006-01-02")}, "subject": {"=HYPERLINK(\"x\")"},
		"signer": {"Trần Văn A"}, "receivers": {"+84 Sở X"}, "channel": {"giấy"}}
	twicePosted(t, clerk, "/a/registers/di/new", paper, book)
	wantAll(t, page(t, get(t, leader, book), http.StatusOK), "41/UBND", "Trần Văn A", "Nơi nhận văn bản")
	w := get(t, clerk, book+"/csv")
	csv := w.Body.String()
	if !strings.HasPrefix(csv, "\ufeff") || !strings.Contains(csv, "41/UBND") || !strings.Contains(csv, "'+84 Sở X") || strings.Contains(csv, ",=") {
		t.Errorf("csv: %q", csv)
	}

	// A number whose document is not issued is explained and stays.
	d, err := a.desk.Outbox.Create(t.Context(), a.clerk, exchange.NewDocument{Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND",
		Subject: "Không ban hành", Body: "x", Signatory: a.signatory(t)})
	must(t, err)
	twicePosted(t, leader, "/a/sign/"+string(d.ID)+"/key", url.Values{"key": {"k"}}, "/a/sign")
	twicePosted(t, clerk, "/a/press/"+string(d.ID)+"/number", url.Values{"key": {"n"}}, "/a/documents/"+string(d.ID))
	wantAll(t, page(t, post(t, clerk, book+"/void", url.Values{"seq": {"42"}, "reason": {""}}), http.StatusUnprocessableEntity), `aria-invalid="true"`)
	if w := post(t, clerk, book+"/void", url.Values{"seq": {"42"}, "reason": {"Rút lại <i>"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantAll(t, page(t, get(t, clerk, book), http.StatusOK), "Số không dùng: Rút lại &lt;i&gt;", "42/UBND")
	page(t, get(t, clerk, "/a/registers/den/"+year), http.StatusOK)
	page(t, get(t, clerk, "/a/registers/x/"+year), http.StatusNotFound)
	page(t, get(t, clerk, "/a/registers/di/99999"), http.StatusNotFound)
}

// postedOnce posts once to path and wants to be led to location; a repeat is told
// that it is done.
func postedOnce(t *testing.T, h http.Handler, path string, form url.Values, location string) {
	t.Helper()
	if w := post(t, h, path, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != location {
		t.Errorf("%d to %q\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	if w := post(t, h, path, form); w.Code != http.StatusConflict {
		t.Errorf("a repeat: %d", w.Code)
	}
}

// deskKey finds the catalogue keys of these pages in templates and Go files.
var deskKey = regexp.MustCompile(`"(desk\.[a-z0-9_.]+)"`)

func TestEveryTextOfTheDeskExistsAndIsSaid(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, pattern := range []string{"desk_*.go", "timeline.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		must(t, err)
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			must(t, err)
			for _, m := range deskKey.FindAllStringSubmatch(string(b), -1) {
				used[m[1]] = true
			}
		}
	}
	fieldName := regexp.MustCompile(`\b(?:m|\})\.(?:text|area|pick|make)\((?:"(?:text|area|select|date|number|moment|file)", )?"([a-z_]+)"`)
	files, err := filepath.Glob("desk_*.go")
	must(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		for _, m := range fieldName.FindAllStringSubmatch(string(b), -1) {
			if !slices.Contains([]string{"text", "area", "select"}, m[1]) { // the kinds of field that the helpers make
				used["desk.f."+m[1]] = true
			}
		}
	}
	used["desk.f.file"] = true
	for i := range 29 {
		used["desk.kind."+strconv.Itoa(i+1)] = true
	}
	for prefix, ends := range map[string][]string{"desk.tab.": {"all", "sign", "issue", "sent"}, "desk.results.tab.": {"all", "sign", "issue", "sent"},
		"desk.way.": {"compose", "upload", "final"}, "desk.book.": {"di", "den", "di.short", "den.short"}, "desk.record.": {"di", "den"}, "desk.value.": {"raw", "cms"}} {
		if !used[prefix] {
			t.Errorf("%s is put together nowhere", prefix)
		}
		delete(used, prefix)
		for _, e := range ends {
			used[prefix+e] = true
		}
	}
	delete(used, "desk.kind.")
	delete(used, "desk.f.")
	for key := range used {
		if !text.Known(text.Key(key)) {
			t.Errorf("%s is not in the catalogue", key)
		}
	}
	for _, key := range text.Keys() {
		if k := string(key); strings.HasPrefix(k, "desk.") && !used[k] && !used[strings.TrimSuffix(k, ".help")] {
			t.Errorf("%s is in the catalogue and nothing says it", k)
		}
	}
}
