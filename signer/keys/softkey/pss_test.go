package softkey_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"testing"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/keys/softkey"
)

func TestAKeyRestrictedToPSSOpensAndSignsSo(t *testing.T) {
	t.Parallel()
	both, err := os.ReadFile("testdata/rsa-pss.pem") // made by OpenSSL 3.0: req -x509 -newkey rsa-pss
	if err != nil {
		t.Fatal(err)
	}
	key, err := softkey.FromPEM(nil, both, "")
	if err != nil {
		t.Fatal(err)
	}
	leaf := key.Chain[0]
	algorithm, err := cms.AlgorithmForCertificate(leaf, crypto.SHA256, false)
	if err != nil || algorithm.Scheme != ades.RSAPSS {
		t.Fatalf("%s, %v", algorithm.Scheme, err)
	}
	digest := make([]byte, 64)
	attributes, err := cms.SignedAttributes(cms.AttributeParams{MessageDigest: digest[:32], Certificate: leaf, Algorithm: algorithm})
	if err != nil {
		t.Fatal(err)
	}
	value, err := algorithm.Sign(rand.Reader, key.Signer, attributes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := cms.Build(cms.SignedDataParams{Algorithm: algorithm, Attributes: attributes, Signature: value, Certificate: leaf})
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := sd.Signers[0].VerifySignature(leaf); err != nil {
		t.Error(err)
	}
}

// OpenSSL 3.0 made both: pkcs12 -export, with its defaults and with -keypbe and
// -certpbe PBE-SHA1-3DES -macalg sha1.
func TestAKeyRestrictedToPSSOpensFromPKCS12(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/rsa-pss.pem")
	if err != nil {
		t.Fatal(err)
	}
	same, err := softkey.FromPEM(nil, want, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rsa-pss.p12", "rsa-pss-3des.p12"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		key, err := softkey.FromPKCS12(data, "mật khẩu")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if public, ok := key.Signer.Public().(*rsa.PublicKey); !ok || !public.Equal(same.Signer.Public()) || !key.Chain[0].Equal(same.Chain[0]) {
			t.Errorf("%s: another key or certificate", name)
		}
		for _, wrong := range []string{"", "mat khau"} {
			if _, err := softkey.FromPKCS12(data, wrong); text.CodeOf(err) != text.KeyLocked {
				t.Errorf("%s with password %q: %v", name, wrong, err)
			}
		}
		for _, cut := range []int{1, 60, len(data) / 2, len(data) - 1} {
			if _, err := softkey.FromPKCS12(data[:cut], "mật khẩu"); text.CodeOf(err) != text.FileUnreadable {
				t.Errorf("%s, its first %d bytes: %v", name, cut, err)
			}
		}
	}
}
