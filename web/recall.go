package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
	"proctor/web/api"
)

// Recall is what takes approvals back, and what goes past them.
type Recall interface {
	ProposeRevocation(ctx context.Context, p access.Principal, r api.Revocation) (api.Change, error)
	// Impact lists the verdicts that rest on a digest.
	Impact(ctx context.Context, p access.Principal, digest string) ([]api.Impact, error)
	ProposeWaiver(ctx context.Context, p access.Principal, v api.Waiver) (api.Change, error)
	// WaiverBundle returns the bundle of the waiver that a proposal led to.
	WaiverBundle(ctx context.Context, p access.Principal, change string) ([]byte, error)
	// Revocations returns the signed list of all that is revoked; it is public.
	Revocations(ctx context.Context) ([]byte, error)
	// SignedTrust returns the trust file that the root keys signed; it is public.
	SignedTrust() ([]byte, error)
}

func (w *Server) recallRoutes(g *echo.Group) {
	g.POST("/revocations", w.proposeRevocation)
	g.GET("/impact", w.impact)
	g.POST("/waivers", w.proposeWaiver)
	g.GET("/waivers/:id", w.waiver)
}

func (w *Server) proposeRevocation(c echo.Context) error {
	var r api.Revocation
	if err := strict(c, &r); err != nil {
		return err
	}
	v, err := w.service.ProposeRevocation(c.Request().Context(), principal(c), r)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

func (w *Server) impact(c echo.Context) error {
	v, err := w.service.Impact(c.Request().Context(), principal(c), c.QueryParam("of"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

func (w *Server) proposeWaiver(c echo.Context) error {
	var r api.Waiver
	if err := strict(c, &r); err != nil {
		return err
	}
	v, err := w.service.ProposeWaiver(c.Request().Context(), principal(c), r)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

func (w *Server) waiver(c echo.Context) error {
	b, err := w.service.WaiverBundle(c.Request().Context(), principal(c), param(c, "id"))
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/vnd.dev.sigstore.bundle.v0.3+json", b)
}

func (w *Server) revocations(c echo.Context) error {
	b, err := w.service.Revocations(c.Request().Context())
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/json", b)
}

func (w *Server) signedTrust(c echo.Context) error {
	b, err := w.service.SignedTrust()
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", b)
}
