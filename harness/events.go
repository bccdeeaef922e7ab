package harness

import (
	"context"
	"fmt"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// Events are what the log records, in words, for those who want to notice: people
// and the systems that they watch. An event says that something happened, to what
// and by whom; it holds no number of a report, no row and no token.

// Events lists what the log records from an index on, at most limit entries.
func (s *Service) Events(ctx context.Context, p access.Principal, from int64, limit int) ([]api.Event, error) {
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return nil, err
	}
	return s.Follow(ctx, from, limit)
}

// Follow is Events for the service's own use.
func (s *Service) Follow(ctx context.Context, from int64, limit int) (list []api.Event, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		_, head := s.Head.Checkpoint() // what it does not cover may yet be lost
		size, err := tx.LogSize()
		for i := max(from, 0); err == nil && i < min(size, head.N) && len(list) < limit; i++ {
			var e api.Event
			if e, err = s.event(tx, i); err == nil {
				list = append(list, e)
			}
		}
		return err
	})
	return list, err
}

func (s *Service) event(tx *store.Tx, index int64) (api.Event, error) {
	env, err := s.envelope(tx, index)
	if err != nil {
		return api.Event{}, err
	}
	e := api.Event{Index: index, Name: env.Subject().Name, Digest: env.Subject().Digest, Alerts: []string{}}
	switch st := env.Statement().(type) {
	case *verdict.Plan:
		e.Kind, e.Lineage, e.Run, e.At = "plan", st.Run.Lineage, st.Run.ID, st.At
		e.Sentence = fmt.Sprintf("%s: a run of %s begins, number %d of %d", st.Run.Lineage, e.Name, st.Attempt, st.Budget)
		e.Alerts, err = s.planAlerts(tx, index, st)
	case *verdict.Exposure:
		e.Kind, e.Lineage, e.Run, e.At = "exposure", st.Run.Lineage, st.Run.ID, st.At
		e.Sentence = fmt.Sprintf("%s: rows of %s are given to a run, %d of %d runs used", st.Run.Lineage, e.Name, st.Used, st.Budget)
		if st.Used >= st.Budget {
			e.Alerts = append(e.Alerts, fmt.Sprintf("the budget of %s is spent with this run: rotate to fresh rows", e.Name))
		}
	case *verdict.Custody:
		e.Kind, e.Run, e.At, e.By = "custody", st.Run, st.At, st.By
		e.Sentence = fmt.Sprintf("%s opens the sealed set %s outside of a run: %s", st.By, e.Name, st.Action)
	case *verdict.Evidence:
		e.Kind, e.Lineage, e.Run, e.At, e.Result = "verdict", st.Run.Lineage, st.Run.ID, st.At, st.Result
		e.Sentence = fmt.Sprintf("%s: %s is judged %s", st.Run.Lineage, e.Name, st.Result)
		for _, c := range st.TrainingChanges {
			e.Alerts = append(e.Alerts, "the training record of "+e.Name+": "+c)
		}
	case *verdict.Abort:
		e.Kind, e.Lineage, e.Run, e.At = "abort", st.Run.Lineage, st.Run.ID, st.At
		e.Sentence = fmt.Sprintf("%s: the run of %s ended without a verdict (%s)", st.Run.Lineage, e.Name, st.Reason)
	case *verdict.Review:
		e.Kind, e.Lineage, e.Run, e.At, e.By = "review", st.Run.Lineage, st.Run.ID, st.At, st.By
		e.Sentence = fmt.Sprintf("%s: %s reviewed %s: %s", st.Run.Lineage, st.By, e.Name, st.Decision)
	case *verdict.Approval:
		e.Kind, e.At, e.Result = "approval", st.TimeVerified, st.VerificationResult
		e.Sentence = fmt.Sprintf("%s is approved", e.Name)
	case *verdict.Revocation:
		e.Kind, e.At, e.By = "revocation", st.At, st.By
		e.Sentence = fmt.Sprintf("%s and %s revoked the %s %s, on which %d verdicts rest", st.ProposedBy, st.By, st.Kind, e.Name, len(st.Evidence))
		e.Alerts = append(e.Alerts, e.Sentence)
	case *verdict.Waiver:
		e.Kind, e.At, e.By, e.Result = "waiver", st.At, st.By, st.Result
		e.Sentence = fmt.Sprintf("%s and %s let %s (%s) into %s without an approval, as %s until %s", st.ProposedBy, st.By, e.Name, st.Result, st.Environment, st.Admission, st.Until)
		e.Alerts = append(e.Alerts, e.Sentence)
	case *verdict.Change:
		e.Kind, e.At, e.By = "change", st.At, st.By
		e.Sentence = fmt.Sprintf("%s %s the %s %s", st.By, st.Action, st.Kind, st.Document.Name)
		if st.Kind == accountKind { // a version without roles ends it
			e.Sentence += " (" + st.Note + ")"
		}
		if st.Kind == accountKind && st.By == console.ID {
			e.Alerts = append(e.Alerts, "an account was changed at the console, without a second person")
		}
	default:
		e.Kind, e.Sentence = "other", fmt.Sprintf("%s was recorded", env.Type())
	}
	return e, err
}

// planAlerts says what is unusual in a run that begins: another program judges than
// the last time, or the budget is near its end.
func (s *Service) planAlerts(tx *store.Tx, index int64, p *verdict.Plan) ([]string, error) {
	alerts := []string{}
	if p.Attempt+1 >= p.Budget && p.Budget > 1 {
		alerts = append(alerts, fmt.Sprintf("lineage %s has %d of %d runs left after this one", p.Run.Lineage, p.Budget-p.Attempt, p.Budget))
	}
	at, err := tx.LogIndexBefore(verdict.PlanType, index)
	if err != nil || at < 0 {
		return alerts, err
	}
	env, err := s.envelope(tx, at)
	if err != nil {
		return alerts, err
	}
	if before, ok := env.Statement().(*verdict.Plan); ok && before.Run.Harness != p.Run.Harness {
		alerts = append(alerts, "the program that judges is another one than at the run before")
	}
	return alerts, nil
}

// Receiver says where in the log a receiver of events goes on.
func (s *Service) Receiver(ctx context.Context, name string) (next int64, err error) {
	err = s.Store.Update(ctx, func(tx *store.Tx) (err error) { next, err = tx.Cursor(name); return err })
	return next, err
}

// Told moves a receiver forward, to the first entry that it was not told of.
func (s *Service) Told(ctx context.Context, name string, next int64) error {
	return s.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetCursor(name, next) })
}
