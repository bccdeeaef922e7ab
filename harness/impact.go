package harness

import (
	"cmp"
	"context"
	"slices"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// A basis is one thing that a verdict rests on. kind is one of verdict.RevocationKinds.
type basis struct{ kind, name, digest string }

// An issued verdict with its approval, if it has one, as the log has them.
type issued struct {
	evidence *verdict.Envelope
	at       int64
	approval *verdict.Envelope // nil: none
	approved int64
	people   []string // who reviewed it
}

// says returns the evidence; readImpact puts nothing else there.
func (j issued) says() *verdict.Evidence { return j.evidence.Statement().(*verdict.Evidence) }

// An impact is what the log says of verdicts and of what each rests on.
type impact struct {
	verdicts []issued            // newest first
	deciders map[string][]string // digest of a document -> who proposed or activated it
}

// readImpact reads the log from its statements, so that no table can hide a verdict. It
// takes about 0.1 ms an entry: call it outside of updates where there is a choice.
func (s *Service) readImpact(tx *store.Tx) (*impact, error) {
	im := &impact{deciders: map[string][]string{}}
	approvals, reviewers := map[string]issued{}, map[string][]string{}
	for _, kind := range []string{verdict.ApprovalType, verdict.ReviewType, verdict.ChangeType, verdict.EvidenceType} {
		if err := s.eachOf(tx, kind, func(i int64, env *verdict.Envelope) {
			switch st := env.Statement().(type) {
			case *verdict.Approval:
				approvals[st.EvidenceDigest()] = issued{approval: env, approved: i}
			case *verdict.Review:
				reviewers[st.Evidence] = append(reviewers[st.Evidence], st.Person)
			case *verdict.Change:
				im.deciders[st.Document.Digest] = append(im.deciders[st.Document.Digest], st.Person)
			case *verdict.Evidence:
				j := approvals[env.Digest()]
				j.evidence, j.at, j.people = env, i, reviewers[env.Digest()]
				im.verdicts = append(im.verdicts, j)
			}
		}); err != nil {
			return nil, err
		}
	}
	return im, nil
}

// eachOf calls f with each logged statement of a type, newest first. The type that a
// leaf was stored under is no proof; an audit compares it.
func (s *Service) eachOf(tx *store.Tx, kind string, f func(int64, *verdict.Envelope)) error {
	at, err := tx.LogSize()
	if err != nil {
		return err
	}
	for {
		if at, err = tx.LogIndexBefore(kind, at); err != nil || at < 0 {
			return err
		}
		env, err := s.envelope(tx, at)
		if err != nil {
			return err
		}
		f(at, env)
	}
}

// bases lists what a verdict rests on. keyFrom is the first entry of a key that counts.
func (im *impact) bases(j issued, keyFrom int64) (list []basis, err error) {
	e := j.says()
	list = []basis{
		{verdict.RevokeVerdict, e.Run.ID, j.evidence.Digest()},
		{verdict.RevokePackage, e.Inputs.Candidate.Name, e.Inputs.Candidate.Digest},
		{verdict.RevokePolicy, e.Inputs.Policy.Name, e.Inputs.Policy.Digest},
		{verdict.RevokeHarness, "harness", e.Run.Harness},
	}
	people := slices.Concat(j.people, im.deciders[e.Inputs.Policy.Digest])
	for _, h := range e.Inputs.Holdouts {
		list, people = append(list, basis{verdict.RevokeHoldout, h.Name, h.Digest}), append(people, im.deciders[h.Digest]...)
	}
	for _, h := range e.Inputs.Suites {
		list, people = append(list, basis{verdict.RevokeSuite, h.Name, h.Digest}), append(people, im.deciders[h.Digest]...)
	}
	for _, p := range people {
		list = append(list, basis{verdict.RevokePerson, p, verdict.PersonDigest(p)})
	}
	for _, x := range []struct {
		env *verdict.Envelope
		at  int64
		by  string
	}{{j.evidence, j.at, "evidence key"}, {j.approval, j.approved, "approve key"}} {
		if x.env == nil || x.at < keyFrom {
			continue
		}
		key, err := x.env.Key()
		if err != nil {
			return nil, err
		}
		list = append(list, basis{verdict.RevokeKey, x.by, key})
	}
	if j.approval != nil {
		list = append(list, basis{verdict.RevokeVerdict, e.Run.ID, j.approval.Digest()})
	}
	return list, nil
}

// A hit is a verdict that rests on what was asked for.
type hit struct {
	issued
	basis
}

// on finds the verdicts that rest on a digest, of any kind if kind is "".
func (im *impact) on(kind, digest string, keyFrom int64) (out []hit, err error) {
	for _, j := range im.verdicts {
		list, err := im.bases(j, keyFrom)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(b basis) bool { return b.digest == digest && (kind == "" || b.kind == kind) })
		if i >= 0 {
			out = append(out, hit{j, list[i]})
		}
	}
	return out, nil
}

// evidenceOf lists digests of evidence, sorted, each once.
func evidenceOf(hits []hit) []string {
	out := []string{}
	for _, h := range hits {
		out = append(out, h.evidence.Digest())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Impact lists every verdict that rests on a digest: of a package, holdout, suite,
// policy, harness build, key, verdict, or of a person ([verdict.PersonDigest]).
func (s *Service) Impact(ctx context.Context, p access.Principal, digest string) ([]api.Impact, error) {
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return nil, err
	}
	out := []api.Impact{}
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		im, err := s.readImpact(tx)
		if err != nil {
			return err
		}
		hits, err := im.on("", digest, 0)
		if err != nil {
			return err
		}
		return s.follow(tx, func(l *standing) error {
			for _, h := range hits {
				out = append(out, h.view(l))
			}
			return nil
		})
	})
	return out, err
}

func (h hit) view(l *standing) api.Impact {
	e := h.says()
	v := api.Impact{
		Kind: h.kind, Name: h.name, Run: e.Run.ID, Lineage: e.Run.Lineage, Candidate: e.Inputs.Candidate.Name, Package: e.Inputs.Candidate.Digest,
		Result: e.Result, Evidence: h.evidence.Digest(), LogIndex: h.at, Revoked: cmp.Or(l.revoked[h.evidence.Digest()], l.hit(e)),
	}
	if h.approval != nil {
		v.Approval = h.approval.Digest()
		_, v.LastDay = h.approval.Statement().(*verdict.Approval).Days()
	}
	return v
}
