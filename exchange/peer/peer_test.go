package peer_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/jws"
	"antin/exchange/peer"
	"antin/internal/text"
)

// world is one gateway on loopback and two peers that the directory lists.
type world struct {
	a, c      exchangetest.Party // senders
	ida, idc  peer.Identity
	b         exchangetest.Party
	gateway   *exchangetest.Gateway
	client    *peer.Client
	stop      func()
	mu        sync.Mutex
	handshake []string
}

func identity(t testing.TB, code exchange.AgencyCode) peer.Identity {
	t.Helper()
	id, err := peer.NewIdentity(nil, code, exchangetest.Clock().AddDate(0, 0, -1), exchangetest.Clock().AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func start(t testing.TB, limits peer.Limits) *world {
	t.Helper()
	w := &world{a: exchangetest.NewParty("H26.18.5"), c: exchangetest.NewParty("H15.50"), b: exchangetest.NewParty("000.00.00.G22")}
	w.ida, w.idc = identity(t, w.a.Agency.Code), identity(t, w.c.Agency.Code)
	idb := identity(t, w.b.Agency.Code)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.a.Agency.TLS, w.c.Agency.TLS = [][32]byte{w.ida.Fingerprint()}, [][32]byte{w.idc.Fingerprint()}
	w.b.Agency.TLS = [][32]byte{idb.Fingerprint()}
	w.b.Agency.Endpoint = "https://" + ln.Addr().String()
	w.gateway = exchangetest.NewGateway(w.b, w.a.Agency, w.c.Agency)
	s := &peer.Server{Receiver: w.gateway, Known: w.gateway.Known, Identity: idb, Now: exchangetest.Clock, Limits: limits,
		Directory: exchange.AgencyList{w.a.Agency, w.b.Agency, w.c.Agency},
		OnHandshake: func(code exchange.AgencyCode, _ [32]byte, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.handshake = append(w.handshake, fmt.Sprintf("%s %v", code, err))
		}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	w.client = &peer.Client{Identity: w.ida, Now: exchangetest.Clock}
	w.stop = sync.OnceFunc(func() {
		w.client.CloseIdle()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
	return w
}

func (w *world) handshakes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.handshake...)
}

func (w *world) envelope(t testing.TB, payload []byte) exchange.Envelope {
	t.Helper()
	e, err := exchangetest.NewEnvelope(w.a, w.b.Agency.Code, payload)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// raw is an HTTP client with a certificate of its choice.
func (w *world) raw(t testing.TB, id *peer.Identity) *http.Client {
	t.Helper()
	cfg := &tls.Config{InsecureSkipVerify: true} // the server is under test here
	if id != nil {
		cfg.Certificates = []tls.Certificate{{Certificate: [][]byte{id.Certificate}, PrivateKey: id.Key}}
	}
	tr := &http.Transport{TLSClientConfig: cfg}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// call sends one request and returns status, code of a problem, and body.
func (w *world) call(t testing.TB, c *http.Client, method, path string, body io.Reader, header ...string) (int, text.Code, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.b.Agency.Endpoint+"/x/v1/transfers/"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Code text.Code `json:"code"`
	}
	if res.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(data, &p); err != nil || !p.Code.Known() {
			t.Errorf("problem %s: %v", data, err)
		}
	}
	return res.StatusCode, p.Code, data
}

func oneShot(e exchange.Envelope, payload string) io.Reader {
	return strings.NewReader(string(e.Manifest) + "\n" + payload)
}

func TestClientPassesTheSuite(t *testing.T) {
	t.Parallel()
	for name, oneShot := range map[string]int64{"one request where small": 0, "always in parts": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exchangetest.TestTransport(t, func(t *testing.T) exchangetest.Way {
				w := start(t, peer.Limits{})
				w.client.OneShot = oneShot
				return exchangetest.Way{Transport: w.client, From: w.a, To: w.b.Agency, Gateway: w.gateway, Cut: w.stop}
			})
		})
	}
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	for range 10 {
		if _, err := w.client.Deliver(t.Context(), w.b.Agency, w.envelope(t, []byte("x"))); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.handshakes(); len(got) != 1 || got[0] != "H26.18.5 <nil>" {
		t.Errorf("handshakes %q", got)
	}
}

func TestUnknownCertificateIsRefusedInTheHandshake(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	stranger := &peer.Client{Identity: identity(t, w.a.Agency.Code), Now: exchangetest.Clock} // right name, unlisted certificate
	defer stranger.CloseIdle()
	_, err := stranger.Deliver(t.Context(), w.b.Agency, w.envelope(t, []byte("x")))
	var de *exchange.DeliveryError
	if !errors.As(err, &de) || de.Class != exchange.ClassTrust {
		t.Errorf("stranger: %v", err)
	}
	if res, err := w.raw(t, nil).Get(w.b.Agency.Endpoint); err == nil {
		_ = res.Body.Close()
		t.Error("a client without a certificate was answered")
	}
	if got := w.handshakes(); len(got) < 1 || !strings.Contains(got[0], peer.ErrUnknownPeer.Error()) || len(w.gateway.Effects()) != 0 {
		t.Errorf("handshakes %q", got)
	}
}

func TestExpiredCertificateIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	at := func() time.Time { return exchangetest.Clock().AddDate(2, 0, 0) }
	late := &peer.Client{Identity: w.ida, Now: at}
	defer late.CloseIdle()
	_, err := late.Deliver(t.Context(), w.b.Agency, w.envelope(t, []byte("x")))
	var de *exchange.DeliveryError
	if !errors.As(err, &de) || de.Class != exchange.ClassTrust || len(w.gateway.Effects()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestServerWithAnotherCertificateIsNotTalkedTo(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	impostor := w.b.Agency
	impostor.TLS = [][32]byte{w.idc.Fingerprint()}
	_, err := w.client.Deliver(t.Context(), impostor, w.envelope(t, []byte("x")))
	var de *exchange.DeliveryError
	if !errors.As(err, &de) || de.Class != exchange.ClassTrust || !errors.Is(err, peer.ErrUnknownPeer) || len(w.gateway.Effects()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestTwoCertificatesMayOverlap(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	to := w.b.Agency
	to.TLS = append([][32]byte{{1}}, to.TLS...)
	if _, err := w.client.Deliver(t.Context(), to, w.envelope(t, []byte("x"))); err != nil {
		t.Error(err)
	}
}

func TestAnotherPeersReplayIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	e := w.envelope(t, []byte("của A"))
	id := string(e.TransferID)
	asC := w.raw(t, &w.idc)
	for round := range 2 { // before and after A's own delivery
		for name, send := range map[string]func() (int, text.Code, []byte){
			"one shot": func() (int, text.Code, []byte) { return w.call(t, asC, "POST", id, oneShot(e, "của A")) },
			"manifest": func() (int, text.Code, []byte) { return w.call(t, asC, "PUT", id, bytes.NewReader(e.Manifest)) },
			"close": func() (int, text.Code, []byte) {
				return w.call(t, asC, "POST", id+"/close", bytes.NewReader(e.Manifest))
			},
		} {
			if status, code, _ := send(); status != http.StatusForbidden || code != text.NotAllowed {
				t.Errorf("round %d, %s: %d %s", round, name, status, code)
			}
		}
		status, code, _ := w.call(t, asC, "GET", id+"?recipient=000.00.00.G22", nil)
		if status != http.StatusNotFound || code != text.NotFound {
			t.Errorf("round %d, state of another's transfer: %d %s", round, status, code)
		}
		if _, err := w.client.Deliver(t.Context(), w.b.Agency, e); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.gateway.Effects()); n != 1 {
		t.Errorf("%d effects", n)
	}
}

func TestTamperedBytesAreRefusedAndNotStored(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	c := w.raw(t, &w.ida)
	e := w.envelope(t, []byte("đúng"))
	id := string(e.TransferID)
	if status, code, _ := w.call(t, c, "POST", id, oneShot(e, "sai!")); status != 400 || code != text.DigestMismatch {
		t.Errorf("one shot: %d %s", status, code)
	}
	if status, _, body := w.call(t, c, "PUT", id, bytes.NewReader(e.Manifest)); status != 201 || !strings.HasPrefix(string(body), `{"missing":[0],"gaps":[{"part":0,"offset":0,"length":`) {
		t.Fatalf("manifest: %d %s", status, body)
	}
	digest := reprDigest(t, e)
	for name, body := range map[string]string{"changed": "sai!!!", "longer": "đúng và thêm", "shorter": "đ"} {
		// Without a length the server has to find out by reading.
		if status, code, _ := w.call(t, c, "PUT", id+"/parts/0", io.MultiReader(strings.NewReader(body)), "Repr-Digest", digest); status != 400 || code != text.DigestMismatch {
			t.Errorf("part %s: %d %s", name, status, code)
		}
	}
	if status, code, _ := w.call(t, c, "PUT", id+"/parts/0", strings.NewReader("đúng")); status != 400 || code != text.DigestMismatch {
		t.Errorf("part without digest: %d %s", status, code)
	}
	if status, code, _ := w.call(t, c, "POST", id+"/commit", nil); status != 409 || code != text.StateConflict {
		t.Errorf("commit without the part: %d %s", status, code)
	}
	if w.gateway.Pieces() != 0 || len(w.gateway.Effects()) != 0 {
		t.Errorf("%d pieces, %d effects", w.gateway.Pieces(), len(w.gateway.Effects()))
	}
	if status, _, _ := w.call(t, c, "PUT", id+"/parts/0", strings.NewReader("đúng"), "Repr-Digest", digest); status != 204 {
		t.Errorf("good part: %d", status)
	}
	status, _, receipt := w.call(t, c, "POST", id+"/commit", nil)
	_, _, again := w.call(t, c, "POST", id, oneShot(e, "đúng"))
	_, _, state := w.call(t, c, "GET", id+"?recipient=000.00.00.G22", nil)
	_, _, opened := w.call(t, c, "PUT", id, bytes.NewReader(e.Manifest))
	if status != 200 || !bytes.Equal(receipt, again) || !bytes.Equal(receipt, state) || !bytes.Equal(receipt, opened) || len(w.gateway.Effects()) != 1 {
		t.Errorf("commit %d %s\nrepeat %s\nstate %s\nopened %s", status, receipt, again, state, opened)
	}
}

func reprDigest(t testing.TB, e exchange.Envelope) string {
	t.Helper()
	m, _, err := jws.PeekManifest(e.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	return peer.ReprDigest(m.Parts[0])
}

func TestOpenTransferTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	c := w.raw(t, &w.ida)
	e := w.envelope(t, []byte("x"))
	id := string(e.TransferID)
	w.call(t, c, "PUT", id, bytes.NewReader(e.Manifest))
	state := func() string {
		_, _, body := w.call(t, c, "GET", id+"?recipient=000.00.00.G22", nil)
		return string(body)
	}
	if got := state(); !strings.HasPrefix(got, `{"missing":[0],"gaps":[{"part":0,"offset":0,"length":1}],"piece":8388608,`) {
		t.Error(got)
	}
	w.call(t, c, "PUT", id+"/parts/0", strings.NewReader("x"), "Repr-Digest", reprDigest(t, e))
	if got := state(); !strings.HasPrefix(got, `{"missing":[],"gaps":[],`) {
		t.Error(got)
	}
}

func TestManifestUnderAnotherAddressIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	c := w.raw(t, &w.ida)
	e, other := w.envelope(t, []byte("x")), w.envelope(t, []byte("x"))
	for name, got := range map[string]func() (int, text.Code, []byte){
		"one shot": func() (int, text.Code, []byte) {
			return w.call(t, c, "POST", string(other.TransferID), oneShot(e, "x"))
		},
		"manifest": func() (int, text.Code, []byte) {
			return w.call(t, c, "PUT", string(other.TransferID), bytes.NewReader(e.Manifest))
		},
		"no id": func() (int, text.Code, []byte) { return w.call(t, c, "PUT", "x", bytes.NewReader(e.Manifest)) },
		"no JWS": func() (int, text.Code, []byte) {
			return w.call(t, c, "PUT", string(e.TransferID), strings.NewReader("{}"))
		},
		"no newline": func() (int, text.Code, []byte) {
			return w.call(t, c, "POST", string(e.TransferID), bytes.NewReader(e.Manifest))
		},
		"huge": func() (int, text.Code, []byte) {
			return w.call(t, c, "PUT", string(e.TransferID), bytes.NewReader(make([]byte, jws.MaxSize+1)))
		},
	} {
		if status, code, _ := got(); status != 400 || code != text.InvalidInput {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
}

// endless counts what was taken of a body without end.
type endless struct {
	mu    sync.Mutex
	taken int64
}

func (e *endless) Read(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.taken += int64(len(b))
	return len(b), nil
}

func TestOversizeIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{Payload: 1 << 20})
	c := w.raw(t, &w.ida)
	payload := make([]byte, 2<<20)
	e := w.envelope(t, payload)
	id := string(e.TransferID)
	w.call(t, c, "PUT", id, bytes.NewReader(e.Manifest))
	if status, code, _ := w.call(t, c, "PUT", id+"/parts/0", bytes.NewReader(payload), "Repr-Digest", reprDigest(t, e)); status != 413 || code != text.TooLarge {
		t.Errorf("part past the gateway's bound: %d %s", status, code)
	}
	small := w.envelope(t, []byte("x"))
	w.call(t, c, "PUT", string(small.TransferID), bytes.NewReader(small.Manifest))
	body := &endless{}
	req, err := http.NewRequestWithContext(t.Context(), "PUT", w.b.Agency.Endpoint+"/x/v1/transfers/"+string(small.TransferID)+"/parts/0", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Repr-Digest", reprDigest(t, small))
	if res, err := c.Do(req); err == nil { // the connection may also be cut while we still write
		_ = res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("endless part: %d", res.StatusCode)
		}
	}
	body.mu.Lock()
	defer body.mu.Unlock()
	if body.taken > 64<<20 || w.gateway.Pieces() != 0 {
		t.Errorf("%d bytes taken, %d pieces", body.taken, w.gateway.Pieces())
	}
	if status, code, _ := w.call(t, c, "POST", id, bytes.NewReader(make([]byte, 2<<20))); status != 413 || code != text.TooLarge {
		t.Errorf("one shot of 2 MB: %d %s", status, code)
	}
}

func TestSlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]peer.Limits{
		"that stops": {Stall: 50 * time.Millisecond},
		"that drips": {Stall: time.Minute, Grace: 50 * time.Millisecond, MinRate: 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, limits)
			e := w.envelope(t, []byte("mãi không hết"))
			r, out := io.Pipe()
			go func() { // the beginning comes, then nothing until the server gives up
				_, _ = io.WriteString(out, string(e.Manifest)+"\n"+"mãi")
			}()
			status, code, _ := w.call(t, w.raw(t, &w.ida), "POST", string(e.TransferID), r)
			_ = out.Close()
			if status != http.StatusRequestTimeout || code != text.Interrupted || len(w.gateway.Effects()) != 0 {
				t.Errorf("%d %s", status, code)
			}
			var err error
			for range 20 { // so short a time may end a good one too, on a busy machine
				if _, err = w.client.Deliver(t.Context(), w.b.Agency, e); err == nil {
					return
				}
			}
			t.Errorf("afterwards: %v", err)
		})
	}
}

