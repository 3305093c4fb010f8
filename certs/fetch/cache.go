package fetch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// maxCacheBytes bounds the memory of the cache: a few national CRLs and
	// thousands of OCSP answers.
	maxCacheBytes = 128 << 20
	// maxCacheFiles bounds the folder; beyond it files that ended are removed first.
	maxCacheFiles = 10_000
	// maxCacheDisk bounds its bytes in the same way.
	maxCacheDisk = 1 << 30
	cacheSuffix  = ".fetched"
)

// cache keeps answers until their time. What it returns is unverified, since
// others may write its folder; callers judge it again.
type cache struct {
	now func() time.Time
	dir string

	mu      sync.Mutex
	entries map[string]cached
	bytes   int
	files   int
	disk    int64 // bytes in the folder, as far as they were counted
}

type cached struct {
	data  []byte
	until time.Time
}

func newCache(dir string, now func() time.Time) (*cache, error) {
	c := &cache{now: now, dir: dir, entries: map[string]cached{}}
	if dir == "" {
		return c, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the cache folder: %w", err)
	}
	c.sweep()
	return c, nil
}

func (c *cache) get(key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok && c.dir != "" {
		if e, ok = readEntry(c.path(key)); ok {
			c.remember(key, e)
		}
	}
	if !ok || !c.now().Before(e.until) {
		return nil, false
	}
	return e.data, true
}

func (c *cache) put(key string, data []byte, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := cached{data: data, until: until}
	c.remember(key, e)
	if c.dir == "" {
		return
	}
	c.files, c.disk = c.files+1, c.disk+int64(len(data))
	if c.files > maxCacheFiles || c.disk > maxCacheDisk {
		c.sweep()
	}
	writeEntry(c.path(key), e)
}

// remember makes room by dropping what ends soonest.
func (c *cache) remember(key string, e cached) {
	if len(e.data) > maxCacheBytes {
		return
	}
	c.bytes += len(e.data) - len(c.entries[key].data)
	c.entries[key] = e
	for c.bytes > maxCacheBytes {
		var first string
		for k, x := range c.entries {
			if k != key && (first == "" || x.until.Before(c.entries[first].until)) {
				first = k
			}
		}
		c.bytes -= len(c.entries[first].data)
		delete(c.entries, first)
	}
}

func (c *cache) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:])+cacheSuffix)
}

// A cache file is the end of its time in Unix seconds (8 bytes), then the answer.

func readEntry(path string) (cached, bool) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) < 8 || len(data) > maxCRLAnswer+8 {
		return cached{}, false
	}
	return cached{data: data[8:], until: endOf(data)}, true
}

func endOf(data []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(data)), 0)
}

// writeEntry replaces a file as a whole. A cache that cannot write is a slower
// one, not an error.
func writeEntry(path string, e cached) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return
	}
	header := binary.BigEndian.AppendUint64(nil, uint64(e.until.Unix()))
	_, errHeader := f.Write(header)
	_, errData := f.Write(e.data)
	errClose := f.Close()
	if errHeader != nil || errData != nil || errClose != nil || os.Rename(f.Name(), path) != nil {
		_ = os.Remove(f.Name()) // nothing depends on it
	}
}

// sweep removes files that ended, and all of them when that leaves too much.
func (c *cache) sweep() {
	names, err := filepath.Glob(filepath.Join(c.dir, "*"+cacheSuffix))
	if err != nil {
		return
	}
	var left []string
	c.disk = 0
	for _, name := range names {
		if st, err := os.Stat(name); err == nil && c.alive(name) {
			left = append(left, name)
			c.disk += st.Size()
			continue
		}
		_ = os.Remove(name) // a file that stays is judged again when read
	}
	if c.files = len(left); c.files <= maxCacheFiles && c.disk <= maxCacheDisk {
		return
	}
	for _, name := range left {
		_ = os.Remove(name) // likewise
	}
	c.files, c.disk = 0, 0
}

func (c *cache) alive(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // read only
	header := make([]byte, 8)
	if n, _ := f.Read(header); n < 8 {
		return false
	}
	return c.now().Before(endOf(header))
}
