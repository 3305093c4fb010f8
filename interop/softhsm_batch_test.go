//go:build interop

package interop_test

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
)

// line is what `antin sign --json` says of one file, as far as these tests look.
type tokenLine struct {
	File, Output, Status string
	Error                struct{ Code string }
}

// batch is a folder of files to sign with a token at the command line.
type batch struct {
	*faults
	antin, pin, in, out string
	files               []string
}

func newBatch(t *testing.T, n int) *batch {
	t.Helper()
	b := &batch{faults: newFaults(t), antin: buildAntin(t, shared)}
	b.pin, b.in, b.out = filepath.Join(b.dir, "pin"), filepath.Join(b.dir, "in"), filepath.Join(b.dir, "out")
	ok(t, os.WriteFile(b.pin, []byte(tokenPIN+"\n"), 0o600))
	ok(t, os.Mkdir(b.in, 0o700))
	ok(t, os.Mkdir(b.out, 0o700))
	t.Setenv("PATH", filepath.Dir(b.helper)+string(os.PathListSeparator)+os.Getenv("PATH"))
	for i := range n {
		name := filepath.Join(b.in, fmt.Sprintf("%03d.pdf", i))
		ok(t, os.WriteFile(name, smallPDF(i), 0o600))
		b.files = append(b.files, name)
	}
	return b
}

// taken reports whether the library has begun to do what was ordered.
func (f *faults) taken(call string) bool {
	_, err := os.Stat(filepath.Join(f.orders, call+".done"))
	return err == nil
}

// until waits for what the library does, and reports whether it came.
func (f *faults) until(t *testing.T, done func() bool) bool {
	t.Helper()
	for end := time.Now().Add(toolTimeout); !done(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Error("what was waited for did not come")
			return false
		}
	}
	return true
}

// smallPDF is a document of one page that differs by n.
func smallPDF(n int) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var at []int
	for i, o := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>", fmt.Sprintf("(%d)", n)} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, o := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

// sign signs files and returns a line for each; disturb runs beside it.
func (b *batch) sign(t *testing.T, files []string, disturb func()) []tokenLine {
	t.Helper()
	args := append([]string{"sign", "-o", b.out + "/", "--key", faultKey + "?module-path=" + b.library, "--key-password-file", b.pin,
		"--offline", "--jobs", "4", "--json", "--quiet"}, files...)
	c := exec.Command(b.antin, args...)
	var trouble bytes.Buffer
	c.Stderr = &trouble
	out, err := c.StdoutPipe()
	ok(t, err)
	ok(t, c.Start())
	var beside sync.WaitGroup
	if disturb != nil {
		beside.Go(disturb)
	}
	defer beside.Wait()
	var lines []tokenLine
	for s := bufio.NewScanner(out); s.Scan(); {
		var l tokenLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("%v: %s", err, s.Text())
		}
		lines = append(lines, l)
	}
	_ = c.Wait()
	if len(lines) != len(files) {
		t.Fatalf("%d lines for %d files: %s", len(lines), len(files), trouble.String())
	}
	return lines
}

func TestBatchOutlivesItsKilledHelperAndIsResumed(t *testing.T) {
	const n = 200
	b := newBatch(t, n)
	before := sums(t, b.in)
	var again []string
	// The helper is killed in the middle, while one signature is under way for sure: it
	// stands still.
	kill := func() {
		if b.until(t, func() bool { return b.count(t, "signs") >= n/8 }) {
			b.order(t, "sign", "hang")
		}
		if b.until(t, func() bool { return b.taken("sign") }) {
			killHelpers(t, b.helper)
		}
	}
	for i, l := range b.sign(t, b.files, kill) {
		switch {
		case l.File != b.files[i]:
			t.Fatalf("line %d is about %s", i, l.File)
		case l.Status == "signed":
		case l.Status == "failed" && l.Error.Code == string(text.SignatureLost):
			again = append(again, l.File)
		default:
			t.Errorf("%s: %+v", l.File, l)
		}
		_, err := os.Stat(filepath.Join(b.out, filepath.Base(l.File)))
		if (err == nil) != (l.Status == "signed") {
			t.Errorf("%s: %s, and its output: %v", l.File, l.Status, err)
		}
	}
	if len(again) == 0 || len(again) > 4 {
		t.Errorf("%d files were lost with the helper, want at most one for each of 4 workers", len(again))
	}
	first := sums(t, b.out)
	if len(first) != n-len(again) {
		t.Errorf("%d outputs, %d lost", len(first), len(again))
	}
	for _, l := range b.sign(t, again, nil) { // to resume is to name what is missing
		if l.Status != "signed" {
			t.Errorf("resuming %s: %+v", l.File, l)
		}
	}
	for _, l := range b.sign(t, b.files, nil) { // and to name all signs none again
		if l.Error.Code != string(text.OutputExists) {
			t.Errorf("%s: %+v", l.File, l)
		}
	}
	last := sums(t, b.out)
	for name, sum := range first {
		if last[name] != sum {
			t.Errorf("%s was written twice", name)
		}
	}
	if len(last) != n {
		t.Errorf("%d outputs of %d", len(last), n)
	}
	for name, sum := range sums(t, b.in) {
		if before[name] != sum {
			t.Errorf("%s was changed", name)
		}
	}
	made := b.count(t, "signs")
	if made < n || made > n+len(again) {
		t.Errorf("the token made %d signatures for %d files of which %d were signed again", made, n, len(again))
	}
	t.Logf("%d lost and signed again, %d signatures made", len(again), made)
	verdicts(t, b)
}

