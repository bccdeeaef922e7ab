package web

import (
	"errors"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// How often a caller may ask: by the address that he asks from before it is known who
// he is, and by his account after. Many people share an address, behind a proxy all
// of them; it is bounded for the machine's sake. A page is a few requests, a pipeline
// that waits asks once a second.
const (
	socketRate, socketBurst   = 300, 1000
	accountRate, accountBurst = 50, 200
)

var errTooMany = errors.New("too many requests: wait a second and ask again")

// limits counts the requests of callers; what it knows of one is forgotten after a
// time without any.
type limits struct {
	sockets, accounts *middleware.RateLimiterMemoryStore
}

func newLimits() limits {
	return limits{
		middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{Rate: socketRate, Burst: socketBurst, ExpiresIn: 3 * time.Minute}),
		middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{Rate: accountRate, Burst: accountBurst, ExpiresIn: 3 * time.Minute}),
	}
}

// bySocket refuses an address that asks too often. Whether the process lives is told
// to whoever asks.
func (l limits) bySocket(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if path := c.Request().URL.Path; path == "/healthz" || path == "/readyz" {
			return next(c)
		}
		return allow(l.sockets, c.RealIP(), func() error { return next(c) })
	}
}

// byAccount refuses an account that asks too often, whatever number of tokens and
// addresses it has.
func (l limits) byAccount(account string, next func() error) error {
	return allow(l.accounts, account, next)
}

func allow(s *middleware.RateLimiterMemoryStore, who string, next func() error) error {
	ok, err := s.Allow(who)
	if err != nil {
		return err
	}
	if !ok {
		return errTooMany
	}
	return next()
}

// retryAfter tells programs when to come again.
func retryAfter(c echo.Context, err error) {
	if errors.Is(err, errTooMany) {
		c.Response().Header().Set("Retry-After", "1")
	}
}
