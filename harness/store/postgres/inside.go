package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// inside lends the queue the transaction that conn is in: its statements go to the same
// session, so that a job exists exactly if that transaction commits.
func inside(conn *sql.Conn, _ *sql.Tx) (tx pgx.Tx, err error) {
	if conn == nil {
		return nil, errOurs // a reader's transaction
	}
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return errors.New("not a connection of PostgreSQL")
		}
		tx = lent{c.Conn()}
		return nil
	})
	return tx, err
}

// lent is a transaction that somebody else ends.
type lent struct{ c *pgx.Conn }

var errOurs = errors.New("this transaction is ended by who began it")

// Begin implements [pgx.Tx], by a savepoint.
func (l lent) Begin(ctx context.Context) (pgx.Tx, error) { return l.c.Begin(ctx) }

// Commit implements [pgx.Tx].
func (lent) Commit(context.Context) error { return errOurs }

// Rollback implements [pgx.Tx].
func (lent) Rollback(context.Context) error { return errOurs }

// CopyFrom implements [pgx.Tx].
func (l lent) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, from pgx.CopyFromSource) (int64, error) {
	return l.c.CopyFrom(ctx, table, columns, from)
}

// SendBatch implements [pgx.Tx].
func (l lent) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return l.c.SendBatch(ctx, b)
}

// LargeObjects implements [pgx.Tx]. The queue has none.
func (lent) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Prepare implements [pgx.Tx].
func (l lent) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return l.c.Prepare(ctx, name, sql)
}

// Exec implements [pgx.Tx].
func (l lent) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return l.c.Exec(ctx, sql, args...)
}

// Query implements [pgx.Tx].
func (l lent) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return l.c.Query(ctx, sql, args...)
}

// QueryRow implements [pgx.Tx].
func (l lent) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return l.c.QueryRow(ctx, sql, args...)
}

// Conn implements [pgx.Tx].
func (l lent) Conn() *pgx.Conn { return l.c }
