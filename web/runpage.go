package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/report"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// statePage is a run as its submitter sees it, or one that has not ended.
type statePage struct {
	Page    page
	Run     api.Submission
	Running bool
	Review  string
}

// runPage is the review page.
type runPage struct {
	Page                             page
	Report                           reportView
	Run                              harness.RunView
	Plan, EvidenceLeaf, ApprovalLeaf string // of the log; ApprovalLeaf "": none
	Signed                           []digestView
	Holdouts                         []string
	Commands                         []string
	Reviews                          string
	Approved, CanReview, CanSeeRows  bool
	Context                          contextView
	Fresh                            bool   // signed in just now: no token is asked for
	Again                            string // where to sign in again; "": by token alone
}

// runPage shows the report to whom the service gives it, else how the run stands.
func (w *Server) runPage(c echo.Context) error {
	ctx, p, id := c.Request().Context(), principal(c), param(c, "id")
	s, err := w.service.Submission(ctx, p, id)
	if err != nil {
		return err
	}
	if s.State != "done" {
		return w.statePage(c, s)
	}
	v, err := w.service.Report(ctx, p, id)
	if denied(err) {
		return w.statePage(c, s)
	}
	if err != nil {
		return err
	}
	r := w.reviewPage(c, s, v)
	if r.Context, err = w.contextOf(c, v); err != nil {
		return err
	}
	if r.Fresh, err = w.fresh(c); err != nil {
		return err
	}
	return send(c, http.StatusOK, "run", r)
}

func (w *Server) statePage(c echo.Context, s api.Submission) error {
	v := statePage{Page: w.page(c, s.Candidate), Run: s, Running: !s.Done(), Review: reviews(s)}
	v.Page.Here = "runs"
	v.Run.Submitted, v.Run.Ended = moment(s.Submitted), moment(s.Ended)
	if v.Running {
		c.Response().Header().Set("Refresh", "3")
	}
	return send(c, http.StatusOK, "state", v)
}

func (w *Server) reviewPage(c echo.Context, s api.Submission, v harness.ReportView) runPage {
	r := runPage{
		Page: w.page(c, s.Candidate+": "+s.Result), Report: newReportView(v.Report, v.Digest, runAddress(v.Run.ID)), Run: v.Run,
		Plan: leaf(v.Run.PlanIndex), EvidenceLeaf: leaf(v.Run.EvidenceIndex), ApprovalLeaf: leaf(v.Run.ApprovalIndex),
		Reviews: reviews(s), Approved: s.Approved, Commands: commands(v), Again: w.signInAgain(runAddress(v.Run.ID)),
	}
	r.Page.Here = "runs"
	for _, x := range []digestView{{"evidence", "signed statement", v.Run.Evidence}, {"approval", "signed statement", v.Run.Approval}, {"harness", "the program that ran it", v.Run.Harness}} {
		if x.Digest != "" {
			r.Signed = append(r.Signed, x)
		}
	}
	for _, h := range v.Report.Holdouts {
		r.Holdouts = append(r.Holdouts, h.Name)
	}
	r.Run.Submitted, r.Run.Ended = moment(v.Run.Submitted), moment(v.Run.Ended)
	for i := range r.Run.Reviews {
		r.Run.Reviews[i].At = moment(r.Run.Reviews[i].At)
	}
	may := access.Check(principal(c), access.Review, access.Object{}) == nil // only what is offered; the service decides
	r.CanSeeRows = may && v.Report.Binding == "package" && len(v.Report.BrokeRows) > 0
	r.CanReview = may && s.Result == report.Pass && !s.Approved && s.Awaiting > 0
	return r
}

// reviews says how the reviews of a PASS stand.
func reviews(s api.Submission) string {
	switch {
	case s.Approved:
		return "approved"
	case s.Awaiting < 0:
		return "refused by a reviewer"
	}
	return plural(int64(s.Awaiting), "review") + " still needed"
}

// commands are what a reader types to check the verdict without this server. A
// word that a shell would not take as it stands is quoted.
func commands(v harness.ReportView) []string {
	hex := strings.TrimPrefix(v.Report.Candidate.Digest, "sha256:")
	cosign := func(bundle, key, kind string) string {
		return commandLine("cosign", "verify-blob-attestation", "--key", key, "--bundle", bundle, "--trusted-root", "trusted_root.json", "--type", kind, "--digest", hex, "--digestAlg", "sha256")
	}
	out := []string{
		"# the keys to pin; compare them with a copy that came another way",
		`curl -sf -H "Authorization: Bearer $PROCTOR_TOKEN" "$PROCTOR_SERVER/v1/trust" > trust.json`,
		"jq -r .evidence_key trust.json > evidence.pub; jq -r .approve_key trust.json > approve.pub; jq -r .trusted_root trust.json > trusted_root.json",
		"# the bundles: evidence.bundle.json and, once approved, approval.bundle.json",
		commandLine("proctor", "verdict", v.Run.ID, "--dir", "."),
		"# signature and log proof, offline, with a stock client",
		cosign("evidence.bundle.json", "evidence.pub", verdict.EvidenceType),
	}
	if v.Run.ApprovalIndex >= 0 {
		out = append(out, cosign("approval.bundle.json", "approve.pub", verdict.ApprovalType),
			"# the release gate, offline: the files themselves, policy, age, keys, log",
			commandLine("proctor-gate", "--bundle", "approval.bundle.json", "--evidence", "evidence.bundle.json", "--trust", "trust.json", "--requirements", "gate.json", "--model", "FOLDER"))
	}
	return out
}

// commandLine joins the words of a command line for a shell.
func commandLine(words ...string) string {
	for i, w := range words {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,", r))
		}) {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// leaf writes a position in the log; "" for none.
func leaf(i int64) string {
	if i < 0 {
		return ""
	}
	return "#" + count(i)
}

// moment writes a time as people read it; what is no time stays as it is.
func moment(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func runAddress(id string) string { return fmt.Sprintf("/runs/%s", url.PathEscape(id)) }
