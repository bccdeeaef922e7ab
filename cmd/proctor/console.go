package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/web/api"
	"proctor/web/client"
)

// The console is where the keys lie. Whoever may read them could sign anything, so
// that accounts made here need no second person; the log names each as made here.
// A running service listens on a socket in a folder that its user alone can enter;
// while none runs, the command opens the data folder itself.
const consoleSocket = "trusted/console.sock"

// An order is what the console asks for.
type order struct {
	Do      string        `json:"do"` // add, renew, end
	Account string        `json:"account"`
	Person  string        `json:"person,omitempty"`
	Robot   bool          `json:"robot,omitempty"`
	Roles   []access.Role `json:"roles,omitempty"`
	Valid   time.Duration `json:"valid,omitempty"`

	Identities []access.Identity `json:"identities,omitempty"`
}

func (d order) carryOut(ctx context.Context, s *harness.Service) (token string, err error) {
	switch d.Do {
	case "add":
		return s.AddAccount(ctx, access.Principal{ID: d.Account, Person: d.Person, Robot: d.Robot, Roles: d.Roles}, d.Valid, d.Identities...)
	case "renew":
		return s.RenewAccount(ctx, d.Account, d.Valid)
	case "end":
		return "", s.EndAccount(ctx, d.Account)
	}
	return "", &harness.Error{Kind: harness.Usage, Message: "the console does not know " + strconv.Quote(clip(d.Do))}
}

// give has an order carried out by the service that runs on the folder, or here.
func (d dataDir) give(ctx context.Context, what order) (token string, err error) {
	if _, err := os.Stat(d.path("FORMAT")); errors.Is(err, fs.ErrNotExist) {
		return "", usagef("%s is no data folder; 'proctor serve --dir %s' makes one", d.Dir, d.Dir)
	}
	if err := d.whole(); err != nil {
		return "", err
	}
	token, err = d.ask(ctx, what)
	if !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ECONNREFUSED) {
		return token, err
	}
	s, err := d.open(ctx, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return what.carryOut(ctx, s.Service)
}

// ask sends an order to the running service.
func (d dataDir) ask(ctx context.Context, what order) (string, error) {
	path, done, err := d.socket()
	if err != nil {
		return "", err
	}
	defer done()
	body, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	h := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	defer h.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://console/", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := h.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return "", fmt.Errorf("the service broke off: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return string(b), nil
	}
	refused := &client.Error{Status: resp.StatusCode}
	if err := json.Unmarshal(b, &refused.Problem); err != nil || refused.Message == "" {
		refused.Problem = api.Problem{Code: "internal", Message: "the service answered " + resp.Status}
	}
	return "", refused
}

// socket is the path of the console's socket. Socket names are short; a long one is
// reached through its open folder.
func (d dataDir) socket() (path string, done func(), err error) {
	path = d.path(consoleSocket)
	if len(path) < 100 {
		return path, func() {}, nil
	}
	dir, err := os.Open(d.path("trusted"))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/console.sock", dir.Fd()), func() { dir.Close() }, nil
}

// listenConsole answers the console until stop is called. The caller holds the log's
// head, so that a socket which is there already is a dead service's.
func (d dataDir) listenConsole(s *harness.Service, log *slog.Logger) (stop func(), err error) {
	path, done, err := d.socket()
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	server := &http.Server{ReadTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answerConsole(w, r, s, log)
	})}
	go server.Serve(l)
	return func() { server.Close() }, nil
}

func answerConsole(w http.ResponseWriter, r *http.Request, s *harness.Service, log *slog.Logger) {
	var what order
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	d.DisallowUnknownFields()
	token, err := "", d.Decode(&what)
	if err == nil {
		token, err = what.carryOut(r.Context(), s)
	} else {
		err = &harness.Error{Kind: harness.Usage, Message: "the console's order cannot be read: " + err.Error()}
	}
	var refused *harness.Error
	switch {
	case err == nil:
		io.WriteString(w, token)
		return
	case errors.As(err, &refused):
		w.WriteHeader(http.StatusConflict)
	default:
		log.Error("console", "do", what.Do, "account", what.Account, "error", err)
		refused = &harness.Error{Kind: "internal", Message: "the service failed; its log has the reason"}
		w.WriteHeader(http.StatusInternalServerError)
	}
	json.NewEncoder(w).Encode(api.Problem{Code: string(refused.Kind), Message: refused.Message})
}
