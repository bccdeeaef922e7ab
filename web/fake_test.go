package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/web/api"
)

var _ Service = (*harness.Service)(nil)

// fake is a Service in memory. Its rules of access are the real ones; a caller
// that is nobody, or a review about bytes that are not the report's, fails the test.
type fake struct {
	t        testing.TB
	mu       sync.Mutex
	people   map[string]access.Principal // by account, which is also what its token ends in
	sessions map[string]access.Principal
	runs     []*fakeRun
	changes  []*fakeChange
	writes   []string // what was done, for tests of what was not
	fail     error    // every call answers this
	logins   int
	asked    api.Search // by the last call of Submissions
	fresh    bool       // sessions have just been opened
}

type fakeRun struct {
	api.Submission
	person string
	report *report.Report
	by     []harness.ReviewView
}

type fakeChange struct {
	api.Change
	person string
}

func token(account string) string { return "token-of-thirty-two-characters-" + account }

const (
	passID, failID, firstID, waitID, abortID = "run-pass", "run-fail", "run-first", "run-wait", "run-abort"
)

func newFake(t testing.TB) *fake {
	f := &fake{t: t, people: map[string]access.Principal{}, sessions: map[string]access.Principal{}}
	person := func(id string, robot bool, roles ...access.Role) {
		f.people[id] = access.Principal{ID: id, Person: strings.TrimSuffix(id, "-bot"), Robot: robot, Roles: roles}
	}
	person("sam-bot", true, access.Submitter)
	person("sue", false, access.Submitter)
	person("cleo", false, access.Curator)
	person("carl", false, access.Curator)
	person("pia", false, access.PolicyOwner)
	person("rae", false, access.Reviewer)
	person("rob", false, access.Reviewer)
	person("olga", false, access.Operator)
	person("abe", false, access.Auditor)
	run := func(id string, r *report.Report, s api.Submission) {
		s.ID, s.Lineage, s.Submitted, s.BudgetLeft, s.Package = id, "income", "2026-11-24T09:12:44.5Z", 4, digestOf("package")
		if r != nil {
			s.Candidate, s.State, s.Stage, s.Result, s.Ended = r.Candidate.Name, "done", "done", r.Decision.Result, "2026-11-24T09:13:20Z"
		}
		f.runs = append(f.runs, &fakeRun{Submission: s, person: "sam", report: r})
	}
	run(failID, poisoned(), api.Submission{Reason: "a watched slice got worse"})
	run(passID, passed(), api.Submission{Awaiting: 1})
	run(firstID, first(), api.Submission{Approved: true})
	run(waitID, nil, api.Submission{Candidate: "v3", State: "planned", Stage: "answering row 8,000 of 16,281"})
	run(abortID, nil, api.Submission{Candidate: "v4", State: "aborted", Stage: "aborted", Reason: "package", Sentence: "The model printed no answers."})
	change := func(id, kind, name, by, state string) {
		c := api.Change{ID: id, Kind: kind, Name: name, Digest: digestOf(id), Note: name + ": 2 tests, 600 cases", State: state, Proposer: by, Proposed: "2026-11-23T08:00:00Z"}
		if state != "proposed" {
			c.Decider, c.Decided = "carl", "2026-11-23T09:00:00Z"
		}
		f.changes = append(f.changes, &fakeChange{c, by})
	}
	change("change-suite", "suite", "income-triggers", "cleo", "proposed")
	change("change-policy", "policy", "income-release", "pia", "active")
	change("change-baseline", "baseline", "income", "rae", "proposed")
	change("change-holdout", "holdout", "census-2026q3", "cleo", "active")
	change("change-old", "holdout", "census-2026q2", "cleo", "refused")
	return f
}

// begin refuses misuse of the interface.
func (f *fake) begin(p access.Principal, call string) error {
	if p.ID == "" {
		f.t.Errorf("%s was called for nobody", call)
	}
	return f.fail
}

func missing(what, id string) error {
	return &harness.Error{Kind: harness.Missing, Message: fmt.Sprintf("there is no %s %q", what, id)}
}

