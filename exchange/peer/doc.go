// Package peer is the protocol between two Antin gateways: HTTPS with mutual
// TLS 1.3, a signed manifest, the bytes, a signed receipt.
//
// Server carries what arrives to an exchange.Inbox, Client is the
// exchange.Transport that reaches a Server. Neither decides anything about a
// transfer: the checks, the store and the receipts are exchange's. What they do
// decide is who is talking: each gateway's transport certificate is self-signed
// and listed by digest in the directory, so no certification authority outside
// the directory can vouch for a peer.
//
// The routes below /x/v1/transfers/{id}:
//
//	POST .            manifest, line feed, bytes; answers the receipt (small transfers)
//	PUT .             manifest; answers the receipt, or which parts are missing
//	PUT ./parts/{n}   the bytes of one part
//	POST ./commit     answers the receipt
//	POST ./close      manifest; take no bytes any more; answers a receipt
//	GET .?recipient=  the receipt, or which parts are missing
//
// A 200 with a receipt comes only after exchange has committed it, and repeats
// get the same bytes. Everything else is a problem (RFC 9457) with a code of the
// closed list. cmd wires both.
package peer
