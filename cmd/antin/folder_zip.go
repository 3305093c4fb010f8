package main

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path"

	"antin/exchange/edxml"
	"antin/internal/text"
)

const (
	// workDir is where an archive is opened and a message is made.
	workDir = ".lam"
	// maxZipFiles bounds the files of an archive: a header and its attachments.
	maxZipFiles = 1000
)

// unzip opens an archive into a folder of files. Only plain names are taken, and no more
// bytes than a message may have.
func (d *drop) unzip(root *os.Root, id, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", folderError(err)
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return "", folderError(err)
	}
	z, err := zip.NewReader(f, st.Size())
	if err != nil || len(z.File) > maxZipFiles {
		return "", text.Detailed(text.InvalidInput, err, "folder.zip")
	}
	dir := path.Join(takenDir, id, workDir, "giai-nen")
	if err := errors.Join(root.RemoveAll(path.Join(takenDir, id, workDir)), root.MkdirAll(dir, 0o700)); err != nil {
		return "", folderError(err)
	}
	left := d.limit
	for _, e := range z.File {
		// A path, a link or a name that a system reads otherwise is no name of an attachment.
		if e.Name != edxml.SafeName(e.Name) || !e.Mode().IsRegular() {
			return "", text.Detailed(text.InvalidInput, nil, "folder.zip")
		}
		n, err := unzipFile(root, dir+"/"+edxml.SafeName(e.Name), e, left)
		if err != nil {
			return "", err
		}
		left -= n
	}
	return dir, nil
}

func unzipFile(root *os.Root, name string, e *zip.File, limit int64) (int64, error) {
	r, err := e.Open()
	if err != nil {
		return 0, text.Detailed(text.InvalidInput, err, "folder.zip")
	}
	defer func() { _ = r.Close() }()
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return 0, text.Detailed(text.InvalidInput, err, "folder.zip") // one name twice
	}
	if err != nil {
		return 0, folderError(err)
	}
	n, err := io.Copy(w, io.LimitReader(r, limit+1))
	if cerr := w.Close(); cerr != nil {
		return n, folderError(cerr)
	}
	switch {
	case n > limit:
		return n, text.Errorf(text.TooLarge, nil)
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, io.ErrUnexpectedEOF):
		return n, text.Detailed(text.InvalidInput, err, "folder.zip")
	}
	return n, folderError(err)
}
