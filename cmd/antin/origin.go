package main

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"antin/internal/text"
)

// maxForwarded bounds how many hops of X-Forwarded-For are looked at.
const maxForwarded = 32

// gate stands before an origin's handler: it answers only under the origin's own
// host name, and finds out who is calling. Of the forwarding headers only those
// set by a proxy of the configuration count; of everyone else they are removed,
// so that nothing behind can mistake them.
type gate struct {
	origin  *url.URL
	proxies []netip.Prefix
	// proxied: the listener speaks plain HTTP to the network, so that only the proxy
	// may talk to it.
	proxied bool
	next    http.Handler
}

// newGate puts an origin before next. addr is where the listener is, for proxied.
func newGate(o OriginConfig, addr string, next http.Handler) (*gate, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, text.Errorf(text.ConfigInvalid, err)
	}
	g := &gate{origin: u, next: next, proxied: o.TLS.Certificate == "" && !loopback(addr)}
	for _, p := range o.TrustedProxies {
		prefix, err := parsePrefix(p)
		if err != nil {
			return nil, text.Errorf(text.ConfigInvalid, err)
		}
		g.proxies = append(g.proxies, prefix)
	}
	return g, nil
}

func (g *gate) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(g.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := addressOf(r.RemoteAddr)
	proxy := g.trusted(from)
	if g.proxied && !proxy {
		refusePlainly(w, "serve.proxy_only", http.StatusForbidden)
		return
	}
	if !g.ownHost(r.Host) {
		refusePlainly(w, "serve.host", http.StatusMisdirectedRequest)
		return
	}
	if proxy && g.origin.Scheme == "https" && r.Header.Get("X-Forwarded-Proto") == "http" {
		g.toHTTPS(w, r)
		return
	}
	r = r.Clone(r.Context())
	if proxy {
		from = g.client(from, r.Header.Values("X-Forwarded-For"))
		r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
	}
	for _, h := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-Ip"} {
		r.Header.Del(h)
	}
	if g.origin.Scheme == "https" {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	g.next.ServeHTTP(w, r)
}

// toHTTPS sends a browser that came to the proxy without TLS to the right address;
// a form is not sent there again, since its contents have been in the open.
func (g *gate) toHTTPS(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refusePlainly(w, "serve.host", http.StatusMisdirectedRequest)
		return
	}
	to := url.URL{Scheme: "https", Host: g.origin.Host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
}

// ownHost compares a Host header with the origin's, the scheme's own port left out.
func (g *gate) ownHost(host string) bool {
	standard := map[string]string{"http": ":80", "https": ":443"}[g.origin.Scheme]
	return strings.EqualFold(strings.TrimSuffix(host, standard), strings.TrimSuffix(g.origin.Host, standard))
}

// client is the last address of the chain that no proxy of ours has; what stands
// before it was written by the client itself and says nothing.
func (g *gate) client(from netip.Addr, chain []string) netip.Addr {
	hops := strings.Split(strings.Join(chain, ","), ",")
	for i := len(hops) - 1; i >= 0 && len(hops)-i <= maxForwarded; i-- {
		hop := strings.TrimSpace(hops[i])
		a, err := netip.ParseAddr(hop)
		if err != nil {
			a = addressOf(hop)
		}
		if !a.IsValid() {
			return from
		}
		from = a.Unmap()
		if !g.trusted(from) {
			return from
		}
	}
	return from
}

// addressOf is the address of HOST:PORT; the zero Addr when there is none.
func addressOf(hostport string) netip.Addr {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// refusePlainly answers in both languages, without a page: whoever gets this has
// not come by our own address.
func refusePlainly(w http.ResponseWriter, key text.Key, status int) {
	m := text.Get(key)
	http.Error(w, m.VI+"\n"+m.EN, status)
}
