package store

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// Summary says what a backup holds.
type Summary struct {
	CreatedAt time.Time `json:"created_at"`
	Schema    int64     `json:"schema"` // version of the database's schema
	Documents int       `json:"documents"`
	Results   int       `json:"results"`
	Incoming  int       `json:"incoming"`
	Events    int       `json:"events"`
	Blobs     int       `json:"blobs"` // files beside the database
	Bytes     int64     `json:"bytes"` // of the database and the files
}

// ErrBackup is in the chain of what Restore returns for a stream that is no whole
// backup: cut off, changed, or holding what no backup holds.
var ErrBackup = errors.New("not a whole backup")

func badBackup(format string, args ...any) error {
	return text.Detailed(text.InvalidInput, fmt.Errorf("%w: %s", ErrBackup, fmt.Sprintf(format, args...)), "flow.backup-broken")
}

// stagingDir holds what is being restored until all of it is verified.
const stagingDir = ".restoring"

// Restore reads a backup and makes dir, which must be empty or absent, a copy of
// the directory it was made of. Every byte is checked against its digest, and every
// blob that a row names must be there, before anything gets its name; a restore that
// fails leaves dir as it was. With dry it only checks, and writes the database alone
// to a temporary file. Errors: invalid-input with ErrBackup, database-newer,
// state-conflict when dir is not empty, storage-full.
func Restore(ctx context.Context, r io.Reader, dir string, dry bool) (Summary, error) {
	return RestoreTo(ctx, r, Options{Dir: dir}, dry)
}

// RestoreTo is Restore into the directory o.Dir, or into the empty PostgreSQL database
// o.Database with the blobs in the directory. A backup of either engine is restored into
// either. Errors: those of Restore, and database-unavailable.
func RestoreTo(ctx context.Context, r io.Reader, o Options, dry bool) (s Summary, err error) {
	dir := o.Dir
	staging, made, err := makeStaging(dir, dry)
	if err != nil {
		return Summary{}, err
	}
	defer func() {
		err = errors.Join(err, os.RemoveAll(staging))
		if err != nil && made {
			_ = os.Remove(dir) // ours, and empty again
		}
	}()
	in := &restore{ctx: ctx, tar: tar.NewReader(r), dir: staging, dry: dry, list: sha256.New(), seen: map[exchange.Digest]bool{}, o: o.withDefaults()}
	if err := in.read(); err != nil {
		return Summary{}, diskError(err)
	}
	s, err = in.check()
	if err != nil || dry {
		return s, err
	}
	if o.Database != "" {
		return s, diskError(restorePostgres(ctx, staging, o.withDefaults()))
	}
	if o.S3 != nil {
		if err := sendRestored(ctx, staging, o.withDefaults()); err != nil {
			return s, diskError(err)
		}
	}
	return s, diskError(putInPlace(staging, dir))
}

// makeStaging returns an empty directory to restore into. made is true when dir
// itself did not exist.
func makeStaging(dir string, dry bool) (staging string, made bool, err error) {
	if dry {
		staging, err = os.MkdirTemp("", "antin-restore-*")
		return staging, false, diskError(err)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		made, err = true, os.MkdirAll(dir, dirMode)
	}
	if err != nil {
		return "", false, diskError(fmt.Errorf("opening target: %w", err))
	}
	killed := slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == stagingDir })
	for _, e := range entries {
		// A restore that was killed leaves its staging directory, and perhaps the blobs in
		// place already; the database, which comes last, is then still missing.
		if e.Name() != stagingDir && (!killed || e.Name() != "blobs") {
			return "", false, text.Detailed(text.StateConflict, nil, "flow.restore-not-empty", dir)
		}
	}
	staging = filepath.Join(dir, stagingDir)
	if killed {
		if err := errors.Join(os.RemoveAll(filepath.Join(dir, "blobs")), os.RemoveAll(staging)); err != nil {
			return "", made, diskError(err)
		}
	}
	return staging, made, diskError(os.MkdirAll(filepath.Join(staging, "blobs"), dirMode))
}

// putInPlace gives what was restored its names; the database, without which nothing
// counts, comes last.
func putInPlace(staging, dir string) error {
	if err := errors.Join(syncDir(filepath.Join(staging, "blobs")), syncDir(staging)); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(staging, "blobs"), filepath.Join(dir, "blobs")); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(staging, databaseName), filepath.Join(dir, databaseName)); err != nil {
		return errors.Join(err, os.RemoveAll(filepath.Join(dir, "blobs")))
	}
	return syncDir(dir)
}

// restore is a stream being read.
type restore struct {
	ctx  context.Context //nolint:containedctx // lives for one Restore
	tar  *tar.Reader
	dir  string
	dry  bool
	list hash.Hash
	seen map[exchange.Digest]bool
	o    Options
	// vault checks encrypted blobs, which are copied as they are; nil when none is.
	vault *vault
	head  backupHead
	got   backupManifest
}

// read takes in every part in its order, and refuses whatever is no part.
func (in *restore) read() error {
	if err := in.json(nameHead, &in.head); err != nil {
		return err
	}
	known, err := schemaVersion()
	if err != nil {
		return err
	}
	if in.head.Format != backupFormat || in.head.Schema > known {
		return text.Detailed(text.DatabaseNewer, nil, "flow.database-newer", in.head.Schema, known)
	}
	h, err := in.next()
	if err != nil {
		return err
	}
	if h.Name != databaseName {
		return badBackup("%q stands where the database should", h.Name)
	}
	file := filepath.Join(in.dir, databaseName)
	if in.got.Database, err = in.file(file, in.copy); err != nil {
		return err
	}
	if in.vault, err = stagedVault(in.ctx, file, in.o); err != nil {
		return err
	}
	for {
		h, err := in.next()
		if err != nil {
			return err
		}
		if h.Name == nameManifest {
			return in.end(h)
		}
		if err := in.blob(h); err != nil {
			return err
		}
	}
}

