package harness

import (
	"context"
	"errors"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/web/api"
)

// workNext evaluates the run whose turn it is. There is a job for each run, and a job
// takes whichever run is next, so that nobody's thousand submissions hold up another's
// one. It returns when a run has ended, or none is left to take.
func (s *Service) workNext(ctx context.Context) error {
	for {
		id, err := s.takeNext(ctx)
		if err != nil || id == "" {
			return err
		}
		err = s.evaluate(ctx, id)
		s.busy.Delete(id)
		if !errors.Is(err, errEnded) { // another worker ended it while we chose
			return err
		}
	}
}

// takeNext marks a run as in hand and returns it; "": there is none. What was begun
// and interrupted comes first.
func (s *Service) takeNext(ctx context.Context) (id string, err error) {
	var order []string
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		if order, err = tx.Unfinished(); err != nil {
			return err
		}
		waiting, err := tx.Waiting()
		for _, r := range waiting {
			order = append(order, r.ID)
		}
		return err
	})
	if err != nil { // a run that is marked now would be nobody's for ever
		return "", err
	}
	for _, id := range order {
		if _, taken := s.busy.LoadOrStore(id, true); !taken {
			return id, nil
		}
	}
	return "", nil
}

// Cancel ends a submission that has not begun. Its submitter may do so, and an operator.
// It costs nothing: no row was given out. One that has begun ends by itself, for its
// rows may be known.
func (s *Service) Cancel(ctx context.Context, p access.Principal, id string) (api.Submission, error) {
	var view api.Submission
	err := s.update(ctx, func(tx *store.Tx, log *appender) error {
		r, err := s.visible(tx, p, id, access.SeeSubmission)
		if err != nil {
			return err
		}
		if err := access.Check(p, access.Cancel, access.Object{People: []string{r.SubmittedPerson}}); err != nil {
			return err
		}
		if r.State != store.Queued {
			return refuse(Conflict, "the submission does not wait any more: it is %s", r.State)
		}
		t := &task{s: s, run: r}
		if err := t.end(tx, log, "canceled", "It was canceled before it began.", false); err != nil {
			return err
		}
		if r, err = tx.Run(id); err != nil {
			return err
		}
		view, err = s.submissionView(tx, r)
		return err
	})
	return view, err
}

// places tells each waiting run its place in the queue, from 1.
func places(tx *store.Tx) (map[string]int, error) {
	waiting, err := tx.Waiting()
	at := map[string]int{}
	for i, r := range waiting {
		at[r.ID] = i + 1
	}
	return at, err
}
