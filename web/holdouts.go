package web

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
	"proctor/holdout"
	"proctor/web/api"
)

// Holdouts are what is done with sealed sets outside of runs. Each opening is logged
// before it happens.
type Holdouts interface {
	// Budget says what a lineage has left on its sets; submitters see no sets.
	Budget(ctx context.Context, p access.Principal, lineage string) (api.Budget, error)
	// ProveRow proves a row to who has it. A wrong row is a refusal, and counted.
	ProveRow(ctx context.Context, p access.Principal, name string, r api.RowClaim) (holdout.RowProof, error)
	// ShowRows shows rows of a run's set to a reviewer, within the set's budget.
	ShowRows(ctx context.Context, p access.Principal, run string, lines []int) (api.ShownRows, error)
	// Practice returns the practice rows as JSON lines.
	Practice(ctx context.Context, p access.Principal, name string) ([]byte, error)
	// AuditHoldout derives what is claimed of one set from log and blobs.
	AuditHoldout(ctx context.Context, p access.Principal, name string) (api.Audit, error)
	// RotateHoldout proposes the reserve as the next version; reserve may be nil.
	RotateHoldout(ctx context.Context, p access.Principal, name, format string, reserve io.Reader) (api.Change, error)
	// AmendHoldout proposes a set with corrections, one JSON object a line.
	AmendHoldout(ctx context.Context, p access.Principal, name string, corrections io.Reader) (api.Change, error)
	// ProposeDestruction proposes to give up a version's data key.
	ProposeDestruction(ctx context.Context, p access.Principal, name string, version int) (api.Change, error)
}

func (w *Server) holdoutRoutes(g *echo.Group) {
	g.GET("/lineages/:lineage/budget", w.budget)
	g.POST("/submissions/:id/rows", w.showRows)
	g.GET("/holdouts/:name/practice", w.practice)
	g.POST("/holdouts/:name/proofs", w.proveRow)
	g.POST("/holdouts/:name/audit", w.auditHoldout)
	g.POST("/holdouts/:name/rotation", w.rotate)
	g.POST("/holdouts/:name/amendments", w.amend)
	g.POST("/holdouts/:name/destructions", w.destroy)
}

func (w *Server) budget(c echo.Context) error {
	v, err := w.service.Budget(c.Request().Context(), principal(c), param(c, "lineage"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) showRows(c echo.Context) error {
	var lines api.Lines
	if err := strict(c, &lines); err != nil {
		return err
	}
	v, err := w.service.ShowRows(c.Request().Context(), principal(c), param(c, "id"), lines.Rows)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) practice(c echo.Context) error {
	b, err := w.service.Practice(c.Request().Context(), principal(c), param(c, "name"))
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/jsonl", b)
}

func (w *Server) proveRow(c echo.Context) error {
	var r api.RowClaim
	if err := strict(c, &r); err != nil {
		return err
	}
	v, err := w.service.ProveRow(c.Request().Context(), principal(c), param(c, "name"), r)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) auditHoldout(c echo.Context) error {
	v, err := w.service.AuditHoldout(c.Request().Context(), principal(c), param(c, "name"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

// rotate takes the next reserve as its body; an empty body is none.
func (w *Server) rotate(c echo.Context) error {
	if err := access.Check(principal(c), access.Propose, access.Object{Kind: "holdout"}); err != nil {
		return err
	}
	b, err := io.ReadAll(c.Request().Body) // in memory: rows in clear are not for the disk
	if err != nil {
		return usage("the reserve could not be read to its end")
	}
	var reserve io.Reader
	if len(b) > 0 {
		reserve = bytes.NewReader(b)
	}
	v, err := w.service.RotateHoldout(c.Request().Context(), principal(c), param(c, "name"), c.QueryParam("format"), reserve)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

func (w *Server) amend(c echo.Context) error {
	if err := access.Check(principal(c), access.Propose, access.Object{Kind: "holdout"}); err != nil {
		return err
	}
	v, err := w.service.AmendHoldout(c.Request().Context(), principal(c), param(c, "name"), c.Request().Body)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

func (w *Server) destroy(c echo.Context) error {
	var d api.Destruction
	if err := strict(c, &d); err != nil {
		return err
	}
	v, err := w.service.ProposeDestruction(c.Request().Context(), principal(c), param(c, "name"), d.Version)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}
