package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"antin/internal/text"
)

const (
	// batchFiles is how many finished files wait at most for one sync: enough that
	// the sync costs each little, few enough that a crash costs little work.
	batchFiles = 128
	// batchWait is how long a finished file waits at most for others, so that who
	// looks on sees results come.
	batchWait = time.Second
	// fewFiles is up to how many files are synced one by one: a sync of the whole
	// file system also waits for what other programs wrote.
	fewFiles = 4
)

// batch writes many files into one folder and gives them their names together, once
// all of them are on the disk. What has no name yet when the process dies was never
// there. write is safe for concurrent use.
type batch struct {
	dir   string
	force bool
	out   outputs

	mu     sync.Mutex
	folder diskFile        // dir, opened before anything is written: see syncTree
	temps  map[string]bool // written, without a name yet
}

// write runs write on a temporary file beside path and returns its name.
func (b *batch) write(path string, write func(io.Writer) error) (tmp string, err error) {
	if err := b.open(); err != nil {
		return "", storageError(err)
	}
	tmp, err = b.out.stage(path, 0o644, b.force, nil, write)
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.temps[tmp] = true
	return tmp, nil
}

// open makes the folder and opens it, once.
func (b *batch) open() (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.folder != nil {
		return nil
	}
	if err := b.out.on().MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	b.temps = map[string]bool{}
	folder, err := b.out.on().Open(b.dir, os.O_RDONLY)
	if err == nil {
		b.folder = folder
	}
	return err
}

// named is a temporary file and the name it is to have.
type named struct{ tmp, path string }

// commit puts files on the disk and gives them their names. It returns an error for
// each, nil for those that are there for good.
func (b *batch) commit(files []named) []error {
	errs := make([]error, len(files))
	if len(files) == 0 {
		return errs
	}
	together := false
	if len(files) > fewFiles {
		var err error
		if together, err = b.out.on().SyncTree(b.folder); err != nil {
			for i := range errs {
				errs[i] = storageError(err)
			}
			return errs
		}
	}
	for i, f := range files {
		if !together {
			errs[i] = b.out.syncFile(f.tmp)
		}
		if errs[i] == nil {
			errs[i] = b.out.rename(f.tmp, f.path, b.force)
		}
		if errs[i] == nil {
			b.forget(f.tmp)
		}
	}
	if err := b.out.syncDir(b.dir); err != nil {
		for i := range errs {
			errs[i] = errors.Join(errs[i], err)
		}
	}
	return errs
}

func (b *batch) forget(tmp string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.temps, tmp)
}

// discard removes what got no name. Nothing may be written meanwhile.
func (b *batch) discard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for tmp := range b.temps {
		_ = b.out.on().Remove(tmp)
	}
	b.temps = nil
	if b.folder != nil {
		_ = b.folder.Close()
	}
}

// syncFile puts a file on the disk.
func (o outputs) syncFile(path string) error {
	f, err := o.on().Open(path, os.O_WRONLY)
	if err != nil {
		return storageError(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return storageError(err)
	}
	return nil
}

// stage runs write on a temporary file beside path and returns its name: complete,
// but not yet at the name path. finish, where set, is called before the file is
// closed. Nothing is left behind on failure.
func (o outputs) stage(path string, mode fs.FileMode, force bool, finish func(diskFile) error, write func(io.Writer) error) (name string, err error) {
	if err := refuseExisting(path, force); err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	if err := o.on().MkdirAll(dir, 0o755); err != nil {
		return "", storageError(err)
	}
	tmp, err := o.on().CreateTemp(dir, ".antin-*")
	if err != nil {
		return "", storageError(err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = o.on().Remove(tmp.Name())
		}
	}()
	if err = write(storageWriter{tmp}); err != nil {
		return "", err
	}
	err = tmp.Chmod(mode)
	if err == nil && finish != nil {
		err = finish(tmp)
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return "", storageError(err)
	}
	return tmp.Name(), nil
}

// rename gives a temporary file its name; without force a file that appeared there
// meanwhile wins.
func (o outputs) rename(tmp, path string, force bool) error {
	if !force {
		err := o.on().Link(tmp, path)
		if err == nil {
			_ = o.on().Remove(tmp)
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			return text.Errorf(text.OutputExists, err)
		}
		// A file system without hard links: the check before has to do.
	}
	if err := o.on().Rename(tmp, path); err != nil {
		return storageError(err)
	}
	return nil
}
