package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/certs/certstest"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

// newest reads the newest signature of a file.
func newest(t *testing.T, path string) (pades.Signature, *cms.SignerInfo) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := pades.Signatures(f)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d signatures, %v", len(all), err)
	}
	s := all[len(all)-1]
	sd, err := cms.Parse(s.Contents)
	if err != nil {
		t.Fatal(err)
	}
	return s, sd.Signers[0]
}

func TestSignPutsItsClaimsIntoTheSignature(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	policy := b.write(t, "chinh-sach.txt", []byte("Quy chế ký số"))
	out := b.out("ra.pdf")
	code, stdout, stderr := invoke(t, b.sign("lanh-dao", b.pdf, out, "--json", "--level", "B-T", "--tsa", b.tsa, "--content-timestamp",
		"--role", "Giám đốc", "--commitment", "approval", "--location", "Huế", "--reason", "x", "--digest", "sha3-512",
		"--signature-policy", "2.25.1,http://policy.example/a,b,"+policy, "--field", "Duyet.Cap1")...)
	if code != 0 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	s, info := newest(t, out)
	if s.Field != "Duyet.Cap1" || s.Location != "Huế" || s.Reason != "" || info.Digest != crypto.SHA3_512 {
		t.Errorf("field %q, place %q, reason %q, digest %s", s.Field, s.Location, s.Reason, info.Digest)
	}
	if c := info.CommitmentTypes(); len(c) != 1 || !c[0].Equal(cms.OIDProofOfApproval) {
		t.Errorf("commitments %v", c)
	}
	if p := info.SignaturePolicy(); p.String() != "2.25.1" {
		t.Errorf("policy %v", p)
	}
	if role, ok := info.Attribute(cms.OIDSignerAttributesV2); !ok || !bytes.Contains(role.Values[0], []byte("Giám đốc")) || len(info.ContentTimestamps()) != 1 {
		t.Errorf("role %v, %d content time-stamps", role, len(info.ContentTimestamps()))
	}
	if code, stdout, _ := invoke(t, "verify", out, "--json", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow); code != 0 {
		t.Errorf("verify exits %d: %s", code, stdout)
	}
}

func TestSignWritesTheOlderKindOnRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.out("ra.pdf")
	code, stdout, stderr := invoke(t, b.sign("lanh-dao", b.pdf, out, "--subfilter", "pkcs7")...)
	if code != 0 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	if s, _ := newest(t, out); s.SubFilter != pades.SubFilterPKCS7 {
		t.Errorf("sub-filter %s", s.SubFilter)
	}
}

func TestANewFieldAfterCertificationIsAskedForAndNoted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	certified, out := b.out("cn.pdf"), b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, certified, "--certify", "2")...); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := invoke(t, b.sign("co-quan-a", certified, out)...); code != 7 || !strings.Contains(stderr, "docmdp-forbids") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	code, stdout, stderr := invoke(t, b.sign("co-quan-a", certified, out, "--new-field-after-certify", "--json")...)
	if code != 0 || !strings.Contains(stdout, `"new-field-after-certify"`) {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

func TestSignRefusesWrongClaims(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	empty := b.write(t, "empty", nil)
	for _, flags := range [][]string{
		{"--commitment", "love"}, {"--commitment", "1"}, {"--signature-policy", "x,,y"}, {"--signature-policy", "2.25.1," + empty},
		{"--signature-policy", "2.25.1,http://a b/," + empty}, {"--content-timestamp"}, {"--digest", "md5"}, {"--subfilter", "x"},
		{"--value", empty}, {"--role", strings.Repeat("x", 600)},
	} {
		out := b.out("no.pdf")
		if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, out, flags...)...); code != 2 {
			t.Errorf("%v: exit %d: %s", flags, code, stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v left a file", flags)
		}
	}
}

