package tsa_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"antin/certs/certstest"
	"antin/internal/text"
	"antin/signer/tsa"
)

// wire carries requests to services by their host, in memory, so that time is the
// test's own and hours pass at once.
type wire map[string]carrier

// carrier answers one request.
type carrier func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if f := w[r.URL.Host]; f != nil {
		return f(r)
	}
	return nil, errors.New("no such host")
}

// service answers as the PKI's own TSA does, after a while.
func service(p *certstest.PKI, after time.Duration) carrier {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(after):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		r.URL.Path = "/tsa"
		rec := httptest.NewRecorder()
		p.Handler().ServeHTTP(rec, r)
		return rec.Result(), nil
	}
}

// halfway closes after half of a right answer.
func halfway(p *certstest.PKI) carrier {
	whole := service(p, 0)
	return func(r *http.Request) (*http.Response, error) {
		answer, err := whole(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:len(body)/2])), broken{}))
		return answer, err
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// inBubble runs f with a PKI whose clock, like every timer, is the bubble's.
func inBubble(t *testing.T, f func(t *testing.T, p *certstest.PKI)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, err := certstest.New(certstest.Options{LeafKey: certstest.P256, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		f(t, p)
	})
}

func overWire(t *testing.T, w wire, urls ...string) *tsa.Client {
	t.Helper()
	c, err := tsa.New(tsa.Options{URLs: urls, Now: time.Now, Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowServiceIsGivenItsTimeAndNoMore(t *testing.T) {
	inBubble(t, func(t *testing.T, p *certstest.PKI) {
		w := wire{"slow": service(p, 131*time.Second), "dead": service(p, time.Hour), "quick": service(p, time.Second)}
		began := time.Now()
		der, err := stamp(overWire(t, w, "http://slow", "http://quick"))
		checkToken(t, der, err)
		if took := time.Since(began); took != 131*time.Second {
			t.Errorf("slow service: %s", took)
		}
		began = time.Now()
		der, err = stamp(overWire(t, w, "http://dead", "http://quick"))
		checkToken(t, der, err)
		if took := time.Since(began); took != tsa.DefaultTimeout+time.Second {
			t.Errorf("dead service: passed over after %s", took)
		}
	})
}

func TestRetriesWaitLongerEachTime(t *testing.T) {
	inBubble(t, func(t *testing.T, p *certstest.PKI) {
		var at []time.Duration
		began := time.Now()
		w := wire{"down": func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(began))
			return nil, io.ErrUnexpectedEOF
		}}
		_, err := stamp(overWire(t, w, "http://down"))
		if text.CodeOf(err) != text.TSAUnavailable || len(at) != 3 || at[0] != 0 || at[1] != 2*time.Second || at[2] != 6*time.Second {
			t.Errorf("asked at %v: %v", at, err)
		}
	})
}

func TestServiceThatClosesHalfwayIsPassedOver(t *testing.T) {
	inBubble(t, func(t *testing.T, p *certstest.PKI) {
		w := wire{"half": halfway(p), "whole": service(p, 0)}
		der, err := stamp(overWire(t, w, "http://half", "http://whole"))
		checkToken(t, der, err)
		_, err = stamp(overWire(t, w, "http://half"))
		if text.CodeOf(err) != text.TSAUnavailable || !strings.Contains(text.As(err).Message().EN, "half") {
			t.Errorf("alone: %v", err)
		}
	})
}

// A service whose clock is wrong, ahead or behind, gives no usable time.
func TestServiceWithAWrongClockIsPassedOver(t *testing.T) {
	inBubble(t, func(t *testing.T, p *certstest.PKI) {
		for _, off := range []time.Duration{-7 * time.Hour, 7 * time.Hour} {
			liar, err := certstest.New(certstest.Options{LeafKey: certstest.P256, Now: func() time.Time { return time.Now().Add(off) }})
			if err != nil {
				t.Fatal(err)
			}
			w := wire{"liar": service(liar, 0), "honest": service(p, 0)}
			der, err := stamp(overWire(t, w, "http://liar", "http://honest"))
			checkToken(t, der, err)
			if _, err = stamp(overWire(t, w, "http://liar")); text.CodeOf(err) != text.TSAUnavailable {
				t.Errorf("off by %s: %v", off, err)
			}
		}
	})
}

func TestFourRequestsAreUnderWayAndTheRestWait(t *testing.T) {
	inBubble(t, func(t *testing.T, p *certstest.PKI) {
		c := overWire(t, wire{"tsa": service(p, 10*time.Second)}, "http://tsa")
		began := time.Now()
		var all sync.WaitGroup
		for range 9 {
			all.Go(func() {
				if _, err := stamp(c); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("nine requests of ten seconds took %s, want three rounds of %d", took, tsa.DefaultConcurrency)
		}
	})
}

// A batch must not wait for a dead service with every document.
func TestBreakerSparesABatchTheDeadService(t *testing.T) {
	inBubble(t, func(t *testing.T, p *certstest.PKI) {
		asked := 0
		w := wire{"whole": service(p, time.Second), "dead": func(r *http.Request) (*http.Response, error) {
			asked++
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}
		c := overWire(t, w, "http://dead", "http://whole")
		began := time.Now()
		for range 20 {
			der, err := stamp(c)
			checkToken(t, der, err)
		}
		if took := time.Since(began); asked != 3 || took != 3*tsa.DefaultTimeout+20*time.Second {
			t.Errorf("the dead service was asked %d times, the batch took %s", asked, took)
		}
		time.Sleep(time.Minute)
		_, err := c.Timestamp(context.Background(), crypto.SHA256, imprint[:])
		if err != nil || asked != 4 {
			t.Errorf("after its rest it was asked %d times: %v", asked, err)
		}
	})
}
