// Package store keeps the service's records in one SQL database, and queues its
// work in the same database.
//
// Everything that must happen together happens in one [Store.Update]: a charge of
// the exposure ledger, an entry of the log, a verdict and a queued job are either
// all kept or none is. What is in the log is append-only; the head of the log is
// kept by the caller outside the database, because whoever can write the database
// could otherwise rewrite history unseen.
//
// The SQL is one text for SQLite and PostgreSQL: parameters appear first in
// ascending order, for SQLite would otherwise bind them differently and say nothing.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("not found")
	ErrStale    = errors.New("somebody else has taken this up")
	ErrExists   = errors.New("exists already")
)

// Config is what a Store is made of. Adapters fill in the engine.
type Config struct {
	Write, Read *sql.DB // one writer; readers must not be able to write
	Dialect     goose.Dialect
	Before      []string                                    // statements before the migrations
	Guards      []string                                    // statements after them, which refuse changes of the log; run at each start
	Begin       func(ctx context.Context, tx *sql.Tx) error // of a transaction that alone may write; nil: nothing is to be done
	Snapshot    sql.TxOptions                               // of one that reads, so that all it reads is of one moment
	Queue       Queue
	Now         func() time.Time
}

// A Store is safe for concurrent use.
type Store struct{ c Config }

// Open migrates the database and returns the store. A database of a newer
// program is refused and not touched.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := execAll(ctx, c.Write, c.Before); err != nil {
		return nil, err
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(c.Dialect, c.Write, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return nil, fmt.Errorf("read version of the database: %w", err)
	}
	steps := p.ListSources()
	if newest := steps[len(steps)-1].Version; have > newest {
		return nil, fmt.Errorf("the database has version %d, this program knows %d: use the program that wrote it, or a newer one", have, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return nil, fmt.Errorf("migrate the database: %w", err)
	}
	if err := execAll(ctx, c.Write, c.Guards); err != nil {
		return nil, err
	}
	if err := c.Queue.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("migrate the queue: %w", err)
	}
	return &Store{c}, nil
}

func execAll(ctx context.Context, db *sql.DB, statements []string) error {
	for _, q := range statements {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("prepare the database: %w", err)
		}
	}
	return nil
}

// OpenRead returns a store that reads only, of a database of exactly this version. It
// changes nothing, and another process may be at work on it.
func OpenRead(ctx context.Context, c Config) (*Store, error) {
	newest, err := newestMigration()
	if err != nil {
		return nil, err
	}
	s := &Store{c}
	err = s.View(ctx, func(tx *Tx) error {
		var have int64
		if err := tx.row(`SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`, nil, &have); err != nil {
			return fmt.Errorf("read version of the database: %w", err)
		}
		if have != newest {
			return fmt.Errorf("the database has version %d, this program reads %d: use the program that serves it", have, newest)
		}
		return nil
	})
	return s, err
}

func newestMigration() (newest int64, err error) {
	files, err := migrations.ReadDir("migrations")
	for _, f := range files {
		v, err := goose.NumericComponent(f.Name())
		if err != nil {
			return 0, err
		}
		newest = max(newest, v)
	}
	return newest, err
}

// Close closes both pools, the writer last: it then folds the log of SQLite into
// the file.
func (s *Store) Close() error {
	err := s.c.Read.Close()
	if s.c.Write != nil {
		err = errors.Join(err, s.c.Write.Close())
	}
	if s.c.Queue != nil {
		err = errors.Join(err, s.c.Queue.Close())
	}
	return err
}

// A Tx is one transaction. It is of use only inside the function it was given to.
type Tx struct {
	ctx   context.Context
	conn  *sql.Conn // of tx
	tx    *sql.Tx
	store *Store
}

// Update runs f in a transaction that alone may write, and commits it if f
// returns nil. When Update returns nil, what f did is durable.
func (s *Store) Update(ctx context.Context, f func(*Tx) error) error {
	return s.write(ctx, func(tx *Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		if err := tx.tx.Commit(); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		return nil
	})
}

// Newest runs f like View, on the connection that writes. It is for the one who
// holds a lock that readers wait for: readers can take all their connections, and
// none of them waits for this one. f must not write; nothing it does is kept.
func (s *Store) Newest(ctx context.Context, f func(*Tx) error) error { return s.write(ctx, f) }

// write runs f in a transaction that alone may write, and undoes what f did not commit.
func (s *Store) write(ctx context.Context, f func(*Tx) error) error {
	conn, err := s.c.Write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	if s.c.Begin != nil {
		if err := s.c.Begin(ctx, tx); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	return f(&Tx{ctx, conn, tx, s})
}

// View runs f in a read-only transaction: all it reads is of one moment.
func (s *Store) View(ctx context.Context, f func(*Tx) error) error {
	tx, err := s.c.Read.BeginTx(ctx, &s.c.Snapshot)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback()
	return f(&Tx{ctx, nil, tx, s})
}

// now is the time as text that sorts as times do: RFC 3339 with all nine digits.
func (t *Tx) now() string { return t.store.c.Now().UTC().Format("2006-01-02T15:04:05.000000000Z07:00") }

func (t *Tx) exec(query string, args ...any) (int64, error) {
	r, err := t.tx.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// one runs an update that must change exactly one row.
func (t *Tx) one(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n != 1 {
		err = ErrStale
	}
	return err
}

func (t *Tx) row(query string, args []any, into ...any) error {
	err := t.tx.QueryRowContext(t.ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// rows calls scan for each row of a query.
func rows[T any](t *Tx, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	r, err := t.tx.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []T
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, r.Err()
}
