package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
	"proctor/web/api"
)

func (w *Server) pageRoutes(e *echo.Echo) {
	e.GET("/proctor.css", file("text/css; charset=utf-8", []byte(styleSheet)))
	e.GET("/proctor.svg", file("image/svg+xml", icon))
	e.GET("/cases.js", file("text/javascript; charset=utf-8", caseScript))
	e.GET("/login", w.loginForm)
	e.POST("/login", w.login, sameSite)
	g := e.Group("", w.signedIn)
	g.POST("/logout", w.logout, sameSite)
	g.GET("/", w.runsPage)
	g.GET("/runs/:id", w.runPage)
	g.GET("/runs/:id/evidence", w.download("evidence", w.bundle("evidence")))
	g.GET("/runs/:id/approval", w.download("approval", w.bundle("approval")))
	g.GET("/runs/:id/report", w.download("report", w.report))
	g.GET("/runs/:id/cases", w.casesPage)
	g.GET("/runs/:id/cases.csv", w.casesFile)
	g.GET("/runs/:id/slices.csv", w.slicesFile)
	g.POST("/runs/:id/rows", w.rowsForm, sameSite)
	g.POST("/runs/:id/review", w.reviewForm, sameSite)
	g.GET("/changes", w.changesPage)
	g.POST("/changes/:id", w.decideForm, sameSite)
	g.GET("/log", w.logPage)
	g.GET("/holdouts", w.holdoutsPage)
	g.GET("/holdouts/:name", w.holdoutPage)
}

// download lets a browser keep what the interface answers instead of opening it.
func (w *Server) download(name string, answer echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`.json"`)
		return answer(c)
	}
}

type errorPage struct {
	Page    page
	Status  int
	Problem api.Problem
}

func (w *Server) errorPage(c echo.Context, status int, p api.Problem) error {
	c.Response().Header().Del("Content-Disposition")
	return send(c, status, "error", errorPage{Page: w.page(c, http.StatusText(status)), Status: status, Problem: p})
}

type runsPage struct {
	Page    page
	Lineage string
	Runs    []listedRun
}

type listedRun struct {
	api.Submission
	Review string
}

func (w *Server) runsPage(c echo.Context) error {
	v := runsPage{Page: w.page(c, "Runs"), Lineage: c.QueryParam("lineage")}
	v.Page.Here = "runs"
	list, err := w.service.Submissions(c.Request().Context(), principal(c), api.Search{Lineage: v.Lineage, Limit: 200})
	if err != nil {
		return err
	}
	for _, s := range list {
		s.Submitted = moment(s.Submitted)
		v.Runs = append(v.Runs, listedRun{s, reviews(s)})
	}
	return send(c, http.StatusOK, "runs", v)
}

type changesPage struct {
	Page    page
	Changes []changeView
}

type changeView struct {
	api.Change
	Own, CanDecide bool
}

func (w *Server) changesPage(c echo.Context) error {
	p := principal(c)
	list, err := w.service.Changes(c.Request().Context(), p)
	if err != nil {
		return err
	}
	v := changesPage{Page: w.page(c, "Changes to the evaluation")}
	v.Page.Here = "changes"
	for _, ch := range list {
		ch.Proposed, ch.Decided = moment(ch.Proposed), moment(ch.Decided)
		own := ch.Proposer == p.ID
		may := access.Check(p, access.Activate, access.Object{Kind: ch.Kind}) == nil // only what is offered; the service decides
		v.Changes = append(v.Changes, changeView{Change: ch, Own: own, CanDecide: ch.State == "proposed" && may && !own})
	}
	return send(c, http.StatusOK, "changes", v)
}

// choice reads a form that decides between two words.
func choice(c echo.Context, yes, no string, fields ...string) (map[string]string, bool, error) {
	f, err := form(c, append(fields, "form", "decision")...)
	if err != nil {
		return nil, false, err
	}
	if err := checkForm(session(c), f["form"]); err != nil {
		return nil, false, err
	}
	switch f["decision"] {
	case yes:
		return f, true, nil
	case no:
		return f, false, nil
	}
	return nil, false, usage("the decision is neither " + yes + " nor " + no)
}

func (w *Server) decideForm(c echo.Context) error {
	_, activate, err := choice(c, "activate", "refuse")
	if err != nil {
		return err
	}
	if _, err := w.service.DecideChange(c.Request().Context(), principal(c), param(c, "id"), activate); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/changes")
}

func (w *Server) reviewForm(c echo.Context) error {
	f, approve, err := choice(c, "approve", "refuse", "reason", "report", "token")
	if err != nil {
		return err
	}
	if err := w.again(c, strings.TrimSpace(f["token"])); err != nil {
		return err
	}
	s, err := w.service.Review(c.Request().Context(), principal(c), param(c, "id"), api.Review{Approve: approve, Reason: f["reason"], Report: f["report"]})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, runAddress(s.ID)+"#review")
}

// denied says whether an error is a refusal for want of a right.
func denied(err error) bool { return errors.Is(err, access.ErrDenied) }
