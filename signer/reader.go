package signer

import (
	"errors"
	"io"
)

// joined reads an original with what follows it as one file, so that a signed
// document can be opened and judged before it is written anywhere.
type joined struct {
	head io.ReaderAt
	size int64
	tail []byte
}

// join returns the file made of the first size bytes of head and then parts.
func join(head io.ReaderAt, size int64, parts ...[]byte) (io.ReaderAt, int64) {
	j := joined{head: head, size: size}
	for _, p := range parts {
		if len(j.tail) == 0 {
			j.tail = p[:len(p):len(p)] // nearly always the only one; nobody writes to it
			continue
		}
		j.tail = append(j.tail, p...)
	}
	return j, size + int64(len(j.tail))
}

// ReadAt implements io.ReaderAt.
func (j joined) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	n := 0
	if off < j.size {
		want := min(int64(len(b)), j.size-off)
		m, err := j.head.ReadAt(b[:want], off)
		if int64(m) < want {
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return m, err
		}
		n = m
	}
	if n == len(b) {
		return n, nil
	}
	at := off + int64(n) - j.size
	if at < int64(len(j.tail)) {
		n += copy(b[n:], j.tail[at:])
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
