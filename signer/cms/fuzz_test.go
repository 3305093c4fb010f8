package cms_test

import (
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"antin/signer/cms"
)

func FuzzParse(f *testing.F) {
	id := newIdentity(f, "Lãnh đạo", p256())
	f.Add(sign(f, id, crypto.SHA256, false, nil))
	f.Add(sign(f, newIdentity(f, "B", rsaKey()), crypto.SHA384, true, func(p *cms.AttributeParams, b *cms.SignedDataParams) {
		p.Role, p.CommitmentType, p.IssuerSerial = "Chủ tịch", cms.OIDProofOfApproval, true
		b.BySubjectKeyID, b.Content, b.Timestamp = true, content, tlv(0x30, []byte{5, 0})
	}))
	fields, _ := take(f, sign(f, id, crypto.SHA256, false, nil))
	f.Add(indefinite(0x30, oidSignedData, indefinite(0xA0, indefinite(0x30, fields...))))
	f.Add(append(wrap(tlv(0x30, []byte{2, 1, 1}, tlv(0x31), tlv(0x30, oidSignedData, tlv(0xA0, indefinite(0x24, tlv(4, content)))), tlv(0x31))), 0, 0))
	if root := os.Getenv("ANTIN_CORPUS"); root != "" {
		for _, name := range []string{"sig-with-ski-sid.pdf", "sig-no-signed-attrs.pdf", "pades-with-old-style-signing-cert-attr-issser.pdf"} {
			if pdf, err := os.ReadFile(filepath.Join(root, "pdf", "pyhanko", name)); err == nil {
				for _, der := range signaturesIn(pdf) {
					f.Add(der)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sd, err := cms.Parse(b)
		if err != nil {
			if !errors.Is(err, cms.ErrMalformed) && !errors.Is(err, cms.ErrLimit) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		again, err := cms.Parse(sd.Raw)
		if err != nil || again.Trailing != 0 || len(again.Signers) != len(sd.Signers) {
			t.Fatalf("the same bytes read differently: %v", err)
		}
		for _, s := range sd.Signers {
			_, _ = s.SigningTime()
			_, _ = s.AdobeRevocation()
			_ = s.CommitmentTypes()
			_ = s.SignaturePolicy()
			_, _ = s.SigningCertificate(sd.Certificates)
			_ = s.VerifyDigest(id.cert, make([]byte, 32))
			if v, err := s.Verify(id.cert); err != nil && v.Resorted {
				t.Fatalf("an error with a verification: %v", err)
			}
		}
		if len(sd.Signers) != 1 {
			return
		}
		stamped, err := cms.AddTimestamp(b, tlv(0x30, []byte{5, 0}))
		if errors.Is(err, cms.ErrLimit) {
			return
		}
		if err != nil {
			t.Fatalf("adding a time-stamp: %v", err)
		}
		after, err := cms.Parse(stamped)
		if errors.Is(err, cms.ErrLimit) {
			return
		}
		if err != nil || len(after.Signers) != 1 || len(after.Signers[0].Timestamps()) != len(sd.Signers[0].Timestamps())+1 {
			t.Fatalf("time-stamp lost: %v", err)
		}
	})
}