// verdicts has every output judged by poppler: one intact signature each.
func verdicts(t *testing.T, b *batch) {
	t.Helper()
	for _, f := range b.files[:10] {
		out := output(t, exec.Command("pdfsig", "-nocert", filepath.Join(b.out, filepath.Base(f))))
		if strings.Count(out, "Signature is Valid.") != 1 {
			t.Errorf("%s: %s", f, out)
		}
	}
}

func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	all := map[string][32]byte{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		ok(t, err)
		all[e.Name()] = sha256.Sum256(data)
	}
	return all
}

func TestWrongPINAtTheCommandLineIsPresentedOnceForAllFiles(t *testing.T) {
	b := newBatch(t, 5)
	ok(t, os.WriteFile(b.pin, []byte("000000\n"), 0o600))
	c := exec.Command(b.antin, append([]string{"sign", "-o", b.out + "/", "--key", faultKey + "?module-path=" + b.library,
		"--key-password-file", b.pin, "--offline", "--jobs", "4"}, b.files...)...)
	out, err := c.CombinedOutput()
	if c.ProcessState.ExitCode() != text.KeyLocked.Exit() || !strings.Contains(string(out), string(text.KeyLocked)) {
		t.Errorf("%v: %s", err, out)
	}
	if n := b.count(t, "logins"); n != 1 {
		t.Errorf("the PIN was presented %d times", n)
	}
}

// TestTokenServesTheGateway holds a seal in a token behind the socket that
// `antin serve` uses: with a purpose, in the log, through a crash of the library.
func TestTokenServesTheGateway(t *testing.T) {
	f := newFaults(t)
	e := f.put(t, "loi", "con-dau", "02", certstest.RSA2048)
	socket, log, conf := filepath.Join(f.dir, "keys.sock"), filepath.Join(f.dir, "keys.log"), filepath.Join(f.dir, "tokens.yaml")
	ok(t, os.WriteFile(filepath.Join(f.dir, "pin"), []byte(tokenPIN+"\n"), 0o600))
	ok(t, os.WriteFile(conf, fmt.Appendf(nil, "socket: keys.sock\nlog: keys.log\nsandbox: true\nmodule: %s\nkeys:\n"+
		"  - id: con-dau\n    kind: seal\n    uri: pkcs11:token=loi;object=con-dau\n    pin_file: pin\n", f.library), 0o600))
	if out := output(t, exec.Command(f.helper, "check", "--config", conf)); !strings.Contains(out, "con-dau\tseal\tcon-dau\t") {
		t.Errorf("check says: %s", out)
	}
	serve := exec.Command(f.helper, "serve", "--config", conf)
	trouble, err := serve.StderrPipe()
	ok(t, err)
	ok(t, serve.Start())
	defer func() { _ = serve.Process.Kill() }()
	if _, err := bufio.NewReader(trouble).ReadString('\n'); err != nil { // it says that it is ready
		t.Fatal(err)
	}
	c := &helper.Client{Socket: socket}
	defer c.Close()
	sign := func(p signer.Purpose) error {
		key, err := c.Key(signer.WithPurpose(t.Context(), p), "con-dau")
		if err != nil {
			return err
		}
		if !bytes.Equal(key.Chain[0].Raw, e.Certificate.Raw) {
			t.Error("the certificate is another one")
		}
		sum := sha256.Sum256(p.Attributes)
		_, err = key.Signer.Sign(nil, sum[:], crypto.SHA256)
		return err
	}
	seal := purpose(t)
	ok(t, sign(seal))
	wantCode(t, sign(signer.Purpose{}), text.NotAllowed) // a digest alone is not enough
	f.order(t, "sign", "segv")
	wantCode(t, sign(seal), text.SignatureLost)
	ok(t, sign(seal))
	f.order(t, "gone", "yes")
	wantCode(t, sign(seal), text.TokenAbsent)
	f.lift(t, "gone")
	ok(t, sign(seal))
	ok(t, serve.Process.Signal(os.Interrupt))
	done := time.AfterFunc(20*time.Second, func() { _ = serve.Process.Kill() })
	if err := serve.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	done.Stop()
	file, err := os.Open(log)
	ok(t, err)
	defer file.Close()
	// Five asked and ended, one refused.
	if last, _, err := helper.VerifyLog(file); err != nil || last.Seq != 11 {
		t.Errorf("the log ends with %+v: %v", last, err)
	}
	if n := f.count(t, "signs"); n != 3 {
		t.Errorf("%d signatures were made, want 3", n)
	}
}

// purpose is a complete purpose of a seal.
func purpose(t *testing.T) signer.Purpose {
	t.Helper()
	sum := sha256.Sum256([]byte("văn bản"))
	// A SET of one attribute, message-digest (RFC 5652, 11.2).
	attribute := append([]byte{0x30, 47, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4, 0x31, 34, 4, 32}, sum[:]...)
	return signer.Purpose{Subject: "document/1", Document: fmt.Sprintf("%x", sum), Kind: "seal", Attributes: append([]byte{0x31, byte(len(attribute))}, attribute...),
		Approver: signer.Approver{ID: "u1", Name: "Trần Thị B", Role: "van_thu"}}
}
