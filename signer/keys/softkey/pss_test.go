package softkey_test

import (
	"crypto"
	"crypto/rand"
	"os"
	"testing"

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
