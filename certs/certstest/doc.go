// Package certstest is a public key infrastructure in memory: a root, an issuing
// CA, signers of every condition, a time-stamping authority, OCSP responders and
// CRLs, served over HTTP and breakable in named ways. Tests use it, and so do
// `antin demo` and `antin sandbox`; nothing else in the product does.
//
// Every certificate carries the sandbox mark (certs.OIDSandbox), so that none of
// it can be mistaken for the real thing.
package certstest