func TestASigningStopsAndIsCompleted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	leader := b.services.Signer(certstest.RoleLeader)
	var chain []byte
	for _, c := range leader.Chain {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	certificate := b.write(t, "nguoi-ky.pem", chain)
	common := []string{"--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow, "--json"}
	state, out := b.out("luot-ky.json"), b.out("ra.pdf")
	prepare := append([]string{"sign", b.pdf, "-o", out, "--resume", state, "--key", "cert:" + certificate, "--level", "B-T", "--tsa", b.tsa}, common...)
	code, stdout, stderr := invoke(t, prepare...)
	var line struct {
		Status, State, Digest, Output string
		ToSign                        string `json:"to_sign"`
	}
	if err := json.Unmarshal([]byte(stdout), &line); code != 0 || err != nil || line.Status != "prepared" || line.State != state || line.Output != "" {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Fatal("an output was written before anything was signed")
	}
	// With the state there and no value the command says what it waits for.
	if code, stdout, _ := invoke(t, prepare...); code != 2 || !strings.Contains(stdout, "invalid-input") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	digest, err := base64.StdEncoding.DecodeString(line.ToSign)
	if err != nil {
		t.Fatal(err)
	}
	value, err := ecdsa.SignASN1(rand.Reader, leader.Key.(*ecdsa.PrivateKey), digest)
	if err != nil {
		t.Fatal(err)
	}
	complete := func(in, value string) (int, string) {
		code, stdout, stderr := invoke(t, append([]string{"sign", in, "-o", out, "--resume", state, "--value", value, "--tsa", b.tsa}, common...)...)
		return code, stdout + stderr
	}
	wrong := b.write(t, "sai.bin", append(bytes.Clone(value[:len(value)-1]), value[len(value)-1]^1))
	if code, said := complete(b.pdf, wrong); code != 7 || !strings.Contains(said, "certificate-mismatch") {
		t.Errorf("a wrong value: exit %d: %s", code, said)
	}
	other := b.write(t, "khac.pdf", append(samplePDF(t), '\n'))
	right := b.write(t, "dung.b64", []byte(base64.StdEncoding.EncodeToString(value)+"\n"))
	if code, said := complete(other, right); code != 9 || !strings.Contains(said, "state-conflict") {
		t.Errorf("another file: exit %d: %s", code, said)
	}
	if _, err := os.Stat(out); err == nil {
		t.Fatal("a refusal left an output")
	}
	if code, said := complete(b.pdf, right); code != 0 || !strings.Contains(said, `"level":"PAdES-B-T"`) {
		t.Fatalf("exit %d: %s", code, said)
	}
	if code, stdout, _ := invoke(t, "verify", out, "--json", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow); code != 0 {
		t.Errorf("verify exits %d: %s", code, stdout)
	}
}

func TestASigningStopsAndIsCompletedByItsKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	state, out := b.out("luot-ky.json"), b.out("ra.pdf")
	args := b.sign("lanh-dao", b.pdf, out, "--resume", state)
	code, stdout, stderr := invoke(t, args...)
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(stdout)); code != 0 || err != nil || len(raw) != 32 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	if code, _, stderr := invoke(t, args...); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if s, _ := newest(t, out); s.Field != "Signature1" {
		t.Errorf("signed %q", s.Field)
	}
	broken := b.write(t, "hong.json", []byte("{"))
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, b.out("khong.pdf"), "--resume", broken)...); code != 1 || !strings.Contains(stderr, "file-unreadable") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if code, _, _ := invoke(t, b.sign("lanh-dao", b.pdf, b.out("x")+"/", "--resume", state, b.pdf)...); code != 2 {
		t.Errorf("two files: exit %d", code)
	}
	if code, _, _ := invoke(t, "sign", b.pdf, "-o", out); code != 2 {
		t.Errorf("no key: exit %d", code)
	}
}

func TestSignPlacesItsAppearanceBesideAText(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.write(t, "chu.pdf", padestest.Simple(padestest.Stream, "1.7").Bytes())
	out := b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", in, out, "--anchor", "12/QD-UBND")...); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if s, _ := newest(t, out); s.Page != 1 || s.Rect[3] != 696 || !s.FieldDict.Has("AP") {
		t.Errorf("page %d, %v", s.Page, s.Rect)
	}
	for flags, want := range map[string]int{"99/QD-UBND": 8, "": 0} {
		code, _, stderr := invoke(t, b.sign("lanh-dao", in, b.out("x"+flags[:min(len(flags), 2)]+".pdf"), "--anchor", flags)...)
		if code != want {
			t.Errorf("%q: exit %d: %s", flags, code, stderr)
		}
	}
	if code, _, _ := invoke(t, b.sign("lanh-dao", in, b.out("y.pdf"), "--anchor", "12/QD-UBND", "--appearance", "none")...); code != 2 {
		t.Errorf("an anchor without an appearance: exit %d", code)
	}
}

func TestSignOpensEncryptedFilesWithTheirPassword(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := filepath.Join("testdata", "encrypted.pdf") // qpdf --encrypt user owner 256
	out := b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", in, out)...); code != 7 || !strings.Contains(stderr, "password-required") {
		t.Errorf("no password: exit %d: %s", code, stderr)
	}
	right := b.write(t, "mk.txt", []byte("owner\n"))
	if code, _, stderr := invoke(t, b.sign("lanh-dao", in, out, "--pdf-password-file", right)...); code != 0 {
		t.Errorf("with it: exit %d: %s", code, stderr)
	}
	wrong := b.write(t, "sai.txt", []byte("x"))
	if code, _, stderr := invoke(t, b.sign("lanh-dao", in, b.out("x.pdf"), "--pdf-password-file", wrong)...); code != 7 || !strings.Contains(stderr, "password-wrong") {
		t.Errorf("a wrong one: exit %d: %s", code, stderr)
	}
}

func TestSignNormalisesOnRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	// A cross-reference that points elsewhere: readers rebuild it, so that signing as it is would break.
	broken := bytes.Replace(padestest.Simple(padestest.Classic, "1.7").Bytes(), []byte("startxref\n"), []byte("startxref\n1"), 1)
	in, out := b.write(t, "hong.pdf", broken), b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", in, out)...); code != 1 || !strings.Contains(stderr, "pdf-repair-needed") {
		t.Errorf("as it is: exit %d: %s", code, stderr)
	}
	code, stdout, stderr := invoke(t, b.sign("lanh-dao", in, out, "--normalise", "--json")...)
	if code != 0 || !strings.Contains(stdout, `"normalised"`) {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, _ := invoke(t, "verify", out, "--json", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow); code != 0 {
		t.Errorf("verify exits %d: %s", code, stdout)
	}
	// A file that needs none is signed as it is.
	sound := b.out("lanh.pdf")
	code, stdout, _ = invoke(t, b.sign("lanh-dao", b.pdf, sound, "--normalise", "--json")...)
	original, _ := os.ReadFile(b.pdf)
	signed, _ := os.ReadFile(sound)
	if code != 0 || strings.Contains(stdout, `"normalised"`) || !bytes.HasPrefix(signed, original) {
		t.Errorf("a sound file: exit %d: %s", code, stdout)
	}
}
