package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/signer/compose"
	"antin/signer/pdf"
)

// invoke runs the program as the command line would and returns its exit code,
// standard output and standard error.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out, msg bytes.Buffer
	code = run(t.Context(), args, streams{in: in, out: &out, err: &msg})
	return code, out.String(), msg.String()
}

// bench is a folder with a PKI whose services run, and a PDF to sign.
type bench struct {
	dir, pki, pdf, tsa, allow string
	services                  *certstest.PKI
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir()}
	pki, err := certstest.New(certstest.Options{LeafKey: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(pki.Handler())
	t.Cleanup(srv.Close)
	if err := pki.SetBaseURL(srv.URL); err != nil {
		t.Fatal(err)
	}
	b.services, b.pki = pki, filepath.Join(b.dir, "pki")
	if err := pki.Save(b.pki); err != nil {
		t.Fatal(err)
	}
	b.tsa, b.allow = srv.URL+"/tsa", strings.TrimPrefix(srv.URL, "http://")
	b.pdf = b.write(t, "vao.pdf", samplePDF(t))
	return b
}

func samplePDF(t *testing.T) []byte {
	t.Helper()
	doc := pdf.NewDocument("1.7")
	content := doc.Add(pdf.NewStream(pdf.NewDict(), []byte("0 0 m 100 100 l S")))
	pages := doc.Reserve()
	page := doc.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Page"), pdf.Name("Parent"), pages, pdf.Name("Contents"), content,
		pdf.Name("MediaBox"), pdf.Array{pdf.Int(0), pdf.Int(0), pdf.Int(595), pdf.Int(842)}, pdf.Name("Resources"), pdf.NewDict()))
	doc.Put(pages, pdf.NewDict(pdf.Name("Type"), pdf.Name("Pages"), pdf.Name("Kids"), pdf.Array{page}, pdf.Name("Count"), pdf.Int(1)))
	root := doc.Add(pdf.NewDict(pdf.Name("Type"), pdf.Name("Catalog"), pdf.Name("Pages"), pages))
	out, err := doc.Build(root, pdf.Ref{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (b *bench) write(t *testing.T, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(b.dir, name)
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (b *bench) out(name string) string { return filepath.Join(b.dir, name) }

// key is the flags that name a signer of the PKI and its password.
func (b *bench) key(role string) []string {
	return []string{"--key", "p12:" + filepath.Join(b.pki, role+".p12"), "--key-password-file", filepath.Join(b.pki, "password.txt"),
		"--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow}
}

func (b *bench) sign(role, in, out string, more ...string) []string {
	return append(append([]string{"sign", in, "-o", out}, b.key(role)...), more...)
}

func TestSignedFileIsVerifiedAtEachLevel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, level := range []string{"B-B", "B-T", "B-LT"} {
		for _, visible := range []bool{false, true} {
			out := b.out(fmt.Sprintf("ra-%s-%v.pdf", level, visible))
			args := b.sign("lanh-dao", b.pdf, out, "--level", level, "--tsa", b.tsa, "--json")
			if visible {
				args = append(args, "--page", "last", "--rect", "100,100,200,60")
			}
			code, stdout, stderr := invoke(t, args...)
			if code != 0 {
				t.Fatalf("%s: exit %d: %s%s", level, code, stdout, stderr)
			}
			var line map[string]any
			if err := json.Unmarshal([]byte(stdout), &line); err != nil || line["status"] != "signed" || line["level"] != "PAdES-"+level {
				t.Errorf("%s: %v %s", level, err, stdout)
			}
			code, stdout, stderr = invoke(t, "verify", out, "--json", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow)
			if code != 0 || !strings.Contains(stderr, "DỮ LIỆU THỬ") {
				t.Errorf("%s: verify exits %d: %s%s", level, code, stdout, stderr)
			}
			if level == "B-LT" {
				code, stdout, _ := invoke(t, "verify", out, "--offline", "--json", "--fail-on", "note", "--trust", filepath.Join(b.pki, "root.pem"))
				if code != 0 || !strings.Contains(stdout, `"verdict":"valid"`) {
					t.Errorf("offline: exit %d: %s", code, stdout)
				}
			}
			original, _ := os.ReadFile(b.pdf)
			signed, _ := os.ReadFile(out)
			if !bytes.HasPrefix(signed, original) {
				t.Errorf("%s: the original is not a prefix of the signed file", level)
			}
		}
	}
}

func TestVerifyWithoutTrustTrustsNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, out)...); code != 0 {
		t.Fatal(stderr)
	}
	code, stdout, stderr := invoke(t, "verify", "--offline", out)
	if code != 4 || !strings.Contains(stdout, "CHƯA KẾT LUẬN ĐƯỢC") || !strings.Contains(stderr, "--trust") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

func TestAlteredSignedFileIsInvalidWhateverTheTrust(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, out)...); code != 0 {
		t.Fatal(stderr)
	}
	data, _ := os.ReadFile(out)
	altered := bytes.Replace(data, []byte("100 100 l"), []byte("900 100 l"), 1)
	if bytes.Equal(altered, data) {
		t.Fatal("nothing was altered")
	}
	code, stdout, _ := invoke(t, "verify", "--offline", "--json", b.write(t, "sua.pdf", altered))
	if code != 3 || !strings.Contains(stdout, "HASH_FAILURE") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

