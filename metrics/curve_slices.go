package metrics

import "fmt"

// A GroupEstimate is a metric on the rows of one value of a dimension.
type GroupEstimate struct {
	Value    string
	Estimate Estimate
}

// A sliceCount is what one slice has seen of the rows in ascending order: its
// current run of equal scores, and what lies below it.
type sliceCount struct {
	key            uint64
	pos, neg       int64 // in the run
	posAll, negAll int64 // below the run
	twice          int64 // pairs in order twice, ties once, below the run
}

func (s *sliceCount) add(key uint64) {
	if key>>1 != s.key {
		s.close()
		s.key = key >> 1
	}
	in := int64(key & 1)
	s.pos += in
	s.neg += 1 - in
}

func (s *sliceCount) close() {
	s.twice += s.pos * (2*s.negAll + s.neg)
	s.posAll += s.pos
	s.negAll += s.neg
	s.pos, s.neg = 0, 0
}

// AUCBy is the ROC AUC of a class's probability against the rest ("roc_auc@1"),
// without intervals, on the rows of each value of a dimension, as [Pair.By] has
// them: one sort serves all. A value whose rows are all of one side is undefined.
// It is an error if the model gave no probabilities, or there is no such class or
// dimension.
func (f *Frame) AUCBy(dimension string, class int) ([]GroupEstimate, error) {
	d, err := f.dimension(dimension)
	if err != nil {
		return nil, err
	}
	if why := f.withoutProbs(); why != "" {
		return nil, fmt.Errorf("AUC by slice: %s", why)
	}
	if class < 0 || class >= len(f.classes) {
		return nil, fmt.Errorf("AUC by slice: class %d of %d", class, len(f.classes))
	}
	var s sorter
	counts := make([]sliceCount, len(d.Values))
	s.each(scoreColumn{f.probs[class:], len(f.classes), f.answers, int32(class)}, d.Codes, func(rows, _ sortedRows) {
		for i, key := range rows.keys {
			counts[rows.tags[i]].add(key)
		}
	})
	var out []GroupEstimate
	for v := range counts {
		s := &counts[v]
		s.close()
		switch n := s.posAll + s.negAll; {
		case n == 0:
		case s.posAll == 0 || s.negAll == 0:
			out = append(out, GroupEstimate{d.Values[v], undefined("one class: all rows are on one side", n)})
		default:
			out = append(out, GroupEstimate{d.Values[v], number("roc_auc@1", float64(s.twice)/2/float64(s.posAll)/float64(s.negAll), int(n))})
		}
	}
	return out, nil
}
