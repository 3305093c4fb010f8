package signer_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/appearance"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
)

// prepared is a document with empty number and date and two places to sign.
func prepared(kind padestest.Kind) []byte {
	return padestest.Simple(kind, "1.7").WithForm("", map[int]string{
		10: padestest.TextField("so", ""), 11: padestest.TextField("ngay", "/Q 1 "),
		12: padestest.SigField("NguoiKy", ""), 13: padestest.SigField("CoQuan", ""),
	}).Bytes()
}

func TestNumberDateAndSealUnderTheLeadersSignature(t *testing.T) {
	t.Parallel()
	for _, kind := range padestest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			a := newAuthorities(t)
			s := a.signer()
			mark := func(c *certs.Certificate, at time.Time) (pades.Appearance, error) {
				return appearance.FieldText(appearance.FieldMark{Value: c.CommonName + " " + at.Format("02.01")}), nil
			}
			person, _ := sign(t, s, prepared(kind), signer.Request{Key: certstest.RoleLeader, Level: ades.BLT, Field: "NguoiKy", Existing: true,
				Draw: mark, Lock: &pades.Lock{Action: pades.LockExclude, Fields: []string{"so", "ngay", "CoQuan"}}})
			sealed, res := sign(t, s, person, signer.Request{Key: certstest.RoleSealA, Level: ades.BLT, Field: "CoQuan", Existing: true,
				Draw: mark, Fill: map[string]string{"so": "128/QĐ", "ngay": "23"}, Lock: &pades.Lock{Action: pades.LockAll}})
			keep(t, "workflow-"+string(kind)+"-B-LT-.pdf", sealed)
			keep(t, "root.pem", a.RootPEM())
			if res.Field != "CoQuan" {
				t.Errorf("field %q", res.Field)
			}
			if r := a.validate(t, sealed); !passed(r) || r.Verdict != "valid" {
				t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
			}
			refused(t, s, sealed, signer.Request{Key: certstest.RoleSealB, Fill: map[string]string{"so": "129"}}, text.FieldLocked)
			arrival, _ := sign(t, s, sealed, signer.Request{Key: certstest.RoleSealB, Level: ades.BLT})
			if r := a.validate(t, arrival); !passed(r) {
				t.Errorf("after the arrival signature %s: %+v", r.Verdict, r.Reasons)
			}
		})
	}
}

func TestAugmentRaisesToBLT(t *testing.T) {
	t.Parallel()
	for _, kind := range padestest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			a := newAuthorities(t)
			s := a.signer()
			data := padestest.Simple(kind, "1.7").Bytes()
			one, _ := sign(t, s, data, signer.Request{Key: certstest.RoleLeader, Level: ades.BT})
			two, _ := sign(t, s, one, signer.Request{Key: certstest.RoleSealA, Level: ades.BT})
			var out bytes.Buffer
			res, err := s.Augment(context.Background(), input(two), &out, ades.BLT)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(out.Bytes(), two) || res.Level != "PAdES-B-LT" || res.Field != "Signature2" || res.Bytes != int64(out.Len()) {
				t.Errorf("result %+v", res)
			}
			if r := a.validate(t, out.Bytes()); !passed(r) || r.Signatures[0].Level != "PAdES-B-LT" {
				t.Errorf("verdict %s %+v", r.Verdict, r.Reasons)
			}
		})
	}
}

func TestAugmentRefuses(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	s := a.signer()
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	bb, _ := sign(t, s, data, signer.Request{Key: certstest.RoleLeader})
	bt, _ := sign(t, s, data, signer.Request{Key: certstest.RoleLeader, Level: ades.BT})
	down := newAuthorities(t)
	down.down = true
	noTSA := a.signer()
	noTSA.Timestamps = nil
	for name, c := range map[string]struct {
		s     *signer.Signer
		data  []byte
		level ades.Level
		want  text.Code
	}{
		"an unsigned document":                       {s, data, ades.BLT, text.SignatureRequired},
		"no level to raise to":                       {s, bt, ades.BB, text.InvalidInput},
		"one without a time-stamp and nobody to ask": {noTSA, bb, ades.BLT, text.TSAUnavailable},
		"without revocation data":                    {down.signer(), bt, ades.BLT, text.RevocationUnavailable},
	} {
		var out bytes.Buffer
		_, err := c.s.Augment(context.Background(), input(c.data), &out, c.level)
		if text.CodeOf(err) != c.want || !bytes.HasPrefix(c.data, out.Bytes()) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestRotatedPageShowsTheMarkUpright(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	for rotate, want := range map[string][2]float64{"0": {100, 40}, "90": {40, 100}, "180": {100, 40}, "270": {40, 100}, "-90": {40, 100}} {
		d := padestest.Simple(padestest.Classic, "1.7").With(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate "+rotate+" >>")
		var got [2]float64
		sign(t, a.signer(), d.Bytes(), signer.Request{Key: certstest.RoleLeader, Rect: [4]float64{10, 10, 110, 50},
			Appearance: func(u *pdf.Update, w, h float64) (pdf.Ref, error) {
				got = [2]float64{w, h}
				return appearance.FieldText(appearance.FieldMark{Value: "A"})(u, w, h)
			}})
		if got != want {
			t.Errorf("rotation %s: drawn at %v, want %v", rotate, got, want)
		}
	}
}
