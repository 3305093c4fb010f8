package fetch

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
)

// Dialer connects where its guard lets it, for those who call addresses that people
// wrote down rather than certificates: every address that a name resolves to is judged,
// and the very one that is connected to once more. It is safe for concurrent use.
type Dialer struct{ guard *guard }

// NewDialer returns a dialer by AllowHosts, ListedOnly, RefuseHosts and Resolver of o; the
// rest of o is not looked at. Where house is set, only loopback and private addresses are
// connected to: those behind which plain text does not leave the house.
func NewDialer(o Options, house bool) (*Dialer, error) {
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	g.house = house
	return &Dialer{g}, nil
}

// DialContext connects to addr, HOST:PORT. Blocked tells a refusal from a failure.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.guard.dial(ctx, network, addr)
}

// Blocked reports whether err is a refusal of the guard.
func (*Dialer) Blocked(err error) bool { return errors.Is(err, errBlocked) }

// Check returns what DialContext would refuse addr for, without connecting. A name that
// does not resolve is judged by its entry in the list alone.
func (d *Dialer) Check(ctx context.Context, addr string) error {
	name, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return err
	}
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	ips, err := d.guard.resolve(ctx, host)
	if err != nil {
		return d.guard.checkName(host, uint16(n)) // its addresses are judged when it is called
	}
	for _, ip := range ips {
		if err := d.guard.check(host, ip, uint16(n)); err != nil {
			return err
		}
	}
	return nil
}
