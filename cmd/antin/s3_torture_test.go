//go:build failpoint && !windows

package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"log"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"antin/store"
)

// badBucket is an S3 service behind a proxy that fails requests as a trial says.
type badBucket struct {
	t     *testing.T
	front *httptest.Server
	o     store.S3Options

	mu     sync.Mutex
	rng    *mrand.Rand
	way    string
	failed int
}

// newBadBucket makes a bucket on the server that ANTIN_S3 names. Without one the test is
// skipped, and fails where ANTIN_CI is set.
func newBadBucket(t *testing.T, way string, seed uint64) *badBucket {
	t.Helper()
	endpoint := os.Getenv("ANTIN_S3")
	if endpoint == "" && os.Getenv("ANTIN_CI") != "" {
		t.Fatal("ANTIN_S3 names no S3 server: run the tests under .ci/with-services")
	}
	if endpoint == "" {
		t.Skip("ANTIN_S3 names no S3 server (.ci/with-services starts one), so none was made to fail")
	}
	back, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	b := &badBucket{t: t, way: way, rng: mrand.New(mrand.NewPCG(seed, 6)), o: store.S3Options{AccessKey: os.Getenv("ANTIN_S3_ACCESS_KEY"),
		SecretKey: os.Getenv("ANTIN_S3_SECRET_KEY"), Bucket: "antin-" + strings.ToLower(rand.Text())}}
	c, err := minio.New(back.Host, &minio.Options{Creds: credentials.NewStaticV4(b.o.AccessKey, b.o.SecretKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(t.Context(), b.o.Bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	// The Host header stays: it is part of what is signed.
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(back); r.Out.Host = r.In.Host },
		ErrorLog: log.New(io.Discard, "", 0)}
	b.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		way := b.fault(r)
		if way == "503" {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if way == "" {
			proxy.ServeHTTP(w, r)
			return
		}
		if way == "answer lost" { // it has been done, and nobody hears of it
			proxy.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler) // hangs up
	}))
	t.Cleanup(b.front.Close)
	b.o.Endpoint = b.front.URL
	return b
}

// fault says what is to happen to r: of every three requests that write, and of every
// ten that read, about one fails, and those that come in a row after it sometimes, too.
func (b *badBucket) fault(r *http.Request) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := 3
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if of = 10; b.way == "answer lost" {
			return ""
		}
	}
	if b.way == "" || b.rng.IntN(of) != 0 {
		return ""
	}
	b.failed++
	return b.way
}

// heal ends the faults and returns how many there were.
func (b *badBucket) heal() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.way = ""
	return b.failed
}

// TestTortureFailsTheObjectStore keeps the great blobs of both sides on a service that
// answers 503, hangs up, or does what it is told and loses the answer. Nothing
// acknowledged may be lost, nothing done twice, and no row names bytes that are not there.
func TestTortureFailsTheObjectStore(t *testing.T) {
	for _, way := range []string{"503", "hung up", "answer lost"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(times(t, tortureSeeds)) {
				b := newBadBucket(t, way, seed)
				place := func(s *savedAgency) {
					o := b.o
					o.Prefix = fmt.Sprintf("side-%d", s.Side)
					s.S3 = &o
				}
				s := tortured(t, trial{transfers: tortureTransfers, kills: 2, seed: seed, place: place, shaky: true})
				s.run()
				if n := b.heal(); n < 3 {
					t.Errorf("seed %d: only %d requests failed", seed, n)
				}
				s.check()
			}
		})
	}
}
