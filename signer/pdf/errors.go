package pdf

import (
	"errors"
	"fmt"
	"io"

	"antin/internal/text"
)

// ErrFilter is the cause of the error that Decode returns for a stream whose
// filter it does not undo: the image filters.
var ErrFilter = errors.New("stream filter is not decoded here")

// malformed is the error for a file that breaks the format where no reader would
// agree on a meaning.
func malformed(format string, args ...any) error {
	return text.Errorf(text.PDFMalformed, fmt.Errorf(format, args...))
}

// needsRepair is the error for a file that a forgiving reader opens only by
// rebuilding the cross-reference.
func needsRepair(format string, args ...any) error {
	return text.Errorf(text.PDFRepairNeeded, fmt.Errorf(format, args...))
}

// exceeded is the error for a file that passes one of the Limits.
func exceeded(format string, args ...any) error {
	return text.Errorf(text.LimitExceeded, fmt.Errorf(format, args...))
}

// unreadable is the error for bytes that the reader beneath cannot deliver.
func unreadable(err error) error {
	return text.Errorf(text.FileUnreadable, err)
}

// readFull fills b from r at off. A file shorter than it claims to be is an
// unreadable one.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return unreadable(fmt.Errorf("reading %d bytes at %d: %w", len(b), off, err))
}
