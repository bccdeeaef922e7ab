package postgres

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"proctor/harness/store"
	"proctor/harness/store/postgres/postgrestest"
	"proctor/harness/store/storetest"
)

func opened(name string) (*store.Store, error) {
	return Open(context.Background(), name, time.Now, slog.New(slog.DiscardHandler))
}

func TestStore(t *testing.T) {
	server := postgrestest.Start(t)
	storetest.Run(t, func(t *testing.T) storetest.Engine {
		name := server.Database("")
		return storetest.Engine{
			Open: func() (*store.Store, error) { return opened(name) },
			Raw: func() *sql.DB {
				db, err := sql.Open("pgx", name)
				if err != nil {
					t.Fatal(err)
				}
				return db
			},
		}
	})
	t.Run("OneService", func(t *testing.T) { oneService(t, server.Database("")) })
	t.Run("Order", func(t *testing.T) { order(t, server) })
	t.Run("Restart", func(t *testing.T) { restart(t, server) })
	t.Run("Truncate", func(t *testing.T) { truncate(t, server.Database("")) })
}

// Two services on one database would each take the other's runs for a dead one's.
func oneService(t *testing.T, name string) {
	first, err := opened(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened(name); !errors.Is(err, ErrServed) {
		t.Errorf("a second service: %v", err)
	}
	first.Close()
	again, err := opened(name)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again.Close()
}

// Where texts sort by a language, times would not sort.
func order(t *testing.T, server *postgrestest.Server) {
	if _, err := opened(server.Database("en-US")); err == nil || !strings.Contains(err.Error(), "LC_COLLATE 'C'") {
		t.Errorf("%v", err)
	}
	if _, err := opened("postgres://u:secret@[bad"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a name that is none: %v", err)
	}
}

// A server that dies and comes back costs what was not committed, and no more: the
// store goes on without being opened anew.
func restart(t *testing.T, server *postgrestest.Server) {
	name := server.Database("")
	s, err := opened(name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	if err := s.Update(ctx, func(tx *store.Tx) error { return tx.SetCursor("a", 1) }); err == nil {
		t.Error("a cursor that is not there was moved")
	}
	add := func() error {
		return s.Update(ctx, func(tx *store.Tx) error { _, err := tx.Cursor("a"); return err })
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	server.Down()
	if err := add(); err == nil {
		t.Error("a server that is down took a transaction")
	}
	server.Up()
	for try := 0; ; try++ { // connections of before are found dead once each
		if err = add(); err == nil || try == 20 {
			break
		}
	}
	if err != nil {
		t.Errorf("after the server came back: %v", err)
	}
	// Its lock died with the server. Whoever begins now has the database, and the first
	// writes nothing any more.
	second, err := opened(name)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := add(); !errors.Is(err, ErrServed) {
		t.Errorf("two services write: %v", err)
	}
}

// What SQLite does not have is refused too.
func truncate(t *testing.T, name string) {
	s, err := opened(name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := sql.Open("pgx", name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"log_leaves", "log_hashes"} {
		if _, err := db.Exec(`TRUNCATE ` + table); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", table, err)
		}
	}
}
