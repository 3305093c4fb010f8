package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/riverqueue/river"
	_ "modernc.org/sqlite" // the engine

	"antin/exchange"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// Options says where and how to keep state.
type Options struct {
	// Database is the URL of a PostgreSQL database, postgres://USER:PASSWORD@HOST/NAME;
	// several processes may then share it. Empty means SQLite in Dir.
	Database string
	// Dir is the data directory; made when absent (mode 0700). It must be on a local
	// disk: locks and fsync of network file systems cannot be relied on.
	Dir string
	// S3 is where great blobs are kept; nil means files in Dir.
	S3 *S3Options
	// BlobKey, where set, encrypts what blobs hold: the key-encryption key, 32 bytes. It
	// must be the one that an installation began with, or was rewrapped to.
	BlobKey []byte
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
	// Awake reports whether a worker of this process will have a job that is due now, so
	// that the queue need not keep it; Wake gives it that job after the commit. nil means
	// that none will. Neither may wait.
	Awake func(j exchange.Job) bool
	Wake  func(j exchange.Job)
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

// DB is an open data directory, or a database on PostgreSQL. It implements exchange.Store, exchange.Blobs and
// exchange.Queue, and is safe for concurrent use.
type DB struct {
	opts    Options
	engine  engine
	owner   string
	writers writers
	write   *sql.DB // one connection: SQLite has one writer anyway
	read    *sql.DB // cannot write
	river   *river.Client[*sql.Tx]
	worker  *jobWorker
	lock    *os.File

	blobDir  string
	segments segments
	vault    *vault // encrypts blobs; nil: they lie as they are
	depot    depot  // keeps the blobs that are no rows
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

// withDefaults fills in what may be left out.
func (o Options) withDefaults() Options {
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
	if o.Awake == nil || o.Wake == nil {
		o.Awake, o.Wake = func(exchange.Job) bool { return false }, func(exchange.Job) {}
	}
	return o
}

// Open opens the data directory, or the PostgreSQL database, bringing its schema up to
// date. Errors: ErrInUse, storage-full when the directory cannot be written,
// database-newer, database-unavailable, config-invalid, or the engine's.
func Open(ctx context.Context, o Options) (*DB, error) {
	o = o.withDefaults()
	if err := makeDir(o.Dir); err != nil {
		return nil, diskError(fmt.Errorf("making data directory: %w", err))
	}
	db := &DB{opts: o, engine: engineOf(o), blobDir: filepath.Join(o.Dir, "blobs"), create: createTemp}
	if db.Shared() {
		db.owner = rand.Text()
	}
	if err := db.open(ctx); err != nil {
		_ = db.Close()
		return nil, diskError(err)
	}
	return db, nil
}

// makeDir makes the data directory where there is none, and has its name stay when the
// power goes.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	return syncDir(filepath.Dir(filepath.Clean(dir)))
}

// Shared reports whether several processes may work on the database at once.
func (db *DB) Shared() bool { return db.engine.shared }

// Owner names this opening among those that share the database, for the turns it
// takes; "" where nobody else can.
func (db *DB) Owner() string { return db.owner }

func (db *DB) open(ctx context.Context) (err error) {
	if err := checkDir(db.opts.Dir); err != nil {
		return err
	}
	if db.Shared() {
		err = db.openPostgres(ctx)
	} else {
		err = db.openSQLite(ctx)
	}
	if err != nil {
		return err
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if err := db.tune(ctx); err != nil {
		return err
	}
	if db.vault, err = openVault(ctx, db, db.read); err != nil {
		return err
	}
	if err := db.openBlobs(ctx); err != nil {
		return err
	}
	return db.openQueue()
}

// openSQLite opens the database file of a directory that nobody else uses.
func (db *DB) openSQLite(ctx context.Context) (err error) {
	if err := checkRestored(db.opts.Dir); err != nil {
		return err
	}
	if db.lock, err = lockFile(filepath.Join(db.opts.Dir, "lock")); err != nil {
		return err
	}
	file := filepath.Join(db.opts.Dir, databaseName)
	if err := checkVersion(ctx, file); err != nil {
		return err
	}
	if err := removeSnapshots(db.opts.Dir); err != nil {
		return err
	}
	return db.openFile(file, "journal_mode(WAL)")
}

// openFile opens the pools of a SQLite database.
func (db *DB) openFile(file string, pragmas ...string) (err error) {
	if db.write, err = openKept(dsn(file, "immediate", append(pragmas, "synchronous(FULL)", "foreign_keys(ON)")...)); err != nil {
		return fmt.Errorf("opening database: %w", err)
	}
	db.write.SetMaxOpenConns(1)
	db.writers.begin, db.writers.now, db.writers.durable = db.beginWrite, db.opts.Now, db.segments.durable
	if db.read, err = openKept(dsn(file, "deferred", "query_only(ON)")); err != nil {
		return fmt.Errorf("opening database to read: %w", err)
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	return nil
}

// tune sets what the writer needs beside a migration, whose sorting may outgrow memory:
// SQLite keeps what a savepoint may take back in a file from 64 KB on, which every
// second message reaches.
func (db *DB) tune(ctx context.Context) error {
	if db.Shared() {
		return nil
	}
	_, err := db.write.ExecContext(ctx, `PRAGMA temp_store = MEMORY`)
	return err
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

// Close ends the use of the directory. Work must have returned.
func (db *DB) Close() error {
	errs := []error{db.segments.close()}
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}
