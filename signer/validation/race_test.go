//go:build race

package validation_test

// raceEnabled says that the race detector is built in, which costs time and memory.
const raceEnabled = true
