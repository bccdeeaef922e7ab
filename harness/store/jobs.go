package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
)

// A Queue holds one job for each run that is to be worked on.
type Queue interface {
	Migrate(ctx context.Context) error
	// Insert queues a job that exists exactly if the transaction commits.
	Insert(ctx context.Context, conn *sql.Conn, tx *sql.Tx) error
	// Work starts workers that call work once for each job, and returns a function
	// that stops them: they finish what they do within the given context, then it is
	// cut off.
	Work(ctx context.Context, workers int, work func(ctx context.Context) error) (stop func(context.Context) error, err error)
	Close() error
}

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

// A River is the queue of that name, in the tables of the database itself. T is the
// transaction that its driver takes.
type River[T any] struct {
	Driver riverdriver.Driver[T]
	Of     func(conn *sql.Conn, tx *sql.Tx) (T, error) // tx as the driver takes it
	Log    *slog.Logger
	Closer func() error

	insert *river.Client[T] // made by Migrate
}

// Migrate implements [Queue].
func (q *River[T]) Migrate(ctx context.Context) error {
	m, err := rivermigrate.New(q.Driver, &rivermigrate.Config{Logger: q.Log})
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	q.insert, err = river.NewClient(q.Driver, &river.Config{Logger: q.Log})
	return err
}

// Insert implements [Queue]. A job is tried again for weeks (River's default): what
// fails it is the machine, a full disk for one, never the candidate.
func (q *River[T]) Insert(ctx context.Context, conn *sql.Conn, tx *sql.Tx) error {
	t, err := q.Of(conn, tx)
	if err == nil {
		_, err = q.insert.InsertTx(ctx, t, runJob{}, nil)
	}
	return err
}

// Work implements [Queue].
func (q *River[T]) Work(ctx context.Context, workers int, work func(ctx context.Context) error) (stop func(context.Context) error, err error) {
	ws := river.NewWorkers()
	river.AddWorker(ws, &runWorker{work: work})
	client, err := river.NewClient(q.Driver, &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:           ws,
		Logger:            q.Log,
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

// Close implements [Queue].
func (q *River[T]) Close() error {
	if q.Closer == nil {
		return nil
	}
	return q.Closer()
}

// Work starts workers that call work once for each queued run, see [Queue].
func (s *Store) Work(ctx context.Context, workers int, work func(ctx context.Context) error) (stop func(context.Context) error, err error) {
	return s.c.Queue.Work(ctx, workers, work)
}

// enqueue queues a run.
func (t *Tx) enqueue() error {
	if err := t.store.c.Queue.Insert(t.ctx, t.conn, t.tx); err != nil {
		return fmt.Errorf("queue a run: %w", err)
	}
	return nil
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
