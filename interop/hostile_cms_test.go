//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// What one hostile file may cost whoever validates it, the program's own start included.
const (
	maxHostileCPU    = 2 * time.Second
	maxHostileMemory = 256 << 10 // KiB
)

// spacious signs a page and leaves room for n bytes of CMS.
func (w *world) spacious(t *testing.T, e *certstest.Entity, n int) []byte {
	t.Helper()
	s := signer.Signer{Keys: signer.OneKey(e.Key, e.Chain...), AllowSandbox: true, Now: time.Now}
	doc := padestest.Simple(padestest.Classic, "1.7").Bytes()
	var out bytes.Buffer
	_, err := s.Sign(context.Background(), signer.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc))}, &out,
		signer.Request{Level: ades.BB, Offline: true, ContentsSize: n})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// contents returns where the digits of the only signature value are.
func contents(t *testing.T, doc []byte) (from, to int) {
	t.Helper()
	from = bytes.LastIndex(doc, []byte("/Contents <")) + len("/Contents <")
	if from < len("/Contents <") {
		from = bytes.LastIndex(doc, []byte("/Contents<")) + len("/Contents<")
	}
	to = from + bytes.IndexByte(doc[from:], '>')
	if from < 20 || to <= from {
		t.Fatal("no signature value")
	}
	return from, to
}

// withValue puts der in place of the signature value.
func withValue(t *testing.T, doc, der []byte) []byte {
	t.Helper()
	from, to := contents(t, doc)
	digits := hex.EncodeToString(der)
	if len(digits) > to-from {
		t.Fatalf("%d digits in a room of %d", len(digits), to-from)
	}
	out := bytes.Clone(doc)
	copy(out[from:], digits)
	for i := from + len(digits); i < to; i++ {
		out[i] = '0'
	}
	return out
}

func value(t *testing.T, doc []byte) []byte {
	t.Helper()
	from, to := contents(t, doc)
	der, err := hex.DecodeString(string(doc[from:to]))
	if err != nil {
		t.Fatal(err)
	}
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		t.Fatal(err)
	}
	return v.FullBytes
}

// moreCertificates appends list to the certificates of a CMS.
func moreCertificates(t *testing.T, der []byte, list [][]byte) []byte {
	t.Helper()
	must := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	var seq asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &seq); err != nil {
		t.Fatal(err)
	}
	var body []byte
	for rest := seq.Bytes; len(rest) > 0; {
		var v asn1.RawValue
		before := rest
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			t.Fatal(err)
		}
		if v.Class == 2 && v.Tag == 0 {
			body = append(body, must(asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: slices.Concat(append([][]byte{v.Bytes}, list...)...)})...)
			continue
		}
		body = append(body, before[:len(before)-len(rest)]...)
	}
	whole := must(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: body})
	content := must(asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: whole})
	return must(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(must(outer.Type), content...)})
}

// hostileCMS are files whose signatures were made to cost whoever looks at them.
func (w *world) hostileCMS(t *testing.T) map[string][]byte {
	t.Helper()
	issue := func(s certstest.Spec) *certstest.Entity {
		if s.CommonName == "" {
			s.CommonName = "Nguyễn Văn X"
		}
		e, err := w.Issue(s)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	leader := issue(certstest.Spec{KeyType: certstest.P256})
	room := w.spacious(t, leader, 12<<20)
	cms := value(t, room)
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("n%d.example.vn", i))
	}
	var tangled, same [][]byte
	cas := []*certstest.Entity{w.IssuingCA()}
	for i := range 240 {
		ca := issue(certstest.Spec{CommonName: string(rune('A' + i%4)), CA: true, KeyType: certstest.P256, Issuer: cas[(i*7)%len(cas)]})
		cas, tangled = append(cas, ca), append(tangled, ca.Certificate.Raw)
	}
	for range 10_000 {
		same = append(same, leader.Certificate.Raw)
	}
	number, err := asn1.Marshal(new(big.Int).Lsh(big.NewInt(1), 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	number, err = asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: number})
	if err != nil {
		t.Fatal(err)
	}
	parent, err := x509.ParseCertificate(w.IssuingCA().Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	crowd, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7), Subject: parent.Subject, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true},
		parent, leader.Key.Public(), w.IssuingCA().Key)
	if err != nil {
		t.Fatal(err)
	}
	eternal := issue(certstest.Spec{NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), KeyType: certstest.P256})
	old := withValue(t, room, cms)
	ancient := issue(certstest.Spec{NotBefore: time.Date(1949, 12, 31, 0, 0, 0, 0, time.UTC), KeyType: certstest.P256})
	return map[string][]byte{
		"10000-certificates.pdf": withValue(t, room, moreCertificates(t, cms, same)),
		"10000-names.pdf":        withValue(t, room, moreCertificates(t, cms, [][]byte{crowd, crowd, crowd, crowd})),
		"path-explosion.pdf":     withValue(t, room, moreCertificates(t, cms, tangled)),
		"200000-levels.pdf":      withValue(t, room, bytes.Repeat([]byte{0x30, 0x80}, 200_000)),
		"megabyte-integer.pdf":   withValue(t, room, number),
		"year-9999.pdf":          w.spacious(t, eternal, 0),
		"before-1950.pdf":        w.spacious(t, ancient, 0),
		"honest.pdf":             old,
	}
}

