package helper_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"antin/signer/keys/helper"
)

func TestLinesTakenOffTheEndOfTheLogAreMissed(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	h := start(t, t.TempDir(), map[string]helper.HeldKey{"seal": {Key: key, Kind: helper.KindSeal}})
	c := &helper.Client{Socket: h.socket}
	defer c.Close()
	for n := range 3 {
		p, digest := order(t, n+1)
		_, err := sign(t.Context(), c, "seal", p, digest)
		must(t, err)
	}
	h.stop()
	last, err := helper.VerifyLogFile(h.log)
	if err != nil || last.Seq != 6 {
		t.Fatalf("the whole log: %d, %v", last.Seq, err)
	}
	whole, err := os.ReadFile(h.log)
	must(t, err)
	mark, err := os.ReadFile(h.log + ".last")
	must(t, err)
	start := func() error {
		l, err := helper.Listen(t.Context(), h.socket)
		must(t, err)
		return (&helper.Server{LogPath: h.log, Now: time.Now}).Serve(t.Context(), l)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	other := bytes.Clone(mark)
	other[3] ^= 1 // one of the two records is torn: the other still tells of line 5
	for name, tc := range map[string]struct{ log, mark []byte }{
		"two lines":             {bytes.Join(lines[:4], nil), mark},
		"all lines":             {nil, mark},
		"one, beside a torn":    {bytes.Join(lines[:4], nil), other},
		"a mark that is no one": {whole, []byte("nonsense")},
	} {
		must(t, os.WriteFile(h.log, tc.log, 0o600))
		must(t, os.WriteFile(h.log+".last", tc.mark, 0o600))
		if _, err := helper.VerifyLogFile(h.log); !errors.Is(err, helper.ErrLog) {
			t.Errorf("%s: verified as %v", name, err)
		}
		if err := start(); !errors.Is(err, helper.ErrLog) {
			t.Errorf("%s: started with %v", name, err)
		}
	}
	must(t, os.Remove(h.log))
	must(t, os.WriteFile(h.log+".last", mark, 0o600))
	if _, err := helper.VerifyLogFile(h.log); !errors.Is(err, helper.ErrLog) {
		t.Errorf("a log that is gone: %v", err)
	}
}

func TestALogIsWholeWithoutItsMarkOrAheadOfIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := helper.VerifyLogFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no log at all: %v", err)
	}
	key := newKey(t)
	h := start(t, dir, map[string]helper.HeldKey{"seal": {Key: key, Kind: helper.KindSeal}})
	c := &helper.Client{Socket: h.socket}
	defer c.Close()
	p, digest := order(t, 1)
	_, err := sign(t.Context(), c, "seal", p, digest)
	must(t, err)
	h.stop()
	early, err := os.ReadFile(h.log + ".last")
	must(t, err)
	for name, spoil := range map[string]func() error{
		"a log from before there were marks":  func() error { return os.Remove(h.log + ".last") },
		"a death between a line and its mark": func() error { return os.WriteFile(h.log+".last", early, 0o600) },
	} {
		must(t, spoil())
		h = start(t, dir, map[string]helper.HeldKey{"seal": {Key: key, Kind: helper.KindSeal}})
		_, err := sign(t.Context(), c, "seal", p, digest)
		must(t, err)
		h.stop()
		if _, err := helper.VerifyLogFile(h.log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
