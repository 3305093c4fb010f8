//go:build cgo && !unix

package main

import "io"

// ownOutput is the standard output.
func ownOutput(out io.Writer) (io.Writer, error) { return out, nil }
