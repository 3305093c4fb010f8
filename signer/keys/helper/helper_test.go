package helper_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code text.Code) {
	t.Helper()
	if text.CodeOf(err) != code {
		t.Fatalf("got error %v, want code %s", err, code)
	}
}

// newKey is a P-256 key with a certificate of its own.
func newKey(t *testing.T) signer.Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SỞ NỘI VỤ"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	leaf, err := certs.ParseCertificate(der)
	must(t, err)
	return signer.Key{Signer: private, Chain: []*certs.Certificate{leaf}}
}

// running is a helper under test.
type running struct {
	server *helper.Server
	socket string
	log    string
	stop   func()
}

func start(t *testing.T, dir string, keys map[string]helper.HeldKey, uids ...uint32) *running {
	t.Helper()
	r := &running{socket: filepath.Join(dir, "k.sock"), log: filepath.Join(dir, "keys.log")}
	r.server = &helper.Server{Keys: keys, AllowUIDs: uids, LogPath: r.log, Now: time.Now}
	ctx, cancel := context.WithCancel(t.Context())
	l, err := helper.Listen(ctx, r.socket)
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- r.server.Serve(ctx, l) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// attributes is a SET of signed attributes over a document.
func attributes(t *testing.T, document []byte) []byte {
	t.Helper()
	type attribute struct {
		Type   asn1.ObjectIdentifier
		Values [][]byte `asn1:"set"`
	}
	der, err := asn1.MarshalWithParams([]attribute{{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, [][]byte{document}}}, "set")
	must(t, err)
	return der
}

// order is a complete request for the seal over document n, and what to sign.
func order(t *testing.T, n int) (signer.Purpose, []byte) {
	t.Helper()
	doc := sha256.Sum256(fmt.Append(nil, n))
	attrs := attributes(t, doc[:])
	sum := sha256.Sum256(attrs)
	return signer.Purpose{Subject: fmt.Sprintf("vb_%d", n), Document: hex.EncodeToString(doc[:]), Kind: "seal", Attributes: attrs,
		Approver: signer.Approver{ID: "tk_1", Name: "Lê Thị Văn Thư", Role: "van_thu"}, Session: "pl_1"}, sum[:]
}

func sign(ctx context.Context, c *helper.Client, id string, p signer.Purpose, digest []byte) ([]byte, error) {
	key, err := c.Key(signer.WithPurpose(ctx, p), id)
	if err != nil {
		return nil, err
	}
	return key.Signer.Sign(rand.Reader, digest, crypto.SHA256)
}

func TestAKeySignsForACompletePurposeAndLeavesAChainedLog(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	h := start(t, t.TempDir(), map[string]helper.HeldKey{"seal": {Key: key, Kind: helper.KindSeal}})
	c := &helper.Client{Socket: h.socket}
	defer c.Close()
	must(t, c.Ping(t.Context()))
	p, digest := order(t, 1)
	value, err := sign(t.Context(), c, "seal", p, digest)
	must(t, err)
	if !ecdsa.VerifyASN1(key.Signer.Public().(*ecdsa.PublicKey), digest, value) {
		t.Error("the value does not verify")
	}
	_, err = c.Key(t.Context(), "other")
	wantCode(t, err, text.KeyNotFound)
	h.stop()

	data, err := os.ReadFile(h.log)
	must(t, err)
	last, good, err := helper.VerifyLog(bytes.NewReader(data))
	if err != nil || last.Seq != 2 || last.Event != "signed" || last.Of != 1 || good != int64(len(data)) {
		t.Fatalf("log: %+v, %v", last, err)
	}
	for _, word := range []string{p.Subject, p.Document, p.Approver.ID, p.Session, hex.EncodeToString(digest), "van_thu"} {
		if !strings.Contains(string(data), word) {
			t.Errorf("the log does not name %s", word)
		}
	}
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if l, _, err := helper.VerifyLog(bytes.NewReader(changed)); err == nil && l.Seq == 2 {
			t.Fatalf("a changed byte %d was not noticed", i)
		}
	}
	// What a crash cut off is given up, and the chain goes on behind the rest.
	must(t, os.WriteFile(h.log, append(data, `{"seq":3,"at`...), 0o600))
	h = start(t, filepath.Dir(h.log), map[string]helper.HeldKey{"seal": {Key: key, Kind: helper.KindSeal}})
	_, err = sign(t.Context(), c, "seal", p, digest)
	must(t, err)
	h.stop()
	data, err = os.ReadFile(h.log)
	must(t, err)
	if last, _, err := helper.VerifyLog(bytes.NewReader(data)); err != nil || last.Seq != 4 {
		t.Errorf("continued log: %+v, %v", last, err)
	}
	// A log that was changed is not continued.
	data[len(data)/3] ^= 1
	must(t, os.WriteFile(h.log, data, 0o600))
	l, err := helper.Listen(t.Context(), h.socket)
	must(t, err)
	if err := (&helper.Server{LogPath: h.log, Now: time.Now}).Serve(t.Context(), l); err == nil {
		t.Error("a broken log was continued")
	}
}

