package render

import "syscall"

// patience is the child's niceness: a page that someone waits for goes before an
// image that is still to be drawn, which costs as much as ten pages.
const patience = 10

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
	// Niceness is each thread's own here; a group of its own reaches them all at once.
	if syscall.Setpgid(0, 0) == nil {
		_ = syscall.Setpriority(syscall.PRIO_PGRP, 0, patience) // a child that cannot be patient draws all the same
	}
}
