package web

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// address is the nth address of a flood: each an IPv6 network of its own.
func address(n uint32) netip.Addr {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	binary.BigEndian.PutUint32(a[4:8], n)
	return netip.AddrFrom16(a)
}

func TestAFloodOfAddressesIsRememberedWithinABound(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(checksPerMinute), time.Now()
	most := 0
	for n := range uint32(5 * maxAddresses) { // all within one minute: nobody's time is over
		if !l.allow(address(n), now) {
			t.Fatalf("address %d is refused at its first act", n)
		}
		most = max(most, len(l.buckets))
	}
	if most > maxAddresses {
		t.Errorf("%d addresses were remembered at a time", most)
	}
	if len(l.buckets) < maxAddresses/2 {
		t.Errorf("only %d addresses are remembered after the flood", len(l.buckets))
	}
}

func TestAnAddressThatUsedUpItsMinuteStaysLimitedWhileThereIsRoom(t *testing.T) {
	t.Parallel()
	l, now, greedy := newLimiter(checksPerMinute), time.Now(), netip.MustParseAddr("192.0.2.1")
	for range checksPerMinute {
		l.allow(greedy, now)
	}
	for n := range uint32(maxAddresses / 2) {
		l.allow(address(n), now)
	}
	if l.allow(greedy, now) {
		t.Error("half a table of others makes the address new again")
	}
	if !l.allow(greedy, now.Add(time.Minute)) {
		t.Error("a minute later nothing is left")
	}
}

func TestAddressesWhoseMinuteIsOverGoFirst(t *testing.T) {
	t.Parallel()
	l, now, greedy := newLimiter(checksPerMinute), time.Now(), netip.MustParseAddr("192.0.2.1")
	for n := range uint32(maxAddresses - 1) {
		l.allow(address(n), now)
	}
	later := now.Add(time.Minute)
	for range checksPerMinute {
		l.allow(greedy, later)
	}
	l.allow(address(maxAddresses), later) // the table is full: the others' minute is over
	if l.allow(greedy, later) {
		t.Error("a busy address was forgotten before idle ones")
	}
	if len(l.buckets) > 2 {
		t.Errorf("%d addresses are remembered", len(l.buckets))
	}
}
