package store

import (
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"

	"antin/internal/text"
)

// The primary result codes of SQLite that mean the disk does not take more.
const (
	sqliteReadOnly = 8
	sqliteIOErr    = 10
	sqliteFull     = 13
)

// diskError gives err the code storage-full when the disk is full or refuses to
// be written, database-unavailable when the database is not reached, and returns any
// other error as it is.
func diskError(err error) error {
	var coded *text.Error
	if err == nil || errors.As(err, &coded) {
		return err
	}
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO, fs.ErrPermission} {
		if errors.Is(err, full) {
			return text.Errorf(text.StorageFull, err)
		}
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqliteFull, sqliteIOErr, sqliteReadOnly:
			return text.Errorf(text.StorageFull, err)
		}
	}
	return postgresError(err)
}
