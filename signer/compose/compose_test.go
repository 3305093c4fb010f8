package compose_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"antin/internal/text"
	"antin/signer/compose"
	"antin/signer/pdf"
)

var created = time.Date(2026, 11, 23, 9, 15, 4, 0, time.UTC)

func decision() compose.DocumentForm {
	return compose.DocumentForm{
		ParentAgency: "Ủy ban nhân dân tỉnh Lâm Đồng", Agency: "Sở Nông nghiệp và Môi trường", Place: "Lâm Đồng",
		Type: "Quyết định", Notation: "QĐ-SNNMT", Subject: "Về việc cấp Giấy phép khai thác nước dưới đất",
		Body: compose.Text("Căn cứ Luật Tài nguyên nước ngày 27 tháng 11 năm 2023;\n\nTheo đề nghị của Trưởng phòng Tài nguyên nước.\n" +
			"QUYẾT ĐỊNH:\nĐiều 1. Cấp phép cho Công ty TNHH Chè Ngọc Bảo được khai thác nước dưới đất.\nĐiều 2. Quyết định này có hiệu lực kể từ ngày ký./."),
		Signer:    compose.Signer{Competence: "KT. Giám đốc", Position: "Phó Giám đốc", Name: "Nguyễn Thị Thùy Dương"},
		Receivers: []string{"Như Điều 2", "- UBND tỉnh (để báo cáo);", "Lưu: VT, TNN"},
		Verify:    compose.Verify{URL: "https://kiemtra.example.gov.vn/k/7Q2M-K9TD-4XWB-H3RA", Code: "7Q2M-K9TD-4XWB-H3RA"},
		Created:   created,
	}
}

func result() compose.ResultForm {
	return compose.ResultForm{DocumentForm: decision(), DossierCode: "H36.08-261108-0975", Procedure: "Cấp giấy phép (1.004228)",
		Owner: "Công ty TNHH Chè Ngọc Bảo", Received: created.AddDate(0, 0, -20), ValidUntil: created.AddDate(5, 0, 0)}
}

