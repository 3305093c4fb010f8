package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// directorySkew is how far a directory may be dated ahead of our clock: clocks differ,
// and a new version should not be refused for minutes.
const directorySkew = 5 * time.Minute

// signedDirectory is what makes a directory one that must be signed. The zero value
// admits a plain file.
type signedDirectory struct {
	trust    jws.Keys                   // whose signature counts; nil: a plain file does
	accepted exchange.AcceptedDirectory // in force
	guard    *exchange.DirectoryGuard   // remembers the newest; nil until bind
	ctx      context.Context            //nolint:containedctx // of the gateway that asked for the guard
	failed   error                      // why the file could not be used before bind
}

// expired reports whether a signed directory is past its time.
func (s signedDirectory) expired(now time.Time) bool {
	return s.trust != nil && !now.Before(s.accepted.ExpiresAt)
}

// openDirectory reads the directory as the configuration wants it: plain, or signed by
// one of directory_trust. A signed one that cannot be used is told by bind, which may
// have an earlier one to go on with.
func (c *Config) openDirectory(own exchange.Agency, now func() time.Time, onError func(error)) (*peerDirectory, error) {
	if len(c.DirectoryTrust) == 0 {
		return openDirectory(c.Directory, own, now, onError)
	}
	keys, err := loadDirectoryKeys(c.DirectoryTrust)
	if err != nil {
		return nil, err
	}
	d := &peerDirectory{file: c.Directory, own: own, now: now, onError: onError, stamps: map[string]fileStamp{}, signed: signedDirectory{trust: keys}}
	if d.list, err = d.read(); err != nil {
		d.list, d.signed.failed = exchange.AgencyList{own}, err
	}
	d.checked = now()
	return d, nil
}

// bind makes d remember in the database the newest version that it accepted, and go on
// with that one where the file is older, or no longer a directory that can be believed.
// It does nothing for a plain file. Errors: why there is no directory to go on with.
func (d *peerDirectory) bind(ctx context.Context, guard *exchange.DirectoryGuard) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.signed.trust == nil {
		return nil
	}
	d.signed.guard, d.signed.ctx = guard, context.WithoutCancel(ctx)
	failed := d.signed.failed
	if failed == nil {
		failed = guard.Accept(ctx, d.signed.accepted)
	}
	if d.signed.failed = nil; failed == nil {
		return nil
	}
	kept, err := guard.Newest(ctx)
	if err != nil {
		return err
	}
	if kept.Serial == 0 {
		return failed
	}
	if d.onError != nil {
		d.onError(failed)
	}
	list, accepted, err := d.verified(kept.File)
	if err != nil { // its key is no longer trusted
		return failed
	}
	d.list, d.signed.accepted = list, accepted
	return nil
}

// verified returns the agencies of a signed directory.
func (d *peerDirectory) verified(file []byte) (exchange.AgencyList, exchange.AcceptedDirectory, error) {
	var a exchange.AcceptedDirectory
	said, body, kid, err := jws.VerifyDirectory(file, d.signed.trust)
	if errors.Is(err, jws.ErrUnsigned) {
		return nil, a, text.Detailed(text.ConfigInvalid, err, "directory.unsigned", d.file)
	}
	if err != nil {
		return nil, a, text.Detailed(text.ConfigInvalid, err, "directory.signature", d.file)
	}
	if said.IssuedAt.After(d.now().Add(directorySkew)) {
		return nil, a, text.Detailed(text.ConfigInvalid, nil, "directory.future", d.file, said.IssuedAt.Local().Format("02/01/2006 15:04"))
	}
	a = exchange.AcceptedDirectory{Serial: said.Serial, SHA256: said.SHA256, Signer: kid, IssuedAt: said.IssuedAt, ExpiresAt: said.ExpiresAt, File: file}
	list, err := d.parse(body)
	return list, a, err
}

// take puts a directory that was verified in force, unless it is an older one.
func (d *peerDirectory) take(data []byte) (exchange.AgencyList, error) {
	list, accepted, err := d.verified(data)
	if err != nil {
		return nil, err
	}
	if d.signed.guard != nil {
		if err := d.signed.guard.Accept(d.signed.ctx, accepted); err != nil {
			return nil, err
		}
	}
	d.signed.accepted = accepted
	return list, nil
}

// state is the directory in force: its version, and whether it is past its time. ok is
// false for a plain file.
func (d *peerDirectory) state() (a exchange.AcceptedDirectory, expired, ok bool) {
	d.current()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.signed.accepted, d.signed.expired(d.now()), d.signed.trust != nil
}

// closed returns why nothing may leave: the signed directory is past its time, so that
// a key that was withdrawn since may stand in it.
func (d *peerDirectory) closed(context.Context) error {
	a, expired, ok := d.state()
	if !ok || !expired {
		return nil
	}
	return text.Detailed(text.ConfigInvalid, nil, "directory.expired", a.Serial, a.ExpiresAt.Local().Format("02/01/2006 15:04"))
}

// loadDirectoryKeys reads the PEM public keys or certificates by which directories are
// believed.
func loadDirectoryKeys(files []string) (jws.Keys, error) {
	var public []crypto.PublicKey
	for _, file := range files {
		data, err := readKeyFile(file)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(data)
		key, err := publicKeyOf(block)
		if err != nil {
			return nil, text.Detailed(text.ConfigInvalid, err, "directory.trust", file)
		}
		public = append(public, key)
	}
	keys, err := jws.NewKeys(public...)
	if err != nil {
		return nil, text.Detailed(text.ConfigInvalid, err, "directory.trust", files[0])
	}
	return keys, nil
}

func publicKeyOf(block *pem.Block) (crypto.PublicKey, error) {
	switch {
	case block == nil:
		return nil, errNoCertificate
	case block.Type == "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return cert.PublicKey, nil
	case block.Type == "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	}
	return nil, fmt.Errorf("%w: %s", errNoCertificate, block.Type)
}
