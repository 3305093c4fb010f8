package helper

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// peerUID is the user of the process at the other end, as the kernel knows it.
func peerUID(c net.Conn) (uint32, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, errors.New("key helper: not a Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("key helper: %w", err)
	}
	var cred *syscall.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return 0, fmt.Errorf("key helper: %w", err)
	}
	if credErr != nil {
		return 0, fmt.Errorf("key helper: %w", credErr)
	}
	return cred.Uid, nil
}
