package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/web/api"
)

// enroll adds an account at the console.
func (w *world) enroll(id, person string, roles ...access.Role) (string, error) {
	return w.s.AddAccount(context.Background(), access.Principal{ID: id, Person: person, Roles: roles}, time.Hour)
}

// is says whether a secret stands for the account.
func (w *world) is(secret, kind, account string) bool {
	w.t.Helper()
	p, err := w.s.Authenticate(context.Background(), secret, kind)
	return err == nil && p.ID == account
}

// Two accounts of one person hold no two roles that conflict.
func TestAccounts(t *testing.T) {
	w := newWorld(t)
	add := func(id, person string, roles ...access.Role) error {
		_, err := w.enroll(id, person, roles...)
		return err
	}
	if err := add("rae", "rae", access.Reviewer); err != nil {
		t.Fatal(err)
	}
	w.refused("conflict", add("oz", "oz", access.Operator, access.Reviewer))
	w.refused("conflicts", add("rae2", "rae", access.Submitter))
	w.refused("exists already", add("rae", "rae", access.Reviewer))
	w.refused("no role", add("x", "x", "king"))
	w.refused("at least one role", add("x", "x"))
	w.refused("the machine itself", add("console", "sam", access.Auditor))
	w.refused("the machine itself", add("sam", "console", access.Auditor))
	if err := add("rae3", "rae", access.Curator); err != nil {
		t.Error(err)
	}
	w.clean()
}

