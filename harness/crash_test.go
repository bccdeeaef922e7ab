package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"proctor/harness/store"
	"proctor/harness/store/postgres"
	"proctor/harness/tlog"
	"proctor/web/api"
)

// crashDir names the folder of a child that is to be killed.
const crashDir = "PROCTOR_TEST_CRASH"

// soak makes TestCrash go on for that long, with a new seed each round:
//
//	go test ./harness -run TestCrash -soak 30m
var soak = flag.Duration("soak", 0, "how long TestCrash kills and restarts; 0: one short round")

const crashLines, crashRuns = 3, 3 // lineages, and submissions to each

func crashLine(i int) string { return fmt.Sprintf("line%d", i) }

// crashChild serves a folder until every run has ended and every PASS is decided.
// It prints what it has acknowledged, one line each, after it was acknowledged.
func crashChild(dir string) int {
	s, done, err := openService(dir, os.Stderr, nil)
	// A program that the killed child was just starting holds its lock until it notices.
	for tries := 0; (errors.Is(err, tlog.ErrHeld) || errors.Is(err, postgres.ErrServed)) && tries < 1000; tries++ {
		time.Sleep(5 * time.Millisecond)
		s, done, err = openService(dir, os.Stderr, nil)
	}
	if err != nil {
		fmt.Println("broken open:", err)
		return 1
	}
	defer done()
	ctx := context.Background()
	a, err := s.audit(ctx)
	if err != nil || !a.OK {
		fmt.Println("broken audit:", err, a.Problems)
		return 1
	}
	fmt.Println("ready")
	stop, err := s.Work(ctx, 2)
	if err != nil {
		fmt.Println("broken work:", err)
		return 1
	}
	for {
		left, err := crashStep(ctx, s)
		if err != nil {
			fmt.Println("broken step:", err)
			return 1
		}
		if left == 0 {
			stop(ctx)
			return 0
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// crashStep submits what was not submitted yet, reviews what awaits it, and prints
// each end that it sees. It returns how much is left to do.
func crashStep(ctx context.Context, s *Service) (left int, err error) {
	for l := range crashLines {
		for r := range crashRuns {
			// Asking again what was asked costs nothing: a client that saw no answer does so.
			v, err := s.Submit(ctx, person("sub1"), crashLine(l), "m", bytes.NewReader(model(0.4*float64(r%2), fmt.Sprint(r))))
			var refused *Error
			if errors.As(err, &refused) && refused.Kind == Budget {
				continue
			}
			if err != nil {
				return 0, err
			}
			if !v.Done() {
				left++
				continue
			}
			fmt.Println("verdict", v.ID, v.State, v.Result)
			for _, who := range []string{"rev1", "rev2"} {
				if v.Awaiting < 1 {
					break
				}
				var run store.Run
				if err := s.Store.View(ctx, func(tx *store.Tx) (err error) { run, err = tx.Run(v.ID); return err }); err != nil {
					return 0, err
				}
				got, err := s.Review(ctx, person(who), v.ID, api.Review{Approve: true, Reason: "read it", Report: run.Report})
				if errors.As(err, &refused) && strings.Contains(refused.Message, "reviewed the run already") {
					continue
				}
				if err != nil {
					return 0, err
				}
				fmt.Println("review", v.ID, who)
				v = got
			}
			if v.Approved {
				fmt.Println("approved", v.ID)
			}
		}
	}
	return left, nil
}

// The service is killed again and again, at any moment, and started again. What it
// has acknowledged is kept, no run is charged twice, and every run ends.
func TestCrash(t *testing.T) {
	seed := uint64(1)
	for end := time.Now().Add(*soak); ; seed++ {
		crashRound(t, seed)
		if t.Failed() || time.Now().After(end) {
			return
		}
	}
}

func crashRound(t *testing.T, seed uint64) {
	w := newWorld(t)
	w.seal(1)
	for l := range crashLines {
		text := strings.Replace(testPolicy, "lineage: line", "lineage: "+crashLine(l), 1)
		w.rule(strings.Replace(text, "policy: rule", "policy: rule-"+crashLine(l), 1))
	}
	w.close()
	acks := map[string]bool{}
	rng := rand.New(rand.NewPCG(seed, 7))
	kills, grow := 0, 10
	if databases != nil {
		grow = 60 // a server is found and asked more slowly than a file
	}
	for finished := false; !finished; {
		var err error
		// Mostly shorter than a run takes; now and then, and more and more, long enough.
		finished, err = crashLife(w.dir, time.Duration(rng.IntN(150+50*(kills%6)+grow*kills))*time.Millisecond, acks)
		if err != nil {
			t.Fatalf("seed %d, after %d kills: %v", seed, kills, err)
		}
		if kills++; kills > 400 {
			t.Fatalf("seed %d: not done after %d kills", seed, kills)
		}
	}
	w.open()
	w.clean()
	checkCrash(t, w, acks)
	t.Logf("seed %d: %d lives, %d acknowledgements", seed, kills, len(acks))
	w.close()
}

// crashLife lets a child live for that long after it is ready.
func crashLife(dir string, life time.Duration, acks map[string]bool) (finished bool, err error) {
	exe, err := os.Executable()
	if err != nil {
		return false, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = io.Discard
	out, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	var broken error
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "ready":
			time.AfterFunc(life, func() { cmd.Process.Kill() })
		case strings.HasPrefix(line, "broken"):
			broken = errors.New(line)
		default:
			acks[line] = true
		}
	}
	err = cmd.Wait()
	return err == nil, broken
}

func checkCrash(t *testing.T, w *world, acks map[string]bool) {
	t.Helper()
	var runs []store.Run
	var charges []store.Exposure
	err := w.store.View(context.Background(), func(tx *store.Tx) (err error) {
		if runs, err = tx.Runs("", 1000); err == nil {
			charges, err = tx.Exposures()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != crashLines*crashRuns || len(charges) != len(runs) {
		t.Errorf("%d runs and %d charges, want %d", len(runs), len(charges), crashLines*crashRuns)
	}
	attempts := map[string]bool{}
	now := map[string]bool{}
	for _, r := range runs {
		if r.State != store.Done {
			t.Errorf("run %s ended as %s: %s", r.ID, r.State, r.Reason)
		}
		key := fmt.Sprint(r.Lineage, r.Attempt)
		if attempts[key] || r.Attempt > crashRuns {
			t.Errorf("%s: attempt %d twice or too many", r.Lineage, r.Attempt)
		}
		attempts[key] = true
		now[fmt.Sprintln("verdict", r.ID, r.State, r.Result)] = true
		if r.Approval >= 0 {
			now[fmt.Sprintln("approved", r.ID)] = true
		}
		if (r.Result == "PASS") != (r.Approval >= 0) {
			t.Errorf("run %s: %s, approval %d", r.ID, r.Result, r.Approval)
		}
		past := w.reviewsOf(r.ID)
		for _, who := range past {
			now[fmt.Sprintln("review", r.ID, who)] = true
		}
	}
	for ack := range acks {
		if !now[ack+"\n"] {
			t.Errorf("acknowledged and lost: %s", ack)
		}
	}
}

func (w *world) reviewsOf(run string) (people []string) {
	err := w.store.View(context.Background(), func(tx *store.Tx) error {
		past, err := tx.Reviews(run)
		for _, x := range past {
			people = append(people, x.Person)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return people
}
