//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"antin/certs"
	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/pkcs11"
)

// The PINs of the tokens that these tests make.
const (
	tokenPIN   = "246813"
	tokenSOPIN = "97531086"
)

// softHSM is a folder of tokens, with the programs that use them. Its tokens are seen
// by processes that have its environment.
type softHSM struct {
	dir, library, helper string
	pki                  *certstest.PKI
}

// newSoftHSM builds the helper and makes an empty folder of tokens.
func newSoftHSM(t *testing.T) *softHSM {
	t.Helper()
	h := &softHSM{dir: t.TempDir()}
	for _, p := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
		"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if _, err := os.Stat(p); err == nil {
			h.library = p
		}
	}
	if h.library == "" {
		t.Fatal("a tool is missing: libsofthsm2.so (package softhsm2)")
	}
	tokens := filepath.Join(h.dir, "tokens")
	ok(t, os.Mkdir(tokens, 0o700))
	conf := filepath.Join(h.dir, "softhsm2.conf")
	ok(t, os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	var err error
	h.helper, err = tokenHelper()
	ok(t, err)
	h.pki, err = tokenPKI()
	ok(t, err)
	return h
}

// tokenPKI and tokenHelper are made once: the certificates, and the program with cgo,
// in the folder that all tests share.
var (
	tokenPKI    = sync.OnceValues(func() (*certstest.PKI, error) { return certstest.New(certstest.Options{}) })
	tokenHelper = sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp(shared.dir, "tokens-")
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, "antin-pkcs11")
		build := exec.Command("go", "build", "-o", path, "antin/cmd/antin-pkcs11")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building the helper: %w: %s", err, out)
		}
		return path, nil
	})
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", c.Args, err, out)
	}
	return string(out)
}

// token makes a token.
func (h *softHSM) token(t *testing.T, label string) {
	t.Helper()
	output(t, exec.Command("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", tokenPIN, "--so-pin", tokenSOPIN))
}

