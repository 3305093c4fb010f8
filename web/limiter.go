package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// checksPerMinute is how many files one address may have checked in a minute: more
	// than a person chooses by hand, less than a program would send.
	checksPerMinute = 20
	// lookUpsPerMinute is how many codes one address may look up in a minute. A waiting
	// room full of telephones shares one address.
	lookUpsPerMinute = 120
	// maxAddresses bounds the addresses remembered at a time: some 100 bytes each.
	maxAddresses = 20_000
	// madeRoom is how many addresses are forgotten at a time when all are busy, so that
	// a flood of new ones does not walk the whole table for each.
	madeRoom = maxAddresses / 16
)

// limiter lets each address act so many times a minute, in bursts up to that many.
// It is safe for concurrent use and remembers at most maxAddresses.
type limiter struct {
	perMinute float64

	mu      sync.Mutex
	buckets map[netip.Addr]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(perMinute int) *limiter {
	return &limiter{perMinute: float64(perMinute), buckets: map[netip.Addr]bucket{}}
}

// allow takes one act of addr at now, or says that it has none left.
func (l *limiter) allow(addr netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	addr = network(addr)
	b, known := l.buckets[addr]
	if !known {
		if len(l.buckets) >= maxAddresses {
			l.forget(now)
		}
		b = bucket{left: l.perMinute, at: now}
	}
	b.left = min(l.perMinute, b.left+l.perMinute*max(0, now.Sub(b.at).Minutes()))
	b.at = now
	ok := b.left >= 1
	if ok {
		b.left--
	}
	l.buckets[addr] = b
	return ok
}

// forget makes room: first by those whose minute is over, which changes nothing for
// them; when everyone is busy, by any few, who then begin anew.
func (l *limiter) forget(now time.Time) {
	for a, b := range l.buckets {
		if now.Sub(b.at) >= time.Minute {
			delete(l.buckets, a)
		}
	}
	for a := range l.buckets {
		if len(l.buckets) <= maxAddresses-madeRoom {
			return
		}
		delete(l.buckets, a)
	}
}

// network is what counts as one client: an IPv4 address, or the /64 that one IPv6
// subscriber has all addresses of.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// remote is the address that r's connection came from; the zero Addr when it cannot
// be read, which all such requests share.
func remote(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, _ := netip.ParseAddr(host)
	return a
}
