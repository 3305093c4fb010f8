package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/exchange/edxml"
)

// letter is a message with everything that a sender may say and two attachments of one name.
func letter() *edxml.Message {
	day := time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)
	pdf := []byte("%PDF-1.7\nxin chào\n")
	return &edxml.Message{
		Kind: edxml.Edoc, From: edxml.Organization{OrganID: "H98.35", Name: "Sở Y tế", Email: "vt@example.vn"},
		To:         []edxml.Organization{{OrganID: "H98.12", Name: "UBND xã"}, {OrganID: "H98.13"}},
		DocumentID: "H98.35,2026/11/24,7/SYT", Code: edxml.Code{Number: "7", Notation: "SYT"},
		Promulgation: edxml.Promulgation{Place: "Hà Nội", Date: day}, Type: edxml.DocumentType{Type: edxml.Num(18), Name: "Công văn"},
		Subject: "V/v mời họp", Signer: edxml.SignerInfo{Competence: "KT.", Position: "Phó Giám đốc", FullName: "Trần Văn A"}, DueDate: day.AddDate(0, 0, 3),
		Other: edxml.OtherInfo{Priority: edxml.Num(2), PageAmount: edxml.Num(0), Direction: edxml.Flag{Set: true}, Appendixes: []string{"Phụ lục 1"},
			ReplyFors: &edxml.Element{Name: "ReplyFors", Children: []*edxml.Element{{Name: "ReplyFor", Text: "9/UBND", Attrs: []edxml.Attr{{Name: "loai", Value: "a<b"}}}}}},
		ResponseFor: []edxml.ResponseFor{{OrganID: "H98.12", Code: "3/UBND", Date: day}}, ToPlaces: []string{"Lưu: VT"}, TaskCodes: []string{"N1"},
		Trace: []edxml.TraceHeader{{OrganID: "H98.35", Time: day.Add(time.Hour)}},
		Business: &edxml.Business{Type: edxml.Update, DocumentID: "cũ", Reason: "sai tên", Staff: edxml.StaffInfo{Staff: "B"},
			Update: &edxml.UpdateInfo{DocumentReceiver: edxml.Num(1), Receivers: []edxml.ReceiverChange{{OrganID: "H98.14", Type: edxml.Num(1)}, {OrganID: "H98.15", Type: edxml.Num(0)}}}},
		Attachments: []edxml.Attachment{edxml.BytesAttachment("cv.pdf", "application/pdf", pdf), edxml.BytesAttachment("CV.PDF", "application/pdf", append(pdf, '2'))},
		Extra:       []edxml.Extra{{Parent: "MessageHeader", Element: &edxml.Element{Name: "Rieng", Text: "giữ"}}},
	}
}

func writeMessage(t *testing.T, m *edxml.Message) string {
	t.Helper()
	var b bytes.Buffer
	if err := edxml.Write(&b, m, edxml.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "goc.edxml")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantExit(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	code, out, msg := invoke(t, args...)
	if code != want {
		t.Fatalf("antin %s: exit %d, want %d: %s%s", strings.Join(args, " "), code, want, out, msg)
	}
	return out, msg
}

func TestUnpackedMessageIsPackedToTheSame(t *testing.T) {
	t.Parallel()
	original := writeMessage(t, letter())
	dir := filepath.Join(t.TempDir(), "ra")
	wantExit(t, 0, "edxml", "unpack", original, "-o", dir)
	var names []string
	if err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, d.Name())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(names) != 3 {
		t.Errorf("files %q, want a header and two attachments whose names differ only in case", names)
	}
	again := filepath.Join(t.TempDir(), "lai.edxml")
	wantExit(t, 0, "edxml", "pack", filepath.Join(dir, headerName), "-o", again)
	wantExit(t, 0, "edxml", "diff", original, again)
	a, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(again); err != nil || !bytes.Equal(a, b) {
		t.Errorf("%d bytes came back as %d (%v)", len(a), len(b), err)
	}
}

// Every message of other makers that can be read comes back saying the same.
func TestForeignMessagesSurviveUnpackingAndPacking(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("ANTIN_CORPUS")
	if corpus == "" {
		t.Skip("ANTIN_CORPUS is not set: no messages of other makers")
	}
	files, err := filepath.Glob(filepath.Join(corpus, "edxml", "*", "*.edxml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages (%v)", err)
	}
	packed := 0
	for _, file := range files {
		dir := filepath.Join(t.TempDir(), "ra")
		if code, _, _ := invoke(t, "edxml", "unpack", file, "-o", dir); code != 0 {
			continue // damaged: told by its own test
		}
		again := filepath.Join(dir, "lai.edxml")
		wantExit(t, 0, "edxml", "pack", filepath.Join(dir, headerName), "-o", again)
		if code, out, msg := invoke(t, "edxml", "diff", file, again); code != 0 {
			t.Errorf("%s: exit %d: %s%s", file, code, out, msg)
		}
		packed++
	}
	if packed < len(files)-2 {
		t.Errorf("%d of %d messages came back", packed, len(files))
	}
}

