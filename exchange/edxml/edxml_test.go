package edxml_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"antin/exchange/edxml"
	"antin/internal/text"
)

func day(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, time.FixedZone("", 7*3600)).UTC()
}

// full has every known element set.
func full() *edxml.Message {
	org := func(n string) edxml.Organization {
		return edxml.Organization{OrganID: "H26.18." + n, InCharge: "UBND tỉnh", Name: "UBND xã <Hòa & Tiến> \"" + n + "\"", Address: "Số 1",
			Email: n + "@gov.vn", Telephone: "024", Fax: "1", Website: "w.vn"}
	}
	return &edxml.Message{
		Kind: edxml.Edoc, From: org("5"), To: []edxml.Organization{org("6"), org("7")},
		DocumentID: "H26.18.5,2026/11/23,15/UBND-VP", Code: edxml.Code{Number: "15", Notation: "UBND-VP"},
		Promulgation: edxml.Promulgation{Place: "Hà Nội", Date: day(2026, 11, 23)},
		Type:         edxml.DocumentType{Type: edxml.Num(18), Detail: edxml.Num(0), Name: "Công văn"},
		Subject:      "V/v đoạn ]]> và dòng\nmới\rcũ", Content: "Ẳ Ẵ Ỷ ữ 𠀀", DueDate: day(2026, 12, 1),
		Signer: edxml.SignerInfo{Competence: "TM.", Position: "Chủ tịch", FullName: "Nguyễn Văn Ước"},
		Other: edxml.OtherInfo{Priority: edxml.Num(3), Sphere: "Nội bộ", TyperNotation: "TVC", PromulgationAmount: edxml.Num(2),
			PageAmount: edxml.Num(22), Direction: edxml.Flag{Set: true}, Appendixes: []string{"Phụ lục I", "Phụ lục II"},
			ReplyFors: &edxml.Element{Space: edxml.Namespace, Name: "ReplyFors", Children: []*edxml.Element{{Space: edxml.Namespace, Name: "ReplyFor", Text: "x"}}}},
		ResponseFor: []edxml.ResponseFor{{OrganID: "H14", Code: "267/VP", DocumentID: "H14,267", Date: day(2026, 1, 2)}},
		Steering:    edxml.Num(1), ToPlaces: []string{"Như trên", "Lưu: VT"}, TaskCodes: []string{"NV-1"},
		Trace: []edxml.TraceHeader{{OrganID: "H26.18.5", Time: time.Date(2026, 11, 23, 2, 3, 4, 0, time.UTC)}},
		Business: &edxml.Business{DocumentID: "cũ", Type: edxml.Update, Reason: "Cập nhật", Paper: edxml.Num(1),
			Update: &edxml.UpdateInfo{DocumentInfo: edxml.Num(1), DocumentReceiver: edxml.Num(1),
				Receivers: []edxml.ReceiverChange{{OrganID: "H1", Type: edxml.Num(0)}, {OrganID: "H2", Type: edxml.Num(1)}}},
			Replacements: []edxml.Replacement{{DocumentID: "a", OrganIDs: []string{"H1", "H2"}}, {DocumentID: "b"}},
			Staff:        edxml.StaffInfo{DepartmentID: "1", Department: "VP", StaffID: "2", Staff: "Trâm", Email: "t@gov.vn", Mobile: "84"}},
		Attachments: []edxml.Attachment{
			edxml.BytesAttachment("Công văn 15.pdf", "application/pdf", []byte("%PDF-1.7\n"+strings.Repeat("nội dung ", 5000))),
			edxml.BytesAttachment("bảng.xlsx", "application/xlsx", []byte("PK\x03\x04 no archive")),
			edxml.BytesAttachment("trống.txt", "text/plain", nil),
		},
		Extra: []edxml.Extra{
			{Parent: "MessageHeader", Element: &edxml.Element{Space: edxml.Namespace, Name: "Feedback", Text: "1"}},
			{Parent: "MessageHeader/To[2]", Element: &edxml.Element{Space: "urn:x", Name: "Box", Attrs: []edxml.Attr{{Space: "urn:y", Name: "n", Value: "a\"<\n\t"}},
				Children: []*edxml.Element{{Name: "Plain", Text: "t"}, {Space: edxml.Namespace, Name: "Back"}}}},
			{Parent: "edXMLHeader", Element: &edxml.Element{Space: edxml.Namespace, Name: "DigitalSignature"}},
			{Parent: "edXML", Element: &edxml.Element{Space: edxml.Namespace, Name: "Last"}},
		},
	}
}

