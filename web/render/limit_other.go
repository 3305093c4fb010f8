//go:build !linux

package render

// limitProcess does nothing where the system has no such limits; the parent's
// deadline and the runtime's memory limit remain.
func limitProcess() {}
