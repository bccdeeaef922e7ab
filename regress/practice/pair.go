package practice

import (
	"proctor/harness/report"
	"proctor/regress"
)

// pair counts each test case by case. Where there are two models, a case counts that is
// applicable to both.
func pair(suites []*regress.Suite, b, c *outcomes) []Test {
	var out []Test
	for _, s := range suites {
		for i := range s.Tests {
			t := &s.Tests[i]
			at := len(out)
			r := Test{Suite: s.Name, Name: t.Name, Capability: t.Capability, Kind: string(t.Kind), Critical: t.Critical, Cases: int64(t.Len())}
			r.Change = report.Estimate{Undefined: "there is no baseline"}
			for k, now := range c.tests[at] {
				was := regress.Passed
				if b != nil {
					was = b.tests[at][k]
				}
				r.count(t.CaseID, k, was, now, b != nil)
			}
			out = append(out, r)
		}
	}
	return out
}

func (r *Test) count(id func(int) string, k int, was, now regress.Outcome, two bool) {
	if was == regress.NotApplicable || now == regress.NotApplicable {
		r.NotApplicable++
		return
	}
	r.CandidateCases++
	if now == regress.Failed {
		r.CandidateFailed++
		r.FailedCases = name(r.FailedCases, id, k)
	}
	if !two {
		return
	}
	r.BaselineCases++
	if was == regress.Failed {
		r.BaselineFailed++
	}
	switch {
	case was == regress.Passed && now == regress.Failed:
		r.Broke++
		r.BrokeCases = name(r.BrokeCases, id, k)
	case was == regress.Failed && now == regress.Passed:
		r.Fixed++
	}
}

// name adds a case to a list of at most MaxNamed.
func name(list []string, id func(int) string, k int) []string {
	if len(list) < MaxNamed {
		list = append(list, id(k))
	}
	return list
}
