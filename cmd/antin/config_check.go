package main

import (
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"antin/certs/fetch"
	"antin/exchange"
	"antin/internal/text"
)

// The bounds of the numbers in the configuration.
const (
	minSealMM, maxSealMM = 10, 60 // seals are 20 to 36 mm across; a mistyped unit is not
	maxPerMinute         = 1_000_000
	maxPayloadSetting    = 2048 // MB: what blobs and line times were measured for
	maxSession           = 30 * 24 * time.Hour
	maxExpiry            = 365 * 24 * time.Hour
	maxTSATimeout        = 10 * time.Minute // state services were seen to take 131 s
)

// check judges each value by itself, and the few that depend on one another. What
// needs the network or reads files is for serve's start and doctor.
func (c *Config) check() error {
	for _, f := range []func() error{c.checkNumbers, c.checkAddresses, c.checkOrigins, c.checkURLs, c.checkDatabase, c.checkBlobs, c.checkHandover} {
		if err := f(); err != nil {
			return err
		}
	}
	if c.Agency.Code != "" && !exchange.AgencyCode(c.Agency.Code).Valid() {
		return c.wrong("agency.code", "config.want.code")
	}
	if c.DataDir == "" {
		return c.wrong("data_dir", "config.want.set")
	}
	return nil
}

// wrong refuses a setting's value, saying where it stands and what is wanted.
func (c *Config) wrong(path string, want text.Key, args ...any) error {
	w := text.Get(want, args...)
	return text.Detailed(text.ConfigInvalid, nil, "config.wrong", path, c.originOf(path).In(text.VI), c.originOf(path).In(text.EN), w.VI, w.EN)
}

// originOf says in words where a setting's value comes from.
func (c *Config) originOf(path string) text.Message {
	o := c.origins[path]
	switch {
	case o.Env != "":
		return text.Get("config.origin.env", o.Env)
	case o.File != "":
		return text.Get("config.origin.file", filepath.Base(o.File), o.Line)
	}
	return text.Get("config.origin.default")
}

func (c *Config) checkNumbers() error {
	between := func(path string, v, low, high float64) error {
		if v < low || v > high {
			return c.wrong(path, "config.want.between", strconv.FormatFloat(low, 'f', -1, 64), strconv.FormatFloat(high, 'f', -1, 64))
		}
		return nil
	}
	span := func(path string, v, high time.Duration) error {
		if v < time.Second || v > high {
			return c.wrong(path, "config.want.between", time.Second.String(), high.String())
		}
		return nil
	}
	for _, err := range []error{
		between("agency.seal_diameter_mm", c.Agency.SealDiameterMM, minSealMM, maxSealMM),
		between("limits.requests_per_minute", float64(c.Limits.RequestsPerMinute), 1, maxPerMinute),
		between("limits.max_payload_mb", float64(c.Limits.MaxPayloadMB), 1, maxPayloadSetting),
		span("tsa.timeout", c.TSA.Timeout, maxTSATimeout),
		span("sessions.idle", c.Sessions.Idle, maxSession), span("sessions.absolute", c.Sessions.Absolute, maxSession),
		span("expiry.normal", c.Expiry.Normal, maxExpiry), span("expiry.urgent", c.Expiry.Urgent, maxExpiry),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkAddresses() error {
	for path, addr := range map[string]string{"listen.desk": c.Listen.Desk, "listen.public": c.Listen.Public,
		"listen.peer": c.Listen.Peer, "listen.admin": c.Listen.Admin} {
		_, port, err := net.SplitHostPort(addr)
		if n, nerr := strconv.Atoi(port); err != nil || nerr != nil || n < 0 || n > 65535 {
			return c.wrong(path, "config.want.address")
		}
	}
	return nil
}

func (c *Config) checkOrigins() error {
	for name, o := range map[string]OriginConfig{"desk": c.Desk, "public": c.Public} {
		u, err := url.Parse(o.URL)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return c.wrong(name+".url", "config.want.origin")
		}
		if (o.TLS.Certificate == "") != (o.TLS.Key == "") {
			return c.wrong(name+".tls.certificate", "config.want.pair")
		}
		if u.Scheme == "http" && (o.TLS.Certificate != "" || !loopback(net.JoinHostPort(u.Hostname(), "0"))) {
			return c.wrong(name+".url", "config.want.https")
		}
		for _, p := range o.TrustedProxies {
			if _, err := parsePrefix(p); err != nil {
				return c.wrong(name+".trusted_proxies", "config.want.cidr", p)
			}
		}
	}
	if c.Desk.URL == c.Public.URL {
		return c.wrong("public.url", "config.want.other_origin")
	}
	if (c.Peer.Certificate == "") != (c.Peer.Key == "") {
		return c.wrong("peer.certificate", "config.want.pair")
	}
	return nil
}

func (c *Config) checkURLs() error {
	if u, err := url.Parse(c.Peer.URL); c.Peer.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return c.wrong("peer.url", "config.want.https")
	}
	for _, s := range c.TSA.URLs {
		if u, err := url.Parse(s); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			return c.wrong("tsa.urls", "config.want.url")
		}
	}
	if _, ok := c.TSA.byHost(); !ok {
		return c.wrong("tsa.timeouts", "config.want.host_spans", maxTSATimeout)
	}
	if _, err := newFetcher(&env{now: time.Now}, c.Trust.AllowHosts); err != nil {
		return c.wrong("trust.allow_hosts", "config.want.host")
	}
	table, err := hostTable(c.Trust.RewriteHosts)
	if err == nil {
		_, err = fetch.New(fetch.Options{Rewrite: table})
	}
	if err != nil {
		return c.wrong("trust.rewrite_hosts", "config.want.rewrite")
	}
	return nil
}

// parsePrefix reads a CIDR, or one address as the prefix of itself.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// loopback reports whether addr listens on this machine alone.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.Unmap().IsLoopback())
}

// checkServe is what serve asks beyond check: an agency with a transport identity,
// and no plain HTTP where others of the network could read along.
func (c *Config) checkServe() error {
	for path, v := range map[string]string{"agency.code": c.Agency.Code, "agency.name": c.Agency.Name,
		"peer.certificate": c.Peer.Certificate, "directory": c.Directory} {
		if v == "" {
			return c.wrong(path, "config.want.set")
		}
	}
	for _, l := range []struct {
		name, addr string
		origin     OriginConfig
	}{{"desk", c.Listen.Desk, c.Desk}, {"public", c.Listen.Public, c.Public}} {
		plain := l.origin.TLS.Certificate == ""
		if plain && !loopback(l.addr) && len(l.origin.TrustedProxies) == 0 {
			return c.wrong("listen."+l.name, "config.want.tls", l.name)
		}
		if plain && strings.HasPrefix(l.origin.URL, "https://") && len(l.origin.TrustedProxies) == 0 {
			return c.wrong(l.name+".url", "config.want.tls", l.name) // who speaks TLS, and from where does it call us?
		}
	}
	if !loopback(c.Listen.Admin) {
		if host, _, _ := net.SplitHostPort(c.Listen.Admin); host == "" {
			return c.wrong("listen.admin", "config.want.admin")
		}
	}
	return nil
}
