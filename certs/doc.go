// Package certs knows X.509 certificates as signature validation needs them:
// parsing, verification of signature values, certification paths at any time
// (RFC 5280, 6), revocation facts from OCSP responses and CRLs (RFC 6960,
// RFC 5280, 6.3) and the dates until which algorithms are held to be strong
// (TS 119 312).
//
// It touches neither network nor files and never asks the clock: times are
// arguments, and what has to be fetched comes in through RevocationSource and
// IssuerSource, which package certs/fetch implements. All values are safe for
// concurrent use once built; nothing here changes its input.
package certs
