package fetch_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"antin/certs/fetch"
)

// names resolves to what it holds; other names have no address.
type names map[string]string

// LookupNetIP implements fetch.Resolver.
func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	a, err := netip.ParseAddr(n[host])
	if err != nil {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{a}, nil
}

func TestADialerConnectsToWhatIsListedAlone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	resolver := names{"house.example": "127.0.0.1", "rebound.example": "169.254.169.254", "public.example": "8.8.8.8", "stranger.example": "127.0.0.1"}
	o := fetch.Options{ListedOnly: true, AllowHosts: []string{"house.example", "rebound.example", "public.example", "gone.example"}, Resolver: resolver}
	for _, c := range []struct {
		host         string
		house, wants bool
	}{
		{"house.example", true, true}, {"house.example", false, true}, {"public.example", true, false}, {"public.example", false, true},
		{"stranger.example", false, false}, {"rebound.example", false, false}, {"gone.example", false, true}, {"none.example", false, false},
		{"127.0.0.1", true, false},
	} {
		d, err := fetch.NewDialer(o, c.house)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Check(t.Context(), net.JoinHostPort(c.host, port))
		if (err == nil) != c.wants || err != nil && !d.Blocked(err) {
			t.Errorf("%s (house %v): %v", c.host, c.house, err)
		}
		if c.wants && c.host != "house.example" {
			continue // nobody is connected to
		}
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(c.host, port))
		if (err == nil) != c.wants {
			t.Errorf("dialling %s (house %v): %v", c.host, c.house, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	if _, err := fetch.NewDialer(fetch.Options{AllowHosts: []string{"a b"}}, false); err == nil {
		t.Error("a list that is none was taken")
	}
}
