package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// signedFiles are signatures over content that OpenSSL made with the leader's key: one in
// a file of its own, one that holds the content, and one in PEM.
func (b *bench) signedFiles(t *testing.T, content string) (apart, inside, armoured string) {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not there to sign with")
	}
	key := b.out("lanh-dao.key")
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(openssl, args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("pkcs12", "-in", filepath.Join(b.pki, "lanh-dao.p12"), "-passin", "file:"+filepath.Join(b.pki, "password.txt"), "-nodes", "-out", key)
	sign := func(out string, more ...string) string {
		run(append([]string{"cms", "-sign", "-binary", "-cades", "-md", "sha256", "-in", content, "-signer", key, "-out", out}, more...)...)
		return out
	}
	return sign(b.out("a.p7s"), "-outform", "DER"), sign(b.out("a.p7m"), "-outform", "DER", "-nodetach"), sign(b.out("a.pem"), "-outform", "PEM")
}

func TestVerifyJudgesASignatureFileOverItsContent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	content := b.write(t, "van-ban.xml", []byte("<văn-bản>\r\nSố 12\r\n</văn-bản>"))
	other := b.write(t, "khac.xml", []byte("<văn-bản/>"))
	apart, inside, armoured := b.signedFiles(t, content)
	for name, c := range map[string]struct {
		file, content string
		exit          int
		want          string
	}{
		"with its content":          {apart, content, 0, `"level":"CAdES-B-B"`},
		"in PEM":                    {armoured, content, 0, `"level":"CAdES-B-B"`},
		"content inside":            {inside, "", 0, `"level":"CAdES-B-B"`},
		"over other content":        {apart, other, 3, `"HASH_FAILURE"`},
		"content not given":         {apart, "", 4, `"SIGNED_DATA_NOT_FOUND"`},
		"content that is not there": {apart, b.out("khong"), 8, ""},
		"content beside a PDF":      {b.pdf, content, 2, `"invalid-input"`},
	} {
		args := []string{"verify", c.file, "--json", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow}
		if c.content != "" {
			args = append(args, "--content", c.content)
		}
		code, stdout, stderr := invoke(t, args...)
		if code != c.exit || !strings.Contains(stdout, c.want) {
			t.Errorf("%s: exit %d, want %d: %s%s", name, code, c.exit, stdout, stderr)
		}
		var one map[string]any
		if err := json.Unmarshal([]byte(stdout), &one); err != nil {
			t.Errorf("%s: %v: %s", name, err, stdout)
		}
	}
	code, stdout, _ := invoke(t, "verify", apart, "--content", content, "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow)
	if code != 0 || !strings.Contains(stdout, "HỢP LỆ") {
		t.Errorf("in words: exit %d: %s", code, stdout)
	}
}

// privateKey writes the leader's key in PEM.
func (b *bench) privateKey(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(b.services.Leader().Key)
	if err != nil {
		t.Fatal(err)
	}
	return b.write(t, "leader.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Files in the field carry the signer's certificate alone; what stands above it is at
// hand by --intermediates where the network is not.
func TestAugmentKnowsIntermediatesAtHand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	issuing := b.write(t, "ca.der", b.services.IssuingCA().Certificate.Raw)
	leafOnly := b.write(t, "leaf.der", b.services.Leader().Certificate.Raw)
	signed := b.out("leaf.pdf")
	if code, _, stderr := invoke(t, "sign", b.pdf, "-o", signed, "--key", "pem:"+leafOnly+","+b.privateKey(t), "--offline"); code != 0 {
		t.Fatal(stderr)
	}
	stamped := b.out("stamped.pdf")
	if code, _, stderr := invoke(t, "augment", signed, "-o", stamped, "--level", "B-T", "--tsa", b.tsa, "--trust", filepath.Join(b.pki, "root.pem")); code != 0 {
		t.Fatal(stderr)
	}
	// No host is allowed, so nothing can be fetched: the lists lie in a folder.
	lists := b.out("crl")
	if err := os.Mkdir(lists, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root", "issuing"} {
		der, err := b.services.CRL(name)
		if err != nil {
			t.Fatal(err)
		}
		b.write(t, filepath.Join("crl", name+".crl"), der)
	}
	config := b.write(t, "antin.yaml", []byte("trust:\n  intermediates: [ca.der]\n"))
	for name, c := range map[string]struct {
		before, after []string
		done          bool
	}{
		"at hand nowhere":      {nil, nil, false},
		"by the flag":          {nil, []string{"--intermediates", issuing}, true},
		"by the configuration": {[]string{"--config", config}, nil, true},
	} {
		out := b.out(strings.ReplaceAll(name, " ", "-") + ".pdf")
		args := append(c.before, "augment", stamped, "-o", out, "--level", "B-LT", "--trust", filepath.Join(b.pki, "root.pem"), "--crls", lists, "--json")
		code, stdout, stderr := invoke(t, append(args, c.after...)...)
		if (code == 0) != c.done || strings.Contains(stdout, "PAdES-B-LT") != c.done {
			t.Errorf("%s: exit %d: %s%s", name, code, stdout, stderr)
		}
	}
}
