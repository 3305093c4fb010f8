package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"antin/internal/failpoint"
)

// A segment is a file that documents of usual size are appended to, one behind the
// other; a row says where each lies. Bytes are synced before the row that names them is
// committed. A segment that a process has left is never appended to again: what stands
// at its end nobody knows.
const (
	segmentDir    = "segments"
	segmentSuffix = ".seg"
	segmentMode   = 0o600
	// segmentMost bounds a segment in bytes, and with it what the sweeper moves at once.
	segmentMost = 64 << 20
	// segmentAge bounds how long a process appends to one, far below the age from which
	// another process takes it for abandoned.
	segmentAge = time.Hour
)

// segmentPlace is where the bytes of a blob lie.
type segmentPlace struct {
	segment, at, size int64
	in                *segment // that this process wrote them to; nil for one found in a row
}

// segments are those of one data directory, of which this process appends to one. open
// makes it ready.
type segments struct {
	dir    string
	create func(name string) (blobFile, error)

	mu    sync.Mutex
	cur   *segment
	began time.Time // of cur
	last  int64     // the greatest number known
	read  segmentReaders
}

// segment is one that this process appends to, or did.
type segment struct {
	number int64
	f      blobFile

	mu      sync.Mutex
	woken   sync.Cond
	end     int64 // bytes written
	synced  int64 // of them durable
	syncing bool
	broken  error // a sync failed: what was not durable then never will be
}

func createSegment(name string) (blobFile, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, segmentMode)
}

// open makes the directory and finds the newest segment in it. known is the greatest
// number that a row names.
func (s *segments) open(dir string, known int64) error {
	s.dir, s.last = dir, known
	if s.create == nil {
		s.create = createSegment
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("making segment directory: %w", err)
	}
	numbers, err := segmentNumbers(dir)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		s.last = max(s.last, n)
	}
	return syncDir(filepath.Dir(dir))
}

// segmentNumbers lists the segments in dir.
func segmentNumbers(dir string) (out []int64, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		if n, bad := strconv.ParseInt(name, 16, 64); ok && bad == nil {
			out = append(out, n)
		}
	}
	return out, err
}

func segmentName(dir string, n int64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x%s", n, segmentSuffix))
}

// append writes b behind what is there and says where. The bytes are not durable yet.
func (s *segments) append(b []byte) (segmentPlace, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur != nil && (s.cur.length()+int64(len(b)) > segmentMost || time.Since(s.began) > segmentAge) {
		s.leave()
	}
	if s.cur == nil {
		if err := s.begin(); err != nil {
			return segmentPlace{}, fmt.Errorf("beginning segment: %w", err)
		}
	}
	g := s.cur
	if _, err := g.f.Write(b); err != nil {
		s.leave() // part of b may stand there now
		return segmentPlace{}, fmt.Errorf("appending to segment: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := segmentPlace{segment: g.number, at: g.end, size: int64(len(b)), in: g}
	g.end += p.size
	return p, g.broken
}

// begin makes a new segment whose name is durable. The caller holds s.mu.
func (s *segments) begin() error {
	for {
		// The clock keeps apart the numbers of processes that share the directory, and
		// those of segments that are gone; O_EXCL does where it does not.
		s.last = max(s.last+1, time.Now().UnixMicro())
		f, err := s.create(segmentName(s.dir, s.last))
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := syncDir(s.dir); err != nil {
			return errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
		g := &segment{number: s.last, f: f}
		g.woken.L = &g.mu
		s.cur, s.began = g, time.Now()
		return nil
	}
}

// leave ends the appending to the segment at hand, with all that it holds durable
// unless the disk refuses. The caller holds s.mu.
func (s *segments) leave() {
	g := s.cur
	if s.cur = nil; g == nil {
		return
	}
	end := g.length()
	_ = g.sync(end) // whoever waits for its bytes is told by its own sync
	_ = g.f.Close()
	if end == 0 {
		_ = os.Remove(g.f.Name()) // no row can name it
	}
}

func (g *segment) length() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.end
}

// sync returns when the bytes up to end are durable. Those who wait while one syncs
// share the next. After a sync that failed none is tried again: the system may have
// forgotten what it could not write.
func (g *segment) sync(end int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.synced < end {
		switch {
		case g.broken != nil:
			return g.broken
		case g.syncing:
			g.woken.Wait()
			continue
		}
		g.syncing = true
		to := g.end
		g.mu.Unlock()
		err := failpoint.Hit(failpoint.BlobBeforeName)
		if err == nil {
			err = g.f.Sync()
		}
		g.mu.Lock()
		if g.syncing = false; err != nil {
			g.broken = fmt.Errorf("syncing segment: %w", err)
		} else {
			g.synced = to
		}
		g.woken.Broadcast()
	}
	return nil
}

// durable returns when the bytes at p are. One that fails is left, so that what comes
// next goes elsewhere.
func (s *segments) durable(p segmentPlace) error {
	if err := p.in.sync(p.at + p.size); err != nil {
		s.mu.Lock()
		if s.cur == p.in {
			s.leave()
		}
		s.mu.Unlock()
		return err
	}
	return failpoint.Hit(failpoint.BlobAfterName)
}

// failure is why bytes of g that are not durable never will be, nil while they may.
func (g *segment) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken
}

// current is the segment that this process appends to, 0 for none.
func (s *segments) current() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur == nil {
		return 0
	}
	return s.cur.number
}

