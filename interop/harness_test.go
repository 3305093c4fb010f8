//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/signer"
	"antin/signer/keys/softkey"
	"antin/signer/tsa"
	"antin/signer/validation"
)

// workers is how many judgements run at once: the machines that run this have
// two cores, and every judge is a process of its own.
const workers = 2

// toolTimeout bounds one run of somebody else's program.
const toolTimeout = 60 * time.Second

// The keys of the matrix, by name.
const (
	keyRSA     = "rsa2048"
	keyRSA3072 = "rsa3072"
	keyRSA4096 = "rsa4096"
	keyP256    = "p256"
	keyP384    = "p384"
	keyP521    = "p521"
	keyEd25519 = "ed25519"
)

// password protects the key files that other programs read; Java takes ASCII alone.
const (
	password      = "mật khẩu thử"
	asciiPassword = "mat khau thu"
)

// world is what all tests share: trust services on a loopback port, keys as
// objects and as files, other people's tools.
type world struct {
	*certstest.Server
	dir  string // scratch, removed at the end
	root string // the root in PEM
	// issuing is the issuing CA in PEM.
	issuing string
	keys    map[string]signer.Key
	client  *fetch.Client
	py      *pyHanko
	java    *java
	antin   func() (string, error) // builds the program once
	demo    string                 // what the demo left; empty until asked for
}

var shared *world

func TestMain(m *testing.M) {
	w, err := newWorld()
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting up:", err)
		os.Exit(1)
	}
	shared = w
	code := m.Run()
	w.close()
	os.Exit(code)
}

func newWorld() (*world, error) {
	for _, tool := range []string{"pdfsig", "mutool", "qpdf", "openssl", "xmllint", "chromium", "java"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("a tool is missing: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "antin-interop-")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, root: filepath.Join(dir, "root.pem"), issuing: filepath.Join(dir, "issuing.pem"), keys: map[string]signer.Key{}}
	w.antin = sync.OnceValues(w.build)
	if err := w.setUp(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return w, nil
}

func (w *world) setUp() (err error) {
	if w.Server, err = certstest.Start(certstest.Options{}); err != nil {
		return err
	}
	if err := os.WriteFile(w.root, w.RootPEM(), 0o600); err != nil {
		return err
	}
	issuing := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.IssuingCA().Certificate.Raw})
	if err := os.WriteFile(w.issuing, issuing, 0o600); err != nil {
		return err
	}
	if err := w.addKeys(); err != nil {
		return err
	}
	if w.client, err = fetch.New(fetch.Options{AllowHosts: []string{w.AllowHost}, Now: time.Now}); err != nil {
		return err
	}
	if w.py, err = startPyHanko(workers); err != nil {
		return err
	}
	w.java, err = startJava()
	return err
}

// addKeys issues a signer for every kind of key and writes each as PKCS #12.
func (w *world) addKeys() error {
	entities := map[string]*certstest.Entity{keyRSA: w.Leader()}
	for name, generate := range map[string]func() (crypto.Signer, error){
		keyRSA3072: func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) },
		keyRSA4096: func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 4096) },
		keyP256:    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		keyP384:    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
		keyP521:    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) },
		keyEd25519: func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
	} {
		key, err := generate()
		if err != nil {
			return err
		}
		if entities[name], err = w.Issue(certstest.Spec{CommonName: "Phạm Thị Khóa " + name, Key: key}); err != nil {
			return err
		}
	}
	for name, e := range entities {
		w.keys[name] = signer.Key{Signer: e.Key, Chain: e.Chain}
		for _, p := range []string{password, asciiPassword} {
			der, err := e.PKCS12(p)
			if err != nil {
				return err
			}
			if err := os.WriteFile(w.p12(name, p), der, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// p12 is the file with the key of that name under a password.
func (w *world) p12(key, password string) string {
	if password == asciiPassword {
		key += "-ascii"
	}
	return filepath.Join(w.dir, key+".p12")
}

// build makes the program itself, for what only the program can show.
func (w *world) build() (string, error) {
	path := filepath.Join(w.dir, "antin")
	out, err := exec.Command("go", "build", "-o", path, "antin/cmd/antin").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return path, nil
}

func (w *world) close() {
	w.py.close()
	w.java.close()
	w.client.Close()
	_ = w.Close()
	_ = os.RemoveAll(w.dir)
}

// signer signs with the services and drivers that products use.
func (w *world) signer() (*signer.Signer, error) {
	stamps, err := tsa.New(tsa.Options{URLs: []string{w.TSAURL()}, Now: time.Now})
	if err != nil {
		return nil, err
	}
	return &signer.Signer{
		Keys: softkey.NewProvider(w.keys), Timestamps: stamps, Trust: certs.Anchors{w.Root()},
		Revocation: w.client, Issuers: w.client, AllowSandbox: true, Now: time.Now,
	}, nil
}

// validate judges data by the shared root; online asks the services for what the
// document does not hold.
func (w *world) validate(data []byte, online bool) (*validation.Report, error) {
	return w.validateDocument(document{}, data, online)
}

// validateDocument is validate for data made of d, which may need a password.
func (w *world) validateDocument(d document, data []byte, online bool) (*validation.Report, error) {
	v := validation.Validator{Trust: certs.Anchors{w.Root()}, AllowSandbox: true}
	if online {
		v.Revocation, v.Issuers = w.client, w.client
	}
	return v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Password: d.password()}, time.Now())
}

// scratch is a folder of its own under the shared one.
func (w *world) scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(w.dir, "test-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// errStuck says that a tool did not come to an end.
var errStuck = errors.New("took too long")

// run runs a tool and returns its exit code with everything it printed.
func run(name string, args ...string) (code int, out string, err error) {
	return runWithin(toolTimeout, name, args...)
}

// runWithin is run with a time limit of its own.
func runWithin(limit time.Duration, name string, args ...string) (code int, out string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return -1, string(b), fmt.Errorf("%s: %w (%s)", name, errStuck, limit)
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), string(b), nil
	}
	return 0, string(b), err
}

// each runs f for every item, a few at once, and waits.
func each[T any](items []T, f func(T)) {
	ch := make(chan T)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for item := range ch {
				f(item)
			}
		})
	}
	for _, item := range items {
		ch <- item
	}
	close(ch)
	wg.Wait()
}
