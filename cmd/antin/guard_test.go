package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"antin/internal/text"
)

func TestDemoListensOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:8080", "192.168.1.5:8080", ":8080", "[::]:8080", "example.org:80", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x"} {
		if _, _, err := loopbackAddr(addr); !errors.Is(err, &text.Error{Code: text.InvalidInput}) && text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.0.0.1:0"} {
		if _, _, err := loopbackAddr(addr); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestRequestsForAnotherHostOrFromAnotherOriginAreRefused(t *testing.T) {
	t.Parallel()
	h := guardHost("127.0.0.1:8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	cases := []struct {
		name, method, host, origin, site string
		want                             int
	}{
		{"own host", "GET", "127.0.0.1:8080", "", "", http.StatusNoContent},
		{"localhost", "GET", "localhost:8080", "", "", http.StatusNoContent},
		{"rebound name", "GET", "evil.example:8080", "", "", http.StatusMisdirectedRequest},
		{"other port", "GET", "127.0.0.1:9090", "", "", http.StatusMisdirectedRequest},
		{"own origin", "POST", "127.0.0.1:8080", "http://127.0.0.1:8080", "same-origin", http.StatusNoContent},
		{"other origin", "POST", "127.0.0.1:8080", "http://evil.example", "cross-site", http.StatusForbidden},
		{"null origin", "POST", "127.0.0.1:8080", "null", "", http.StatusForbidden},
		{"cross-site without origin", "POST", "127.0.0.1:8080", "", "cross-site", http.StatusForbidden},
		{"script of the command line", "POST", "127.0.0.1:8080", "", "", http.StatusNoContent},
	}
	for _, c := range cases {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "http://"+c.host+"/x", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
}

func TestTakenPortIsSaidAndNothingIsLeftOpen(t *testing.T) {
	t.Parallel()
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, stderr := invoke(t, "demo", "--dir", t.TempDir(), "--addr", l.Addr().String())
	if code != text.PeerUnavailable.Exit() || !strings.Contains(stderr, l.Addr().String()) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
