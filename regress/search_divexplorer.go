package regress

import (
	"fmt"
	"math"

	"proctor/metrics"
)

// A Rate counts the rows of a slice by an outcome. For "broke" True are the rows
// that broke; for a false positive rate, the negative rows predicted positive.
type Rate struct{ True, False int64 }

// Share returns True of all, or false where there are none.
func (r Rate) Share() (float64, bool) {
	if r.True < 0 || r.False < 0 || r.True+r.False == 0 {
		return 0, false
	}
	return float64(r.True) / float64(r.True+r.False), true
}

// posterior is the mean and variance of the share after a uniform prior:
// Beta(1+True, 1+False).
func (r Rate) posterior() (mean, variance float64) {
	a, b := float64(r.True)+1, float64(r.False)+1
	s := a + b
	return a / s, a * b / (s * s * (s + 1))
}

// Divergence is the share of a slice less that of all rows, with Welch's t of the
// two posteriors, which is not negative (Pastor, de Alfaro and Baralis 2021).
// false: one of them has no rows.
func Divergence(slice, all Rate) (divergence, t float64, ok bool) {
	s, ok1 := slice.Share()
	a, ok2 := all.Share()
	if !ok1 || !ok2 {
		return 0, 0, false
	}
	ms, vs := slice.posterior()
	ma, va := all.posterior()
	return s - a, math.Abs(ms-ma) / math.Sqrt(vs+va), true
}

// An Itemset is a slice with the share of an outcome in it.
type Itemset struct {
	Predicates []Predicate
	Rows       int64
	Rate       Rate
	Defined    bool    // whether any of its rows has an outcome; else the rest is 0
	Divergence float64 // of the share from that of all rows
	T          float64
	ids        []int32
}

// Itemsets are all the slices of at least a support, and the slice of all rows,
// which comes first. The others come in lexicographic order of the features and
// their values. Every part of an itemset is there too.
type Itemsets struct {
	List  []Itemset
	index map[string]int
}

// DivExplorer lists every slice of up to levels predicates that has at least the
// share support of the rows, with its divergence. outcomes holds one number a row:
// 1 true, 0 false, -1 the row has none and counts for support only.
func DivExplorer(features []metrics.Dimension, outcomes []int8, support float64, levels int) (*Itemsets, error) {
	if !(support > 0 && support <= 1) || levels < 1 || levels > maxFeatures {
		return nil, fmt.Errorf("support %v and %d predicates a slice: they are in (0, 1] and at least 1", support, levels)
	}
	var events, trues []int // rows with an outcome; places of the true ones among them
	for i, o := range outcomes {
		switch o {
		case 1:
			trues = append(trues, len(events))
			events = append(events, i)
		case 0:
			events = append(events, i)
		case -1:
		default:
			return nil, fmt.Errorf("outcome %d is none of 1, 0 and -1", o)
		}
	}
	n := len(outcomes)
	minRows := max(1, int(math.Ceil(float64(support*float64(n))-1e-9)))
	t, err := newPredicateTable(features, n, minRows, events)
	if err != nil {
		return nil, err
	}
	wanted := bitsOf(trues, t.evtWords)
	s := &Itemsets{index: map[string]int{}}
	all := Rate{int64(len(trues)), int64(len(events) - len(trues))}
	s.add(t, nil, n, all, all)
	err = t.walk(min(levels, len(features)), minRows, func(ids []int32, rows int, events []uint64) {
		k := int64(countBoth(events, wanted))
		s.add(t, ids, rows, Rate{k, int64(popcount(events)) - k}, all)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func bitsOf(places []int, words int) []uint64 {
	out := make([]uint64, words)
	for _, p := range places {
		out[p>>6] |= 1 << (p & 63)
	}
	return out
}

func (s *Itemsets) add(t *predicateTable, ids []int32, rows int, r, all Rate) {
	x := Itemset{Predicates: t.predicates(ids), Rows: int64(rows), Rate: r, ids: append([]int32(nil), ids...)}
	x.Divergence, x.T, x.Defined = Divergence(r, all)
	s.index[key(x.ids)] = len(s.List)
	s.List = append(s.List, x)
}

func key(ids []int32) string {
	b := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		b = append(b, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
	}
	return string(b)
}

// without returns an itemset less those of its predicates that the mask names.
func (s *Itemsets) without(x Itemset, mask int) Itemset {
	ids := make([]int32, 0, len(x.ids))
	for i, id := range x.ids {
		if mask>>i&1 == 0 {
			ids = append(ids, id)
		}
	}
	return s.List[s.index[key(ids)]]
}

// Pruned returns the itemsets that say something of their own: those whose
// divergence is further than epsilon from that of every itemset with one
// predicate less. Those that are undefined are left out.
func (s *Itemsets) Pruned(epsilon float64) []Itemset {
	var out []Itemset
	for _, x := range s.List {
		keep := x.Defined
		for i := range x.ids {
			p := s.without(x, 1<<i)
			keep = keep && p.Defined && math.Abs(x.Divergence-p.Divergence) > epsilon
		}
		if keep {
			out = append(out, x)
		}
	}
	return out
}

// Shapley shares the divergence of an itemset of the list among its predicates:
// the mean of what a predicate adds, over all orders in which they can be put
// together. The shares sum to the divergence. false where a part of the itemset
// has no divergence, or it has more than 20 predicates.
func (s *Itemsets) Shapley(i int) ([]float64, bool) {
	x := s.List[i]
	n := len(x.ids)
	if n > 20 {
		return nil, false
	}
	all := 1<<n - 1
	value := make([]float64, all+1) // by the mask of the predicates that are in
	size := make([]int, all+1)
	for mask := range value {
		part := s.without(x, all&^mask)
		if !part.Defined {
			return nil, false
		}
		value[mask], size[mask] = part.Divergence, len(part.ids)
	}
	out := make([]float64, n)
	for mask := range value {
		for k := range out {
			if mask>>k&1 == 0 { // |J|! (n-|J|-1)! / n!
				out[k] += (value[mask|1<<k] - value[mask]) / (float64(n) * binomialOf(n-1, size[mask]))
			}
		}
	}
	return out, true
}

// binomialOf is n over k.
func binomialOf(n, k int) float64 {
	v := 1.0
	for i := range k {
		v = v * float64(n-i) / float64(i+1)
	}
	return v
}
