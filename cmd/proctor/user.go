package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/web/api"
)

type userCmd struct {
	Add     userAdd     `cmd:"" help:"At the machine of the service: add an account and print its API token, which is shown once."`
	Renew   userRenew   `cmd:"" help:"At the machine of the service: give an account a new API token; the old ones end."`
	End     userEnd     `cmd:"" help:"At the machine of the service: end an account, its tokens and sessions."`
	Token   userToken   `cmd:"" help:"Make an API token of your own: the secret on standard output, its digest for whoever proposes your account on standard error."`
	Propose userPropose `cmd:"" help:"Propose an account, or other roles or tokens for one; a second person activates it."`
}

// A worker's words for an account.
type who struct {
	Person string   `help:"The human behind it; two accounts of one person count as one." required:"" placeholder:"NAME" env:"-"`
	Role   []string `help:"submitter, curator, policy-owner, reviewer, operator or auditor." env:"-"`
	Robot  bool     `help:"A pipeline: it may submit and never decides." env:"-"`

	Identity []string `help:"How an OpenID Connect issuer knows the holder: its address and claims, as in 'https://id.example sub=248289761001'. May be given again." placeholder:"'ISSUER CLAIM=VALUE...'" sep:"none" env:"-"`
}

// identities reads --identity.
func (w who) identities() ([]access.Identity, error) {
	list := []access.Identity{}
	for _, text := range w.Identity {
		f := strings.Fields(text)
		if len(f) < 2 {
			return nil, usagef("--identity: %q is not an issuer and claims, as in 'https://id.example sub=248289761001'", clip(text))
		}
		id := access.Identity{Issuer: f[0], Claims: map[string]string{}}
		for _, c := range f[1:] {
			name, value, ok := strings.Cut(c, "=")
			if _, twice := id.Claims[name]; !ok || twice {
				return nil, usagef("--identity: %q is not one CLAIM=VALUE", clip(c))
			}
			id.Claims[name] = value
		}
		list = append(list, id)
	}
	return list, nil
}

func (w who) roles() (list []access.Role) {
	for _, r := range w.Role {
		list = append(list, access.Role(r))
	}
	return list
}

// valid is how long a token lasts.
type valid struct {
	Valid time.Duration `help:"How long the token lasts." default:"2160h" env:"-"`
}

func (v valid) check() error {
	if v.Valid <= 0 {
		return usagef("--valid: a token that lasts %s is of no use", v.Valid)
	}
	return nil
}

type userAdd struct {
	ID string `arg:"" name:"account" help:"The account."`
	dataDir
	who
	valid
}

func (c *userAdd) Run(ctx context.Context, o console) error {
	if err := c.valid.check(); err != nil {
		return err
	}
	ids, err := c.identities()
	if err != nil {
		return err
	}
	return c.dataDir.print(ctx, o, order{Do: "add", Account: c.ID, Person: c.Person, Robot: c.Robot, Roles: c.roles(), Identities: ids, Valid: c.Valid})
}

type userRenew struct {
	ID string `arg:"" name:"account" help:"The account."`
	dataDir
	valid
}

func (c *userRenew) Run(ctx context.Context, o console) error {
	if err := c.valid.check(); err != nil {
		return err
	}
	return c.dataDir.print(ctx, o, order{Do: "renew", Account: c.ID, Valid: c.Valid})
}

type userEnd struct {
	ID string `arg:"" name:"account" help:"The account."`
	dataDir
}

func (c *userEnd) Run(ctx context.Context, o console) error {
	_, err := c.give(ctx, order{Do: "end", Account: c.ID})
	return err
}

func (d dataDir) print(ctx context.Context, o console, what order) error {
	token, err := d.give(ctx, what)
	if err == nil {
		_, err = fmt.Fprintln(o.Out, token)
	}
	return err
}

type userToken struct{}

func (*userToken) Run(o console) error {
	secret, err := harness.NewToken(rand.Reader)
	if err != nil {
		return err
	}
	h := sha256.Sum256([]byte(secret))
	fmt.Fprintln(o.Err, "sha256:"+hex.EncodeToString(h[:]))
	_, err = fmt.Fprintln(o.Out, secret)
	return err
}

type userPropose struct {
	remote
	ID string `arg:"" name:"account" help:"The account."`
	who
	TokenDigest []string `help:"Digest of a token that the account's holder made with 'proctor user token'. Without a role and a digest the account ends." placeholder:"sha256:HEX" env:"-"`
	valid
}

// Run names all tokens of the account: those that are not named end.
func (c *userPropose) Run(ctx context.Context, o console) error {
	if err := c.valid.check(); err != nil {
		return err
	}
	ids, err := c.identities()
	if err != nil {
		return err
	}
	a := api.Account{Name: c.ID, Person: c.Person, Robot: c.Robot, Roles: c.Role, Identities: []api.Identity{}, Tokens: []api.Token{}}
	for _, id := range ids {
		a.Identities = append(a.Identities, api.Identity(id))
	}
	if a.Roles == nil {
		a.Roles = []string{}
	}
	expires := time.Now().Add(c.Valid).UTC().Format(time.RFC3339)
	for _, d := range c.TokenDigest {
		h, ok := strings.CutPrefix(d, "sha256:")
		if !ok {
			return usagef("--token-digest: %q is not a digest like sha256:9f86...", clip(d))
		}
		a.Tokens = append(a.Tokens, api.Token{SHA256: h, Expires: expires})
	}
	v, err := c.client().ProposeAccount(ctx, a)
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type accessCmd struct {
	remote
	AsOf string `help:"A day or a time, like 2026-11-25 or 2026-11-25T07:00:00Z; a day is looked at as it ended. Default: now." placeholder:"TIME" env:"-"`
	JSON bool   `help:"Print JSON." env:"-"`
}

// Run prints who could do what at a time.
func (c *accessCmd) Run(ctx context.Context, o console) error {
	at := time.Now()
	if c.AsOf != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, c.AsOf); err != nil {
			day, err := time.Parse(time.DateOnly, c.AsOf)
			if err != nil {
				return usagef("--as-of: %q is neither a day like 2026-11-25 nor a time like 2026-11-25T07:00:00Z", clip(c.AsOf))
			}
			at = day.AddDate(0, 0, 1).Add(-time.Second)
		}
	}
	list, err := c.client().Accounts(ctx, at)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.Out, list)
	}
	for _, v := range list {
		a := v.Account
		what := strings.Join(a.Roles, ", ")
		if what == "" {
			what = "ended"
		}
		kind := "person"
		if a.Robot {
			kind = "robot"
		}
		fmt.Fprintf(o.Out, "%-20s  %-6s  %-20s  %-24s  since %s by %s\n", a.Name, kind, a.Person, what, v.Since, v.Decider)
	}
	return nil
}
