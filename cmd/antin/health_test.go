package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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

// readinessOf is a health whose store answers with what full points at and whose clock
// is now.
func readinessOf(t *testing.T, full *error, now *time.Time, told *[]string) (h *health, status func() (int, string)) {
	t.Helper()
	c, err := newCanary(exchange.Agency{Code: "H98.21", Name: "Mẫu"}, nil, &validation.Validator{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	h = &health{canary: c, store: func(context.Context) error { return *full }, now: func() time.Time { return *now },
		tell: func(check string, err error) { *told = append(*told, fmt.Sprint(check, " ", err)) }}
	return h, func() (int, string) {
		w := httptest.NewRecorder()
		h.answer(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody))
		return w.Code, w.Body.String()
	}
}

func TestReadinessNeedsAFreshProof(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var full error
	var told []string
	h, status := readinessOf(t, &full, &now, &told)
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

func TestAFullDiskAndItsEndAreSeenByTheNextQuestion(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var full error
	var told []string
	h, status := readinessOf(t, &full, &now, &told)
	h.check(t.Context())
	full = errors.New("no space left")
	if code, _ := status(); code != http.StatusOK {
		t.Errorf("the disk was looked at for every question: %d", code)
	}
	for range 3 {
		now = now.Add(storeEvery)
		if code, body := status(); code != http.StatusServiceUnavailable || !strings.Contains(body, "no space left") {
			t.Errorf("full: %d %s", code, body)
		}
	}
	full = nil
	now = now.Add(storeEvery)
	if code, body := status(); code != http.StatusOK {
		t.Errorf("cleared: %d %s", code, body)
	}
	if want := []string{"store no space left", "store <nil>"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q: each change once", told, want)
	}
}

func TestACallerThatHasGoneSaysNothingAboutTheGateway(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var full error
	var told []string
	h, _ := readinessOf(t, &full, &now, &told)
	h.store = context.Cause
	h.check(t.Context())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	now = now.Add(storeEvery)
	if r := h.current(gone); !r.Ready {
		t.Errorf("%+v", r)
	}
	h.do(gone, checkStore) // serve is being stopped
	if r := h.last(); !r.Ready || len(told) != 0 {
		t.Errorf("%+v, told %q", r, told)
	}
}

func TestACanaryThatFailsIsTriedLessAndLessOften(t *testing.T) {
	t.Parallel()
	if canaryWait(0) != canaryEvery || canaryWait(1) != canaryRetry || canaryWait(1000) != canaryEvery {
		t.Errorf("%v, %v, %v", canaryWait(0), canaryWait(1), canaryWait(1000))
	}
	var passed time.Duration
	tries := 0
	for ; passed < 20*time.Minute; tries++ {
		passed += canaryWait(tries + 1)
	}
	if tries > 10 { // half of what a service of 20 time-stamps in 20 minutes gives to everybody
		t.Errorf("%d tries in 20 minutes", tries)
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
