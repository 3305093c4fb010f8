//go:build linux

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncTree puts everything written to the file system of dir on the disk in one go,
// and reports failures of writing since dir was opened. supported is false where
// the kernel or the file system cannot; nothing is promised then.
func syncTree(dir *os.File) (supported bool, err error) {
	switch err := unix.Syncfs(int(dir.Fd())); err {
	case nil:
		return true, nil
	case unix.ENOSYS, unix.EOPNOTSUPP, unix.EINVAL, unix.EPERM:
		return false, nil
	default:
		return true, os.NewSyscallError("syncfs", err)
	}
}
