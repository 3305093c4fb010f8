package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
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

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
	"antin/store/storetest"
)

// bucket makes a bucket of its own on the S3 server that ANTIN_S3 names. Without it
// the test is skipped, and fails where ANTIN_CI is set.
func bucket(t *testing.T) store.S3Options {
	t.Helper()
	o := store.S3Options{Endpoint: os.Getenv("ANTIN_S3"), AccessKey: os.Getenv("ANTIN_S3_ACCESS_KEY"), SecretKey: os.Getenv("ANTIN_S3_SECRET_KEY"),
		Bucket: "antin-" + strings.ToLower(rand.Text()), Prefix: "co-quan/blobs"}
	if o.Endpoint == "" {
		if os.Getenv("ANTIN_CI") != "" {
			t.Fatal("ANTIN_S3 names no S3 server: run the tests under .ci/with-services")
		}
		t.Skip("ANTIN_S3 names no S3 server (.ci/with-services starts one)")
	}
	must(t, s3client(t, o).MakeBucket(t.Context(), o.Bucket, minio.MakeBucketOptions{}))
	return o
}

func s3client(t *testing.T, o store.S3Options) *minio.Client {
	t.Helper()
	u, err := url.Parse(o.Endpoint)
	must(t, err)
	c, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath})
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openS3(t *testing.T, url string, o store.S3Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Database: url, S3: &o})
	must(t, err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func keyOf(o store.S3Options, d exchange.Digest) string {
	return o.Prefix + "/" + string(d[:2]) + "/" + string(d)
}

// s3Engine knows its bucket, so that a test can reach behind it.
type s3Engine struct {
	*store.DB
	o        store.S3Options
	dir, url string
}

func (e s3Engine) damage(t *testing.T, d exchange.Digest) {
	c := s3client(t, e.o)
	object, err := c.GetObject(t.Context(), e.o.Bucket, keyOf(e.o, d), minio.GetObjectOptions{})
	must(t, err)
	b, err := io.ReadAll(object)
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		if e.url == "" {
			damage(t, e.dir, d)
		} else {
			damagePostgres(t, pgEngine{url: e.url, dir: e.dir}, d)
		}
		return
	}
	must(t, err)
	b[len(b)/2] ^= 1
	_, err = c.PutObject(t.Context(), e.o.Bucket, keyOf(e.o, d), bytes.NewReader(b), int64(len(b)), minio.PutObjectOptions{})
	must(t, err)
}

func s3Driver(database func(t *testing.T) string) storetest.Driver {
	return storetest.Driver{
		Open: func(t *testing.T) storetest.Engine {
			e := s3Engine{o: bucket(t), url: database(t), dir: t.TempDir()}
			var err error
			e.DB, err = store.Open(t.Context(), store.Options{Dir: e.dir, Database: e.url, S3: &e.o})
			must(t, err)
			t.Cleanup(func() { must(t, e.Close()) })
			return e
		},
		Damage: func(t *testing.T, e storetest.Engine, d exchange.Digest) { e.(s3Engine).damage(t, d) },
	}
}

func TestSQLiteWithS3(t *testing.T) {
	t.Parallel()
	bucket(t) // says why it is skipped
	storetest.Run(t, s3Driver(func(*testing.T) string { return "" }))
}

func TestPostgreSQLWithS3(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t)
	bucket(t)
	storetest.Run(t, s3Driver(func(t *testing.T) string { return storetest.PostgresTables(t) }))
}

// faulty spoils requests that match: what answers instead of the service.
type faulty struct {
	next  http.RoundTripper
	match func(r *http.Request) bool
	times atomic.Int64 // how many are spoiled yet
	spoil func(next http.RoundTripper, r *http.Request) (*http.Response, error)
	seen  atomic.Int64
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.match(r) {
		f.seen.Add(1)
		if f.times.Add(-1) >= 0 {
			return f.spoil(f.next, r)
		}
	}
	return f.next.RoundTrip(r)
}

