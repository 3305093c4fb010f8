//go:build !race

package pdf_test

// slower is how many times longer than usual things may take.
const slower = 1
