package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"sync"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// tlsRecheck bounds how often a listener's certificate files are looked at.
const tlsRecheck = time.Second

// liveCertificate is a certificate whose files are read again when they change. New
// files that cannot be used leave the old certificate in force. It is safe for
// concurrent use.
type liveCertificate struct {
	files   TLSConfig
	now     func() time.Time
	onError func(error)

	mu      sync.Mutex
	cert    *tls.Certificate
	stamps  [2]fileStamp
	checked time.Time
}

// openCertificate reads the files for the first time.
func openCertificate(files TLSConfig, now func() time.Time, onError func(error)) (*liveCertificate, error) {
	l := &liveCertificate{files: files, now: now, onError: onError}
	var err error
	if l.stamps, err = l.stamp(); err != nil {
		return nil, text.Detailed(text.ConfigInvalid, err, "serve.tls", files.Certificate)
	}
	if l.cert, err = l.load(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *liveCertificate) stamp() (s [2]fileStamp, err error) {
	var kerr error
	s[0], err = stampOf(l.files.Certificate)
	s[1], kerr = stampOf(l.files.Key)
	return s, errors.Join(err, kerr)
}

func (l *liveCertificate) load() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(l.files.Certificate, l.files.Key)
	if err != nil {
		return nil, text.Detailed(text.ConfigInvalid, err, "serve.tls", l.files.Certificate)
	}
	if parsed, err := certs.ParseCertificate(c.Certificate[0]); err == nil && parsed.Sandbox {
		return nil, text.Detailed(text.SandboxCertificate, nil, "serve.sandbox_file", l.files.Certificate)
	}
	return &c, nil
}

// get is tls.Config.GetCertificate.
func (l *liveCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if since := now.Sub(l.checked); since >= 0 && since < tlsRecheck {
		return l.cert, nil
	}
	l.checked = now
	stamps, err := l.stamp()
	if err == nil && stamps == l.stamps {
		return l.cert, nil
	}
	var fresh *tls.Certificate
	if err == nil {
		fresh, err = l.load()
	}
	if err != nil {
		// A key is often written before its certificate: until both fit the old pair
		// serves, and the stamps stay as they were so that the next look tries again.
		if l.onError != nil {
			l.onError(err)
		}
		return l.cert, nil
	}
	l.cert, l.stamps = fresh, stamps
	return l.cert, nil
}

// leaf is the certificate in force.
func (l *liveCertificate) leaf() (*x509.Certificate, error) {
	c, err := l.get(nil)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(c.Certificate[0])
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
