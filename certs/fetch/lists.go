package fetch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"antin/certs"
)

const (
	// maxListFiles bounds the files of CRLDir that are read; a country has some
	// dozens of CAs.
	maxListFiles = 500
	// maxListBytes bounds their memory.
	maxListBytes = 256 << 20
)

// lists are the CRLs of a folder. They are read again when their file changed.
type lists struct {
	dir   string
	mu    sync.Mutex
	files map[string]listFile // by name
}

// listFile is one file; a crl of nil says that it cannot be read as one.
type listFile struct {
	size    int64
	changed time.Time
	crl     *certs.CRL
	der     []byte
}

// openLists looks at the folder; without one there are no lists.
func openLists(dir string) (*lists, error) {
	if dir == "" {
		return nil, nil
	}
	l := &lists{dir: dir, files: map[string]listFile{}}
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("reading the folder of CRLs: %w", err)
	}
	return l, nil
}

// about returns the lists that may speak about cert. They are unverified.
func (l *lists) about(cert *certs.Certificate) []certs.Evidence {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look()
	var found []certs.Evidence
	for name, f := range l.files {
		if f.crl != nil && f.crl.About(cert) {
			found = append(found, certs.Evidence{Kind: certs.EvidenceCRL, DER: f.der, Origin: certs.OriginCache, URL: (filepath.Join(l.dir, name))})
		}
	}
	return found
}

// look notices what came, went or changed. A folder that cannot be read just now
// leaves what was known.
func (l *lists) look() {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return
	}
	now := map[string]listFile{}
	total := int64(0)
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || !isList(entry.Name()) || info.Size() > certs.MaxCRLSize*4/3 {
			continue
		}
		if total += info.Size(); len(now) >= maxListFiles || total > maxListBytes {
			break
		}
		f, known := l.files[entry.Name()]
		if !known || f.size != info.Size() || !f.changed.Equal(info.ModTime()) {
			f = readList(filepath.Join(l.dir, entry.Name()))
			f.size, f.changed = info.Size(), info.ModTime()
		}
		now[entry.Name()] = f
	}
	l.files = now
}

func isList(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".crl", ".der", ".pem":
		return true
	}
	return false
}

// readList reads one file; what is no CRL is remembered as such.
func readList(path string) (f listFile) {
	data, err := os.ReadFile(path)
	if err != nil {
		return f
	}
	der := unwrapPEM(data)
	if crl, err := certs.ParseCRL(der); err == nil {
		f.crl, f.der = crl, der
	}
	return f
}
