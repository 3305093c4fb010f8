package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/pdf"
	"antin/signer/validation"
)

// issueAll adds a key of every kind that may sign, and returns their names.
func (a *authorities) issueAll(t *testing.T) []string {
	t.Helper()
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.issue(t, "rsa2048", certstest.Spec{KeyType: certstest.RSA2048})
	a.issue(t, "rsa3072", certstest.Spec{KeyType: certstest.RSA3072})
	a.issue(t, "p256", certstest.Spec{KeyType: certstest.P256})
	a.issue(t, "p384", certstest.Spec{KeyType: certstest.P384})
	a.issue(t, "p521", certstest.Spec{Key: p521})
	a.issue(t, "ed25519", certstest.Spec{KeyType: certstest.Ed25519})
	return []string{"rsa2048", "rsa3072", "p256", "p384", "p521", "ed25519"}
}

func TestEveryKeySignsWithEveryDigest(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	s := a.signer()
	for _, key := range a.issueAll(t) {
		for _, digest := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512} {
			for _, pss := range []bool{false, true} {
				isRSA := strings.HasPrefix(key, "rsa")
				if (pss && !isRSA) || (key == "ed25519" && digest != crypto.SHA256) {
					continue
				}
				t.Run(fmt.Sprintf("%s %s pss=%t", key, digest, pss), func(t *testing.T) {
					t.Parallel()
					out, _ := sign(t, s, padestest.Simple(padestest.Classic, "2.0").Bytes(),
						signer.Request{Key: key, Digest: digest, PSS: pss, Level: ades.BLT})
					report := a.validate(t, out)
					if !passed(report) {
						t.Fatalf("verdict %s: %+v", report.Verdict, report.Reasons)
					}
					want := ades.HashName(digest)
					if key == "ed25519" {
						want = "SHA-512" // RFC 8419, whatever was asked for
					}
					if got := report.Signatures[0]; got.Digest != want || (got.Algorithm == string(ades.RSAPSS)) != pss {
						t.Errorf("signed with %s %s, want %s", got.Algorithm, got.Digest, want)
					}
				})
			}
		}
	}
}

func TestTheLargestRSAKeySigns(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthorities(t)
	a.issue(t, "rsa4096", certstest.Spec{Key: key})
	out, _ := sign(t, a.signer(), padestest.Simple(padestest.Classic, "1.7").Bytes(), signer.Request{Key: "rsa4096", Level: ades.BLT})
	if r := a.validate(t, out); !passed(r) || r.Signatures[0].KeyBits != 4096 {
		t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
	}
}

func TestAWeakKeyIsRefusedWithItsDate(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthorities(t)
	a.issue(t, "rsa1024", certstest.Spec{Key: key})
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	refused(t, a.signer(), data, signer.Request{Key: "rsa1024"}, text.NotAllowed)
	_, err = a.signer().Sign(t.Context(), input(data), discard{}, signer.Request{Key: "rsa1024"})
	if said := text.As(err).Message().EN; !strings.Contains(said, "RSA-PKCS1-v1.5 1024") || !strings.Contains(said, "2019-10-01") {
		t.Errorf("said %q", said)
	}
	if a.used != 0 {
		t.Error("key was used")
	}
}

// sideBySide is an ECDSA value as PKCS #11 and some remote services return it.
func sideBySide(t *testing.T, der []byte, size int) []byte {
	t.Helper()
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		t.Fatal(err)
	}
	return append(v.R.FillBytes(make([]byte, size)), v.S.FillBytes(make([]byte, size))...)
}

