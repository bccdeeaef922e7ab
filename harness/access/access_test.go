package access

import (
	"errors"
	"strings"
	"testing"
)

// TestCheck: who role-list action kind "took part" -> ok or a part of the refusal.
func TestCheck(t *testing.T) {
	const table = `
sub   submitter     submit         -        -    | ok
sub   submitter     review         -        -    | needs one of the roles
sub   submitter     see-report     -        -    | needs one of the roles
sub   submitter     see-rows       -        -    | needs one of the roles
rae   reviewer      see-rows       -        -    | ok
aud   auditor       see-report     -        -    | ok
aud   auditor       see-rows       -        -    | needs one of the roles
op    operator      see-rows       -        -    | needs one of the roles
cam   curator       see-rows       -        -    | needs one of the roles
sub   submitter     see-submission -        sub  | ok
sub   submitter     see-submission -        ann  | not yours
rae   reviewer      see-submission -        sub  | ok
rae   reviewer      review         -        sub  | ok
rae   reviewer      review         -        rae  | second person
bot*  reviewer      review         -        sub  | needs a person
rae   reviewer      submit         -        -    | needs one of the roles
cam   curator       propose        holdout  -    | ok
cam   curator       activate       holdout  cam  | second person
cid   curator       activate       holdout  cam  | ok
cam   curator       propose        policy   -    | needs one of the roles
pol   policy-owner  propose        policy   -    | ok
pol   policy-owner  propose        weather  -    | can be changed
bot*  curator       activate       suite    cam  | needs a person
aud   auditor       audit          -        -    | ok
aud   auditor       review         -        sub  | needs one of the roles
op    operator      operate        -        -    | ok
op    operator,reviewer review     -        sub  | conflicting roles
sub   submitter,reviewer review    -        x    | conflicting roles
op    operator      fly            -        -    | unknown action
`
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		left, want, _ := strings.Cut(line, "|")
		f := strings.Fields(left)
		id, robot := strings.CutSuffix(f[0], "*")
		p := Principal{ID: id, Person: id, Robot: robot}
		for _, r := range strings.Split(f[1], ",") {
			p.Roles = append(p.Roles, Role(r))
		}
		err := Check(p, Action(f[2]), Object{Kind: strings.Trim(f[3], "-"), People: []string{f[4]}})
		want = strings.TrimSpace(want)
		if want == "ok" {
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			continue
		}
		if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

// A second account of the same person is the same person.
func TestSecondAccount(t *testing.T) {
	p := Principal{ID: "rae-2", Person: "rae", Roles: []Role{Reviewer}}
	if err := Check(p, Review, Object{People: []string{"rae"}}); err == nil {
		t.Error("the person who submitted approved with a second account")
	}
	p.Person = "rae-2" // guard off: comparing accounts lets the attack through
	if err := Check(p, Review, Object{People: []string{"rae"}}); err != nil {
		t.Errorf("negative control: %v", err)
	}
}

func TestZeroPrincipal(t *testing.T) {
	for _, a := range []Action{Submit, Review, Activate, SeeLog, SeeBundle} {
		if Check(Principal{}, a, Object{Kind: "policy"}) == nil {
			t.Errorf("the zero principal may %s", a)
		}
	}
}

// Every pair of roles is either symmetric in conflict or in peace, none with itself.
func TestConflict(t *testing.T) {
	for _, a := range Roles() {
		for _, b := range Roles() {
			if Conflict(a, b) != Conflict(b, a) || a == b && Conflict(a, b) {
				t.Errorf("%s, %s", a, b)
			}
		}
	}
}
