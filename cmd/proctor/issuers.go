package main

import (
	"net/http"
	"strings"
	"time"

	"proctor/harness"
	"proctor/harness/identity"
	"proctor/harness/secret"
	"proctor/web"
)

// issuers are whose word on who somebody is counts, beside tokens of our own.
type issuers struct {
	SignInIssuer string   `help:"OpenID Connect issuer where people sign in, such as https://id.example." placeholder:"URL"`
	SignInClient string   `help:"Our client id there." placeholder:"ID"`
	SignInSecret string   `help:"File with our client's secret there; readable by its owner only." type:"path" placeholder:"FILE"`
	SignInBack   string   `help:"Address of this service as browsers reach it; the issuer knows it with /login/back." placeholder:"URL"`
	RobotIssuer  []string `help:"Issuer of pipelines' tokens and the audience that they are for, as in 'https://token.actions.githubusercontent.com https://proctor.example'. May be given again." sep:"none" placeholder:"'URL AUDIENCE'"`
}

// read makes verifiers of the flags. Nobody is asked yet: an issuer that is away
// keeps nobody from starting.
func (f issuers) read() (people web.SignIn, robots harness.Robots, err error) {
	c := &http.Client{Timeout: 15 * time.Second}
	var list identity.Robots
	for _, text := range f.RobotIssuer {
		words := strings.Fields(text)
		if len(words) != 2 {
			return nil, nil, usagef("--robot-issuer: %q is not an issuer and an audience", clip(text))
		}
		i, err := identity.NewIssuer(words[0], words[1], c, time.Now)
		if err != nil {
			return nil, nil, usagef("--robot-issuer: %v", err)
		}
		list = append(list, i)
	}
	if len(list) > 0 {
		robots = list
	}
	if f.SignInIssuer == "" {
		return nil, robots, nil
	}
	i, err := identity.NewIssuer(f.SignInIssuer, f.SignInClient, c, time.Now)
	if err != nil {
		return nil, nil, usagef("--sign-in-issuer, --sign-in-client: %v", err)
	}
	if !strings.HasPrefix(f.SignInBack, "https://") && !strings.HasPrefix(f.SignInBack, "http://") {
		return nil, nil, usagef("--sign-in-back: %q is not the address of this service as browsers reach it", clip(f.SignInBack))
	}
	p := &identity.People{Issuer: i, Back: strings.TrimSuffix(f.SignInBack, "/") + "/login/back"}
	if f.SignInSecret != "" {
		b, err := secret.Read(f.SignInSecret)
		if err != nil {
			return nil, nil, usagef("--sign-in-secret: %v", err)
		}
		p.Secret = strings.TrimSpace(string(b))
	}
	return p, robots, nil
}
