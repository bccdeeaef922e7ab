package gate

import (
	"time"

	"proctor/harness/verdict"
)

// aheadAtMost is how far the service's clock may be ahead of the gate's.
const aheadAtMost = time.Minute

// 13. Nothing that the approval rests on was revoked, as far as the list tells that the
// gate was given. The gate fetches nothing: whoever calls it does, and the list's age
// shows whether he did.
func (l *look) unrevoked() error {
	r := l.Requirements
	if len(l.Revocations) == 0 {
		if l.Revocations != nil || r.RevocationsMaxAge > 0 {
			return refuse(Unreadable, "the requirements demand a list of revocations not older than %d s: give a fresh one", r.RevocationsMaxAge)
		}
		return nil
	}
	list, err := verdict.OpenRevocations(l.Revocations, l.Trust)
	if err != nil {
		return refuse(Invalid, "the list of revocations is not one by the trusted keys: %v", err)
	}
	if err := l.fresh(list); err != nil {
		return err
	}
	for _, x := range list.Revoked {
		what, err := x.Hits(l.bundle)
		if err != nil {
			return refuse(Invalid, "%v", err)
		}
		if what == "" && l.evidence != nil {
			if what, err = x.Hits(l.signed); err != nil {
				return refuse(Invalid, "%v", err)
			}
			if what == "" {
				what = namedBy(l.evidence, x)
			}
		}
		if what != "" {
			return refuse(Denied, "%s was revoked, log entry %d", what, x.LogIndex)
		}
	}
	l.list = list
	return nil
}

// fresh refuses a list of another service, an old one, and one older than was seen.
func (l *look) fresh(list *verdict.RevocationList) error {
	made, err := time.Parse(time.RFC3339Nano, list.At)
	ends, err2 := time.Parse(time.RFC3339Nano, list.Expires)
	if err != nil || err2 != nil {
		return refuse(Invalid, "the list of revocations has no time")
	}
	now, most := l.now(), time.Duration(l.Requirements.RevocationsMaxAge)*time.Second
	switch {
	case list.Verifier != l.Requirements.VerifierID:
		return refuse(Denied, "the list of revocations is by %q, this gate accepts %q", list.Verifier, l.Requirements.VerifierID)
	case list.Sequence < l.Memory.Revocations:
		return refuse(Denied, "the list of revocations covers %d entries of the log, this gate has seen one of %d", list.Sequence, l.Memory.Revocations)
	case made.Sub(now) > aheadAtMost:
		return refuse(Stale, "the list of revocations is from %s, and it is %s: a clock is wrong", list.At, now.UTC().Format(time.RFC3339))
	case !now.Before(ends) || most > 0 && now.Sub(made) > most:
		return refuse(Stale, "the list of revocations is from %s, and it is %s: fetch a fresh one", list.At, now.UTC().Format(time.RFC3339))
	}
	return nil
}

// namedBy says what of the evidence's inputs an entry names. The entry lists evidence
// too; this holds for evidence that was made after it.
func namedBy(e *verdict.Evidence, x verdict.Revoked) string {
	refs := map[string][]verdict.Ref{verdict.RevokeHoldout: e.Inputs.Holdouts, verdict.RevokeSuite: e.Inputs.Suites, verdict.RevokePolicy: {e.Inputs.Policy}}
	for _, r := range refs[x.Kind] {
		if r.Digest == x.Digest {
			return "the " + x.Kind + " " + r.Name
		}
	}
	if x.Kind == verdict.RevokeHarness && e.Run.Harness == x.Digest {
		return "the program that judged"
	}
	return ""
}
