package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/internal/text"
	"antin/web/render"
)

// This file is the gateway that `antin bench serve` measures: a process of its own
// with nothing in it but what `antin serve` runs for one agency. Its keys are the
// sandbox's, so it is put together as the demo's agencies are; the other agency and
// the trust services run in the process that makes the load.

// benchGatewayCmd is started by `antin bench serve` and by nobody else: it talks to
// it over standard input and output, one JSON object a line.
type benchGatewayCmd struct {
	Dir string `arg:""`
}

// benchPeer is an agency as the other process knows it.
type benchPeer struct {
	Endpoint    string `json:"endpoint"`
	Certificate []byte `json:"certificate"`
}

// benchPlan is what the gateway is told first.
type benchPlan struct {
	Peer      benchPeer `json:"peer"`
	Allow     string    `json:"allow"` // host:port of the trust services
	Base      string    `json:"base"`  // their address
	Documents int       `json:"documents"`
	Clerks    int       `json:"clerks"`
	Drafts    int       `json:"drafts"` // signed documents to number, seal and send
	Items     int       `json:"items"`  // received documents to accept
}

// benchFile is a document with the file that it shares with others: the first
// image of a file has to be drawn.
type benchFile struct {
	ID   exchange.ID `json:"id"`
	File int         `json:"file"`
}

// benchReady is what the gateway answers once it is full and serves.
type benchReady struct {
	Desk   string        `json:"desk"`
	Doors  []string      `json:"doors"` // one for each clerk: the path of a ticket
	Old    []benchFile   `json:"old"`   // some of the documents in the database
	Signed []exchange.ID `json:"signed"`
	Items  []exchange.ID `json:"items"`
}

// benchAgency is an agency of the benchmark as its peer's directory lists it.
func benchAgency(s agencySetup, p benchPeer, since time.Time) (exchange.Agency, error) {
	cert, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		return exchange.Agency{}, err
	}
	return exchange.Agency{Code: s.code, Name: s.name, InCharge: s.inCharge, Place: s.place, Endpoint: p.Endpoint,
		TLS: [][32]byte{fingerprint(p.Certificate)}, Keys: []exchange.GatewayKey{{Public: cert.PublicKey, NotBefore: since}}}, nil
}

// Run fills a data directory and serves it until standard input ends.
func (c *benchGatewayCmd) Run(e *env, ctx *ctxHolder) error {
	in := bufio.NewReader(e.in)
	var plan benchPlan
	if err := readLine(in, &plan); err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	g, err := c.open(run, e, plan)
	if err != nil {
		return err
	}
	defer g.close()
	var group errgroup.Group
	group.Go(func() error { return g.run(run) })
	serving, err := c.serve(run, e, g, &group)
	if err == nil {
		err = printJSON(e.out, benchPeer{Endpoint: g.office.Agency.Endpoint, Certificate: g.identity.Certificate})
	}
	if err == nil {
		var ready benchReady
		if ready, err = fillBench(run, g, plan); err == nil {
			ready.Desk = serving
			err = printJSON(e.out, ready)
		}
	}
	if err == nil {
		_, err = io.Copy(io.Discard, in) // until whoever measures is done
	}
	stop()
	if gerr := group.Wait(); err == nil {
		err = gerr
	}
	return err
}

// readLine reads one JSON object.
func readLine(r *bufio.Reader, into any) error {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, into)
}

func (c *benchGatewayCmd) open(ctx context.Context, e *env, plan benchPlan) (*node, error) {
	pki, err := certstest.Load(filepath.Join(c.Dir, "pki"), certstest.Options{BaseURL: plan.Base, Now: e.now})
	if err != nil {
		return nil, err
	}
	client, err := fetch.New(fetch.Options{AllowHosts: []string{plan.Allow}, Now: e.now})
	if err != nil {
		return nil, err
	}
	setup, other := demoAgencies(pki)
	n, err := newNode(ctx, e, setup, plan.Base+"/q")
	if err != nil {
		return nil, err
	}
	peer, err := benchAgency(other, plan.Peer, e.now().Add(-time.Hour))
	if err == nil {
		err = n.open(ctx, e, filepath.Join(c.Dir, "a"), exchange.AgencyList{n.office.Agency, peer}, pki, client)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// serve opens the clerks' pages and API as `antin serve` does, and returns where.
func (c *benchGatewayCmd) serve(ctx context.Context, e *env, g *node, group *errgroup.Group) (string, error) {
	cache, err := renderCache(c.Dir)
	if err != nil {
		return "", err
	}
	self, err := selfCommand("render")
	if err != nil {
		return "", err
	}
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	h, err := g.apiServer(e.now, "", func(_, _ string, err error) { e.trouble("api", err) }).Handler()
	if err != nil {
		return "", err
	}
	desk := g.desk(e.now, "", render.New(self, cache), e.pageTrouble)
	desk.PlainCookies = true // loopback
	group.Go(func() error { return serveUntil(ctx, l, deskMux(h, desk.Handler())) })
	return "http://" + l.Addr().String(), nil
}

// doors makes the clerks' accounts, each with a ticket that opens its session.
func (n *node) doors(ctx context.Context, clerks int) (doors []string, err error) {
	for i := range clerks {
		a, _, err := n.access.AddAccount(ctx, exchange.System(n.office.Agency.Code), exchange.NewAccount{Login: fmt.Sprintf("van-thu-%d", i+1),
			Name: fmt.Sprintf("Văn thư %d", i+1), Role: exchange.RoleClerk, NoPassword: true})
		if err != nil {
			return nil, err
		}
		ticket, err := n.access.Ticket(ctx, a.Actor())
		if err != nil {
			return nil, err
		}
		doors = append(doors, "/enter?ticket="+url.QueryEscape(ticket))
	}
	return doors, nil
}

// childError says why the gateway ended.
func childError(err error) error { return text.Detailed(text.Internal, err, "bench.child", err) }
