package policy

import "slices"

// Required lists the checks that a run must execute, sorted: the always-on ones,
// and the policy's claims or, for a first model, the rule that stands in for them.
// Evidence that lacks one of them is not signed.
func (r *Resolved) Required(first bool) []string {
	out := []string{findMemorisation, findCoverage, findCritical, findRepeat, findDegenerate, findTier, findBinding}
	if first {
		out = append(out, findFirst)
	} else {
		for _, h := range r.Hypotheses {
			out = append(out, h.Claim)
		}
		if r.Policy.Anchor != nil {
			out = append(out, findAnchor)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
