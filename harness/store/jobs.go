package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// runJob asks a worker to take up the run whose turn it is: there is one for each run,
// and it names none. The rows of runs, not the jobs, say what is to be done, so a job
// that comes twice or late does no harm.
type runJob struct{}

// Kind names the job in the queue.
func (runJob) Kind() string { return "run" }

type runWorker struct {
	river.WorkerDefaults[runJob]
	work func(ctx context.Context) error
}

func (w *runWorker) Work(ctx context.Context, _ *river.Job[runJob]) error { return w.work(ctx) }

// Timeout bounds one run; the runner's own limits are tighter.
func (w *runWorker) Timeout(*river.Job[runJob]) time.Duration { return 2 * time.Hour }

// enqueue queues a run. The job exists exactly if the transaction commits. It is
// tried again for weeks (River's default): what fails it is the machine, a full
// disk for one, never the candidate.
func (t *Tx) enqueue() error {
	if _, err := t.store.river.InsertTx(t.ctx, t.tx, runJob{}, nil); err != nil {
		return fmt.Errorf("queue a run: %w", err)
	}
	return nil
}

// Work starts workers that call work once for each queued run, and returns a function
// that stops them: they finish what they do within the given context, then it is cut off.
func (s *Store) Work(ctx context.Context, workers int, work func(ctx context.Context) error) (stop func(context.Context) error, err error) {
	ws := river.NewWorkers()
	river.AddWorker(ws, &runWorker{work: work})
	client, err := river.NewClient(s.c.Driver, &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:           ws,
		Logger:            s.c.Log,
		FetchCooldown:     50 * time.Millisecond,
		FetchPollInterval: 200 * time.Millisecond,
		// Another process cannot hold a run of ours: Adopt re-queues what a dead one left.
		RescueStuckJobsAfter: 3 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, fmt.Errorf("start workers: %w", err)
	}
	return func(ctx context.Context) error {
		if err := client.Stop(ctx); err == nil {
			return nil
		}
		return client.StopAndCancel(context.WithoutCancel(ctx))
	}, nil
}

// Adopt queues every run that a dead process left unfinished, each under a new
// epoch, so that whatever that process still does changes nothing. It returns
// their ids. Call it once at start, before Work.
func (t *Tx) Adopt() ([]string, error) {
	ids, err := rows(t, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) },
		`SELECT id FROM runs WHERE state IN ('queued', 'planned') ORDER BY submitted, id`)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, err := t.exec(`UPDATE runs SET epoch = epoch + 1 WHERE id = $1`, id); err != nil {
			return nil, err
		}
		if err := t.enqueue(); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