func isPut(r *http.Request) bool { return r.Method == http.MethodPut }

func busy(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Status: "503 Slow Down", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(`<Error><Code>SlowDown</Code></Error>`))}, nil
}

// lostAnswer has the service do what is asked and loses its answer.
func lostAnswer(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	res, err := next.RoundTrip(r)
	if err == nil {
		_ = res.Body.Close()
	}
	return nil, errors.New("connection reset by peer")
}

func TestS3IsTriedAgainWhereItWasBusyOrItsAnswerLost(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(http.RoundTripper, *http.Request) (*http.Response, error){"503": busy, "answer lost": lostAnswer} {
		for size, parts := range map[int]string{300_000: "one request", 17 << 20: "parts"} {
			t.Run(name+", "+parts, func(t *testing.T) {
				t.Parallel()
				o := bucket(t)
				f := &faulty{next: http.DefaultTransport, match: isPut, spoil: spoil}
				o.Transport = f
				db := openS3(t, "", o)
				f.times.Store(1)
				body := bytes.Repeat([]byte(name), size/len(name)+1)
				b, err := db.Put(t.Context(), bytes.NewReader(body))
				must(t, err)
				must(t, db.Verify(t.Context(), b.Digest))
				if f.seen.Load() < 2 {
					t.Errorf("%d requests: nothing was tried again", f.seen.Load())
				}
			})
		}
	}
}

// A service may answer that the bytes are there, and hang up, before it has read them.
func TestS3ThatHangsUpOnBytesItHasIsBelieved(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	f := &faulty{next: http.DefaultTransport, match: isPut, spoil: func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		_ = r.Body.Close()
		return nil, errors.New("write: connection reset by peer")
	}}
	o.Transport = f
	db := openS3(t, "", o)
	body := bytes.Repeat([]byte("c"), 300_000)
	first, err := db.Put(t.Context(), bytes.NewReader(body))
	must(t, err)
	f.times.Store(1 << 30)
	again, err := db.Put(t.Context(), bytes.NewReader(body))
	must(t, err)
	if again != first {
		t.Errorf("the same bytes are %+v, then %+v", first, again)
	}
	if _, err := db.Put(t.Context(), bytes.NewReader(body[1:])); text.CodeOf(err) != text.BlobsUnavailable {
		t.Errorf("bytes that it does not have: %v", err)
	}
}

func TestS3ThatStaysBusyStoresNothingAndSaysTryLater(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	f := &faulty{next: http.DefaultTransport, match: isPut, spoil: busy}
	o.Transport = f
	db := openS3(t, "", o)
	f.times.Store(1 << 30)
	body := bytes.Repeat([]byte("b"), 300_000)
	_, err := db.Put(t.Context(), bytes.NewReader(body))
	if text.CodeOf(err) != text.BlobsUnavailable {
		t.Fatalf("put while the service is busy: %v", err)
	}
	if n := f.seen.Load(); n > 10 {
		t.Errorf("%d tries", n)
	}
	f.times.Store(0)
	d := exchange.DigestOf(body)
	if _, err := db.Open(t.Context(), d); text.CodeOf(err) != text.NotFound {
		t.Errorf("bytes that were never acknowledged: %v", err)
	}
	b, err := db.Put(t.Context(), bytes.NewReader(body))
	must(t, err)
	must(t, db.Verify(t.Context(), b.Digest))
}

// A put whose bytes are there while the sweeper takes them must not end in a row
// without bytes.
func TestS3PutIsNotFooledByBytesThatTheSweeperTakes(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	body := bytes.Repeat([]byte("s"), 300_000)
	d := exchange.DigestOf(body)
	var db *store.DB
	var swept atomic.Int64
	f := &faulty{next: http.DefaultTransport, match: isPut, spoil: func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r) // "they are there already"; now the sweeper comes
		n, serr := db.Sweep(context.WithoutCancel(r.Context()), time.Now().Add(time.Hour))
		swept.Add(int64(n))
		return res, errors.Join(err, serr)
	}}
	o.Transport = f
	db = openS3(t, "", o)
	_, err := db.Put(t.Context(), bytes.NewReader(body))
	must(t, err)
	f.times.Store(1)
	_, err = db.Put(t.Context(), bytes.NewReader(body))
	must(t, err)
	if swept.Load() != 1 {
		t.Fatalf("the sweeper took %d blobs", swept.Load())
	}
	must(t, db.Verify(t.Context(), d))
}

