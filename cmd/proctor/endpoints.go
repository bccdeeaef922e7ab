package main

import (
	"proctor/harness/runner"
	endpoint "proctor/harness/runner/remote"
	"proctor/harness/secret"
)

// endpoints are the models elsewhere that packages may name.
type endpoints struct {
	Endpoints string `help:"File of the endpoints that packages of kind remote may name, with the credentials that they ask for; without it they are refused." type:"path" placeholder:"FILE"`
}

// remote asks models at the endpoints that the file names; nil: there is no file.
func (e endpoints) remote() (runner.Remote, error) {
	if e.Endpoints == "" {
		return nil, nil
	}
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
