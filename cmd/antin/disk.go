package main

import (
	"io"
	"io/fs"
	"os"
)

// disk is the file system that outputs are written to. Its operations are those after
// each of which a crash or a failure must leave the outputs' names as they were.
type disk interface {
	MkdirAll(path string, mode fs.FileMode) error
	CreateTemp(dir, pattern string) (diskFile, error)
	// Open opens a file for writing or, with os.O_RDONLY, a folder for syncing.
	Open(path string, flag int) (diskFile, error)
	// SyncTree syncs the whole file system that an open folder lies in; see syncTree.
	SyncTree(folder diskFile) (supported bool, err error)
	Link(from, to string) error
	Rename(from, to string) error
	Remove(path string) error
}

// diskFile is an open file of a disk.
type diskFile interface {
	io.WriteCloser
	Name() string
	Chmod(mode fs.FileMode) error
	Sync() error
}

// osDisk is the computer's own.
type osDisk struct{}

// MkdirAll implements disk.
func (osDisk) MkdirAll(path string, mode fs.FileMode) error { return os.MkdirAll(path, mode) }

// CreateTemp implements disk.
func (osDisk) CreateTemp(dir, pattern string) (diskFile, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err // not a file of no type
	}
	return f, nil
}

// Open implements disk.
func (osDisk) Open(path string, flag int) (diskFile, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// SyncTree implements disk.
func (osDisk) SyncTree(folder diskFile) (supported bool, err error) {
	f, ok := folder.(*os.File)
	if !ok {
		return false, nil
	}
	return syncTree(f)
}

// Link implements disk.
func (osDisk) Link(from, to string) error { return os.Link(from, to) }

// Rename implements disk.
func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements disk.
func (osDisk) Remove(path string) error { return os.Remove(path) }

// outputs writes files that are complete under their names or not there. The zero
// value writes to the computer's own disk.
type outputs struct{ disk }

func (o outputs) on() disk {
	if o.disk == nil {
		return osDisk{}
	}
	return o.disk
}
