package web

import (
	"errors"
	"net/url"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
)

// A decision that is signed in somebody's name takes more than a session, which a
// browser that was left open has too: the holder types his API token again or, where
// people sign in at an issuer, has signed in there just now.

var errNotAgain = errors.New("type your own API token again, or sign in again: a decision takes more than an open browser")

// again lets a decision pass if whoever sends it has shown again who he is.
func (w *Server) again(c echo.Context, token string) error {
	ctx := c.Request().Context()
	if token == "" {
		if fresh, err := w.fresh(c); err != nil || fresh {
			return err
		}
		return errNotAgain
	}
	p, err := w.service.Authenticate(ctx, token, "api")
	if errors.Is(err, access.ErrDenied) {
		return errNotAgain
	}
	if err == nil && (p.ID != principal(c).ID || p.Robot) {
		return errNotAgain
	}
	return err
}

// fresh says whether the session alone is enough.
func (w *Server) fresh(c echo.Context) (bool, error) {
	if w.signIn == nil {
		return false, nil
	}
	return w.service.Fresh(c.Request().Context(), session(c))
}

// signInAgain leads to the issuer and back; "" where there is none.
func (w *Server) signInAgain(back string) string {
	if w.signIn == nil {
		return ""
	}
	return "/login/begin?" + url.Values{"next": {back}}.Encode()
}
