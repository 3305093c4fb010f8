package store

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the engine

	"antin/exchange"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options says where and how to keep state.
type Options struct {
	// Dir is the data directory; made when absent (mode 0700). It must be on a local
	// disk: locks and fsync of network file systems cannot be relied on.
	Dir string
	// Logger hears the queue's complaints; nil drops them.
	Logger *slog.Logger
	// Now is the clock for the age of blobs and jobs; nil means time.Now.
	Now func() time.Time
	// PollInterval is how often the queue looks for due jobs; 0 means 50 ms.
	PollInterval time.Duration
	// Workers is how many jobs run at a time; 0 means 16.
	Workers int
	// OnEvent is told, after the commit, of each agency whose evidence log has grown;
	// nil tells nobody. It is called from several goroutines and must not wait.
	OnEvent func(agency exchange.AgencyCode)
}

const (
	// cacheKiB is how much of the database each connection keeps in memory: the upper
	// floors of the indexes over some millions of rows.
	cacheKiB = 8192
	// busyTimeout bounds the wait for a lock held from outside, as by a backup.
	busyTimeout = 10 * time.Second
	// defaultPoll keeps the wait for a job below what a person notices; a poll that
	// finds nothing writes nothing.
	defaultPoll = 50 * time.Millisecond
	// defaultWorkers lets slow peers wait beside one another; the work itself is
	// bounded by the writer and the processors.
	defaultWorkers = 16
	// dirMode keeps other users of the machine out of documents.
	dirMode = 0o700
)

// DB is an open data directory. It implements exchange.Store, exchange.Blobs and
// exchange.Queue, and is safe for concurrent use.
type DB struct {
	opts   Options
	write  *sql.DB // one connection: SQLite has one writer anyway
	read   *sql.DB // cannot write
	river  *river.Client[*sql.Tx]
	worker *jobWorker
	lock   *os.File

	blobDir string
	// sweeping is held shared while a blob gets its name and exclusively while the
	// sweeper removes files, so that no blob goes between the two.
	sweeping sync.RWMutex
	create   func(dir string) (blobFile, error)
}

var (
	_ exchange.Store = (*DB)(nil)
	_ exchange.Blobs = (*DB)(nil)
	_ exchange.Queue = (*DB)(nil)
)

// ErrInUse is returned by Open when another process holds the directory.
var ErrInUse = errors.New("data directory is in use by another process")

// Open opens the data directory, bringing its schema up to date. Errors: ErrInUse,
// storage-full when the directory cannot be written, database-newer, or the engine's.
func Open(ctx context.Context, o Options) (*DB, error) {
	o.PollInterval = cmp.Or(o.PollInterval, defaultPoll)
	o.Workers = cmp.Or(o.Workers, defaultWorkers)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnEvent == nil {
		o.OnEvent = func(exchange.AgencyCode) {}
	}
	if err := os.MkdirAll(o.Dir, dirMode); err != nil {
		return nil, diskError(fmt.Errorf("making data directory: %w", err))
	}
	if err := checkRestored(o.Dir); err != nil {
		return nil, diskError(err)
	}
	lock, err := lockFile(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, diskError(err)
	}
	db := &DB{opts: o, lock: lock, blobDir: filepath.Join(o.Dir, "blobs"), create: createTemp}
	if err := db.open(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

func (db *DB) open(ctx context.Context) (err error) {
	file := filepath.Join(db.opts.Dir, databaseName)
	if err := checkDir(db.opts.Dir); err != nil {
		return err
	}
	if err := checkVersion(ctx, file); err != nil {
		return diskError(err)
	}
	if err := removeSnapshots(db.opts.Dir); err != nil {
		return diskError(err)
	}
	if db.write, err = sql.Open("sqlite", dsn(file, "immediate", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)")); err != nil {
		return fmt.Errorf("opening database: %w", err)
	}
	db.write.SetMaxOpenConns(1)
	if err := db.migrate(ctx); err != nil {
		return diskError(err)
	}
	if db.read, err = sql.Open("sqlite", dsn(file, "deferred", "query_only(ON)")); err != nil {
		return fmt.Errorf("opening database to read: %w", err)
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	if err := db.reindex(ctx); err != nil {
		return diskError(err)
	}
	if err := db.forgetJobs(ctx); err != nil {
		return diskError(err)
	}
	if err := db.openBlobs(); err != nil {
		return diskError(err)
	}
	return db.openQueue()
}

// dsn names the database file with what every connection must be set to.
func dsn(file, txlock string, pragmas ...string) string {
	q := url.Values{"_txlock": {txlock}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	q.Add("_pragma", fmt.Sprintf("cache_size(-%d)", cacheKiB))
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(filepath.ToSlash(file)), RawQuery: q.Encode()}).String()
}

func (db *DB) migrate(ctx context.Context) error {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.write, own)
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	m, err := rivermigrate.New(riversqlite.New(db.write), &rivermigrate.Config{Logger: db.opts.Logger})
	if err != nil {
		return fmt.Errorf("reading queue migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrating queue: %w", err)
	}
	return nil
}

// Close ends the use of the directory. Work must have returned.
func (db *DB) Close() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	errs = append(errs, db.lock.Close())
	return errors.Join(errs...)
}
