// Package access decides who may do what. It is pure: it knows principals,
// actions and the people behind an object, and nothing of storage or the web.
//
// Two rules hold whatever the roles. Whoever proposed, submitted or contributed
// may not be the one who activates or reviews: people are compared, not accounts,
// so a second account or token of the same person does not help. And decisions
// need a person: a robot may submit, never approve. What no rule allows is refused.
package access

import (
	"errors"
	"fmt"
	"slices"
)

// A Role is what a principal may be trusted with.
type Role string

// The roles. Nobody holds two that conflict, see [Conflict].
const (
	Submitter   Role = "submitter"
	Curator     Role = "curator"
	PolicyOwner Role = "policy-owner"
	Reviewer    Role = "reviewer"
	Operator    Role = "operator"
	Auditor     Role = "auditor"
)

// Roles lists every role.
func Roles() []Role {
	return []Role{Submitter, Curator, PolicyOwner, Reviewer, Operator, Auditor}
}

// A Principal is an authenticated caller. The zero Principal may do nothing.
type Principal struct {
	ID     string // the account, e.g. "rae"
	Person string // the human behind it; robots share their owner's
	Robot  bool   // a pipeline or service account
	Roles  []Role
}

// Has says whether p holds the role.
func (p Principal) Has(r Role) bool { return slices.Contains(p.Roles, r) }

// An Action is something that a caller asks for.
type Action string

// The actions.
const (
	Submit        Action = "submit"         // send a candidate
	Cancel        Action = "cancel"         // a submission that waits
	SeeSubmission Action = "see-submission" // result word, coarse reason, budget left
	SeeReport     Action = "see-report"     // the diff report
	SeeRows       Action = "see-rows"       // rows of a sealed set, which are counted
	SeeBundle     Action = "see-bundle"     // signed evidence and approval
	Review        Action = "review"         // approve or refuse a PASS
	Propose       Action = "propose"        // a holdout, suite, policy, baseline or account
	Activate      Action = "activate"       // somebody else's proposal
	SeeChanges    Action = "see-changes"    // what changed in the evaluation
	SeeLog        Action = "see-log"
	Audit         Action = "audit"
	Operate       Action = "operate"
)

// An Object is what an action is about, as far as access depends on it.
type Object struct {
	Kind   string   // for Propose and Activate: holdout, suite, policy, baseline, account
	People []string // persons who submitted, proposed or contributed
}

// ErrDenied is what every refusal wraps.
var ErrDenied = errors.New("not allowed")

// Check returns nil if p may do a to o, else an error that says which rule refused.
func Check(p Principal, a Action, o Object) error {
	if p.ID == "" || p.Person == "" {
		return fmt.Errorf("%w: nobody is signed in", ErrDenied)
	}
	for _, r := range p.Roles {
		for _, q := range p.Roles {
			if Conflict(r, q) {
				return fmt.Errorf("%w: %s holds the conflicting roles %s and %s", ErrDenied, p.ID, r, q)
			}
		}
	}
	roles, err := needs(a, o.Kind)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(roles, p.Has) {
		return fmt.Errorf("%w: %s needs one of the roles %v", ErrDenied, a, roles)
	}
	switch a {
	case Review, Activate:
		if p.Robot {
			return fmt.Errorf("%w: %s needs a person; %s is a robot", ErrDenied, a, p.ID)
		}
		if slices.Contains(o.People, p.Person) {
			return fmt.Errorf("%w: %s needs a second person; %s already took part", ErrDenied, a, p.Person)
		}
	case Cancel:
		if !p.Has(Operator) && !slices.Contains(o.People, p.Person) {
			return fmt.Errorf("%w: the submission is not yours", ErrDenied)
		}
	case SeeSubmission:
		if p.Has(Submitter) && len(p.Roles) == 1 && !slices.Contains(o.People, p.Person) {
			return fmt.Errorf("%w: the submission is not yours", ErrDenied)
		}
	}
	return nil
}

// needs returns the roles of which one is enough.
func needs(a Action, kind string) ([]Role, error) {
	switch a {
	case Submit:
		return []Role{Submitter}, nil
	case Cancel:
		return []Role{Submitter, Operator}, nil
	case SeeSubmission:
		return []Role{Submitter, Reviewer, Auditor, Operator, PolicyOwner, Curator}, nil
	case SeeReport:
		return []Role{Reviewer, Auditor}, nil
	case SeeBundle, SeeLog:
		return Roles(), nil
	case SeeChanges:
		return []Role{Curator, PolicyOwner, Reviewer, Auditor, Operator}, nil
	case Review, SeeRows:
		return []Role{Reviewer}, nil
	case Audit:
		return []Role{Auditor, Operator}, nil
	case Operate:
		return []Role{Operator}, nil
	case Propose, Activate:
		switch kind {
		case "holdout", "suite", "destruction":
			return []Role{Curator}, nil
		case "policy":
			return []Role{PolicyOwner}, nil
		case "baseline":
			return []Role{Reviewer, Operator}, nil
		case "revocation": // closes gates, and opens none
			return []Role{Curator, PolicyOwner, Reviewer, Auditor, Operator}, nil
		case "waiver":
			return []Role{PolicyOwner, Reviewer}, nil
		case "account": // not by those who judge or are judged
			if a == Propose {
				return []Role{Operator}, nil
			}
			return []Role{Operator, Auditor}, nil
		}
		return nil, fmt.Errorf("%w: nothing of kind %q can be changed", ErrDenied, kind)
	}
	return nil, fmt.Errorf("%w: unknown action %q", ErrDenied, a)
}

// Conflict says whether one principal may not hold both roles: whoever is judged
// does not set the bar, whoever runs the machine neither sets the bar nor approves.
func Conflict(a, b Role) bool {
	if a == b {
		return false
	}
	in := func(x, y Role) bool { return a == x && b == y || a == y && b == x }
	return in(Submitter, Curator) || in(Submitter, PolicyOwner) || in(Submitter, Reviewer) || in(Submitter, Auditor) ||
		in(Operator, Curator) || in(Operator, PolicyOwner) || in(Operator, Reviewer) || in(Operator, Auditor) ||
		in(Auditor, Curator) || in(Auditor, PolicyOwner) || in(Auditor, Reviewer)
}
