package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// rowMost is the size in bytes up to which a blob stays a row although there are
	// segments: a status message fits into a page or two.
	rowMost = 8 << 10
	// movedMost bounds how many segments one sweep moves the rest of.
	movedMost = 4
)

// segmented reports whether small blobs go into segments: where the disk is this
// process's own, or shared by all that are on the database.
func (db *DB) segmented() bool { return !db.Shared() || db.opts.S3 == nil }

func (db *DB) segmentDir() string { return filepath.Join(db.opts.Dir, segmentDir) }

// openSegments makes the directory ready.
func (db *DB) openSegments(ctx context.Context) error {
	if !db.segmented() {
		return nil
	}
	var known int64
	if err := db.read.QueryRowContext(ctx, `SELECT coalesce(max(segment), 0) FROM blob_segment`).Scan(&known); err != nil {
		return err
	}
	return db.segments.open(db.segmentDir(), known)
}

// putSegment appends b and notes in a row where it lies, or leaves that to the next
// update under ctx.
func (db *DB) putSegment(ctx context.Context, d exchange.Digest, b []byte) error {
	p, err := db.segments.append(b)
	if err != nil {
		return err
	}
	if stage := exchange.KeptUnder(ctx); stage != nil {
		stage.Keep(d, p)
		return nil
	}
	return db.update(ctx, func(t *tx) error { return t.putPlace(ctx, d, p) })
}

// putKept writes the rows of what a stage holds.
func (t *tx) putKept(ctx context.Context, stage *exchange.Kept) error {
	return stage.Each(func(d exchange.Digest, v any) error {
		switch v := v.(type) {
		case segmentPlace:
			return t.putPlace(ctx, d, v)
		case []byte:
			return t.putRow(ctx, d, v)
		}
		return fmt.Errorf("%T is kept of %s", v, d)
	})
}

// putPlace notes where the bytes of d lie. They are durable before the transaction
// commits; where that can never be, it goes on without them.
func (t *tx) putPlace(ctx context.Context, d exchange.Digest, p segmentPlace) error {
	if err := p.in.failure(); err != nil {
		return err
	}
	t.b.appended(p)
	t.wrote(d)
	_, err := t.ExecContext(ctx, `INSERT INTO blob_segment (segment, at, digest, size, stored_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (digest) DO UPDATE SET segment = excluded.segment, at = excluded.at, size = excluded.size, stored_at = excluded.stored_at`,
		p.segment, p.at, d, p.size, micros(t.db.opts.Now()))
	return err
}

// placeTries bounds how often a place is looked up whose segment the sweeper has just
// moved.
const placeTries = 3

// findSmall finds a blob in a segment, else in a row.
const findSmall = `SELECT segment, at, size, NULL FROM blob_segment WHERE digest = $1
	UNION ALL SELECT 0, 0, 0, data FROM blob WHERE digest = $1 LIMIT 1`

// openSmall returns the bytes of d from a segment or a row; not-found when neither holds
// them.
func (db *DB) openSmall(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	for try := 1; ; try++ {
		var p segmentPlace
		var data []byte
		err := db.read.QueryRowContext(ctx, findSmall, d).Scan(&p.segment, &p.at, &p.size, &data)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil, text.Errorf(text.NotFound, fmt.Errorf("no blob %s", d))
		case err != nil:
			return nil, diskError(fmt.Errorf("opening blob %s: %w", d, err))
		case p.segment == 0:
			return &rowReader{bytes.NewReader(data)}, nil
		}
		r, err := db.segments.reader(db.segmentDir(), p)
		if err == nil {
			return r, nil
		}
		if !errors.Is(err, os.ErrNotExist) || try == placeTries {
			return nil, fmt.Errorf("opening blob %s: %w", d, err)
		}
	}
}

// openGreat returns the bytes of d where great blobs are; not-found.
func (db *DB) openGreat(ctx context.Context, d exchange.Digest) (exchange.BlobReader, error) {
	if db.depot != nil {
		return db.depot.open(ctx, d)
	}
	x, err := openReadDepot(ctx, db)
	if err != nil {
		return nil, err
	}
	return x.open(ctx, d)
}

