package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"antin/internal/text"
	"antin/signer/keys/helper"
	"antin/signer/keys/pkcs11"
)

const (
	// defaultConfig is this program's own file: it belongs to another user than serve's.
	defaultConfig = "/etc/antin/tokens.yaml"
	// maxConfig bounds the file, in bytes; maxPIN a file that holds a PIN and nothing else.
	maxConfig = 1 << 20
	maxPIN    = 1 << 10
	// maxCertificates bounds a file of certificates, in bytes.
	maxCertificates = 4 << 20
)

// config is the file of `antin-pkcs11 serve`: that of `antin keyhelper`, with keys in
// tokens.
type config struct {
	Socket    string    `yaml:"socket"`
	AllowUIDs []int     `yaml:"allow_uids"`
	Log       string    `yaml:"log"`
	Sandbox   bool      `yaml:"sandbox"`
	Module    string    `yaml:"module"`   // library of keys that name none
	Sessions  int       `yaml:"sessions"` // of each token, at a time
	Keys      []confKey `yaml:"keys"`
}

// confKey is one key of it.
type confKey struct {
	ID      string `yaml:"id"`
	Kind    string `yaml:"kind"`
	URI     string `yaml:"uri"`
	PINFile string `yaml:"pin_file"`
	Cert    string `yaml:"cert"` // where the token does not hold it, with those above
	Rate    int    `yaml:"rate_per_minute"`

	uri pkcs11.URI
}

// loadConfig reads and checks the file. Unknown entries are refused; relative paths are
// beside the file.
func loadConfig(file string) (*config, error) {
	data, err := readBounded(file, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &config{}
	d := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, text.Detailed(text.ConfigInvalid, err, "token.config", file, yaml.FormatError(err, false, false))
	}
	base := filepath.Dir(file)
	for _, p := range []*string{&c.Socket, &c.Log, &c.Module} {
		absolute(p, base)
	}
	for i := range c.Keys {
		absolute(&c.Keys[i].PINFile, base)
		absolute(&c.Keys[i].Cert, base)
	}
	return c, c.check(file)
}

func absolute(p *string, base string) {
	if *p != "" && !filepath.IsAbs(*p) {
		*p = filepath.Join(base, *p)
	}
}

// check refuses what is missing or contradicts itself, by name.
func (c *config) check(file string) error {
	wrong := func(name string) error {
		return text.Detailed(text.ConfigInvalid, nil, "token.config", file, name)
	}
	switch {
	case c.Socket == "":
		return wrong("socket")
	case c.Log == "":
		return wrong("log")
	case len(c.Keys) == 0:
		return wrong("keys")
	case c.Sessions < 0 || c.Sessions > pkcs11.MaxSessions:
		return wrong("sessions")
	}
	for _, uid := range c.AllowUIDs {
		if uid < 0 || uid > math.MaxUint32-1 {
			return wrong("allow_uids")
		}
	}
	known := map[string]bool{}
	for i := range c.Keys {
		k := &c.Keys[i]
		u, err := pkcs11.ParseURI(k.URI)
		switch {
		case k.ID == "" || known[k.ID]:
			return wrong(fmt.Sprintf("keys[%d].id", i))
		case !helper.Kind(k.Kind).Valid():
			return wrong(fmt.Sprintf("keys[%d].kind (%s)", i, k.ID))
		case err != nil:
			return wrong(fmt.Sprintf("keys[%d].uri (%s): %v", i, k.ID, err))
		case k.Rate < 0:
			return wrong(fmt.Sprintf("keys[%d].rate_per_minute (%s)", i, k.ID))
		}
		k.uri = u
		known[k.ID] = true
	}
	return nil
}

// pin reads the PIN of key k from its file. There is nobody here who could type one.
func (k *confKey) pin() (string, error) {
	file := k.PINFile
	if file == "" {
		file = k.uri.PINSource
	}
	if file == "" {
		return "", nil
	}
	data, err := readBounded(file, maxPIN)
	return strings.TrimRight(string(data), "\r\n"), err
}

// readBounded reads a file of at most limit bytes.
func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, text.Detailed(text.FileUnreadable, err, "cli.path", file)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, text.Detailed(text.FileUnreadable, err, "cli.path", file)
	}
	if int64(len(data)) > limit {
		return nil, text.Detailed(text.TooLarge, nil, "cli.path", file)
	}
	return data, nil
}
