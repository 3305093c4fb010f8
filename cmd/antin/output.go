package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"antin/internal/text"
)

// outputPath is where the result for input goes: out itself, or a name in the
// folder out when out is a folder, ends in a separator, or serves several inputs.
func outputPath(out, input string, several bool) string {
	if several || strings.HasSuffix(out, "/") || strings.HasSuffix(out, string(os.PathSeparator)) || isDir(out) {
		return filepath.Join(out, filepath.Base(input))
	}
	return out
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}

// writeFile runs write on a temporary file beside path and gives it the name path
// only when it is complete and on the disk. An existing file is replaced only
// with force. Nothing is left behind on failure.
func writeFile(path string, force bool, write func(io.Writer) error) error {
	return outputs{}.writeFileMode(path, 0o644, force, write)
}

// writeFileMode is writeFile for a file with rights of its own.
func writeFileMode(path string, mode fs.FileMode, force bool, write func(io.Writer) error) error {
	return outputs{}.writeFileMode(path, mode, force, write)
}

// writeFile is writeFile on the disk of o.
func (o outputs) writeFile(path string, force bool, write func(io.Writer) error) error {
	return o.writeFileMode(path, 0o644, force, write)
}

func (o outputs) writeFileMode(path string, mode fs.FileMode, force bool, write func(io.Writer) error) error {
	tmp, err := o.stage(path, mode, force, diskFile.Sync, write)
	if err != nil {
		return err
	}
	if err := o.rename(tmp, path, force); err != nil {
		_ = o.on().Remove(tmp)
		return err
	}
	return o.syncDir(filepath.Dir(path))
}

func refuseExisting(path string, force bool) error {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return storageError(err)
	case st.IsDir() || !force:
		return text.Detailed(text.OutputExists, nil, "cli.path", path)
	}
	return nil
}

// syncDir makes a rename durable. Systems that cannot sync a folder say so with
// EINVAL, which loses nothing that they could have given.
func (o outputs) syncDir(dir string) error {
	d, err := o.on().Open(dir, os.O_RDONLY)
	if err != nil {
		return storageError(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return storageError(err)
	}
	return nil
}

// storageWriter marks the failures of the disk, so that they are not taken for
// failures of what is written.
type storageWriter struct{ f io.Writer }

func (w storageWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		return n, storageError(err)
	}
	return n, nil
}

func storageError(err error) error { return text.Errorf(text.StorageFull, err) }

// openInput opens the file the user named for reading, with its size.
func openInput(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, inputError(path, err)
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, inputError(path, err)
	}
	if !st.Mode().IsRegular() {
		_ = f.Close()
		return nil, 0, text.Detailed(text.FileUnreadable, nil, "cli.not_a_file", path)
	}
	return f, st.Size(), nil
}

func inputError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return text.Detailed(text.NotFound, err, "cli.path", path)
	}
	return text.Detailed(text.FileUnreadable, err, "cli.path", path)
}

// printJSON writes v as one line.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// jsonError is the contract's error object inside a JSON line.
type jsonError struct {
	Code    text.Code `json:"code"`
	Message string    `json:"message"`
	Fix     string    `json:"fix"`
}

func newJSONError(err error, lang text.Lang) *jsonError {
	te := text.As(err)
	return &jsonError{Code: te.Code, Message: te.Message().In(lang), Fix: te.Fix().In(lang)}
}

// indentJSON is v as JSON for people to read, with a line end.
func indentJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
