//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/validation"
)

// dssIndexInvalid is what DSS says of a hash index that names what is not there. It
// warns and goes by the imprint; we refuse the time-stamp, since EN 319 122-1, 5.5.2
// calls such an index invalid.
const dssIndexInvalid = "The ats-hash-index attribute is not valid!"

// cadesFile is a signature file that DSS made, and the content that it is over.
type cadesFile struct {
	path, content string // content is "" where the signature holds it
}

// dssCades lets DSS sign content at a level and, when again is set, renew it.
func (w *world) dssCades(t *testing.T, level string, detached, again bool) cadesFile {
	t.Helper()
	dir := t.TempDir()
	f := cadesFile{path: filepath.Join(dir, "a.p7s"), content: filepath.Join(dir, "a.bin")}
	if err := os.WriteFile(f.content, bytes.Repeat([]byte("Nơi nhận: như trên.\r\n"), 50), 0o600); err != nil {
		t.Fatal(err)
	}
	packaging, given := "attached", "-"
	if detached {
		packaging, given = "detached", f.content
	}
	if _, err := w.java.ask("cades-sign", w.root, w.TSAURL(), level, packaging, w.p12(keyP256, asciiPassword), asciiPassword, f.content, f.path); err != nil {
		t.Fatal(err)
	}
	if again {
		next := filepath.Join(dir, "b.p7s")
		if _, err := w.java.ask("cades-extend", w.root, w.TSAURL(), level, given, f.path, next); err != nil {
			t.Fatal(err)
		}
		f.path = next
	}
	if !detached {
		f.content = ""
	}
	return f
}

// judgeCades is our word on der, offline, with what the file itself holds.
func (w *world) judgeCades(t *testing.T, der []byte, content string, at time.Time) (*validation.Report, validation.Signature) {
	t.Helper()
	in := validation.CMSInput{Input: validation.Input{Reader: bytes.NewReader(der), Size: int64(len(der)), Name: "a.p7s"}}
	if content != "" {
		data, err := os.ReadFile(content)
		if err != nil {
			t.Fatal(err)
		}
		in.Content, in.ContentSize = bytes.NewReader(data), int64(len(data))
	}
	v := &validation.Validator{Trust: w.Anchors(), AllowSandbox: true}
	r, err := v.ValidateCMS(context.Background(), in, at)
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Signatures[0]
}

// TestArchiveTimestampsOfDSSAreJudgedAsDSSDoes has DSS make signature files at every
// level, and judges them and their altered forms beside it.
func TestArchiveTimestampsOfDSSAreJudgedAsDSSDoes(t *testing.T) {
	t.Parallel()
	w := shared
	for name, c := range map[string]struct {
		level           string
		detached, again bool
		archives        int
	}{
		"B-T":                     {"B-T", true, false, 0},
		"B-LT":                    {"B-LT", false, false, 0},
		"B-LTA":                   {"B-LTA", false, false, 1},
		"B-LTA apart":             {"B-LTA", true, false, 1},
		"B-LTA renewed":           {"B-LTA", false, true, 2},
		"B-LTA apart and renewed": {"B-LTA", true, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := w.dssCades(t, c.level, c.detached, c.again)
			der, err := os.ReadFile(f.path)
			if err != nil {
				t.Fatal(err)
			}
			r, s := w.judgeCades(t, der, f.content, time.Now())
			theirs := w.dssOnCades(t, der, f.content)
			if len(s.Attributes.ArchiveTimestamps) != c.archives || (c.archives > 0 && s.Level != "CAdES-"+c.level) {
				t.Errorf("level %s with %+v: %v", s.Level, s.Attributes.ArchiveTimestamps, r.Reasons)
			}
			for _, a := range s.Attributes.ArchiveTimestamps {
				if a.Status != validation.StatementOK {
					t.Errorf("archive time-stamp %+v: %v", a, r.Reasons)
				}
			}
			if c.level != "B-T" && (s.Indication != ades.TotalPassed || theirs.Signatures[0].Indication != dssPassed) {
				t.Errorf("ours %s %s, DSS %+v: %v", s.Indication, s.SubIndication, theirs.Signatures, r.Reasons)
			}
			if c.archives == 0 {
				return
			}
			for what, altered := range cadesAltered(t, der) {
				_, s := w.judgeCades(t, altered, f.content, time.Now())
				theirs := w.dssOnCades(t, altered, f.content)
				broken := 0
				for _, a := range s.Attributes.ArchiveTimestamps {
					if a.SubIndication == ades.HashFailure {
						broken++
					}
				}
				failed := 0
				for _, stamp := range theirs.Timestamps {
					if slices.Contains(stamp.Warnings, dssIndexInvalid) {
						failed++
					}
				}
				if broken != failed || (broken == 0) != (what == "an attribute added") {
					t.Errorf("%s: %d archive time-stamps broken, DSS says %d: %+v, %+v", what, broken, failed, s.Attributes.ArchiveTimestamps, theirs.Timestamps)
				}
			}
		})
	}
}

func (w *world) dssOnCades(t *testing.T, der []byte, content string) javaAnswer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "judged.p7s")
	if err := os.WriteFile(path, der, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := w.java.ask("cades", w.root, "-", orNone(content), path)
	if err != nil || len(a.Signatures) != 1 {
		t.Fatalf("DSS: %v %+v", err, a)
	}
	return a
}

// cadesAltered are forms of der in which something was changed after the archive
// time-stamp.
func cadesAltered(t *testing.T, der []byte) map[string][]byte {
	t.Helper()
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	added, err := cms.AddUnsigned(der, []int{1, 2, 840, 113549, 1, 9, 16, 2, 4}, []byte{0x30, 0x00})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"an attribute added": added}
	// The last byte of the last certificate's own signature, and of a response's.
	flip := func(what string, part []byte) {
		at := bytes.Index(der, part)
		if at < 0 {
			t.Fatalf("%s is not in the file", what)
		}
		changed := bytes.Clone(der)
		changed[at+len(part)-1] ^= 1
		out[what] = changed
	}
	flip("a certificate changed", sd.Certificates[len(sd.Certificates)-1].Raw)
	if n := len(sd.Revocation); n > 0 {
		flip("revocation data changed", sd.Revocation[n-1].Raw)
	}
	return out
}
