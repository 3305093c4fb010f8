package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
)

// faulty serves every address by h and returns a certificate that names it.
func faulty(t *testing.T, h http.HandlerFunc) (leaf, issuer *certs.Certificate) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // before that a server does not hear that the client is gone
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return certificateAt(t, server.URL)
}

// kinds are the kinds of every error joined in err.
func kinds(err error) (all []fetch.Kind) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			all = append(all, kinds(e)...)
		}
		return all
	}
	var one *fetch.Error
	if errors.As(err, &one) {
		all = append(all, one.Kind)
	}
	return all
}

// What servers do wrong: OCSP and CRL alike come from them, and none of it is evidence.
func TestFaultyServersGiveNoEvidence(t *testing.T) {
	t.Parallel()
	page := []byte("<!DOCTYPE html><html><body>Đăng nhập mạng</body></html>")
	for name, c := range map[string]struct {
		serve   http.HandlerFunc
		ocsp    fetch.Kind
		crl     fetch.Kind
		timeout time.Duration
	}{
		"HTML in place of an answer": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) }, fetch.KindContent, fetch.KindContent, 0},
		"an empty answer":            {func(http.ResponseWriter, *http.Request) {}, fetch.KindContent, fetch.KindContent, 0},
		"no content":                 {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, fetch.KindStatus, fetch.KindStatus, 0},
		"a server error":             {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusBadGateway) }, fetch.KindStatus, fetch.KindStatus, 0},
		"more announced than sent": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(page)
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, fetch.KindNetwork, fetch.KindNetwork, 0},
		"50 MB announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(50<<20))
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, fetch.KindTooLarge, fetch.KindTooLarge, 0},
		"50 MB that nobody announced": {func(w http.ResponseWriter, r *http.Request) {
			chunk := make([]byte, 1<<20)
			for range 50 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, fetch.KindTooLarge, fetch.KindTooLarge, 0},
		"without end, byte by byte": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte{0x30}); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-r.Context().Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		}, fetch.KindTimeout, fetch.KindTimeout, 200 * time.Millisecond},
		"without a word": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fetch.KindTimeout, fetch.KindTimeout, 100 * time.Millisecond},
		"a header without end": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, fetch.KindNetwork, fetch.KindNetwork, 0},
		"a redirect to itself":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, fetch.KindRedirect, fetch.KindRedirect, 0},
		"the connection closed": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fetch.KindNetwork, fetch.KindNetwork, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaf, issuer := faulty(t, c.serve)
			client := newClient(t, fetch.Options{AllowHosts: []string{"127.0.0.1"}, Timeout: c.timeout})
			ev, err := client.Revocation(context.Background(), leaf, issuer)
			got := kinds(err)
			if len(ev) != 0 || len(got) != 2 || got[0] != c.ocsp || got[1] != c.crl {
				t.Fatalf("%d pieces of evidence, %v (%v), want %s and %s", len(ev), got, err, c.ocsp, c.crl)
			}
		})
	}
}

// A name that is public when it is looked up first and private when it is connected
// to must not be reached: the guard decides on the address of the socket.
func TestARebindingNameIsNotReached(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	leaf, issuer := certificateAt(t, "http://rebind.example:"+u.Port())
	client := newClient(t, fetch.Options{Resolver: resolver{"rebind.example": "127.0.0.1"}})
	if _, err := client.Revocation(context.Background(), leaf, issuer); !fetch.IsKind(err, fetch.KindBlocked) || hits.Load() != 0 {
		t.Errorf("%v, reached %d times", err, hits.Load())
	}
}

// A clock a day off, theirs or ours, is named, and such an answer proves nothing.
func TestAClockADayOffIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		off  time.Duration
		want fetch.Kind
	}{"theirs a day ahead": {-24 * time.Hour, fetch.KindFuture}, "within what clocks differ by": {-time.Minute, ""}} {
		behind := func() time.Time { return w.clock.Now().Add(c.off) }
		client := newClient(t, fetch.Options{AllowHosts: []string{"127.0.0.1"}, Now: behind})
		ev, err := client.Revocation(context.Background(), w.Leader().Certificate, w.IssuingCA().Certificate)
		if c.want == "" && (err != nil || len(ev) != 1) {
			t.Errorf("%s: %d, %v", name, len(ev), err)
		}
		if c.want != "" && (len(ev) != 0 || !fetch.IsKind(err, c.want)) {
			t.Errorf("%s: %d, %v, want %s", name, len(ev), err, c.want)
		}
	}
	// Ours two days ahead: what they say is stale, and is not called good.
	client := newClient(t, fetch.Options{AllowHosts: []string{"127.0.0.1"}, Now: func() time.Time { return w.clock.Now().Add(48 * time.Hour) }})
	ev, err := client.Revocation(context.Background(), w.Leader().Certificate, w.IssuingCA().Certificate)
	st := certs.CheckRevocation(w.Leader().Certificate, w.IssuingCA().Certificate, ev, certs.RevocationOptions{At: w.clock.Now().Add(48 * time.Hour), MaxOCSPAge: 24 * time.Hour})
	if err != nil || st.Status == certs.StatusGood && st.Source == certs.SourceOCSP {
		t.Errorf("our clock ahead: %s by %s, %v", st.Status, st.Source, err)
	}
}