func TestSilentConnectionsAreCutOff(t *testing.T) {
	t.Parallel()
	silent := func(_ *world, addr string) (net.Conn, error) { return net.Dial("tcp", addr) } // never begins its handshake
	half := func(w *world, addr string) (net.Conn, error) {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true,
			Certificates: []tls.Certificate{{Certificate: [][]byte{w.ida.Certificate}, PrivateKey: w.ida.Key}}})
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(c, "PUT /x/v1/transfers/1 HTTP/1.1\r\nHost: x\r\nX-A: "); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return c, nil
	}
	for name, begin := range map[string]func(*world, string) (net.Conn, error){"before the handshake": silent, "inside the header": half} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c net.Conn
			// A busy machine may take longer for the handshake than the server grants: then with more patience.
			for patience := 50 * time.Millisecond; c == nil; patience *= 2 {
				w := start(t, peer.Limits{Header: patience, Idle: patience})
				var err error
				if c, err = begin(w, strings.TrimPrefix(w.b.Agency.Endpoint, "https://")); err != nil && patience > 10*time.Second {
					t.Fatal(err)
				}
			}
			defer func() { _ = c.Close() }()
			if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(c); isTimeout(err) {
				t.Error("still open")
			}
		})
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestConnectionCutInTheMiddleThenRetry(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	payload := bytes.Repeat([]byte("ngắt giữa chừng "), 1<<18) // in parts
	e := w.envelope(t, payload)
	broken := e
	broken.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(payload[:len(payload)/2]), failing{})), nil
	}
	if _, err := w.client.Deliver(t.Context(), w.b.Agency, broken); err == nil {
		t.Fatal("half a payload was delivered")
	}
	if w.gateway.Pieces() != 0 || len(w.gateway.Effects()) != 0 {
		t.Errorf("%d pieces, %d effects after the cut", w.gateway.Pieces(), len(w.gateway.Effects()))
	}
	if _, err := w.client.Deliver(t.Context(), w.b.Agency, e); err != nil || len(w.gateway.Effects()) != 1 {
		t.Errorf("retry: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cable pulled") }

