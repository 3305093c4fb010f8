package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// paper is a message of the size that lies in a segment.
func paper(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%08d", i), 4<<10) }

// holding stores paper i and a delivery that names it.
func holding(t *testing.T, db *DB, i int) (exchange.Blob, error) {
	t.Helper()
	ctx := exchange.Staged(t.Context())
	b, err := db.Put(ctx, bytes.NewReader(paper(i)))
	if err != nil {
		return b, err
	}
	return b, db.Update(ctx, func(x exchange.Tx) error { return x.CreateDelivery(ctx, naming(i, b)) })
}

func naming(i int, b exchange.Blob) exchange.Delivery {
	id := exchange.ID(fmt.Sprintf("gd_%08d", i))
	return exchange.Delivery{ID: id, Agency: "H15.01", To: "H15.02", Subject: id, TransferID: exchange.TransferID(fmt.Sprintf("t%d", i)), Payload: b, State: exchange.DeliveryReady}
}

func segmentFilesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, segmentDir, "*"+segmentSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func mustVerify(t *testing.T, db *DB, all ...exchange.Blob) {
	t.Helper()
	for _, b := range all {
		if err := db.Verify(t.Context(), b.Digest); err != nil {
			t.Error(err)
		}
	}
}

func TestEachOpeningBeginsASegmentOfItsOwn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all []exchange.Blob
	for round := range 3 {
		db, err := Open(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			b, err := holding(t, db, 10*round+i)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
		}
		mustVerify(t, db, all...)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		files := segmentFilesIn(t, dir)
		if len(files) != round+1 {
			t.Fatalf("%d segments after %d openings", len(files), round+1)
		}
		// What a dying process leaves at the end is not built upon.
		f, err := os.OpenFile(files[len(files)-1], os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			_, err = f.WriteString("torn")
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// brokenSegment fails its n-th sync, and writes nothing more when it is full.
type brokenSegment struct {
	blobFile
	mu    sync.Mutex
	syncs int // until one fails; negative: none does
	room  int // bytes
}

func (f *brokenSegment) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.syncs--; f.syncs == 0 {
		return &os.PathError{Op: "sync", Path: f.Name(), Err: syscall.EIO}
	}
	return f.blobFile.Sync()
}

func (f *brokenSegment) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		n, _ := f.blobFile.Write(p[:len(p)/2])
		return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.blobFile.Write(p)
}

// breakFirst makes the first segment that db begins from now on a broken one.
func breakFirst(db *DB, syncs, room int) {
	var once sync.Once
	db.segments.create = func(name string) (blobFile, error) {
		f, err := createSegment(name)
		once.Do(func() {
			if err == nil {
				f = &brokenSegment{blobFile: f, syncs: syncs, room: room}
			}
		})
		return f, err
	}
}

func TestAfterAFailedSyncASegmentIsLeftForEver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	breakFirst(db, 2, 1<<30)
	first, err := holding(t, db, 1)
	if err != nil {
		t.Fatal(err)
	}
	lost, err := holding(t, db, 2)
	if err == nil {
		t.Fatal("bytes that never became durable were taken")
	}
	if _, err := db.Open(t.Context(), exchange.DigestOf(paper(2))); text.CodeOf(err) != text.NotFound {
		t.Errorf("they are there: %v, %+v", err, lost)
	}
	again, err := holding(t, db, 2)
	if err != nil {
		t.Fatalf("sent again: %v", err)
	}
	mustVerify(t, db, first, again)
	if n := len(segmentFilesIn(t, dir)); n != 2 {
		t.Errorf("%d segments, want another one", n)
	}
}

func TestAFailedSyncFailsOnlyThoseWhoseBytesAreLost(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	breakFirst(db, 1, 1<<30)
	const n = 9
	blobs, ctxs := make([]exchange.Blob, n), make([]context.Context, n)
	for i := 1; i < n; i += 2 {
		ctxs[i] = exchange.Staged(t.Context())
		if blobs[i], err = db.Put(ctxs[i], bytes.NewReader(paper(i))); err != nil {
			t.Fatal(err)
		}
	}
	errs := crowd(t, db, n, func(i int, x *tx) error {
		d := naming(i, blobs[i])
		if i%2 == 0 {
			return x.CreateDelivery(t.Context(), d)
		}
		return errors.Join(x.putKept(t.Context(), exchange.KeptUnder(ctxs[i])), x.CreateDelivery(t.Context(), d))
	})
	for i, err := range errs {
		if lost := i%2 == 1; (err != nil) != lost {
			t.Errorf("closure %d was told %v", i, err)
		}
		err := db.View(t.Context(), func(x exchange.Tx) error { _, err := x.Delivery(t.Context(), naming(i, blobs[i]).ID); return err })
		if there := err == nil; there != (i%2 == 0) {
			t.Errorf("row %d: %v", i, err)
		}
	}
}

func TestAFullDiskLeavesASegmentWithWhatItHolds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	breakFirst(db, -1, len(paper(0))*3/2)
	first, err := holding(t, db, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holding(t, db, 2); text.CodeOf(err) != text.StorageFull {
		t.Errorf("a full disk gave %v", err)
	}
	again, err := holding(t, db, 2)
	if err != nil {
		t.Fatal(err)
	}
	mustVerify(t, db, first, again)
}

func TestTheSweeperMovesTheRestOfASegmentAndRemovesIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	kept, err := holding(t, db, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2; i < 6; i++ { // named by nothing
		if _, err := db.Put(t.Context(), bytes.NewReader(paper(i))); err != nil {
			t.Fatal(err)
		}
	}
	old := segmentFilesIn(t, dir)
	reading, err := db.Open(t.Context(), kept.Digest)
	if err != nil {
		t.Fatal(err)
	}
	db.segments.mu.Lock()
	db.segments.leave()
	db.segments.mu.Unlock()
	if n, err := db.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 4 {
		t.Fatalf("swept %d, %v", n, err)
	}
	if _, err := os.Stat(old[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old segment: %v", err)
	}
	mustVerify(t, db, kept)
	if got, err := io.ReadAll(reading); err != nil || !bytes.Equal(got, paper(1)) { // begun before it was moved
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := reading.Close(); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(t.Context(), Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, db, kept)
}

func TestABackupHoldsWhatLiesInSegments(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var all []exchange.Blob
	for i := range 3 {
		b, err := holding(t, db, i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	var copied bytes.Buffer
	if err := db.Backup(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	if _, err := Restore(t.Context(), &copied, dir, false); err != nil {
		t.Fatal(err)
	}
	back, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = back.Close() })
	mustVerify(t, back, all...)
	var places int
	if err := back.read.QueryRowContext(t.Context(), `SELECT count(*) FROM blob_segment`).Scan(&places); err != nil || places != 0 {
		t.Errorf("%d places of another installation, %v", places, err)
	}
}
