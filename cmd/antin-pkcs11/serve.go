package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
	"antin/signer/keys/pkcs11"
)

// serveCmd answers requests for signatures until it is stopped.
type serveCmd struct {
	Config string `help:"${config}" default:"${config_default}" placeholder:"FILE"`
}

// checkCmd opens every key and checks the log, and signs nothing.
type checkCmd struct {
	Config string `help:"${config}" default:"${config_default}" placeholder:"FILE"`
}

// Run serves the socket until the context ends.
func (c *serveCmd) Run(ctx context.Context, e *env) error {
	cfg, s, end, err := openKeys(ctx, e, c.Config)
	if err != nil {
		return err
	}
	defer end()
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

// Run reports what serve would hold.
func (c *checkCmd) Run(ctx context.Context, e *env) error {
	cfg, s, end, err := openKeys(ctx, e, c.Config)
	if err != nil {
		return err
	}
	defer end()
	for _, k := range cfg.Keys {
		leaf := s.Keys[k.ID].Chain[0]
		fmt.Fprintf(e.out, "%s\t%s\t%s\t%s\n", k.ID, k.Kind, leaf.CommonName, leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	f, err := os.Open(cfg.Log)
	if errors.Is(err, os.ErrNotExist) {
		return nil // nothing was signed yet
	}
	if err != nil {
		return text.Detailed(text.FileUnreadable, err, "cli.path", cfg.Log)
	}
	defer func() { _ = f.Close() }()
	last, _, err := helper.VerifyLog(f)
	if err != nil {
		return text.Detailed(text.ConfigInvalid, err, "keyhelper.log", cfg.Log)
	}
	e.say("keyhelper.log_whole", last.Seq)
	return nil
}

// callLimit bounds a call into a library; less than a client of the socket waits (30 s),
// so that it hears what happened.
const callLimit = 25 * time.Second

// openKeys reads the configuration and opens every key; one that does not open stops
// it. Each PIN is presented at most once. end ends the children.
func openKeys(ctx context.Context, e *env, file string) (*config, *helper.Server, func(), error) {
	cfg, err := loadConfig(file)
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := ownProvider()
	if err != nil {
		return nil, nil, nil, err
	}
	p.Module, p.Sessions, p.CallLimit = cfg.Module, cfg.Sessions, callLimit
	byURI := map[string]*confKey{}
	for i := range cfg.Keys {
		byURI[cfg.Keys[i].uri.String()] = &cfg.Keys[i]
	}
	p.PIN = func(_ context.Context, u pkcs11.URI, _ pkcs11.Token) (string, error) { return byURI[u.String()].pin() }
	p.Certificates = func(u pkcs11.URI) ([]*certs.Certificate, error) { return certificates(byURI[u.String()], u) }
	end := func() { _ = p.Close() }
	s := &helper.Server{Keys: map[string]helper.HeldKey{}, LogPath: cfg.Log, Now: e.now}
	for _, uid := range cfg.AllowUIDs {
		s.AllowUIDs = append(s.AllowUIDs, uint32(uid))
	}
	for _, k := range cfg.Keys {
		held, err := openKey(ctx, p, cfg, k)
		if err != nil {
			end()
			return nil, nil, nil, err
		}
		s.Keys[k.ID] = held
	}
	return cfg, s, end, nil
}

func openKey(ctx context.Context, p *pkcs11.Provider, cfg *config, k confKey) (helper.HeldKey, error) {
	// Its signatures outlive the context that stops the service: those under way are
	// finished.
	key, err := p.Key(context.WithoutCancel(ctx), k.URI)
	if err != nil {
		why := text.As(err).Detail
		return helper.HeldKey{}, text.Detailed(text.CodeOf(err), err, "keyhelper.key", k.ID, why.VI, why.EN)
	}
	if key.Chain[0].Sandbox && !cfg.Sandbox {
		return helper.HeldKey{}, text.Detailed(text.SandboxCertificate, nil, "key.unknown", k.ID)
	}
	return helper.HeldKey{Key: signer.Key{Signer: key.Signer, Chain: key.Chain}, Kind: helper.Kind(k.Kind), Rate: k.Rate}, nil
}

// certificates are those of the configuration, or of the URI; none looks on the token.
func certificates(k *confKey, u pkcs11.URI) ([]*certs.Certificate, error) {
	file := k.Cert
	if file == "" {
		file = u.CertPath
	}
	if file == "" {
		return nil, nil
	}
	data, err := readBounded(file, maxCertificates)
	if err != nil {
		return nil, err
	}
	chain, err := certs.ParseBundle(data)
	if err != nil || len(chain) == 0 {
		return nil, text.Detailed(text.FileUnreadable, err, "cli.path", file)
	}
	return chain, nil
}