// next returns the header of the next part, which is a plain file.
func (in *restore) next() (*tar.Header, error) {
	if err := in.ctx.Err(); err != nil {
		return nil, err
	}
	h, err := in.tar.Next()
	if err != nil {
		return nil, badBackup("%v", err)
	}
	if h.Typeflag != tar.TypeReg {
		return nil, badBackup("%q is no file", h.Name)
	}
	return h, nil
}

func (in *restore) json(name string, v any) error {
	h, err := in.next()
	if err != nil {
		return err
	}
	if h.Name != name {
		return badBackup("%q stands where %s should", h.Name, name)
	}
	return in.decode(h, v)
}

func (in *restore) decode(h *tar.Header, v any) error {
	if h.Size > maxBackupJSON {
		return badBackup("%s has %d bytes", h.Name, h.Size)
	}
	body, err := io.ReadAll(in.tar)
	if err != nil {
		return badBackup("%s: %v", h.Name, err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badBackup("%s: %v", h.Name, err)
	}
	return nil
}

// file writes the part at hand and returns what it was.
func (in *restore) file(path string, copied func(w io.Writer) (exchange.Blob, error)) (exchange.Blob, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, backupMode)
	if err != nil {
		return exchange.Blob{}, fmt.Errorf("restoring: %w", err)
	}
	blob, err := copied(f)
	return blob, errors.Join(err, f.Sync(), f.Close())
}

func (in *restore) copy(w io.Writer) (exchange.Blob, error) {
	h := sha256.New()
	src := &source{ctx: in.ctx, r: in.tar}
	n, err := io.CopyBuffer(io.MultiWriter(w, h), src, make([]byte, copyBuffer))
	if src.err != nil {
		return exchange.Blob{}, badBackup("%v", src.err)
	}
	if err != nil {
		return exchange.Blob{}, fmt.Errorf("restoring: %w", err)
	}
	return exchange.Blob{Digest: exchange.Digest(hex.EncodeToString(h.Sum(nil))), Size: n}, nil
}

// blob takes in one blob under the only name it can have.
func (in *restore) blob(h *tar.Header) (err error) {
	name, ok := strings.CutPrefix(h.Name, blobsPrefix)
	d, valid := exchange.ParseDigest(name)
	if !ok || !valid || in.seen[d] {
		return badBackup("%q belongs to no backup, or came twice", h.Name)
	}
	var got exchange.Blob
	part := func(w io.Writer) (exchange.Blob, error) { return in.sealedPart(w, d, h.Size) }
	if in.dry {
		got, err = part(io.Discard)
	} else {
		dir := filepath.Join(in.dir, "blobs", string(d[:2]))
		if err := os.MkdirAll(dir, dirMode); err != nil {
			return err
		}
		got, err = in.file(filepath.Join(dir, string(d)), part)
	}
	if err != nil {
		return err
	}
	if got.Digest != d {
		return badBackup("the bytes of %s are others", d)
	}
	in.seen[d] = true
	in.got.Blobs++
	in.got.Bytes += got.Size
	_, _ = fmt.Fprintf(in.list, "%s %d\n", d, got.Size)
	return nil
}

// end compares what came with what should have.
func (in *restore) end(h *tar.Header) error {
	var want backupManifest
	if err := in.decode(h, &want); err != nil {
		return err
	}
	in.got.List = hex.EncodeToString(in.list.Sum(nil))
	if in.got != want {
		return badBackup("its parts are not those that its manifest names")
	}
	if _, err := in.tar.Next(); !errors.Is(err, io.EOF) {
		return badBackup("something follows the manifest")
	}
	return nil
}

// check opens the restored database: it must be whole, of a version we know, and
// every blob that it names must have come.
func (in *restore) check() (s Summary, err error) {
	file := filepath.Join(in.dir, databaseName)
	if err := checkVersion(in.ctx, file); err != nil {
		return Summary{}, err
	}
	s = Summary{CreatedAt: in.head.CreatedAt, Schema: in.head.Schema, Blobs: in.got.Blobs, Bytes: in.got.Bytes + in.got.Database.Size}
	err = eachFileBlob(in.ctx, file, func(d exchange.Digest) error {
		if !in.seen[d] {
			return badBackup("blob %s is missing", d)
		}
		return nil
	})
	if err != nil {
		return Summary{}, err
	}
	db, err := sql.Open("sqlite", dsn(file, "deferred", "query_only(ON)"))
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var whole string
	if err := db.QueryRowContext(in.ctx, `PRAGMA integrity_check(1)`).Scan(&whole); err != nil || whole != "ok" {
		return Summary{}, badBackup("database: %s %v", whole, err)
	}
	err = db.QueryRowContext(in.ctx, `SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM result),
		(SELECT count(*) FROM inbox WHERE kind = 'document'), (SELECT count(*) FROM event)`).Scan(&s.Documents, &s.Results, &s.Incoming, &s.Events)
	return s, err
}

// checkRestored refuses a directory that a restore was killed in before its database
// had its name: opened, it would begin anew from nothing. Of one that was killed just
// behind that, only what is left over goes.
func checkRestored(dir string) error {
	staging := filepath.Join(dir, stagingDir)
	if _, err := os.Stat(staging); err != nil {
		return nil //nolint:nilerr // there is none, or the directory's own check tells
	}
	if _, err := os.Stat(filepath.Join(dir, databaseName)); err != nil {
		return text.Detailed(text.StateConflict, err, "flow.restore-unfinished", dir)
	}
	return os.RemoveAll(staging)
}
