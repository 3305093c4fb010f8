package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/exchangebench"
)

// This file is one side of `antin bench exchange`: a gateway put together as `antin
// serve` puts it together, with nothing in it but what the exchange needs, or the
// bare loop's side in its place.

// The agencies of the measurement.
const (
	benchSender   exchange.AgencyCode = "H98.21"
	benchReceiver exchange.AgencyCode = "H98.35"
)

// endPlan is what an end is told first.
type endPlan struct {
	Cell    benchCell              `json:"cell"`
	Sends   bool                   `json:"sends"`
	Ceiling bool                   `json:"ceiling"`
	Dir     string                 `json:"dir"`
	Addr    string                 `json:"addr"` // of the receiver, for the sender
	A       exchangebench.Identity `json:"a"`
	B       exchangebench.Identity `json:"b"`
	Warm    time.Duration          `json:"warm"`
	Length  time.Duration          `json:"length"`
	Profile string                 `json:"profile"` // where the CPU profile goes; empty for none
}

// endSays is a line of an end's answer.
type endSays struct {
	Addr     string                 `json:"addr,omitempty"`
	Begin    bool                   `json:"begin,omitempty"`
	End      bool                   `json:"end,omitempty"`
	Figures  *exchangebench.Figures `json:"figures,omitempty"`
	Received uint64                 `json:"received,omitempty"`
	Wire     int64                  `json:"wire,omitempty"` // bytes over the listener, both ways
}

// benchExchangeEndCmd is started by `antin bench exchange` and by nobody else.
type benchExchangeEndCmd struct{}

// Run is one side until standard input ends.
func (benchExchangeEndCmd) Run(e *env, ctx *ctxHolder) error {
	in := bufio.NewReader(e.in)
	var plan endPlan
	if err := readLine(in, &plan); err != nil {
		return err
	}
	if err := os.MkdirAll(plan.Dir, 0o700); err != nil {
		return storageError(err)
	}
	stop, err := startProfile(plan.Profile)
	if err != nil {
		return err
	}
	defer stop()
	switch {
	case plan.Sends && plan.Ceiling:
		err = plan.sendBare(ctx, e)
	case plan.Sends:
		err = plan.send(ctx, e)
	case plan.Ceiling:
		err = plan.receiveBare(ctx, e, in)
	default:
		err = plan.receive(ctx, e, in)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	return err
}

func startProfile(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, storageError(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

func (p endPlan) load(e *env) exchangebench.Load {
	return exchangebench.Load{Senders: p.Cell.Senders, Warm: p.Warm, Length: p.Length,
		Mark: func(begin bool) { _ = printJSON(e.out, endSays{Begin: begin, End: !begin}) }}
}

func (p endPlan) sendBare(ctx context.Context, e *env) error {
	s, err := exchangebench.NewSender(ctx, p.Dir, p.Addr, p.A, p.B.Certificate)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	f, err := p.load(e).Run(ctx, func(ctx context.Context, n uint64) error { return s.Send(ctx, n, p.Cell.Size) })
	if err != nil {
		return err
	}
	kept, err := s.Kept(ctx)
	if err == nil && kept != f.All {
		err = fmt.Errorf("%d receipts of %d kept", kept, f.All)
	}
	if err != nil {
		return err
	}
	return printJSON(e.out, endSays{Figures: &f})
}

func (p endPlan) receiveBare(ctx context.Context, e *env, in *bufio.Reader) error {
	r, err := exchangebench.NewReceiver(ctx, p.Dir, p.B, p.A.Certificate)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	counted := &countedListener{Listener: l}
	var ended sync.WaitGroup
	defer ended.Wait()
	defer func() { _ = l.Close() }()
	ended.Go(func() { _ = r.Serve(counted) })
	return counted.answer(e, in, func() (uint64, error) { return r.Received(ctx) })
}

// answer tells where l listens and, when asked, what came in.
func (l *countedListener) answer(e *env, in *bufio.Reader, received func() (uint64, error)) error {
	if err := printJSON(e.out, endSays{Addr: l.Addr().String()}); err != nil {
		return err
	}
	var asked struct{}
	if err := readLine(in, &asked); err != nil {
		return err
	}
	n, err := received()
	if err != nil {
		return err
	}
	return printJSON(e.out, endSays{Received: n, Wire: l.bytes.Load()})
}

// office is one of the two agencies.
func (p endPlan) office(code exchange.AgencyCode, id exchangebench.Identity, addr string, since time.Time) (exchange.Office, peer.Identity, error) {
	key, err := id.Signer()
	if err != nil {
		return exchange.Office{}, peer.Identity{}, err
	}
	identity := peer.Identity{Key: key, Certificate: id.Certificate}
	return exchange.Office{GatewayKey: key, Sandbox: true, Agency: exchange.Agency{Code: code, Name: string(code), Place: "Thử Nghiệm", Endpoint: "https://" + addr,
		TLS: [][32]byte{identity.Fingerprint()}, Keys: []exchange.GatewayKey{{Public: key.Public(), NotBefore: since}}}}, identity, nil
}

// open puts one gateway together.
func (p endPlan) open(ctx context.Context, e *env) (*core, error) {
	since := e.now().Add(-time.Hour)
	a, idA, err := p.office(benchSender, p.A, "127.0.0.1:1", since)
	if err != nil {
		return nil, err
	}
	b, idB, err := p.office(benchReceiver, p.B, p.Addr, since)
	if err != nil {
		return nil, err
	}
	parts := coreParts{dir: p.Dir, office: b, identity: idB, directory: exchange.AgencyList{a.Agency, b.Agency}, maxPayload: maxBenchSize,
		onError: func(err error) { e.trouble("exchange", err) }}
	parts.holdAdmission = !p.Sends
	if p.Sends {
		parts.office, parts.identity = a, idA
	}
	return newCore(ctx, e.now, parts)
}

func (p endPlan) receive(ctx context.Context, e *env, in *bufio.Reader) error {
	c, err := p.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { _ = c.close() }()
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	counted := &countedListener{Listener: l}
	run, quit := context.WithCancel(ctx)
	var ended sync.WaitGroup
	defer ended.Wait()
	defer quit()
	ended.Go(func() { _ = c.server.Serve(run, counted) })
	return counted.answer(e, in, func() (uint64, error) {
		n := uint64(0)
		err := eachEvent(ctx, c.db, benchReceiver, new(int64), func(ev exchange.Event) {
			if ev.Kind == exchange.EventReceived {
				n++
			}
		})
		return n, err
	})
}

// eventPage is how many events one look takes.
const eventPage = 500

// eachEvent calls f for every event of agency behind seq, and moves seq.
func eachEvent(ctx context.Context, s exchange.Store, agency exchange.AgencyCode, seq *int64, f func(exchange.Event)) error {
	for {
		var events []exchange.Event
		err := s.View(ctx, func(tx exchange.Tx) (err error) {
			events, err = tx.EventsAfter(ctx, agency, *seq, eventPage)
			return err
		})
		if err != nil {
			return err
		}
		for _, ev := range events {
			f(ev)
			*seq = ev.Seq
		}
		if len(events) < eventPage {
			return nil
		}
	}
}

// countedListener counts the bytes of its connections.
type countedListener struct {
	net.Listener
	bytes atomic.Int64
}

// Accept implements net.Listener.
func (l *countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &countedConn{TCPConn: tcp, bytes: &l.bytes}, err
	}
	return c, err
}

type countedConn struct {
	*net.TCPConn
	bytes *atomic.Int64
}

// Read implements net.Conn.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}