// CRLs that somebody carried here answer without a network, by the dates in them.
func TestListsOfAFolderAnswerOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	der, err := w.CRL("issuing")
	if err != nil {
		t.Fatal(err)
	}
	client := w.client(t, fetch.Options{CRLDir: dir, CacheOnly: true})
	if st, err := w.status(t, client, certstest.RoleLeader); st.Status != certs.StatusUnknown || !fetch.IsKind(err, fetch.KindOffline) {
		t.Fatalf("an empty folder: %s, %v", st.Status, err)
	}
	for name, data := range map[string][]byte{"issuing.crl": der, "junk.crl": []byte("x"), "note.txt": der} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for role, want := range map[string]string{certstest.RoleLeader: certs.StatusGood, certstest.RoleRevoked: certs.StatusRevoked} {
		st, err := w.status(t, client, role)
		if err != nil || st.Status != want || st.Source != certs.SourceCRL || st.Evidence.Origin != certs.OriginCache {
			t.Errorf("%s: %s (%s) by %s, %v", role, st.Status, st.Why, st.Source, err)
		}
	}
	w.clock.advance(400 * 24 * time.Hour) // it says by its dates that it is old
	if st, _ := w.status(t, client, certstest.RoleLeader); st.Status != certs.StatusUnknown || st.ThisUpdate.IsZero() {
		t.Errorf("a list of last year: %s (%s) of %v", st.Status, st.Why, st.ThisUpdate)
	}
	if w.asked.Load() != 0 {
		t.Errorf("the network was asked %d times", w.asked.Load())
	}
	if err := os.Remove(filepath.Join(dir, "issuing.crl")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.status(t, client, certstest.RoleLeader); !fetch.IsKind(err, fetch.KindOffline) {
		t.Errorf("after the file went: %v", err)
	}
}

// The order is cache, OCSP, CRL: a fresh list at hand saves the question.
func TestTheCacheGoesBeforeTheNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Break(certstest.OCSPDown)
	client := w.client(t, fetch.Options{})
	if st, err := w.status(t, client, certstest.RoleLeader); err != nil || st.Source != certs.SourceCRL {
		t.Fatalf("%+v, %v", st, err)
	}
	w.Repair()
	before := w.asked.Load()
	if st, err := w.status(t, client, certstest.RoleLeader); err != nil || st.Source != certs.SourceCRL || w.asked.Load() != before {
		t.Errorf("by %s after %d questions more, %v", st.Source, w.asked.Load()-before, err)
	}
}

// With nonces every question has its own, and an answer from store, which has none,
// is still an answer.
func TestNonceIsSentAndMayBeLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.client(t, fetch.Options{Nonce: true})
	if st, err := w.status(t, client, certstest.RoleLeader); err != nil || st.Status != certs.StatusGood || st.Source != certs.SourceOCSP {
		t.Fatalf("%s by %s, %v", st.Status, st.Source, err)
	}
	if st, err := w.status(t, client, certstest.RoleLeader); err != nil || st.Evidence.Origin != certs.OriginCache {
		t.Errorf("a second time: %s, %v", st.Evidence.Origin, err)
	}
}

func TestRewriteTableIsChecked(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{"": "a", "a": "", "http://a": "b", "a:80": "b", "b": "b/c"} {
		if _, err := fetch.New(fetch.Options{Rewrite: map[string]string{from: to}}); err == nil {
			t.Errorf("%q to %q was taken", from, to)
		}
	}
	if _, err := fetch.New(fetch.Options{Rewrite: map[string]string{"ocsp.ca.ptc": "ocsp.ca.gov.vn", "OCSP.other": "10.0.0.1:8080"}}); err != nil {
		t.Error(err)
	}
	if _, err := fetch.New(fetch.Options{CRLDir: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a folder that is not there was taken")
	}
}
