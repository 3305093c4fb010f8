package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// tlsPair writes a self-signed certificate for localhost and its key.
func tlsPair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	writePEMFile(t, cert, der)
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestTLSFilesAreReadAgainAndABadOneKeepsTheOld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := tlsPair(t, dir, "one")
	now := time.Now()
	var told []error
	live, err := openCertificate(TLSConfig{cert, key}, func() time.Time { return now }, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		now = now.Add(2 * recheck)
		c, err := live.leaf()
		if err != nil {
			t.Fatal(err)
		}
		return c.Subject.CommonName
	}
	replace := func(from, to string) {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(to, now, now.Add(time.Duration(len(told)+1)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if n := name(); n != "one" || len(told) > 0 {
		t.Fatalf("%s, %v", n, told)
	}
	cert2, key2 := tlsPair(t, dir, "two")
	replace(cert2, cert) // the key does not fit yet
	if n := name(); n != "one" || len(told) != 1 {
		t.Errorf("with half a pair: %s, told %v", n, told)
	}
	replace(key2, key)
	if n := name(); n != "two" {
		t.Errorf("after both are there: %s, told %v", n, told)
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if n := name(); n != "two" || len(told) != 2 {
		t.Errorf("without the file: %s, told %v", n, told)
	}
}

func TestOnlyTheNamedProxysForwardedAddressCounts(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	o := OriginConfig{URL: "https://desk.example", TrustedProxies: []string{"10.0.0.0/8"}}
	g, err := newGate(o, "0.0.0.0:80", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r }))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		remote, forwarded, proto, host, method string
		status                                 int
		client                                 string
	}{
		"by the proxy":              {"10.0.0.1:9", "203.0.113.7", "https", "desk.example", "GET", 200, "203.0.113.7"},
		"client pretends":           {"10.0.0.1:9", "1.2.3.4, 203.0.113.7", "https", "desk.example", "GET", 200, "203.0.113.7"},
		"two proxies":               {"10.0.0.1:9", "1.2.3.4, 203.0.113.7, 10.9.9.9", "https", "desk.example:443", "GET", 200, "203.0.113.7"},
		"nonsense":                  {"10.0.0.1:9", "; drop", "https", "desk.example", "GET", 200, "10.0.0.1"},
		"no proxy":                  {"192.0.2.1:9", "203.0.113.7", "https", "desk.example", "GET", http.StatusForbidden, ""},
		"another host":              {"10.0.0.1:9", "203.0.113.7", "https", "evil.example", "GET", http.StatusMisdirectedRequest, ""},
		"page over plain HTTP":      {"10.0.0.1:9", "203.0.113.7", "http", "desk.example", "GET", http.StatusPermanentRedirect, ""},
		"form over plain HTTP":      {"10.0.0.1:9", "203.0.113.7", "http", "desk.example", "POST", http.StatusMisdirectedRequest, ""},
		"IPv6 mapped":               {"[::ffff:10.0.0.1]:9", "2001:db8::1", "https", "desk.example", "GET", 200, "2001:db8::1"},
		"without a forwarded value": {"10.0.0.1:9", "", "https", "desk.example", "GET", 200, "10.0.0.1"},
	} {
		seen = nil
		r := httptest.NewRequestWithContext(t.Context(), tc.method, "/x", nil)
		r.RemoteAddr, r.Host = tc.remote, tc.host
		r.Header.Set("X-Forwarded-For", tc.forwarded)
		r.Header.Set("X-Forwarded-Proto", tc.proto)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s: %d, want %d", name, w.Code, tc.status)
		}
		if tc.client == "" {
			continue
		}
		if seen == nil || addressOf(seen.RemoteAddr) != netip.MustParseAddr(tc.client) || seen.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("%s: behind the gate %+v", name, seen)
		}
	}
}

func TestSpoofedForwardingIsIgnoredWithoutAProxy(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	g, err := newGate(OriginConfig{URL: "http://127.0.0.1:8080"}, "127.0.0.1:8080", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r }))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.RemoteAddr, r.Host = "127.0.0.1:5", "127.0.0.1:8080"
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	r.Header.Set("Forwarded", "for=203.0.113.7")
	g.ServeHTTP(httptest.NewRecorder(), r)
	if seen == nil || seen.RemoteAddr != "127.0.0.1:5" || len(seen.Header) != 0 {
		t.Errorf("behind the gate: %+v", seen)
	}
}
