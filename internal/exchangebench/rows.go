package exchangebench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the engine
)

const (
	// inline is the size up to which a payload is a row: no file for a small one.
	inline = 128 << 10
	// group is how many rows one transaction takes at most.
	group = 64
	// copyBuffer is the memory that a payload takes on its way into a file.
	copyBuffer = 256 << 10
)

// rows is one durable table with group commit: what waits when a transaction ends
// goes into the next together.
type rows struct {
	dir  string
	db   *sql.DB
	in   chan *row
	done chan struct{}
}

// row is what one side keeps of a message.
type row struct {
	id                 string
	digest             [sha256.Size]byte
	signature, receipt []byte
	data               []byte // nil where the bytes are a file
	stored             chan error
}

func openRows(ctx context.Context, dir string) (*rows, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-8192)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: filepath.Join(dir, "ceiling.db"), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("opening database: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE message (id TEXT PRIMARY KEY, digest BLOB, signature BLOB, receipt BLOB, data BLOB)`); err != nil {
		return nil, errors.Join(fmt.Errorf("making table: %w", err), db.Close())
	}
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(dir, fmt.Sprintf("%02x", i)), 0o700); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	r := &rows{dir: dir, db: db, in: make(chan *row, group), done: make(chan struct{})}
	go r.write()
	return r, nil
}

// keep returns when the row is durable.
func (r *rows) keep(w *row) error {
	w.stored = make(chan error, 1)
	r.in <- w
	return <-w.stored
}

func (r *rows) write() {
	defer close(r.done)
	for first := range r.in {
		batch := []*row{first}
		for more := true; more && len(batch) < group; {
			select {
			case next, ok := <-r.in:
				if more = ok; ok {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		err := r.commit(batch)
		for _, w := range batch {
			w.stored <- err
		}
	}
}

func (r *rows) commit(batch []*row) error {
	ctx := context.Background() // what waits has been promised nothing yet, and is told
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.PrepareContext(ctx, `INSERT INTO message VALUES ($1, $2, $3, $4, $5)`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for _, w := range batch {
		if _, err := insert.ExecContext(ctx, w.id, w.digest[:], w.signature, w.receipt, w.data); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// count is how many rows there are.
func (r *rows) count(ctx context.Context) (n uint64, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT count(*) FROM message`).Scan(&n)
	return n, err
}

// close waits for what is under way.
func (r *rows) close() error {
	close(r.in)
	<-r.done
	return r.db.Close()
}

// file makes the bytes of a great payload durable under their digest.
func (r *rows) file(body io.Reader, h hash.Hash) (digest [sha256.Size]byte, err error) {
	f, err := os.CreateTemp(r.dir, "put-*")
	if err != nil {
		return digest, err
	}
	if _, err = io.CopyBuffer(io.MultiWriter(h, f), onlyReader{body}, make([]byte, copyBuffer)); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return digest, err
	}
	h.Sum(digest[:0])
	name := hex.EncodeToString(digest[:])
	folder := filepath.Join(r.dir, name[:2])
	if err := os.Rename(f.Name(), filepath.Join(folder, name)); err != nil {
		return digest, err
	}
	d, err := os.Open(folder)
	if err != nil {
		return digest, err
	}
	return digest, errors.Join(d.Sync(), d.Close())
}

// onlyReader hides what else a body can do, so that the buffer is used.
type onlyReader struct{ io.Reader }
