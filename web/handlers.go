package web

import (
	_ "embed"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
	"proctor/web/api"
)

//go:embed openapi.yaml
var openapi []byte

func (w *Server) apiRoutes(g *echo.Group) {
	g.POST("/lineages/:lineage/submissions", w.submit)
	g.GET("/submissions", w.submissions)
	g.GET("/submissions/:id", w.submission)
	g.POST("/submissions/:id/cancellation", w.cancel)
	g.GET("/submissions/:id/evidence", w.bundle("evidence"))
	g.GET("/submissions/:id/approval", w.bundle("approval"))
	g.GET("/submissions/:id/report", w.report)
	g.POST("/submissions/:id/reviews", w.review)
	g.POST("/holdouts", w.proposeHoldout)
	g.POST("/holdouts/preview", w.previewHoldout)
	g.GET("/holdouts/:name", w.holdout)
	w.holdoutRoutes(g)
	w.backtestRoutes(g)
	w.recallRoutes(g)
	g.POST("/suites", w.proposeSuite)
	g.POST("/policies", w.proposePolicy)
	g.POST("/policies/check", w.checkPolicy)
	g.GET("/policies/init", w.initPolicy)
	g.POST("/baselines", w.proposeBaseline)
	g.POST("/accounts", w.proposeAccount)
	g.GET("/accounts", w.accounts)
	g.GET("/changes", w.changes)
	g.POST("/changes/:id/decision", w.decide)
	g.GET("/events", w.events)
	g.GET("/trust", w.trust)
	g.POST("/audit", w.audit)
	g.GET("/log/entries", w.logEntries)
}

func (w *Server) submit(c echo.Context) error {
	v, err := w.service.Submit(c.Request().Context(), principal(c), param(c, "lineage"), c.QueryParam("candidate"), c.Request().Body)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, v)
}

func (w *Server) submissions(c echo.Context) error {
	limit, err := limit(c, 50)
	if err != nil {
		return err
	}
	v, err := w.service.Submissions(c.Request().Context(), principal(c), api.Search{
		Lineage: c.QueryParam("lineage"), State: c.QueryParam("state"), Result: c.QueryParam("result"),
		Text: c.QueryParam("text"), Before: c.QueryParam("before"), Limit: limit,
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) cancel(c echo.Context) error {
	v, err := w.service.Cancel(c.Request().Context(), principal(c), param(c, "id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) events(c echo.Context) error {
	from, err := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	if err != nil || from < 0 {
		return usage("from is an index of the log, from 0 on")
	}
	limit, err := limit(c, 100)
	if err != nil {
		return err
	}
	v, err := w.service.Events(c.Request().Context(), principal(c), from, limit)
	if err != nil {
		return err
	}
	if v == nil {
		v = []api.Event{}
	}
	return c.JSON(http.StatusOK, v)
}

// limit is how many things of a list are asked for.
func limit(c echo.Context, otherwise int) (int, error) {
	q := c.QueryParam("limit")
	if q == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(q)
	if err != nil || n < 1 || n > 500 {
		return 0, usage("limit is a number from 1 to 500")
	}
	return n, nil
}

func (w *Server) submission(c echo.Context) error {
	v, err := w.service.Submission(c.Request().Context(), principal(c), param(c, "id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) bundle(which string) echo.HandlerFunc {
	return func(c echo.Context) error {
		b, err := w.service.Bundle(c.Request().Context(), principal(c), param(c, "id"), which)
		if err != nil {
			return err
		}
		return c.Blob(http.StatusOK, "application/vnd.dev.sigstore.bundle.v0.3+json", b)
	}
}

func (w *Server) report(c echo.Context) error {
	v, err := w.service.Report(c.Request().Context(), principal(c), param(c, "id"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Proctor-Report", v.Digest)
	return c.Blob(http.StatusOK, "application/json", v.Bytes)
}

func (w *Server) review(c echo.Context) error {
	var r api.Review
	if err := strict(c, &r); err != nil {
		return err
	}
	v, err := w.service.Review(c.Request().Context(), principal(c), param(c, "id"), r)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) holdout(c echo.Context) error {
	v, err := w.service.Holdout(c.Request().Context(), principal(c), param(c, "name"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) proposeSuite(c echo.Context) error {
	v, err := w.service.ProposeSuite(c.Request().Context(), principal(c), c.Request().Body)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

func (w *Server) proposePolicy(c echo.Context) error {
	b, err := document(c)
	if err != nil {
		return err
	}
	v, err := w.service.ProposePolicy(c.Request().Context(), principal(c), b)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

func (w *Server) checkPolicy(c echo.Context) error {
	b, err := document(c)
	if err != nil {
		return err
	}
	v, err := w.service.CheckPolicy(c.Request().Context(), principal(c), b)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) initPolicy(c echo.Context) error {
	v, err := w.service.InitPolicy(c.Request().Context(), principal(c), c.QueryParam("holdout"), c.QueryParam("lineage"), c.QueryParams()["suite"])
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/yaml", v)
}

func (w *Server) proposeBaseline(c echo.Context) error {
	var b api.Baseline
	if err := strict(c, &b); err != nil {
		return err
	}
	v, err := w.service.ProposeBaseline(c.Request().Context(), principal(c), b)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

func (w *Server) proposeAccount(c echo.Context) error {
	var v api.Account
	if err := strict(c, &v); err != nil {
		return err
	}
	a := access.Account{ID: v.Name, Person: v.Person, Robot: v.Robot}
	for _, r := range v.Roles {
		a.Roles = append(a.Roles, access.Role(r))
	}
	for _, i := range v.Identities {
		a.Identities = append(a.Identities, access.Identity(i))
	}
	for _, t := range v.Tokens {
		a.Tokens = append(a.Tokens, access.Token(t))
	}
	made, err := w.service.ProposeAccount(c.Request().Context(), principal(c), a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, made)
}

func (w *Server) accounts(c echo.Context) error {
	at, err := time.Parse(time.RFC3339, c.QueryParam("at"))
	if err != nil {
		return usage("at is a time like 2026-11-25T07:00:00Z")
	}
	v, err := w.service.Accounts(c.Request().Context(), principal(c), at)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) changes(c echo.Context) error {
	v, err := w.service.Changes(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	if v == nil {
		v = []api.Change{}
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) decide(c echo.Context) error {
	var d api.Decision
	if err := strict(c, &d); err != nil {
		return err
	}
	v, err := w.service.DecideChange(c.Request().Context(), principal(c), param(c, "id"), d.Activate)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) trust(c echo.Context) error {
	v, err := w.service.Trust()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) audit(c echo.Context) error {
	v, err := w.service.Audit(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}
