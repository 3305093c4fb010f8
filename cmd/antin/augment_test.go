package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// augment is the command line that raises in to a level.
func (b *bench) augment(in, out, level string, more ...string) []string {
	return append([]string{"augment", in, "-o", out, "--level", level, "--trust", filepath.Join(b.pki, "root.pem"), "--allow-host", b.allow}, more...)
}

func TestSignatureIsAugmentedStepByStep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := b.out("0.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, at)...); code != 0 {
		t.Fatal(stderr)
	}
	for _, level := range []string{"B-T", "B-LT", "B-LTA", "B-LTA"} {
		before, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		next := b.out(level + filepath.Base(at))
		args := b.augment(at, next, level, "--json")
		if level != "B-LT" {
			args = append(args, "--tsa", b.tsa)
		}
		code, stdout, stderr := invoke(t, args...)
		var line struct{ File, Output, Status, Level, Error string }
		if err := json.Unmarshal([]byte(stdout), &line); err != nil || code != 0 || line.Status != "signed" || line.Output != next {
			t.Fatalf("%s: exit %d, %v: %s%s", level, code, err, stdout, stderr)
		}
		if level != "B-T" && line.Level != "PAdES-"+level {
			t.Errorf("%s: says %s", level, line.Level)
		}
		after, err := os.ReadFile(at)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the input was changed", level)
		}
		at = next
	}
	code, stdout, _ := invoke(t, "verify", at, "--offline", "--json", "--fail-on", "note", "--trust", filepath.Join(b.pki, "root.pem"))
	if code != 0 || !strings.Contains(stdout, `"level":"PAdES-B-LTA"`) || strings.Count(stdout, `"type":"document_timestamp"`) < 2 {
		t.Errorf("offline: exit %d: %s", code, stdout)
	}
}

func TestAugmentRefusalsHaveTheirExitCodes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	signed := b.out("ky.pdf")
	if code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, signed)...); code != 0 {
		t.Fatal(stderr)
	}
	bad := b.write(t, "hong.pdf", []byte("no PDF"))
	for name, row := range map[string]struct {
		args []string
		exit int
	}{
		"an unknown level":       {b.augment(signed, b.out("1.pdf"), "B-X"), 2},
		"a level without TSA":    {b.augment(signed, b.out("2.pdf"), "B-LTA"), 2},
		"nothing signed":         {b.augment(b.pdf, b.out("3.pdf"), "B-T", "--tsa", b.tsa), 7},
		"no time-stamp there":    {b.augment(signed, b.out("4.pdf"), "B-LT"), 10},
		"no PDF":                 {b.augment(bad, b.out("5.pdf"), "B-LT"), 1},
		"not there":              {b.augment(b.out("khong"), b.out("6.pdf"), "B-LT"), 8},
		"output is there":        {b.augment(signed, b.pdf, "B-T", "--tsa", b.tsa), 9},
		"several, one of them":   {append([]string{"augment", bad}, b.augment(signed, b.out("tm")+"/", "B-T", "--tsa", b.tsa)[1:]...), 6},
		"a password not in file": {b.augment(signed, b.out("7.pdf"), "B-LT", "--pdf-password-file", b.out("khong")), 1},
	} {
		code, stdout, stderr := invoke(t, row.args...)
		if code != row.exit || !strings.Contains(stderr, "→") {
			t.Errorf("%s: exit %d, want %d: %s%s", name, code, row.exit, stdout, stderr)
		}
	}
	if left, err := filepath.Glob(b.out("[1-7].pdf")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
