package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sync/errgroup"

	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/exchange"
)

// demoCmd runs two agencies, the public pages and the sandbox trust services in
// one process.
type demoCmd struct {
	Once bool   `help:"${help_once}"`
	Dir  string `help:"${help_demo_dir}" placeholder:"DIR"`
	Addr string `help:"${help_demo_addr}" default:"127.0.0.1:8080"`
	PDF  string `name:"pdf" help:"${help_demo_pdf}" placeholder:"FILE"`
}

// Run starts everything; with --once it runs the main job and ends.
func (c *demoCmd) Run(e *env, ctx *ctxHolder) error {
	d, err := c.start(ctx, e)
	if err != nil {
		return err
	}
	defer d.close()
	if c.Once {
		return d.whileServing(ctx, func(ctx context.Context) error { return d.once(ctx, e, c.PDF) })
	}
	start, a, b, err := d.links(ctx)
	if err != nil {
		return err
	}
	e.say("demo.ready", start, a, b, "http://"+d.public.Addr().String()+"/", d.dir)
	return d.whileServing(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil })
}

// demo is the running demo.
type demo struct {
	dir    string
	desk   net.Listener // agencies' pages and API
	public net.Listener // public pages and trust services
	pki    *certstest.PKI
	a, b   *node
	story  *story

	handler       http.Handler
	publicHandler http.Handler
}

// start opens the ports, makes the PKI and both agencies. Nothing is served yet.
func (c *demoCmd) start(ctx context.Context, e *env) (_ *demo, err error) {
	host, port, err := loopbackAddr(c.Addr)
	if err != nil {
		return nil, err
	}
	if c.PDF != "" {
		f, _, err := openInput(c.PDF)
		if err != nil {
			return nil, err
		}
		_ = f.Close()
	}
	d := &demo{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.dir, err = demoDir(c.Dir); err != nil {
		return nil, err
	}
	if err = d.openPorts(ctx, host, port, c.Once); err != nil {
		return nil, err
	}
	trust := "http://" + d.public.Addr().String()
	if d.pki, err = certstest.New(certstest.Options{BaseURL: trust, Now: e.now}); err != nil {
		return nil, err
	}
	if err = d.pki.Save(filepath.Join(d.dir, "pki")); err != nil {
		return nil, storageError(err)
	}
	// OCSP, CRL and AIA of the sandbox lie on loopback; nothing else there is asked.
	client, err := fetch.New(fetch.Options{AllowHosts: []string{d.public.Addr().String()}, Now: e.now})
	if err != nil {
		return nil, err
	}
	if err = d.openNodes(ctx, e, trust, client); err != nil {
		return nil, err
	}
	d.story = &story{a: d.a, b: d.b, now: e.now}
	return d, d.handlers(ctx, e, client)
}

// openPorts opens the address asked for and the next port. With --once nobody
// opens pages, so ports that are taken are no reason to fail.
func (d *demo) openPorts(ctx context.Context, host string, port int, once bool) (err error) {
	at := func(p int) string { return net.JoinHostPort(host, strconv.Itoa(p)) }
	next := port + 1
	if port == 0 {
		next = 0
	}
	if d.desk, err = listen(ctx, at(port)); err != nil && once {
		d.desk, err = listen(ctx, at(0))
	}
	if err != nil {
		return err
	}
	if d.public, err = listen(ctx, at(next)); err != nil && once {
		d.public, err = listen(ctx, at(0))
	}
	return err
}

func (d *demo) openNodes(ctx context.Context, e *env, trust string, client *fetch.Client) (err error) {
	setupA, setupB := demoAgencies(d.pki)
	if d.a, err = newNode(ctx, e, setupA, trust+"/q"); err != nil {
		return err
	}
	if d.b, err = newNode(ctx, e, setupB, trust+"/q"); err != nil {
		return err
	}
	directory := exchange.AgencyList{d.a.office.Agency, d.b.office.Agency}
	for _, n := range []struct {
		*node
		dir string
	}{{d.a, "a"}, {d.b, "b"}} {
		data := filepath.Join(d.dir, n.dir, "data")
		// A demo begins anew: its keys are new, so what an earlier one left cannot be read on.
		if err := os.RemoveAll(data); err != nil {
			return storageError(err)
		}
		if err := n.open(ctx, e, data, directory, d.pki, client); err != nil {
			return err
		}
	}
	return nil
}

// whileServing serves everything until work returns or the context ends.
func (d *demo) whileServing(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group errgroup.Group
	failed := make(chan error, 4)
	serve := func(f func() error) {
		group.Go(func() error {
			err := f()
			if err != nil && ctx.Err() == nil {
				failed <- err
				cancel()
			}
			return nil
		})
	}
	serve(func() error { return serveUntil(ctx, d.desk, guardHost(d.desk.Addr().String(), d.handler)) })
	serve(func() error {
		return serveUntil(ctx, d.public, guardHost(d.public.Addr().String(), d.publicHandler))
	})
	serve(func() error { return d.a.run(ctx) })
	serve(func() error { return d.b.run(ctx) })
	err := work(ctx)
	cancel()
	_ = group.Wait()
	select {
	case f := <-failed:
		return errors.Join(f, err)
	default:
	}
	return err
}

func (d *demo) close() {
	for _, n := range []*node{d.a, d.b} {
		if n != nil {
			n.close()
		}
	}
	for _, l := range []net.Listener{d.desk, d.public} {
		if l != nil {
			_ = l.Close()
		}
	}
}
