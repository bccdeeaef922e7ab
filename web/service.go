package web

import (
	"context"
	"io"
	"time"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/policy"
	"proctor/holdout"
	"proctor/web/api"
)

// A Service is what the pages and the interface speak for: [harness.Service].
//
// Each method checks itself whether its principal may call it and refuses with
// an error that wraps [access.ErrDenied]. An error of type [*harness.Error] may
// be shown to the caller; every other one is internal. All may be called at once
// from many requests.
type Service interface {
	People
	Runs
	Changes
	Proposals
	Log
	Holdouts
	Backtests
	Recall

	// Ready says whether the service can take work; public.
	Ready(ctx context.Context) error
	// Trust returns what a verifier pins; it is public.
	Trust() (api.Trust, error)
	// Audit recomputes the log and everything that rests on it.
	Audit(ctx context.Context, p access.Principal) (api.Audit, error)
	// ActiveHoldouts returns the public side of every set in force, by name.
	ActiveHoldouts(ctx context.Context, p access.Principal) ([]holdout.Commitment, error)
	// Holdout returns the public side of the active version.
	Holdout(ctx context.Context, p access.Principal, name string) (holdout.Commitment, error)
}

// People turns secrets into principals.
type People interface {
	// Authenticate returns whom a secret of that kind (api or session) stands for.
	Authenticate(ctx context.Context, secret, kind string) (access.Principal, error)
	// Login opens a session for the holder of an API token. Its secret is new each time.
	Login(ctx context.Context, token string) (session string, p access.Principal, err error)
	// LoginAs opens a session for whom an issuer of people knows by these claims.
	LoginAs(ctx context.Context, issuer string, claims map[string]string) (session string, p access.Principal, err error)
	// Accounts lists who could do what at a time.
	Accounts(ctx context.Context, p access.Principal, at time.Time) ([]api.Standing, error)
	// Fresh says whether the holder of a session has signed in just now.
	Fresh(ctx context.Context, session string) (bool, error)
	// Logout ends a session; one that does not exist is no error.
	Logout(ctx context.Context, session string) error
}

// Runs is one submission from the archive to the verdict.
type Runs interface {
	Submit(ctx context.Context, p access.Principal, lineage, candidate string, archive io.Reader) (api.Submission, error)
	Submission(ctx context.Context, p access.Principal, id string) (api.Submission, error)
	Submissions(ctx context.Context, p access.Principal, q api.Search) ([]api.Submission, error)
	// Cancel ends a submission that waits; one that has begun ends by itself.
	Cancel(ctx context.Context, p access.Principal, id string) (api.Submission, error)
	// Bundle returns the signed evidence or approval, by that word.
	Bundle(ctx context.Context, p access.Principal, id, which string) ([]byte, error)
	// Report returns a report whose bytes were checked against the digest in the verdict.
	Report(ctx context.Context, p access.Principal, id string) (harness.ReportView, error)
	// Lineage returns what surrounds a run: its lineage's runs, its terms and who can change them.
	Lineage(ctx context.Context, p access.Principal, id string) (harness.LineageView, error)
	// Cases returns what each case of the run's suites came to, by the report's digest.
	Cases(ctx context.Context, p access.Principal, id string) (harness.CasesView, error)
	// Review refuses a digest that is not the verdict's report.
	Review(ctx context.Context, p access.Principal, id string, r api.Review) (api.Submission, error)
}

// Proposals are the ways to propose what PASS means.
type Proposals interface {
	ProposeHoldout(ctx context.Context, p access.Principal, h harness.HoldoutProposal) (api.Change, error)
	// PreviewHoldout says what ProposeHoldout would seal, and keeps nothing.
	PreviewHoldout(ctx context.Context, p access.Principal, h harness.HoldoutProposal) (harness.HoldoutPreview, error)
	ProposeSuite(ctx context.Context, p access.Principal, archive io.Reader) (api.Change, error)
	ProposePolicy(ctx context.Context, p access.Principal, text []byte) (api.Change, error)
	ProposeAccount(ctx context.Context, p access.Principal, a access.Account) (api.Change, error)
	ProposeBaseline(ctx context.Context, p access.Principal, b api.Baseline) (api.Change, error)
	CheckPolicy(ctx context.Context, p access.Principal, text []byte) (policy.Report, error)
	InitPolicy(ctx context.Context, p access.Principal, holdout, lineage string, suites []string) ([]byte, error)
}

// Changes lists proposals, newest first, and decides on them.
type Changes interface {
	Changes(ctx context.Context, p access.Principal) ([]api.Change, error)
	// Events lists what the log records from an index on.
	Events(ctx context.Context, p access.Principal, from int64, limit int) ([]api.Event, error)
	DecideChange(ctx context.Context, p access.Principal, id string, activate bool) (api.Change, error)
}

// Log is the transparency log as it is published.
type Log interface {
	// LogCheckpoint returns the newest checkpoint; it is public.
	LogCheckpoint() ([]byte, error)
	// LogTile returns the tile at a path like "tile/0/000"; it is public.
	LogTile(ctx context.Context, path string) ([]byte, error)
	// LogEntries returns up to limit logged statements from an index on.
	LogEntries(ctx context.Context, p access.Principal, from int64, limit int) ([][]byte, error)
}
