package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
)

// SignIn is where people sign in besides here: an OpenID Connect issuer.
type SignIn interface {
	// Host names the issuer for people.
	Host() string
	// Begin returns where to send a browser. The three are its new secrets.
	Begin(ctx context.Context, state, nonce, verifier string) (address string, err error)
	// Finish returns who came back with a code, or why it does not count.
	Finish(ctx context.Context, code, nonce, verifier string) (issuer string, claims map[string]string, err error)
	// Invalid says whether an error of Finish is the visitor's and not the issuer's.
	Invalid(err error) bool
}

// SignInAt lets people sign in at an issuer. It comes before anything is served.
func (w *Server) SignInAt(s SignIn) {
	w.signIn = s
	w.echo.GET("/login/begin", w.beginLogin)
	w.echo.GET("/login/back", w.finishLogin)
}

func (w *Server) issuer() string {
	if w.signIn == nil {
		return ""
	}
	return w.signIn.Host()
}

// Its secrets wait in a cookie of the browser that began, so that no other can go on.
const beganCookie = "proctor-began"

// beginLogin sends the browser to the issuer. The cookie is laxer than a session's:
// it has to come along when the issuer sends the browser back.
func (w *Server) beginLogin(c echo.Context) error {
	state, nonce, verifier := rand.Text()+rand.Text(), rand.Text()+rand.Text(), rand.Text()+rand.Text()
	to, err := w.signIn.Begin(c.Request().Context(), state, nonce, verifier)
	if err != nil {
		return err
	}
	c.SetCookie(&http.Cookie{Name: w.cookieName(beganCookie), Value: strings.Join([]string{state, nonce, verifier, hex.EncodeToString([]byte(local(c.QueryParam("next"))))}, "."),
		Path: "/", MaxAge: 600, Secure: w.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return c.Redirect(http.StatusSeeOther, to)
}

// finishLogin opens a session for whom the issuer sent back to the browser that began.
func (w *Server) finishLogin(c echo.Context) error {
	began := strings.Split(w.cookie(c, beganCookie), ".")
	c.SetCookie(&http.Cookie{Name: w.cookieName(beganCookie), Path: "/", MaxAge: -1, Secure: w.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	if len(began) != 4 || subtle.ConstantTimeCompare([]byte(began[0]), []byte(c.QueryParam("state"))) != 1 {
		return errForgery
	}
	asked, _ := hex.DecodeString(began[3])
	next := local(string(asked))
	if c.QueryParam("error") != "" || c.QueryParam("code") == "" {
		return w.showLogin(c, http.StatusUnauthorized, next, "the issuer did not sign you in")
	}
	issuer, claims, err := w.signIn.Finish(c.Request().Context(), c.QueryParam("code"), began[1], began[2])
	if err != nil && w.signIn.Invalid(err) {
		w.log.Warn("a sign-in was refused", "error", err)
		return w.showLogin(c, http.StatusUnauthorized, next, "the issuer's answer is not valid")
	}
	if err != nil {
		return err
	}
	session, _, err := w.service.LoginAs(c.Request().Context(), issuer, claims)
	if errors.Is(err, access.ErrDenied) {
		_, p := problem(err)
		return w.showLogin(c, http.StatusUnauthorized, next, p.Message)
	}
	if err != nil {
		return err
	}
	if err := w.enter(c, session); err != nil {
		return err
	}
	// A page and no redirect: a browser that was sent here by another site brings the
	// session's cookie only where this site sends it.
	return send(c, http.StatusOK, "continue", continuePage{Page: page{Title: "Signed in"}, Next: next})
}

type continuePage struct {
	Page page
	Next string
}
