package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// tileRoutes publish the log as C2SP tlog-tiles below /log. It needs no token: the
// leaves hold hashes and signatures only, and a log that is hard to read is hard to
// watch.
func (w *Server) tileRoutes(e *echo.Echo) {
	e.GET("/log/checkpoint", w.checkpoint)
	e.GET("/log/tile/*", w.tile)
	e.GET("/log/revocations", w.revocations)
	e.GET("/log/trust", w.signedTrust)
}

func (w *Server) checkpoint(c echo.Context) error {
	b, err := w.service.LogCheckpoint()
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", b)
}

// tile answers with bytes that never change: a tile that grows has another path.
func (w *Server) tile(c echo.Context) error {
	b, err := w.service.LogTile(c.Request().Context(), strings.TrimPrefix(c.Request().URL.Path, "/log/"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=604800, immutable")
	return c.Blob(http.StatusOK, "application/octet-stream", b)
}

// logEntries answers with logged statements, for auditors.
func (w *Server) logEntries(c echo.Context) error {
	from, err := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	if err != nil {
		return usage("from is the index of the first entry")
	}
	limit, err := strconv.Atoi(c.QueryParam("limit"))
	if err != nil {
		return usage("limit is a number from 1 to 256")
	}
	list, err := w.service.LogEntries(c.Request().Context(), principal(c), from, limit)
	if err != nil {
		return err
	}
	out := make([]json.RawMessage, len(list))
	for i, b := range list {
		out[i] = b
	}
	return c.JSON(http.StatusOK, out)
}
