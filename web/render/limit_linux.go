package render

import "syscall"

// limitProcess sets the walls that the system itself keeps: processor time, no
// core dump, no child. Memory is bounded by the WebAssembly runtime and by the Go
// memory limit; an address-space limit would forbid what Go reserves but never uses.
func limitProcess() {
	for _, l := range []struct {
		resource int
		limit    uint64
	}{
		{syscall.RLIMIT_CPU, cpuSeconds},
		{syscall.RLIMIT_CORE, 0},
	} {
		_ = syscall.Setrlimit(l.resource, &syscall.Rlimit{Cur: l.limit, Max: l.limit}) // a stricter limit already in force stays
	}
}
