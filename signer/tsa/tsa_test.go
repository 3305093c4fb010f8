package tsa_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer/tsa"
	"antin/signer/tsp"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return start.Add(time.Duration(c.at.Load())) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// authority is a working TSA on loopback.
func authority(t *testing.T, c *clock) *certstest.Server {
	t.Helper()
	s, err := certstest.Start(certstest.Options{LeafKey: certstest.P256, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// serve is a service of the test's own making.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// client asks urls in one round, without pauses.
func client(t *testing.T, c *clock, change func(*tsa.Options), urls ...string) *tsa.Client {
	t.Helper()
	o := tsa.Options{URLs: urls, Now: c.now, Pauses: []time.Duration{}}
	if change != nil {
		change(&o)
	}
	cl, err := tsa.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

var imprint = sha256.Sum256([]byte("giá trị chữ ký"))

func stamp(c *tsa.Client) ([]byte, error) {
	return c.Timestamp(context.Background(), crypto.SHA256, imprint[:])
}

func checkToken(t *testing.T, der []byte, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tsp.ParseToken(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Verify(crypto.SHA256, imprint[:]); err != nil || !bytes.Equal(tok.Raw, der) {
		t.Errorf("token: %v", err)
	}
	if tok.Nonce == nil || tok.Nonce.BitLen() < 64 {
		t.Errorf("nonce of %d bits", tok.Nonce.BitLen())
	}
}

func host(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func TestTokenIsObtainedAndChecked(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := authority(t, c)
	der, err := stamp(client(t, c, nil, s.TSAURL()))
	checkToken(t, der, err)
	der, err = stamp(client(t, c, func(o *tsa.Options) { o.Policy = certstest.OIDTSAPolicy }, s.TSAURL()))
	checkToken(t, der, err)
	_, err = stamp(client(t, c, func(o *tsa.Options) { o.Policy = []int{1, 2, 3} }, s.TSAURL()))
	if text.CodeOf(err) != text.TSAUnavailable {
		t.Errorf("a policy it does not serve gives %v", err)
	}
}

// Each way to be wrong is named with the service's host, is never taken for a
// token, and sends the client to the next service.
func TestWrongAnswersAreNamedAndPassedOver(t *testing.T) {
	t.Parallel()
	for defect, want := range map[certstest.Defect]string{
		certstest.TSADown:         "HTTP error 503",
		certstest.TSARejects:      "refused",
		certstest.TSAGarbage:      "is no time-stamp",
		certstest.WrongImprint:    "not over what was sent",
		certstest.WrongNonce:      "another request",
		certstest.BadTSAUsage:     "may not issue time-stamps",
		certstest.BadTSASignature: "signature is wrong",
	} {
		t.Run(string(defect), func(t *testing.T) {
			t.Parallel()
			c := &clock{}
			bad, good := authority(t, c), authority(t, c)
			bad.Break(defect)
			_, err := stamp(client(t, c, nil, bad.TSAURL()))
			var e *text.Error
			if !errors.As(err, &e) || e.Code != text.TSAUnavailable || e.Code.Exit() != 10 {
				t.Fatalf("error %v", err)
			}
			if en := e.Message().EN; !strings.Contains(en, host(t, bad.URL)) || !strings.Contains(en, want) {
				t.Errorf("message %q", en)
			}
			if vi := e.Message().VI; !strings.Contains(vi, host(t, bad.URL)) || vi == e.Message().EN {
				t.Errorf("message %q", vi)
			}
			der, err := stamp(client(t, c, nil, bad.TSAURL(), good.TSAURL()))
			checkToken(t, der, err)
		})
	}
}

func TestOtherFailuresAreNamed(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := authority(t, c)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	hanging := authority(t, c)
	hanging.Break(certstest.TSAHangs)
	for name, row := range map[string]struct {
		url    string
		change func(*tsa.Options)
		want   string
	}{
		"nobody listens": {closed.URL, nil, "cannot be reached"},
		"no answer":      {hanging.TSAURL(), func(o *tsa.Options) { o.Timeout = 50 * time.Millisecond }, "did not answer"},
		"too large":      {serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) }), nil, "too large"},
		"a web page":     {serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>đăng nhập</html>") }), nil, "text/html"},
		"sent elsewhere": {serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, s.TSAURL(), http.StatusFound) }), nil, "HTTP error 302"},
		"never ending": {serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.String(), http.StatusTemporaryRedirect)
		}), nil, "HTTP error 307"},
		"another century": {s.TSAURL(), func(o *tsa.Options) { o.Now = func() time.Time { return start.Add(-2 * time.Hour) } }, "clock"},
	} {
		_, err := stamp(client(t, c, row.change, row.url))
		var e *text.Error
		if !errors.As(err, &e) || e.Code != text.TSAUnavailable || !strings.Contains(e.Message().EN, row.want) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// A slow service and a quick one each get their own time.
func TestEachServiceHasItsOwnTime(t *testing.T) {
	t.Parallel()
	c := &clock{}
	slow, quick := authority(t, c), authority(t, c)
	slow.Break(certstest.TSAHangs)
	short := func(o *tsa.Options) {
		o.Timeouts = map[string]time.Duration{host(t, slow.URL): 50 * time.Millisecond}
	}
	der, err := stamp(client(t, c, short, slow.TSAURL(), quick.TSAURL()))
	checkToken(t, der, err)
	for name, spans := range map[string]map[string]time.Duration{
		"of a service that is not asked": {"elsewhere": time.Second},
		"below zero":                     {host(t, slow.URL): -time.Second},
	} {
		_, err := tsa.New(tsa.Options{URLs: []string{slow.TSAURL()}, Timeouts: spans, Now: c.now})
		if text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServicesThatAreMerelyOddAreServed(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := authority(t, c)
	forward := func(w http.ResponseWriter, r *http.Request, contentType string) {
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, r)
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(rec.Body.Bytes())
	}
	for name, handler := range map[string]http.HandlerFunc{
		"text/plain": func(w http.ResponseWriter, r *http.Request) { r.URL.Path = "/tsa"; forward(w, r, "text/plain") },
		"moved, to be asked again": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.TSAURL(), http.StatusPermanentRedirect)
		},
		"with a password": func(w http.ResponseWriter, r *http.Request) {
			if u, p, _ := r.BasicAuth(); u != "co-quan" || p != "mật khẩu" {
				http.Error(w, "", http.StatusUnauthorized)
				return
			}
			r.URL.Path = "/tsa"
			forward(w, r, "")
		},
		"asked as RFC 3161 says": func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/timestamp-query" {
				http.Error(w, "", http.StatusBadRequest)
				return
			}
			r.URL.Path = "/tsa"
			forward(w, r, "application/timestamp-response")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(serve(t, handler))
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword("co-quan", "mật khẩu")
			der, err := stamp(client(t, c, nil, u.String()))
			checkToken(t, der, err)
		})
	}
}

