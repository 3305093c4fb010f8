package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"

	"antin/exchange"
)

// storedReader gives bytes as they are kept, at any offset, from a stream that is read
// once: what a backup copies is checked on its way.
type storedReader struct {
	io.Reader
	size int64
	head []byte // the first bytes, which were read ahead
}

// Size implements exchange.BlobReader.
func (s *storedReader) Size() int64 { return s.size }

// ReadAt serves the head alone.
func (s *storedReader) ReadAt(p []byte, at int64) (int, error) {
	if at != 0 || len(p) > len(s.head) {
		return 0, errors.New("only the head can be read twice")
	}
	return copy(p, s.head), nil
}

// Close implements io.Closer.
func (*storedReader) Close() error { return nil }

// digestOf reads size bytes of a blob as they are kept and returns the digest of its
// plain bytes. d is for errors.
func (v *vault) digestOf(ctx context.Context, d exchange.Digest, r io.Reader, size int64) (exchange.Digest, error) {
	s := &storedReader{size: size}
	if size >= int64(headSize+tagSize) {
		s.head = make([]byte, headSize)
		if _, err := io.ReadFull(r, s.head); err != nil {
			return "", err
		}
	}
	s.Reader = io.MultiReader(bytes.NewReader(s.head), r)
	plain, err := v.reader(ctx, d, s)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(h, &source{ctx: ctx, r: plain}, make([]byte, copyBuffer)); err != nil {
		return "", err
	}
	return exchange.Digest(hex.EncodeToString(h.Sum(nil))), nil
}

// stagedVault reads the keys of a restored database file, which may be of a version
// that had none.
func stagedVault(ctx context.Context, file string, o Options) (v *vault, err error) {
	lite, err := sql.Open("sqlite", dsn(file, "deferred", "query_only(ON)"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lite.Close()) }()
	var some int
	if err := lite.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'mark'`).Scan(&some); err != nil {
		return nil, badBackup("database: %v", err)
	}
	if some == 0 {
		return nil, nil //nolint:nilnil // nothing is encrypted
	}
	if v, err = openVault(ctx, &DB{opts: o}, lite); err != nil {
		return nil, err
	}
	return v.kept(), nil
}

// kept is v when there are keys, else nil: what comes unencrypted is copied as it is.
func (v *vault) kept() *vault {
	if v == nil || len(v.keys.Keys) == 0 {
		return nil
	}
	return v
}

// shareVault makes both ends of a migration use the source's keys, whose rows come
// along: so the target must have been given the same key-encryption key.
func (x migration) shareVault() error {
	from := x.from.vault.kept()
	switch {
	case from == nil:
		x.to.vault = nil
		return nil
	case x.to.vault == nil:
		return blobKeyError("vault.missing", nil)
	case !bytes.Equal(x.to.vault.kek, from.kek):
		return blobKeyError("vault.wrong", nil)
	}
	x.to.vault = &vault{db: x.to, kek: from.kek, keys: from.keys, open: from.open}
	return nil
}

// sealedPart checks a part of a backup on its way to w.
func (in *restore) sealedPart(w io.Writer, d exchange.Digest, size int64) (exchange.Blob, error) {
	if in.vault == nil {
		return in.copy(w)
	}
	src := &source{ctx: in.ctx, r: in.tar}
	got, err := in.vault.digestOf(in.ctx, d, io.TeeReader(src, w), size)
	if errors.Is(err, ErrDamaged) || src.err != nil {
		return exchange.Blob{}, badBackup("%v", errors.Join(err, src.err))
	}
	return exchange.Blob{Digest: got, Size: size}, err
}

// storedFile is a file of a restored directory.
type storedFile struct {
	fs.File
	size int64
}

// Size implements exchange.BlobReader.
func (f *storedFile) Size() int64 { return f.size }

// ReadAt implements io.ReaderAt.
func (f *storedFile) ReadAt(p []byte, at int64) (int, error) {
	r, ok := f.File.(io.ReaderAt)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return r.ReadAt(p, at)
}

// came opens a blob that an earlier try brought over.
func (x migration) came(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	r, err := x.to.depot.open(ctx, d)
	if err != nil {
		return nil, err
	}
	return x.to.vault.reader(ctx, d, r)
}

// storedBody is the digest and size of a file that holds n plain bytes encrypted.
func storedBody(ctx context.Context, f io.ReaderAt, n int64) (exchange.Blob, error) {
	body, cut, err := hashed(ctx, io.Discard, io.NewSectionReader(f, 0, sealedSize(n)))
	return body, errors.Join(cut, err)
}
