package jail

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Probe says which tier this machine gives, and for each stronger one why not. It
// tries once, with real jails; later calls return what was found. It needs Main
// to have been called, and says tier none if it was not.
func Probe() (Tier, []string) {
	r := probed()
	return r.tier, r.reasons
}

type probeResult struct {
	tier    Tier
	reasons []string
}

var probed = sync.OnceValue(func() probeResult {
	var r probeResult
	if err := checkRole(""); err != nil {
		return probeResult{None, []string{err.Error()}}
	}
	for _, tier := range []Tier{GVisor, Jail, NoCgroup, Landlock} {
		err := try(tier)
		if err == nil {
			r.tier = tier
			return r
		}
		r.reasons = append(r.reasons, fmt.Sprintf("%s: %s", tier, strings.TrimPrefix(err.Error(), "jail: ")))
	}
	r.tier = None
	return r
})

// try runs a role that does nothing.
func try(tier Tier) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p, err := startAt(ctx, Spec{Role: probeRole, Limits: Limits{Memory: 1 << 30, Pids: 64, Tmp: 1 << 20}}, tier)
	if err != nil {
		return err
	}
	defer p.closePipes()
	exit, err := p.Wait()
	if err != nil {
		return err
	}
	if !exit.OK() {
		return fmt.Errorf("the trial ended with %v: %s", exit, p.Stderr())
	}
	return nil
}