// A token lasts until it expires, is renewed, or its account ends, across restarts.
func TestTokens(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	first := must1[string](w)(w.enroll("rae", "rae", access.Reviewer))
	session, _, err := w.s.Login(ctx, first)
	if err != nil || !w.is(first, "api", "rae") || !w.is(session, "session", "rae") || w.is(first, "session", "rae") || w.is(session, "api", "rae") || w.is("", "api", "") {
		t.Fatalf("login: %v", err)
	}
	second := must1[string](w)(w.s.RenewAccount(ctx, "rae", time.Hour))
	if w.is(first, "api", "rae") || !w.is(second, "api", "rae") {
		t.Error("the old token outlives the new one")
	}
	w.restart()
	if !w.is(second, "api", "rae") || w.is(first, "api", "rae") {
		t.Error("a restart changed who has a token")
	}
	now := w.s.Now
	w.s.Now = func() time.Time { return now().Add(2 * time.Hour) }
	if w.is(second, "api", "rae") {
		t.Error("a token outlives its time")
	}
	w.s.Now = now
	session, _, err = w.s.Login(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.s.EndAccount(ctx, "rae"); err != nil {
		t.Fatal(err)
	}
	if w.is(second, "api", "rae") || w.is(session, "session", "rae") {
		t.Error("a token or session outlives its account")
	}
	w.refused("no account", w.s.EndAccount(ctx, "rae"))
	w.clean()
}

func account(id, person string, secret string, roles ...access.Role) access.Account {
	return access.Account{ID: id, Person: person, Roles: roles, Tokens: []access.Token{{SHA256: hashOf(secret), Expires: "2999-01-01T00:00:00Z"}}}
}

// By the interface an account takes two people, of whom neither is its holder, and
// neither of whom can act in its name.
func TestAccountTakesTwo(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	secret := strings.Repeat("5", 64)
	rae := account("rae", "rae", secret, access.Reviewer)
	_, err := w.s.ProposeAccount(ctx, person("cur1"), rae)
	w.refused("needs one of the roles", err)
	c := must1[api.Change](w)(w.s.ProposeAccount(ctx, person("op1"), rae))
	if w.is(secret, "api", "rae") {
		t.Error("a proposal is in force")
	}
	for by, why := range map[string]string{"op1": "second person", "rev1": "needs one of the roles"} {
		_, err := w.s.DecideChange(ctx, person(by), c.ID, true)
		w.refused(why, err)
	}
	w.activate(c, nil, "aud1")
	if !w.is(secret, "api", "rae") {
		t.Error("an activated account is not in force")
	}

	// Nobody decides on his own account, even if others propose it.
	own := must1[api.Change](w)(w.s.ProposeAccount(ctx, person("op1"), account("op2b", "op2", strings.Repeat("6", 64), access.Operator)))
	_, err = w.s.DecideChange(ctx, person("op2"), own.ID, true)
	w.refused("second person", err)

	// What was fine when it was proposed may not be so when it is activated.
	late := must1[api.Change](w)(w.s.ProposeAccount(ctx, person("op1"), account("sam", "sam", strings.Repeat("7", 64), access.Reviewer)))
	must1[string](w)(w.enroll("ci", "sam", access.Submitter))
	_, err = w.s.DecideChange(ctx, person("aud1"), late.ID, true)
	w.refused("conflicts", err)

	for want, a := range map[string]access.Account{
		"change hands":            account("rae", "eve", secret, access.Reviewer),
		"speaks for another":      account("eve", "eve", secret, access.Auditor),
		"a name is":               account("no name", "eve", secret, access.Auditor),
		"the machine itself":      account("console", "eve", secret, access.Auditor),
		"the role submitter conf": account("rae2", "rae", strings.Repeat("8", 64), access.Submitter),
	} {
		_, err := w.s.ProposeAccount(ctx, person("op1"), a)
		w.refused(want, err)
	}
	w.clean()
}

// Whoever can write the database gives nobody a role, a token or a session.
func TestDatabaseWriterHasNoPeople(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	must1[string](w)(w.enroll("sam", "sam", access.Submitter))
	good := must1[string](w)(w.enroll("rae", "rae", access.Reviewer))
	forged := strings.Repeat("f", 64)

	// A document that nobody activated, said to be in force.
	eve := account("eve", "eve", forged, access.Reviewer)
	w.sql(`INSERT INTO documents VALUES ($1,'account','eve',1,$2,x'','2026-01-01')`, eve.Digest(), eve.Canonical())
	w.sql(`INSERT INTO changes VALUES ('c1','account','eve',$1,'n','active','op1','op1','2026','op2','op2','2026')`, eve.Digest())
	w.sql(`INSERT INTO active VALUES ('account','eve',$1,1,'c1')`, eve.Digest())
	if w.is(forged, "api", "eve") {
		t.Error("a record made an account")
	}
	if a, err := w.s.Audit(ctx, person("aud1")); err != nil || a.OK || !strings.Contains(strings.Join(a.Problems, "\n"), `account "eve"`) {
		t.Errorf("the audit says %+v, %v", a.Problems, err)
	}

	// A session of somebody else's.
	w.sql(`INSERT INTO sessions VALUES ($1,'rae','2999-01-01T00:00:00Z',$2)`, hashOf(forged), strings.Repeat("0", 64))
	if w.is(forged, "session", "rae") {
		t.Error("a record made a session")
	}
	row := store.Session{Hash: hashOf(forged), Account: "rae", Expires: "2999-01-01T00:00:00Z"}
	w.sql(`UPDATE sessions SET seal = $1 WHERE hash = $2`, w.s.seal(row, w.s.standing.account["rae"].Account), row.Hash)
	if !w.is(forged, "session", "rae") {
		t.Error("negative control: with the key the session would stand")
	}

	// The body of a document in force exchanged for another.
	mine := account("rae", "rae", forged, access.Reviewer)
	w.sql(`UPDATE documents SET body = $1 WHERE name = 'rae'`, mine.Canonical())
	w.close()
	w.open()
	if w.is(forged, "api", "rae") || w.is(good, "api", "rae") {
		t.Error("an exchanged document is in force")
	}
	if a, err := w.s.Audit(ctx, person("aud1")); err != nil || a.OK {
		t.Errorf("the audit says %+v, %v", a.Problems, err)
	}
}

// The log says who could do what at each time.
func TestAccessAsOf(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	start := time.Date(2026, 11, 25, 7, 0, 0, 0, time.UTC)
	at := func(h int) { w.s.Now = func() time.Time { return start.Add(time.Duration(h) * time.Hour) } }
	at(1)
	must1[string](w)(w.enroll("rae", "rae", access.Reviewer))
	at(2)
	w.activate(must1[api.Change](w)(w.s.ProposeAccount(ctx, person("op1"), account("eve", "eve", strings.Repeat("5", 64), access.Curator))), nil, "aud1")
	at(3)
	if err := w.s.EndAccount(ctx, "rae"); err != nil {
		t.Fatal(err)
	}
	for hour, want := range []string{"", "rae [reviewer] console", "eve [curator] aud1; rae [reviewer] console", "eve [curator] aud1; rae [] console"} {
		list, err := w.s.Accounts(ctx, person("aud1"), start.Add(time.Duration(hour)*time.Hour))
		var got []string
		for _, a := range list {
			got = append(got, fmt.Sprint(a.Account.Name, " ", a.Account.Roles, " ", a.Decider))
		}
		if err != nil || strings.Join(got, "; ") != want {
			t.Errorf("after %d hours: %q, %v; want %q", hour, strings.Join(got, "; "), err, want)
		}
	}
	_, err := w.s.Accounts(ctx, person("sub1"), start)
	w.refused("needs one of the roles", err)
}
