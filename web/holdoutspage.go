package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"proctor/holdout"
)

// holdoutsPage lists the sealed sets in force.
type holdoutsPage struct {
	Page page
	Sets []setView
}

type setView struct{ Name, Version, Link, Rows, Reserve, SealedAt, Retain string }

func (w *Server) holdoutsPage(c echo.Context) error {
	list, err := w.service.ActiveHoldouts(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	return send(c, http.StatusOK, "holdouts", newHoldoutsPage(w.page(c, "Sealed sets"), list))
}

func newHoldoutsPage(p page, list []holdout.Commitment) holdoutsPage {
	v := holdoutsPage{Page: p}
	v.Page.Here = "holdouts"
	for _, h := range list {
		v.Sets = append(v.Sets, setView{Name: h.Name, Version: count(int64(h.Version)), Link: "/holdouts/" + url.PathEscape(h.Name),
			Rows: count(int64(h.Rows)), Reserve: count(int64(h.ReserveRows)), SealedAt: moment(h.SealedAt), Retain: h.Retain})
	}
	return v
}
