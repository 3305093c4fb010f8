// Package exchangebench measures what no exchange of signed messages can avoid: a
// bare loop of TLS, SHA-256, one signature and one verification on each side and
// one durable transaction on each side. It stands beside the product's own figures
// as their ceiling, taken on the same machine in the same minutes, with the same
// load. It keeps nothing that the product promises beyond that: no lanes, no
// outbox, no evidence, no defence against anybody.
package exchangebench