func (f *fake) Authenticate(_ context.Context, secret, kind string) (access.Principal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return access.Principal{}, f.fail
	}
	if kind == "session" {
		if p, ok := f.sessions[secret]; ok {
			return p, nil
		}
	} else if p, ok := f.people[strings.TrimPrefix(secret, token(""))]; ok && kind == "api" {
		return p, nil
	}
	return access.Principal{}, fmt.Errorf("%w: the token is unknown or has expired", access.ErrDenied)
}

func (f *fake) Login(ctx context.Context, secret string) (string, access.Principal, error) {
	p, err := f.Authenticate(ctx, secret, "api")
	if err != nil {
		return "", p, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	s := fmt.Sprintf("session-%d-with-more-than-thirty-two-characters", f.logins)
	f.sessions[s] = p
	return s, p, nil
}

func (f *fake) Logout(_ context.Context, session string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sessions, session)
	return f.fail
}

func (f *fake) run(p access.Principal, a access.Action, id string) (*fakeRun, error) {
	for _, r := range f.runs {
		if r.ID == id {
			o := access.Object{People: []string{r.person}}
			if access.Check(p, access.SeeSubmission, o) != nil {
				break
			}
			return r, access.Check(p, a, o)
		}
	}
	return nil, missing("submission", id)
}

func (f *fake) Submit(_ context.Context, p access.Principal, lineage, candidate string, archive io.Reader) (api.Submission, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Submit"); err != nil {
		return api.Submission{}, err
	}
	if err := access.Check(p, access.Submit, access.Object{}); err != nil {
		return api.Submission{}, err
	}
	b, err := io.ReadAll(archive)
	if err != nil {
		return api.Submission{}, &harness.Error{Kind: harness.Usage, Message: "the archive could not be read to its end"}
	}
	r := &fakeRun{Submission: api.Submission{ID: fmt.Sprintf("run-%d", len(f.runs)), Lineage: lineage, Candidate: candidate, Package: report.Digest(b), Submitted: "2026-11-25T00:00:00Z", State: "queued", Stage: "waiting", BudgetLeft: 3}, person: p.Person}
	f.runs = append(f.runs, r)
	f.wrote("submit %s %s %s", lineage, candidate, b)
	return r.Submission, nil
}

func (f *fake) Submission(_ context.Context, p access.Principal, id string) (api.Submission, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Submission "+id); err != nil {
		return api.Submission{}, err
	}
	r, err := f.run(p, access.SeeSubmission, id)
	if err != nil {
		return api.Submission{}, err
	}
	return r.Submission, nil
}

func (f *fake) Submissions(_ context.Context, p access.Principal, q api.Search) ([]api.Submission, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Submissions"); err != nil {
		return nil, err
	}
	if q.Limit < 1 {
		f.t.Errorf("a list of %d", q.Limit)
	}
	f.asked = q
	out := []api.Submission{}
	for _, r := range f.runs {
		if q.Lineage != "" && r.Lineage != q.Lineage || len(out) == q.Limit {
			continue
		}
		if _, err := f.run(p, access.SeeSubmission, r.ID); err == nil {
			out = append(out, r.Submission)
		}
	}
	return out, nil
}

func (f *fake) Cancel(_ context.Context, p access.Principal, id string) (api.Submission, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Cancel"); err != nil {
		return api.Submission{}, err
	}
	r, err := f.run(p, access.SeeSubmission, id)
	if err != nil {
		return api.Submission{}, err
	}
	if err := access.Check(p, access.Cancel, access.Object{People: []string{r.person}}); err != nil {
		return api.Submission{}, err
	}
	f.wrote("cancel %s", id)
	s := r.Submission
	s.State, s.Stage, s.Place, s.Reason = "aborted", "aborted", 0, "canceled"
	return s, nil
}

