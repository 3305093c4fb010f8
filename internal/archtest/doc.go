// Package archtest holds the import rules of this module as data and the test
// that enforces them. It reads the source files with go/parser rather than asking
// the go command, whose answer may come from the test cache after a bad import.
package archtest
