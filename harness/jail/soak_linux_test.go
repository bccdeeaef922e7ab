package jail

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soak makes TestSoak start that many jails:
//
//	go test ./harness/jail -run TestSoak -soak 5000 -timeout 1h
var soak = flag.Int("soak", 40, "how many jails TestSoak starts, 8 at a time")

// However many jails come and go, none fails and nothing of them stays: no open
// file, no goroutine, no process, no cgroup, no folder.
func TestSoak(t *testing.T) {
	tier, _ := Probe()
	if err := once(tier, 1); err != nil { // what is made once is made now
		t.Fatal(err)
	}
	before := settled(t)
	var next, failed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(*soak); i = next.Add(1) {
				if err := once(tier, i); err != nil {
					failed.Add(1)
					t.Errorf("jail %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	var after holding
	for range 200 { // a goroutine that was told to end needs a moment
		if after = held(t); after == before {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if after != before {
		t.Errorf("held before %+v, after %+v", before, after)
	}
	t.Logf("%d jails of tier %s, %d failed; held: %+v", *soak, tier, failed.Load(), after)
}

// once runs one jail; every fifth is killed in the middle of its work.
func once(tier Tier, i int64) error {
	s := Spec{Role: "echo", MinTier: tier, MaxTier: tier, Limits: Limits{Memory: 256 << 20, Pids: 64, Tmp: 1 << 20}}
	p, err := Start(context.Background(), s)
	if err != nil {
		return err
	}
	defer p.closePipes()
	if i%5 == 0 {
		p.Kill()
		exit, err := p.Wait()
		if err == nil && !exit.Killed {
			err = fmt.Errorf("killed, and %v", exit)
		}
		return err
	}
	if _, err := io.WriteString(p.Stdin, "x"); err != nil {
		return err
	}
	p.Stdin.Close()
	out, err := io.ReadAll(p.Stdout)
	exit, werr := p.Wait()
	if err := errors.Join(err, werr); err != nil || string(out) != "x" || !exit.OK() {
		return fmt.Errorf("%q, %v, %v, stderr %q", out, exit, err, p.Stderr())
	}
	return nil
}

// holding is what a jail could leave behind. The parent is this process.
type holding struct{ files, goroutines, children, cgroups, folders int }

// settled is what is held once the files that earlier tests left to the collector
// are closed.
func settled(t *testing.T) holding {
	t.Helper()
	now := held(t)
	for same := 0; same < 10; {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
		was := now
		if now = held(t); now == was {
			same++
		} else {
			same = 0
		}
	}
	return now
}

func held(t *testing.T) holding {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	children := 0
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		if st, err := readStatus(d.Name()); err == nil && st["PPid"] == fmt.Sprint(os.Getpid()) {
			children++
		}
	}
	cgroups := 0
	if home, err := cgroupHome(); err == nil {
		for _, dir := range home.dirs() {
			left, _ := filepath.Glob(filepath.Join(dir, "proctor", fmt.Sprintf("%d-*", os.Getpid())))
			cgroups += len(left)
		}
	}
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*"))
	folders = slices.DeleteFunc(folders, func(f string) bool { return !ownScratch(f) })
	return holding{len(fds), runtime.NumGoroutine(), children, cgroups, len(folders)}
}
