//go:build interop

package interop_test

import (
	"os"
	"syscall"
)

// peakMemory is the most memory that an ended process held, in KiB.
func peakMemory(p *os.ProcessState) int64 {
	if u, ok := p.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss
	}
	return 0
}
