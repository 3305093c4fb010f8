package main

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// directoryCmd makes and reads signed directories of agencies.
type directoryCmd struct {
	Sign   directorySignCmd   `cmd:"" help:"${help_directory_sign}"`
	Verify directoryVerifyCmd `cmd:"" help:"${help_directory_verify}"`
	Show   directoryShowCmd   `cmd:"" help:"${help_directory_show}"`
	Diff   directoryDiffCmd   `cmd:"" help:"${help_directory_diff}"`
}

// directorySignCmd signs a directory for all who trust the key.
type directorySignCmd struct {
	File   string `arg:"" help:"${help_directory_file}"`
	Output string `short:"o" help:"${help_directory_output}" required:"" placeholder:"FILE"`
	Key    string `help:"${help_directory_key}" required:"" placeholder:"PEM"`
	Serial int64  `help:"${help_directory_serial}"`
	Days   int    `help:"${help_directory_days}" default:"90"`
	Force  bool   `help:"${help_force}"`
	JSON   bool   `name:"json" help:"${help_json}"`
}

// directoryVerifyCmd checks a signed directory.
type directoryVerifyCmd struct {
	File  string   `arg:"" help:"${help_directory_file}"`
	Trust []string `help:"${help_directory_trust}" placeholder:"PEM"`
	JSON  bool     `name:"json" help:"${help_json}"`
}

// directoryShowCmd lists the agencies of a directory, signed or not.
type directoryShowCmd struct {
	File string `arg:"" help:"${help_directory_file}"`
	JSON bool   `name:"json" help:"${help_json}"`
}

// directoryDiffCmd tells what a newer directory changes.
type directoryDiffCmd struct {
	Old  string `arg:"" help:"${help_directory_old}"`
	New  string `arg:"" help:"${help_directory_new}"`
	JSON bool   `name:"json" help:"${help_json}"`
}

