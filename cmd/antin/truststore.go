package main

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
)

// trusted is whom signatures are judged by.
type trusted struct {
	anchors certs.AnchorList
	known   certs.Known // CA certificates below the anchors, trusted in nothing
	sandbox bool        // an anchor carries the mark of test data
}

// now are the anchors in force.
func (t trusted) now(at time.Time) certs.Anchors {
	var in certs.Anchors
	for _, a := range t.anchors {
		if a.InForce(at) {
			in = append(in, a.Certificate)
		}
	}
	return in
}

// add takes certificates of a file: anchors in the domain that their fingerprint
// tells, the agency's own where it tells none.
func (t *trusted) add(list []*certs.Certificate) {
	for _, c := range list {
		a := certs.TrustAnchor{Certificate: c, Domain: certs.DomainOwn}
		if p, ok := certs.PinOf(c); ok {
			a.Domain = p.Domain
		}
		t.anchors = append(t.anchors, a)
		t.sandbox = t.sandbox || c.Sandbox
	}
}

// load reads everything that the configuration trusts.
func (c *TrustConfig) load() (t trusted, err error) {
	anchors, _, err := loadTrust(c.Anchors)
	if err != nil {
		return t, err
	}
	t.add(anchors)
	if t.known, err = loadKnown(c.Intermediates); err != nil {
		return t, err
	}
	if c.Store == "" {
		return t, nil
	}
	store, err := readTrustStore(c.Store)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	t.anchors = append(t.anchors, store.anchors...)
	t.known = append(t.known, store.known...)
	t.sandbox = t.sandbox || store.sandbox
	return t, nil
}

// loadKnown reads CA certificates that paths may lead through.
func loadKnown(paths []string) (certs.Known, error) {
	list, _, err := loadTrust(paths)
	return certs.Known(list), err
}

// trustFile is the trust store on disk: one YAML file that `antin trust` writes.
type trustFile struct {
	Anchors       []trustEntry `yaml:"anchors"`
	Intermediates []trustEntry `yaml:"intermediates"`
}

// trustEntry is one certificate with its fingerprint, which must fit.
type trustEntry struct {
	SHA256 string    `yaml:"sha256"`
	Domain string    `yaml:"domain" enum:"official,public,own"`
	Name   string    `yaml:"name"` // for whoever reads the file
	From   time.Time `yaml:"from"`
	Until  time.Time `yaml:"until"`
	PEM    string    `yaml:"pem"`
}

// readTrustStore reads a trust store. A file that is not there is fs.ErrNotExist.
func readTrustStore(path string) (t trusted, err error) {
	data, err := readConfigFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return t, err
		}
		return t, inputError(path, err)
	}
	var f trustFile
	if err := strictYAML(path, data, &f, func(string, int, reflect.Value, string) {}); err != nil {
		return t, err
	}
	for _, entry := range f.Anchors {
		c, err := entry.certificate(path)
		if err != nil {
			return t, err
		}
		t.anchors = append(t.anchors, certs.TrustAnchor{Certificate: c, Domain: certs.Domain(entry.Domain), From: entry.From, Until: entry.Until})
		t.sandbox = t.sandbox || c.Sandbox
	}
	for _, entry := range f.Intermediates {
		c, err := entry.certificate(path)
		if err != nil {
			return t, err
		}
		t.known = append(t.known, c)
	}
	return t, nil
}

// certificate reads the entry and holds it against its fingerprint.
func (f trustEntry) certificate(path string) (*certs.Certificate, error) {
	list, err := certs.ParseBundle([]byte(f.PEM))
	if err != nil || len(list) != 1 {
		return nil, text.Detailed(text.ConfigInvalid, err, "trust.entry", path, f.SHA256)
	}
	if anchorSum(list[0]) != strings.ToLower(f.SHA256) {
		return nil, text.Detailed(text.ConfigInvalid, nil, "trust.entry", path, f.SHA256)
	}
	return list[0], nil
}

func anchorSum(c *certs.Certificate) string {
	sum := c.SHA256()
	return hex.EncodeToString(sum[:])
}

// write puts the store on disk as a whole, with the certificates in a fixed order.
func (t trusted) write(path string) error {
	return writeFileMode(path, 0o644, true, func(w io.Writer) error {
		var b bytes.Buffer
		b.WriteString("anchors:\n")
		for _, ch := range certs.DiffAnchors(nil, t.anchors) {
			writeTrustEntry(&b, ch.Anchor.Certificate, string(ch.Anchor.Domain), ch.Anchor.From, ch.Anchor.Until)
		}
		known := slices.SortedFunc(slices.Values(t.known), func(a, b *certs.Certificate) int { return strings.Compare(anchorSum(a), anchorSum(b)) })
		b.WriteString("intermediates:\n")
		for _, c := range known {
			writeTrustEntry(&b, c, "", time.Time{}, time.Time{})
		}
		_, err := w.Write(b.Bytes())
		return err
	})
}

func writeTrustEntry(b *bytes.Buffer, c *certs.Certificate, domain string, from, until time.Time) {
	fmt.Fprintf(b, "  - sha256: %s\n    name: %s\n", quoted(anchorSum(c)), quoted(c.Subject))
	if domain != "" {
		fmt.Fprintf(b, "    domain: %s\n", domain)
	}
	for _, bound := range []struct {
		key string
		at  time.Time
	}{{"from", from}, {"until", until}} {
		if !bound.at.IsZero() {
			fmt.Fprintf(b, "    %s: %s\n", bound.key, quoted(bound.at.UTC().Format(time.RFC3339)))
		}
	}
	b.WriteString("    pem: |\n")
	for line := range strings.Lines(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))) {
		b.WriteString("      " + strings.TrimSpace(line) + "\n")
	}
}

// trustOf is what --trust names, else what the configuration trusts; from is the
// configuration's part then, nil otherwise.
func trustOf(e *env, paths []string) (t trusted, from *TrustConfig, err error) {
	if len(paths) > 0 {
		anchors, _, err := loadTrust(paths)
		t.add(anchors)
		return t, nil, err
	}
	if e.config == "" {
		if _, err := os.ReadFile(defaultConfigFile); err != nil {
			return t, nil, nil // no configuration that we may read
		}
	}
	cfg, err := loadConfig(e)
	if err != nil {
		return t, nil, err
	}
	t, err = cfg.Trust.load()
	return t, &cfg.Trust, err
}
