package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	plain := padestest.Simple(padestest.Classic, "1.7").Bytes()
	leader := signer.Request{Key: certstest.RoleLeader}
	with := func(change func(*signer.Request)) signer.Request {
		r := leader
		change(&r)
		return r
	}
	cases := map[string]struct {
		prepare func(t *testing.T, a *authorities, s *signer.Signer)
		data    []byte
		req     signer.Request
		want    text.Code
		usesKey bool
	}{
		"an empty file":          {data: []byte{}, req: leader, want: text.NotAPDF},
		"what is no PDF":         {data: bytes.Repeat([]byte("xin chao "), 100), req: leader, want: text.NotAPDF},
		"an unknown key":         {data: plain, req: signer.Request{Key: "x"}, want: text.KeyNotFound},
		"no level":               {data: plain, req: with(func(r *signer.Request) { r.Level = "B-X" }), want: text.InvalidInput},
		"a revoked certificate":  {data: plain, req: signer.Request{Key: certstest.RoleRevoked}, want: text.CertificateRevoked},
		"an expired certificate": {data: plain, req: signer.Request{Key: certstest.RoleExpired}, want: text.CertificateExpired},
		"a certificate without the usage": {
			prepare: func(t *testing.T, a *authorities, _ *signer.Signer) {
				a.issue(t, "server", certstest.Spec{KeyType: certstest.P256, KeyUsage: certs.KeyUsageKeyEncipherment})
			},
			data: plain, req: signer.Request{Key: "server"}, want: text.CertificateUntrusted},
		"a certificate under another root": {
			prepare: func(t *testing.T, _ *authorities, s *signer.Signer) {
				other, err := certstest.New(certstest.Options{LeafKey: certstest.P256})
				if err != nil {
					t.Fatal(err)
				}
				s.Trust = other.Anchors()
			},
			data: plain, req: leader, want: text.CertificateUntrusted},
		"a sandbox certificate when not allowed": {
			prepare: func(_ *testing.T, _ *authorities, s *signer.Signer) { s.AllowSandbox = false },
			data:    plain, req: leader, want: text.CertificateUntrusted},
		"a key that is not the certificate's": {
			prepare: func(_ *testing.T, a *authorities, _ *signer.Signer) {
				k := a.keys[certstest.RoleLeader]
				k.Signer = a.Signer(certstest.RoleSealA).Key
				a.keys[certstest.RoleLeader] = k
			},
			data: plain, req: leader, want: text.CertificateMismatch},
		"a key that lies": {
			prepare: func(_ *testing.T, a *authorities, _ *signer.Signer) {
				k := a.keys[certstest.RoleLeader]
				k.Signer = lyingKey{k.Signer}
				a.keys[certstest.RoleLeader] = k
			},
			data: plain, req: leader, want: text.CertificateMismatch, usesKey: true},
		"a locked token": {
			prepare: func(_ *testing.T, a *authorities, _ *signer.Signer) {
				k := a.keys[certstest.RoleLeader]
				k.Signer = brokenKey{k.Signer}
				a.keys[certstest.RoleLeader] = k
			},
			data: plain, req: leader, want: text.KeyLocked},
		"B-LT without revocation data": {
			prepare: func(_ *testing.T, a *authorities, _ *signer.Signer) { a.down = true },
			data:    plain, req: with(func(r *signer.Request) { r.Level = ades.BLT }), want: text.RevocationUnavailable},
		"B-LT offline": {data: plain, req: with(func(r *signer.Request) { r.Level, r.Offline = ades.BLT, true }), want: text.RevocationUnavailable},
		"B-T offline":  {data: plain, req: with(func(r *signer.Request) { r.Level, r.Offline = ades.BT, true }), want: text.TSAUnavailable, usesKey: true},
		"no TSA": {
			prepare: func(_ *testing.T, _ *authorities, s *signer.Signer) { s.Timestamps = nil },
			data:    plain, req: with(func(r *signer.Request) { r.Level = ades.BT }), want: text.TSAUnavailable, usesKey: true},
		"a TSA that is down": {
			prepare: func(_ *testing.T, a *authorities, _ *signer.Signer) { a.stampErr = errors.New("connection refused") },
			data:    plain, req: with(func(r *signer.Request) { r.Level = ades.BT }), want: text.TSAUnavailable, usesKey: true},
		"a TSA that answers nonsense": {
			prepare: func(_ *testing.T, a *authorities, _ *signer.Signer) {
				a.garble = func([]byte) []byte { return []byte("nonsense") }
			},
			data: plain, req: with(func(r *signer.Request) { r.Level = ades.BT }), want: text.TSAUnavailable, usesKey: true},
		"a token with a wrong signature": {
			prepare: func(_ *testing.T, a *authorities, _ *signer.Signer) {
				a.garble = func(b []byte) []byte { b[len(b)-5] ^= 1; return b }
			},
			data: plain, req: with(func(r *signer.Request) { r.Level = ades.BT }), want: text.TSAUnavailable, usesKey: true},
		"a token from another clock": {
			prepare: func(_ *testing.T, a *authorities, s *signer.Signer) {
				s.Now = func() time.Time { return a.Now().Add(3 * time.Hour) }
			},
			data: plain, req: with(func(r *signer.Request) { r.Level = ades.BT }), want: text.TSAUnavailable, usesKey: true},
		"a field that is not there": {data: plain, req: with(func(r *signer.Request) { r.Field, r.Existing = "X", true }), want: text.FieldNotFound},
		"an appearance that fails": {data: plain, req: with(func(r *signer.Request) {
			r.Rect = [4]float64{0, 0, 10, 10}
			r.Appearance = func(*pdf.Update, float64, float64) (pdf.Ref, error) {
				return pdf.Ref{}, text.Errorf(text.GlyphMissing, nil)
			}
		}), want: text.GlyphMissing},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuthorities(t)
			s := a.signer()
			if c.prepare != nil {
				c.prepare(t, a, s)
			}
			refused(t, s, c.data, c.req, c.want)
			if used := a.used > 0; used != c.usesKey {
				t.Errorf("key used: %v", used)
			}
		})
	}
}

