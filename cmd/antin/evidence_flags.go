package main

import (
	"strings"

	"antin/certs"
	"antin/certs/fetch"
	"antin/internal/text"
)

// evidenceFlags say where certificates and revocation data come from beside the
// document and the addresses in its certificates.
type evidenceFlags struct {
	RewriteHost   []string `name:"rewrite-host" help:"${help_rewrite_host}" placeholder:"FROM=TO" sep:"none"`
	CRLs          string   `name:"crls" help:"${help_crls}" placeholder:"FOLDER"`
	Cache         string   `name:"cache" help:"${help_cache}" placeholder:"FOLDER"`
	Intermediates []string `name:"intermediates" help:"${help_intermediates}" placeholder:"PATH" sep:"none"`
}

// sources are what a validator or signer asks. allow are the private addresses that
// may be asked; offline asks nobody, and then revocation is nil where nothing is at hand.
func (f evidenceFlags) sources(e *env, allow []string, offline bool) (revocation certs.RevocationSource, issuers certs.IssuerSource, err error) {
	known, err := loadKnown(f.Intermediates)
	if err != nil {
		return nil, nil, err
	}
	table, err := hostTable(f.RewriteHost)
	if err != nil {
		return nil, nil, err
	}
	if offline && f.CRLs == "" && f.Cache == "" {
		return nil, known, nil
	}
	client, err := newClient(fetch.Options{AllowHosts: allow, Rewrite: table, CRLDir: f.CRLs, CacheDir: f.Cache, CacheOnly: offline, Now: e.now})
	if err != nil {
		return nil, nil, err
	}
	return client, certs.IssuerSources{known, client}, nil
}

// from adds what the configuration says to the flags, which go first.
func (f evidenceFlags) from(t *TrustConfig) evidenceFlags {
	if t == nil {
		return f
	}
	f.RewriteHost = append(append([]string(nil), t.RewriteHosts...), f.RewriteHost...)
	f.Intermediates = append(append([]string(nil), f.Intermediates...), t.Intermediates...)
	if f.CRLs == "" {
		f.CRLs = t.CRLs
	}
	return f
}

// hostTable reads FROM=TO entries; of two for one host the later holds.
func hostTable(entries []string) (map[string]string, error) {
	table := map[string]string{}
	for _, s := range entries {
		from, to, ok := strings.Cut(s, "=")
		if !ok || from == "" || to == "" {
			return nil, text.Detailed(text.InvalidInput, nil, "cli.bad_rewrite", s)
		}
		table[strings.ToLower(strings.TrimSpace(from))] = strings.TrimSpace(to)
	}
	return table, nil
}

// newClient is fetch.New with the error in words.
func newClient(o fetch.Options) (*fetch.Client, error) {
	c, err := fetch.New(o)
	if err != nil {
		return nil, text.Detailed(text.InvalidInput, err, "cli.bad_fetch", err)
	}
	return c, nil
}
