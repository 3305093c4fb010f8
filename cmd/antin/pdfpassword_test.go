package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestVerifyOpensEncryptedFilesWithTheirPassword(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	password, wrong := b.write(t, "mk.txt", []byte("user\r\n")), b.write(t, "sai.txt", []byte("x"))
	out := b.out("ra.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", filepath.Join("testdata", "encrypted.pdf"), out, "--pdf-password-file", password)...); code != 0 {
		t.Fatalf("signing: exit %d: %s", code, stderr)
	}
	verify := []string{"verify", out, "--json", "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow}
	for _, c := range []struct {
		more []string
		exit int
		says string
	}{
		{nil, 7, `"password-required"`},
		{[]string{"--pdf-password-file", wrong}, 7, `"password-wrong"`},
		{[]string{"--pdf-password-file", password}, 0, `"verdict":"valid"`},
		{[]string{"--pdf-password-file", b.out("khong-co")}, 1, ""},
	} {
		code, stdout, stderr := invoke(t, append(verify[:len(verify):len(verify)], c.more...)...)
		if code != c.exit || !strings.Contains(stdout, c.says) {
			t.Errorf("%v: exit %d, want %d: %s%s", c.more, code, c.exit, stdout, stderr)
		}
	}
}
