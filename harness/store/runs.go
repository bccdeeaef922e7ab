package store

import (
	"database/sql"
	"errors"
	"strings"
)

// States of a run.
const (
	Queued  = "queued"
	Planned = "planned" // the plan is in the log
	Done    = "done"    // the verdict is in the log
	Aborted = "aborted" // ended without a verdict; the log says why and whether it was charged
)

// A Run is one submission on its way to a verdict.
type Run struct {
	ID, Dedupe, Lineage                     string
	Package, PackageName, PackageKind       string
	PackageBlob                             string
	SubmittedBy, SubmittedPerson, Submitted string
	State                                   string
	Epoch                                   int64
	Stage                                   string
	Plan                                    []byte
	Seed                                    string
	Attempt                                 int64
	Charged, Handed                         bool // Handed: its candidate may have been given rows
	Result, Reason, Sentence, Report        string
	Evidence, Approval                      int64
	Ended                                   string
}

const runColumns = `id, dedupe, lineage, package, package_name, package_kind, package_blob,
	submitted_by, submitted_person, submitted, state, epoch, stage, plan, seed, attempt, charged, handed,
	result, reason, sentence, report, evidence, approval, ended`

func (r *Run) into() []any {
	return []any{&r.ID, &r.Dedupe, &r.Lineage, &r.Package, &r.PackageName, &r.PackageKind, &r.PackageBlob,
		&r.SubmittedBy, &r.SubmittedPerson, &r.Submitted, &r.State, &r.Epoch, &r.Stage, &r.Plan, &r.Seed, &r.Attempt, &r.Charged, &r.Handed,
		&r.Result, &r.Reason, &r.Sentence, &r.Report, &r.Evidence, &r.Approval, &r.Ended}
}

func scanRun(rows *sql.Rows) (r Run, err error) { return r, rows.Scan(r.into()...) }

// NewRun records a submission. [ErrExists]: the same question is being or was
// answered; the run that does is returned instead.
func (t *Tx) NewRun(r Run) (Run, error) {
	same, err := rows(t, scanRun, `SELECT `+runColumns+` FROM runs WHERE dedupe = $1 AND state <> 'aborted'`, r.Dedupe)
	if err != nil {
		return Run{}, err
	}
	if len(same) > 0 {
		return same[0], ErrExists
	}
	r.State, r.Submitted, r.Stage, r.Evidence, r.Approval = Queued, t.now(), "waiting", -1, -1
	_, err = t.exec(`INSERT INTO runs (`+runColumns+`) VALUES
		($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25)`,
		r.ID, r.Dedupe, r.Lineage, r.Package, r.PackageName, r.PackageKind, r.PackageBlob,
		r.SubmittedBy, r.SubmittedPerson, r.Submitted, r.State, r.Epoch, r.Stage, []byte{}, "", 0, 0, 0,
		"", "", "", "", r.Evidence, r.Approval, "")
	if err != nil {
		return Run{}, err
	}
	return r, t.enqueue()
}

// Run returns one run.
func (t *Tx) Run(id string) (Run, error) {
	var r Run
	return r, t.row(`SELECT `+runColumns+` FROM runs WHERE id = $1`, []any{id}, r.into()...)
}

// Runs lists the newest runs, of one lineage unless it is "".
func (t *Tx) Runs(lineage string, limit int) ([]Run, error) {
	return t.FindRuns(RunFilter{Lineage: lineage, Limit: limit})
}

// A RunFilter says which runs to find; an empty field passes all.
type RunFilter struct {
	Lineage, State, Result string
	Person                 string // who submitted
	Text                   string // in the candidate's name, or the beginning of id or package digest; case does not count
	Before                 string // id of a run: only those listed after it
	Limit                  int
}

// FindRuns lists runs, newest first. [ErrNotFound]: there is no run Before.
func (t *Tx) FindRuns(f RunFilter) ([]Run, error) {
	var at string
	if f.Before != "" {
		r, err := t.Run(f.Before)
		if err != nil {
			return nil, err
		}
		at = r.Submitted
	}
	text := likely.Replace(strings.ToLower(f.Text))
	return rows(t, scanRun, `SELECT `+runColumns+` FROM runs
		WHERE ($1 = '' OR lineage = $1) AND ($2 = '' OR state = $2) AND ($3 = '' OR result = $3) AND ($4 = '' OR submitted_person = $4)
		AND ($5 = '' OR LOWER(package_name) LIKE '%' || $5 || '%' ESCAPE '!' OR id LIKE $5 || '%' ESCAPE '!' OR package LIKE $5 || '%' ESCAPE '!')
		AND ($6 = '' OR submitted < $6 OR submitted = $6 AND id > $7)
		ORDER BY submitted DESC, id LIMIT $8`, f.Lineage, f.State, f.Result, f.Person, text, at, f.Before, f.Limit)
}

