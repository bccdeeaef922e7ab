package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/web/api"
)

// problem is the one place that maps errors to answers. What it does not know is
// internal: the caller learns that, the log learns all.
func problem(err error) (int, api.Problem) {
	var e *harness.Error
	var h *echo.HTTPError
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, errNoToken):
		return http.StatusUnauthorized, api.Problem{Code: "denied", Message: "send a valid token: Authorization: Bearer TOKEN"}
	case errors.Is(err, errNoSession):
		return http.StatusUnauthorized, api.Problem{Code: "denied", Message: "sign in first"}
	case errors.Is(err, errForgery):
		return http.StatusForbidden, api.Problem{Code: "denied", Message: errForgery.Error()}
	case errors.Is(err, errTooMany):
		return http.StatusTooManyRequests, api.Problem{Code: "too-many", Message: errTooMany.Error()}
	case errors.Is(err, errNotAgain):
		return http.StatusForbidden, api.Problem{Code: "denied", Message: errNotAgain.Error()}
	case errors.Is(err, access.ErrDenied):
		return http.StatusForbidden, api.Problem{Code: "denied", Message: err.Error()}
	case errors.As(err, &e):
		if status, ok := statusOf[e.Kind]; ok {
			return status, api.Problem{Code: string(e.Kind), Message: e.Message}
		}
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, api.Problem{Code: "too-large", Message: "the body is too large"}
	case errors.As(err, &h) && h.Code >= 400 && h.Code < 500:
		return h.Code, api.Problem{Code: codeOf(h.Code), Message: strings.ToLower(http.StatusText(h.Code))}
	}
	return http.StatusInternalServerError, api.Problem{Code: "internal", Message: "the service failed; its log has the reason"}
}

var statusOf = map[harness.Kind]int{
	harness.Usage:    http.StatusBadRequest,
	harness.Missing:  http.StatusNotFound,
	harness.Conflict: http.StatusConflict,
	harness.Budget:   http.StatusTooManyRequests,
	harness.TooLarge: http.StatusRequestEntityTooLarge,
}

// codeOf names the refusals of the router and its middleware.
func codeOf(status int) string {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "not-found"
	case http.StatusRequestEntityTooLarge:
		return "too-large"
	}
	return "usage"
}

// fail answers a request that ended in an error: with JSON under /v1/ and /log/, with a
// page elsewhere. Whoever opens a page without a session is led to sign in.
func (w *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		w.log.Error("answer broken off", "path", c.Path(), "error", err)
		return
	}
	status, p := problem(err)
	retryAfter(c, err)
	if status >= 500 {
		w.log.Error("request failed", "method", c.Request().Method, "path", c.Path(), "error", err)
	}
	switch {
	case strings.HasPrefix(c.Request().URL.Path, "/v1/"), strings.HasPrefix(c.Request().URL.Path, "/log/"):
		err = c.JSON(status, p)
	case errors.Is(err, errNoSession) && c.Request().Method == http.MethodGet:
		err = c.Redirect(http.StatusSeeOther, loginAddress(c.Request().URL.EscapedPath()))
	default:
		err = w.errorPage(c, status, p)
	}
	if err != nil {
		w.log.Error("answer failed", "path", c.Path(), "error", err)
	}
}

func usage(message string) error { return &harness.Error{Kind: harness.Usage, Message: message} }
