package harness

import (
	"context"
	"fmt"
	"time"

	"proctor/harness/store"
)

// Vitals are the numbers by which an operator sees that the service works: counts,
// sizes and ages, of one moment. None is of a row, a label or a score.
type Vitals struct {
	Runs      map[Outcome]int64
	Oldest    time.Duration // how long the run that waits longest has waited; 0: none waits
	Log       int64         // entries of the log
	Head      int64         // entries that the head covers; fewer than Log for a moment only
	Cosigned  int64         // entries that a witness has signed
	Witnesses int           // that are asked to sign
	Proposed  int64         // changes that wait for a second person
	Unread    int64         // runs that passed and wait for a person
	Budgets   []BudgetLeft
}

// An Outcome is where a run stands. Result is that of one that has its verdict, Reason
// why it ended otherwise.
type Outcome struct{ State, Result, Reason string }

// BudgetLeft is what a lineage has left on its sealed sets.
type BudgetLeft struct {
	Lineage string
	Left    int
}

// Vitals reads the numbers.
func (s *Service) Vitals(ctx context.Context) (Vitals, error) {
	v := Vitals{Runs: map[Outcome]int64{}, Witnesses: len(s.Witnesses)}
	_, cosigned := s.cosigned.get()
	v.Cosigned = cosigned.N
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		_, head := s.Head.Checkpoint()
		v.Head = head.N
		if v.Log, err = tx.LogSize(); err != nil {
			return err
		}
		counts, err := tx.CountRuns()
		for _, c := range counts {
			v.Runs[Outcome{c.State, c.Result, c.Reason}] = c.N
		}
		if err != nil {
			return err
		}
		if v.Oldest, err = s.waited(tx); err != nil {
			return err
		}
		if v.Proposed, v.Unread, err = tx.CountAwaited(); err != nil {
			return err
		}
		v.Budgets, err = s.budgetsLeft(tx)
		return err
	})
	return v, err
}

func (s *Service) waited(tx *store.Tx) (time.Duration, error) {
	since, err := tx.WaitingSince()
	if err != nil || since == "" {
		return 0, err
	}
	at, err := time.Parse(time.RFC3339Nano, since)
	return max(0, s.Now().Sub(at)), err
}

// budgetsLeft passes over lineages whose policy cannot be read now: those who run
// on them are told why.
func (s *Service) budgetsLeft(tx *store.Tx) (list []BudgetLeft, err error) {
	lineages, err := tx.Lineages()
	for _, l := range lineages {
		f, err := s.inForce(tx, l.Name)
		if err != nil {
			continue
		}
		left, err := f.budgetLeft(tx)
		if err != nil {
			return nil, err
		}
		list = append(list, BudgetLeft{l.Name, left})
	}
	return list, err
}

// Ready says whether the service can take work: the database answers, and the log's
// head is one that it has.
func (s *Service) Ready(ctx context.Context) error {
	return s.Store.View(ctx, func(tx *store.Tx) error {
		_, head := s.Head.Checkpoint()
		size, err := tx.LogSize()
		if err == nil && size < head.N {
			err = fmt.Errorf("the log has %d entries, its head names %d", size, head.N)
		}
		return err
	})
}