func TestPreparedIsCompletedByEveryKey(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	for _, name := range a.issueAll(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := padestest.Simple(padestest.Classic, "1.7").Bytes()
			p := suspended(t, a.signer(), data, signer.Request{Key: name, Level: ades.BT})
			key := a.keys[name].Signer
			algorithm, err := cms.AlgorithmFor(key.Public(), crypto.SHA256, false)
			if err != nil {
				t.Fatal(err)
			}
			value, err := key.Sign(rand.Reader, p.ToSign(), algorithm.SignerOpts())
			if err != nil {
				t.Fatal(err)
			}
			if pub, ok := key.Public().(*ecdsa.PublicKey); ok {
				value = sideBySide(t, value, (pub.Curve.Params().BitSize+7)/8)
			}
			if name == "ed25519" && !bytes.Equal(p.ToSign(), p.SignedAttributes) {
				t.Error("Ed25519 is asked for a hash")
			}
			var out bytes.Buffer
			if _, err := a.signer().Complete(t.Context(), input(data), p, signer.Completion{Raw: value}, &out); err != nil {
				t.Fatal(err)
			}
			if r := a.validate(t, out.Bytes()); r.Signatures[0].Integrity != validation.IntegrityOK {
				t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
			}
		})
	}
}

// signerInfo reads the CMS of the newest signature.
func signerInfo(t *testing.T, data []byte) (*cms.SignerInfo, pades.Signature) {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := pades.Signatures(f)
	if err != nil {
		t.Fatal(err)
	}
	newest := all[len(all)-1]
	sd, err := cms.Parse(newest.Contents)
	if err != nil {
		t.Fatal(err)
	}
	return sd.Signers[0], newest
}

var policyOID = asn1.ObjectIdentifier{2, 25, 1}

func claimed() signer.Request {
	document := sha256.Sum256([]byte("policy"))
	return signer.Request{Key: certstest.RoleLeader, Role: "Chủ tịch Ủy ban nhân dân", ContentTimestamp: true,
		Commitment: cms.OIDProofOfApproval, Reason: "Phê duyệt", Location: "Hà Nội",
		Policy: &cms.Policy{OID: policyOID, Hash: crypto.SHA256, HashValue: document[:], URI: "http://policy.example/1"}}
}

func checkClaims(t *testing.T, data []byte) {
	t.Helper()
	s, dict := signerInfo(t, data)
	if got := s.CommitmentTypes(); len(got) != 1 || !got[0].Equal(cms.OIDProofOfApproval) {
		t.Errorf("commitments %v", got)
	}
	if !s.SignaturePolicy().Equal(policyOID) {
		t.Errorf("policy %v", s.SignaturePolicy())
	}
	role, ok := s.Attribute(cms.OIDSignerAttributesV2)
	if !ok || !bytes.Contains(role.Values[0], []byte("Chủ tịch Ủy ban nhân dân")) {
		t.Errorf("role %v", role)
	}
	if n := len(s.ContentTimestamps()); n != 1 {
		t.Errorf("%d content time-stamps", n)
	}
	if _, forbidden := s.SigningTime(); forbidden || dict.Reason != "" || dict.Location != "Hà Nội" {
		t.Errorf("signing time %t, reason %q, place %q", forbidden, dict.Reason, dict.Location)
	}
}

func TestClaimsGoIntoTheCMS(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	for _, level := range []ades.Level{ades.BB, ades.BT, ades.BLT} {
		req := claimed()
		req.Level = level
		out, _ := sign(t, a.signer(), data, req)
		checkClaims(t, out)
		if r := a.validate(t, out); level == ades.BLT && !passed(r) {
			t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
		}
	}
}

func TestClaimsSurvivePreparing(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	s := a.signer()
	p := suspended(t, s, data, claimed())
	value, err := s.SignPrepared(t.Context(), certstest.RoleLeader, p)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := s.Complete(t.Context(), input(data), p, value, &out); err != nil {
		t.Fatal(err)
	}
	checkClaims(t, out.Bytes())
	// Nothing of it may be exchanged in between.
	other := *p
	other.Role = "Thủ tướng"
	if _, err := s.Complete(t.Context(), input(data), &other, value, discard{}); text.CodeOf(err) != text.StateConflict {
		t.Errorf("another role: %v", err)
	}
	other = *p
	other.ContentTimestamp = nil
	if _, err := s.Complete(t.Context(), input(data), &other, value, discard{}); text.CodeOf(err) != text.StateConflict {
		t.Errorf("no content time-stamp: %v", err)
	}
}

