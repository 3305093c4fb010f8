//go:build failpoint && !windows

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

const (
	// networkTransfers is enough for one that goes in parts (see crashPDF).
	networkTransfers = 6
	// faultLasts is how long a line stays bad once somebody has tried it.
	faultLasts = 1500 * time.Millisecond
)

// badLine is a line between the two sides that can be made bad: whoever calls a side
// calls its proxy.
type badLine struct {
	t       *testing.T
	proxies [2]*toxiproxy.Proxy
}

func newBadLine(t *testing.T) *badLine {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxics log to standard error by themselves
	return &badLine{t: t}
}

// place has the other side find s behind a proxy.
func (l *badLine) place(s *savedAgency) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, s.Side.String(), freePort(l.t), s.Addr[s.Side])
	if err := p.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(p.Stop)
	l.proxies[s.Side] = p
	s.Via[s.Side] = p.Listen
}

// toxic makes the line to a side bad, as toxiproxy's own API does.
func (l *badLine) toxic(to side, kind, stream, attributes string) {
	l.t.Helper()
	_, err := l.proxies[to].Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":{%s}}`, kind, stream, attributes)))
	if err != nil {
		l.t.Error(err)
	}
}

// heal makes the line to a side good again; what hung on it is cut.
func (l *badLine) heal(to side) {
	p := l.proxies[to]
	p.Toxics.ResetToxics(l.t.Context())
	p.Stop()
	if err := p.Start(); err != nil {
		l.t.Error(err)
	}
}

// networkFaults are the ways in which a line goes bad.
func networkFaults() map[string]func(l *badLine, to side) {
	return map[string]func(l *badLine, to side){
		"partition": func(l *badLine, to side) { l.proxies[to].Stop() },
		// Nothing comes back, and nobody hangs up.
		"half open": func(l *badLine, to side) { l.toxic(to, "timeout", "downstream", `"timeout":0`) },
		"reset in the middle": func(l *badLine, to side) {
			l.toxic(to, "bandwidth", "upstream", `"rate":300`)
			l.toxic(to, "reset_peer", "upstream", `"timeout":200`)
		},
		"reset instead of the answer": func(l *badLine, to side) { l.toxic(to, "reset_peer", "downstream", `"timeout":10`) },
		"cut after 200 KB":            func(l *badLine, to side) { l.toxic(to, "limit_data", "upstream", `"bytes":200000`) },
		"one byte a second": func(l *badLine, to side) {
			l.toxic(to, "slicer", "upstream", `"average_size":1,"size_variation":0,"delay":1000000`)
		},
		"late": func(l *badLine, to side) { l.toxic(to, "latency", "downstream", `"latency":400,"jitter":200`) },
		"slow to hang up": func(l *badLine, to side) {
			l.toxic(to, "slow_close", "downstream", `"delay":1000`)
			l.toxic(to, "bandwidth", "downstream", `"rate":1`)
		},
	}
}

// TestTortureSpoilsTheNetwork makes the line to one side bad, twice, while documents and
// statuses are on their way. Nothing acknowledged may be lost, nothing done twice, and
// when the line is good again all arrives.
func TestTortureSpoilsTheNetwork(t *testing.T) {
	for name, fault := range networkFaults() {
		for _, to := range []side{receiver, sender} {
			t.Run(name+"/"+to.String(), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(times(t, tortureSeeds)) {
					spoil(t, fault, to, seed)
				}
			})
		}
	}
}

func spoil(t *testing.T, fault func(l *badLine, to side), to side, seed uint64) {
	t.Helper()
	l := newBadLine(t)
	bad, tried, now := 0, 0, false
	noted := func(s *supervisor, h heardFact) {
		// The line goes bad as the seed says: before anything is sent, or with the first few.
		if h.Kind != factSending || h.who == to {
			return
		}
		if tried++; now || bad == 2 || tried < 1+bad*4+int(seed)%3 {
			return
		}
		bad, now = bad+1, true
		fault(l, to)
		time.AfterFunc(faultLasts, func() {
			s.acts <- func() { l.heal(to); s.resume(); now = false }
		})
	}
	s := tortured(t, trial{transfers: networkTransfers, seed: seed, place: l.place, noted: noted, shaky: true})
	s.run()
	l.heal(to) // where all arrived in spite of it
	if bad == 0 {
		t.Errorf("the line never went bad")
	}
	s.check()
}
