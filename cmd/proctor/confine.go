package main

import (
	"strings"

	"proctor/harness/jail"
	"proctor/harness/runner"
)

// confinement says what this machine has for models besides its kernel.
type confinement struct {
	Runsc       string `help:"gVisor's program runsc: with it models run at tier gvisor, if this is root." type:"path" placeholder:"FILE"`
	RunscSHA256 string `name:"runsc-sha256" help:"Digest of that program; another one is not run." placeholder:"HEX"`
	Faketime    string `help:"libfaketime.so.1: with it models in Python and Node are asked at other dates too." type:"path" placeholder:"FILE"`
}

// ready makes tier gvisor available, before anything is probed.
func (c confinement) ready() error {
	switch {
	case c.Runsc == "" && c.RunscSHA256 == "":
		return nil
	case c.Runsc == "" || c.RunscSHA256 == "":
		return usagef("--runsc and --runsc-sha256 go together: the program and the digest of its bytes (sha256sum %s)", or(c.Runsc, "FILE"))
	}
	if err := jail.UseRunsc(c.Runsc, "sha256:"+strings.TrimPrefix(c.RunscSHA256, "sha256:")); err != nil {
		return usagef("%v", err)
	}
	return nil
}

func (c confinement) runner() runner.Runner { return runner.Runner{Faketime: c.Faketime} }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
