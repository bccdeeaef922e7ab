package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"proctor/web/api"
)

// logPage is the log in words: how whoever wants to notice notices.
type logPage struct {
	Page         page
	Entries      []logEntry
	Older, Newer string // addresses; "": none
}

type logEntry struct {
	api.Event
	Number, Link string
	Here         bool
}

const entriesPerPage = 50

// logPage shows entries from an index on.
func (w *Server) logPage(c echo.Context) error {
	from, err := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	if c.QueryParam("from") != "" && (err != nil || from < 0) {
		return usage("from is an index of the log, from 0 on")
	}
	list, err := w.service.Events(c.Request().Context(), principal(c), from, entriesPerPage)
	if err != nil {
		return err
	}
	v := logPage{Page: w.page(c, "Log")}
	v.Page.Here = "log"
	for _, e := range list {
		x := logEntry{Event: e, Number: count(e.Index), Here: c.QueryParam("from") != "" && e.Index == from}
		x.At = moment(e.At)
		if e.Run != "" {
			x.Link = runAddress(e.Run)
		}
		v.Entries = append(v.Entries, x)
	}
	if from > 0 {
		v.Older = logAddress(max(0, from-entriesPerPage))
	}
	if len(list) == entriesPerPage {
		v.Newer = logAddress(from + entriesPerPage)
	}
	return send(c, http.StatusOK, "log", v)
}
