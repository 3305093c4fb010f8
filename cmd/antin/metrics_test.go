package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// scraped is what Prometheus would read at url, and its media type.
func scraped(t *testing.T, url string) (body, mediaType string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), res.Header.Get("Content-Type")
}

func TestMetricsTellOfThisGatewayAlone(t *testing.T) {
	t.Parallel()
	one, two := startServe(t, initAgency(t, "H98.21").config), startServe(t, initAgency(t, "H98.22").config)
	if got := status(t, "http://"+one.Public+"/", nil); got != http.StatusOK {
		t.Fatalf("the public page: %d", got)
	}
	body, mediaType := scraped(t, "http://"+one.Admin+"/metrics")
	if !strings.HasPrefix(mediaType, "text/plain; version=0.0.4") {
		t.Errorf("sent as %q", mediaType)
	}
	for _, want := range []string{
		`antin_http_requests_total{listener="public",route="GET /",status="200"} 1`, `antin_http_request_seconds_bucket{listener="public",le="+Inf"} 1`,
		`antin_http_request_seconds_count{listener="public"} 1`, `antin_cert_days_left{certificate="transport"} `, "antin_sessions 0", "antin_ready ",
		`antin_build_info{go="`, "antin_goroutines ", `antin_database_connections{pool="write",state="idle"} `, `antin_database_wait_seconds_total{pool="read"} `, "# TYPE antin_http_requests_total counter", "# TYPE antin_ready gauge",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if strings.Contains(body, "go_gc") || strings.Contains(body, "process_") {
		t.Error("another registry's numbers are among ours")
	}
	if other, _ := scraped(t, "http://"+two.Admin+"/metrics"); strings.Contains(other, `listener="public"`) {
		t.Errorf("the second gateway counts what the first did:\n%s", other)
	}
}

func TestAScrapeThatCannotReadTheRowsFails(t *testing.T) {
	t.Parallel()
	g, err := openGateway(t.Context(), testEnv(newWatched()), initAgency(t, "H98.21").config)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.close(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.metrics.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "antin_ready") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
