// Package pkcs11 signs with keys in tokens and HSMs. The vendor's PKCS #11 library is
// never loaded here: Provider starts the program antin-pkcs11, one process for each
// library, and talks to it over pipes, one JSON message per frame (frame.go,
// docs/reference/token-helper.md). What that library does wrong ends its process and
// not this one.
//
// Three promises decide the shape of the code:
//
//   - A PIN that a token refused is never presented again, by no retry, no other file
//     and no other goroutine, and none is presented on a token's last try.
//   - A signature that was asked for is never asked for again by itself: when the answer
//     is lost, the caller is told so (signature-lost) and decides.
//   - A value leaves this package only after it was verified with the certificate.
package pkcs11