// likely writes a text so that LIKE takes it as it is.
var likely = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// TakeUp raises the run's epoch; only the holder of the newest epoch may go on.
func (t *Tx) TakeUp(id string) (Run, error) {
	if err := t.one(`UPDATE runs SET epoch = epoch + 1 WHERE id = $1 AND state IN ('queued', 'planned')`, id); err != nil {
		return Run{}, err
	}
	return t.Run(id)
}

// SetPlan records the plan that was logged in this transaction.
func (t *Tx) SetPlan(r Run) error {
	return t.one(`UPDATE runs SET state = 'planned', plan = $1, seed = $2, attempt = $3 WHERE id = $4 AND epoch = $5 AND state = 'queued'`,
		r.Plan, r.Seed, r.Attempt, r.ID, r.Epoch)
}

// Hand records, before it happens, that the candidate is given rows. Only the
// holder of the newest epoch may do so.
func (t *Tx) Hand(r Run) error {
	return t.one(`UPDATE runs SET handed = 1 WHERE id = $1 AND epoch = $2 AND state = 'planned'`, r.ID, r.Epoch)
}

// Planned lists the runs of a lineage that have a plan and no end.
func (t *Tx) Planned(lineage string) ([]Run, error) {
	return rows(t, scanRun, `SELECT `+runColumns+` FROM runs WHERE lineage = $1 AND state = 'planned' ORDER BY submitted, id`, lineage)
}

// SetStage says what the run is doing. It is for people and never fails a run.
func (t *Tx) SetStage(id string, epoch int64, stage string) error {
	err := t.one(`UPDATE runs SET stage = $1 WHERE id = $2 AND epoch = $3`, stage, id, epoch)
	if errors.Is(err, ErrStale) {
		return nil
	}
	return err
}

// Finish records the verdict that was logged in this transaction.
func (t *Tx) Finish(r Run) error {
	return t.one(`UPDATE runs SET state = 'done', stage = 'done', result = $1, reason = $2, sentence = $3, report = $4, evidence = $5, ended = $6
		WHERE id = $7 AND epoch = $8 AND state = 'planned'`,
		r.Result, r.Reason, r.Sentence, r.Report, r.Evidence, t.now(), r.ID, r.Epoch)
}

// Abort ends a run without a verdict.
func (t *Tx) Abort(r Run) error {
	return t.one(`UPDATE runs SET state = 'aborted', stage = 'aborted', reason = $1, sentence = $2, ended = $3
		WHERE id = $4 AND epoch = $5 AND state IN ('queued', 'planned')`,
		r.Reason, r.Sentence, t.now(), r.ID, r.Epoch)
}

// SetApproval records the approval that was logged in this transaction.
func (t *Tx) SetApproval(id string, index int64) error {
	return t.one(`UPDATE runs SET approval = $1 WHERE id = $2 AND state = 'done' AND result = 'PASS' AND approval = -1`, index, id)
}

// A Review is what a person decided on a run, about the report that they saw.
type Review struct{ Run, Person, By, Decision, Reason, Report, At string }

// AddReview records a review; one a person and run.
func (t *Tx) AddReview(r Review) error {
	_, err := t.exec(`INSERT INTO reviews (run, person, by_id, decision, reason, report, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		r.Run, r.Person, r.By, r.Decision, r.Reason, r.Report, t.now())
	return err
}

// Reviews lists the reviews of a run in time order.
func (t *Tx) Reviews(run string) ([]Review, error) {
	return rows(t, func(rs *sql.Rows) (r Review, err error) {
		return r, rs.Scan(&r.Run, &r.Person, &r.By, &r.Decision, &r.Reason, &r.Report, &r.At)
	}, `SELECT run, person, by_id, decision, reason, report, at FROM reviews WHERE run = $1 ORDER BY at, person`, run)
}
