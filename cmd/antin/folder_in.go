package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// folderAgain is when work at a folder begins again after it ended in a panic.
	folderAgain = 5 * time.Second
	// slipName is the file that says what is known of a document laid into the folder.
	slipName = "phieu.json"
	// layingPrefix begins the name of a parcel that is being written; a dot hides it.
	layingPrefix = ".dang-ghi-"
	// trayMode lets the group of the folder read what is laid there, and nobody else.
	trayMode, trayFileMode = 0o750, 0o640
)

// tray is the folder that incoming documents are laid into. Nothing outside of it is
// reached, whatever a name says.
type tray struct{ dir string }

var _ exchange.Tray = tray{}

// Lay implements exchange.Tray: the parcel is written under another name, made durable
// and then renamed.
func (t tray) Lay(ctx context.Context, p exchange.Parcel, open func(context.Context, exchange.Digest) (exchange.BlobReader, error)) (err error) {
	root, err := os.OpenRoot(t.dir)
	if err != nil {
		return folderError(err)
	}
	defer func() { _ = root.Close() }()
	name := string(p.ID)
	if _, err := root.Lstat(name); err == nil {
		return nil // it lies there already
	} else if !errors.Is(err, fs.ErrNotExist) {
		return folderError(err)
	}
	laying := layingPrefix + name
	if err := root.RemoveAll(laying); err != nil { // of a process that died
		return folderError(err)
	}
	if err := root.Mkdir(laying, trayMode); err != nil {
		return folderError(err)
	}
	defer func() {
		if err != nil {
			_ = root.RemoveAll(laying)
		}
	}()
	for _, f := range p.Files {
		r, err := open(ctx, f.Blob.Digest)
		if err != nil {
			return err
		}
		err = layFile(root, path.Join(laying, f.Name), r)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	if err := layFile(root, path.Join(laying, slipName), bytes.NewReader(p.Slip)); err != nil {
		return err
	}
	if err := errors.Join(syncIn(root, laying), root.Rename(laying, name), syncIn(root, ".")); err != nil {
		return folderError(err)
	}
	return nil
}

// layFile writes one new file, durably.
func layFile(root *os.Root, name string, r io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, trayFileMode)
	if err != nil {
		return folderError(err)
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return folderError(err)
	}
	return nil
}

func syncIn(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// folderError says of a failure at a folder what an operator can do: storage-full, or
// file-unreadable.
func folderError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return text.Detailed(text.FileUnreadable, err, "folder.denied")
	}
	return storageError(err)
}