func TestForgottenUploadStartsAgain(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	c := w.raw(t, &w.ida)
	first := w.envelope(t, []byte("cũ nhất"))
	w.call(t, c, "PUT", string(first.TransferID), bytes.NewReader(first.Manifest))
	w.gateway.Forget()
	if status, code, _ := w.call(t, c, "POST", string(first.TransferID)+"/commit", nil); status != 409 || code != text.StateConflict {
		t.Errorf("commit of a forgotten transfer: %d %s", status, code)
	}
	w.client.OneShot = -1
	if _, err := w.client.Deliver(t.Context(), w.b.Agency, first); err != nil {
		t.Error(err)
	}
}

// busy answers every transfer with the error it holds.
type busy struct {
	peer.Receiver
	err error
}

func (b busy) Receive(context.Context, exchange.Incoming) (exchange.Receipt, error) {
	return exchange.Receipt{}, b.err
}

func (b busy) CloseTransfer(context.Context, exchange.AgencyCode, []byte) (exchange.Receipt, error) {
	return exchange.Receipt{}, b.err
}

func TestErrorsBecomeDeliveryClasses(t *testing.T) {
	t.Parallel()
	for code, want := range map[text.Code]exchange.DeliveryClass{
		text.StorageFull: exchange.ClassPeerDown, text.PeerUnavailable: exchange.ClassPeerDown, text.Internal: exchange.ClassTransfer,
		text.DigestMismatch: exchange.ClassTransfer, text.NotAllowed: exchange.ClassTrust, text.NotForUs: exchange.ClassPermanent,
		text.ReplayConflict: exchange.ClassPermanent, text.InvalidInput: exchange.ClassPermanent, text.TooLarge: exchange.ClassPermanent,
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			w := startWith(t, busy{err: text.Errorf(code, errors.New("secret cause"))})
			_, err := w.client.Deliver(t.Context(), w.b.Agency, w.envelope(t, []byte("x")))
			var de *exchange.DeliveryError
			if !errors.As(err, &de) || de.Class != want || text.CodeOf(err) != code || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
			if down := code == text.StorageFull || code == text.PeerUnavailable; de != nil && down != (de.RetryAfter > 0) {
				t.Errorf("retry after %s", de.RetryAfter)
			}
		})
	}
}

