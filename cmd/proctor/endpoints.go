package main

import (
	"proctor/harness/runner"
	endpoint "proctor/harness/runner/remote"
	"proctor/harness/secret"
)

// endpoints are the models elsewhere that packages may name.
type endpoints struct {
	Endpoints string `help:"File of the endpoints that may be asked and of the credentials for them; without it, packages of kind remote are refused." type:"path" placeholder:"FILE"`
}

// remote asks models at the endpoints that the file names; nil: there is no file.
func (e endpoints) remote() (runner.Remote, error) {
	if e.Endpoints == "" {
		return nil, nil
	}
	return e.read()
}

// named are the endpoints of the file, or, where there is no file, the one that a person
// named on the command line: it may be of this machine, and gets no credential.
func (e endpoints) named(address string) (*endpoint.Endpoints, error) {
	if e.Endpoints != "" {
		return e.read()
	}
	u, err := runner.ParseEndpoint(address)
	if err != nil {
		return nil, usagef("--endpoint: %v", err)
	}
	return endpoint.NewEndpoints(endpoint.Endpoint{URL: u.Scheme + "://" + u.Host, Private: true})
}

func (e endpoints) read() (*endpoint.Endpoints, error) {
	data, err := secret.Read(e.Endpoints)
	if err != nil {
		return nil, usagef("--endpoints: %v", err)
	}
	list, err := endpoint.ParseEndpoints(data)
	if err != nil {
		return nil, usagef("--endpoints: %s: %v", e.Endpoints, err)
	}
	return list, nil
}
