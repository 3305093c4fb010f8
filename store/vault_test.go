package store_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
	"antin/store/storetest"
)

func blobKey(b byte) []byte { return bytes.Repeat([]byte{b}, store.BlobKeySize) }

func openSealed(t *testing.T, dir string, key []byte) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, BlobKey: key})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSQLiteWithEncryptedBlobs(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Driver{
		Open: func(t *testing.T) storetest.Engine {
			dir := t.TempDir()
			return engine{openSealed(t, dir, blobKey(1)), dir}
		},
		Damage: func(t *testing.T, e storetest.Engine, d exchange.Digest) { damage(t, e.(engine).dir, d) },
	})
}

func TestPostgreSQLWithEncryptedBlobs(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t) // says why it is skipped
	url := storetest.PostgresTables(t)
	dir := t.TempDir()
	db := openPostgres(t, url, func(o *store.Options) { o.Dir, o.BlobKey = dir, blobKey(1) })
	for _, content := range sealedSizes() {
		b, err := db.Put(t.Context(), bytes.NewReader(content))
		must(t, err)
		readBack(t, db, b, content)
	}
}

func TestS3WithEncryptedBlobs(t *testing.T) {
	t.Parallel()
	o := bucket(t)
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, S3: &o, BlobKey: blobKey(1)})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	for _, content := range append(sealedSizes(), noise(20<<20)) { // the last goes in parts
		b, err := db.Put(t.Context(), bytes.NewReader(content))
		must(t, err)
		again, err := db.Put(t.Context(), bytes.NewReader(content))
		must(t, err)
		if again != b {
			t.Errorf("the same bytes are %v and %v", b, again)
		}
		readBack(t, db, b, content)
	}
}

// noise is n bytes that nothing compresses and no chunk repeats.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = r.Read(b)
	return b
}

// sealedSizes are contents of lengths around everything that a length decides.
func sealedSizes() (out [][]byte) {
	for _, n := range []int{0, 1, 100, 8 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 128<<10 + 1, 200_000, 256 << 10} {
		out = append(out, noise(n))
	}
	return out
}

// readBack reads a blob from the start, at offsets and by its digest.
func readBack(t *testing.T, db *store.DB, b exchange.Blob, want []byte) {
	t.Helper()
	if b.Digest != exchange.DigestOf(want) || b.Size != int64(len(want)) {
		t.Errorf("%d bytes are called %v", len(want), b)
	}
	must(t, db.Verify(t.Context(), b.Digest))
	r, err := db.Open(t.Context(), b.Digest)
	must(t, err)
	defer func() { must(t, r.Close()) }()
	if r.Size() != b.Size {
		t.Errorf("size %d of %d", r.Size(), b.Size)
	}
	head := make([]byte, min(10, len(want)))
	if _, err := io.ReadFull(r, head); err != nil || !bytes.Equal(head, want[:len(head)]) {
		t.Fatalf("the head of %d bytes: %v", len(want), err)
	}
	// Reads at offsets come between those of the stream and disturb nothing.
	for _, at := range []int{0, len(want) / 2, 64<<10 - 3, 64 << 10, len(want) - 1} {
		if at < 0 || at >= len(want) {
			continue
		}
		part := make([]byte, min(100_000, len(want)-at))
		if n, err := r.ReadAt(part, int64(at)); n != len(part) || err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(part, want[at:at+n]) {
			t.Errorf("%d bytes at %d of %d: %d, %v", len(part), at, len(want), n, err)
		}
	}
	if n, err := r.ReadAt(make([]byte, 1), b.Size); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(rest, want[len(head):]) {
		t.Errorf("the rest of %d bytes: %v", len(want), err)
	}
}

func TestEncryptedBlobsAreReadBackAndNothingPlainIsOnTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openSealed(t, dir, blobKey(1))
	secret := []byte("mật: nội dung công văn không ai được đọc ở đây")
	for _, content := range append(sealedSizes(), secret, append(noise(300_000), secret...)) {
		b, err := db.Put(t.Context(), bytes.NewReader(content))
		must(t, err)
		readBack(t, db, b, content)
	}
	must(t, db.Close())
	files := 0
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if bytes.Contains(data, secret) {
			t.Errorf("%s holds plain bytes", path)
		}
		return err
	}))
	if files < 3 {
		t.Errorf("only %d files were looked at", files)
	}
	db = openSealed(t, dir, blobKey(1))
	b := exchange.Blob{Digest: exchange.DigestOf(secret), Size: int64(len(secret))}
	readBack(t, db, b, secret)
}

func TestALostOrOtherKeyIsToldAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openSealed(t, dir, blobKey(1))
	_, err := db.Put(t.Context(), bytes.NewReader([]byte("x")))
	must(t, err)
	must(t, db.Close())
	for name, key := range map[string][]byte{"no key": nil, "another": blobKey(2), "half of one": blobKey(1)[:16]} {
		o := store.Options{Dir: dir, BlobKey: key}
		if db, err := store.Open(t.Context(), o); !errors.Is(err, store.ErrBlobKey) || text.CodeOf(err) != text.ConfigInvalid {
			t.Errorf("%s: %v", name, err)
			_ = db.Close()
		}
		if _, err := store.OpenReader(t.Context(), o); !errors.Is(err, store.ErrBlobKey) {
			t.Errorf("%s, to read: %v", name, err)
		}
	}
	openSealed(t, dir, blobKey(1))
}

func TestATamperedChunkGivesNoByteOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openSealed(t, dir, blobKey(1))
	content := noise(200_000)
	b, err := db.Put(t.Context(), bytes.NewReader(content))
	must(t, err)
	file := filepath.Join(dir, "blobs", string(b.Digest[:2]), string(b.Digest))
	whole, err := os.ReadFile(file)
	must(t, err)
	const head, box = 48, 64<<10 + 16
	for name, data := range map[string][]byte{
		"a byte of the first chunk":    flipped(whole, head+5),
		"a byte of a tag":              flipped(whole, head+box-1),
		"the salt":                     flipped(whole, head-1),
		"the last chunk cut off":       whole[:head+3*box],
		"a byte cut off":               whole[:len(whole)-1],
		"the second chunk left out":    append(bytes.Clone(whole[:head+box]), whole[head+2*box:]...),
		"two chunks exchanged":         append(append(append(bytes.Clone(whole[:head]), whole[head+box:head+2*box]...), whole[head:head+box]...), whole[head+2*box:]...),
		"only a head and half a chunk": whole[:head+1000],
	} {
		must(t, os.WriteFile(file, data, 0o600))
		if err := db.Verify(t.Context(), b.Digest); !errors.Is(err, store.ErrDamaged) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		r, err := db.Open(t.Context(), b.Digest)
		if err != nil {
			continue
		}
		got, err := io.ReadAll(r)
		if err == nil || !bytes.HasPrefix(content, got) {
			t.Errorf("%s: %d bytes were read, %v", name, len(got), err)
		}
		must(t, r.Close())
	}
}

func flipped(b []byte, at int) []byte {
	c := bytes.Clone(b)
	c[at] ^= 1
	return c
}

func TestTheKeyChangesOverWithoutTouchingABlob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openSealed(t, dir, blobKey(1))
	content := noise(150_000)
	b, err := db.Put(t.Context(), bytes.NewReader(content))
	must(t, err)
	o := store.Options{Dir: dir, BlobKey: blobKey(1)}
	must(t, store.RewrapBlobKeys(t.Context(), o, blobKey(2), true)) // beside the one at work
	readBack(t, db, b, content)
	must(t, db.Close())
	if err := store.RewrapBlobKeys(t.Context(), o, blobKey(3), false); !errors.Is(err, store.ErrBlobKey) {
		t.Errorf("the old key still rewraps: %v", err)
	}
	if _, err := store.Open(t.Context(), o); !errors.Is(err, store.ErrBlobKey) {
		t.Errorf("the old key still opens: %v", err)
	}
	db = openSealed(t, dir, blobKey(2))
	readBack(t, db, b, content)
	fresh := noise(140_000) // under the new data key
	n, err := db.Put(t.Context(), bytes.NewReader(fresh))
	must(t, err)
	readBack(t, db, n, fresh)
	if err := store.RewrapBlobKeys(t.Context(), store.Options{Dir: t.TempDir(), BlobKey: blobKey(1)}, blobKey(2), false); err == nil {
		t.Error("nothing at all was rewrapped")
	}
}

func TestEncryptionIsSwitchedOnLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	small, great := []byte("antinE1\n but these are plain bytes, of a time before encryption"), noise(150_000)
	var blobs []exchange.Blob
	for _, c := range [][]byte{[]byte("plain"), great} {
		b, err := db.Put(t.Context(), bytes.NewReader(c))
		must(t, err)
		blobs = append(blobs, b)
	}
	must(t, db.Close())
	db = openSealed(t, dir, blobKey(1))
	readBack(t, db, blobs[0], []byte("plain"))
	readBack(t, db, blobs[1], great)
	b, err := db.Put(t.Context(), bytes.NewReader(small)) // looks like an encrypted one, and is encrypted itself
	must(t, err)
	readBack(t, db, b, small)
}

// refer makes rows name blobs, as a backup copies no others.
func refer(t *testing.T, db *store.DB, blobs ...exchange.Blob) {
	t.Helper()
	must(t, db.Update(t.Context(), func(tx exchange.Tx) error {
		for i, b := range blobs {
			d := exchange.Document{ID: exchange.ID("vb_" + string(rune('a'+i))), Agency: "H1", Subject: "x"}
			d.Issuance.Draft = b
			if err := tx.CreateDocument(t.Context(), d); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestABackupCarriesWrappedBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openSealed(t, dir, blobKey(1))
	secret := []byte("mật: chỉ đọc được bằng khóa")
	contents := [][]byte{secret, append(noise(300_000), secret...), append(noise(20_000), secret...)}
	var blobs []exchange.Blob
	for _, c := range contents {
		b, err := db.Put(t.Context(), bytes.NewReader(c))
		must(t, err)
		blobs = append(blobs, b)
	}
	refer(t, db, blobs...)
	var backup bytes.Buffer
	must(t, db.Backup(t.Context(), &backup))
	if bytes.Contains(backup.Bytes(), secret) {
		t.Error("the backup holds plain bytes")
	}
	for name, key := range map[string][]byte{"no key": nil, "another": blobKey(2)} {
		o := store.Options{Dir: t.TempDir(), BlobKey: key}
		if _, err := store.RestoreTo(t.Context(), bytes.NewReader(backup.Bytes()), o, true); !errors.Is(err, store.ErrBlobKey) {
			t.Errorf("restored with %s: %v", name, err)
		}
	}
	restored := filepath.Join(t.TempDir(), "restored")
	o := store.Options{Dir: restored, BlobKey: blobKey(1)}
	if _, err := store.RestoreTo(t.Context(), bytes.NewReader(backup.Bytes()), o, false); err != nil {
		t.Fatal(err)
	}
	back := openSealed(t, restored, blobKey(1))
	for i, b := range blobs {
		readBack(t, back, b, contents[i])
	}
	spoiled := bytes.Clone(backup.Bytes())
	spoiled[bytes.LastIndex(spoiled, []byte("antinE1\n"))+60] ^= 1
	if _, err := store.RestoreTo(t.Context(), bytes.NewReader(spoiled), store.Options{Dir: t.TempDir(), BlobKey: blobKey(1)}, true); !errors.Is(err, store.ErrBackup) {
		t.Errorf("a spoiled one: %v", err)
	}
}

func TestMigrationKeepsBlobsEncrypted(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	db := openSealed(t, from, blobKey(1))
	contents := [][]byte{[]byte("one"), noise(300_000), noise(30_000)}
	var blobs []exchange.Blob
	for _, c := range contents {
		b, err := db.Put(t.Context(), bytes.NewReader(c))
		must(t, err)
		blobs = append(blobs, b)
	}
	refer(t, db, blobs...)
	must(t, db.Close())
	source := store.Options{Dir: from, BlobKey: blobKey(1)}
	for name, key := range map[string][]byte{"no key": nil, "another": blobKey(2)} {
		if _, err := store.Migrate(t.Context(), source, store.Options{Dir: t.TempDir(), BlobKey: key}, store.MigrateSteps{}); !errors.Is(err, store.ErrBlobKey) {
			t.Errorf("migrated with %s: %v", name, err)
		}
	}
	to := t.TempDir()
	if _, err := store.Migrate(t.Context(), source, store.Options{Dir: to, BlobKey: blobKey(1)}, store.MigrateSteps{}); err != nil {
		t.Fatal(err)
	}
	moved := openSealed(t, to, blobKey(1))
	for i, b := range blobs {
		readBack(t, moved, b, contents[i])
	}
}
