package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/report"
	"proctor/web/api"
)

// contextView is what a reviewer knows of a run besides its report: what the lineage
// did before, what has changed in the evaluation since, and who could have.
type contextView struct {
	History  []pastRun
	Exposure string     // of the lineage's sealed sets, in words
	Sets     []exposure // by set
	Warnings []string   // why numbers do not compare
	Previous string     // address of the run that warnings speak of, "": none
	Produced []string   // what produced the candidate
	Could    []couldChange
	Plan     string // address of the plan in the log
	Evidence string
	Approval string // "": none
}

type pastRun struct {
	ID, Candidate, Result, Reason, At, Link string
	Here                                    bool
}

type exposure struct{ Set, Used, Inherited, Seen string }

// couldChange is a role with those who have it.
type couldChange struct{ What, Who string }

func (w *Server) contextOf(c echo.Context, v harness.ReportView) (contextView, error) {
	ctx, p := c.Request().Context(), principal(c)
	l, err := w.service.Lineage(ctx, p, v.Run.ID)
	if err != nil {
		return contextView{}, err
	}
	out := newContextView(v, l)
	budget, err := w.service.Budget(ctx, p, v.Report.Lineage)
	if err != nil && !denied(err) {
		return out, err
	}
	out.expose(budget)
	return out, nil
}

func newContextView(v harness.ReportView, l harness.LineageView) contextView {
	out := contextView{History: history(l.Runs, v.Run.ID), Produced: produced(v), Could: couldBy(l.Holders),
		Plan: logAddress(v.Run.PlanIndex), Evidence: logAddress(v.Run.EvidenceIndex), Approval: logAddress(v.Run.ApprovalIndex)}
	if l.Before != nil {
		if out.Warnings = differences(*l.Before, l.Now); out.Warnings != nil {
			out.Previous = runAddress(l.BeforeID)
		}
	}
	if l.Deployed != "" && l.Deployed != l.Now.Baseline && l.Deployed != v.Report.Candidate.Digest {
		out.Warnings = append(out.Warnings, "Another model is deployed today than the one that this run compares with.")
	}
	out.Warnings = append(out.Warnings, runtimes(v.Report)...)
	return out
}

// roles are what each could do, in the order in which a change comes about.
var roles = []struct {
	role access.Role
	what string
}{
	{access.Curator, "propose and activate sealed sets and suites"}, {access.PolicyOwner, "propose and activate policies"}, {access.Reviewer, "review, and deploy what was approved"},
	{access.Submitter, "submit candidates"}, {access.Operator, "run the service"}, {access.Auditor, "read everything, change nothing"},
}

func couldBy(list []harness.Standing) (out []couldChange) {
	for _, r := range roles {
		var who []string
		for _, s := range list {
			if slices.Contains(s.Roles, r.role) {
				who = append(who, s.Name)
			}
		}
		if who != nil {
			out = append(out, couldChange{r.what, strings.Join(who, ", ")})
		}
	}
	return out
}

func (v *contextView) expose(b api.Budget) {
	v.Exposure = b.Sentence
	for _, s := range b.Sets {
		v.Sets = append(v.Sets, exposure{s.Holdout, plural(int64(s.Used), "run"), plural(int64(s.Inherited), "run"), count(int64(s.Seen)) + " of at most " + count(int64(s.SeenAtMost))})
	}
}

func history(list []harness.LineageRun, here string) (out []pastRun) {
	for _, s := range list {
		result := s.Result
		if result == "" {
			result = s.State
		}
		out = append(out, pastRun{ID: s.ID, Candidate: s.Candidate, Result: result, Reason: s.Reason, At: moment(s.Submitted), Link: runAddress(s.ID), Here: s.ID == here})
	}
	return out
}

// differences says what defines the evaluation and is another one than before.
func differences(before, now harness.Terms) (out []string) {
	add := func(differ bool, what string) {
		if differ {
			out = append(out, what)
		}
	}
	add(before.Policy != now.Policy, "The policy is another one than at the run before.")
	add(!slices.Equal(before.Holdouts, now.Holdouts), "The sealed rows are other ones than at the run before: no number of the two compares.")
	add(!slices.Equal(before.Suites, now.Suites), "The suites are other ones than at the run before.")
	add(before.Baseline != now.Baseline, "The deployed model that was compared with is another one than at the run before.")
	add(before.Harness != now.Harness, "The program that judged is another one than at the run before.")
	add(before.Tier != now.Tier, "The candidate was confined otherwise than at the run before: "+before.Tier+" then, "+now.Tier+" now.")
	return out
}

// runtimes warns where the two models were run by different things of one name.
func runtimes(r *report.Report) []string {
	if r.Baseline == nil || r.Baseline.Runtime == nil || r.Candidate.Runtime == nil || *r.Baseline.Runtime == *r.Candidate.Runtime {
		return nil
	}
	return []string{"The two models were run by different programs, " + r.Baseline.Runtime.Name + " and " + r.Candidate.Runtime.Name + ": a difference may come from there."}
}

// produced says what is known of where the candidate came from.
func produced(v harness.ReportView) []string {
	out := []string{"Submitted by " + v.Run.SubmittedBy + ", " + moment(v.Run.Submitted) + "."}
	p := v.Report.Package
	if p == nil {
		return append(out, "Nobody has vouched for its files.")
	}
	for _, a := range p.Attestations {
		if a.Kind == "model-signature" {
			out = append(out, "Its files are signed by "+a.By+".")
		} else {
			out = append(out, "Its files were built by "+a.Of+", as "+a.By+" signs.")
		}
	}
	if len(p.Attestations) == 0 {
		out = append(out, "Nobody has vouched for its files.")
	}
	if p.Training != nil && p.Training.Digest != "" {
		return append(out, "It has a training record, which is its owner’s word.")
	}
	return append(out, "It has no training record.")
}

// logAddress leads to an entry of the log; "" for none.
func logAddress(i int64) string {
	if i < 0 {
		return ""
	}
	return "/log?" + url.Values{"from": {trim(float64(i))}}.Encode()
}