func TestS3MendsAnObjectOfTheWrongLength(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	db := openS3(t, "", o)
	body := bytes.Repeat([]byte("m"), 300_000)
	b, err := db.Put(t.Context(), bytes.NewReader(body))
	must(t, err)
	_, err = s3client(t, o).PutObject(t.Context(), o.Bucket, keyOf(o, b.Digest), strings.NewReader("short"), 5, minio.PutObjectOptions{})
	must(t, err)
	_, err = db.Put(t.Context(), bytes.NewReader(body))
	must(t, err)
	must(t, db.Verify(t.Context(), b.Digest))
}

func TestS3SweepsWhatAProcessStoredAndNeverNoted(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	db := openS3(t, "", o)
	c := s3client(t, o)
	lost := exchange.DigestOf([]byte("lost"))
	for _, key := range []string{keyOf(o, lost), "someone/else/" + string(lost), o.Prefix + "/notes.txt"} {
		_, err := c.PutObject(t.Context(), o.Bucket, key, strings.NewReader("lost"), 4, minio.PutObjectOptions{})
		must(t, err)
	}
	n, err := db.Sweep(t.Context(), time.Now().Add(time.Hour))
	if err != nil || n != 1 {
		t.Errorf("swept %d, %v; want the one that is ours", n, err)
	}
	for _, key := range []string{"someone/else/" + string(lost), o.Prefix + "/notes.txt"} {
		if _, err := c.StatObject(t.Context(), o.Bucket, key, minio.StatObjectOptions{}); err != nil {
			t.Errorf("%s, which is not ours: %v", key, err)
		}
	}
}

func TestS3FollowsNoRedirectToAnotherHost(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer service.Close()
	_, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), S3: &store.S3Options{Endpoint: service.URL, Bucket: "antin", AccessKey: "a", SecretKey: "s"}})
	if err == nil || reached.Load() != 0 {
		t.Errorf("opened: %v; the other host was asked %d times", err, reached.Load())
	}
}

func TestS3IsRefusedAtTheStartWithoutItsBucketOrAnAddress(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	for name, change := range map[string]func(o *store.S3Options){
		"no such bucket": func(o *store.S3Options) { o.Bucket = "antin-nowhere" },
		"another scheme": func(o *store.S3Options) { o.Endpoint = "ftp://127.0.0.1" },
		"a path":         func(o *store.S3Options) { o.Endpoint += "/bucket" },
		"a password":     func(o *store.S3Options) { o.Endpoint = "https://a:b@127.0.0.1" },
	} {
		bad := o
		change(&bad)
		if db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), S3: &bad}); text.CodeOf(err) != text.ConfigInvalid {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				_ = db.Close()
			}
		}
	}
	bad := o
	bad.SecretKey = "wrong"
	if _, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), S3: &bad}); text.CodeOf(err) != text.BlobsUnavailable {
		t.Errorf("a wrong key: %v", err)
	}
}

func TestS3LeavesNoFilesBehind(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, S3: &o})
	must(t, err)
	defer func() { _ = db.Close() }()
	_, err = db.Put(t.Context(), bytes.NewReader(make([]byte, 300_000)))
	must(t, err)
	must(t, store.CheckBlobs(t.Context(), store.Options{Dir: dir, S3: &o}))
	if left, _ := filepath.Glob(filepath.Join(dir, "blobs", "*", "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	n := 0
	for range s3client(t, o).ListObjects(t.Context(), o.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		n++
	}
	if n != 1 {
		t.Errorf("%d objects; want the blob alone", n)
	}
}