func open(t *testing.T, data []byte, err error) *pdf.File {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAResultSaysWhatItsFormSays(t *testing.T) {
	t.Parallel()
	data, err := compose.Result(result())
	got := strings.Join(pageTexts(t, open(t, data, err)), " ")
	for _, want := range []string{
		"ỦY BAN NHÂN DÂN", "SỞ NÔNG NGHIỆP VÀ MÔI TRƯỜNG", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc",
		"Số:", "/QĐ-SNNMT", "Lâm Đồng, ngày", "tháng", "năm", "QUYẾT ĐỊNH", "Về việc cấp Giấy phép khai thác nước dưới đất",
		"H36.08-261108-0975", "Công ty TNHH Chè Ngọc Bảo", "03/11/2026", "23/11/2031",
		"Điều 1. Cấp phép cho Công ty TNHH Chè Ngọc Bảo được khai thác", "KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC", "Nguyễn Thị Thùy Dương",
		"Nơi nhận:", "- Như Điều 2;", "- UBND tỉnh (để báo cáo);", "- Lưu: VT, TNN.", "kiemtra.example.gov.vn",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestAnOfficialLetterHasItsSubjectUnderTheNumber(t *testing.T) {
	t.Parallel()
	form := decision()
	form.Type, form.ParentAgency, form.Subject = "", "", "lấy ý kiến dự thảo"
	form.Addressees = []string{"Sở Tài chính", "Văn phòng Ủy ban nhân dân tỉnh"}
	data, err := compose.Document(form)
	got := strings.Join(pageTexts(t, open(t, data, err)), " ")
	for _, want := range []string{"V/v lấy ý kiến dự thảo", "Kính gửi:", "- Sở Tài chính;", "- Văn phòng Ủy ban nhân dân tỉnh."} {
		if !strings.Contains(got, want) {
			t.Errorf("the letter does not say %q: %s", want, got)
		}
	}
}

func TestFieldsAreEmptyNamedAndPlaced(t *testing.T) {
	t.Parallel()
	data, err := compose.Result(result())
	f := open(t, data, err)
	fields, err := compose.Fields(f)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{compose.FieldNumber, compose.FieldDay, compose.FieldMonth, compose.FieldYear, compose.FieldPerson, compose.FieldSeal}
	if len(fields) != len(want) {
		t.Fatalf("%d fields, want %d", len(fields), len(want))
	}
	for i, field := range fields {
		if field.Name != want[i] || field.Page != 1 || field.Signature != (i >= 4) {
			t.Errorf("field %d is %+v, want %s", i, field, want[i])
		}
	}
	form := acroForm(t, f)
	listed, err := f.Array(form.Get("Fields"))
	if err != nil || len(listed) != len(want) {
		t.Fatalf("AcroForm lists %d fields: %v", len(listed), err)
	}
	for i, o := range listed {
		d, err := f.Dict(o)
		if err != nil {
			t.Fatal(err)
		}
		if d.Has("V") {
			t.Errorf("%s has a value", want[i])
		}
		if i < 4 {
			emptyAppearance(t, f, want[i], d)
			usableFont(t, f, form, want[i], d)
		}
	}
}

// emptyAppearance checks that the field has an appearance stream without content.
func emptyAppearance(t *testing.T, f *pdf.File, name string, field *pdf.Dict) {
	t.Helper()
	ap, err := f.Dict(field.Get("AP"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Stream(ap.Get("N"))
	if err != nil || s == nil {
		t.Fatalf("%s: no appearance: %v", name, err)
	}
	if data, err := f.Decode(s, 1024); err != nil || len(data) != 0 {
		t.Errorf("%s: appearance draws %q: %v", name, data, err)
	}
}

// usableFont checks that the field's /DA names a font of /DR.
func usableFont(t *testing.T, f *pdf.File, form *pdf.Dict, name string, field *pdf.Dict) {
	t.Helper()
	da, err := f.String(field.Get("DA"))
	if err != nil {
		t.Fatal(err)
	}
	dr, err := f.Dict(form.Get("DR"))
	if err != nil {
		t.Fatal(err)
	}
	fonts, err := f.Dict(dr.Get("Font"))
	if err != nil {
		t.Fatal(err)
	}
	wanted, _, _ := strings.Cut(strings.TrimPrefix(string(da.Value), "/"), " ")
	if !fonts.Has(pdf.Name(wanted)) {
		t.Errorf("%s: /DA %q names a font that /DR lacks", name, da.Value)
	}
}

func acroForm(t *testing.T, f *pdf.File) *pdf.Dict {
	t.Helper()
	_, root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	form, err := f.Dict(root.Get("AcroForm"))
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func TestThePersonLocksAllButWhatTheClerkAdds(t *testing.T) {
	t.Parallel()
	data, err := compose.Document(decision())
	f := open(t, data, err)
	locks := map[string]string{}
	listed, err := f.Array(acroForm(t, f).Get("Fields"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range listed {
		d, err := f.Dict(o)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Has("Lock") {
			continue
		}
		lock, err := f.Dict(d.Get("Lock"))
		if err != nil || lock.Has("P") {
			t.Fatalf("lock %v: %v", lock, err)
		}
		name, _ := f.String(d.Get("T"))
		action, _ := f.Name(lock.Get("Action"))
		names, _ := f.Array(lock.Get("Fields"))
		said := string(action)
		for _, n := range names {
			s, _ := f.String(n)
			said += " " + s.Text()
		}
		locks[name.Text()] = said
	}
	if len(locks) != 2 || locks["NguoiKy"] != "Exclude so ngay thang nam CoQuan" || locks["CoQuan"] != "All" {
		t.Errorf("locks %v", locks)
	}
}

func TestTheSealFieldHasTrueSizeAndCoversAThird(t *testing.T) {
	t.Parallel()
	for _, diameter := range []float64{0, 36, 42} {
		form := decision()
		form.SealDiameterMM = diameter
		data, err := compose.Document(form)
		fields, err := compose.Fields(open(t, data, err))
		if err != nil {
			t.Fatal(err)
		}
		person, seal := fields[4].Rect, fields[5].Rect
		side := diameter
		if side == 0 {
			side = 36
		}
		side *= 72 / 25.4
		if math.Abs(seal[2]-seal[0]-side) > 0.02 || math.Abs(seal[3]-seal[1]-side) > 0.02 {
			t.Errorf("seal of %v mm is %v", diameter, seal)
		}
		cover := (math.Min(person[2], seal[2]) - math.Max(person[0], seal[0])) * (math.Min(person[3], seal[3]) - math.Max(person[1], seal[1]))
		if share := cover / ((person[2] - person[0]) * (person[3] - person[1])); share < 0.30 || share > 0.37 || seal[0] >= person[0] {
			t.Errorf("seal covers %.2f of the signature", share)
		}
	}
}

func TestPropertiesAndMetadataAgree(t *testing.T) {
	t.Parallel()
	form := decision()
	form.Subject = "Về việc <cấp> giấy phép & điều chỉnh"
	data, err := compose.Document(form)
	f := open(t, data, err)
	info, err := f.Dict(f.Trailer().Get("Info"))
	if err != nil {
		t.Fatal(err)
	}
	_, root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	stream, err := f.Stream(root.Get("Metadata"))
	if err != nil {
		t.Fatal(err)
	}
	packet, err := f.Decode(stream, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	var x struct {
		RDF struct {
			Description struct {
				Title    string `xml:"title>Alt>li"`
				Creator  string `xml:"creator>Seq>li"`
				Created  string `xml:"CreateDate"`
				Modified string `xml:"ModifyDate"`
				Producer string `xml:"Producer"`
			}
		}
	}
	if err := xml.Unmarshal(packet, &x); err != nil {
		t.Fatal(err)
	}
	d := x.RDF.Description
	get := func(key pdf.Name) string {
		s, err := f.String(info.Get(key))
		if err != nil {
			t.Fatal(err)
		}
		return s.Text()
	}
	if d.Title != "Quyết định "+form.Subject || d.Title != get("Title") || d.Creator != get("Author") || d.Producer != get("Producer") {
		t.Errorf("XMP %+v, Info title %q", d, get("Title"))
	}
	if d.Created != "2026-11-23T16:15:04+07:00" || d.Modified != d.Created || get("CreationDate") != "D:20261123161504+07'00'" || get("ModDate") != get("CreationDate") {
		t.Errorf("dates: XMP %s, Info %s", d.Created, get("CreationDate"))
	}
	if lang, _ := f.String(root.Get("Lang")); lang.Text() != "vi-VN" || root.Has("MarkInfo") || f.Version() != "1.7" {
		t.Errorf("language %q, version %s", lang.Text(), f.Version())
	}
}

func TestTheSameFormGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	first, err := compose.Result(result())
	if err != nil {
		t.Fatal(err)
	}
	again, err := compose.Result(result())
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("a second run differs: %v", err)
	}
	in := result()
	for _, s := range []*string{&in.ParentAgency, &in.Agency, &in.Place, &in.Type, &in.Notation, &in.Subject, &in.Owner, &in.Procedure,
		&in.Signer.Competence, &in.Signer.Position, &in.Signer.Name} {
		*s = norm.NFD.String(*s)
	}
	for i, r := range in.Receivers {
		in.Receivers[i] = norm.NFD.String(r)
	}
	for i, b := range in.Body {
		if p, ok := b.(compose.Paragraph); ok {
			p.Text, p.Lead = norm.NFD.String(p.Text), norm.NFD.String(p.Lead)
			in.Body[i] = p
		}
	}
	decomposed, err := compose.Result(in)
	if err != nil || !bytes.Equal(first, decomposed) {
		t.Errorf("decomposed input gives other bytes: %v", err)
	}
}

func TestTheDocumentsIDFollowsItsContent(t *testing.T) {
	t.Parallel()
	first, err := compose.Document(decision())
	if err != nil {
		t.Fatal(err)
	}
	form := decision()
	form.Place = "Đà Lạt"
	second, err := compose.Document(form)
	if err != nil {
		t.Fatal(err)
	}
	id := func(data []byte) string { return string(pdf.Append(nil, open(t, data, nil).Trailer().Get("ID"))) }
	if id(first) == "" || id(first) == id(second) {
		t.Errorf("identifiers %s and %s", id(first), id(second))
	}
}

func TestBadFormsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*compose.DocumentForm)
		code  text.Code
	}{
		"no agency":    {func(f *compose.DocumentForm) { f.Agency = " " }, text.InvalidInput},
		"no subject":   {func(f *compose.DocumentForm) { f.Subject = "" }, text.InvalidInput},
		"no signer":    {func(f *compose.DocumentForm) { f.Signer.Name = "" }, text.InvalidInput},
		"no time":      {func(f *compose.DocumentForm) { f.Created = time.Time{} }, text.InvalidInput},
		"script link":  {func(f *compose.DocumentForm) { f.Verify.URL = "javascript:alert(1)" }, text.InvalidInput},
		"code alone":   {func(f *compose.DocumentForm) { f.Verify.URL = "" }, text.InvalidInput},
		"long link":    {func(f *compose.DocumentForm) { f.Verify.URL += strings.Repeat("a", 300) }, text.InvalidInput},
		"link as user": {func(f *compose.DocumentForm) { f.Verify.URL = "https://012345678901@example.gov.vn/k/1" }, text.InvalidInput},
		"empty table":  {func(f *compose.DocumentForm) { f.Body = []compose.Block{compose.Table{}} }, text.InvalidInput},
		"short row": {func(f *compose.DocumentForm) {
			f.Body = []compose.Block{compose.Table{Columns: make([]compose.Column, 2), Rows: [][]string{{"a"}}}}
		}, text.InvalidInput},
		"nil block":      {func(f *compose.DocumentForm) { f.Body = []compose.Block{nil} }, text.InvalidInput},
		"other script":   {func(f *compose.DocumentForm) { f.Subject = "Họp với 会社" }, text.GlyphMissing},
		"too much text":  {func(f *compose.DocumentForm) { f.Body = compose.Text(strings.Repeat("dài ", 110_000)) }, text.LimitExceeded},
		"tall row":       {func(f *compose.DocumentForm) { f.Body = []compose.Block{tallRow()} }, text.LimitExceeded},
		"many receivers": {func(f *compose.DocumentForm) { f.Receivers = make60() }, text.LimitExceeded},
		"long notation":  {func(f *compose.DocumentForm) { f.Notation = strings.Repeat("UBND-", 30) }, text.LimitExceeded},
		"tall subject":   {func(f *compose.DocumentForm) { f.Subject = strings.Repeat("trích yếu ", 400) }, text.LimitExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := decision()
			c.spoil(&form)
			_, err := compose.Document(form)
			var e *text.Error
			if !errors.As(err, &e) || e.Code != c.code {
				t.Errorf("error %v, want %s", err, c.code)
			}
		})
	}
}

func tallRow() compose.Table {
	return compose.Table{Columns: make([]compose.Column, 1), Rows: [][]string{{strings.Repeat("dòng rất dài ", 2000)}}}
}

func make60() []string {
	list := make([]string, 60)
	for i := range list {
		list[i] = "Ủy ban nhân dân xã"
	}
	return list
}

func FuzzDocument(f *testing.F) {
	f.Add("Sở Nội vụ", "Quyết định", "Về việc", "Căn cứ A;\nĐiều 1. B\nQUYẾT ĐỊNH:\n- c", "Như trên\nLưu: VT", 36.0)
	f.Add("a\u0309\u0323", "", "\u200b", strings.Repeat("x", 3000), "-\n;\n.", -1.0)
	f.Add("A", "B", "C", "Điều 9999999999999999999.\n\n\n:", "\xff", math.Inf(1))
	f.Fuzz(func(t *testing.T, agency, kind, subject, body, receivers string, diameter float64) {
		form := decision()
		form.Agency, form.Type, form.Subject, form.SealDiameterMM = agency, kind, subject, diameter
		form.Body, form.Receivers = compose.Text(body), strings.Split(receivers, "\n")
		data, err := compose.Document(form)
		if err != nil {
			var e *text.Error
			if !errors.As(err, &e) {
				t.Errorf("error without code: %v", err)
			}
			return
		}
		if fields, err := compose.Fields(open(t, data, nil)); err != nil || len(fields) != 6 {
			t.Errorf("%d fields: %v", len(fields), err)
		}
	})
}