func TestPasswordNeverShowsInAnError(t *testing.T) {
	t.Parallel()
	c := &clock{}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	_, err := stamp(client(t, c, nil, "http://co-quan:bimat@"+host(t, closed.URL)+"/tsa"))
	if err == nil || strings.Contains(err.Error(), "bimat") {
		t.Errorf("error %v", err)
	}
}

func TestPassingFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := authority(t, c)
	var asked atomic.Int32
	flaky := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		r.URL.Path = "/tsa"
		s.Handler().ServeHTTP(w, r)
	})
	pauses := func(o *tsa.Options) { o.Pauses = []time.Duration{time.Millisecond, time.Millisecond} }
	der, err := stamp(client(t, c, pauses, flaky))
	checkToken(t, der, err)
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
	var refused atomic.Int32
	refusing := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		refused.Add(1)
		http.Error(w, "", http.StatusForbidden)
	})
	if _, err := stamp(client(t, c, pauses, refusing)); text.CodeOf(err) != text.TSAUnavailable || refused.Load() != 1 {
		t.Errorf("a lasting failure was tried %d times: %v", refused.Load(), err)
	}
}

func TestDeadServiceIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := authority(t, c)
	var asked atomic.Int32
	var healed atomic.Bool
	sick := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !healed.Load() {
			http.Error(w, "", http.StatusBadGateway)
			return
		}
		r.URL.Path = "/tsa"
		s.Handler().ServeHTTP(w, r)
	})
	both := client(t, c, nil, sick, s.TSAURL())
	for range 10 {
		der, err := stamp(both)
		checkToken(t, der, err)
	}
	if asked.Load() != 3 {
		t.Errorf("the dead service was asked %d times", asked.Load())
	}
	alone := client(t, c, nil, sick)
	for range 5 {
		if _, err := stamp(alone); text.CodeOf(err) != text.TSAUnavailable {
			t.Errorf("error %v", err)
		}
	}
	_, err := stamp(alone)
	if !strings.Contains(text.As(err).Message().EN, "repeated failures") {
		t.Errorf("message %q", text.As(err).Message().EN)
	}
	healed.Store(true)
	c.pass(31 * time.Second)
	der, err := stamp(alone)
	checkToken(t, der, err)
}

