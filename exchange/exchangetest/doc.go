// Package exchangetest holds what tests of the exchange need from its other side:
// a receiving gateway in memory, transports that lose, double, reorder, spoil and
// delay what they carry, peers that lie in their receipts, and the suite that
// every exchange.Transport passes.
//
// Nothing here is a mock: the gateway signs and verifies real statements. Only
// tests import it.
package exchangetest