func TestEachRefusalHasItsCodeItsExitAndANextStep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nonsense := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("no token")) }))
	t.Cleanup(nonsense.Close)
	b.services.Break() // nothing is broken: the services answer
	encrypted := bytes.Replace(samplePDF(t), []byte("trailer\n<<"), []byte("trailer\n<< /Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 >>"), 1)
	wrongPassword := b.write(t, "sai.txt", []byte("wrong"))
	exists := b.write(t, "co.pdf", []byte("keep me"))
	cases := []struct {
		name string
		args []string
		code string
		exit int
	}{
		{"not a PDF", b.sign("lanh-dao", b.write(t, "x.pdf", []byte("hello there")), b.out("o1.pdf")), "not-a-pdf", 1},
		{"empty file", b.sign("lanh-dao", b.write(t, "e.pdf", nil), b.out("o2.pdf")), "not-a-pdf", 1},
		{"no such file", b.sign("lanh-dao", b.out("none.pdf"), b.out("o3.pdf")), "not-found", 8},
		{"truncated", b.sign("lanh-dao", b.write(t, "t.pdf", samplePDF(t)[:300]), b.out("o4.pdf")), "pdf-", 1},
		{"encrypted", b.sign("lanh-dao", b.write(t, "c.pdf", encrypted), b.out("o5.pdf")), "encryption-unsupported", 7},
		{"expired", b.sign("expired", b.pdf, b.out("o6.pdf")), "certificate-expired", 7},
		{"revoked", b.sign("revoked", b.pdf, b.out("o7.pdf")), "certificate-revoked", 7},
		{"wrong password", []string{"sign", b.pdf, "-o", b.out("o8.pdf"), "--key", "p12:" + filepath.Join(b.pki, "lanh-dao.p12"), "--key-password-file", wrongPassword}, "key-locked", 7},
		{"no such key", []string{"sign", b.pdf, "-o", b.out("o9.pdf"), "--key", "p12:" + b.out("none.p12"), "--key-password-file", wrongPassword}, "key-not-found", 8},
		{"TSA down", b.sign("lanh-dao", b.pdf, b.out("o10.pdf"), "--level", "B-T", "--tsa", "http://127.0.0.1:1/tsa"), "tsa-unavailable", 10},
		{"TSA talks nonsense", b.sign("lanh-dao", b.pdf, b.out("o11.pdf"), "--level", "B-T", "--tsa", nonsense.URL), "tsa-unavailable", 10},
		{"output exists", b.sign("lanh-dao", b.pdf, exists), "output-exists", 9},
		{"output is input", b.sign("lanh-dao", b.pdf, b.pdf, "--force"), "output-exists", 9},
		{"no OCSP or CRL for B-LT", []string{"sign", b.pdf, "-o", b.out("o12.pdf"), "--key", "p12:" + filepath.Join(b.pki, "lanh-dao.p12"),
			"--key-password-file", filepath.Join(b.pki, "password.txt"), "--trust", filepath.Join(b.pki, "root.pem"), "--level", "B-LT", "--tsa", b.tsa}, "revocation-unavailable", 10},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := invoke(t, c.args...)
			if code != c.exit || !strings.Contains(stderr, "["+c.code) {
				t.Errorf("exit %d, want %d [%s]: %s", code, c.exit, c.code, stderr)
			}
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "→ ") || len(last) < 10 {
				t.Errorf("the last line is no next step: %q", last)
			}
			if out := c.args[3]; out != exists && out != b.pdf {
				if _, err := os.Stat(out); err == nil {
					t.Errorf("something was left at %s", out)
				}
			}
		})
	}
	t.Cleanup(func() {
		if kept, _ := os.ReadFile(exists); string(kept) != "keep me" {
			t.Error("an existing file was replaced without --force")
		}
		left, _ := filepath.Glob(filepath.Join(b.dir, ".antin-*"))
		if len(left) > 0 {
			t.Errorf("temporary files were left: %v", left)
		}
	})
}

