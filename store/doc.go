// Package store keeps the state of a gateway in one data directory: rows in
// SQLite behind exchange.Store, bytes behind exchange.Blobs, and River as the
// queue that wakes workers behind exchange.Queue. It decides nothing.
//
// A directory belongs to one process at a time. What Update has committed is on
// disk when it returns (WAL, synchronous=FULL); what Put has stored is on disk
// when it returns. cmd opens it; exchange and the tests of others see only the
// seams.
package store
