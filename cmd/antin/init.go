package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"antin/exchange"
	"antin/exchange/peer"
	"antin/internal/text"
)

// transportYears is how long a new transport certificate lasts: long enough not to
// be forgotten every year, short enough to be practised. Doctor warns before.
const transportYears = 3

// initCmd sets up one agency.
type initCmd struct {
	Dir       string `help:"${help_init_dir}" required:"" placeholder:"DIR"`
	Code      string `help:"${help_init_code}" placeholder:"CODE"`
	Name      string `help:"${help_init_name}" placeholder:"NAME"`
	InCharge  string `help:"${help_init_in_charge}" placeholder:"NAME"`
	Place     string `help:"${help_init_place}" placeholder:"PLACE"`
	DeskURL   string `name:"desk-url" help:"${help_init_desk_url}" placeholder:"URL"`
	PublicURL string `name:"public-url" help:"${help_init_public_url}" placeholder:"URL"`
	PeerURL   string `name:"peer-url" help:"${help_init_peer_url}" placeholder:"URL"`
	Database  string `name:"database-url" help:"${help_init_database_url}" placeholder:"URL"`
	Password  string `name:"database-password-file" help:"${help_init_database_password}" placeholder:"FILE"`
	Login     string `help:"${help_init_login}" default:"quan-tri" placeholder:"LOGIN"`
}

// Run makes everything in a folder beside the one wanted and gives it its name at
// the end, so that what failed half-way leaves nothing to stumble over.
func (c *initCmd) Run(e *env, ctx *ctxHolder) (err error) {
	if err := c.ask(e); err != nil {
		return err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return storageError(err)
	}
	if err := refuseFull(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // the parent of the user's own folder
		return storageError(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".antin-init-*")
	if err != nil {
		return storageError(err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(tmp)
		}
	}()
	made, err := c.make(ctx, e, tmp)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return storageError(err)
	}
	file := filepath.Join(dir, "antin.yaml")
	e.warn("init.done", dir, c.Login, made.password, made.key, file, file)
	_, err = fmt.Fprint(e.out, made.entry)
	return err
}

// refuseFull never sets up over anything.
func refuseFull(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return inputError(dir, err)
	case len(entries) > 0:
		return text.Detailed(text.OutputExists, nil, "cli.path", dir)
	}
	return nil
}

// ask fills in what no flag gave, from a person at a terminal.
func (c *initCmd) ask(e *env) error {
	in := bufio.NewReader(strings.NewReader(""))
	if e.in != nil {
		in = bufio.NewReader(e.in)
	}
	terminal := !e.noInput && e.in != nil && term.IsTerminal(int(e.in.Fd()))
	for _, q := range []struct {
		flag string
		into *string
		key  text.Key
	}{{"--code", &c.Code, "init.ask.code"}, {"--name", &c.Name, "init.ask.name"}} {
		if *q.into == "" && terminal {
			fmt.Fprint(e.err, text.Get(q.key).In(e.lang)+": ")
			line, err := in.ReadString('\n')
			if err != nil {
				return text.Detailed(text.InvalidInput, err, "init.missing", q.flag)
			}
			*q.into = strings.TrimSpace(line)
		}
		if *q.into == "" {
			return text.Detailed(text.InvalidInput, nil, "init.missing", q.flag)
		}
	}
	if u, err := url.Parse(c.Database); err == nil && u.User != nil {
		if _, secret := u.User.Password(); secret {
			want := text.Get("init.want.no_password")
			return text.Detailed(text.InvalidInput, nil, "init.bad", "--database-url", want.VI, want.EN)
		}
	}
	if !exchange.AgencyCode(c.Code).Valid() {
		want := text.Get("config.want.code")
		return text.Detailed(text.InvalidInput, nil, "init.bad", "--code", want.VI, want.EN)
	}
	return nil
}

// made is what init tells once.
type made struct{ password, key, entry string }