// put imports a new key of that kind under label and id, with its certificate, and the
// issuing CA's beside it under an id of its own.
func (h *softHSM) put(t *testing.T, token, label, id string, kind certstest.KeyType) *certstest.Entity {
	t.Helper()
	e, err := h.pki.Issue(certstest.Spec{CommonName: label, KeyType: kind})
	ok(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(e.Key)
	ok(t, err)
	file := filepath.Join(h.dir, label+".pem")
	ok(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	output(t, exec.Command("softhsm2-util", "--import", file, "--token", token, "--label", label, "--id", id, "--pin", tokenPIN))
	h.putCertificate(t, token, label, id, e.Certificate)
	return e
}

func (h *softHSM) putCertificate(t *testing.T, token, label, id string, c *certs.Certificate) {
	t.Helper()
	file := filepath.Join(h.dir, label+".der")
	ok(t, os.WriteFile(file, c.Raw, 0o600))
	h.tool(t, token, "--write-object", file, "--type", "cert", "--label", label, "--id", id)
}

func (h *softHSM) tool(t *testing.T, token string, args ...string) string {
	t.Helper()
	return output(t, exec.Command("pkcs11-tool", append([]string{"--module", h.library, "--token-label", token, "--login", "--pin", tokenPIN}, args...)...))
}

// provider is one over library; asked counts how often the PIN was asked for.
func (h *softHSM) provider(t *testing.T, library, pin string, asked *int) *pkcs11.Provider {
	t.Helper()
	var mu sync.Mutex
	p := &pkcs11.Provider{Helper: h.helper, Module: library, PIN: func(context.Context, pkcs11.URI, pkcs11.Token) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if asked != nil {
			*asked++
		}
		return pin, nil
	}}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// verified makes one signature over content and verifies it with the standard library.
func verified(t *testing.T, key signer.Key, h crypto.Hash, pss bool) error {
	t.Helper()
	content := make([]byte, 40)
	_, err := rand.Read(content)
	ok(t, err)
	digest := content
	var opts crypto.SignerOpts = crypto.Hash(0)
	if h != 0 {
		sum := h.New()
		sum.Write(content)
		digest, opts = sum.Sum(nil), h
	}
	if pss {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
	}
	value, err := key.Signer.Sign(rand.Reader, digest, opts)
	if err != nil {
		return err
	}
	good := false
	switch pub := key.Signer.Public().(type) {
	case *rsa.PublicKey:
		if pss {
			good = rsa.VerifyPSS(pub, h, digest, value, nil) == nil
		} else {
			good = rsa.VerifyPKCS1v15(pub, h, digest, value) == nil
		}
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(pub, digest, value)
	case ed25519.PublicKey:
		good = ed25519.Verify(pub, digest, value)
	}
	if !good {
		t.Errorf("%s: the value does not verify", key.Chain[0].CommonName)
	}
	return nil
}

func wantCode(t *testing.T, err error, want text.Code) {
	t.Helper()
	if text.CodeOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTokensSignWithEveryKindOfKeyAndFindTheirCertificates(t *testing.T) {
	h := newSoftHSM(t)
	h.token(t, "ca-nhan")
	h.token(t, "co-quan")
	h.putCertificate(t, "ca-nhan", "issuing", "f0", h.pki.IssuingCA().Certificate)
	kinds := []struct {
		token, label, id string
		kind             certstest.KeyType
	}{
		{"ca-nhan", "rsa2048", "01", certstest.RSA2048}, {"ca-nhan", "p256", "02", certstest.P256},
		{"co-quan", "rsa3072", "01", certstest.RSA3072}, {"co-quan", "p384", "02", certstest.P384}, {"co-quan", "ed25519", "03", certstest.Ed25519},
	}
	made := map[string]*certstest.Entity{}
	for _, k := range kinds {
		made[k.label] = h.put(t, k.token, k.label, k.id, k.kind)
	}
	var asked int
	p := h.provider(t, h.library, tokenPIN, &asked)
	for _, k := range kinds {
		key, err := p.Key(t.Context(), "pkcs11:token="+k.token+";object="+k.label)
		if err != nil {
			t.Errorf("%s: %v", k.label, err)
			continue
		}
		if !bytes.Equal(key.Chain[0].Raw, made[k.label].Certificate.Raw) {
			t.Errorf("%s: the certificate is another one", k.label)
		}
		if k.token == "ca-nhan" && len(key.Chain) != 2 {
			t.Errorf("%s: %d certificates, want the issuer on the token as well", k.label, len(key.Chain))
		}
		switch made[k.label].Key.(type) {
		case *rsa.PrivateKey:
			for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256} {
				ok(t, verified(t, key, hash, false))
			}
			ok(t, verified(t, key, crypto.SHA256, true))
			ok(t, verified(t, key, crypto.SHA512, true))
		case *ecdsa.PrivateKey:
			ok(t, verified(t, key, crypto.SHA256, false))
			ok(t, verified(t, key, crypto.SHA384, false))
		default:
			ok(t, verified(t, key, 0, false))
		}
	}
	if asked != 2 {
		t.Errorf("the PIN was asked for %d times, want once for each of two tokens", asked)
	}
	_, err := p.Key(t.Context(), "pkcs11:token=ca-nhan")
	wantCode(t, err, text.InvalidInput) // two keys
	_, err = p.Key(t.Context(), "pkcs11:object=rsa2048")
	wantCode(t, err, text.InvalidInput) // two tokens
	_, err = p.Key(t.Context(), "pkcs11:token=ca-nhan;object=khong-co")
	wantCode(t, err, text.KeyNotFound)
	_, err = p.Key(t.Context(), "pkcs11:token=khong-co")
	wantCode(t, err, text.TokenAbsent)
	key, err := p.Key(t.Context(), "pkcs11:token=ca-nhan;id=%02")
	ok(t, err)
	if key.Chain[0].CommonName != "p256" {
		t.Errorf("id 02 is %s", key.Chain[0].CommonName)
	}
	_, err = (&pkcs11.Provider{Helper: h.helper, Module: h.library}).Key(t.Context(), "pkcs11:token=ca-nhan;id=%02")
	wantCode(t, err, text.KeyLocked) // no PIN
	_, err = (&pkcs11.Provider{Helper: h.helper}).Key(t.Context(), "pkcs11:token=ca-nhan?module-path=/no/such.so")
	wantCode(t, err, text.KeyUnavailable)
}

func TestTokenWithoutCertificateTakesAGivenOne(t *testing.T) {
	h := newSoftHSM(t)
	h.token(t, "trong")
	e := h.put(t, "trong", "khoa", "0a", certstest.P256)
	other := h.put(t, "trong", "khac", "0b", certstest.P256)
	h.tool(t, "trong", "--delete-object", "--type", "cert", "--id", "0a")
	p := h.provider(t, h.library, tokenPIN, nil)
	_, err := p.Key(t.Context(), "pkcs11:object=khoa")
	wantCode(t, err, text.KeyNotFound)
	p.Certificates = func(pkcs11.URI) ([]*certs.Certificate, error) { return e.Chain, nil }
	key, err := p.Key(t.Context(), "pkcs11:object=khoa")
	ok(t, err)
	ok(t, verified(t, key, crypto.SHA256, false))
	p.Certificates = func(pkcs11.URI) ([]*certs.Certificate, error) { return other.Chain, nil }
	_, err = h.providerWith(t, p.Certificates).Key(t.Context(), "pkcs11:object=khoa")
	wantCode(t, err, text.CertificateMismatch)
}

func (h *softHSM) providerWith(t *testing.T, given func(pkcs11.URI) ([]*certs.Certificate, error)) *pkcs11.Provider {
	t.Helper()
	p := h.provider(t, h.library, tokenPIN, nil)
	p.Certificates = given
	return p
}

// TestHelperIsFoundInThePathAndProbed is what `antin doctor` asks.
func TestHelperIsFoundInThePathAndProbed(t *testing.T) {
	h := newSoftHSM(t)
	t.Setenv("PATH", filepath.Dir(h.helper))
	found, err := pkcs11.Probe(t.Context())
	if err != nil || found != h.helper {
		t.Errorf("%s: %v", found, err)
	}
	t.Setenv("PATH", t.TempDir())
	_, err = pkcs11.Probe(t.Context())
	wantCode(t, err, text.KeyUnavailable)
}

// TestHelperWithoutCgoSaysWhatIsMissing builds it as a machine without a C compiler does.
func TestHelperWithoutCgoSaysWhatIsMissing(t *testing.T) {
	h := newSoftHSM(t)
	h.token(t, "khong-cgo")
	h.helper = filepath.Join(h.dir, "antin-pkcs11")
	build := exec.Command("go", "build", "-o", h.helper, "antin/cmd/antin-pkcs11")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output(t, build)
	_, err := h.provider(t, h.library, tokenPIN, nil).Key(t.Context(), "pkcs11:token=khong-cgo")
	wantCode(t, err, text.KeyUnavailable)
	if vi := text.As(err).Message().VI; !strings.Contains(vi, "CGO_ENABLED=1") {
		t.Errorf("it does not say how to build it: %s", vi)
	}
}