// lyingKey signs something else than asked.
type lyingKey struct{ crypto.Signer }

func (k lyingKey) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	other := bytes.Clone(digest)
	other[0] ^= 1
	return k.Signer.Sign(r, other, o)
}

type brokenKey struct{ crypto.Signer }

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("CKR_PIN_LOCKED")
}

func TestUnknownRevocationIsAWarningBelowBLT(t *testing.T) {
	t.Parallel()
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	for _, c := range []struct {
		name  string
		down  bool
		req   signer.Request
		asked bool
	}{
		{"unreachable", true, signer.Request{Key: certstest.RoleLeader, Level: ades.BT}, true},
		{"offline", false, signer.Request{Key: certstest.RoleLeader, Offline: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAuthorities(t)
			a.down = c.down
			_, res := sign(t, a.signer(), data, c.req)
			if !slices.Contains(res.Warnings, signer.WarnRevocationUnknown) {
				t.Errorf("warnings %v", res.Warnings)
			}
			if (len(a.asked) > 0) != c.asked {
				t.Errorf("asked about %v", a.asked)
			}
		})
	}
}

func TestSigningWithoutTrustSaysSo(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	s := a.signer()
	s.Trust = nil
	_, res := sign(t, s, padestest.Simple(padestest.Classic, "1.7").Bytes(), signer.Request{Key: certstest.RoleLeader, Level: ades.BT})
	if !slices.Contains(res.Warnings, signer.WarnNotTrusted) || res.Indication != ades.Indeterminate {
		t.Errorf("result %+v", res)
	}
}