func TestUsageErrorsExitWithTwo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"nonsense"}, {"sign"}, {"sign", "a.pdf"}, {"verify"}, {"verify", "--fail-on", "x", "a.pdf"},
		{"sign", "a.pdf", "-o", "b.pdf", "--key", "what"}, {"sign", "a.pdf", "-o", "b.pdf", "--key", "p12:x", "--level", "B-Q"},
		{"demo", "--addr", "0.0.0.0:8080"}, {"sandbox", "--addr", "192.168.0.1:1"}} {
		if code, _, stderr := invoke(t, args...); code != 2 || stderr == "" {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
	}
	if code, stdout, _ := invoke(t, "--help"); code != 0 || !strings.Contains(stdout, "verify") {
		t.Errorf("--help: exit %d: %s", code, stdout)
	}
}

func TestSeveralFilesFollowTheContractsOrderOfExits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	good := b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, good)...); code != 0 {
		t.Fatal(stderr)
	}
	bad := b.write(t, "bad.pdf", []byte("no"))
	trust := []string{"verify", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow, "--json"}
	for _, c := range []struct {
		files []string
		exit  int
	}{
		{[]string{good, b.pdf}, 5}, {[]string{good, bad}, 6}, {[]string{bad, bad}, 1}, {[]string{good, good}, 0},
	} {
		code, stdout, _ := invoke(t, append(trust, c.files...)...)
		if code != c.exit {
			t.Errorf("%v: exit %d, want %d", c.files, code, c.exit)
		}
		if n := strings.Count(strings.TrimSpace(stdout), "\n") + 1; n != len(c.files) {
			t.Errorf("%v: %d lines", c.files, n)
		}
	}
	args := append([]string{"sign", b.pdf, bad, "-o", b.out("many") + "/"}, b.key("lanh-dao")...)
	if code, stdout, _ := invoke(t, append(args, "--json")...); code != 6 || strings.Count(stdout, `"status":"signed"`) != 1 || strings.Count(stdout, `"status":"refused"`) != 1 {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

func TestInterruptedRunLeavesNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in, _ := os.Open(os.DevNull)
	defer in.Close()
	var out, msg bytes.Buffer
	code := run(ctx, b.sign("lanh-dao", b.pdf, b.out("o.pdf")), streams{in: in, out: &out, err: &msg})
	if code != 130 {
		t.Errorf("exit %d: %s", code, msg.String())
	}
	if _, err := os.Stat(b.out("o.pdf")); err == nil {
		t.Error("an output was left")
	}
}

func TestMainJobHoldsAndItsFilesVerifyAfterwards(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, _, stderr := invoke(t, "demo", "--once", "--dir", dir, "--addr", "127.0.0.1:0")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, name := range []string{"pki/root.pem", "pki/lanh-dao.p12", "pki/co-quan-a.p12", "pki/co-quan-b.p12", "pki/password.txt", "pki/revoked.p12",
		"pki/expired.p12", "a/ketqua.pdf", "a/vanban.pdf", "a/vanban.edxml", "b/vanban.edxml", "b/vanban.pdf", "b/report.json",
		"evidence/receipt.jws", "evidence/timeline.json"} {
		if st, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	code, stdout, _ := invoke(t, "verify", "--offline", "--json", "--fail-on", "note", "--trust", filepath.Join(dir, "pki", "root.pem"),
		filepath.Join(dir, "a", "ketqua.pdf"), filepath.Join(dir, "a", "vanban.pdf"))
	if code != 0 {
		t.Errorf("exit %d: %s", code, stdout)
	}
	// A reader may have opened a result whose signature fields the composer named.
	data, err := os.ReadFile(filepath.Join(dir, "a", "ketqua.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fields, err := compose.Fields(f)
	if err != nil || len(fields) != 6 {
		t.Errorf("%d fields: %v", len(fields), err)
	}
}

func TestMainJobTakesAnyonesPDF(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	if code, _, stderr := invoke(t, "demo", "--once", "--dir", dir, "--addr", "127.0.0.1:0", "--pdf", b.pdf); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	sent, err := os.ReadFile(filepath.Join(dir, "a", "vanban.pdf"))
	if err != nil || !bytes.HasPrefix(sent, samplePDF(t)) {
		t.Errorf("the document sent was not made from the file given: %v", err)
	}
	code, _, stderr := invoke(t, "demo", "--once", "--dir", t.TempDir(), "--addr", "127.0.0.1:0", "--pdf", b.write(t, "x.pdf", []byte("hello")))
	if code != 1 || !strings.Contains(stderr, "[not-a-pdf]") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestSignatureMadeWithoutTrustStillCarriesItsIssuers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.out("ra.pdf")
	code, _, stderr := invoke(t, "sign", b.pdf, "-o", out, "--offline", "--key", "p12:"+filepath.Join(b.pki, "lanh-dao.p12"),
		"--key-password-file", filepath.Join(b.pki, "password.txt"))
	if code != 0 || !strings.Contains(stderr, "--trust") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	b.services.Break(certstest.AIADown) // nobody else can say who issued the certificate
	code, stdout, _ := invoke(t, "verify", out, "--json", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow)
	if code != 0 {
		t.Errorf("exit %d: %s", code, stdout)
	}
}
