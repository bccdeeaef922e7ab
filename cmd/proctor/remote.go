package main

import (
	"encoding/json"
	"io"
	"net/url"

	"proctor/web/client"
)

// remote is how a command reaches a service.
type remote struct {
	Server string `help:"Address of the service." default:"http://127.0.0.1:7800" placeholder:"URL"`
	Token  string `help:"API token; better given as PROCTOR_TOKEN, where no process list shows it." placeholder:"TOKEN"`
}

// AfterApply looks at address and token before anything is read or sent.
func (r remote) AfterApply() error {
	if u, err := url.Parse(r.Server); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("--server: %q is not an address like http://127.0.0.1:7800", r.Server)
	}
	if r.Token == "" {
		return usagef("there is no token: set PROCTOR_TOKEN to one that 'proctor user add' or 'proctor user token' printed")
	}
	return nil
}

func (r remote) client() *client.Client { return &client.Client{Base: r.Server, Token: r.Token} }

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
