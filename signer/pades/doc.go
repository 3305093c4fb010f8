// Package pades knows what a signature looks like inside a PDF: it finds
// signature fields, builds the incremental update that holds a new signature,
// and adds the document security store (ISO 32000-2, 12.8; EN 319 142-1). It
// works on bytes alone: no keys, no network, no clock.
package pades
