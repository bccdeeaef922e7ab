package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"proctor/harness/access"
)

// A session is a cookie with a secret that the service made at sign-in. Each form
// carries a token that is derived from that secret by a one-way function: another
// site can neither read it nor make it, and the server keeps nothing. The form
// that signs in has no session yet; there a random cookie takes its place.
//
// The token is one of two locks. The other is [sameSite], which asks the browser.

var (
	errNoSession = errors.New("no valid session")
	errForgery   = errors.New("the request does not come from this page: open the page again and repeat what you did")
)

const sessionKey = "session"

// cookie names: the prefix makes browsers refuse such a cookie from another host
// or over plain HTTP.
func (w *Server) cookieName(name string) string {
	if w.secure {
		return "__Host-" + name
	}
	return name
}

func (w *Server) setCookie(c echo.Context, name, value string) {
	k := &http.Cookie{Name: w.cookieName(name), Value: value, Path: "/", Secure: w.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if value == "" {
		k.MaxAge = -1
	}
	c.SetCookie(k)
}

func (w *Server) cookie(c echo.Context, name string) string {
	k, err := c.Cookie(w.cookieName(name))
	if err != nil {
		return ""
	}
	return k.Value
}

// signedIn lets in who has a session.
func (w *Server) signedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		secret := w.cookie(c, "proctor")
		if secret == "" {
			return errNoSession
		}
		p, err := w.service.Authenticate(c.Request().Context(), secret, "session")
		if errors.Is(err, access.ErrDenied) {
			return errNoSession
		}
		if err != nil {
			return err
		}
		c.Set(principalKey, p)
		c.Set(sessionKey, secret)
		return w.limits.byAccount(p.ID, func() error { return next(c) })
	}
}

// formToken returns what a form of the holder of secret carries.
func formToken(secret string) string {
	if secret == "" {
		return ""
	}
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("proctor/web/form/1"))
	return hex.EncodeToString(m.Sum(nil))
}

// checkForm refuses a form that this server did not send to the holder of secret.
func checkForm(secret, token string) error {
	if secret == "" || !hmac.Equal([]byte(formToken(secret)), []byte(token)) {
		return errForgery
	}
	return nil
}

// sameSite refuses a request that a browser sent from another site. A browser that
// says nothing, neither by Sec-Fetch-Site nor by Origin, is refused too.
func sameSite(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
			return errForgery
		} else if origin := r.Header.Get("Origin"); origin != "" {
			u, err := url.Parse(origin)
			if err != nil || u.Host == "" || u.Host != r.Host {
				return errForgery
			}
		} else if site == "" {
			return errForgery
		}
		return next(c)
	}
}

// loginAddress is the sign-in page that leads on to path.
func loginAddress(path string) string {
	if path == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {path}}.Encode()
}

// local returns where to go after sign-in: next if it is a page of this server.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

type loginPage struct {
	Page          page
	Next, Refused string
	At            string // host of the issuer where people sign in; "": by token alone
}

func (w *Server) loginForm(c echo.Context) error {
	return w.showLogin(c, http.StatusOK, local(c.QueryParam("next")), "")
}

func (w *Server) showLogin(c echo.Context, status int, next, refused string) error {
	secret := w.cookie(c, "proctor-login")
	if len(secret) != 52 {
		secret = rand.Text() + rand.Text()
		w.setCookie(c, "proctor-login", secret)
	}
	return send(c, status, "login", loginPage{Page: page{Title: "Sign in", Form: formToken(secret)}, Next: next, Refused: refused, At: w.issuer()})
}

// login opens a session. Its secret is always a new one: a cookie that somebody
// planted before is never what the session is known by.
func (w *Server) login(c echo.Context) error {
	f, err := form(c, "form", "token", "next")
	if err != nil {
		return err
	}
	if err := checkForm(w.cookie(c, "proctor-login"), f["form"]); err != nil {
		return err
	}
	session, _, err := w.service.Login(c.Request().Context(), strings.TrimSpace(f["token"]))
	if errors.Is(err, access.ErrDenied) {
		_, p := problem(err)
		return w.showLogin(c, http.StatusUnauthorized, local(f["next"]), p.Message)
	}
	if err != nil {
		return err
	}
	if err := w.enter(c, session); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, local(f["next"]))
}

// enter gives the browser a new session, and ends the one that it had.
func (w *Server) enter(c echo.Context, session string) error {
	if old := w.cookie(c, "proctor"); old != "" {
		if err := w.service.Logout(c.Request().Context(), old); err != nil {
			return err
		}
	}
	w.setCookie(c, "proctor-login", "")
	w.setCookie(c, "proctor", session)
	return nil
}

// logout ends the session at the service, not only in the browser.
func (w *Server) logout(c echo.Context) error {
	f, err := form(c, "form")
	if err != nil {
		return err
	}
	if err := checkForm(session(c), f["form"]); err != nil {
		return err
	}
	if err := w.service.Logout(c.Request().Context(), session(c)); err != nil {
		return err
	}
	w.setCookie(c, "proctor", "")
	return c.Redirect(http.StatusSeeOther, "/login")
}

func session(c echo.Context) string {
	s, _ := c.Get(sessionKey).(string)
	return s
}
