package web

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/labstack/echo/v4"

	"proctor/harness"
	"proctor/harness/access"
)

// proposeHoldout seals the tables of a form.
func (w *Server) proposeHoldout(c echo.Context) error {
	p, err := proposal(c)
	if err != nil {
		return err
	}
	v, err := w.service.ProposeHoldout(c.Request().Context(), principal(c), p)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, v)
}

// previewHoldout says what the tables of a form would be as a sealed set.
func (w *Server) previewHoldout(c echo.Context) error {
	p, err := proposal(c)
	if err != nil {
		return err
	}
	v, err := w.service.PreviewHoldout(c.Request().Context(), principal(c), p)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

// proposal reads a multipart form: spec, table, and reserve if there is one. Who may
// not propose is refused before the tables are read; the service checks again.
func proposal(c echo.Context) (p harness.HoldoutProposal, err error) {
	if err := access.Check(principal(c), access.Propose, access.Object{Kind: "holdout"}); err != nil {
		return p, err
	}
	form, err := c.Request().MultipartReader()
	if err != nil {
		return p, usage("send a multipart form with the parts spec, table and, if there is one, reserve")
	}
	parts, err := readParts(form)
	if err != nil {
		return p, err
	}
	p = harness.HoldoutProposal{Spec: parts["spec"], Format: c.QueryParam("format"), Table: bytes.NewReader(parts["table"])}
	if reserve, ok := parts["reserve"]; ok {
		p.Reserve = bytes.NewReader(reserve)
	}
	return p, nil
}

// readParts keeps the parts in memory: the ordinary form parser would spill rows
// and labels in clear to temporary files.
func readParts(form *multipart.Reader) (map[string][]byte, error) {
	parts := map[string][]byte{}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, usage("the form could not be read to its end")
		}
		name := part.FormName()
		if _, twice := parts[name]; twice || name != "spec" && name != "table" && name != "reserve" {
			return nil, usage(fmt.Sprintf("the form has the part %q twice, or it is none of spec, table, reserve", name))
		}
		if parts[name], err = io.ReadAll(part); err != nil {
			return nil, usage(fmt.Sprintf("the part %q could not be read to its end", name))
		}
	}
	if parts["spec"] == nil || parts["table"] == nil {
		return nil, usage("the form needs the parts spec and table")
	}
	return parts, nil
}
