package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// keptStatements bounds the statements that a connection keeps prepared; the program
// has fewer, but for lists of ids, which come in many lengths.
const keptStatements = 256

// openKept opens a SQLite database whose connections keep what they have prepared: to
// prepare anew is a sixth of what a small transaction costs. PostgreSQL's driver does
// so by itself.
func openKept(dsn string) (*sql.DB, error) {
	plain, err := sql.Open("sqlite", dsn) // connects to nothing
	if err != nil {
		return nil, err
	}
	d := plain.Driver()
	return sql.OpenDB(keptConnector{d, dsn}), plain.Close()
}

// keptConnector implements driver.Connector.
type keptConnector struct {
	driver driver.Driver
	dsn    string
}

// Connect implements driver.Connector.
func (c keptConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(innerConn)
	if !ok {
		return nil, errors.Join(errors.New("the engine's driver lacks what it had"), conn.Close())
	}
	return &keptConn{innerConn: inner, kept: map[string]*keptStatement{}}, nil
}

// Driver implements driver.Connector.
func (c keptConnector) Driver() driver.Driver { return c.driver }

// innerConn is what the engine's connections can do.
type innerConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keptConn is a connection with its prepared statements. database/sql lets one
// goroutine at a time use it.
type keptConn struct {
	innerConn
	kept map[string]*keptStatement
}

// keptStatement is one of them; busy while its rows are being read.
type keptStatement struct {
	driver.Stmt
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	busy  bool
}

// statement returns query prepared, nil when it is to run as it is: where it is busy,
// or no more are kept.
func (c *keptConn) statement(ctx context.Context, query string) (*keptStatement, error) {
	if s, ok := c.kept[query]; ok {
		if s.busy {
			return nil, nil //nolint:nilnil // said above
		}
		return s, nil
	}
	if len(c.kept) >= keptStatements && !c.drop() {
		return nil, nil //nolint:nilnil // said above
	}
	plain, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	exec, can := plain.(driver.StmtExecContext)
	asks, also := plain.(driver.StmtQueryContext)
	if !can || !also {
		return nil, plain.Close()
	}
	s := &keptStatement{Stmt: plain, exec: exec, query: asks}
	c.kept[query] = s
	return s, nil
}

// drop makes room: any that rests will do.
func (c *keptConn) drop() bool {
	for query, s := range c.kept {
		if !s.busy {
			delete(c.kept, query)
			return s.Close() == nil
		}
	}
	return false
}

// ExecContext implements driver.ExecerContext.
func (c *keptConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.innerConn.ExecContext(ctx, query, args)
	}
	return s.exec.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *keptConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.innerConn.QueryContext(ctx, query, args)
	}
	rows, err := s.query.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{rows, s}, nil
}

// Close implements driver.Conn.
func (c *keptConn) Close() error {
	var errs []error
	for _, s := range c.kept {
		errs = append(errs, s.Close())
	}
	clear(c.kept)
	return errors.Join(append(errs, c.innerConn.Close())...)
}

// keptRows frees its statement when it has been read.
type keptRows struct {
	driver.Rows
	s *keptStatement
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	r.s.busy = false
	return r.Rows.Close()
}
