package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRevisionsAreListedAndTakenOutByteForByte(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	once, twice := b.out("mot.pdf"), b.out("hai.pdf")
	for _, args := range [][]string{b.sign("lanh-dao", b.pdf, once, "--field", "NguoiKy"),
		b.sign("co-quan-a", once, twice, "--field", "CoQuan", "--level", "B-LT", "--tsa", b.tsa)} {
		if code, out, msg := invoke(t, args...); code != 0 {
			t.Fatalf("exit %d: %s%s", code, out, msg)
		}
	}
	code, out, msg := invoke(t, "revisions", twice, "--json", "--offline", "--trust", filepath.Join(b.pki, "root.pem"))
	var line revisionsLine
	if err := json.Unmarshal([]byte(out), &line); err != nil || code != 0 {
		t.Fatalf("exit %d: %s%s (%v)", code, out, msg, err)
	}
	var signed, verdicts []string
	for _, r := range line.Revisions {
		signed = append(signed, strings.Join(r.Signatures, "+"))
		verdicts = append(verdicts, r.Verdict)
	}
	// Without a network nothing is known of revocation until the last version, which
	// holds the answers for the seal.
	if len(verdicts) != 4 || verdicts[0] != "unsigned" || verdicts[1] != "inconclusive" || verdicts[2] != "inconclusive" || verdicts[3] == "" {
		t.Errorf("verdicts by revision %q", verdicts)
	}
	if got := strings.Join(signed, ","); got != ",NguoiKy,CoQuan," {
		t.Errorf("signatures by revision %q", got)
	}
	taken := b.out("phien-ban.pdf")
	if code, out, msg := invoke(t, "revisions", twice, "--extract", "2", "-o", taken); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, msg)
	}
	want, err := os.ReadFile(once)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(taken)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("revision 2 is not what was signed first: %d bytes, want %d, %v", len(got), len(want), err)
	}
	if code, out, msg := invoke(t, "verify", taken, "--quiet", "--offline", "--trust", filepath.Join(b.pki, "root.pem")); code != 4 && code != 0 {
		t.Errorf("the extracted version: exit %d: %s%s", code, out, msg)
	}
}

func TestRevisionsRefuseClearly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	junk := b.write(t, "rac.pdf", []byte("không phải PDF"))
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a time that is none":   {[]string{b.pdf, "--at", "gestern"}, 2, "--at"},
		"no such revision":      {[]string{b.pdf, "--extract", "9", "-o", b.out("x.pdf")}, 8, "Không có phiên bản 9"},
		"extract without -o":    {[]string{b.pdf, "--extract", "1"}, 2, "--extract"},
		"-o without extract":    {[]string{b.pdf, "-o", b.out("x.pdf")}, 2, "--extract"},
		"not a PDF":             {[]string{junk}, 1, "PDF"},
		"an output that exists": {[]string{b.pdf, "--extract", "1", "-o", junk}, 9, ""},
	} {
		code, out, msg := invoke(t, append([]string{"revisions"}, c.args...)...)
		if code != c.code || !strings.Contains(out+msg, c.says) {
			t.Errorf("%s: exit %d: %s%s", name, code, out, msg)
		}
	}
}

func TestReportIsKeptInEveryFormat(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.out("ky.pdf")
	if code, out, msg := invoke(t, b.sign("lanh-dao", b.pdf, signed, "--level", "B-LT", "--tsa", b.tsa)...); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, msg)
	}
	verify := []string{"verify", signed, "--offline", "--trust", filepath.Join(b.pki, "root.pem"), "--report"}
	for name, begins := range map[string]string{"r.pdf": "%PDF-", "r.xml": "<?xml", "r.json": "{"} {
		out := b.out(name)
		if code, stdout, msg := invoke(t, append(verify, out)...); code != 0 {
			t.Fatalf("%s: exit %d: %s%s", name, code, stdout, msg)
		}
		data, err := os.ReadFile(out)
		if err != nil || !bytes.HasPrefix(data, []byte(begins)) {
			t.Errorf("%s: %.20q, %v", name, data, err)
		}
		if code, _, _ := invoke(t, append(verify, out)...); code != 9 {
			t.Errorf("%s was written over: exit %d", name, code)
		}
	}
	if code, _, _ := invoke(t, append(verify, b.out("r.html"))...); code != 2 {
		t.Errorf("unknown format: exit %d", code)
	}
	if code, _, _ := invoke(t, "verify", signed, b.pdf, "--report", b.out("zwei.pdf")); code != 2 {
		t.Errorf("two files: exit %d", code)
	}
}
