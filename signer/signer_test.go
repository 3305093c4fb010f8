package signer_test

import (
	"context"
	"crypto"
	"fmt"
	"testing"

	"antin/certs/certstest"
	"antin/signer/ades"
	"antin/signer/pades/padestest"

	"antin/signer"
)

func TestSignMatrix(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	a.issue(t, "p256", certstest.Spec{KeyType: certstest.P256})
	a.issue(t, "p384", certstest.Spec{KeyType: certstest.P384})
	s := a.signer()
	for _, kind := range padestest.Kinds() {
		for _, key := range []string{certstest.RoleLeader, "p256"} {
			for _, level := range []ades.Level{ades.BB, ades.BT, ades.BLT} {
				for _, visible := range []bool{false, true} {
					name := fmt.Sprintf("%s %s %s visible=%v", kind, key, level, visible)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						req := signer.Request{Key: key, Level: level, Reason: "Phê duyệt"}
						if visible {
							req.Rect = [4]float64{300, 100, 480, 160}
						}
						original := padestest.Simple(kind, "1.7").Bytes()
						out, res := sign(t, s, original, req)
						keep(t, "root.pem", a.RootPEM())
						keep(t, fmt.Sprintf("%s-%s-%s-%v.pdf", kind, key, level, visible), out)
						if res.Level != "PAdES-"+string(level) || res.Field != "Signature1" {
							t.Errorf("result %+v", res)
						}
						if (res.TimeSource == signer.TimeSourceTSA) != level.AtLeast(ades.BT) {
							t.Errorf("time source %s", res.TimeSource)
						}
						r := a.validate(t, out)
						if level == ades.BLT && (!passed(r) || r.Verdict != "valid") {
							t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
						}
						two, _ := sign(t, s, out, req)
						r = a.validate(t, two)
						if len(r.Signatures) != 2 || (level == ades.BLT && !passed(r)) {
							t.Errorf("after a second signature: %s %+v", r.Verdict, r.Reasons)
						}
					})
				}
			}
		}
	}
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	a.issue(t, "p384", certstest.Spec{KeyType: certstest.P384})
	a.issue(t, "rsa3072", certstest.Spec{KeyType: certstest.RSA3072})
	s := a.signer()
	for _, c := range []signer.Request{
		{Key: certstest.RoleLeader, PSS: true},
		{Key: certstest.RoleLeader, Digest: crypto.SHA512},
		{Key: "rsa3072", Digest: crypto.SHA384, PSS: true},
		{Key: "p384", Digest: crypto.SHA384},
	} {
		t.Run(fmt.Sprintf("%s %s pss=%v", c.Key, c.Digest, c.PSS), func(t *testing.T) {
			t.Parallel()
			c.Level = ades.BLT
			out, _ := sign(t, s, padestest.Simple(padestest.Classic, "2.0").Bytes(), c)
			if r := a.validate(t, out); !passed(r) {
				t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
			}
		})
	}
}

func TestSignCancelled(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	if _, err := a.signer().Sign(ctx, input(data), discard{}, signer.Request{Key: certstest.RoleLeader}); err == nil {
		t.Error("signed under a context that had ended")
	}
	if a.used != 0 {
		t.Error("key was used")
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
