//go:build large && linux

package peer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/peer"
	"antin/store"
)

// largePayload is what goes over, largeGrowth what either side's memory may grow by.
const (
	largePayload = 2 << 30
	largeGrowth  = 64 << 20
)

// largeSide is one of two processes: everything it needs to be the same again after
// it was killed.
type largeSide struct {
	Code      exchange.AgencyCode
	Dir       string
	Address   string
	Gateway   []byte // PKCS#8
	TLS       []byte // PKCS#8
	Cert      []byte
	Delivery  exchange.ID
	OtherCode exchange.AgencyCode
	OtherCert []byte
	OtherKey  []byte // PKIX
	OtherAddr string
	Progress  string // file to which the sender writes how many bytes it read for the wire
}

func TestMain(m *testing.M) {
	if file := os.Getenv("ANTIN_LARGE_SIDE"); file != "" {
		if err := runLargeSide(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func (s largeSide) gate() (*gate, error) {
	signer := func(der []byte) (crypto.Signer, error) {
		k, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, err
		}
		return k.(crypto.Signer), nil
	}
	g := &gate{dir: s.Dir, now: time.Now}
	var err error
	if g.party.Key, err = signer(s.Gateway); err != nil {
		return nil, err
	}
	g.id.Certificate = s.Cert
	if g.id.Key, err = signer(s.TLS); err != nil {
		return nil, err
	}
	other, err := x509.ParsePKIXPublicKey(s.OtherKey)
	if err != nil {
		return nil, err
	}
	agency := func(code exchange.AgencyCode, addr string, cert []byte, key crypto.PublicKey) exchange.Agency {
		return exchange.Agency{Code: code, Name: string(code), Endpoint: "https://" + addr, TLS: [][32]byte{peer.Fingerprint(cert)},
			Keys: []exchange.GatewayKey{{Public: key}}}
	}
	g.party.Agency = agency(s.Code, s.Address, s.Cert, g.party.Key.Public())
	g.peers = exchange.AgencyList{g.party.Agency, agency(s.OtherCode, s.OtherAddr, s.OtherCert, other)}
	g.offices = exchange.OfficeList{{Agency: g.party.Agency, GatewayKey: g.party.Key}}
	if g.db, err = store.Open(context.Background(), store.Options{Dir: s.Dir}); err != nil {
		return nil, err
	}
	g.client = &peer.Client{Identity: g.id, Now: time.Now}
	g.outbox = &exchange.Outbox{Store: g.db, Blobs: g.db, Directory: g.peers, Offices: g.offices, Transport: g.client, Now: time.Now}
	g.inbox = &exchange.Inbox{Store: g.db, Blobs: g.db, Directory: g.peers, Offices: g.offices, Outbox: g.outbox, Now: time.Now, MaxPayload: 4 << 30}
	return g, nil
}

// runLargeSide is a process: the receiver serves until it is killed, the sender tries
// until its delivery has arrived.
func runLargeSide(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var s largeSide
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	g, err := s.gate()
	if err != nil {
		return err
	}
	ctx := context.Background()
	if s.Delivery == "" {
		ln, err := net.Listen("tcp", s.Address)
		if err != nil {
			return err
		}
		srv := &peer.Server{Receiver: g.inbox, Known: g.inbox.Known, Directory: g.peers, Identity: g.id, Now: time.Now, Limits: peer.Limits{Payload: 4 << 30}}
		return srv.Serve(ctx, ln)
	}
	var d exchange.Delivery
	if err := g.db.View(ctx, func(tx exchange.Tx) (err error) { d, err = tx.Delivery(ctx, s.Delivery); return err }); err != nil {
		return err
	}
	var left atomic.Int64
	left.Store(1 << 60)
	e := g.envelope(d)
	e.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := g.db.Open(ctx, d.Payload.Digest)
		return cutting{r, &left}, err
	}
	to, err := g.peers.Agency(ctx, s.OtherCode)
	if err != nil {
		return err
	}
	for {
		if _, err = g.client.Deliver(ctx, to, e); err == nil {
			read := (1<<60 - left.Load()) / 2 // once to hash, once to send
			return os.WriteFile(s.Progress, []byte(strconv.FormatInt(read, 10)+" "+strconv.Itoa(peakKB(os.Getpid()))), 0o600)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

var peakLine = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

func peakKB(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := peakLine.FindSubmatch(status)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// TestTwoGigabytesGoOnAfterKill: kill -9 of the sender at a quarter, of the receiver at
// the half; what had come is not sent again, and neither side's memory grows with it.
func TestTwoGigabytesGoOnAfterKill(t *testing.T) {
	dir := t.TempDir()
	a, b := largeSide{Code: "H26.18.5", Dir: filepath.Join(dir, "a")}, largeSide{Code: "H15.50", Dir: filepath.Join(dir, "b")}
	for _, s := range []*largeSide{&a, &b} {
		p := exchangetest.NewParty(s.Code)
		id, err := peer.NewIdentity(nil, s.Code, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		must(t, err)
		s.Cert = id.Certificate
		s.Gateway, err = x509.MarshalPKCS8PrivateKey(p.Key)
		must(t, err)
		s.TLS, err = x509.MarshalPKCS8PrivateKey(id.Key)
		must(t, err)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		s.Address = ln.Addr().String()
		must(t, ln.Close())
		s.Progress = filepath.Join(dir, string(s.Code)+".progress")
	}
	know := func(s *largeSide, o largeSide) {
		k, err := x509.ParsePKCS8PrivateKey(o.Gateway)
		must(t, err)
		s.OtherKey, err = x509.MarshalPKIXPublicKey(k.(crypto.Signer).Public())
		must(t, err)
		s.OtherCode, s.OtherCert, s.OtherAddr = o.Code, o.Cert, o.Address
	}
	know(&a, b)
	know(&b, a)
	g, err := a.gate()
	must(t, err)
	block := noise(1 << 20)
	var parts []io.Reader
	for i := range largePayload >> 20 {
		parts = append(parts, bytes.NewReader([]byte(strconv.Itoa(i%10))), bytes.NewReader(block[1:]))
	}
	clerk := exchange.Actor{ID: "vt", Role: exchange.RoleClerk, Agency: a.Code}
	d, err := g.outbox.SendReady(t.Context(), clerk, exchange.ReadyMessage{To: b.Code, Message: io.MultiReader(parts...)})
	must(t, err)
	must(t, g.db.Close())
	a.Delivery = d.ID
	key := exchange.UploadKey{Sender: a.Code, ID: d.TransferID}

	run := func(s largeSide) *exec.Cmd {
		file := filepath.Join(dir, string(s.Code)+".json")
		data, err := json.Marshal(s)
		must(t, err)
		must(t, os.WriteFile(file, data, 0o600))
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "ANTIN_LARGE_SIDE="+file)
		cmd.Stderr = os.Stderr
		must(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd
	}
	arrived := func() (n int64) {
		r, err := store.OpenReader(t.Context(), store.Options{Dir: b.Dir})
		if err != nil {
			return 0
		}
		defer func() { _ = r.Close() }()
		_ = r.View(t.Context(), func(tx exchange.Tx) error {
			pieces, err := tx.Pieces(t.Context(), key)
			for _, p := range pieces {
				n += p.Size
			}
			return err
		})
		return n
	}
	await := func(bytes int64) {
		for arrived() < bytes {
			if t.Context().Err() != nil {
				t.Fatal("not in time")
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	begin := time.Now()
	receiver, sender := run(b), run(a)
	await(largePayload / 4)
	must(t, sender.Process.Kill())
	_ = sender.Wait()
	before := arrived()
	sender = run(a)
	await(largePayload / 2)
	t.Logf("receiver's peak before it was killed: %d MB", peakKB(receiver.Process.Pid)>>10)
	must(t, receiver.Process.Kill())
	_ = receiver.Wait()
	receiver = run(b)
	must(t, sender.Wait())
	said, err := os.ReadFile(a.Progress)
	must(t, err)
	var sent int64
	var senderPeak int
	_, err = fmt.Sscan(string(said), &sent, &senderPeak)
	must(t, err)
	receiverPeak := peakKB(receiver.Process.Pid)
	t.Logf("2 GB in %s: the second sender sent %d MB of %d MB missing; peaks: sender %d MB, receiver %d MB",
		time.Since(begin).Round(time.Second), sent>>20, (largePayload-before)>>20, senderPeak>>10, receiverPeak>>10)
	if again := sent - (largePayload - before); again > 2*exchange.MaxPiece {
		t.Errorf("%d bytes were sent again", again)
	}
	const base = 48 << 10 // kB of a process that does nothing yet
	if senderPeak > base+largeGrowth>>10 || receiverPeak > base+largeGrowth>>10 {
		t.Errorf("peaks of %d and %d kB", senderPeak, receiverPeak)
	}
}
