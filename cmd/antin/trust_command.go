package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
)

// trustCmd looks after whom signatures are judged by: the trust store that the
// configuration names.
type trustCmd struct {
	List   trustListCmd   `cmd:"" help:"${help_trust_list}"`
	Load   trustLoadCmd   `cmd:"" help:"${help_trust_load}"`
	Remove trustRemoveCmd `cmd:"" help:"${help_trust_remove}"`
}

// trustListCmd prints everything that is trusted, of files and of the store.
type trustListCmd struct {
	JSON bool `name:"json" help:"${help_json}"`
}

// trustLoadCmd takes certificates into the store.
type trustLoadCmd struct {
	Files  []string `arg:"" name:"file" help:"${help_trust_files}"`
	Domain string   `help:"${help_trust_domain}" enum:"official,public,own" default:"own"`
	SHA256 []string `name:"sha256" help:"${help_trust_sha256}" placeholder:"HEX"`
	Yes    bool     `help:"${help_trust_yes}"`
	JSON   bool     `name:"json" help:"${help_json}"`
}

// trustRemoveCmd ends the trust in an anchor, or forgets a certificate.
type trustRemoveCmd struct {
	SHA256 string `arg:"" name:"sha256" help:"${help_trust_remove_sha256}"`
	Until  string `help:"${help_trust_until}" placeholder:"RFC3339"`
	Yes    bool   `help:"${help_trust_yes}"`
	JSON   bool   `name:"json" help:"${help_json}"`
}

// trustLine is one certificate as the verbs show it.
type trustLine struct {
	Change string     `json:"change,omitempty"` // added, removed, changed or kept
	Kind   string     `json:"kind"`             // anchor or intermediate
	Domain string     `json:"domain,omitempty"`
	Name   string     `json:"name"`
	SHA256 string     `json:"sha256"`
	From   time.Time  `json:"from"`
	Until  time.Time  `json:"until"`
	Pinned bool       `json:"pinned"` // known by its fingerprint
	At     *time.Time `json:"withdrawn,omitempty"`
}

func newTrustLine(c *certs.Certificate) trustLine {
	_, pinned := certs.PinOf(c)
	return trustLine{Kind: "intermediate", Name: c.Subject, SHA256: anchorSum(c), From: c.NotBefore, Until: c.NotAfter, Pinned: pinned}
}

func anchorLine(a certs.TrustAnchor) trustLine {
	l := newTrustLine(a.Certificate)
	l.Kind, l.Domain = "anchor", string(a.Domain)
	if !a.Until.IsZero() {
		l.At = &a.Until
	}
	return l
}

// print writes one line, for people with its sign in front.
func (l trustLine) print(e *env, asJSON bool) error {
	if asJSON {
		return printJSON(e.out, l)
	}
	sign := map[string]string{"added": "+", "removed": "-", "changed": "~"}[l.Change]
	if sign == "" {
		sign = " "
	}
	known := ""
	if l.Pinned {
		known = "  " + text.Get("trust.pinned").In(e.lang)
	}
	if l.At != nil {
		known += "  " + text.Get("trust.withdrawn", l.At.UTC().Format(time.DateOnly)).In(e.lang)
	}
	kind := text.Get("trust.kind.intermediate").In(e.lang)
	if l.Kind == "anchor" {
		kind = text.Get(text.Key("trust.domain." + l.Domain)).In(e.lang)
	}
	_, err := fmt.Fprintf(e.out, "%s %s: %s  %s – %s%s\n    SHA-256 %s\n", sign, kind, l.Name, l.From.Format(time.DateOnly), l.Until.Format(time.DateOnly), known, l.SHA256)
	return err
}

// Run prints what the configuration trusts.
func (c *trustListCmd) Run(e *env) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	t, err := cfg.Trust.load()
	if err != nil {
		return err
	}
	for _, ch := range certs.DiffAnchors(nil, t.anchors) {
		if err := anchorLine(ch.Anchor).print(e, c.JSON); err != nil {
			return err
		}
	}
	for _, k := range t.known {
		if err := newTrustLine(k).print(e, c.JSON); err != nil {
			return err
		}
	}
	if len(t.anchors) == 0 {
		e.warn("cli.no_trust")
	}
	return nil
}

// openTrustStore reads the store that the configuration names; one that is not there yet is empty.
func openTrustStore(e *env) (path string, t trusted, err error) {
	cfg, err := loadConfig(e)
	if err != nil {
		return "", t, err
	}
	if cfg.Trust.Store == "" {
		return "", t, text.Detailed(text.ConfigInvalid, nil, "trust.no_store")
	}
	t, err = readTrustStore(cfg.Trust.Store)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return cfg.Trust.Store, t, err
}

