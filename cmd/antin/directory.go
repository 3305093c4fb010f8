package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// directoryFile is the YAML file of peers.
type directoryFile struct {
	Agencies []directoryAgency `yaml:"agencies"`
}

// directoryAgency is one entry of it. Certificates and seals are PEM texts, or
// names of PEM files relative to the directory file.
type directoryAgency struct {
	Line         int            // where the entry begins
	Code         string         `yaml:"code"`
	Name         string         `yaml:"name"`
	InCharge     string         `yaml:"in_charge"`
	Place        string         `yaml:"place"`
	Address      string         `yaml:"address"`
	Telephone    string         `yaml:"telephone"`
	Email        string         `yaml:"email"`
	Website      string         `yaml:"website"`
	URL          string         `yaml:"url"`          // empty: it fetches, or with no certificates has no electronic channel
	Certificates []string       `yaml:"certificates"` // of its gateway; two may overlap
	Keys         []directoryKey `yaml:"keys"`         // retired or compromised transport keys
	Seals        []string       `yaml:"seals"`
	MaxPayloadMB int            `yaml:"max_payload_mb"`
	ValidFrom    time.Time      `yaml:"valid_from"`
	ValidTo      time.Time      `yaml:"valid_to"`
	Successor    string         `yaml:"successor"`
}

// directoryKey says when a transport key, named by its certificate, could be relied on.
type directoryKey struct {
	Certificate string    `yaml:"certificate"`
	From        time.Time `yaml:"from"`
	To          time.Time `yaml:"to"`
	Compromised bool      `yaml:"compromised"`
}

// directoryEvery bounds how often the file is looked at: a change is seen
// within this time.
const directoryEvery = time.Second

// peerDirectory is an exchange.Directory over a YAML file that is read again when it,
// or a PEM file that it names, changes. A file that cannot be used leaves the last good one in force. It is
// safe for concurrent use.
type peerDirectory struct {
	file    string
	own     exchange.Agency
	sandbox bool // admits sandbox certificates; demo only
	now     func() time.Time
	onError func(error) // hears of a file that could not be used, once for each change

	mu      sync.Mutex
	list    exchange.AgencyList
	checked time.Time
	stamps  map[string]fileStamp // of the file and the PEM files that it names, as last read; zero for one that was not there
	signed  signedDirectory
}

// fileStamp tells whether a file has changed.
type fileStamp struct {
	mod  time.Time
	size int64
}

func stampOf(file string) (fileStamp, error) {
	st, err := os.Stat(file)
	if err != nil {
		return fileStamp{}, err
	}
	return fileStamp{st.ModTime(), st.Size()}, nil
}

// openDirectory reads the file for the first time; config-invalid names the line.
func openDirectory(file string, own exchange.Agency, now func() time.Time, onError func(error)) (*peerDirectory, error) {
	d := &peerDirectory{file: file, own: own, now: now, onError: onError, stamps: map[string]fileStamp{}}
	var err error
	if d.list, err = d.read(); err != nil {
		return nil, err
	}
	d.checked = now()
	return d, nil
}

// watch notes file as it stands before it is read.
func (d *peerDirectory) watch(file string) {
	stamp, err := stampOf(file)
	if err != nil {
		stamp = fileStamp{}
	}
	d.stamps[file] = stamp
}

// unchanged reports whether every file stands as it was read.
func (d *peerDirectory) unchanged() bool {
	for file, was := range d.stamps {
		stamp, err := stampOf(file)
		if err != nil {
			stamp = fileStamp{}
		}
		if stamp != was {
			return false
		}
	}
	return true
}

// Agency implements exchange.Directory.
func (d *peerDirectory) Agency(ctx context.Context, code exchange.AgencyCode) (exchange.Agency, error) {
	return d.current().Agency(ctx, code)
}

// Agencies implements exchange.Directory; the own agency is among them.
func (d *peerDirectory) Agencies(ctx context.Context) ([]exchange.Agency, error) {
	return d.current().Agencies(ctx)
}

// current is the list in force, read anew when the file has changed.
func (d *peerDirectory) current() exchange.AgencyList {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if since := now.Sub(d.checked); since >= 0 && since < directoryEvery {
		return d.list
	}
	d.checked = now
	if d.unchanged() {
		return d.list
	}
	list, err := d.read()
	if err != nil {
		if d.onError != nil {
			d.onError(err)
		}
		return d.list
	}
	d.list = list
	return d.list
}

// read reads and judges the whole file. Files that it no longer names are watched on:
// the next reading may name them again.
func (d *peerDirectory) read() (exchange.AgencyList, error) {
	d.watch(d.file)
	data, err := readConfigFile(d.file)
	if err != nil {
		return nil, inputError(d.file, err)
	}
	if d.signed.trust != nil {
		return d.take(data)
	}
	return d.parse(data)
}

// parse reads and judges the entries of a directory.
func (d *peerDirectory) parse(data []byte) (exchange.AgencyList, error) {
	var f directoryFile
	if err := strictYAML(d.file, data, &f, nil); err != nil {
		return nil, err
	}
	list := exchange.AgencyList{d.own}
	pins := map[[32]byte]exchange.AgencyCode{}
	for _, pin := range d.own.TLS {
		pins[pin] = d.own.Code
	}
	for _, entry := range f.Agencies {
		if d.signed.trust != nil && exchange.AgencyCode(entry.Code) == d.own.Code {
			continue // one directory for all of them holds ours too; we know ourselves better
		}
		a, err := d.agency(entry)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list[1:], func(o exchange.Agency) bool { return o.Code == a.Code }) {
			return nil, d.refuse(entry, nil, "directory.twice")
		}
		for _, pin := range a.TLS {
			if other, taken := pins[pin]; taken {
				return nil, d.refuse(entry, nil, "directory.pin", string(other))
			}
			pins[pin] = a.Code
		}
		list = append(list, a)
	}
	return list, nil
}

