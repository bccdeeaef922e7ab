package harness

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"proctor/harness/access"
	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/holdout"
	"proctor/regress"
)

// A HoldoutPreview says what a table would be as a sealed set, to who brings it. It
// says nothing of other sets: nobody may ask without a trace whether a row is in one.
type HoldoutPreview struct {
	Holdout  string `json:"holdout"`
	Rows     int    `json:"rows"` // scored
	Reserve  int    `json:"reserve_rows"`
	Practice int    `json:"practice_rows"`
	Canaries int    `json:"canaries"`
	Twins    int    `json:"twins"`
	Repeats  int    `json:"repeats"`
	// Slices are the values of each slice column and, first, the classes.
	Slices   []SlicePreview  `json:"slices"`
	Policies []PolicyPreview `json:"policies"`
	Notes    []string        `json:"notes"` // what is too small or too rare
}

// A SlicePreview is a slice and the smallest harm that would show in it.
type SlicePreview struct {
	Dimension string   `json:"dimension"`
	Value     string   `json:"value"`
	Rows      int64    `json:"rows"`
	SharePct  float64  `json:"share_pct"`
	VisiblePP *float64 `json:"visible_pp"` // see policy.Visible; nil: not even the loss of all rows
}

// A PolicyPreview is a policy in force that names the set.
type PolicyPreview struct {
	Policy  string         `json:"policy"`
	Lineage string         `json:"lineage"`
	Report  *policy.Report `json:"report"`  // what it could see on these rows; nil: refused
	Refused string         `json:"refused"` // why it could not be in force on them
}

// PreviewHoldout checks a table as sealing does, and says what the set could show. It
// keeps nothing and proposes nothing.
func (s *Service) PreviewHoldout(ctx context.Context, p access.Principal, h HoldoutProposal) (HoldoutPreview, error) {
	in, err := readProposal(ctx, p, h)
	if err != nil {
		return HoldoutPreview{}, err
	}
	// Which rows would be canaries or practice rows is decided by a seed that everybody
	// knows: the counts are told, the rows are not, and sealing draws another one.
	in.Version, in.Now, in.CanarySeed = 1, s.Now(), sha256.Sum256([]byte("proctor/holdout/1/preview"))
	c, err := holdout.Preview(ctx, in, s.Keyring)
	if err != nil {
		return HoldoutPreview{}, refuse(Usage, "seal %s: %v", in.Spec.Name, err)
	}
	out := HoldoutPreview{Holdout: c.Name, Rows: c.Rows, Reserve: c.ReserveRows, Practice: c.Practice,
		Canaries: c.Canaries, Twins: c.Twins, Repeats: c.Repeats, Slices: slicePreviews(c), Notes: []string{}}
	out.Notes = append(out.Notes, tooRare(out.Slices)...)
	policies, notes, err := s.policiesOn(ctx, c)
	out.Policies, out.Notes = policies, append(out.Notes, notes...)
	return out, err
}

// slicePreviews lists the classes, then the values of each slice column by rows.
func slicePreviews(c holdout.Commitment) []SlicePreview {
	var out []SlicePreview
	dimensions := slices.DeleteFunc(slices.Sorted(maps.Keys(c.SliceSizes)), func(d string) bool {
		return d == "class" || strings.Contains(d, "*") // pairs are in the reports of policies that watch them
	})
	for _, d := range append([]string{"class"}, dimensions...) {
		sizes := c.SliceSizes[d]
		values := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
			return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b))
		})
		for _, v := range values {
			out = append(out, SlicePreview{Dimension: d, Value: v, Rows: sizes[v], SharePct: 100 * float64(sizes[v]) / float64(c.Rows)})
		}
	}
	seen := map[int64]*float64{}
	for i, v := range out {
		n := twoFigures(v.Rows)
		if _, ok := seen[n]; !ok {
			seen[n] = nil
			if loss, ok := policy.Visible(n, len(out)); ok {
				pp := 100 * loss
				seen[n] = &pp
			}
		}
		out[i].VisiblePP = seen[n]
	}
	return out
}