func TestDiffNamesWhatWasChanged(t *testing.T) {
	t.Parallel()
	before, changed := writeMessage(t, letter()), letter()
	changed.Subject = "V/v hoãn họp\nHỢP LỆ"
	changed.To = changed.To[:1]
	changed.Attachments[0] = edxml.BytesAttachment("cv.pdf", "application/pdf", []byte("%PDF-1.7\nkhác\n"))
	out, _ := wantExit(t, 3, "edxml", "diff", before, writeMessage(t, changed), "--json")
	var line diffLine
	if err := json.Unmarshal([]byte(out), &line); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, d := range line.Differences {
		paths = append(paths, d.Path)
	}
	if got := strings.Join(paths, " "); line.Same || got != "attachments[1].bytes attachments[1].sha256 subject to[2].organ_id" {
		t.Errorf("differences %s", got)
	}
	out, _ = wantExit(t, 3, "edxml", "diff", before, writeMessage(t, changed))
	if strings.Contains(out, "\nHỢP LỆ") {
		t.Errorf("a sender's line break feigns a line of ours:\n%s", out)
	}
}

func TestExplainSaysWhatAMessageHolds(t *testing.T) {
	t.Parallel()
	file := writeMessage(t, letter())
	out, _ := wantExit(t, 0, "edxml", "explain", file)
	for _, want := range []string{"Sở Y tế (H98.35)", "7/SYT", "24/11/2026", "V/v mời họp", "cập nhật", "Thêm nơi nhận: H98.14", "Bớt nơi nhận: H98.15", "application/pdf", "KT. Phó Giám đốc Trần Văn A"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	status := writeMessage(t, &edxml.Message{Kind: edxml.Status, From: edxml.Organization{OrganID: "H98.12", Name: "Xã"},
		ResponseFor: []edxml.ResponseFor{{OrganID: "H98.35", DocumentID: "x"}}, Report: &edxml.Report{Code: edxml.StatusRefused, Description: "gửi nhầm", Time: time.Unix(1_700_000_000, 0).UTC()}})
	out, _ = wantExit(t, 0, "edxml", "explain", status, "--lang", "en")
	if !strings.Contains(out, "Status 02 (Returned)") || !strings.Contains(out, "Reason: gửi nhầm") {
		t.Errorf("the status reads:\n%s", out)
	}
}

func TestLintEndsWith3OnlyForErrors(t *testing.T) {
	t.Parallel()
	wantExit(t, 0, "edxml", "lint", writeMessage(t, letter()))
	wrong := letter()
	wrong.Subject = ""
	out, _ := wantExit(t, 3, "edxml", "lint", writeMessage(t, wrong), "--json")
	if !strings.Contains(out, `"path":"MessageHeader/Subject"`) {
		t.Errorf("findings %s", out)
	}
	ruined := letter()
	ruined.Attachments[0] = edxml.BytesAttachment("cv.pdf", "application/pdf", []byte("đây không phải PDF"))
	wantExit(t, 3, "edxml", "lint", writeMessage(t, ruined))
}

func TestPackAndUnpackRefuseClearly(t *testing.T) {
	t.Parallel()
	original := writeMessage(t, letter())
	dir := filepath.Join(t.TempDir(), "ra")
	wantExit(t, 0, "edxml", "unpack", original, "-o", dir)
	wantExit(t, 9, "edxml", "unpack", original, "-o", dir)
	wantExit(t, 0, "edxml", "unpack", original, "-o", dir, "--force")
	header := func(text string) string {
		path := filepath.Join(dir, "khac.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out := filepath.Join(dir, "x.edxml")
	for name, c := range map[string]struct {
		header string
		code   int
		says   string
	}{
		"no JSON":              {`{`, 2, "khac.json"},
		"unknown key":          {`{"kind":"edoc","suject":"x"}`, 2, "suject"},
		"wrong type":           {`{"kind":"edoc","to":7}`, 2, "to"},
		"no sender":            {`{"kind":"edoc","from":{"organ_id":""}}`, 2, "From/OrganId"},
		"no day":               {`{"kind":"edoc","due_date":"hôm nay"}`, 2, "hôm nay"},
		"no file":              {`{"kind":"edoc","from":{"organ_id":"a"},"to":[{"organ_id":"b"}],"document_id":"1","attachments":[{"name":"x"}]}`, 2, "file"},
		"file elsewhere":       {`{"kind":"edoc","from":{"organ_id":"a"},"to":[{"organ_id":"b"}],"document_id":"1","attachments":[{"file":"../goc.edxml"}]}`, 1, "goc.edxml"},
		"element without name": {`{"kind":"edoc","from":{"organ_id":"a"},"to":[{"organ_id":"b"}],"document_id":"1","extra":[{"parent":"MessageHeader","element":{"name":"a b"}}]}`, 2, "name"},
	} {
		code, _, msg := invoke(t, "edxml", "pack", header(c.header), "-o", out)
		if code != c.code || !strings.Contains(msg, c.says) {
			t.Errorf("%s: exit %d, want %d with %q: %s", name, code, c.code, c.says, msg)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused message was written")
	}
	junk := filepath.Join(dir, "rac.edxml")
	if err := os.WriteFile(junk, []byte("<a>"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantExit(t, 1, "edxml", "explain", junk)
	wantExit(t, 6, "edxml", "explain", junk, original)
	wantExit(t, 8, "edxml", "explain", filepath.Join(dir, "khong-co.edxml"))
}