func (d *peerDirectory) refuse(entry directoryAgency, err error, key text.Key, args ...any) error {
	why := text.Get(key, args...)
	code := text.ConfigInvalid
	if key == "directory.sandbox" {
		code = text.SandboxCertificate
	}
	return text.Detailed(code, err, "directory.entry", filepath.Base(d.file), entry.Line, entry.Code, why.VI, why.EN)
}

// agency turns one entry into what the exchange knows of an agency.
func (d *peerDirectory) agency(e directoryAgency) (exchange.Agency, error) {
	code := exchange.AgencyCode(e.Code)
	a := exchange.Agency{Code: code, Name: e.Name, InCharge: e.InCharge, Place: e.Place, Address: e.Address, Email: e.Email,
		Telephone: e.Telephone, Website: e.Website, Endpoint: e.URL, Pull: e.URL == "" && len(e.Certificates) > 0, MaxPayload: int64(e.MaxPayloadMB) << 20,
		ValidFrom: e.ValidFrom, ValidTo: e.ValidTo, Successor: exchange.AgencyCode(e.Successor)}
	switch u, err := url.Parse(e.URL); {
	case !code.Valid():
		return a, d.refuse(e, nil, "directory.code")
	case code == d.own.Code:
		return a, d.refuse(e, nil, "directory.own")
	case strings.TrimSpace(e.Name) == "":
		return a, d.refuse(e, nil, "directory.name")
	case e.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "" || len(e.Certificates) == 0), e.MaxPayloadMB < 0:
		return a, d.refuse(e, nil, "directory.url")
	case !e.ValidTo.IsZero() && !e.ValidTo.After(e.ValidFrom):
		return a, d.refuse(e, nil, "directory.dates")
	}
	for _, s := range e.Certificates {
		cert, err := d.certificate(e, s)
		if err != nil {
			return a, err
		}
		a.TLS = append(a.TLS, peer.Fingerprint(cert.Raw))
		a.Keys = append(a.Keys, exchange.GatewayKey{Public: cert.PublicKey, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter})
	}
	for _, k := range e.Keys {
		cert, err := d.certificate(e, k.Certificate)
		if err != nil {
			return a, err
		}
		a.Keys = retired(a.Keys, exchange.GatewayKey{Public: cert.PublicKey, NotBefore: later(cert.NotBefore, k.From), NotAfter: k.To, Compromised: k.Compromised})
		if k.Compromised { // who holds it must not get in either
			a.TLS = slices.DeleteFunc(a.TLS, func(pin [32]byte) bool { return pin == peer.Fingerprint(cert.Raw) })
		}
	}
	for _, s := range e.Seals {
		seal, err := d.seal(e, s)
		if err != nil {
			return a, err
		}
		a.Seals = append(a.Seals, seal)
	}
	return a, nil
}

// retired puts k in the place of what certificates say of the same key.
func retired(keys []exchange.GatewayKey, k exchange.GatewayKey) []exchange.GatewayKey {
	type comparable interface{ Equal(crypto.PublicKey) bool }
	keys = slices.DeleteFunc(keys, func(o exchange.GatewayKey) bool {
		p, ok := o.Public.(comparable)
		return ok && p.Equal(k.Public)
	})
	return append(keys, k)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

var errNoCertificate = errors.New("no PEM certificate")

// pemOf returns the DER of the one certificate that s holds or names.
func (d *peerDirectory) pemOf(e directoryAgency, s string) ([]byte, error) {
	data, shown := []byte(s), "PEM"
	if !strings.Contains(s, "-----BEGIN") {
		if d.signed.trust != nil {
			return nil, d.refuse(e, nil, "directory.inline", s)
		}
		file := s
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(d.file), file)
		}
		shown = s
		d.watch(file)
		var err error
		if data, err = readKeyFile(file); err != nil {
			return nil, d.refuse(e, err, "directory.cert", shown)
		}
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" || strings.Contains(string(rest), "-----BEGIN") {
		return nil, d.refuse(e, errNoCertificate, "directory.cert", shown)
	}
	return block.Bytes, nil
}

// certificate reads a transport certificate.
func (d *peerDirectory) certificate(e directoryAgency, s string) (*x509.Certificate, error) {
	der, err := d.pemOf(e, s)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, d.refuse(e, err, "directory.cert", "PEM")
	}
	switch k := cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return cert, nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= 2048 {
			return cert, nil
		}
	}
	return nil, d.refuse(e, nil, "directory.key_type")
}

// seal reads a seal certificate.
func (d *peerDirectory) seal(e directoryAgency, s string) ([]byte, error) {
	der, err := d.pemOf(e, s)
	if err != nil {
		return nil, err
	}
	cert, err := certs.ParseCertificate(der)
	if err != nil {
		return nil, d.refuse(e, err, "directory.cert", "PEM")
	}
	if cert.Sandbox && !d.sandbox {
		return nil, d.refuse(e, nil, "directory.sandbox")
	}
	return der, nil
}