// watched runs cmd and returns what it said and the most memory it held, in KiB; its
// exit code is the verdict's and no error. What the system counts for an ended process
// includes this one's memory from before it became cmd, so that it is asked while it runs.
func watched(cmd *exec.Cmd) (said []byte, kib int64, err error) {
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	ended := make(chan struct{})
	peak := make(chan int64)
	go func() {
		var most int64
		for {
			select {
			case <-ended:
				peak <- most
				return
			case <-time.After(time.Millisecond):
				most = max(most, residentPeak(cmd.Process.Pid))
			}
		}
	}()
	err = cmd.Wait()
	close(ended)
	kib = <-peak
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return out.Bytes(), kib, err
}

// residentPeak is the most memory that a running process has held, in KiB; 0 where the
// system does not tell.
func residentPeak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	var kib int64
	if _, after, found := bytes.Cut(status, []byte("VmHWM:")); found {
		_, _ = fmt.Sscan(string(after), &kib)
	}
	return kib
}

// Each hostile file has a result with a name for little, and the files beside it in a
// batch have theirs.
func TestHostileSignaturesCostLittle(t *testing.T) {
	program, err := shared.antin()
	ok(t, err)
	dir := t.TempDir()
	files := shared.hostileCMS(t)
	args := []string{"verify", "--json", "--trust", shared.root, "--allow-host", shared.AllowHost}
	var all []string
	for name, doc := range files {
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, doc, 0o600))
		all = append(all, path)
		cmd := exec.Command(program, append(slices.Clone(args), path)...)
		said, memory, err := watched(cmd)
		ok(t, err)
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		var r validation.Report
		if err := json.Unmarshal(said, &r); err != nil {
			t.Errorf("%s: exit %d, %s", name, cmd.ProcessState.ExitCode(), said)
			continue
		}
		codes := ""
		for _, reason := range r.Reasons {
			codes += " " + string(reason.Code)
		}
		t.Logf("%-24s %8d bytes: %5d ms CPU, %3d MiB, %s%s", name, len(doc), cpu.Milliseconds(), memory>>10, r.Verdict, codes)
		if cpu > maxHostileCPU || memory > maxHostileMemory {
			t.Errorf("%s costs %s and %d KiB", name, cpu, memory)
		}
		if (r.Verdict != validation.Valid && len(r.Reasons) == 0) || (name == "honest.pdf" && r.Verdict != validation.Valid) {
			t.Errorf("%s: %s", name, said)
		}
	}
	slices.Sort(all)
	said, _ := exec.Command(program, append(slices.Clone(args), all...)...).Output()
	lines := bytes.Split(bytes.TrimSpace(said), []byte("\n"))
	if len(lines) != len(all) {
		t.Fatalf("%d lines for %d files", len(lines), len(all))
	}
	for i, line := range lines {
		var r validation.Report
		if err := json.Unmarshal(line, &r); err != nil || r.File != all[i] || (filepath.Base(all[i]) == "honest.pdf" && r.Verdict != validation.Valid) {
			t.Errorf("in the batch: %s, %v", line, err)
		}
	}
}
