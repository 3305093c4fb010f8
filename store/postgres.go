package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"antin/internal/text"
)

const (
	// lockWriter makes its transaction the only one that writes in this schema. It is
	// the first statement, so that every other sees what the writer before has committed.
	lockWriter = `SELECT pg_advisory_xact_lock(1095652430, current_schema()::regnamespace::oid::bigint::integer)`
	// lockSchema and unlockSchema keep processes that start at once from migrating beside
	// one another. The number is "ANTN", and one more.
	lockSchema   = `SELECT pg_advisory_lock(1095652431, current_schema()::regnamespace::oid::bigint::integer)`
	unlockSchema = `SELECT pg_advisory_unlock(1095652431, current_schema()::regnamespace::oid::bigint::integer)`

	// connectFor bounds the wait for a connection; lockFor that for the writer's lock: a
	// process that holds it longer has been stopped, and idleFor then takes it away.
	connectFor = 10 * time.Second
	lockFor    = 20 * time.Second
	idleFor    = 10 * time.Second
	// leastPostgres is the oldest version that the tests are run against, as the server
	// counts.
	leastPostgres = 150000
	// writeConns is the writer's connection with those of the queue.
	writeConns = 6
)

// openPostgres opens the pools and refuses a server that would lose what it committed
// or spoil what it keeps.
func (db *DB) openPostgres(ctx context.Context) error {
	write, err := pgx.ParseConfig(db.opts.Database)
	if err != nil {
		return text.Detailed(text.ConfigInvalid, err, "flow.postgres.url")
	}
	if write.ConnectTimeout == 0 {
		write.ConnectTimeout = connectFor
	}
	for name, value := range map[string]string{
		"application_name":                    "antin",
		"idle_in_transaction_session_timeout": milliseconds(idleFor),
		"lock_timeout":                        milliseconds(lockFor),
	} {
		if _, ok := write.RuntimeParams[name]; !ok {
			write.RuntimeParams[name] = value
		}
	}
	read := write.Copy()
	read.RuntimeParams["default_transaction_read_only"] = "on"
	delete(read.RuntimeParams, "idle_in_transaction_session_timeout") // a backup reads for long
	db.write, db.read = stdlib.OpenDB(*write), stdlib.OpenDB(*read)
	db.write.SetMaxOpenConns(writeConns)
	db.write.SetMaxIdleConns(writeConns)
	db.writers.begin, db.writers.now, db.writers.durable, db.writers.together = db.beginWrite, db.opts.Now, db.segments.durable, true
	readers := max(4, runtime.GOMAXPROCS(0))
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	return db.checkServer(ctx)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// checkServer reads what the server's keeping of its word depends on.
func (db *DB) checkServer(ctx context.Context) error {
	var version int
	var fsync, commit, encoding string
	err := db.read.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('fsync'),
		current_setting('synchronous_commit'), current_setting('server_encoding')`).Scan(&version, &fsync, &commit, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("reaching database: %w", err)
	case version < leastPostgres:
		return text.Detailed(text.ConfigInvalid, nil, "flow.postgres.version", leastPostgres/10000, version/10000)
	case fsync != "on":
		return text.Detailed(text.ConfigInvalid, nil, "flow.postgres.setting", "fsync", fsync)
	case commit == "off":
		return text.Detailed(text.ConfigInvalid, nil, "flow.postgres.setting", "synchronous_commit", commit)
	case encoding != "UTF8":
		return text.Detailed(text.ConfigInvalid, nil, "flow.postgres.setting", "server_encoding", encoding)
	}
	return nil
}

// alone runs act while no other process does the same in this schema.
func (db *DB) alone(ctx context.Context, act func() error) (err error) {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	// Whoever has it migrates, however long that takes.
	if _, err := conn.ExecContext(ctx, `SET lock_timeout = 0`); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, lockSchema); err != nil {
		return fmt.Errorf("waiting to migrate: %w", err)
	}
	defer func() {
		_, unlocked := conn.ExecContext(context.WithoutCancel(ctx), unlockSchema)
		_, reset := conn.ExecContext(context.WithoutCancel(ctx), `RESET lock_timeout`)
		err = errors.Join(err, unlocked, reset)
	}()
	if err := db.checkPostgresVersion(ctx); err != nil {
		return err
	}
	return act()
}

// checkPostgresVersion is checkVersion of a database on PostgreSQL.
func (db *DB) checkPostgresVersion(ctx context.Context) error {
	known, err := schemaVersion()
	if err != nil {
		return err
	}
	stored, err := db.postgresVersion(ctx)
	if err == nil && stored > known {
		return text.Detailed(text.DatabaseNewer, nil, "flow.database-newer", stored, known)
	}
	return err
}

// postgresVersion is the version of the schema, 0 when there is none.
func (db *DB) postgresVersion(ctx context.Context) (version int64, err error) {
	var there bool
	if err := db.read.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err != nil || !there {
		return 0, err
	}
	err = db.read.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	return version, err
}

// The classes and codes of PostgreSQL's errors that this package tells apart.
const (
	pgSerialization = "40001"
	pgDeadlock      = "40P01"
	pgReadOnly      = "25006" // a standby, after a switch
	pgDiskFull      = "53100"
	pgIOError       = "58030"
	pgNoLock        = "55P03"
	pgNoDatabase    = "3D000"
	pgBadText       = "22021" // a NUL or no UTF-8
	pgNoEscape      = "22P05"
	pgTooLong       = "54000" // for an index
	classConnection = "08"
	classResources  = "53"
	classOperator   = "57" // stopped, or a time limit of the server's
	classShutdown   = "57P"
	classLogin      = "28"
)

// driverError is what every error of the driver's own is, as against the server's.
type driverError interface{ SafeToRetry() bool }

// lostError is an error of the network inside a transaction, which reads and writes
// nothing but the database.
type lostError struct{ error }

// SafeToRetry implements driverError.
func (lostError) SafeToRetry() bool { return false }

// Unwrap returns the cause.
func (e lostError) Unwrap() error { return e.error }

// withinPostgres marks an error of the network as the connection's, where the driver
// has not.
func withinPostgres(err error) error {
	var ne net.Error
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &ne) {
		return lostError{err}
	}
	return err
}

// lostConnection reports whether err says that the server was not reached, or no more.
func lostConnection(err error) bool {
	var own driverError
	var connect *pgconn.ConnectError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errors.As(err, &connect) // by its own time limit
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		return true
	}
	return errors.As(err, &connect) || errors.As(err, &own)
}

// passingPostgres reports whether the same may succeed when it is tried again, with
// nothing committed so far: conflicts, and a connection that was lost before COMMIT.
func passingPostgres(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == pgSerialization || pe.Code == pgDeadlock || strings.HasPrefix(pe.Code, classShutdown) && !errors.Is(err, errCommit)
	}
	return lostConnection(err) && !errors.Is(err, errCommit)
}

// postgresError gives an error of PostgreSQL, or of the way to it, its code, and
// returns any other as it is.
func postgresError(err error) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		if lostConnection(err) {
			return text.Errorf(text.DatabaseUnavailable, err)
		}
		return err
	}
	switch pe.Code {
	case pgDiskFull, pgIOError:
		return text.Errorf(text.StorageFull, err)
	case pgBadText, pgNoEscape, pgTooLong:
		return text.Errorf(text.InvalidInput, err)
	case pgReadOnly, pgNoLock, pgSerialization, pgDeadlock, pgNoDatabase:
		return text.Errorf(text.DatabaseUnavailable, err)
	}
	for _, class := range []string{classConnection, classLogin, classResources, classOperator} {
		if strings.HasPrefix(pe.Code, class) {
			return text.Errorf(text.DatabaseUnavailable, err)
		}
	}
	return err
}
