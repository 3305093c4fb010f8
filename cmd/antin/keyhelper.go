package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
	"antin/signer/keys/softkey"
)

// defaultKeyConfig is the helper's own file: it belongs to another user than serve's.
const defaultKeyConfig = "/etc/antin/keys.yaml"

// keyhelperCmd holds keys in a process of its own.
type keyhelperCmd struct {
	Serve keyhelperRunCmd   `cmd:"" name:"run" default:"1" help:"${help_keyhelper_run}"`
	Check keyhelperCheckCmd `cmd:"" help:"${help_keyhelper_check}"`
}

// keyhelperRunCmd answers requests for signatures until it is stopped.
type keyhelperRunCmd struct{}

// keyhelperCheckCmd opens every key and checks the log, and signs nothing.
type keyhelperCheckCmd struct{}

// keyConfig is the file of the key helper.
type keyConfig struct {
	Socket    string       `yaml:"socket" path:"file"`
	AllowUIDs []int        `yaml:"allow_uids"`
	Log       string       `yaml:"log" path:"file"`
	Sandbox   bool         `yaml:"sandbox"`
	Keys      []keyConfKey `yaml:"keys"`
}

// keyConfKey is one key of it.
type keyConfKey struct {
	Line         int    `yaml:"-"`
	ID           string `yaml:"id"`
	P12          string `yaml:"p12" path:"file"`
	Cert         string `yaml:"cert" path:"file"`
	Key          string `yaml:"key" path:"file"`
	PasswordFile string `yaml:"password_file" path:"file"`
	Kind         string `yaml:"kind"`
	Chain        string `yaml:"chain" path:"file"`
	Rate         int    `yaml:"rate_per_minute"`
}

// Run serves the socket until the context ends.
func (c *keyhelperRunCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, s, err := openKeyHelper(e)
	if err != nil {
		return err
	}
	return serveKeys(ctx, e, cfg, s)
}

func serveKeys(ctx context.Context, e *env, cfg *keyConfig, s *helper.Server) error {
	l, err := helper.Listen(ctx, cfg.Socket)
	if err != nil {
		return text.Detailed(text.KeyUnavailable, err, "keyhelper.socket", cfg.Socket, err.Error())
	}
	s.OnError = func(err error) { fmt.Fprintf(e.err, "! %v\n", err) }
	e.say("keyhelper.ready", cfg.Socket, len(s.Keys))
	err = s.Serve(ctx, l)
	if errors.Is(err, helper.ErrLog) {
		return text.Detailed(text.ConfigInvalid, err, "keyhelper.log", cfg.Log)
	}
	return err
}

// Run reports what the helper would hold.
func (c *keyhelperCheckCmd) Run(e *env) error {
	cfg, s, err := openKeyHelper(e)
	if err != nil {
		return err
	}
	for _, k := range cfg.Keys {
		leaf := s.Keys[k.ID].Chain[0]
		fmt.Fprintf(e.out, "%s\t%s\t%s\t%s\n", k.ID, k.Kind, leaf.CommonName, leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	last, err := helper.VerifyLogFile(cfg.Log)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // nothing was signed yet
	case errors.Is(err, helper.ErrLog):
		return text.Detailed(text.ConfigInvalid, err, "keyhelper.log", cfg.Log)
	case err != nil:
		return text.Detailed(text.FileUnreadable, err, "cli.path", cfg.Log)
	}
	e.say("keyhelper.log_whole", last.Seq)
	return nil
}

// openKeyHelper reads the configuration and opens every key; one that does not open
// stops it.
func openKeyHelper(e *env) (*keyConfig, *helper.Server, error) {
	file := e.config
	if file == "" {
		file = defaultKeyConfig
	}
	cfg, err := loadKeyConfig(file)
	if err != nil {
		return nil, nil, err
	}
	s := &helper.Server{Keys: map[string]helper.HeldKey{}, LogPath: cfg.Log, Now: e.now}
	for _, uid := range cfg.AllowUIDs {
		s.AllowUIDs = append(s.AllowUIDs, uint32(uid))
	}
	for _, k := range cfg.Keys {
		key, err := k.open(e)
		if err != nil {
			why := text.As(err).Detail
			return nil, nil, text.Detailed(text.CodeOf(err), err, "keyhelper.key", k.ID, why.VI, why.EN)
		}
		if key.Chain[0].Sandbox && !cfg.Sandbox {
			return nil, nil, text.Detailed(text.SandboxCertificate, nil, "key.unknown", k.ID)
		}
		s.Keys[k.ID] = helper.HeldKey{Key: key, Kind: helper.Kind(k.Kind), Rate: k.Rate}
	}
	return cfg, s, nil
}

func loadKeyConfig(file string) (*keyConfig, error) {
	data, err := readConfigFile(file)
	if err != nil {
		return nil, text.Detailed(text.FileUnreadable, err, "cli.path", file)
	}
	cfg := &keyConfig{}
	base := filepath.Dir(file)
	if err := strictYAML(file, data, cfg, func(_ string, _ int, v reflect.Value, kind string) { absolute(v, kind, base) }); err != nil {
		return nil, err
	}
	return cfg, cfg.check(file)
}

// check refuses what is missing or contradicts itself, by name.
func (c *keyConfig) check(file string) error {
	wrong := func(line int, name string) error {
		return text.Detailed(text.ConfigInvalid, nil, "keyhelper.entry", file, line, name)
	}
	switch {
	case c.Socket == "":
		return wrong(1, "socket")
	case c.Log == "":
		return wrong(1, "log")
	case len(c.Keys) == 0:
		return wrong(1, "keys")
	}
	for _, uid := range c.AllowUIDs {
		if uid < 0 || uid > math.MaxUint32-1 {
			return wrong(1, "allow_uids")
		}
	}
	known := map[string]bool{}
	for _, k := range c.Keys {
		pem := k.Cert != "" && k.Key != ""
		switch {
		case k.ID == "" || known[k.ID]:
			return wrong(k.Line, "keys.id")
		case !helper.Kind(k.Kind).Valid():
			return wrong(k.Line, "keys.kind")
		case (k.P12 != "") == pem || k.P12 != "" && (k.Cert != "" || k.Key != ""):
			return wrong(k.Line, "keys.p12, keys.cert + keys.key")
		case k.Rate < 0:
			return wrong(k.Line, "keys.rate_per_minute")
		}
		known[k.ID] = true
	}
	return nil
}

// open opens the key's files. The password is never asked for: a service has nobody
// to ask.
func (k keyConfKey) open(e *env) (signer.Key, error) {
	password := ""
	if k.PasswordFile != "" {
		var err error
		if password, err = readPassword(e, k.PasswordFile); err != nil {
			return signer.Key{}, err
		}
	}
	if k.P12 != "" {
		data, err := readKeyFile(k.P12)
		if err != nil {
			return signer.Key{}, err
		}
		return softkey.FromPKCS12(data, password)
	}
	cert, err := readKeyFile(k.Cert)
	if err != nil {
		return signer.Key{}, err
	}
	if k.Chain != "" {
		above, err := readKeyFile(k.Chain)
		if err != nil {
			return signer.Key{}, err
		}
		cert = append(append(cert, '\n'), above...)
	}
	key, err := readKeyFile(k.Key)
	if err != nil {
		return signer.Key{}, err
	}
	return softkey.FromPEM(cert, key, password)
}