// Run shows what loading the files would change, and with --yes changes it.
func (c *trustLoadCmd) Run(e *env) error {
	path, before, err := openTrustStore(e)
	if err != nil {
		return err
	}
	list, sandbox, err := loadTrust(c.Files)
	if err != nil {
		return err
	}
	if sandbox {
		return text.Detailed(text.SandboxCertificate, nil, "serve.sandbox_file", strings.Join(c.Files, ", "))
	}
	after := before
	after.anchors, after.known = slices.Clone(before.anchors), slices.Clone(before.known)
	for _, cert := range list {
		if err := c.take(&after, cert); err != nil {
			return err
		}
	}
	return apply(e, path, before, after, c.Yes, c.JSON)
}

// take puts cert where it belongs: self-issued CA certificates are anchors, others
// intermediates. An anchor must be known by its fingerprint, or named by --sha256.
func (c *trustLoadCmd) take(t *trusted, cert *certs.Certificate) error {
	pin, pinned := certs.PinOf(cert)
	if !cert.IsCA && (cert.Version == 3 || !cert.SelfIssued()) {
		return text.Detailed(text.InvalidInput, nil, "trust.not_ca", cert.Subject)
	}
	if !cert.SelfIssued() {
		if !slices.ContainsFunc(t.known, cert.Equal) {
			t.known = append(t.known, cert)
		}
		return nil
	}
	a := certs.TrustAnchor{Certificate: cert, Domain: certs.Domain(c.Domain)}
	if pinned {
		a.Domain = pin.Domain
	} else if !slices.ContainsFunc(c.SHA256, func(s string) bool { return plainHex(s) == anchorSum(cert) }) {
		return text.Detailed(text.InvalidInput, nil, "trust.unknown_anchor", cert.Subject, anchorSum(cert))
	}
	t.anchors = slices.DeleteFunc(t.anchors, func(x certs.TrustAnchor) bool { return x.Certificate.Equal(cert) })
	t.anchors = append(t.anchors, a)
	return nil
}

// plainHex is a fingerprint as people copy it, without colons, spaces and capitals.
func plainHex(s string) string {
	return strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s))
}

// Run shows what would go, and with --yes lets it go. With --until an anchor stays
// for what was signed before.
func (c *trustRemoveCmd) Run(e *env) error {
	path, before, err := openTrustStore(e)
	if err != nil {
		return err
	}
	var until time.Time
	if c.Until != "" {
		if until, err = time.Parse(time.RFC3339, c.Until); err != nil {
			return text.Detailed(text.InvalidInput, err, "trust.bad_until")
		}
	}
	sum := plainHex(c.SHA256)
	after := trusted{}
	found := false
	for _, a := range before.anchors {
		if anchorSum(a.Certificate) == sum {
			if found = true; until.IsZero() {
				continue
			}
			a.Until = until
		}
		after.anchors = append(after.anchors, a)
	}
	for _, k := range before.known {
		if anchorSum(k) == sum {
			found = true
			continue
		}
		after.known = append(after.known, k)
	}
	if !found {
		return text.Detailed(text.NotFound, nil, "trust.not_there", sum)
	}
	return apply(e, path, before, after, c.Yes, c.JSON)
}

// apply shows the difference, and writes the store when told so.
func apply(e *env, path string, before, after trusted, yes, asJSON bool) error {
	changes := 0
	show := func(l trustLine, change string) error {
		if l.Change = change; change != string(certs.AnchorKept) {
			changes++
		}
		return l.print(e, asJSON)
	}
	for _, ch := range certs.DiffAnchors(before.anchors, after.anchors) {
		if err := show(anchorLine(ch.Anchor), string(ch.Kind)); err != nil {
			return err
		}
	}
	for _, k := range after.known {
		change := certs.AnchorAdded
		if slices.ContainsFunc(before.known, k.Equal) {
			change = certs.AnchorKept
		}
		if err := show(newTrustLine(k), string(change)); err != nil {
			return err
		}
	}
	for _, k := range before.known {
		if !slices.ContainsFunc(after.known, k.Equal) {
			if err := show(newTrustLine(k), string(certs.AnchorRemoved)); err != nil {
				return err
			}
		}
	}
	switch {
	case changes == 0:
		e.say("trust.same")
		return nil
	case !yes:
		e.warn("trust.shown")
		return nil
	}
	if err := after.write(path); err != nil {
		return err
	}
	e.say("trust.written", path)
	return nil
}