func (s *segments) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave()
	return s.read.close()
}

// segmentFiles bounds the segments that are kept open to be read.
const segmentFiles = 16

// segmentReaders are open segments. The zero value is ready.
type segmentReaders struct {
	mu    sync.Mutex
	files map[int64]*segmentFile
	order []int64 // the one used last at the end
}

// segmentFile is an open segment with those who read it.
type segmentFile struct {
	f    *os.File
	uses int
	gone bool // closed with its last use
}

// take returns the open segment n; os.ErrNotExist.
func (r *segmentReaders) take(dir string, n int64) (*segmentFile, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x, ok := r.files[n]
	if !ok {
		f, err := os.Open(segmentName(dir, n))
		if err != nil {
			return nil, err
		}
		if r.files == nil {
			r.files = map[int64]*segmentFile{}
		}
		x = &segmentFile{f: f}
		r.files[n], r.order = x, append(r.order, n)
		if len(r.order) > segmentFiles {
			r.drop(r.order[0])
		}
	}
	x.uses++
	return x, nil
}

// drop closes n when nobody reads it any more. The caller holds r.mu.
func (r *segmentReaders) drop(n int64) {
	x, ok := r.files[n]
	if !ok {
		return
	}
	delete(r.files, n)
	for i, o := range r.order {
		if o == n {
			r.order = append(r.order[:i], r.order[i+1:]...)
			break
		}
	}
	if x.gone = true; x.uses == 0 {
		_ = x.f.Close()
	}
}

func (r *segmentReaders) give(x *segmentFile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.uses--; x.uses == 0 && x.gone {
		_ = x.f.Close()
	}
}

func (r *segmentReaders) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := range r.files {
		r.drop(n)
	}
	return nil
}

// segmentReader implements exchange.BlobReader.
type segmentReader struct {
	*io.SectionReader
	once sync.Once
	done func()
}

// Close implements io.Closer.
func (r *segmentReader) Close() error {
	r.once.Do(r.done)
	return nil
}

// reader returns the bytes at p; os.ErrNotExist when the segment is gone.
func (s *segments) reader(dir string, p segmentPlace) (*segmentReader, error) {
	x, err := s.read.take(dir, p.segment)
	if err != nil {
		return nil, err
	}
	return &segmentReader{SectionReader: io.NewSectionReader(x.f, p.at, p.size), done: func() { s.read.give(x) }}, nil
}