// directoryVersion is what --json prints of a signed directory.
type directoryVersion struct {
	File      string    `json:"file"`
	Serial    int64     `json:"serial"`
	SHA256    string    `json:"sha256"`
	Signer    string    `json:"signer"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Agencies  int       `json:"agencies"`
	Expired   bool      `json:"expired"`
}

// openPlain reads the entries of a directory without looking at signature or own agency.
func openPlain(file string, now func() time.Time) (exchange.AgencyList, []byte, error) {
	data, err := readConfigFile(file)
	if err != nil {
		return nil, nil, inputError(file, err)
	}
	d := &peerDirectory{file: file, now: now, stamps: map[string]fileStamp{}}
	if jws.IsSignedDirectory(data) {
		d.signed.trust = jws.Keys{} // names of files mean nothing in it
	}
	list, err := d.parse(data)
	if err != nil {
		return nil, nil, err
	}
	return list[1:], data, nil
}

// Run writes a signed copy, whose serial is one above that of the file it replaces
// unless one is given.
func (c *directorySignCmd) Run(e *env) error {
	life := time.Duration(c.Days) * 24 * time.Hour
	if c.Days < 1 || life > jws.MaxDirectoryLife {
		return text.Detailed(text.InvalidInput, nil, "directory.days", int(jws.MaxDirectoryLife/(24*time.Hour)))
	}
	_, data, err := openPlain(c.File, e.now)
	if err != nil {
		return err
	}
	if jws.IsSignedDirectory(data) {
		return text.Detailed(text.InvalidInput, nil, "directory.signed_already", c.File)
	}
	d := &peerDirectory{file: c.File, now: e.now, stamps: map[string]fileStamp{}, signed: signedDirectory{trust: jws.Keys{}}}
	list, err := d.parse(data) // refuses names of files, which a signature would not cover
	if err != nil {
		return err
	}
	key, err := loadSigningKey(c.Key)
	if err != nil {
		return err
	}
	serial, err := c.serial()
	if err != nil {
		return err
	}
	now := e.now().UTC()
	signed, err := jws.SignDirectory(nil, key, jws.Directory{Serial: serial, IssuedAt: now, ExpiresAt: now.Add(life)}, data)
	if err != nil {
		return text.Detailed(text.KeyNotFound, err, "cli.path", c.Key)
	}
	if err := writeFileMode(c.Output, 0o644, c.Force, func(w io.Writer) error { _, err := w.Write(signed); return err }); err != nil {
		return err
	}
	v, err := versionOf(c.Output, signed, len(list)-1, now)
	if err != nil {
		return err
	}
	return v.print(e, c.JSON)
}

// serial is the one given, or the one that follows.
func (c *directorySignCmd) serial() (int64, error) {
	if c.Serial < 0 {
		return 0, text.Detailed(text.InvalidInput, nil, "exchange.field", "serial")
	}
	if c.Serial > 0 {
		return c.Serial, nil
	}
	before, err := readConfigFile(c.Output)
	if errors.Is(err, fs.ErrNotExist) {
		return 1, nil
	}
	if err != nil {
		return 0, inputError(c.Output, err)
	}
	said, err := jws.PeekDirectory(before)
	if err != nil {
		return 0, text.Detailed(text.InvalidInput, err, "directory.unsigned", c.Output)
	}
	return said.Serial + 1, nil
}

// loadSigningKey reads the private key that signs directories: PEM, not encrypted.
func loadSigningKey(file string) (crypto.Signer, error) {
	data, err := readKeyFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam writes it before the key
		block, _ = pem.Decode(data[len(pem.EncodeToMemory(block)):])
	}
	if block == nil {
		return nil, text.Detailed(text.KeyNotFound, errNoCertificate, "cli.path", file)
	}
	if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, text.Detailed(text.KeyNotFound, err, "cli.path", file)
	}
	key, ok := k.(crypto.Signer)
	if !ok {
		return nil, text.Detailed(text.KeyNotFound, jws.ErrKey, "cli.path", file)
	}
	return key, nil
}

// versionOf reads what a signed directory says of itself.
func versionOf(file string, data []byte, agencies int, now time.Time) (v directoryVersion, err error) {
	said, err := jws.PeekDirectory(data)
	if err != nil {
		return v, text.Detailed(text.InvalidInput, err, "directory.unsigned", file)
	}
	return directoryVersion{File: file, Serial: said.Serial, SHA256: said.SHA256, Signer: said.Signer, IssuedAt: said.IssuedAt,
		ExpiresAt: said.ExpiresAt, Agencies: agencies, Expired: !now.Before(said.ExpiresAt)}, nil
}

func (v directoryVersion) print(e *env, asJSON bool) error {
	if asJSON {
		return printJSON(e.out, v)
	}
	day := func(t time.Time) string { return t.In(exchange.Vietnam).Format("02/01/2006 15:04") }
	e.say("directory.version", v.File, v.Serial, v.Agencies, day(v.IssuedAt), day(v.ExpiresAt), v.Signer)
	if v.Expired {
		e.warn("directory.expired_file", v.File)
	}
	return nil
}

// Run verifies under --trust, else under the configuration's keys; exit 3 when the
// signature does not hold or the directory has expired.
func (c *directoryVerifyCmd) Run(e *env) error {
	trust := c.Trust
	if len(trust) == 0 {
		cfg, err := loadConfig(e)
		if err != nil {
			return err
		}
		if trust = cfg.DirectoryTrust; len(trust) == 0 {
			return text.Detailed(text.InvalidInput, nil, "directory.no_trust")
		}
	}
	keys, err := loadDirectoryKeys(trust)
	if err != nil {
		return err
	}
	data, err := readConfigFile(c.File)
	if err != nil {
		return inputError(c.File, err)
	}
	d := &peerDirectory{file: c.File, now: e.now, stamps: map[string]fileStamp{}, signed: signedDirectory{trust: keys}}
	list, _, err := d.verified(data)
	if err != nil {
		e.fail(err)
		return exitError(changedExit)
	}
	v, err := versionOf(c.File, data, len(list)-1, e.now())
	if err != nil {
		return err
	}
	if err := v.print(e, c.JSON); err != nil {
		return err
	}
	if v.Expired {
		return exitError(changedExit)
	}
	return nil
}

// directoryEntryLine is one agency as the verbs show it.
type directoryEntryLine struct {
	Change       string   `json:"change,omitempty"` // added, removed or changed
	Code         string   `json:"code"`
	Name         string   `json:"name"`
	URL          string   `json:"url,omitempty"`
	Certificates []string `json:"certificates"` // SHA-256, hexadecimal
	Keys         int      `json:"keys"`
	Seals        int      `json:"seals"`
}

func entryLine(a exchange.Agency) directoryEntryLine {
	l := directoryEntryLine{Code: string(a.Code), Name: a.Name, URL: a.Endpoint, Certificates: []string{}, Keys: len(a.Keys), Seals: len(a.Seals)}
	for _, pin := range a.TLS {
		l.Certificates = append(l.Certificates, hex.EncodeToString(pin[:]))
	}
	return l
}

func (l directoryEntryLine) print(e *env, asJSON bool) error {
	if asJSON {
		return printJSON(e.out, l)
	}
	sign := map[string]string{"added": "+", "removed": "-", "changed": "~"}[l.Change]
	if sign == "" {
		sign = " "
	}
	_, err := fmt.Fprintf(e.out, "%s %s  %s  %s\n", sign, l.Code, l.Name, l.URL)
	for _, pin := range l.Certificates {
		if err == nil {
			_, err = fmt.Fprintf(e.out, "    %s\n", pin)
		}
	}
	return err
}

// Run prints what the directory says of itself, where it is signed, then each agency.
func (c *directoryShowCmd) Run(e *env) error {
	list, data, err := openPlain(c.File, e.now)
	if err != nil {
		return err
	}
	if jws.IsSignedDirectory(data) {
		v, err := versionOf(c.File, data, len(list), e.now())
		if err != nil {
			return err
		}
		if err := v.print(e, c.JSON); err != nil {
			return err
		}
	}
	for _, a := range list {
		if err := entryLine(a).print(e, c.JSON); err != nil {
			return err
		}
	}
	return nil
}

// Run prints each agency that was added, removed or changed; nothing where none was.
func (c *directoryDiffCmd) Run(e *env) error {
	old, _, err := openPlain(c.Old, e.now)
	if err != nil {
		return err
	}
	fresh, _, err := openPlain(c.New, e.now)
	if err != nil {
		return err
	}
	lines, err := diffAgencies(old, fresh)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if err := l.print(e, c.JSON); err != nil {
			return err
		}
	}
	return nil
}

// diffAgencies compares everything that the entries say.
func diffAgencies(old, fresh exchange.AgencyList) (out []directoryEntryLine, err error) {
	at := func(list exchange.AgencyList, code exchange.AgencyCode) int {
		return slices.IndexFunc(list, func(a exchange.Agency) bool { return a.Code == code })
	}
	for _, a := range fresh {
		l := entryLine(a)
		if i := at(old, a.Code); i < 0 {
			l.Change = "added"
		} else {
			same, err := sameAgency(old[i], a)
			if err != nil {
				return nil, err
			}
			if same {
				continue
			}
			l.Change = "changed"
		}
		out = append(out, l)
	}
	for _, a := range old {
		if at(fresh, a.Code) < 0 {
			l := entryLine(a)
			l.Change = "removed"
			out = append(out, l)
		}
	}
	return out, nil
}

// sameAgency compares entries by what they are written as.
func sameAgency(a, b exchange.Agency) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b)
	return string(x) == string(y), err
}
