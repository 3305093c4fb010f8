// Package signer creates and extends PAdES signatures: it asks a key for a
// signature value in exactly one place, checks what it made with the same
// validator that judges everybody else's documents, and lets nothing out that
// did not pass.
//
// Signing can stop before the key and go on elsewhere (Prepare, Complete), so
// that phones, remote services and tokens behind another process take the same
// way as a key file. The package reaches keys, time-stamping services and
// revocation data only through the seams it is given.
package signer
