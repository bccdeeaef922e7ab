//go:build deps

// Package proctor holds the list of modules while the tree grows; it goes when every one is imported.
package proctor

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/apache/arrow/go/v15/arrow/ipc"
	_ "github.com/getkin/kin-openapi/openapi3filter"
	_ "github.com/getkin/kin-openapi/routers/gorillamux"
	_ "github.com/goccy/go-yaml"
	_ "github.com/google/uuid"
	_ "github.com/labstack/echo/v4/middleware"
	_ "github.com/landlock-lsm/go-landlock/landlock"
	_ "github.com/mattn/go-sqlite3"
	_ "github.com/pressly/goose/v3"
	_ "github.com/riverqueue/river"
	_ "github.com/riverqueue/river/riverdriver/riversqlite"
	_ "github.com/riverqueue/river/rivermigrate"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "golang.org/x/mod/sumdb/note"
	_ "golang.org/x/mod/sumdb/tlog"
	_ "golang.org/x/sys/unix"
	_ "gonum.org/v1/gonum/mathext"
	_ "gonum.org/v1/gonum/stat/distuv"
	_ "google.golang.org/protobuf/encoding/protowire"
)