func TestCancelledCallerGetsItsOwnError(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := authority(t, c)
	s.Break(certstest.TSAHangs)
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan struct{})
	relay := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(asked)
		<-r.Context().Done()
	})
	go func() { <-asked; cancel() }()
	_, err := client(t, c, nil, relay, s.TSAURL()).Timestamp(ctx, crypto.SHA256, imprint[:])
	if !errors.Is(err, context.Canceled) || text.CodeOf(err) == text.TSAUnavailable {
		t.Errorf("error %v", err)
	}
}

func TestCallerWhoseTimeEndsBetweenRoundsIsToldWhy(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *certstest.PKI) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the first pause takes two
		defer cancel()
		down := wire{"down": func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }}
		if _, err := overWire(t, down, "http://down").Timestamp(ctx, crypto.SHA256, imprint[:]); !errors.Is(err, context.DeadlineExceeded) || text.CodeOf(err) != text.TSAUnavailable {
			t.Errorf("error while pausing %v", err)
		}
	})
}

func TestRequestsUnderWayAreBounded(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := authority(t, c)
	var under, most atomic.Int32
	counted := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		r.URL.Path = "/tsa"
		s.Handler().ServeHTTP(w, r)
	})
	cl := client(t, c, func(o *tsa.Options) { o.Concurrency = 2 }, counted)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			der, err := stamp(cl)
			if err != nil || len(der) == 0 {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d requests at once", most.Load())
	}
}

func TestUnusableOptionsAreRefused(t *testing.T) {
	t.Parallel()
	c := &clock{}
	for _, raw := range []string{"", "tsa.example", "ftp://tsa.example/", "http://", "http://[::1", "file:///etc/passwd"} {
		if _, err := tsa.New(tsa.Options{URLs: []string{raw}, Now: c.now}); text.CodeOf(err) != text.InvalidInput {
			t.Errorf("%q gives %v", raw, err)
		}
	}
	if _, err := tsa.New(tsa.Options{URLs: []string{"http://tsa.example"}}); text.CodeOf(err) != text.InvalidInput {
		t.Errorf("no clock gives %v", err)
	}
	if _, err := stamp(client(t, c, nil)); text.CodeOf(err) != text.TSAUnavailable {
		t.Errorf("no service gives %v", err)
	}
	s := authority(t, c)
	if _, err := client(t, c, nil, s.TSAURL()).Timestamp(context.Background(), crypto.SHA256, imprint[:20]); text.CodeOf(err) != text.TSAUnavailable {
		t.Errorf("a short imprint gives %v", err)
	}
}
