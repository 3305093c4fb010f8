//go:build cgo && unix

package main

// #include <unistd.h>
import "C"

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// ownOutput keeps the pipe to the other side for answers alone: what a vendor's library
// prints goes to the standard error. It also forbids core dumps, which would hold a PIN.
func ownOutput(io.Writer) (io.Writer, error) {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	fd := C.dup(1)
	if fd < 0 || C.dup2(2, 1) < 0 {
		return nil, errors.New("keeping the output apart")
	}
	syscall.CloseOnExec(int(fd)) // a daemon that the library starts must not keep it open
	return os.NewFile(uintptr(fd), "answers"), nil
}
