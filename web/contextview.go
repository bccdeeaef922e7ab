package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"proctor/harness"
	"proctor/harness/report"
	"proctor/web/api"
)

// contextView is what a reviewer knows of a run besides its report: what the lineage
// did before, what has changed in the evaluation since, and who could have.
type contextView struct {
	History    []pastRun
	Exposure   string     // of the lineage's sealed sets, in words
	Sets       []exposure // by set
	Warnings   []string   // why numbers do not compare
	Previous   string     // address of the run that warnings speak of, "": none
	Produced   []string   // what produced the candidate
	Could      []couldChange
	Plan       string // address of the plan in the log
	Evidence   string
	Approval   string // "": none
	Unwitting  string // what is not covered
	Alerts     []string
	Incomplete bool // the reader may not see who could change what
}

type pastRun struct {
	ID, Candidate, Result, Reason, At, Link string
	Here                                    bool
}

type exposure struct{ Set, Used, Inherited, Seen string }

// couldChange is a role with those who had it when the run was submitted.
type couldChange struct{ What, Who string }

// maxHistory is how many runs of a lineage stand on the page.
const maxHistory = 20

func (w *Server) contextOf(c echo.Context, v harness.ReportView) (contextView, error) {
	ctx, p := c.Request().Context(), principal(c)
	list, err := w.service.Submissions(ctx, p, api.Search{Lineage: v.Report.Lineage, Limit: maxHistory})
	if err != nil {
		return contextView{}, err
	}
	out := contextView{History: history(list, v.Run.ID), Produced: produced(v), Plan: logAddress(v.Run.PlanIndex), Evidence: logAddress(v.Run.EvidenceIndex), Approval: logAddress(v.Run.ApprovalIndex)}
	budget, err := w.service.Budget(ctx, p, v.Report.Lineage)
	if err != nil && !denied(err) {
		return out, err
	}
	out.expose(budget)
	if before := previous(list, v.Run.ID); before != "" {
		old, err := w.service.Report(ctx, p, before)
		if err != nil {
			return out, err
		}
		if out.Warnings = differences(old, v); out.Warnings != nil {
			out.Previous = runAddress(before)
		}
	}
	if d := v.Run.Deployed; d != "" && d != v.Run.ID && v.Report.Baseline != nil {
		now, err := w.service.Report(ctx, p, d)
		if err != nil {
			return out, err
		}
		if now.Report.Candidate.Digest != v.Report.Baseline.Digest {
			out.Warnings = append(out.Warnings, "Another model is deployed today than the one that this run compares with.")
		}
	}
	out.Warnings = append(out.Warnings, runtimes(v.Report)...)
	return out, w.could(c, v, &out)
}

// could says who had which role when the run was submitted.
func (w *Server) could(c echo.Context, v harness.ReportView, out *contextView) error {
	at, err := time.Parse(time.RFC3339Nano, v.Run.Submitted)
	if err != nil {
		out.Incomplete = true
		return nil
	}
	list, err := w.service.Accounts(c.Request().Context(), principal(c), at)
	if denied(err) {
		out.Incomplete = true
		return nil
	}
	out.Could = couldBy(list)
	return err
}

// roles are what each could do, in the order in which a change comes about.
var roles = []struct{ role, what string }{
	{"curator", "propose and activate sealed sets and suites"}, {"policy-owner", "propose and activate policies"}, {"reviewer", "review, and deploy what was approved"},
	{"submitter", "submit candidates"}, {"operator", "run the service"}, {"auditor", "read everything, change nothing"},
}

func couldBy(list []api.Standing) (out []couldChange) {
	for _, r := range roles {
		var who []string
		for _, s := range list {
			if slices.Contains(s.Account.Roles, r.role) {
				who = append(who, s.Account.Name)
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

func history(list []api.Submission, here string) (out []pastRun) {
	for _, s := range list {
		result := s.Result
		if result == "" {
			result = s.State
		}
		out = append(out, pastRun{ID: s.ID, Candidate: s.Candidate, Result: result, Reason: s.Reason, At: moment(s.Submitted), Link: runAddress(s.ID), Here: s.ID == here})
	}
	return out
}

// previous is the run with a verdict before a run; list is newest first.
func previous(list []api.Submission, id string) string {
	at := slices.IndexFunc(list, func(s api.Submission) bool { return s.ID == id })
	if at < 0 {
		return ""
	}
	for _, s := range list[at+1:] {
		if s.State == "done" {
			return s.ID
		}
	}
	return ""
}

// differences says what defines the evaluation and is another one than at an earlier run.
func differences(old, v harness.ReportView) (out []string) {
	a, b := old.Report, v.Report
	add := func(differ bool, what string) {
		if differ {
			out = append(out, what)
		}
	}
	add(a.Policy.Digest != b.Policy.Digest, "The policy is another one than at the run before.")
	add(!sameRefs(a.Holdouts, b.Holdouts), "The sealed rows are other ones than at the run before: no number of the two compares.")
	add(!sameRefs(a.Suites, b.Suites), "The suites are other ones than at the run before.")
	add(digestOfModel(a.Baseline) != digestOfModel(b.Baseline), "The deployed model that was compared with is another one than at the run before.")
	add(old.Run.Harness != v.Run.Harness, "The program that judged is another one than at the run before.")
	add(a.Tier != b.Tier, "The candidate was confined otherwise than at the run before: "+a.Tier+" then, "+b.Tier+" now.")
	return out
}

func digestOfModel(m *report.Model) string {
	if m == nil {
		return ""
	}
	return m.Digest
}

func sameRefs(a, b []report.Ref) bool {
	return slices.EqualFunc(a, b, func(x, y report.Ref) bool { return x.Digest == y.Digest })
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
