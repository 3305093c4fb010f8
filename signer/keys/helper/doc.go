// Package helper keeps signing keys in a process of their own. Server holds the
// keys and listens on a Unix socket; Client is a signer.KeyProvider over it. The
// protocol is one JSON request and one JSON answer per frame, each behind its length
// (frame.go, docs/reference/key-helper.md).
//
// A key here never signs a bare digest. A request says which document it is for, as
// the SHA-256 of what the signature covers; who decided, in which role and session;
// and carries the signed attributes, which must hash to the digest and name that
// SHA-256. It is written to a hash-chained log and synced before the key is used. A
// key signs only for the kind of act and the role that its configuration names.
//
// What this guards: a process that serves the web, once taken over, holds no key,
// cannot use one without leaving behind what was signed, and cannot use it faster
// than the key's limit. It does not tell a true approval from one that the taken
// process invents: that is read in the log.
package helper
