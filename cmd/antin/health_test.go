package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"antin/certs/fetch"
	"antin/exchange"
	"antin/signer"
	"antin/signer/tsa"
	"antin/signer/validation"
)

func TestTheCanarySingsAndAnAlteredOneIsFoundOut(t *testing.T) {
	t.Parallel()
	agency := exchange.Agency{Code: "H98.21", Name: "Ủy ban nhân dân xã Mẫu"}
	bench := newBench(t)
	stamps, err := tsa.New(tsa.Options{URLs: []string{"http://" + bench.allow + "/tsa"}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Options{AllowHosts: []string{bench.allow}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := sandboxValidator(bench.services, client) // what a real service under real anchors is to serve
	if err != nil {
		t.Fatal(err)
	}
	real, nobody := *trusted, *trusted
	real.AllowSandbox, nobody.Trust = false, nil
	for name, tc := range map[string]struct {
		stamps signer.TimestampSource
		judge  *validation.Validator
		want   error
	}{
		"without time-stamps":  {nil, &nobody, nil},
		"a trusted time-stamp": {stamps, trusted, nil},
		"a service outside":    {stamps, &nobody, errCanaryStamp},
		"a sandbox service":    {stamps, &real, errCanaryStamp},
	} {
		c, err := newCanary(agency, tc.stamps, tc.judge, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.sing(t.Context()); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
		c.pdf = []byte("no PDF")
		if err := c.sing(t.Context()); err == nil {
			t.Errorf("%s: what cannot be signed passed", name)
		}
	}
}

func TestReadinessNeedsAFreshProof(t *testing.T) {
	t.Parallel()
	c, err := newCanary(exchange.Agency{Code: "H98.21", Name: "Mẫu"}, nil, &validation.Validator{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var full error
	h := &health{canary: c, store: func(context.Context) error { return full }, now: func() time.Time { return now }, tell: func(error) {}}
	status := func() (int, string) {
		w := httptest.NewRecorder()
		h.answer(w, nil)
		return w.Code, w.Body.String()
	}
	if code, _ := status(); code != http.StatusServiceUnavailable {
		t.Errorf("before the first proof: %d", code)
	}
	h.check(t.Context())
	if code, body := status(); code != http.StatusOK {
		t.Errorf("after it: %d %s", code, body)
	}
	now = now.Add(2 * canaryEvery)
	if code, body := status(); code != http.StatusServiceUnavailable || !strings.Contains(body, `"age"`) {
		t.Errorf("an old proof: %d %s", code, body)
	}
	full = errors.New("no space left")
	h.check(t.Context())
	if code, body := status(); code != http.StatusServiceUnavailable || !strings.Contains(body, "no space left") || !strings.Contains(body, "thư mục dữ liệu") {
		t.Errorf("with a full disk: %d %s", code, body)
	}
}

func TestRoutesOfMetricsAreFew(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/": "GET /", "/documents/vb_123/pages/1": "GET /documents", "/v1/documents/vb_1:send": "GET /v1/documents",
		"/v1/anything": "other", "/wp-login.php": "other", "/q/secret": "GET /q"} {
		if got := routeOf(httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)); got != want {
			t.Errorf("%s counts as %q", path, got)
		}
	}
	if got := routeOf(httptest.NewRequestWithContext(t.Context(), "BREW", "/documents", nil)); got != "other" {
		t.Errorf("an invented method counts as %q", got)
	}
}
