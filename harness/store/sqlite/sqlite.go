// Package sqlite opens a store in one SQLite file, the default of a newcomer.
//
// One connection writes; readers cannot. Every pragma is in the DSN, because a
// pragma that is run on a pool reaches one of its connections. A commit is on
// disk when it returns (synchronous=FULL). The file must be on a local disk.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"proctor/harness/store"
)

// Open opens the database at path, creating it if there is none.
func Open(ctx context.Context, path string, now func() time.Time, log *slog.Logger) (*store.Store, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	f.Close()
	name := dsn(path)
	w, err := sql.Open("sqlite3", name+"?_journal_mode=WAL&_busy_timeout=5000&_foreign_keys=1&_synchronous=FULL&_txlock=immediate&_stmt_cache_size=200")
	if err != nil {
		return nil, err
	}
	w.SetMaxOpenConns(1)
	if err := w.PingContext(ctx); err != nil { // the file becomes a WAL database before anyone reads it
		w.Close()
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	r, err := openReaders(path)
	if err != nil {
		w.Close()
		return nil, err
	}
	s, err := store.Open(ctx, store.Config{
		Write: w, Read: r, Dialect: goose.DialectSQLite3, Guards: guards(), Snapshot: sql.TxOptions{ReadOnly: true}, Now: now,
		Queue: &store.River[*sql.Tx]{Driver: riversqlite.New(w), Of: func(_ *sql.Conn, tx *sql.Tx) (*sql.Tx, error) { return tx, nil }, Log: log},
	})
	if err != nil {
		w.Close()
		r.Close()
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return s, nil
}

// OpenRead opens an existing database for reading alone. Another process may be at
// work on it.
func OpenRead(ctx context.Context, path string) (*store.Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	r, err := openReaders(path)
	if err != nil {
		return nil, err
	}
	s, err := store.OpenRead(ctx, store.Config{Read: r, Snapshot: sql.TxOptions{ReadOnly: true}, Now: time.Now})
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return s, nil
}

// guards are triggers that refuse to change or delete what is in the log.
func guards() (list []string) {
	for _, table := range []string{"log_leaves", "log_hashes"} {
		for name, what := range map[string]string{"keep": "DELETE", "same": "UPDATE"} {
			list = append(list, `CREATE TRIGGER IF NOT EXISTS `+table+`_`+name+` BEFORE `+what+` ON `+table+` BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`)
		}
	}
	return list
}

func dsn(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

// openReaders opens connections that cannot write.
func openReaders(path string) (*sql.DB, error) {
	r, err := sql.Open("sqlite3", dsn(path)+"?mode=ro&_busy_timeout=5000&_query_only=1&_txlock=deferred&_stmt_cache_size=200")
	if err == nil {
		r.SetMaxOpenConns(4)
	}
	return r, err
}
