package softkey_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"hash"
	"slices"
	"sync"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/softkey"
)

var pki = sync.OnceValue(func() *certstest.PKI {
	return must(certstest.New(certstest.Options{LeafKey: certstest.P256}))
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// checkKey makes sure that k is e's: it signs for the certificate, and the chain leads up.
func checkKey(t *testing.T, k signer.Key, e *certstest.Entity) {
	t.Helper()
	if len(k.Chain) == 0 || !k.Chain[0].Equal(e.Certificate) {
		t.Fatalf("chain of %d does not begin with the signer", len(k.Chain))
	}
	for i := range k.Chain[1:] {
		if !k.Chain[i].IssuedBy(k.Chain[i+1]) {
			t.Errorf("certificate %d is not issued by the next", i)
		}
	}
	digest := sha256.Sum256([]byte("văn bản"))
	sig, err := k.Signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	scheme := certs.SignatureScheme{Algorithm: "ECDSA", Hash: crypto.SHA256}
	if _, ok := k.Signer.Public().(*rsa.PublicKey); ok {
		scheme.Algorithm = "RSA-PKCS1-v1.5"
	}
	if err := e.Certificate.VerifyDigest(scheme, digest[:], sig); err != nil {
		t.Error(err)
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func certificatesOf(list ...*certs.Certificate) []byte {
	var out []byte
	for _, c := range list {
		out = append(out, block("CERTIFICATE", c.Raw)...)
	}
	return out
}

func TestPKCS12IsOpened(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"mật khẩu", "", "123456"} {
		e := pki().Leader()
		k, err := softkey.FromPKCS12(must(e.PKCS12(password)), password)
		if err != nil {
			t.Fatal(err)
		}
		checkKey(t, k, e)
		if len(k.Chain) != len(e.Chain) {
			t.Errorf("%d certificates, %d put in", len(k.Chain), len(e.Chain))
		}
	}
}

func TestWrongPasswordLocksTheKey(t *testing.T) {
	t.Parallel()
	file := must(pki().Leader().PKCS12("đúng"))
	protected := encrypted(t, must(x509.MarshalPKCS8PrivateKey(pki().Leader().Key)), "đúng", sha256.New, 32)
	chain := certificatesOf(pki().Leader().Certificate)
	seen := map[string]bool{}
	for _, password := range []string{"sai", ""} {
		_, fromPKCS12 := softkey.FromPKCS12(file, password)
		_, fromPEM := softkey.FromPEM(chain, protected, password)
		for _, err := range []error{fromPKCS12, fromPEM} {
			if text.CodeOf(err) != text.KeyLocked || text.CodeOf(err).Exit() != 7 {
				t.Errorf("password %q gives %v", password, err)
			}
		}
		seen[text.As(fromPKCS12).Message().VI] = true
	}
	if len(seen) != 2 {
		t.Error("a wrong password and a missing one read alike")
	}
}

func TestPEMFormsAreOpened(t *testing.T) {
	t.Parallel()
	e := pki().Signer(certstest.RoleSealA)
	rsaEntity := must(pki().Issue(certstest.Spec{CommonName: "RSA", Key: must(rsa.GenerateKey(rand.Reader, 2048))}))
	pkcs8 := must(x509.MarshalPKCS8PrivateKey(e.Key))
	sec1 := must(x509.MarshalECPrivateKey(e.Key.(*ecdsa.PrivateKey)))
	pkcs1 := x509.MarshalPKCS1PrivateKey(rsaEntity.Key.(*rsa.PrivateKey))
	parameters := block("EC PARAMETERS", must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7})))
	for name, row := range map[string]struct {
		key      []byte
		password string
		entity   *certstest.Entity
	}{
		"PKCS #8":                    {block("PRIVATE KEY", pkcs8), "", e},
		"PKCS #8 in DER":             {pkcs8, "", e},
		"SEC 1":                      {block("EC PRIVATE KEY", sec1), "thừa", e},
		"SEC 1 after parameters":     {append(parameters, block("EC PRIVATE KEY", sec1)...), "", e},
		"SEC 1 in DER":               {sec1, "", e},
		"PKCS #1":                    {block("RSA PRIVATE KEY", pkcs1), "", rsaEntity},
		"PKCS #1 in DER":             {pkcs1, "", rsaEntity},
		"encrypted, AES-256 SHA-256": {encrypted(t, pkcs8, "mật khẩu", sha256.New, 32), "mật khẩu", e},
		"encrypted, AES-192 SHA-512": {encrypted(t, pkcs8, "mật khẩu", sha512.New, 24), "mật khẩu", e},
		"encrypted, AES-128 SHA-1":   {encrypted(t, pkcs8, "mật khẩu", sha1.New, 16), "mật khẩu", e},
	} {
		chain := slices.Clone(row.entity.Chain)
		slices.Reverse(chain) // any order, with a stranger among them
		k, err := softkey.FromPEM(certificatesOf(append(chain, pki().Signer(certstest.RoleSealB).Certificate)...), row.key, row.password)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkKey(t, k, row.entity)
		if len(k.Chain) != len(row.entity.Chain) {
			t.Errorf("%s: chain of %d", name, len(k.Chain))
		}
	}
}

