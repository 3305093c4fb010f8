// Package fetch is the one client with which the product follows addresses found
// in certificates: OCSP, CRL and issuer certificates over HTTP. Such addresses
// are written by strangers, so every one passes a guard that decides on the
// resolved IP address, and every answer is bounded in size and time, cached while
// it is fresh, and asked for once however many callers want it.
//
// It verifies what it caches and nothing else: judging evidence is the business
// of package certs. Addresses that an operator configures by hand (time-stamping
// services, peers) are not its concern.
package fetch
