// Package web is the service over HTTP: an API for pipelines and review pages
// for people. It holds no rule of its own: every call goes to a [Service], which
// checks who may do it. What is here is reading requests strictly, turning errors
// into answers in one function, and never sending what a caller may not see.
//
// Callers are hostile until their token says otherwise, and so is every text that
// came from them or from a model. Two things hold for every page: the text passes
// [visible], which shows characters that could deceive a reader as codes, and then
// html/template alone, which escapes it; and the page carries a content policy
// that runs no script (on the page of cases: this server's own file alone) and loads
// nothing from elsewhere.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"proctor/harness/access"
)

// Sizes and times that bound what one caller can cost.
const (
	maxBody     = "1GiB"   // tables to be sealed; packages are bounded tighter by the service
	maxDocument = 1 << 20  // policies, reviews, decisions
	maxForm     = 64 << 10 // forms on pages
	readTimeout = 15 * time.Minute
)

// A Server answers requests for one service.
type Server struct {
	service Service
	log     *slog.Logger
	echo    *echo.Echo
	secure  bool
	limits  limits
	signIn  SignIn // nil: by token alone
}

// New returns a server. secure says whether it is reached over TLS: cookies are
// then bound to that.
func New(s Service, log *slog.Logger, secure bool) *Server {
	w := &Server{service: s, log: log, echo: echo.New(), secure: secure, limits: newLimits()}
	e := w.echo
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect() // a header that anyone can send is not an address
	e.HTTPErrorHandler = w.fail
	e.Server.Handler = e
	e.Server.ReadHeaderTimeout = 10 * time.Second
	e.Server.ReadTimeout = readTimeout
	e.Server.IdleTimeout = 2 * time.Minute
	e.Server.MaxHeaderBytes = 64 << 10
	e.Use(headers, w.recover(), w.limits.bySocket, middleware.BodyLimit(maxBody))
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", w.ready)
	e.GET("/v1/openapi.yaml", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/yaml", openapi) })
	w.apiRoutes(e.Group("/v1", w.bearer))
	w.tileRoutes(e)
	w.pageRoutes(e)
	return w
}

// Handler returns the server as a handler, for tests.
func (w *Server) Handler() http.Handler { return w.echo }

// ready tells a load balancer whether this process can do its work now; healthz, only
// that it runs. What is wrong is for the operator's log.
func (w *Server) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	if err := w.service.Ready(ctx); err != nil {
		w.log.Error("not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// Around puts a handler around all that the server answers, for one who counts.
func (w *Server) Around(outer func(http.Handler) http.Handler) {
	w.echo.Server.Handler = outer(w.echo)
}

// Serve answers on l until ctx ends, then finishes what it is answering.
func (w *Server) Serve(ctx context.Context, l net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- w.echo.Server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return w.echo.Shutdown(stop)
	}
}

// contentPolicy lets a page load its style sheet and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// headers sets what every answer carries. The referrer stays within this site,
// and does so with an origin: under "no-referrer" browsers send forms with the
// origin "null", which [sameSite] could not tell from a foreign one.
func headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		return next(c)
	}
}

// recover turns a panic of a handler into an internal error. Its stack goes to the log.
func (w *Server) recover() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisablePrintStack: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			w.log.Error("panic", "method", c.Request().Method, "path", c.Path(), "error", err, "stack", string(stack))
			return err
		},
	})
}

const principalKey = "principal"

var errNoToken = errors.New("no valid token")

// bearer lets in who holds an API token.
func (w *Server) bearer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		secret, ok := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		if !ok || secret == "" {
			return errNoToken
		}
		p, err := w.service.Authenticate(c.Request().Context(), secret, "api")
		if errors.Is(err, access.ErrDenied) {
			return errNoToken
		}
		if err != nil {
			return err
		}
		c.Set(principalKey, p)
		return w.limits.byAccount(p.ID, func() error { return next(c) })
	}
}

func principal(c echo.Context) access.Principal {
	p, _ := c.Get(principalKey).(access.Principal) // the zero principal may do nothing
	return p
}
