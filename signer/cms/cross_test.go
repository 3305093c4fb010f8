package cms_test

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"go.mozilla.org/pkcs7"

	"antin/signer/ades"
	"antin/signer/cms"
)

// What we make, another implementation verifies, as far as it knows the algorithms.
func TestAnotherImplementationVerifiesOurs(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{rsaKey(), p256(), p384()} {
		for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			id := newIdentity(t, "Lãnh đạo", key)
			p7, err := pkcs7.Parse(sign(t, id, h, false, nil))
			if err != nil {
				t.Errorf("%T with %s: %v", key, h, err)
				continue
			}
			p7.Content = content
			if err := p7.Verify(); err != nil {
				t.Errorf("%T with %s: %v", key, h, err)
			}
			p7.Content = []byte("khác")
			if p7.Verify() == nil {
				t.Errorf("%T with %s: other content verifies", key, h)
			}
		}
	}
}

func TestWeVerifyWhatAnotherImplementationMakes(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{rsaKey(), p256()} {
		for _, detached := range []bool{true, false} {
			id := newIdentity(t, "Lãnh đạo", key)
			maker, err := pkcs7.NewSignedData(content)
			if err != nil {
				t.Fatal(err)
			}
			maker.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
			if err := maker.AddSigner(id.x509, id.key, pkcs7.SignerInfoConfig{}); err != nil {
				t.Fatal(err)
			}
			if detached {
				maker.Detach()
			}
			sd, s := parse(t, must(maker.Finish()))
			if (sd.Content == nil) != detached {
				t.Errorf("detached %v, content %q", detached, sd.Content)
			}
			cert, err := s.SigningCertificate(sd.Certificates)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.VerifySignature(cert); err != nil {
				t.Errorf("%T: %v", key, err)
			}
			if !bytes.Equal(s.MessageDigest(), digest(crypto.SHA256, content)) {
				t.Errorf("%T: message-digest %x", key, s.MessageDigest())
			}
			if _, ok := s.SigningTime(); !ok || len(s.ESS()) != 0 {
				t.Errorf("%T: signing-time or ESS attribute misread", key)
			}
		}
	}
}

var contentsValue = regexp.MustCompile(`/Contents\s*<([0-9A-Fa-f]{200,})>`)

// signaturesIn finds hexadecimal signature values in the bytes of a PDF.
func signaturesIn(pdf []byte) [][]byte {
	var out [][]byte
	for _, m := range contentsValue.FindAllSubmatch(pdf, -1) {
		if der, err := hex.DecodeString(string(m[1])); err == nil {
			out = append(out, der)
		}
	}
	return out
}

// Signatures of the field: every one is read, and the odd ones for what they are.
func TestSignaturesOfTheCorpus(t *testing.T) {
	t.Parallel()
	root := os.Getenv("ANTIN_CORPUS")
	if root == "" {
		t.Skip("ANTIN_CORPUS is not set")
	}
	expect := map[string]func(*testing.T, *cms.SignedData, *cms.SignerInfo){
		"sig-with-ski-sid.pdf": func(t *testing.T, sd *cms.SignedData, s *cms.SignerInfo) {
			if s.SubjectKeyID == nil {
				t.Error("no key identifier")
			}
			verifies(t, sd, s)
		},
		"sig-no-signed-attrs.pdf": func(t *testing.T, _ *cms.SignedData, s *cms.SignerInfo) {
			if s.RawSignedAttrs != nil {
				t.Error("signed attributes found")
			}
		},
		"pdf-sig-with-econtent.pdf": func(t *testing.T, sd *cms.SignedData, _ *cms.SignerInfo) {
			if sd.Content == nil {
				t.Error("no content found")
			}
		},
		"pades-with-old-style-signing-cert-attr.pdf": func(t *testing.T, sd *cms.SignedData, s *cms.SignerInfo) {
			if e := s.ESS(); len(e) != 1 || e[0].Version != 1 || e[0].Serial != nil {
				t.Errorf("ESS %+v", e)
			}
			verifies(t, sd, s)
		},
		"pades-with-old-style-signing-cert-attr-issser.pdf": func(t *testing.T, sd *cms.SignedData, s *cms.SignerInfo) {
			if e := s.ESS(); len(e) != 1 || e[0].Version != 1 || e[0].Serial == nil {
				t.Errorf("ESS %+v", e)
			}
			verifies(t, sd, s)
		},
		"ed448-shake256-nolen.pdf": func(t *testing.T, _ *cms.SignedData, s *cms.SignerInfo) {
			if s.SignatureAlgorithm != "" {
				t.Errorf("Ed448 read as %s", s.SignatureAlgorithm)
			}
		},
	}
	read := 0
	files, err := filepath.Glob(filepath.Join(root, "pdf", "*", "*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		pdf, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		for _, der := range signaturesIn(pdf) {
			sd, err := cms.Parse(der)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			read++
			for _, s := range sd.Signers {
				if check := expect[name]; check != nil {
					check(t, sd, s)
					continue
				}
				if s.SignatureAlgorithm == ades.RSAPKCS1 && s.RawSignedAttrs != nil {
					verifies(t, sd, s)
				}
			}
		}
	}
	if read < 10 {
		t.Errorf("only %d signatures read", read)
	}
	t.Logf("%d signatures read", read)
}

func verifies(t *testing.T, sd *cms.SignedData, s *cms.SignerInfo) {
	t.Helper()
	cert, err := s.SigningCertificate(sd.Certificates)
	if err != nil {
		t.Error(err)
		return
	}
	if err := s.VerifySignature(cert); err != nil && !errors.Is(err, cms.ErrUnsupported) {
		t.Errorf("%s: %v", cert.Subject, err)
	}
}