func write(t testing.TB, m *edxml.Message, o edxml.WriteOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := edxml.Write(&out, m, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t testing.TB, data []byte) *edxml.Message {
	t.Helper()
	m, err := edxml.Read(bytes.NewReader(data), int64(len(data)), edxml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// same compares two messages in everything a receiver can see.
func same(t *testing.T, want, got *edxml.Message) {
	t.Helper()
	if len(want.Attachments) != len(got.Attachments) || len(want.Extra) != len(got.Extra) || !want.Signature.Equal(got.Signature) {
		t.Fatalf("%d attachments and %d extras, want %d and %d", len(got.Attachments), len(got.Extra), len(want.Attachments), len(want.Extra))
	}
	for i := range want.Attachments {
		a, b := &want.Attachments[i], &got.Attachments[i]
		if a.Name != b.Name || a.ContentType != b.ContentType || a.Description != b.Description || digest(t, a) != digest(t, b) {
			t.Errorf("attachment %d: %q %q, want %q %q", i, b.Name, b.ContentType, a.Name, a.ContentType)
		}
	}
	kept := func(m *edxml.Message, parent string, e *edxml.Element) bool {
		for _, x := range m.Extra {
			if x.Parent == parent && x.Element.Equal(e) {
				return true
			}
		}
		return false
	}
	for _, x := range want.Extra {
		if !kept(got, x.Parent, x.Element) {
			t.Errorf("lost %s/%s", x.Parent, x.Element.Name)
		}
	}
	a, b := *want, *got
	if !a.Other.ReplyFors.Equal(b.Other.ReplyFors) || !a.Other.ReferenceCodes.Equal(b.Other.ReferenceCodes) {
		t.Error("ReplyFors or ReferenceCodes changed")
	}
	for _, m := range []*edxml.Message{&a, &b} {
		m.Attachments, m.Extra, m.Signature, m.Dialect = nil, nil, nil, ""
		m.Other.ReplyFors, m.Other.ReferenceCodes = nil, nil
	}
	if len(a.References) == 0 {
		b.References = nil // made by the writer
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("read back\n%+v\nwant\n%+v", b, a)
	}
}

func TestOwnMessageIsReadBackIdentical(t *testing.T) {
	t.Parallel()
	for _, raw := range []bool{false, true} {
		data := write(t, full(), edxml.WriteOptions{Raw: raw})
		if !bytes.Equal(data, write(t, full(), edxml.WriteOptions{Raw: raw})) {
			t.Error("the same message gives other bytes")
		}
		m := read(t, data)
		same(t, full(), m)
		if m.Dialect != edxml.DialectSDK || m.Attachments[0].Wrapped == raw || len(m.References) != 3 {
			t.Errorf("raw %v: %s, wrapped %v, %d references", raw, m.Dialect, m.Attachments[0].Wrapped, len(m.References))
		}
		if again := write(t, m, edxml.WriteOptions{Raw: raw}); !bytes.Equal(again, data) {
			t.Error("written, read and written again gives other bytes")
		}
	}
}

func TestStatusIsReadBackIdentical(t *testing.T) {
	t.Parallel()
	m := &edxml.Message{Kind: edxml.Status, From: edxml.Organization{OrganID: "H1", Name: "B"},
		ResponseFor: []edxml.ResponseFor{{OrganID: "H2", Code: "15/VP", DocumentID: "id", Date: day(2026, 11, 23)}},
		Report: &edxml.Report{Code: edxml.StatusRefused, Description: "Sai nơi nhận", Time: time.Date(2026, 11, 23, 2, 3, 4, 0, time.UTC),
			Staff: edxml.StaffInfo{Department: "VT", Staff: "Trâm"}}}
	data := write(t, m, edxml.WriteOptions{})
	same(t, m, read(t, data))
	if bytes.Contains(data, []byte("edXMLBody")) || !bytes.Contains(data, []byte("2026/11/23 09:03:04")) {
		t.Errorf("%s", data)
	}
}

func TestWriterRefusesWhatReceiversCannotUse(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*edxml.Message){
		"no sender":            func(m *edxml.Message) { m.From.OrganID = "" },
		"no receiver":          func(m *edxml.Message) { m.To = nil },
		"no document id":       func(m *edxml.Message) { m.DocumentID = "" },
		"control character":    func(m *edxml.Message) { m.Subject = "a\x00b" },
		"broken UTF-8":         func(m *edxml.Message) { m.Subject = "a\xffb" },
		"unknown status":       func(m *edxml.Message) { m.Kind, m.Report = edxml.Status, &edxml.Report{Code: "07"} },
		"attachment id twice":  func(m *edxml.Message) { m.Attachments[0].ContentID, m.Attachments[1].ContentID = "cid:1", "1" },
		"name of kept element": func(m *edxml.Message) { m.Extra[0].Element.Name = "a><b" },
		"no kind":              func(m *edxml.Message) { m.Kind = "" },
	} {
		m := full()
		change(m)
		if err := edxml.Write(io.Discard, m, edxml.WriteOptions{}); text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := edxml.Write(io.Discard, full(), edxml.WriteOptions{MaxAttachment: 100}); text.CodeOf(err) != text.TooLarge {
		t.Errorf("attachment past its bound: %v", err)
	}
}

// envelope is a small valid message with body put into it.
func envelope(header, tail string) string {
	return `<edXML xmlns="` + edxml.Namespace + `"><e:edXMLEnvelope xmlns:e="` + edxml.Namespace + `"><e:edXMLHeader><e:MessageHeader>` +
		`<e:From><e:OrganId>H1</e:OrganId></e:From><e:To><e:OrganId>H2</e:OrganId></e:To>` + header +
		`</e:MessageHeader></e:edXMLHeader></e:edXMLEnvelope>` + tail + `</edXML>`
}

func attachment(content string) string {
	return `<AttachmentEncoded><Attachment><ContentId>1</ContentId><AttachmentName>a.pdf</AttachmentName>` +
		`<ContentTransferEncoded>` + content + `</ContentTransferEncoded></Attachment></AttachmentEncoded>`
}

func parse(s string) (*edxml.Message, error) {
	return edxml.Read(strings.NewReader(s), int64(len(s)), edxml.Limits{})
}

func TestMalformedMessagesNameLineAndElement(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, vi string }{
		"cut short":                      {"<edXML>\n<a>", "Dòng 2, thẻ <a>: gói tin bị cắt cụt."},
		"wrong end tag":                  {"<edXML>\n<a>\n</b>", "Dòng 3, thẻ <a>: bị đóng bởi thẻ khác (</b>)."},
		"doctype":                        {"<!DOCTYPE edXML [<!ENTITY x \"y\">]><edXML/>", "DOCTYPE"},
		"instruction":                    {"<edXML>\n<?php x?></edXML>", "Dòng 2, thẻ <edXML>: không nhận chỉ thị"},
		"stylesheet":                     {"<?xml-stylesheet version=\"1.0\"?><edXML/>", "không nhận chỉ thị"},
		"entity":                         {envelope("<e:Subject>&xxe;</e:Subject>", ""), "thẻ <e:Subject>: ký hiệu thay thế “&xxe;”"},
		"prefix of element":              {"<x:edXML/>", "tiền tố “x” chưa được khai báo"},
		"attribute twice":                {`<edXML a="1" a="2"/>`, "thuộc tính “a” lặp lại"},
		"same attribute by two prefixes": {`<edXML xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>`, "thuộc tính “q:a” lặp lại"},
		"two roots":                      {envelope("", "") + envelope("", ""), "còn dữ liệu sau thẻ gốc"},
		"other root":                     {"<html/>", "thẻ <html>: thẻ gốc không phải"},
		"no header":                      {"<edXML/>", "thiếu MessageHeader"},
		"two headers":                    {strings.Replace(envelope("", ""), "</e:edXMLHeader>", "<e:MessageHeader/></e:edXMLHeader>", 1), "chỉ được có một lần"},
		"document id twice":              {envelope("\n<e:DocumentId>1</e:DocumentId>\n<e:DocumentId>2</e:DocumentId>", ""), "Dòng 3, thẻ <e:DocumentId>: chỉ được có một lần"},
		"both spellings":                 {strings.Replace(envelope("", ""), "</e:MessageHeader>", "</e:MessageHeader><e:TraceHeaderList><e:Bussiness/><e:Business/></e:TraceHeaderList>", 1), "thẻ <e:Business>: chỉ được có một lần"},
		"no sender":                      {strings.Replace(envelope("", ""), "H1", "", 1), "thiếu From/OrganId"},
		"no receiver":                    {strings.ReplaceAll(envelope("", ""), "e:To>", "e:Cc>"), "thiếu To/OrganId"},
		"latin-1":                        {"<?xml version='1.0' encoding='ISO-8859-1'?><edXML/>", "UTF-8"},
		"broken UTF-8":                   {envelope("<e:Subject>\xff</e:Subject>", ""), "thẻ <e:Subject>: không phải bảng mã UTF-8"},
		"control character":              {envelope("<e:Subject>\x01</e:Subject>", ""), "U+0001"},
		"reference to NUL":               {envelope("<e:Subject>&#0;</e:Subject>", ""), "&#0;"},
		"]]> in text":                    {envelope("<e:Subject>]]></e:Subject>", ""), "sai cú pháp"},
		"-- in comment":                  {"<!-- a -- b --><edXML/>", "sai cú pháp"},
		"< in attribute":                 {`<edXML a="<"/>`, "sai cú pháp"},
		"no space":                       {`<edXML a="1"b="2"/>`, "sai cú pháp"},
		"not base64":                     {envelope("", attachment("${x}")), "thẻ <ContentTransferEncoded>: nội dung tệp đính kèm không phải base64"},
		"base64 with element":            {envelope("", attachment("QUJD<b/>")), "không phải base64"},
		"one character too many":         {envelope("", attachment("QUJDR")), "không phải base64"},
		"text after padding":             {envelope("", attachment("QQ==QQ==")), "không phải base64"},
		"content id twice":               {envelope("", "<AttachmentEncoded>"+strings.Repeat("<Attachment><ContentId>1</ContentId><ContentTransferEncoded/></Attachment>", 2)+"</AttachmentEncoded>"), "hai tệp đính kèm cùng mã “1”"},
		"no content":                     {envelope("", "<AttachmentEncoded><Attachment/></AttachmentEncoded>"), "thiếu ContentTransferEncoded"},
		"empty":                          {"", "bị cắt cụt"},
	} {
		_, err := parse(c.in)
		if e := text.As(err); e == nil || e.Code != text.EdXMLMalformed || !strings.Contains(e.Message().VI, c.vi) {
			t.Errorf("%s: %v", name, err)
		}
		var pos *edxml.PositionError
		if !errors.As(err, &pos) || pos.Line < 1 || pos.Element == "" {
			t.Errorf("%s: no position in %v", name, err)
		}
	}
}

func TestBombsAreBounded(t *testing.T) {
	t.Parallel()
	var attrs strings.Builder
	for i := range 200 {
		fmt.Fprintf(&attrs, ` a%d=""`, i)
	}
	for name, in := range map[string]string{
		"depth":       strings.Repeat("<edXML>", 100_000),
		"attributes":  "<edXML" + attrs.String() + "/>",
		"elements":    "<edXML>" + strings.Repeat("<a/>", 1<<18+1) + "</edXML>",
		"text":        envelope("<e:Subject>"+strings.Repeat("a", 17<<20)+"</e:Subject>", ""),
		"comment":     "<!--" + strings.Repeat("a", 17<<20),
		"name":        "<" + strings.Repeat("a", 2000),
		"attachments": envelope("", "<AttachmentEncoded>"+strings.Repeat("<Attachment><ContentTransferEncoded/></Attachment>", 201)+"</AttachmentEncoded>"),
	} {
		if _, err := parse(in); text.CodeOf(err) != text.LimitExceeded {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}

// endless is a source that claims size bytes: head, then base64 without end.
type endless struct{ head string }

func (e endless) ReadAt(b []byte, off int64) (int, error) {
	b[0] = 'A'
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
	if off < int64(len(e.head)) {
		copy(b, e.head[off:])
	}
	return len(b), nil
}

func TestLargeAttachmentIsRefusedWithoutBeingHeld(t *testing.T) {
	t.Parallel()
	whole := envelope("", attachment("|"))
	src := endless{whole[:strings.IndexByte(whole, '|')]}
	_, err := edxml.Read(src, 400<<20, edxml.Limits{})
	if text.CodeOf(err) != text.TooLarge {
		t.Errorf("400 MB message: %v", err)
	}
	_, err = edxml.Read(src, 150<<20, edxml.Limits{Attachment: 5 << 20})
	if e := text.As(err); e == nil || e.Code != text.TooLarge || !strings.Contains(e.Message().VI, "tệp đính kèm vượt quá 5 MB") {
		t.Errorf("150 MB message with an attachment past 5 MB: %v", err)
	}
}

// TestLargeAttachmentStreams is not parallel: it counts what the process allocates.
func TestLargeAttachmentStreams(t *testing.T) {
	const size, most = 32 << 20, 6 << 20
	m := full()
	m.Attachments = []edxml.Attachment{edxml.NewAttachment("lớn.pdf", "application/pdf", func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(endless{}.stream(), size)), nil
	})}
	f, err := os.Create(filepath.Join(t.TempDir(), "m.edxml"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := edxml.Write(f, m, edxml.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	got, err := edxml.Read(f, info.Size(), edxml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	c := extract(t, &got.Attachments[0])
	runtime.ReadMemStats(&after)
	if c.Size() != size || !got.Attachments[0].Wrapped {
		t.Errorf("%d bytes came back", c.Size())
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
		t.Errorf("writing and reading %d MB allocated %d MB", size>>20, grown>>20)
	}
}

// stream is the source as a reader without end.
func (e endless) stream() io.Reader { return io.NewSectionReader(e, 0, 1<<40) }

func zipped(t testing.TB, entries map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for name, data := range entries {
		w, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openFirst(t testing.TB, payload []byte) ([]byte, error) {
	t.Helper()
	m := read(t, []byte(envelope("", attachment(base64.StdEncoding.EncodeToString(payload)))))
	c, err := m.Attachments[0].Open()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(c)
}

func TestZIPBombIsBounded(t *testing.T) {
	t.Parallel()
	bomb := zipped(t, map[string][]byte{"x.pdf": make([]byte, 20<<20)})
	m := read(t, []byte(envelope("", attachment(base64.StdEncoding.EncodeToString(bomb)))))
	c, err := m.Attachments[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, c)
	if text.CodeOf(err) != text.TooLarge || n > 2<<20 {
		t.Errorf("%d bytes came out, %v", n, err)
	}
}

func TestZIPThatReadsTwoWaysIsRefused(t *testing.T) {
	t.Parallel()
	good := zipped(t, map[string][]byte{"x.pdf": []byte("%PDF-1.7 thật")})
	if data, err := openFirst(t, good); err != nil || string(data) != "%PDF-1.7 thật" {
		t.Fatalf("%q, %v", data, err)
	}
	central := bytes.Index(good, []byte("PK\x01\x02"))
	change := func(at int, b byte) []byte {
		out := bytes.Clone(good)
		out[at] ^= b
		return out
	}
	for name, payload := range map[string][]byte{
		"name in directory":        change(central+46, 1),
		"checksum in directory":    change(central+16, 1),
		"size in directory":        change(central+24, 1),
		"method in directory":      change(central+10, 8),
		"offset in directory":      change(central+42, 1),
		"local name":               change(30, 1),
		"encrypted":                change(6, 1),
		"data":                     change(36, 1),
		"cut, with its end record": append(bytes.Clone(good[:40]), good[central:]...),
		"bytes between":            append(append(bytes.Clone(good[:central]), 0), good[central:]...),
	} {
		data, err := openFirst(t, payload)
		if text.CodeOf(err) != text.EdXMLMalformed || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func TestArchivesOfTheirOwnAreLeftAlone(t *testing.T) {
	t.Parallel()
	two := zipped(t, map[string][]byte{"a": []byte("1"), "b": []byte("2")})
	if data, err := openFirst(t, two); err != nil || !bytes.Equal(data, two) {
		t.Errorf("two entries: %d bytes, %v", len(data), err)
	}
	one := zipped(t, map[string][]byte{"word/document.xml": []byte("1")})
	in := strings.ReplaceAll(envelope("", attachment(base64.StdEncoding.EncodeToString(one))), "a.pdf", "a.DOCX")
	m := read(t, []byte(in))
	if m.Attachments[0].Wrapped || digest(t, &m.Attachments[0]) == [32]byte{} {
		t.Error("a document format was unwrapped")
	}
}

func TestBase64FormsFromTheField(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"plain": "JVBERi0xLjc=", "lines": "JVBE\r\n  Ri0x\nLjc=\n", "no padding": "JVBERi0xLjc", "carriage return references": "JVBE&#13;\nRi0x&#xD;\nLjc=&#13;",
		"CDATA": "<![CDATA[JVBERi0x\nLjc=]]>", "comment": "JVBERi0x<!-- x -->Ljc=", "padding reference": "JVBERi0xLjc&#61;",
	} {
		m := read(t, []byte(envelope("", attachment(content))))
		c, err := m.Attachments[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(c)
		if err != nil || string(data) != "%PDF-1.7" || m.Attachments[0].PayloadSize != 8 {
			t.Errorf("%s: %q, %d, %v", name, data, m.Attachments[0].PayloadSize, err)
		}
	}
}

func TestSOAPDialectIsRead(t *testing.T) {
	t.Parallel()
	const soap = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:k="http://www.e-doc.vn/Schema/" xmlns:xlink="http://www.w3.org/1999/xlink">
<s:Header><k:TraceHeaderList><k:TraceHeader><k:Timestamp>23/11/2026 09:03:04</k:Timestamp><k:OrganId>H1</k:OrganId></k:TraceHeader>
<k:Business><k:BusinessDocType>1</k:BusinessDocType><k:BusinessDocReason>Thu hồi</k:BusinessDocReason><k:DocumentId>cũ</k:DocumentId></k:Business></k:TraceHeaderList>
<k:MessageHeader><k:DueDate>2026-12-01</k:DueDate><k:Author><k:Competence>TM.</k:Competence><k:Function>Chủ tịch</k:Function><k:FullName>A</k:FullName></k:Author>
<k:PromulgationInfo><k:Date>2026-11-23T00:00:00+07:00</k:Date></k:PromulgationInfo><k:Subject>S</k:Subject>
<k:To><k:OrganId>H2</k:OrganId></k:To><k:From><k:OrganId>H1</k:OrganId></k:From><k:DocumentId>d</k:DocumentId></k:MessageHeader></s:Header>
<s:Body><k:Manifest><k:Reference xlink:href="cid:7" xlink:type="simple" xlink:role="XLinkRole"><k:AttachmentName>a.pdf</k:AttachmentName></k:Reference></k:Manifest></s:Body></s:Envelope>`
	m, err := parse(soap)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 2, 3, 4, 0, time.UTC)
	if m.Dialect != edxml.DialectSOAP || m.From.OrganID != "H1" || m.To[0].OrganID != "H2" || m.Signer.Position != "Chủ tịch" ||
		!m.Promulgation.Date.Equal(day(2026, 11, 23)) || !m.DueDate.Equal(day(2026, 12, 1)) || !m.Trace[0].Time.Equal(at) ||
		m.BusinessType() != edxml.Revoke || m.Business.Reason != "Thu hồi" || m.References[0].ContentID != "cid:7" || len(m.Extra) != 0 {
		t.Errorf("%+v %+v", m, m.Extra)
	}
}

func TestUnreadableValuesAreKeptNotGuessed(t *testing.T) {
	t.Parallel()
	m, err := parse(envelope("<e:DueDate>2014/02/30</e:DueDate><e:SteeringType>x</e:SteeringType><e:Feedback a='1'><e:b>2</e:b></e:Feedback>", ""))
	if err != nil {
		t.Fatal(err)
	}
	if !m.DueDate.IsZero() || m.Steering.Set || len(m.Extra) != 3 || m.Extra[0].Parent != "MessageHeader" || m.Extra[0].Element.Text != "2014/02/30" {
		t.Errorf("%+v", m.Extra)
	}
	m.DocumentID = "d"
	same(t, m, read(t, write(t, m, edxml.WriteOptions{})))
}

// TestDestroyedIsFoundAcrossReads gives the bytes one, two and three at a time.
func TestDestroyedIsFoundAcrossReads(t *testing.T) {
	t.Parallel()
	ruined := []byte("%PDF-1.3\n" + strings.Repeat("\xEF\xBF\xBD\xEF\xBFx\xEF", 40))
	m := read(t, []byte(envelope("", attachment(base64.StdEncoding.EncodeToString(ruined)))))
	for _, size := range []int{1, 2, 3, 7, 4096} {
		c, err := m.Attachments[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, size)
		for err == nil {
			_, err = c.Read(buf)
		}
		if reason, ok := c.Destroyed(); !ok || !strings.Contains(reason.VI, "(40 chỗ") {
			t.Errorf("%d bytes at a time: %v %q", size, ok, reason.VI)
		}
	}
	fine := edxml.BytesAttachment("a.pdf", "application/pdf", []byte("%PDF-1.7 "+strings.Repeat("x", 9000)+strings.Repeat("\uFFFD", 20)))
	if reason, ok := extract(t, &fine).Destroyed(); ok {
		t.Errorf("a text with the character in it: %q", reason.VI)
	}
	text := edxml.BytesAttachment("a.pdf", "", []byte("<html>"))
	if _, ok := extract(t, &text).Destroyed(); !ok {
		t.Error("a page of HTML passed for a PDF")
	}
}

func TestSafeName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Công văn.pdf": "Công văn.pdf", "../../etc/passwd": "_.._etc_passwd", `C:\a\b.pdf`: "C__a_b.pdf", "con.PDF": "_con.PDF",
		"": "tep-dinh-kem", "...": "tep-dinh-kem", "a\u202Efdp.exe": "afdp.exe", "a\x00\nb": "ab", "e\u0302.pdf": "ê.pdf", "a. . ": "a",
		"COM7": "_COM7", "\xff.pdf": "_.pdf", strings.Repeat("ă", 100) + ".pdf": strings.Repeat("ă", 73) + ".pdf", "a\u00A0b": "a b",
	} {
		if got := edxml.SafeName(in); got != want {
			t.Errorf("SafeName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLintFindsWhatReceiversRefuse(t *testing.T) {
	t.Parallel()
	if found := edxml.Lint(read(t, write(t, clean(), edxml.WriteOptions{}))); len(found) != 0 {
		t.Errorf("a good message: %+v", found)
	}
	for code, change := range map[text.Key]func(*edxml.Message){
		"edxml.lint.long":            func(m *edxml.Message) { m.Subject = strings.Repeat("ữ", 501) },
		"edxml.lint.receiver-twice":  func(m *edxml.Message) { m.To = append(m.To, m.To[0]) },
		"edxml.lint.business-target": func(m *edxml.Message) { m.ResponseFor, m.Business = nil, &edxml.Business{Type: edxml.Revoke} },
		"edxml.lint.type":            func(m *edxml.Message) { m.Type.Type = edxml.Num(2) },
		"edxml.lint.no-attachment":   func(m *edxml.Message) { m.References = []edxml.Reference{{ContentID: "cid:9"}} },
		"edxml.lint.missing":         func(m *edxml.Message) { m.Subject = "" },
		"edxml.lint.signature":       func(m *edxml.Message) { m.Signature = &edxml.Element{Space: edxml.Namespace, Name: "Signature"} },
	} {
		m := clean()
		change(m)
		found := edxml.Lint(read(t, write(t, m, edxml.WriteOptions{})))
		ok := false
		for _, f := range found {
			ok = ok || f.Code == code && f.Message.VI != string(code) && !strings.Contains(f.Message.VI, "%!") && !strings.Contains(f.Message.EN, "%!")
		}
		if !ok {
			t.Errorf("%s not found in %+v", code, found)
		}
	}
}

func clean() *edxml.Message {
	m := full()
	m.Business, m.Extra = nil, nil
	return m
}

// FuzzRead checks that what is accepted is well-formed for another parser too,
// and survives writing and reading again.
func FuzzRead(f *testing.F) {
	f.Add(write(f, full(), edxml.WriteOptions{}))
	f.Add(write(f, clean(), edxml.WriteOptions{Raw: true}))
	f.Add([]byte(envelope("<e:Subject>&#x41;&amp;<![CDATA[<]]><!-- c --></e:Subject><u:x xmlns:u='v' u:a='1'/>", attachment("QUJD"))))
	f.Add([]byte("\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\n" + envelope("<e:StatusCode>01</e:StatusCode>", "")))
	f.Add([]byte(envelope("", attachment(base64.StdEncoding.EncodeToString(zipped(f, map[string][]byte{"x": []byte("y")}))))))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := edxml.Read(bytes.NewReader(data), int64(len(data)), edxml.Limits{})
		if err != nil {
			if c := text.CodeOf(err); c != text.EdXMLMalformed && c != text.TooLarge && c != text.LimitExceeded {
				t.Fatalf("error without code: %v", err)
			}
			return
		}
		dec := xml.NewDecoder(bytes.NewReader(data))
		dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // "utf8", which we take for UTF-8
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil && strings.Contains(err.Error(), "invalid XML name") {
				break // encoding/xml knows the letters of XML 1.0's fourth edition, we those of the fifth
			} else if err != nil {
				t.Fatalf("we accept what encoding/xml does not: %v", err)
			}
		}
		edxml.Lint(m)
		for i := range m.Attachments {
			if c, err := m.Attachments[i].Open(); err == nil {
				if _, err := io.Copy(io.Discard, c); err != nil {
					return // a damaged archive cannot be written again
				}
			} else {
				return
			}
		}
		var out bytes.Buffer
		if edxml.Write(&out, m, edxml.WriteOptions{}) != nil {
			return // incomplete, which reading tolerates
		}
		again, err := edxml.Read(bytes.NewReader(out.Bytes()), int64(out.Len()), edxml.Limits{})
		if err != nil {
			t.Fatalf("cannot read what we wrote: %v\n%s", err, out.Bytes())
		}
		var second bytes.Buffer
		if err := edxml.Write(&second, again, edxml.WriteOptions{}); err != nil || !bytes.Equal(second.Bytes(), out.Bytes()) {
			t.Fatalf("writing again differs: %v\n%s\n%s", err, out.Bytes(), second.Bytes())
		}
	})
}