func TestClaimsAreChecked(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	with := func(change func(*signer.Request)) signer.Request {
		r := claimed()
		change(&r)
		return r
	}
	for name, req := range map[string]signer.Request{
		"a role too long":          with(func(r *signer.Request) { r.Role = strings.Repeat("x", 513) }),
		"a role that is no text":   with(func(r *signer.Request) { r.Role = "\xff" }),
		"a policy without a hash":  with(func(r *signer.Request) { r.Policy.HashValue = nil }),
		"a policy with a space":    with(func(r *signer.Request) { r.Policy.URI = "http://a b" }),
		"a policy without its OID": with(func(r *signer.Request) { r.Policy.OID = nil }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, a.signer(), data, req, text.InvalidInput)
		})
	}
	a.stampErr = text.Errorf(text.TSAUnavailable, errors.New("closed"))
	refused(t, a.signer(), data, claimed(), text.TSAUnavailable)
	if a.used != 0 {
		t.Error("key was used")
	}
}

func TestPreparedLivesAsLongAsItsCallerSays(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	const week = 7 * 24 * time.Hour
	p := suspended(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader, Life: 3 * week})
	value, err := a.signer().SignPrepared(t.Context(), certstest.RoleLeader, p)
	if err != nil {
		t.Fatal(err)
	}
	complete := func(after time.Duration, a *authorities) error {
		s := a.signer()
		s.Now = func() time.Time { return a.Now().Add(after) }
		_, err := s.Complete(t.Context(), input(data), p, value, discard{})
		return err
	}
	if err := complete(2*week, a); err != nil {
		t.Errorf("after two weeks: %v", err)
	}
	if err := complete(3*week+time.Second, a); text.CodeOf(err) != text.StateConflict {
		t.Errorf("after its end: %v", err)
	}
	for _, life := range []time.Duration{-1, signer.MaxLife + 1} {
		_, err := a.signer().Prepare(t.Context(), input(data), signer.Request{Key: certstest.RoleLeader, Life: life})
		if text.CodeOf(err) != text.InvalidInput {
			t.Errorf("life of %s: %v", life, err)
		}
	}
}

func TestACertificateRevokedMeanwhileDoesNotComplete(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	e := a.issue(t, "revoked meanwhile", certstest.Spec{KeyType: certstest.P256})
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	p := suspended(t, a.signer(), data, signer.Request{Key: "revoked meanwhile"})
	value, err := a.signer().SignPrepared(t.Context(), "revoked meanwhile", p)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Revoke(e.Certificate, a.Now(), 1); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	_, err = a.signer().Complete(context.Background(), input(data), p, value, &out)
	if text.CodeOf(err) != text.CertificateRevoked || out.Len() > len(data) {
		t.Errorf("%v, %d bytes left", err, out.Len())
	}
}

func TestNotesOfTheDocumentAreWarnings(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").WithForm("/XFA [(x) (y)]", nil).Bytes()
	_, res := sign(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader})
	if len(res.Warnings) != 1 || res.Warnings[0] != signer.WarnXFA {
		t.Errorf("warnings %v", res.Warnings)
	}
}

func TestASecondSignerMayGrowTheTreeOfFields(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	first, _ := sign(t, a.signer(), padestest.Simple(padestest.Classic, "1.7").Bytes(),
		signer.Request{Key: certstest.RoleLeader, Level: ades.BLT, Field: "Duyet.Cap1"})
	for _, field := range []string{"Duyet.Cap2", "Duyet.Nhom.Cap3", "Khac.Cap4"} {
		first, _ = sign(t, a.signer(), first, signer.Request{Key: certstest.RoleSealA, Level: ades.BLT, Field: field})
	}
	if r := a.validate(t, first); !passed(r) || len(r.Signatures) != 4 {
		t.Errorf("verdict %s: %+v", r.Verdict, r.Reasons)
	}
}
