package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// conn is a connection with its prepared statements. One goroutine uses it at a time.
type conn struct {
	*sqlite3.Conn
	statements map[string]*sqlite3.Stmt
}

// The pragmas of every connection. A transaction waits for another process's for at most ten seconds; memory for pages
// is 8 MiB a connection. PRAGMA optimize and ANALYZE are never run: with statistics each bind may prepare anew.
const everyConnection = `PRAGMA busy_timeout=10000; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;`

func openWriter(ctx context.Context, path string) (*conn, error) {
	c, err := connect(ctx, path, "rwc")
	if err != nil {
		return nil, err
	}
	if err := c.prepareFile(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// prepareFile makes the file what the engine promises. The page size counts only while the file is empty.
func (c *conn) prepareFile() error {
	if err := c.Exec(`PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE;`); err != nil {
		return err
	}
	mode, err := c.one(`PRAGMA journal_mode=WAL`)
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %q, not wal: is the folder on a local disk?", mode)
	}
	return c.Exec(`PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;`)
}

// openReader opens a connection that reads pages where the system keeps them: lists from all over a large file cost a
// third less. It writes nothing by that way, so a full disk cannot hurt it; a file that was cut short behind its back
// faults, which Engine.read turns into an error.
func openReader(ctx context.Context, path string, mapped bool) (*conn, error) {
	c, err := connect(ctx, path, "ro")
	if err != nil {
		return nil, err
	}
	pragmas := `PRAGMA query_only=ON;`
	if mapped {
		pragmas += `PRAGMA mmap_size=268435456;`
	}
	if err := c.Exec(pragmas); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// mostMemory bounds a connection's address space, which is reserved and not used: what is mapped lies within.
const mostMemory = 640 << 20

func connect(ctx context.Context, path, mode string) (*conn, error) {
	registerVFS()
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "vfs=" + vfsName + "&mode=" + mode}).String()
	raw, err := sqlite3.OpenContext(sqlite3.WithMaxMemory(ctx, mostMemory), name)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, statements: map[string]*sqlite3.Stmt{}}
	if err := errors.Join(c.checkVersion(), c.Exec(everyConnection)); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// oldestVersion is the first in which a WAL reset beside a checkpoint cannot lose committed writes.
var oldestVersion = [3]int{3, 51, 3}

func (c *conn) checkVersion() error {
	version, err := c.one(`SELECT sqlite_version()`)
	if err != nil {
		return err
	}
	return versionOK(version)
}

func versionOK(version string) error {
	parts := strings.Split(version, ".")
	for i, least := range oldestVersion {
		n := 0
		if i < len(parts) {
			n, _ = strconv.Atoi(parts[i]) // what is no number is 0: too old
		}
		if n != least {
			if n > least {
				return nil
			}
			return fmt.Errorf("SQLite %s can lose committed writes: at least 3.51.3 is needed", version)
		}
	}
	return nil
}

// one runs a statement and returns the first column of its first row.
func (c *conn) one(sql string) (string, error) {
	s, _, err := c.Prepare(sql)
	if err != nil {
		return "", err
	}
	value := ""
	if s.Step() {
		value = s.ColumnText(0)
	}
	return value, errors.Join(s.Err(), s.Close())
}

// prepared returns the statement of sql, compiled once a connection.
func (c *conn) prepared(sql string) (*sqlite3.Stmt, error) {
	if s, ok := c.statements[sql]; ok {
		return s, nil
	}
	s, _, err := c.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	c.statements[sql] = s
	return s, nil
}

// bound returns the statement of sql with its parameters: string, int64 or []byte.
func (c *conn) bound(sql string, params ...any) (*sqlite3.Stmt, error) {
	s, err := c.prepared(sql)
	if err != nil {
		return nil, err
	}
	for i, p := range params {
		if err := bind(s, i+1, p); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func bind(s *sqlite3.Stmt, i int, p any) error {
	switch p := p.(type) {
	case string:
		return s.BindText(i, p)
	case int64:
		return s.BindInt64(i, p)
	case []byte:
		return s.BindBlob(i, p) // nil is NULL
	default:
		return fmt.Errorf("storage/sqlite: cannot bind %T", p)
	}
}

// run executes a statement that returns no rows.
func (c *conn) run(sql string, params ...any) error {
	s, err := c.bound(sql, params...)
	if err != nil {
		return err
	}
	return s.Exec()
}

// rows calls fn at each row until it returns false. What the row's columns point to is valid only inside fn.
func (c *conn) rows(fn func(*sqlite3.Stmt) (bool, error), sql string, params ...any) (err error) {
	s, err := c.bound(sql, params...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reset(s, err)) }()
	for s.Step() {
		if more, err := fn(s); err != nil || !more {
			return err
		}
	}
	return s.Err()
}

// reset frees the statement. It repeats the error of the last step, which is known by then.
func reset(s *sqlite3.Stmt, known error) error {
	if err := s.Reset(); known == nil {
		return err
	}
	return nil
}

func (c *conn) close() error {
	if c == nil {
		return nil
	}
	for _, s := range c.statements {
		_ = s.Close() // it repeats the error of its last step
	}
	return c.Close()
}
