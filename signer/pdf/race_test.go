//go:build race

package pdf_test

// slower is how many times longer than usual the race detector may make things.
const slower = 20