// make writes everything below dir.
func (c *initCmd) make(ctx context.Context, e *env, dir string) (m made, err error) {
	cfg := c.config(dir)
	cert, err := writeIdentity(cfg, e.now())
	if err != nil {
		return m, err
	}
	if err := cfg.check(); err != nil {
		return m, err
	}
	if err := writeNew(cfg.Directory, 0o600, []byte(text.Get("init.directory").In(e.lang)+"\nagencies: []\n")); err != nil {
		return m, err
	}
	if err := writeNew(filepath.Join(dir, "antin.yaml"), 0o600, []byte(cfg.commented(e.lang, dir))); err != nil {
		return m, err
	}
	if m.password, m.key, err = c.people(ctx, e, cfg); err != nil {
		return m, err
	}
	entry, err := directoryEntry(cfg, cert)
	m.entry = "agencies:\n" + entry
	return m, err
}

// config is the configuration that the flags describe, with its files below dir.
func (c *initCmd) config(dir string) *Config {
	cfg := defaultConfig()
	cfg.Agency.Code, cfg.Agency.Name, cfg.Agency.InCharge, cfg.Agency.Place = c.Code, c.Name, c.InCharge, c.Place
	cfg.Desk.URL, cfg.Public.URL = cmp.Or(c.DeskURL, cfg.Desk.URL), cmp.Or(c.PublicURL, cfg.Public.URL)
	if cfg.Peer.URL = c.PeerURL; c.PeerURL == "" {
		host, err := os.Hostname()
		if err != nil || host == "" {
			host = "localhost"
		}
		cfg.Peer.URL = "https://" + host + ":8443"
	}
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.Database.URL = c.Database
	if c.Password != "" {
		cfg.Database.PasswordFile, _ = filepath.Abs(c.Password) // fails only where there is no working directory
	}
	cfg.Directory = filepath.Join(dir, "directory.yaml")
	cfg.Peer.Certificate, cfg.Peer.Key = filepath.Join(dir, "keys", "transport.pem"), filepath.Join(dir, "keys", "transport.key")
	return cfg
}

// people makes the operator's account and the first API key.
func (c *initCmd) people(ctx context.Context, e *env, cfg *Config) (password, key string, err error) {
	db, err := openStore(ctx, e, cfg)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	access := &exchange.Access{Store: db, Now: e.now, RefuseSandbox: true, Scopes: scopeNames()}
	by := exchange.System(exchange.AgencyCode(cfg.Agency.Code))
	name := text.Get("init.operator").In(text.VI)
	if _, password, err = access.AddAccount(ctx, by, exchange.NewAccount{Login: c.Login, Name: name, Role: exchange.RoleOperator}); err != nil {
		return "", "", err
	}
	key, _, err = access.NewKey(ctx, by, exchange.NewAPIKey{Name: text.Get("init.key").In(text.VI), Scopes: scopeNames()})
	return password, key, err
}

// writeIdentity makes the transport key and returns its certificate as PEM.
func writeIdentity(cfg *Config, now time.Time) (string, error) {
	id, err := peer.NewIdentity(nil, exchange.AgencyCode(cfg.Agency.Code), now.Add(-time.Hour), now.AddDate(transportYears, 0, 0))
	if err != nil {
		return "", err
	}
	key, ok := id.Key.(*ecdsa.PrivateKey)
	if !ok {
		return "", errors.New("transport key is not ECDSA")
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Peer.Key), 0o700); err != nil {
		return "", storageError(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Certificate})
	return string(cert), errors.Join(
		writeNew(cfg.Peer.Key, 0o600, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		writeNew(cfg.Peer.Certificate, 0o600, cert))
}

// writeNew writes a file that is not there yet, to the disk.
func writeNew(path string, mode fs.FileMode, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return text.Detailed(text.OutputExists, err, "cli.path", path)
		}
		return storageError(err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return storageError(err)
	}
	return nil
}
