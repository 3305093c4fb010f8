package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
)

// liveTrust is what the configuration trusts as its files say now: an anchor that IT
// loads or withdraws counts without a restart. Files that cannot be used, and test
// data, leave what was read before in force. It is safe for concurrent use.
type liveTrust struct {
	*liveFiles[trusted]
}

// openTrust reads the trust of cfg for the first time; sandbox-certificate when an
// anchor carries the mark of test data.
func openTrust(cfg *TrustConfig, now func() time.Time, onError func(error)) (liveTrust, error) {
	files, err := openLiveMore(nil, cfg.watched, func() (trusted, error) {
		t, err := cfg.load()
		if err == nil && t.sandbox {
			err = text.Detailed(text.SandboxCertificate, nil, "serve.sandbox_file", strings.Join(cfg.Anchors, ", "))
		}
		return t, err
	}, now, onError)
	return liveTrust{files}, err
}

// watched are the files whose change, coming or going means that trust is read again.
func (c *TrustConfig) watched() []string {
	var names []string
	for _, name := range slices.Concat(c.Anchors, c.Intermediates) {
		files, err := trustFiles(name)
		if err != nil {
			files = []string{name}
		}
		names = append(names, files...)
	}
	return append(names, c.Store)
}

// Anchors implements certs.TrustStore.
func (l liveTrust) Anchors(ctx context.Context, at time.Time) ([]*certs.Certificate, error) {
	return l.current().anchors.Anchors(ctx, at)
}

// DomainOf is the domain of an anchor.
func (l liveTrust) DomainOf(anchor *certs.Certificate) certs.Domain {
	return l.current().anchors.DomainOf(anchor)
}

// Issuers implements certs.IssuerSource.
func (l liveTrust) Issuers(ctx context.Context, c *certs.Certificate) ([]*certs.Certificate, error) {
	return l.current().known.Issuers(ctx, c)
}
