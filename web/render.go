package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/proctor.css
var styleSheet string

//go:embed static/cases.js
var caseScript []byte

//go:embed static/proctor.svg
var icon []byte

// page is what every page has: its title, who is signed in, the token of its forms.
type page struct {
	Title, Here string
	Who, Roles  string
	Form        string
}

// pages holds one template set a page: the layout and the shared parts with the
// page's own content.
var pages = parsePages("runs", "run", "state", "changes", "holdout", "login", "continue", "error", "cases", "rows", "log", "holdouts")

func parsePages(names ...string) map[string]*template.Template {
	shared := template.Must(template.ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/report.html", "templates/calibration.html"))
	out := map[string]*template.Template{}
	for _, name := range names {
		t := template.Must(shared.Clone())
		out[name] = template.Must(t.ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return out
}

// renderPage writes a page. Everything in view is made [visible] first.
func renderPage[T any](name string, view T) ([]byte, error) {
	var b bytes.Buffer
	if err := pages[name].ExecuteTemplate(&b, "layout.html", shown(view)); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// send answers with a page, once it is complete: a page that breaks off in the
// middle could leave out the very line that matters.
func send[T any](c echo.Context, status int, name string, view T) error {
	b, err := renderPage(name, view)
	if err != nil {
		return err
	}
	return c.HTMLBlob(status, b)
}

// page returns the frame of a page for whoever is signed in.
func (w *Server) page(c echo.Context, title string) page {
	p := principal(c)
	roles := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		roles[i] = string(r)
	}
	return page{Title: title, Who: p.ID, Roles: strings.Join(roles, ", "), Form: formToken(session(c))}
}

// file answers with one of the files that pages load.
func file(contentType string, content []byte) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-cache")
		return c.Blob(http.StatusOK, contentType, content)
	}
}