func TestARequestThatIsNotCompleteAndBoundIsRefused(t *testing.T) {
	t.Parallel()
	h := start(t, t.TempDir(), map[string]helper.HeldKey{
		"seal": {Key: newKey(t), Kind: helper.KindSeal}, "person": {Key: newKey(t), Kind: helper.KindPerson}})
	c := &helper.Client{Socket: h.socket}
	defer c.Close()
	for name, spoil := range map[string]func(p *signer.Purpose, digest []byte){
		"no purpose":          func(p *signer.Purpose, _ []byte) { *p = signer.Purpose{} },
		"no subject":          func(p *signer.Purpose, _ []byte) { p.Subject = "" },
		"no document":         func(p *signer.Purpose, _ []byte) { p.Document = "" },
		"no approver":         func(p *signer.Purpose, _ []byte) { p.Approver.ID = "" },
		"no name":             func(p *signer.Purpose, _ []byte) { p.Approver.Name = "" },
		"no attributes":       func(p *signer.Purpose, _ []byte) { p.Attributes = nil },
		"another kind":        func(p *signer.Purpose, _ []byte) { p.Kind = "person" },
		"a leader's role":     func(p *signer.Purpose, _ []byte) { p.Approver.Role = "lanh_dao" },
		"a system's key":      func(p *signer.Purpose, _ []byte) { p.Approver.Role = "he_thong" },
		"the operator":        func(p *signer.Purpose, _ []byte) { p.Approver.Role = "it" },
		"another document":    func(p *signer.Purpose, _ []byte) { p.Document = strings.Repeat("0", 64) },
		"another digest":      func(_ *signer.Purpose, d []byte) { d[0] ^= 1 },
		"attributes of noise": func(p *signer.Purpose, _ []byte) { p.Attributes = []byte("x") },
		"control characters":  func(p *signer.Purpose, _ []byte) { p.Subject = "a\nb" },
		"a word too long":     func(p *signer.Purpose, _ []byte) { p.Session = strings.Repeat("x", 600) },
	} {
		p, digest := order(t, 1)
		spoil(&p, digest)
		if value, err := sign(t.Context(), c, "seal", p, digest); text.CodeOf(err) != text.NotAllowed || value != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, digest := order(t, 1)
	if _, err := sign(t.Context(), c, "person", p, digest); text.CodeOf(err) != text.NotAllowed {
		t.Errorf("the seal's purpose with a person's key: %v", err)
	}
	h.stop()
	data, err := os.ReadFile(h.log)
	must(t, err)
	last, _, err := helper.VerifyLog(bytes.NewReader(data))
	if err != nil || last.Seq != 16 || strings.Contains(string(data), `"signed"`) {
		t.Errorf("refusals in the log: %+v, %v", last, err)
	}
}

func TestAKeyHasALimitAndOtherUsersNone(t *testing.T) {
	t.Parallel()
	h := start(t, t.TempDir(), map[string]helper.HeldKey{"seal": {Key: newKey(t), Kind: helper.KindSeal, Rate: 2}})
	c := &helper.Client{Socket: h.socket}
	defer c.Close()
	p, digest := order(t, 1)
	for range 2 {
		_, err := sign(t.Context(), c, "seal", p, digest)
		must(t, err)
	}
	_, err := sign(t.Context(), c, "seal", p, digest)
	wantCode(t, err, text.RateLimited)

	closed := start(t, t.TempDir(), map[string]helper.HeldKey{"seal": {Key: newKey(t), Kind: helper.KindSeal}}, uint32(os.Getuid())+1)
	stranger := &helper.Client{Socket: closed.socket}
	wantCode(t, stranger.Ping(t.Context()), text.KeyUnavailable)
	info, err := os.Stat(h.socket)
	must(t, err)
	if info.Mode().Perm() != 0o660 {
		t.Errorf("mode of the socket: %o", info.Mode().Perm())
	}
	open := t.TempDir()
	must(t, os.Chmod(open, 0o777))
	if _, err := helper.Listen(t.Context(), filepath.Join(open, "s")); err == nil {
		t.Error("a socket where anyone may write")
	}
	if _, err := helper.Listen(t.Context(), h.socket); err == nil {
		t.Error("a second helper took the socket of a living one")
	}
}

func TestTwoClientsSignAtOnceAndOutliveTheHelper(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), newKey(t)
	keys := map[string]helper.HeldKey{"seal": {Key: key, Kind: helper.KindSeal, Rate: 1000}}
	h := start(t, dir, keys)
	const each = 40
	var wg sync.WaitGroup
	half := make(chan struct{}, 2*each)
	values := make([]int, 2)
	clients := []*helper.Client{{Socket: h.socket}, {Socket: h.socket}}
	for i, c := range clients {
		wg.Go(func() {
			for n := range each {
				p, digest := order(t, i*each+n)
				value, err := sign(t.Context(), c, "seal", p, digest)
				if err != nil {
					// The helper ended: before the request left, or before its answer came.
					if code := text.CodeOf(err); code != text.KeyUnavailable && code != text.SignatureLost {
						t.Errorf("client %d: %v", i, err)
					}
					half <- struct{}{}
					continue
				}
				if !ecdsa.VerifyASN1(key.Signer.Public().(*ecdsa.PublicKey), digest, value) {
					t.Errorf("client %d got the value of another request", i)
				}
				values[i]++
				half <- struct{}{}
			}
		})
	}
	for range each / 2 {
		<-half
	}
	h.stop()
	wg.Wait()
	p, digest := order(t, 0)
	_, err := sign(t.Context(), clients[0], "seal", p, digest)
	wantCode(t, err, text.KeyUnavailable)
	h = start(t, dir, keys)
	for _, c := range clients {
		_, err := sign(t.Context(), c, "seal", p, digest)
		must(t, err)
		must(t, c.Close())
	}
	h.stop()
	f, err := os.Open(h.log)
	must(t, err)
	defer f.Close()
	if last, _, err := helper.VerifyLog(f); err != nil || last.Seq < int64(2*(values[0]+values[1]+2)) {
		t.Errorf("%v signatures, log: %+v, %v", values, last, err)
	}
}

func TestBytesThatAreNoRequestEndTheConnectionAlone(t *testing.T) {
	t.Parallel()
	h := start(t, t.TempDir(), map[string]helper.HeldKey{"seal": {Key: newKey(t), Kind: helper.KindSeal}})
	for _, junk := range []string{"GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x00", "\xff\xff\xff\xff", "\x00\x00\x00\x02{}{", "\x00\x00\x00\x0d{\"what\":true}", "\x00\x00\x00\x05ab"} {
		c, err := net.Dial("unix", h.socket)
		must(t, err)
		_, err = c.Write([]byte(junk))
		must(t, err)
		must(t, c.(*net.UnixConn).CloseWrite())
		buf := make([]byte, 100)
		if n, _ := c.Read(buf); n > 0 && !bytes.Contains(buf[:n], []byte("code")) {
			t.Errorf("%q was answered %q", junk, buf[:n])
		}
		c.Close()
	}
	c := &helper.Client{Socket: h.socket}
	defer c.Close()
	must(t, c.Ping(t.Context()))
}