func startWith(t *testing.T, r peer.Receiver) *world {
	t.Helper()
	w := start(t, peer.Limits{})
	w.stop()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	idb := identity(t, w.b.Agency.Code)
	w.b.Agency.TLS, w.b.Agency.Endpoint = [][32]byte{idb.Fingerprint()}, "https://"+ln.Addr().String()
	s := &peer.Server{Receiver: r, Known: w.gateway.Known, Identity: idb, Now: exchangetest.Clock,
		Directory: exchange.AgencyList{w.a.Agency, w.b.Agency, w.c.Agency}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		w.client.CloseIdle()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestEndpointsThatAreNotHTTPSAreNotTried(t *testing.T) {
	t.Parallel()
	w := start(t, peer.Limits{})
	for _, endpoint := range []string{"", "http://127.0.0.1:1", "127.0.0.1:1", "https://"} {
		to := w.b.Agency
		to.Endpoint = endpoint
		_, err := w.client.Deliver(t.Context(), to, w.envelope(t, []byte("x")))
		var de *exchange.DeliveryError
		if !errors.As(err, &de) || de.Class != exchange.ClassTrust {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

// ending reads a payload and keeps what it ended in.
type ending struct {
	peer.Receiver
	got chan error
}

func (e ending) Receive(_ context.Context, t exchange.Incoming) (exchange.Receipt, error) {
	_, err := io.Copy(io.Discard, t.Payload)
	e.got <- err
	return exchange.Receipt{}, text.Errorf(text.Internal, err)
}

func (e ending) CloseTransfer(context.Context, exchange.AgencyCode, []byte) (exchange.Receipt, error) {
	return exchange.Receipt{}, text.Errorf(text.Internal, nil)
}

// TestCutBodyDoesNotLookLikeAnEnd: io.ErrUnexpectedEOF is what a cut body ends in,
// and also what io.ReadFull says of a short one that is whole. A store that reads
// by io.ReadFull would keep half a message.
func TestCutBodyDoesNotLookLikeAnEnd(t *testing.T) {
	t.Parallel()
	r := ending{got: make(chan error, 1)}
	w := startWith(t, r)
	e := w.envelope(t, []byte("nội dung đủ dài"))
	conn, err := tls.Dial("tcp", strings.TrimPrefix(w.b.Agency.Endpoint, "https://"), &tls.Config{InsecureSkipVerify: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{w.ida.Certificate}, PrivateKey: w.ida.Key}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST /x/v1/transfers/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s\nnội",
		e.TransferID, int64(len(e.Manifest))+1+e.Payload.Size, e.Manifest); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := <-r.got; err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the cut body ended in %v", err)
	}
}
