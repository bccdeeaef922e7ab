package sqlite

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"proctor/harness/store"
	"proctor/harness/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Engine {
		path := filepath.Join(t.TempDir(), "p.db")
		return storetest.Engine{
			Open: func() (*store.Store, error) {
				return Open(context.Background(), path, time.Now, slog.New(slog.DiscardHandler))
			},
			Raw: func() *sql.DB {
				db, err := sql.Open("sqlite3", path)
				if err != nil {
					t.Fatal(err)
				}
				return db
			},
		}
	})
}
