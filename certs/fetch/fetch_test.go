package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now().Truncate(time.Second)} }

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// world is a PKI behind a counting server, and a client that may ask it.
type world struct {
	*certstest.PKI
	url   string
	asked *atomic.Int64
	clock *clock
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{asked: &atomic.Int64{}, clock: newClock()}
	var err error
	if w.PKI, err = certstest.New(certstest.Options{LeafKey: certstest.P256, Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	services := w.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		services.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	if err := w.SetBaseURL(server.URL); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w world) client(t *testing.T, o fetch.Options) *fetch.Client {
	t.Helper()
	o.Now = w.clock.Now
	if o.AllowHosts == nil {
		o.AllowHosts = []string{"127.0.0.1"}
	}
	return newClient(t, o)
}

func newClient(t *testing.T, o fetch.Options) *fetch.Client {
	t.Helper()
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (w world) status(t *testing.T, c *fetch.Client, role string) (certs.RevocationStatus, error) {
	t.Helper()
	leaf := w.Signer(role).Certificate
	ev, err := c.Revocation(context.Background(), leaf, w.IssuingCA().Certificate)
	return certs.CheckRevocation(leaf, w.IssuingCA().Certificate, ev, certs.RevocationOptions{At: w.clock.Now()}), err
}

func TestAnswersAreCachedUntilNextUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(t, fetch.Options{})
	for i, want := range []struct {
		origin string
		asked  int64
		after  time.Duration
	}{{certs.OriginFetched, 1, 0}, {certs.OriginCache, 1, 23 * time.Hour}, {certs.OriginFetched, 2, 2 * time.Hour}} {
		w.clock.advance(want.after)
		st, err := w.status(t, c, certstest.RoleLeader)
		if err != nil || st.Status != certs.StatusGood || st.Source != certs.SourceOCSP {
			t.Fatalf("round %d: %+v, %v", i, st, err)
		}
		if st.Evidence.Origin != want.origin || w.asked.Load() != want.asked {
			t.Errorf("round %d: origin %s after %d questions, want %s after %d", i, st.Evidence.Origin, w.asked.Load(), want.origin, want.asked)
		}
	}
}

func TestRevocationSincePassesOverOlderCachedAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(t, fetch.Options{})
	leaf, issuer := w.Leader().Certificate, w.IssuingCA().Certificate
	if _, err := c.Revocation(context.Background(), leaf, issuer); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(time.Minute)
	since := w.clock.Now()
	ev, err := c.RevocationSince(context.Background(), leaf, issuer, since.Add(300*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	st := certs.CheckRevocation(leaf, issuer, ev, certs.RevocationOptions{At: since, NotBefore: since})
	if st.Status != certs.StatusGood || st.ThisUpdate.Before(since) {
		t.Fatalf("status %s (%s) of %v, want one since %v", st.Status, st.Why, st.ThisUpdate, since)
	}
}

func TestFallsBackToTheCRL(t *testing.T) {
	t.Parallel()
	for _, defect := range []certstest.Defect{certstest.OCSPDown, certstest.OCSPTryLater, certstest.UnauthorisedResponder,
		certstest.BadOCSPSignature, certstest.OtherCertificateOCSP, certstest.OCSPUnknown, certstest.StaleOCSP} {
		t.Run(string(defect), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Break(defect)
			c := w.client(t, fetch.Options{})
			for role, want := range map[string]string{certstest.RoleLeader: certs.StatusGood, certstest.RoleRevoked: certs.StatusRevoked} {
				st, err := w.status(t, c, role)
				if err != nil || st.Status != want {
					t.Fatalf("%s: %s (%s), %v, want %s", role, st.Status, st.Why, err, want)
				}
				if st.Source != certs.SourceCRL {
					t.Errorf("%s by %s, want the CRL", role, st.Source)
				}
			}
		})
	}
}

func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Break(certstest.OCSPDown, certstest.CRLDown)
	st, err := w.status(t, w.client(t, fetch.Options{}), certstest.RoleLeader)
	if st.Status != certs.StatusUnknown || !fetch.IsKind(err, fetch.KindStatus) {
		t.Fatalf("status %s, error %v", st.Status, err)
	}
}

func TestForgedAnswersAreNotCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Break(certstest.BadOCSPSignature, certstest.BadCRLSignature)
	c := w.client(t, fetch.Options{})
	if st, _ := w.status(t, c, certstest.RoleLeader); st.Status != certs.StatusUnknown {
		t.Fatalf("status %s by forged evidence", st.Status)
	}
	w.Repair()
	if st, err := w.status(t, c, certstest.RoleLeader); st.Status != certs.StatusGood {
		t.Fatalf("status %s (%s), %v after the repair", st.Status, st.Why, err)
	}
}

func TestCacheFolderOutlivesTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "cache")
	if _, err := w.status(t, w.client(t, fetch.Options{CacheDir: dir}), certstest.RoleLeader); err != nil {
		t.Fatal(err)
	}
	offline := w.client(t, fetch.Options{CacheDir: dir, CacheOnly: true})
	st, err := w.status(t, offline, certstest.RoleLeader)
	if err != nil || st.Status != certs.StatusGood || st.Evidence.Origin != certs.OriginCache {
		t.Fatalf("from the folder: %s (%s) %s, %v", st.Status, st.Why, st.Evidence.Origin, err)
	}
	if _, err := w.status(t, offline, certstest.RoleRevoked); !fetch.IsKind(err, fetch.KindOffline) {
		t.Fatalf("a question that is not cached: %v", err)
	}
	// Whoever can write the folder must not be believed.
	files, err := filepath.Glob(filepath.Join(dir, "*.fetched"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	if st, _ := w.status(t, w.client(t, fetch.Options{CacheDir: dir, CacheOnly: true}), certstest.RoleLeader); st.Status != certs.StatusUnknown {
		t.Fatalf("status %s by a file that was changed", st.Status)
	}
}

func TestPathIsCompletedByAIA(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := certs.PathOptions{Anchors: []*certs.Certificate{w.Root()}, At: w.clock.Now(), AllowSandbox: true, Issuers: w.client(t, fetch.Options{})}
	path, err := certs.BuildPath(context.Background(), w.Leader().Certificate, o)
	if err != nil || len(path) != 3 {
		t.Fatalf("path of %d, %v", len(path), err)
	}
	w.Break(certstest.AIADown)
	o.Issuers = w.client(t, fetch.Options{})
	var pathErr *certs.PathError
	if _, err := certs.BuildPath(context.Background(), w.Leader().Certificate, o); !errors.As(err, &pathErr) || pathErr.Reason != certs.ReasonNoPath {
		t.Fatalf("without AIA: %v", err)
	}
}

func TestOneQuestionForManyCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release, arrived := make(chan struct{}), make(chan struct{})
	services := w.Handler()
	var asked atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			close(arrived)
		}
		<-release
		services.ServeHTTP(rw, r)
	}))
	t.Cleanup(slow.Close)
	if err := w.SetBaseURL(slow.URL); err != nil {
		t.Fatal(err)
	}
	c := w.client(t, fetch.Options{})
	leaf, issuer := w.Leader().Certificate, w.IssuingCA().Certificate
	impatient, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() { _, err := c.Revocation(impatient, leaf, issuer); first <- err }()
	<-arrived // the question is on its way
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if ev, err := c.Revocation(context.Background(), leaf, issuer); err != nil || len(ev) != 1 {
				t.Errorf("evidence %d, %v", len(ev), err)
			}
		})
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up gets %v", err)
	}
	close(release)
	group.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// certificateAt is a certificate whose OCSP, CRL and AIA addresses lie below base.