func (f *fake) Bundle(_ context.Context, p access.Principal, id, which string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Bundle "+which); err != nil {
		return nil, err
	}
	if which != "evidence" && which != "approval" {
		f.t.Errorf("a bundle %q", which)
	}
	action := access.SeeReport // evidence holds every number
	if which == "approval" {
		action = access.SeeBundle
	}
	r, err := f.run(p, action, id)
	if err != nil {
		return nil, err
	}
	if r.report == nil || which == "approval" && !r.Approved {
		return nil, missing(which, id)
	}
	return []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`), nil
}

func (f *fake) Report(_ context.Context, p access.Principal, id string) (harness.ReportView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Report "+id); err != nil {
		return harness.ReportView{}, err
	}
	r, err := f.run(p, access.SeeReport, id)
	if err != nil {
		return harness.ReportView{}, err
	}
	if r.report == nil {
		return harness.ReportView{}, &harness.Error{Kind: harness.Conflict, Message: "the run has not ended"}
	}
	b, digest, err := report.Encode(r.report)
	if err != nil {
		return harness.ReportView{}, err
	}
	checked, err := report.Decode(b, digest)
	if err != nil {
		return harness.ReportView{}, err
	}
	v := harness.ReportView{Digest: digest, Bytes: b, Report: checked, Run: harness.RunView{
		ID: r.ID, SubmittedBy: "sam-bot", Submitted: r.Submitted, Ended: r.Ended, BudgetRuns: 6, BudgetLeft: r.BudgetLeft, ReviewsNeeded: 1, Reviews: r.by,
		Deployed: firstID, PlanIndex: 1040, EvidenceIndex: 1041, ApprovalIndex: -1, Evidence: digestOf("evidence"), Harness: digestOf("harness"), Service: "https://proctor.example",
	}}
	if r.Approved {
		v.Run.ApprovalIndex, v.Run.Approval = 1042, digestOf("approval")
	}
	return v, nil
}

func (f *fake) Review(ctx context.Context, p access.Principal, id string, d api.Review) (api.Submission, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Review"); err != nil {
		return api.Submission{}, err
	}
	r, err := f.run(p, access.Review, id)
	if err != nil {
		return api.Submission{}, err
	}
	if r.Result != report.Pass || r.Approved {
		return api.Submission{}, &harness.Error{Kind: harness.Conflict, Message: "only a PASS without an approval is reviewed"}
	}
	if _, digest, _ := report.Encode(r.report); digest != d.Report {
		return api.Submission{}, &harness.Error{Kind: harness.Conflict, Message: "the review is about another report"}
	}
	if strings.TrimSpace(d.Reason) == "" {
		return api.Submission{}, &harness.Error{Kind: harness.Usage, Message: "a review needs a reason"}
	}
	f.wrote("review %s %v %s", id, d.Approve, d.Reason)
	r.by = append(r.by, harness.ReviewView{By: p.ID, Approve: d.Approve, Reason: d.Reason, Report: d.Report, At: "2026-11-24T10:00:00Z"})
	r.Awaiting, r.Approved = -1, false
	if d.Approve {
		r.Awaiting, r.Approved = 0, true
	}
	return r.Submission, nil
}

func (f *fake) propose(p access.Principal, kind, name string) (api.Change, error) {
	if err := f.begin(p, "Propose "+kind); err != nil {
		return api.Change{}, err
	}
	if err := access.Check(p, access.Propose, access.Object{Kind: kind}); err != nil {
		return api.Change{}, err
	}
	c := &fakeChange{api.Change{ID: fmt.Sprintf("change-%d", len(f.changes)), Kind: kind, Name: name, Digest: digestOf(name), Note: "as asked", State: "proposed", Proposer: p.ID, Proposed: "2026-11-25T00:00:00Z"}, p.Person}
	f.changes = append(f.changes, c)
	f.wrote("propose %s %s", kind, name)
	return c.Change, nil
}

func (f *fake) ProposeHoldout(_ context.Context, p access.Principal, h harness.HoldoutProposal) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name, err := all(h)
	if err != nil {
		return api.Change{}, err
	}
	return f.propose(p, "holdout", name)
}

func (f *fake) PreviewHoldout(_ context.Context, p access.Principal, h harness.HoldoutProposal) (harness.HoldoutPreview, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name, err := all(h)
	if err == nil {
		err = f.begin(p, "PreviewHoldout "+name)
	}
	if err != nil {
		return harness.HoldoutPreview{}, err
	}
	seen := 12.5
	return harness.HoldoutPreview{Holdout: "census", Rows: 900, Slices: []harness.SlicePreview{
			{Dimension: "class", Value: "yes", Rows: 899, SharePct: 99.9, VisiblePP: &seen}, {Dimension: "class", Value: "no", Rows: 1, SharePct: .1},
		}, Policies: []harness.PolicyPreview{{Policy: "p", Lineage: "l", Report: &policy.Report{}}, {Policy: "q", Lineage: "m", Refused: "too few"}}, Notes: []string{"n"}},
		access.Check(p, access.Propose, access.Object{Kind: "holdout"})
}

// all reads the tables of a proposal.
func all(h harness.HoldoutProposal) (string, error) {
	table, err := io.ReadAll(h.Table)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s/%s/%s", h.Format, h.Spec, table)
	if h.Reserve != nil {
		reserve, err := io.ReadAll(h.Reserve)
		if err != nil {
			return "", err
		}
		name += "/" + string(reserve)
	}
	return name, nil
}

func (f *fake) ProposeSuite(_ context.Context, p access.Principal, archive io.Reader) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, err := io.ReadAll(archive)
	if err != nil {
		return api.Change{}, err
	}
	return f.propose(p, "suite", string(b))
}

func (f *fake) ProposePolicy(_ context.Context, p access.Principal, text []byte) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.propose(p, "policy", string(text))
}

func (f *fake) LoginAs(ctx context.Context, issuer string, claims map[string]string) (string, access.Principal, error) {
	if issuer == "" || claims["sub"] == "" {
		return "", access.Principal{}, fmt.Errorf("%w: no account has the identity", access.ErrDenied)
	}
	return f.Login(ctx, token(claims["sub"]))
}

func (f *fake) Events(_ context.Context, p access.Principal, from int64, limit int) ([]api.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, fmt.Sprintf("Events %d %d", from, limit)); err != nil {
		return nil, err
	}
	return []api.Event{{Index: from, Kind: "change", At: "2026-11-25T00:00:00Z", Name: "census", Digest: digestOf("census"), By: "cleo", Sentence: "cleo proposed the holdout census", Alerts: []string{}}},
		access.Check(p, access.SeeChanges, access.Object{})
}

func (f *fake) ProposeAccount(_ context.Context, p access.Principal, a access.Account) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.propose(p, "account", a.ID)
}

func (f *fake) Accounts(_ context.Context, p access.Principal, at time.Time) ([]api.Standing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Accounts "+at.Format(time.RFC3339)); err != nil {
		return nil, err
	}
	return []api.Standing{{Account: api.Account{Name: "rae", Person: "Rae", Roles: []string{"reviewer"}, Identities: []api.Identity{}, Tokens: []api.Token{}}, Since: at.Format(time.RFC3339), Decider: "console"}},
		access.Check(p, access.SeeChanges, access.Object{})
}

func (f *fake) ProposeBaseline(_ context.Context, p access.Principal, b api.Baseline) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.propose(p, "baseline", b.Lineage+" "+b.Run)
}

func (f *fake) CheckPolicy(_ context.Context, p access.Principal, text []byte) (policy.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "CheckPolicy "+string(text)); err != nil {
		return policy.Report{}, err
	}
	return policy.Report{}, access.Check(p, access.Propose, access.Object{Kind: "policy"})
}

func (f *fake) InitPolicy(_ context.Context, p access.Principal, name, lineage string, suites []string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "InitPolicy"); err != nil {
		return nil, err
	}
	if err := access.Check(p, access.Propose, access.Object{Kind: "policy"}); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "policy: %s\nholdouts: [%s]\nsuites: %q\n", lineage, name, suites), nil
}

func (f *fake) Holdout(_ context.Context, p access.Principal, name string) (holdout.Commitment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Holdout "+name); err != nil {
		return holdout.Commitment{}, err
	}
	if name != "census-2026q3" {
		return holdout.Commitment{}, missing("holdout", name)
	}
	return census(), access.Check(p, access.SeeChanges, access.Object{})
}

func census() holdout.Commitment {
	return holdout.Commitment{
		Name: "census-2026q3", Version: 1, Digest: digestOf("holdout"), Rows: 16281, ReserveRows: 8000, Canaries: 200, Twins: 1000, Repeats: 29,
		Features: []rows.Field{{Name: "age", Number: true}, {Name: "workclass"}, {Name: "hours-per-week", Number: true}}, Classes: []string{"<=50K", ">50K"}, Positive: ">50K", ClassCounts: []int64{12435, 3846},
		SliceSizes: map[string]map[string]int64{"class": {"<=50K": 12435, ">50K": 3846}, "sex": {"Female": 5421, "Male": 10860}, "sex*race": {"Female × White": 4385, "Male × White": 9561, "Female × Black": 776, "Male × Black": 785}},
		RowRoot:    digestOf("root"), Sketch: []string{"a1", "b2"}, SketchKey: "k1", SealedAt: "2026-11-20T12:00:00Z",
	}
}

func (f *fake) Changes(_ context.Context, p access.Principal) ([]api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Changes"); err != nil {
		return nil, err
	}
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return nil, err
	}
	var out []api.Change
	for _, c := range f.changes {
		out = append(out, c.Change)
	}
	return out, nil
}

func (f *fake) DecideChange(_ context.Context, p access.Principal, id string, activate bool) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "DecideChange"); err != nil {
		return api.Change{}, err
	}
	for _, c := range f.changes {
		if c.ID != id {
			continue
		}
		if err := access.Check(p, access.Activate, access.Object{Kind: c.Kind, People: []string{c.person}}); err != nil {
			return api.Change{}, err
		}
		if c.State != "proposed" {
			return api.Change{}, &harness.Error{Kind: harness.Conflict, Message: "the proposal is " + c.State + " already"}
		}
		f.wrote("decide %s %v", id, activate)
		c.State, c.Decider, c.Decided = "refused", p.ID, "2026-11-25T00:00:00Z"
		if activate {
			c.State = "active"
		}
		return c.Change, nil
	}
	return api.Change{}, missing("proposal", id)
}

func (f *fake) Ready(context.Context) error { return f.fail }

func (f *fake) Trust() (api.Trust, error) {
	return api.Trust{Evidence: "PEM", Approve: "PEM", Log: "proctor+1+key", Root: "{}"}, f.fail
}

func (f *fake) Audit(_ context.Context, p access.Principal) (api.Audit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Audit"); err != nil {
		return api.Audit{}, err
	}
	return api.Audit{OK: true, Size: 1043, Root: "00", Checked: []string{"log"}, Problems: []string{}}, access.Check(p, access.Audit, access.Object{})
}

func (f *fake) LogCheckpoint() ([]byte, error) { return []byte("log.example\n2\nroot\n"), f.fail }

func (f *fake) LogTile(_ context.Context, path string) ([]byte, error) {
	if path != "tile/0/000.p/2" {
		return nil, missing("tile", path)
	}
	return make([]byte, 64), f.fail
}

func (f *fake) LogEntries(_ context.Context, p access.Principal, from int64, limit int) ([][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "LogEntries"); err != nil {
		return nil, err
	}
	e := []byte(`{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}`)
	return [][]byte{e, e}[min(from, 2):], access.Check(p, access.SeeReport, access.Object{})
}

// done returns and forgets what was written since the last time.
func (f *fake) done() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.writes
	f.writes = nil
	return w
}

func (f *fake) wrote(format string, args ...any) {
	f.writes = append(f.writes, fmt.Sprintf(format, args...))
}

func newServer(f *fake) http.Handler { return server(f, false).Handler() }

func server(f *fake, secure bool) *Server {
	return New(f, slog.New(slog.NewTextHandler(io.Discard, nil)), secure)
}

// as opens a session of an account.
func (f *fake) as(account string) string {
	s, _, err := f.Login(context.Background(), token(account))
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

var errSecret = errors.New("open /var/lib/proctor/keys: permission denied")
