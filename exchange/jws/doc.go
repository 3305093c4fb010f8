// Package jws signs and verifies the small statements that gateways exchange:
// manifests, receipts, closed receipts and what else has a fixed type.
//
// It is a narrow profile of JSON Web Signature (RFC 7515): compact form, exactly
// the header fields alg, kid and typ, one type per kind of statement, canonical
// base64url, and the algorithm that the verifier's own key dictates. Nothing in a
// statement chooses a key or an algorithm: jwk, jku, x5u, x5c, crit and every
// other header field are refused.
//
// A statement's identity is the digest of its payload, never that of the whole:
// an ECDSA signature has two valid forms, and a statement signed twice is still
// the same statement.
//
// The package holds no keys, reads no clock and decides nothing about expiry,
// audience or repetition. exchange calls it.
package jws
