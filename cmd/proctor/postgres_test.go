package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/access"
	"proctor/harness/store/postgres/postgrestest"
)

// A folder whose database is a server's: made, opened again, and refused where the two
// do not belong together.
func TestPostgresFolder(t *testing.T) {
	server := postgrestest.Start(t)
	d := dataDir{Dir: filepath.Join(t.TempDir(), "data"), DB: server.Database(""), Name: "https://proctor.local"}
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	open := func(d dataDir) (*service, error) { return d.open(ctx, quiet, nil) }
	s, err := open(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddAccount(ctx, access.Principal{ID: "anna", Person: "anna", Roles: []access.Role{access.Auditor}}, time.Hour); err != nil {
		t.Fatal(err)
	}
	refused := func(what, want string, d dataDir) {
		t.Helper()
		other, err := open(d)
		if err == nil {
			other.close()
		}
		var own *coded
		if !errors.As(err, &own) || own.Code != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	elsewhere := d
	elsewhere.Dir = filepath.Join(t.TempDir(), "data")
	refused("a database that is served", "another service has this database", elsewhere)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	refused("a log that began elsewhere", "holds a log of", elsewhere)
	file := d
	file.DB = ""
	refused("the folder without its database", "proctor.db is missing", file)
	empty := d
	empty.DB = server.Database("")
	if _, err := open(empty); err == nil || !strings.Contains(err.Error(), "the log") {
		t.Errorf("the folder with a database that forgot all: %v", err)
	}
	if s, err = open(d); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