// sweepSegments forgets the old, unnamed blobs of segments and removes the segments
// that nothing lies in any more.
func (db *DB) sweepSegments(ctx context.Context, before time.Time) (removed int, err error) {
	if !db.segmented() {
		return 0, nil
	}
	err = db.update(ctx, func(t *tx) error {
		res, err := t.ExecContext(ctx, `DELETE FROM blob_segment WHERE stored_at < $1
			AND NOT EXISTS (SELECT 1 FROM blob_ref r WHERE r.digest = blob_segment.digest)`, micros(before))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		removed = int(n)
		return err
	})
	if err != nil {
		return 0, err
	}
	numbers, err := segmentNumbers(db.segmentDir())
	if err != nil {
		return removed, err
	}
	moved := 0
	for _, n := range numbers {
		if n == db.segments.current() {
			continue
		}
		did, err := db.tidySegment(ctx, n, before, moved < movedMost)
		if err != nil {
			return removed, err
		}
		if did {
			moved++
		}
	}
	return removed, nil
}

// tidySegment removes segment n when nothing lies in it. Of one that is mostly dead the
// rest is moved first, where mayMove.
func (db *DB) tidySegment(ctx context.Context, n int64, before time.Time, mayMove bool) (moved bool, err error) {
	info, err := os.Stat(segmentName(db.segmentDir(), n))
	if err != nil || !info.ModTime().Before(before) {
		return false, nil //nolint:nilerr // gone, or young
	}
	if db.Shared() && info.ModTime().After(time.Now().Add(-abandoned)) { // file times are the machine's
		return false, nil // another process may be at it
	}
	live, bytes, err := db.livePlaces(ctx, n)
	if err != nil {
		return false, err
	}
	if len(live) > 0 {
		if !mayMove || bytes > info.Size()/2 {
			return false, nil
		}
		if err := db.movePlaces(ctx, n, live); err != nil {
			return false, err
		}
		moved = true
	}
	return moved, db.removeSegment(ctx, n)
}

// removeSegment removes the file of n unless a row came to name it again. Nobody
// appends to it.
func (db *DB) removeSegment(ctx context.Context, n int64) error {
	return db.update(ctx, func(t *tx) error {
		left, err := t.count(ctx, `SELECT count(*) FROM blob_segment WHERE segment = $1`, n)
		if err != nil || left > 0 {
			return err
		}
		db.segments.read.mu.Lock()
		db.segments.read.drop(n)
		db.segments.read.mu.Unlock()
		if err := os.Remove(segmentName(db.segmentDir(), n)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
}

// placed is a blob with its place.
type placed struct {
	digest exchange.Digest
	segmentPlace
}

// livePlaces lists what lies in segment n.
func (db *DB) livePlaces(ctx context.Context, n int64) (out []placed, bytes int64, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT digest, segment, at, size FROM blob_segment WHERE segment = $1 ORDER BY at`, n)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var p placed
		if err := rows.Scan(&p.digest, &p.segment, &p.at, &p.size); err != nil {
			return nil, 0, err
		}
		bytes += p.size
		out = append(out, p)
	}
	return out, bytes, rows.Err()
}

// movePlaces appends what lies in segment n to the one at hand, as it stands: damage
// stays damage, and shows when it is read.
func (db *DB) movePlaces(ctx context.Context, n int64, live []placed) error {
	now := make([]segmentPlace, len(live))
	for i, p := range live {
		r, err := db.segments.reader(db.segmentDir(), p.segmentPlace)
		if err != nil {
			return err
		}
		b := make([]byte, p.size)
		_, err = io.ReadFull(r, b)
		if err = errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("moving blob %s: %w", p.digest, err)
		}
		if now[i], err = db.segments.append(b); err != nil {
			return err
		}
	}
	return db.update(ctx, func(t *tx) error {
		for i, p := range live {
			if err := now[i].in.failure(); err != nil {
				return err
			}
			t.b.appended(now[i])
			if _, err := t.ExecContext(ctx, `UPDATE blob_segment SET segment = $1, at = $2 WHERE digest = $3 AND segment = $4 AND at = $5`,
				now[i].segment, now[i].at, p.digest, n, p.at); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetPlaces takes from a copy of the database what is true of the place it was
// copied from alone. In a backup what lay in segments is beside the database.
func forgetPlaces(ctx context.Context, file string) (err error) {
	db, err := sql.Open("sqlite", dsn(file, "immediate"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `DELETE FROM blob_segment`)
	return err
}
