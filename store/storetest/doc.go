// Package storetest holds the suite that every engine behind exchange.Store,
// exchange.Blobs and exchange.Queue must pass, and Faults, which makes an engine
// fail at a chosen write. Only tests use it.
package storetest