func TestCertificateMayStandBesideTheKey(t *testing.T) {
	t.Parallel()
	e := pki().Leader()
	both := append(certificatesOf(e.Certificate), block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(e.Key)))...)
	k, err := softkey.FromPEM(nil, both, "")
	if err != nil {
		t.Fatal(err)
	}
	checkKey(t, k, e)
}

func TestRootAtTheEndOfTheChain(t *testing.T) {
	t.Parallel()
	e := pki().Leader()
	k, err := softkey.FromPEM(certificatesOf(append([]*certs.Certificate{pki().Root()}, e.Chain...)...),
		block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(e.Key))), "")
	if err != nil {
		t.Fatal(err)
	}
	checkKey(t, k, e)
	if last := k.Chain[len(k.Chain)-1]; !last.Equal(pki().Root()) {
		t.Errorf("the chain ends with %s", last.Subject)
	}
}

func TestUnusableFilesAreNamed(t *testing.T) {
	t.Parallel()
	e := pki().Leader()
	key := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(e.Key)))
	chain := certificatesOf(e.Certificate)
	agreement := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(must(ecdh.X25519().GenerateKey(rand.Reader)))))
	old := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "DES-EDE3-CBC,00"}, Bytes: []byte{1}})
	stranger := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for name, row := range map[string]struct {
		cert, key []byte
		want      text.Code
	}{
		"key of another certificate": {chain, block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(stranger))), text.CertificateMismatch},
		"no key":                     {chain, chain, text.KeyNotFound},
		"a key that cannot sign":     {chain, agreement, text.KeyNotFound},
		"no certificate":             {[]byte("không"), key, text.FileUnreadable},
		"a key that is none":         {chain, []byte("không"), text.FileUnreadable},
		"a damaged key":              {chain, block("PRIVATE KEY", []byte{0x30, 1, 0}), text.FileUnreadable},
		"old encryption":             {chain, old, text.FileUnreadable},
		"an unknown kind":            {chain, block("DSA PRIVATE KEY", []byte{0x30, 0}), text.FileUnreadable},
		"encrypted in another way":   {chain, block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), text.FileUnreadable},
	} {
		_, err := softkey.FromPEM(row.cert, row.key, "")
		if text.CodeOf(err) != row.want || text.As(err).Detail.IsZero() {
			t.Errorf("%s gives %v", name, err)
		}
	}
	for name, file := range map[string][]byte{"nothing": nil, "PEM": chain, "cut off": must(e.PKCS12("x"))[:500]} {
		if _, err := softkey.FromPKCS12(file, "x"); text.CodeOf(err) != text.FileUnreadable {
			t.Errorf("%s as PKCS #12 gives %v", name, err)
		}
	}
}

func TestProviderFindsKeysByName(t *testing.T) {
	t.Parallel()
	e := pki().Leader()
	keys := map[string]signer.Key{"lanh-dao": {Signer: e.Key, Chain: e.Chain}}
	p := softkey.NewProvider(keys)
	delete(keys, "lanh-dao")
	k, err := p.Key(context.Background(), "lanh-dao")
	if err != nil {
		t.Fatal(err)
	}
	checkKey(t, k, e)
	for _, p := range []*softkey.Provider{p, {}} {
		if _, err := p.Key(context.Background(), "khác"); !errors.Is(err, &text.Error{Code: text.KeyNotFound}) && text.CodeOf(err) != text.KeyNotFound {
			t.Errorf("an unknown name gives %v", err)
		}
	}
}

// encrypted is key as an EncryptedPrivateKeyInfo: PBES2, PBKDF2 and AES-CBC.
func encrypted(t testing.TB, key []byte, password string, h func() hash.Hash, keyLen int) []byte {
	t.Helper()
	type algorithm struct {
		OID    asn1.ObjectIdentifier
		Params any `asn1:"optional"`
	}
	prf := map[int]asn1.ObjectIdentifier{
		sha256.Size: {1, 2, 840, 113549, 2, 9}, sha512.Size: {1, 2, 840, 113549, 2, 11}, sha1.Size: {1, 2, 840, 113549, 2, 7},
	}[h().Size()]
	aesOID := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, map[int]int{16: 2, 24: 22, 32: 42}[keyLen]}
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	_, _ = rand.Read(salt)
	_, _ = rand.Read(iv)
	const iterations = 2048
	var kdf any = struct {
		Salt       []byte
		Iterations int
		PRF        algorithm
	}{salt, iterations, algorithm{prf, asn1.NullRawValue}}
	if prf.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}) { // the default is left out
		kdf = struct {
			Salt       []byte
			Iterations int
		}{salt, iterations}
	}
	scheme := algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, struct{ KDF, Cipher algorithm }{
		algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, kdf}, algorithm{aesOID, iv},
	}}
	c := must(aes.NewCipher(must(pbkdf2.Key(h, password, salt, iterations, keyLen))))
	pad := aes.BlockSize - len(key)%aes.BlockSize
	data := append(bytes.Clone(key), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(c, iv).CryptBlocks(data, data)
	return block("ENCRYPTED PRIVATE KEY", must(asn1.Marshal(struct {
		Algorithm algorithm
		Data      []byte
	}{scheme, data})))
}
