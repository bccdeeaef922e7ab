package web

import (
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
	"proctor/web/api"
)

// Backtests tell what a draft would have meant for past candidates: results and rules, no
// figure and no row.
type Backtests interface {
	BacktestPolicy(ctx context.Context, p access.Principal, text []byte) (api.Backtest, error)
	BacktestSuite(ctx context.Context, p access.Principal, archive io.Reader) (api.Backtest, error)
	// BacktestChange replays a proposal, for whoever is to decide on it.
	BacktestChange(ctx context.Context, p access.Principal, id string) (api.Backtest, error)
}

func (w *Server) backtestRoutes(g *echo.Group) {
	g.POST("/policies/backtest", w.backtestPolicy)
	g.POST("/suites/backtest", w.backtestSuite)
	g.GET("/changes/:id/backtest", w.backtestChange)
}

func (w *Server) backtestPolicy(c echo.Context) error {
	text, err := document(c)
	if err != nil {
		return err
	}
	v, err := w.service.BacktestPolicy(c.Request().Context(), principal(c), text)
	return told(c, v, err)
}

func (w *Server) backtestSuite(c echo.Context) error {
	v, err := w.service.BacktestSuite(c.Request().Context(), principal(c), c.Request().Body)
	return told(c, v, err)
}

func (w *Server) backtestChange(c echo.Context) error {
	v, err := w.service.BacktestChange(c.Request().Context(), principal(c), param(c, "id"))
	return told(c, v, err)
}

func told(c echo.Context, v api.Backtest, err error) error {
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}
