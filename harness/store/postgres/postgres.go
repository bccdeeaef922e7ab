// Package postgres opens a store in a PostgreSQL database, for services that outgrow
// one file.
//
// The statements are those of SQLite, and so is what holds: one transaction at a time
// writes (each takes a lock that ends with it), a reader sees one moment, and what is
// committed is durable if the server's settings say so. One service has a database at
// a time: it holds a lock for as long as it lives, and one that lost its lock unseen, as
// when the server died, writes nothing once another has begun. The log's head outside
// the database says what may be in it. The package trusts the server no further than the
// service trusts its database: it can delay and lose, and not change what is signed.
package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"proctor/harness/store"
)

// Numbers of the locks of a database: who serves it, and who writes now.
const (
	serving = 0x50524f43544f5201
	writing = 0x50524f43544f5202
)

// ErrServed says that another service has the database.
var ErrServed = errors.New("another service has this database: stop that one first")

// ErrName says that a database was named in no form that is known. It stands for the
// parser's error, which may quote a password.
var ErrName = errors.New("the name of the database is not one like postgres://HOST/DATABASE")

// snapshot is a transaction that reads what was committed when it began.
var snapshot = sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

// Open opens the database that a URL or a list of settings names, as libpq reads them:
// a password is better in the environment (PGPASSWORD, PGPASSFILE) than in it. Texts
// must sort by their bytes, as times are compared as text.
func Open(ctx context.Context, name string, now func() time.Time, log *slog.Logger) (_ *store.Store, err error) {
	c, err := pgxpool.ParseConfig(name)
	if err != nil {
		return nil, ErrName
	}
	alone, err := serve(ctx, c.ConnConfig)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			alone.Close(context.WithoutCancel(ctx))
		}
	}()
	if err := checkOrder(ctx, alone); err != nil {
		return nil, err
	}
	instance := rand.Text()
	if err := takeOver(ctx, alone, instance); err != nil {
		return nil, fmt.Errorf("take the database: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s, err := store.Open(ctx, store.Config{
		Write: stdlib.OpenDBFromPool(pool), Read: readers(c.ConnConfig), Dialect: goose.DialectPostgres,
		Before: before, Guards: guards, Begin: begin(instance),
		Snapshot: snapshot, Now: now,
		Queue: &store.River[pgx.Tx]{Driver: riverpgxv5.New(pool), Of: inside, Log: log, Closer: func() error {
			pool.Close()
			return alone.Close(context.WithoutCancel(ctx))
		}},
	})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("database %s: %w", c.ConnConfig.Database, err)
	}
	return s, nil
}

// OpenRead opens an existing database for reading alone. A service may be at work on it.
func OpenRead(ctx context.Context, name string) (*store.Store, error) {
	c, err := pgx.ParseConfig(name)
	if err != nil {
		return nil, ErrName
	}
	r := readers(c)
	s, err := store.OpenRead(ctx, store.Config{Read: r, Snapshot: snapshot, Now: time.Now})
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("database %s: %w", c.Database, err)
	}
	return s, nil
}

// serve returns a connection that says, for as long as it lives, that a service has
// the database.
func serve(ctx context.Context, c *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open the database %s at %s: %w", c.Database, c.Host, err)
	}
	var got bool
	if err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(serving)).Scan(&got); err == nil && !got {
		err = ErrServed
	}
	if err != nil {
		conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// takeOver says who serves the database from now on.
func takeOver(ctx context.Context, conn *pgx.Conn, instance string) error {
	if _, err := conn.Exec(ctx, `CREATE TABLE IF NOT EXISTS serving (one BIGINT PRIMARY KEY, instance TEXT NOT NULL)`); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, `INSERT INTO serving (one, instance) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET instance = $1`, instance)
	return err
}

// begin makes a transaction the only one that writes, and refuses it to a service that
// another has replaced.
func begin(instance string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(writing)); err != nil {
			return err
		}
		var now string
		if err := tx.QueryRowContext(ctx, `SELECT instance FROM serving WHERE one = 1`).Scan(&now); err != nil {
			return err
		}
		if now != instance {
			return ErrServed
		}
		return nil
	}
}

// checkOrder refuses a database whose texts do not sort by their bytes.
func checkOrder(ctx context.Context, conn *pgx.Conn) error {
	var ordered bool
	if err := conn.QueryRow(ctx, `SELECT 'Z' < 'a' AND '9' < '~' AND '.1' < ':0'`).Scan(&ordered); err != nil {
		return fmt.Errorf("read how the database sorts: %w", err)
	}
	if !ordered {
		return errors.New("the database sorts texts by a language: make it with CREATE DATABASE proctor TEMPLATE template0 LC_COLLATE 'C'")
	}
	return nil
}

// readers are connections that cannot write.
func readers(c *pgx.ConnConfig) *sql.DB {
	c = c.Copy()
	c.RuntimeParams["default_transaction_read_only"] = "on"
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(4)
	return db
}

// before makes the one type that the migrations need and PostgreSQL calls otherwise.
var before = []string{`DO $$ BEGIN CREATE DOMAIN blob AS bytea; EXCEPTION WHEN duplicate_object THEN NULL; END $$`}

// guards refuse to change or delete what is in the log.
var guards = []string{
	`CREATE OR REPLACE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$`,
	`CREATE OR REPLACE TRIGGER log_leaves_keep BEFORE DELETE OR UPDATE OR TRUNCATE ON log_leaves EXECUTE FUNCTION log_is_append_only()`,
	`CREATE OR REPLACE TRIGGER log_hashes_keep BEFORE DELETE OR UPDATE OR TRUNCATE ON log_hashes EXECUTE FUNCTION log_is_append_only()`,
}
