package helper

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// markSuffix names, behind the log's own name, the file that remembers its last line.
const markSuffix = ".last"

// A mark file holds two records of markSize bytes, written in turn: when one is torn
// by a power cut the other still tells how long the log was one line before.
const (
	markSize  = 192
	markSlots = 2
)

// logMark remembers the last line of a log in a second file, so that whole lines
// taken off the log's end are missed.
type logMark struct{ file *os.File }

// encodeMark is the record for a line: its number and hash, and a sum over both,
// filled up with spaces.
func encodeMark(last Line) []byte {
	text := fmt.Sprintf("%d %s", last.Seq, last.Hash)
	sum := sha256.Sum256([]byte(text))
	b := append([]byte(text+" "+hex.EncodeToString(sum[:])), bytes.Repeat([]byte(" "), markSize)...)[:markSize]
	b[markSize-1] = '\n'
	return b
}

// decodeMark reads one record; ok is false for one that is torn or was never written.
func decodeMark(b []byte) (seq int64, hash string, ok bool) {
	var sum string
	if _, err := fmt.Sscanf(string(b), "%d %s %s", &seq, &hash, &sum); err != nil {
		return 0, "", false
	}
	want := sha256.Sum256(fmt.Appendf(nil, "%d %s", seq, hash))
	return seq, hash, sum == hex.EncodeToString(want[:])
}

// readMark returns what r remembers; zero for an empty file, ErrLog for one that
// holds no whole record.
func readMark(r io.Reader) (seq int64, hash string, err error) {
	b, err := io.ReadAll(io.LimitReader(r, markSlots*markSize))
	if err != nil || len(b) == 0 {
		return 0, "", err
	}
	found := false
	for slot := 0; slot+markSize <= len(b); slot += markSize {
		if n, h, ok := decodeMark(b[slot : slot+markSize]); ok && n >= seq {
			seq, hash, found = n, h, true
		}
	}
	if !found {
		return 0, "", fmt.Errorf("%w: what remembers its last line is damaged", ErrLog)
	}
	return seq, hash, nil
}

// markedLine is the number of the line that the mark of the log at path remembers, 0
// for none.
func markedLine(path string) (int64, error) {
	f, err := os.Open(path + markSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("opening what remembers the key log: %w", err)
	}
	defer func() { _ = f.Close() }()
	seq, _, err := readMark(f)
	return seq, err
}

// openMark opens the mark of the log at path and holds it against the log's last
// line and the lines before, which hashes tells by number.
func openMark(path string, last Line, hashes func(seq int64) string) (*logMark, error) {
	f, err := os.OpenFile(path+markSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening what remembers the key log: %w", err)
	}
	seq, hash, err := readMark(f)
	if err == nil {
		err = compareMark(seq, hash, last, hashes)
	}
	m := &logMark{file: f}
	if err == nil && last.Seq > 0 { // a log from before there were marks, or a crash between the two
		err = m.set(last)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return m, nil
}

// compareMark finds lines that are missing at the end of a log.
func compareMark(seq int64, hash string, last Line, hashes func(seq int64) string) error {
	switch {
	case seq > last.Seq:
		return fmt.Errorf("%w: it ends at line %d and once had %d", ErrLog, last.Seq, seq)
	case seq > 0 && hashes(seq) != hash:
		return fmt.Errorf("%w: line %d is another than it was", ErrLog, seq)
	}
	return nil
}

// set remembers last; it is on disk when set returns.
func (m *logMark) set(last Line) error {
	if _, err := m.file.WriteAt(encodeMark(last), last.Seq%markSlots*markSize); err != nil {
		return fmt.Errorf("remembering the key log's last line: %w", err)
	}
	if err := m.file.Sync(); err != nil {
		return fmt.Errorf("syncing what remembers the key log: %w", err)
	}
	return nil
}

func (m *logMark) close() error { return m.file.Close() }

// VerifyLogFile verifies the log at path and that it still holds the line which was
// its last; fs.ErrNotExist when nothing was ever logged. A log that was shortened, and
// what remembers its end with it, by someone who may write both, is not found out.
func VerifyLogFile(path string) (last Line, err error) {
	mark, err := os.Open(path + markSuffix)
	marked := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Line{}, fmt.Errorf("opening what remembers the key log: %w", err)
	}
	var seq int64
	var hash string
	if marked {
		defer func() { _ = mark.Close() }()
		if seq, hash, err = readMark(mark); err != nil {
			return Line{}, err
		}
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && seq > 0 {
		return Line{}, fmt.Errorf("%w: it is gone and once had %d lines", ErrLog, seq)
	}
	if err != nil {
		return Line{}, fmt.Errorf("opening key log: %w", err)
	}
	defer func() { _ = f.Close() }()
	hashAt := ""
	last, _, err = readLog(f, func(l Line) {
		if l.Seq == seq {
			hashAt = l.Hash
		}
	})
	if err != nil {
		return last, err
	}
	return last, compareMark(seq, hash, last, func(int64) string { return hashAt })
}