// twoFigures rounds down, so that thousands of slices take hundreds of calculations
// and none looks better than it is.
func twoFigures(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// tooRare names classes, and counts other slices, of which nothing would be seen.
func tooRare(list []SlicePreview) []string {
	var out []string
	blind := map[string]int{}
	for _, v := range list {
		switch {
		case v.VisiblePP != nil:
		case v.Dimension == "class":
			out = append(out, fmt.Sprintf("class %s is too rare: in its %d rows not even the loss of all of them would show", v.Value, v.Rows))
		default:
			blind[v.Dimension]++
		}
	}
	for _, d := range slices.Sorted(maps.Keys(blind)) {
		out = append(out, fmt.Sprintf("%s: %d values are too rare: not even the loss of all of their rows would show", d, blind[d]))
	}
	return out
}

// policiesOn says what the policies in force that name a set could see on a new
// version of it, and which slices are under their minimum there.
func (s *Service) policiesOn(ctx context.Context, c holdout.Commitment) ([]PolicyPreview, []string, error) {
	out, notes := []PolicyPreview{}, []string{}
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		lineages, err := tx.Lineages()
		if err != nil {
			return err
		}
		slices.SortFunc(lineages, func(a, b store.Lineage) int { return cmp.Compare(a.Name, b.Name) })
		for _, l := range lineages {
			pol, suites, err := policyAndSuites(tx, l, c.Name)
			if err != nil {
				return err
			}
			if pol == nil {
				continue
			}
			view, weak := policyOn(pol, suites, c)
			out, notes = append(out, view), append(notes, weak...)
		}
		return nil
	})
	return out, notes, err
}

// policyAndSuites reads a lineage's policy if it names the set, and its suites.
func policyAndSuites(tx *store.Tx, l store.Lineage, set string) (*policy.Policy, []*regress.Suite, error) {
	d, err := tx.Document(l.Policy)
	if err != nil {
		return nil, nil, fmt.Errorf("policy %s: %w", l.Policy, err)
	}
	pol, err := policy.Parse(d.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("policy %s: %w", l.Policy, err)
	}
	if !slices.Contains(pol.Holdouts, set) {
		return nil, nil, nil
	}
	sel, err := activeSets(tx, nil, pol.Suites)
	var waits *Error
	if errors.As(err, &waits) { // then nothing is judged by it, whatever the set
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	r := &rules{}
	err = r.readSets(tx, sel)
	return pol, r.suites, err
}

// policyOn checks one policy on a version of its set that is not in force.
func policyOn(pol *policy.Policy, suites []*regress.Suite, c holdout.Commitment) (PolicyPreview, []string) {
	out := PolicyPreview{Policy: pol.Name, Lineage: pol.Lineage}
	r, err := policy.Resolve(pol, []holdout.Commitment{c}, suites)
	var rep policy.Report
	if err == nil {
		rep, err = policy.Check(r)
	}
	if err != nil {
		out.Refused = err.Error()
		return out, []string{fmt.Sprintf("lineage %s: on these rows its policy could not be put in force: %v", pol.Lineage, err)}
	}
	out.Report = &rep
	needed := map[string]int64{}
	for _, x := range rep.Claims {
		needed[x.Claim] = max(needed[x.Claim], x.Needed)
	}
	var notes []string
	for _, h := range r.Hypotheses {
		if len(h.Pooled) > 0 {
			notes = append(notes, fmt.Sprintf("policy %s, claim %s: %d of %s are under its minimum of %d rows: %s", pol.Name, h.Claim, len(h.Pooled), h.Dimension, needed[h.Claim], shortList(h.Pooled)))
		}
	}
	return out, notes
}

// shortList names up to five values.
func shortList(values []string) string {
	if n := len(values); n > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(values[:5], ", "), n-5)
	}
	return strings.Join(values, ", ")
}
