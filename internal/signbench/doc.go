// Package signbench measures the signing engine beside what no engine can avoid:
// the SHA-256 of the same bytes and the bare key operation, each timed in turn
// with the signature it is compared with, so that a busy machine troubles all
// three alike. It makes its own documents and keeps everything in memory; keys,
// trust and services come from the caller.
package signbench
