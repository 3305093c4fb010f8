package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/softkey"
	"antin/signer/tsa"
	"antin/signer/validation"
)

// This file is the only one that names drivers: what stands behind the seams of
// the signer and the exchange is chosen here.

// newFetcher is the one guarded client for OCSP, CRL and AIA.
func newFetcher(e *env, allow []string) (*fetch.Client, error) {
	c, err := fetch.New(fetch.Options{AllowHosts: allow, Now: e.now})
	if err != nil {
		return nil, text.Detailed(text.InvalidInput, err, "cli.bad_host", allow)
	}
	return c, nil
}

// signer builds the signer that the flags of `antin sign` ask for.
func (c *signCmd) signer(e *env) (*signer.Signer, error) {
	key, err := c.signingKey(e)
	if err != nil {
		return nil, err
	}
	sandboxKey := len(key.Chain) > 0 && key.Chain[0].Sandbox
	anchors, sandbox, err := loadTrust(c.Trust)
	if err != nil {
		return nil, err
	}
	if sandbox || sandboxKey {
		e.warn("cli.sandbox")
	}
	s := &signer.Signer{
		Keys:         softkey.NewProvider(map[string]signer.Key{c.Key: key}),
		AllowSandbox: sandbox || sandboxKey,
		Now:          e.now,
	}
	if s.Known, err = c.knownIssuers(e); err != nil {
		return nil, err
	}
	if len(anchors) > 0 {
		s.Trust = anchors
	}
	client, err := stampClient(c.TSA, c.TSATimeout, e.now)
	if err != nil {
		return nil, err
	}
	if client != nil {
		s.Timestamps = client
	}
	if s.Revocation, s.Issuers, err = c.sources(e, c.AllowHost, c.Offline); err != nil {
		return nil, err
	}
	return s, nil
}

// signer builds the signer that the flags of `antin augment` ask for: without keys.
func (c *augmentCmd) signer(e *env) (*signer.Signer, error) {
	anchors, sandbox, err := loadTrust(c.Trust)
	if err != nil {
		return nil, err
	}
	if sandbox {
		e.warn("cli.sandbox")
	}
	revocation, issuers, err := c.sources(e, c.AllowHost, false)
	if err != nil {
		return nil, err
	}
	s := &signer.Signer{Revocation: revocation, Issuers: issuers, AllowSandbox: sandbox, Now: e.now}
	if s.Known, err = c.knownIssuers(e); err != nil {
		return nil, err
	}
	if len(anchors) > 0 {
		s.Trust = anchors
	}
	stamps, err := stampClient(c.TSA, c.TSATimeout, e.now)
	if err != nil {
		return nil, err
	}
	if stamps != nil {
		s.Timestamps = stamps
	}
	return s, nil
}

// listen opens addr for a server of this program.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, text.Detailed(text.PeerUnavailable, err, "cli.addr", addr)
	}
	return l, nil
}

// newHTTPServer bounds what a slow or greedy client can hold.
func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       5 * time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// serveUntil serves h on l until ctx ends, then lets requests under way finish.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := newHTTPServer(h)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		_ = srv.Close()
	}
	if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// loadOrMakePKI reuses dir/pki when it is there, else makes one and writes it.
func loadOrMakePKI(e *env, dir, baseURL string) (*certstest.PKI, error) {
	o := certstest.Options{BaseURL: baseURL, Now: e.now}
	path := dir + string(os.PathSeparator) + "pki"
	if _, err := os.Stat(path); err == nil {
		pki, err := certstest.Load(path, o)
		if err != nil {
			return nil, text.Detailed(text.FileUnreadable, err, "cli.path", path)
		}
		if pki.BaseURL() != baseURL { // the addresses stand in its certificates
			return nil, text.Detailed(text.InvalidInput, nil, "cli.other_address", path, pki.BaseURL(), strings.TrimPrefix(pki.BaseURL(), "http://"))
		}
		return pki, nil
	}
	pki, err := certstest.New(o)
	if err != nil {
		return nil, err
	}
	if err := pki.Save(path); err != nil {
		return nil, storageError(err)
	}
	return pki, nil
}

// sandboxKey is the signer of a role as the signer's seam wants it.
func sandboxKey(p *certstest.PKI, role string) signer.Key {
	ent := p.Signer(role)
	return signer.Key{Signer: ent.Key, Chain: ent.Chain}
}

// sandboxSigner signs with the sandbox's keys, named by their roles.
func sandboxSigner(e *env, p *certstest.PKI, client *fetch.Client) (*signer.Signer, error) {
	stamps, err := tsa.New(tsa.Options{URLs: []string{p.BaseURL() + "/tsa"}, Timeout: 10 * time.Second, Now: e.now})
	if err != nil {
		return nil, err
	}
	keys := map[string]signer.Key{}
	for _, role := range certstest.Roles() {
		keys[role] = sandboxKey(p, role)
	}
	return &signer.Signer{
		Keys: softkey.NewProvider(keys), Timestamps: stamps, Trust: certs.Anchors{p.Root()},
		Revocation: client, Issuers: client, AllowSandbox: true, Now: e.now,
	}, nil
}

// sandboxValidator judges by the sandbox's root alone.
func sandboxValidator(p *certstest.PKI, client *fetch.Client) (*validation.Validator, error) {
	policy, err := validation.PolicyByName("vn-2026")
	if err != nil {
		return nil, err
	}
	return &validation.Validator{Trust: certs.Anchors{p.Root()}, Revocation: client, Issuers: client, Policy: policy, AllowSandbox: true}, nil
}
