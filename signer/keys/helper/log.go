package helper

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"antin/signer"
)

// Line is one line of the log. Hash is the SHA-256, in hex, of the line's JSON with
// Hash empty; Prev is the Hash of the line before. So a change or a gap shows.
type Line struct {
	Seq    int64     `json:"seq"` // from 1, without gaps
	At     time.Time `json:"at"`
	Event  string    `json:"event"` // "asked", "signed", "refused" or "failed"
	Key    string    `json:"key"`
	Client uint32    `json:"uid"` // of the process that asked
	// Digest is what the key signs, in hex; Purpose what it is for, its attributes
	// left out: Digest is theirs.
	Digest  string         `json:"digest,omitempty"`
	Purpose signer.Purpose `json:"purpose,omitzero"`
	Of      int64          `json:"of,omitempty"` // the asked line that this one answers
	Reason  string         `json:"reason,omitempty"`
	Prev    string         `json:"prev"`
	Hash    string         `json:"hash"`
}

// The events of a Line.
const (
	lineAsked   = "asked"
	lineSigned  = "signed"
	lineRefused = "refused"
	lineFailed  = "failed"
)

func (l Line) sum() (string, error) {
	l.Hash = ""
	b, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("encoding log line: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// ErrLog is returned for a log that was changed, or that cannot be continued.
var ErrLog = errors.New("key log is broken")

// maxLine bounds one line of a log, in bytes: a purpose and some more.
const maxLine = 16 << 10

// VerifyLog reads a log and returns how many lines it holds and the last hash. A
// half line at its end, which a crash leaves, is not counted: good is the length in
// bytes of what is whole.
func VerifyLog(r io.Reader) (last Line, good int64, err error) {
	return readLog(r, func(Line) {})
}

// readLog is VerifyLog that tells each line to see.
func readLog(r io.Reader, see func(Line)) (last Line, good int64, err error) {
	br := bufio.NewReaderSize(r, maxLine)
	for {
		raw, err := br.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return last, good, nil // nothing, or what a crash cut off
		}
		if err != nil {
			return last, good, fmt.Errorf("%w: behind line %d: %w", ErrLog, last.Seq, err)
		}
		var l Line
		if err := decode(raw, &l); err != nil {
			return last, good, fmt.Errorf("%w: behind line %d", ErrLog, last.Seq)
		}
		sum, err := l.sum()
		if err != nil {
			return last, good, err
		}
		if l.Seq != last.Seq+1 || l.Prev != last.Hash || l.Hash != sum {
			return last, good, fmt.Errorf("%w at line %d", ErrLog, last.Seq+1)
		}
		last, good = l, good+int64(len(raw))
		see(l)
	}
}

// auditLog is the open log. Its methods are safe for concurrent use.
type auditLog struct {
	mu   sync.Mutex
	file *os.File
	mark *logMark
	last Line
	now  func() time.Time
	dead error // after a write that failed nothing more is signed
}

// openLog opens the log at path, checks it from its first line and goes on behind
// the last whole one.
func openLog(path string, now func() time.Time) (*auditLog, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening key log: %w", err)
	}
	marked, err := markedLine(path)
	hash := ""
	var last Line
	var good int64
	if err == nil {
		last, good, err = readLog(f, func(l Line) {
			if l.Seq == marked {
				hash = l.Hash
			}
		})
	}
	var mark *logMark
	if err == nil {
		mark, err = openMark(path, last, func(int64) string { return hash })
	}
	if err == nil {
		err = f.Truncate(good)
	}
	if err == nil {
		_, err = f.Seek(good, io.SeekStart)
	}
	if err != nil {
		if mark != nil {
			_ = mark.close()
		}
		_ = f.Close()
		return nil, fmt.Errorf("key log %s: %w", path, err)
	}
	return &auditLog{file: f, mark: mark, last: last, now: now}, nil
}

// add writes l behind the last line and returns its number once it is on disk.
func (a *auditLog) add(l Line) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead != nil {
		return 0, a.dead
	}
	l.Purpose.Attributes = nil
	l.Seq, l.Prev, l.At = a.last.Seq+1, a.last.Hash, a.now().UTC().Truncate(time.Microsecond)
	sum, err := l.sum()
	if err != nil {
		return 0, err
	}
	l.Hash = sum
	b, err := json.Marshal(l)
	if err != nil {
		return 0, fmt.Errorf("encoding log line: %w", err)
	}
	if _, err := a.file.Write(append(b, '\n')); err != nil {
		a.dead = fmt.Errorf("writing key log: %w", err)
		return 0, a.dead
	}
	if err := a.file.Sync(); err != nil {
		a.dead = fmt.Errorf("syncing key log: %w", err)
		return 0, a.dead
	}
	if a.dead = a.mark.set(l); a.dead != nil {
		return 0, a.dead
	}
	a.last = l
	return l.Seq, nil
}

func (a *auditLog) close() error { return errors.Join(a.file.Close(), a.mark.close()) }
