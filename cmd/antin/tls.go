package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// liveCertificate is the certificate of a listener, read again when its files change.
type liveCertificate struct{ *liveFiles[*tls.Certificate] }

// openCertificate reads the files for the first time.
func openCertificate(files TLSConfig, now func() time.Time, onError func(error)) (*liveCertificate, error) {
	l, err := openLive([]string{files.Certificate, files.Key}, files.load, now, onError)
	if err != nil {
		return nil, err
	}
	return &liveCertificate{l}, nil
}

// load reads the pair.
func (t TLSConfig) load() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	if err != nil {
		return nil, text.Detailed(text.ConfigInvalid, err, "serve.tls", t.Certificate)
	}
	if parsed, err := certs.ParseCertificate(c.Certificate[0]); err == nil && parsed.Sandbox {
		return nil, text.Detailed(text.SandboxCertificate, nil, "serve.sandbox_file", t.Certificate)
	}
	return &c, nil
}

// get is tls.Config.GetCertificate.
func (l *liveCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return l.current(), nil
}

// leaf is the certificate in force.
func (l *liveCertificate) leaf() (*x509.Certificate, error) {
	return x509.ParseCertificate(l.current().Certificate[0])
}

// config is the TLS configuration of a listener for browsers and programs.
func (l *liveCertificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: l.get}
}

// loadIdentity reads the transport key and certificate.
func loadIdentity(cfg *Config) (peer.Identity, error) {
	pair, err := tls.LoadX509KeyPair(cfg.Peer.Certificate, cfg.Peer.Key)
	if err != nil {
		if os.IsNotExist(errors.Unwrap(err)) || os.IsNotExist(err) {
			return peer.Identity{}, inputError(cfg.Peer.Key, err)
		}
		return peer.Identity{}, text.Detailed(text.ConfigInvalid, err, "serve.transport", cfg.Peer.Key)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return peer.Identity{}, text.Detailed(text.ConfigInvalid, nil, "serve.transport", cfg.Peer.Key)
	}
	return peer.Identity{Key: key, Certificate: pair.Certificate[0]}, nil
}

// loadSeals reads the agency's seal certificates; none of the sandbox is admitted.
func loadSeals(cfg *Config) (seals [][]byte, err error) {
	for _, f := range cfg.Keys.SealCertificates {
		data, err := readKeyFile(f)
		if err != nil {
			return nil, err
		}
		list, err := certs.ParseBundle(data)
		if err != nil || len(list) == 0 {
			return nil, text.Detailed(text.ConfigInvalid, err, "cli.trust_unreadable", f)
		}
		if list[0].Sandbox {
			return nil, text.Detailed(text.SandboxCertificate, nil, "serve.sandbox_file", f)
		}
		seals = append(seals, list[0].Raw)
	}
	return seals, nil
}

// refuseSandboxAccounts looks for bound certificates of the sandbox, which a data
// directory that was once a trial's may hold.
func refuseSandboxAccounts(ctx context.Context, access *exchange.Access, agency exchange.AgencyCode) error {
	accounts, err := access.Accounts(ctx, exchange.System(agency))
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if len(a.Certificate) == 0 {
			continue
		}
		if c, err := certs.ParseCertificate(a.Certificate); err == nil && c.Sandbox {
			return text.Detailed(text.SandboxCertificate, nil, "serve.sandbox_data", a.Login)
		}
	}
	return nil
}