func TestTooSmallAPlaceholderIsPreparedAnew(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	out, _ := sign(t, a.signer(), padestest.Simple(padestest.Stream, "1.7").Bytes(),
		signer.Request{Key: certstest.RoleLeader, Level: ades.BLT, ContentsSize: 600})
	if r := a.validate(t, out); !passed(r) {
		t.Errorf("verdict %s %+v", r.Verdict, r.Reasons)
	}
	if a.used != 2 {
		t.Errorf("key used %d times", a.used)
	}
}

func TestBrokenEarlierSignatureIsReportedAndStays(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	one, _ := sign(t, a.signer(), padestest.Simple(padestest.Classic, "1.7").Bytes(), signer.Request{Key: certstest.RoleLeader})
	broken := bytes.Replace(one, []byte("12/QD"), []byte("13/QD"), 1)
	_, res := sign(t, a.signer(), broken, signer.Request{Key: certstest.RoleSealA})
	if !slices.Contains(res.Warnings, signer.WarnEarlierInvalid) {
		t.Errorf("warnings %v", res.Warnings)
	}
}

func TestEarlierSignersRulesAreKept(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	s := a.signer()
	data := padestest.Simple(padestest.Classic, "1.7").WithForm("", map[int]string{
		10: padestest.SigField("A", ""), 11: padestest.SigField("B", ""),
	}).Bytes()
	certified, _ := sign(t, s, data, signer.Request{Key: certstest.RoleLeader, Field: "A", Certify: 1})
	refused(t, s, certified, signer.Request{Key: certstest.RoleSealA, Field: "B"}, text.DocMDPForbids)
	locked, _ := sign(t, s, data, signer.Request{Key: certstest.RoleLeader, Field: "A", Lock: &pades.Lock{Action: pades.LockAll}})
	refused(t, s, locked, signer.Request{Key: certstest.RoleSealA, Field: "B"}, text.FieldLocked)
	refused(t, s, locked, signer.Request{Key: certstest.RoleSealA, Field: "A"}, text.FieldAlreadySigned)
	both, _ := sign(t, s, locked, signer.Request{Key: certstest.RoleSealA})
	if r := a.validate(t, both); r.Verdict == "invalid" {
		t.Errorf("new field under a lock of all: %s %+v", r.Verdict, r.Reasons)
	}
}

type failingWriter struct{ left int }

func (w *failingWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		n := w.left
		w.left = 0
		return n, io.ErrShortWrite
	}
	w.left -= len(b)
	return len(b), nil
}

type failingReader struct {
	io.ReaderAt
	after int64
}

func (r failingReader) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > r.after {
		return 0, errors.New("input/output error")
	}
	return r.ReaderAt.ReadAt(b, off)
}

func TestFaultsOfReadingAndWritingAreErrors(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	req := signer.Request{Key: certstest.RoleLeader}
	for _, left := range []int{0, len(data) / 2, len(data), len(data) + 10} {
		if _, err := a.signer().Sign(context.Background(), input(data), &failingWriter{left}, req); text.CodeOf(err) != text.StorageFull {
			t.Errorf("full disk after %d bytes: %v", left, err)
		}
	}
	in := input(data)
	for _, after := range []int64{0, in.Size / 2, in.Size - 1} {
		in.Reader = failingReader{bytes.NewReader(data), after}
		if _, err := a.signer().Sign(context.Background(), in, io.Discard, req); text.CodeOf(err) != text.FileUnreadable {
			t.Errorf("unreadable after %d bytes: %v", after, err)
		}
	}
}

func TestWhatDoesNotPassItsOwnCheckIsHeldBack(t *testing.T) {
	t.Parallel()
	other, err := certstest.New(certstest.Options{LeafKey: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthorities(t)
	s := a.signer()
	s.Validator = &validation.Validator{Trust: other.Anchors(), AllowSandbox: true}
	refused(t, s, padestest.Simple(padestest.Classic, "1.7").Bytes(), signer.Request{Key: certstest.RoleLeader, Level: ades.BLT}, text.SelfCheckFailed)
}
