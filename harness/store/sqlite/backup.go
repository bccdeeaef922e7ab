package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
)

// Backup writes the database as it is at one moment into a new file, whether a
// service uses it or not, and checks the copy. It blocks nobody.
func Backup(ctx context.Context, path, into string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if err := vacuum(ctx, path, into); err != nil {
		return fmt.Errorf("back up %s: %w", path, err)
	}
	if err := os.Chmod(into, 0o600); err != nil {
		return err
	}
	return Check(ctx, into)
}

func vacuum(ctx context.Context, path, into string) error {
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, into)
	return err
}

// Check says whether a database file is whole as SQLite sees it. It says nothing of
// what is written in it: the audit does.
func Check(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_busy_timeout=5000&immutable=1")
	if err != nil {
		return err
	}
	defer db.Close()
	var said string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if said != "ok" {
		return fmt.Errorf("%s: the database is damaged: %s", path, said)
	}
	return nil
}
