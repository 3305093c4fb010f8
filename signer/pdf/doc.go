// Package pdf reads PDF files lazily and writes incremental updates and small
// new documents (ISO 32000-2, 7).
//
// It keeps the byte offset of everything it reads, never reads more of a file
// than it is asked for, and never rebuilds a damaged cross-reference: a file
// that needs repair is reported, because a signature over a repaired reading
// would not be what other readers see. It knows nothing of signatures beyond the
// exact position of a value in the file; packages pades, validation, compose and
// appearance build on it.
package pdf
