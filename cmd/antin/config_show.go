package main

import (
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"antin/exchange"
	"antin/exchange/peer"
)

// configCmd looks at the configuration.
type configCmd struct {
	Show  configShowCmd  `cmd:"" help:"${help_config_show}"`
	Entry configEntryCmd `cmd:"" help:"${help_config_entry}"`
}

// configShowCmd prints every setting with where its value comes from.
type configShowCmd struct {
	JSON bool `help:"${help_json}" name:"json"`
}

// shownSetting is one line of `config show --json`.
type shownSetting struct {
	Setting string `json:"setting"`
	Value   any    `json:"value"`
	Origin  string `json:"origin"` // default, file or env
	Env     string `json:"env"`    // the variable that sets it
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// Run prints the configuration as serve would take it, without secrets.
func (c *configShowCmd) Run(e *env) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	for _, s := range cfg.settings() {
		o := cfg.origins[s.Path]
		value := shownValue(s.Value)
		if c.JSON {
			line := shownSetting{Setting: s.Path, Value: value, Origin: "default", Env: s.Env, File: o.File, Line: o.Line}
			switch {
			case o.Env != "":
				line.Origin = "env"
			case o.File != "":
				line.Origin = "file"
			}
			if err := printJSON(e.out, line); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(e.out, "%-34s %-44v # %s\n", s.Path, value, cfg.originOf(s.Path).In(e.lang)); err != nil {
			return err
		}
	}
	for _, name := range cfg.strange {
		e.warn("config.strange", name)
	}
	return nil
}

// shownValue is a setting's value as JSON and people see it: durations in words,
// and passwords inside addresses masked.
func shownValue(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case string:
		return masked(x)
	case []string:
		out := make([]string, len(x))
		for i, s := range x {
			out[i] = masked(s)
		}
		return out
	default:
		return x
	}
}

// masked hides the user name and password of an address.
func masked(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		u.User = nil
		return strings.Replace(u.String(), "://", "://***@", 1)
	}
	return s
}

// configEntryCmd prints this agency's directory entry, for the other side.
type configEntryCmd struct{}

// Run prints the entry as YAML.
func (c *configEntryCmd) Run(e *env) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(cfg.Peer.Certificate)
	if err != nil {
		return inputError(cfg.Peer.Certificate, err)
	}
	entry, err := directoryEntry(cfg, string(cert))
	if err != nil {
		return err
	}
	_, err = e.out.Write([]byte("agencies:\n" + entry))
	return err
}

// directoryEntry writes what a peer's directory says of this agency.
func directoryEntry(cfg *Config, certificate string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "  - code: %s\n    name: %s\n", quoted(cfg.Agency.Code), quoted(cfg.Agency.Name))
	for _, f := range []struct{ key, value string }{{"in_charge", cfg.Agency.InCharge}, {"place", cfg.Agency.Place}, {"address", cfg.Agency.Address},
		{"telephone", cfg.Agency.Telephone}, {"email", cfg.Agency.Email}, {"url", cfg.Peer.URL}} {
		if f.value != "" {
			fmt.Fprintf(&b, "    %s: %s\n", f.key, quoted(f.value))
		}
	}
	fmt.Fprintf(&b, "    max_payload_mb: %d\n    certificates:\n", cfg.Limits.MaxPayloadMB)
	writePEM(&b, certificate)
	if len(cfg.Keys.SealCertificates) > 0 {
		b.WriteString("    seals:\n")
	}
	for _, path := range cfg.Keys.SealCertificates {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", inputError(path, err)
		}
		writePEM(&b, string(data))
	}
	return b.String(), nil
}

// writePEM writes a PEM text as one block entry of a YAML list.
func writePEM(b *strings.Builder, pem string) {
	b.WriteString("      - |\n")
	for line := range strings.Lines(strings.TrimSpace(pem) + "\n") {
		b.WriteString("        " + strings.TrimSpace(line) + "\n")
	}
}

// quoted writes s as a YAML string that is read back as s, whatever it holds.
func quoted(s string) string {
	return fmt.Sprintf("%q", s)
}

// ownAgency is this gateway's own entry of the directory.
func (c *Config) ownAgency(id peer.Identity, seals [][]byte, now time.Time) exchange.Agency {
	a := c.Agency
	return exchange.Agency{
		Code: exchange.AgencyCode(a.Code), Name: a.Name, InCharge: a.InCharge, Place: a.Place, Address: a.Address, Email: a.Email,
		Telephone: a.Telephone, Endpoint: c.Peer.URL, Seals: seals, MaxPayload: int64(c.Limits.MaxPayloadMB) << 20,
		Keys: []exchange.GatewayKey{{Public: id.Key.Public()}}, TLS: [][32]byte{id.Fingerprint()},
	}
}