func certificateAt(t *testing.T, base string) (leaf, issuer *certs.Certificate) {
	t.Helper()
	p, err := certstest.New(certstest.Options{LeafKey: certstest.P256, BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	return p.Leader().Certificate, p.IssuingCA().Certificate
}

// ask fetches a certificate's CRL by way of its issuer address, a plain GET.
func ask(c *fetch.Client, leaf *certs.Certificate) error {
	_, err := c.Issuers(context.Background(), leaf)
	return err
}

type resolver map[string]string

func (r resolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	ip, ok := r[host]
	if !ok {
		return nil, &net.DNSError{Name: host, IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr(ip)}, nil
}

func TestGuard(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		http.NotFound(w, nil)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port := u.Port()
	names := resolver{"ocsp.example": "127.0.0.1", "mapped.example": "::ffff:127.0.0.1", "link.example": "169.254.1.1"}
	for name, c := range map[string]struct {
		base    string
		options fetch.Options
		want    fetch.Kind
	}{
		"loopback is refused":                        {server.URL, fetch.Options{}, fetch.KindBlocked},
		"listed loopback is asked":                   {server.URL, fetch.Options{AllowHosts: []string{"127.0.0.1:" + port}}, fetch.KindStatus},
		"a listed network is asked on every port":    {server.URL, fetch.Options{AllowHosts: []string{"127.0.0.0/8"}}, fetch.KindStatus},
		"another port than the listed one":           {server.URL, fetch.Options{AllowHosts: []string{"127.0.0.1:1"}}, fetch.KindBlocked},
		"a name that resolves to loopback":           {"http://ocsp.example:" + port, fetch.Options{Resolver: names}, fetch.KindBlocked},
		"a listed name that resolves to loopback":    {"http://ocsp.example:" + port, fetch.Options{Resolver: names, AllowHosts: []string{"OCSP.example"}}, fetch.KindStatus},
		"an IPv4-mapped address":                     {"http://mapped.example:" + port, fetch.Options{Resolver: names}, fetch.KindBlocked},
		"an IPv4 address written as a number":        {"http://2130706433:" + port, fetch.Options{Resolver: resolver{"2130706433": "127.0.0.1"}}, fetch.KindBlocked},
		"IPv6 loopback":                              {"http://[::1]:" + port, fetch.Options{}, fetch.KindBlocked},
		"link-local even when listed":                {"http://link.example:80", fetch.Options{Resolver: names, AllowHosts: []string{"link.example", "169.254.0.0/16"}}, fetch.KindBlocked},
		"the metadata address even when listed":      {"http://169.254.169.254:80", fetch.Options{AllowHosts: []string{"169.254.169.254"}}, fetch.KindBlocked},
		"metadata behind NAT64":                      {"http://[64:ff9b::a9fe:a9fe]:80", fetch.Options{AllowHosts: []string{"64:ff9b::/96"}}, fetch.KindBlocked},
		"loopback behind 6to4":                       {"http://[2002:7f00:1::1]:80", fetch.Options{}, fetch.KindBlocked},
		"the unspecified address":                    {"http://0.0.0.0:" + port, fetch.Options{AllowHosts: []string{"0.0.0.0/0"}}, fetch.KindBlocked},
		"a private network":                          {"http://10.1.2.3:80", fetch.Options{}, fetch.KindBlocked},
		"a public address on an unusual port":        {"http://198.41.0.4:22", fetch.Options{}, fetch.KindBlocked},
		"our own listener even when listed":          {server.URL, fetch.Options{AllowHosts: []string{"127.0.0.1"}, RefuseHosts: []string{"127.0.0.0/8:" + port}}, fetch.KindBlocked},
		"a public address that is not listed":        {"http://198.41.0.4:80", fetch.Options{ListedOnly: true, AllowHosts: []string{"127.0.0.1"}}, fetch.KindBlocked},
		"LDAP":                                       {"ldap://127.0.0.1", fetch.Options{AllowHosts: []string{"127.0.0.1"}}, fetch.KindScheme},
		"a file":                                     {"file:///etc", fetch.Options{}, fetch.KindScheme},
		"user information":                           {"http://user@127.0.0.1:" + port, fetch.Options{AllowHosts: []string{"127.0.0.1"}}, fetch.KindScheme},
		"a rewritten host is judged by its new name": {"http://ocsp.ca.ptc:" + port, fetch.Options{Rewrite: map[string]string{"ocsp.ca.ptc": "127.0.0.1"}}, fetch.KindBlocked},
		"a rewritten host that is listed":            {"http://ocsp.ca.ptc:" + port, fetch.Options{Rewrite: map[string]string{"ocsp.ca.ptc": "127.0.0.1"}, AllowHosts: []string{"127.0.0.1"}}, fetch.KindStatus},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaf, _ := certificateAt(t, c.base)
			if err := ask(newClient(t, c.options), leaf); !fetch.IsKind(err, c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var inside atomic.Int64
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Add(1) }))
	t.Cleanup(private.Close)
	privateURL, err := url.Parse(private.URL)
	if err != nil {
		t.Fatal(err)
	}
	var to atomic.Pointer[string]
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, *to.Load(), http.StatusFound)
	}))
	t.Cleanup(outside.Close)
	// The outside server's own port is allowed, the private one's is not.
	c := newClient(t, fetch.Options{AllowHosts: []string{outside.Listener.Addr().String()}})
	leaf, _ := certificateAt(t, outside.URL)
	for _, target := range []struct {
		to   string
		want fetch.Kind
	}{
		{private.URL, fetch.KindBlocked},                                          // the same host, another port
		{"http://localhost:" + privateURL.Port(), fetch.KindRedirect},             // another host
		{outside.URL + "/again", fetch.KindRedirect},                              // without end
		{"http://169.254.169.254/latest/meta-data", fetch.KindRedirect},           // another host
		{"ldap://" + outside.Listener.Addr().String() + "/x", fetch.KindRedirect}, // another scheme
	} {
		to.Store(&target.to)
		if err := ask(c, leaf); !fetch.IsKind(err, target.want) {
			t.Errorf("redirect to %s: %v, want %s", target.to, err, target.want)
		}
	}
	if inside.Load() != 0 {
		t.Errorf("the private server was asked %d times", inside.Load())
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	var hits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost { // OCSP
			hits.Add(1)
			<-hang
			return
		}
		_, _ = w.Write(bytes.Repeat([]byte{0x30}, 1<<20+1))
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	leaf, issuer := certificateAt(t, server.URL)
	if err := ask(newClient(t, fetch.Options{AllowHosts: []string{"127.0.0.1"}}), leaf); !fetch.IsKind(err, fetch.KindTooLarge) {
		t.Errorf("an issuer of more than 1 MB: %v", err)
	}
	var got []int64
	// A busy machine may need longer than that to ask at all: then with more patience.
	for patience := 100 * time.Millisecond; patience < 15*time.Second; patience *= 4 {
		now := newClock()
		c := newClient(t, fetch.Options{AllowHosts: []string{"127.0.0.1"}, Timeout: patience, Now: now.Now})
		hits.Store(0)
		got = nil
		for range 3 {
			if _, err := c.Revocation(context.Background(), leaf, issuer); !fetch.IsKind(err, fetch.KindTimeout) {
				t.Errorf("a server that hangs: %v", err)
			}
			if got = append(got, hits.Load()); len(got) == 2 {
				now.advance(31 * time.Second) // it is left alone for half a minute
			}
		}
		if slices.Equal(got, []int64{1, 1, 2}) {
			return
		}
	}
	t.Errorf("asked %v times", got)
}

func TestNewRefusesWhatIsNoRule(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "http://ocsp.example", "ocsp.example:0", "ocsp.example:99999", "10.0.0.0/8:x", "[::1", "[::1]80", "a b", "*.example", "10.0.0.0/33", "host:"} {
		if _, err := fetch.New(fetch.Options{AllowHosts: []string{s}}); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
	for _, s := range []string{"ocsp.example", "ocsp.example:8080", "10.0.0.0/8", "10.1.2.3:80", "fd00::/8", "[fd00::/8]:8080", "::1", "[::1]:80"} {
		if _, err := fetch.New(fetch.Options{AllowHosts: []string{s}}); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}
