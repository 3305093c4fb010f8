package fetch

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// maxRewrites bounds the table of rewritten hosts; a state network has some dozens.
const maxRewrites = 1000

// rewriteTable checks a table of host names and folds their case.
func rewriteTable(in map[string]string) (map[string]string, error) {
	if len(in) > maxRewrites {
		return nil, fmt.Errorf("fetch: more than %d rewritten hosts", maxRewrites)
	}
	out := map[string]string{}
	for from, to := range in {
		if !isHost(from, false) || !isHost(to, true) {
			return nil, fmt.Errorf("fetch: %q to %q is not HOST to HOST[:PORT]", from, to)
		}
		out[strings.ToLower(from)] = strings.ToLower(to)
	}
	return out, nil
}

// isHost reports whether s is a host name or address, with a port where one may stand.
func isHost(s string, port bool) bool {
	u, err := url.Parse("http://" + s)
	return err == nil && s != "" && u.Host == s && u.Hostname() != "" && (u.Port() == "" || port)
}

// rewritten is u with the host that is asked in place of the one that a certificate
// names; a port of u stays where the table gives none.
func (c *Client) rewritten(u *url.URL) *url.URL {
	to, ok := c.rewrite[strings.ToLower(u.Hostname())]
	if !ok {
		return u
	}
	target, err := url.Parse("http://" + to)
	if err != nil {
		return u
	}
	if port := u.Port(); port != "" && target.Port() == "" {
		to = net.JoinHostPort(target.Hostname(), port)
	}
	other := *u
	other.Host = to
	return &other
}
