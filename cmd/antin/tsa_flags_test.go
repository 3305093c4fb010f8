package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A service that never answers is given up after its own time, and the next one is asked.
func TestATimeLimitIsOneServicesOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var ended sync.Once
	gaveUp := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// The server looks for a client that gives up once the request has been read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		ended.Do(func() { close(gaveUp) })
	}))
	t.Cleanup(silent.Close)
	u, err := url.Parse(silent.URL)
	if err != nil {
		t.Fatal(err)
	}
	out := b.out("ra.pdf")
	code, stdout, stderr := invoke(t, b.sign("lanh-dao", b.pdf, out, "--level", "B-T", "--tsa", silent.URL, "--tsa", b.tsa,
		"--tsa-timeout", u.Host+"=1s", "--tsa-timeout", "10m")...)
	if code != 0 {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	<-gaveUp
}

func TestTimeLimitsOfServicesAreRead(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	here := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	for _, c := range []struct {
		flags []string
		words string
	}{
		{[]string{"--tsa-timeout", "5s"}, "--tsa"},
		{[]string{"--tsa", here, "--tsa-timeout", "soon"}, "soon"},
		{[]string{"--tsa", here, "--tsa-timeout", "10ms"}, "10ms"},
		{[]string{"--tsa", here, "--tsa-timeout", "11m"}, "11m"},
		{[]string{"--tsa", here, "--tsa-timeout", "elsewhere.example=5s"}, "elsewhere.example"},
		{[]string{"--tsa", here, "--tsa-timeout", "=5s"}, ""},
	} {
		code, _, stderr := invoke(t, b.sign("lanh-dao", b.pdf, b.out("ra.pdf"), c.flags...)...)
		if code != 2 || !strings.Contains(stderr, c.words) {
			t.Errorf("%q: exit %d, %s", c.flags, code, stderr)
		}
	}
}
