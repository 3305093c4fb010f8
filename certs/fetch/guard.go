package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Resolver turns a host name into addresses; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// rule is one entry HOST|CIDR[:PORT] of a list.
type rule struct {
	host   string // lower case; empty for an address rule
	prefix netip.Prefix
	port   uint16 // 0: every port
}

// parseRule reads "ocsp.example", "ocsp.example:8080", "10.0.0.0/8",
// "10.1.2.3:8080", "fd00::/8" or "[fd00::/8]:8080".
func parseRule(s string) (r rule, err error) {
	host, port := s, ""
	if inner, rest, ok := strings.Cut(strings.TrimPrefix(s, "["), "]"); ok && strings.HasPrefix(s, "[") {
		host = inner
		if rest != "" {
			if port, ok = strings.CutPrefix(rest, ":"); !ok {
				return r, fmt.Errorf("fetch: %q is not HOST|CIDR[:PORT]", s)
			}
		}
	} else if strings.Count(s, ":") == 1 {
		host, port, _ = strings.Cut(s, ":")
	}
	if port != "" || strings.HasSuffix(s, ":") {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return r, fmt.Errorf("fetch: port in %q is not a number from 1 to 65535", s)
		}
		r.port = uint16(n)
	}
	if p, err := netip.ParsePrefix(host); err == nil {
		r.prefix = p.Masked()
		return r, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		r.prefix = netip.PrefixFrom(a, a.BitLen())
		return r, nil
	}
	if host == "" || strings.ContainsAny(host, "/:@[] \t*?#%") {
		return r, fmt.Errorf("fetch: %q is not HOST|CIDR[:PORT]", s)
	}
	r.host = strings.ToLower(strings.TrimSuffix(host, "."))
	return r, nil
}

func (r rule) matches(host string, ip netip.Addr, port uint16) bool {
	if r.port != 0 && r.port != port {
		return false
	}
	if r.host != "" {
		return r.host == host
	}
	return r.prefix.Contains(ip)
}

// guard decides which addresses may be connected to.
type guard struct {
	allowed, refused []rule
	listedOnly       bool
	house            bool // nothing beyond loopback and private networks
	resolver         Resolver
}

func newGuard(o Options) (*guard, error) {
	g := &guard{listedOnly: o.ListedOnly, resolver: o.Resolver}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
	}
	for list, into := range map[*[]string]*[]rule{&o.AllowHosts: &g.allowed, &o.RefuseHosts: &g.refused} {
		for _, s := range *list {
			r, err := parseRule(s)
			if err != nil {
				return nil, err
			}
			*into = append(*into, r)
		}
	}
	return g, nil
}

var errBlocked = errors.New("fetch: address not allowed")

// check decides on one resolved address. host is the name that was asked for.
func (g *guard) check(host string, ip netip.Addr, port uint16) error {
	for _, a := range reachable(ip) {
		match := func(r rule) bool { return r.matches(host, a, port) }
		switch {
		case never(a):
			return fmt.Errorf("%w: %s is never asked", errBlocked, a)
		case slices.ContainsFunc(g.refused, match):
			return fmt.Errorf("%w: %s is one of our own", errBlocked, a)
		case g.house && !closed(a):
			return fmt.Errorf("%w: %s is beyond the house, where plain text does not go", errBlocked, a)
		case slices.ContainsFunc(g.allowed, match):
			continue
		case g.listedOnly:
			return fmt.Errorf("%w: %s is not listed", errBlocked, host)
		case closed(a):
			return fmt.Errorf("%w: %s is on a private network and not listed", errBlocked, a)
		case port != 80 && port != 443:
			return fmt.Errorf("%w: port %d is not listed", errBlocked, port)
		}
	}
	return nil
}

// checkName decides on a name that has no address at the moment.
func (g *guard) checkName(host string, port uint16) error {
	listed := func(r rule) bool { return r.host != "" && r.matches(host, netip.Addr{}, port) }
	if g.listedOnly && !slices.ContainsFunc(g.allowed, listed) {
		return fmt.Errorf("%w: %s is not listed", errBlocked, host)
	}
	return nil
}

// reachable is the address with those that it leads to: IPv4 behind IPv6
// mapping, NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380).
func reachable(ip netip.Addr) []netip.Addr {
	ip = ip.Unmap().WithZone("")
	all := []netip.Addr{ip}
	if !ip.Is6() {
		return all
	}
	b := ip.As16()
	v4 := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case prefix("64:ff9b::/96").Contains(ip), prefix("64:ff9b:1::/48").Contains(ip):
		all = append(all, v4(12))
	case prefix("2002::/16").Contains(ip):
		all = append(all, v4(2))
	case prefix("2001::/32").Contains(ip):
		for i := 12; i < 16; i++ {
			b[i] ^= 0xff
		}
		all = append(all, v4(12))
	}
	return all
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// never lists what no rule opens: this host's unspecified address, groups,
// link-local addresses, and where cloud machines keep their secrets.
func never(ip netip.Addr) bool {
	switch ip.String() {
	case "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "255.255.255.255":
		return true
	}
	return ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || prefix("0.0.0.0/8").Contains(ip)
}

// closed lists networks that are asked only when listed: loopback, private and
// reserved ranges (RFC 6890), where only machines of the house answer.
func closed(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsPrivate() || !ip.IsGlobalUnicast() {
		return true
	}
	for _, p := range []string{"100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "fec0::/10"} {
		if prefix(p).Contains(ip) {
			return true
		}
	}
	return false
}

// maxAddresses bounds how many addresses of one name are looked at.
const maxAddresses = 16

// dial resolves, checks every address, and connects to the first that answers.
// The check is repeated on the very address of the socket, so that nothing
// between the two can swap it.
func (g *guard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	name, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	host, port := strings.ToLower(strings.TrimSuffix(name, ".")), uint16(n)
	ips, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, ip := range ips {
		if err := g.check(host, ip, port); err != nil {
			return nil, err
		}
	}
	d := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return g.check(host, ap.Addr(), ap.Port())
	}}
	var failed error
	for _, ip := range ips {
		conn, err := d.DialContext(ctx, network, netip.AddrPortFrom(ip.Unmap(), port).String())
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ips, err := g.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return ips[:min(len(ips), maxAddresses)], nil
}
