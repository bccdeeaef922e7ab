package onnx

import (
	"errors"
	"fmt"
)

// buildTreeRegressor sums, averages or takes the extreme of the trees' weights.
func buildTreeRegressor(b *builder) (kernel, error) {
	targets := b.integer("n_targets", 1)
	how := b.one("aggregate_function", "SUM", "SUM", "AVERAGE", "MIN", "MAX")
	post := postTransform(b)
	spec, err := readTrees(b, "target")
	if err != nil {
		return nil, err
	}
	if targets < 1 || targets > int64(len(spec.target)) {
		return nil, fmt.Errorf("%d targets for %d weights", targets, len(spec.target))
	}
	f, err := newForest(spec, int(targets))
	if err != nil {
		return nil, err
	}
	return func(m *machine, in, out []*tensor) error {
		rows, cols, err := in[0].matrix()
		if err != nil {
			return err
		}
		if err := m.make(out[0], kindFloat, []int{rows, f.targets}); err != nil {
			return err
		}
		y := out[0].f32
		return f.run(in[0],
			func(e *ensemble[float32], x []float32) error { return regress(m, e, x, rows, cols, how, post, y) },
			func(e *ensemble[float64], x []float64) error { return regress(m, e, x, rows, cols, how, post, y) })
	}, nil
}

func regress[T real](m *machine, e *ensemble[T], x []T, rows, cols, how, post int, y []float32) error {
	var add gather[T]
	if how >= 2 {
		add = extreme[T](how == 3)
	}
	return e.each(m, x, rows, cols, add, func(row int, sum []T, has []bool) error {
		for j := range sum {
			if how == 1 {
				sum[j] /= T(len(e.roots))
			}
			if len(e.base) == len(sum) {
				sum[j] += e.base[j]
			}
		}
		if len(sum) > 1 { // onnxruntime leaves a single target as it is
			transform(post, sum)
		}
		for j, v := range sum {
			y[row*len(sum)+j] = float32(v)
		}
		return nil
	})
}

func extreme[T real](largest bool) gather[T] {
	return func(e *ensemble[T], s *rowScores[T], row int, at int32) {
		for w := e.first[at]; w < e.first[at+1]; w++ {
			k := row*e.classes + int(e.targets[w])
			if v := e.weights[w]; !s.has[k] || v > s.sum[k] == largest && v != s.sum[k] {
				s.sum[k] = v
			}
			s.has[k] = true
		}
	}
}

// buildTreeClassifier follows onnxruntime's rules for labels and scores, which depend
// on how many classes there are, how many of them have weights, and their signs.
func buildTreeClassifier(b *builder) (kernel, error) {
	post := postTransform(b)
	spec, err := readTrees(b, "class")
	if err != nil {
		return nil, err
	}
	labels, err := b.classes("classlabels_strings", "classlabels_int64s")
	if err != nil {
		return nil, err
	}
	k := len(b.labels)
	if k < 2 {
		return nil, errors.New("it has one class")
	}
	f, err := newForest(spec, k)
	if err != nil {
		return nil, err
	}
	c := verdicts{post: post, single: true, positive: true}
	for i, id := range spec.target {
		c.single = c.single && id == spec.target[0]
		c.positive = c.positive && spec.weight.at(i) >= 0
	}
	return func(m *machine, in, out []*tensor) error {
		rows, cols, err := in[0].matrix()
		if err != nil {
			return err
		}
		label, score := outputs2(out)
		if err := m.make(label, labels.kind, []int{rows}); err != nil {
			return err
		}
		if err := m.make(score, kindFloat, []int{rows, k}); err != nil {
			return err
		}
		if err := m.spend(times(rows, k, 16)); err != nil {
			return err
		}
		put := func(row, class int) { move(label, row, labels, class, 1) }
		return f.run(in[0],
			func(e *ensemble[float32], x []float32) error { return classify(m, e, x, rows, cols, c, score.f32, put) },
			func(e *ensemble[float64], x []float64) error { return classify(m, e, x, rows, cols, c, score.f32, put) })
	}, nil
}

// verdicts is how a classifier reads its sums.
type verdicts struct {
	post     int
	single   bool // all weights are for one class
	positive bool // no weight is negative
}

var errNoScore = errors.New("trees give a row no score for its classes")

func classify[T real](m *machine, e *ensemble[T], x []T, rows, cols int, c verdicts, y []float32, put func(row, class int)) error {
	return e.each(m, x, rows, cols, nil, func(row int, sum []T, has []bool) error {
		var class int
		var err error
		if len(sum) > 2 {
			class, err = several(e.base, sum, has, c)
		} else {
			class, err = two(e.base, sum, has, c)
		}
		if err != nil {
			return err
		}
		put(row, class)
		for j, v := range sum {
			y[row*len(sum)+j] = float32(v)
		}
		return nil
	})
}

// several picks the first largest sum among classes that have one.
func several[T real](base, sum []T, has []bool, c verdicts) (int, error) {
	if len(base) > len(sum) {
		return 0, errors.New("more base values than classes")
	}
	for k, v := range base {
		sum[k] += v
		has[k] = true
	}
	best := -1
	for k, v := range sum {
		if has[k] && (best < 0 || v > sum[best]) {
			best = k
		}
	}
	if best < 0 {
		return 0, errNoScore
	}
	transform(c.post, sum)
	return best, nil
}

// two handles two classes. When no tree speaks of the second, the first sum is the
// score of the positive class, and its complement or negative fills the other place.
func two[T real](base, sum []T, has []bool, c verdicts) (int, error) {
	alone := !has[1]
	switch len(base) {
	case 0:
	case 1:
		sum[0] += base[0]
	case 2:
		if has[1] {
			sum[1] = base[1] + sum[0]
			sum[0] = -sum[1]
		} else {
			sum[1] += base[1]
			sum[0] += base[0]
		}
		alone = false
	default:
		return 0, errors.New("more base values than classes")
	}
	weight := T(0) // of the positive class
	if has[1] {
		weight = sum[1]
	} else if has[0] {
		weight = sum[0]
	}
	class := 0
	if weight > 0 && (!c.single || !c.positive) || c.single && c.positive && weight > 0.5 {
		class = 1
	}
	if !alone {
		for k := range sum {
			if !has[k] {
				sum[k] = 0 // its base value notwithstanding
			}
		}
		transform(c.post, sum)
		return class, nil
	}
	s := sum[0]
	switch {
	case !c.single && len(base) > 0:
		return 0, errNoScore
	case c.post == postLogistic:
		sum[0], sum[1] = T(logistic(float64(-s))), T(logistic(float64(s)))
	case c.single && c.positive:
		sum[0], sum[1] = 1-s, s
	default:
		sum[0], sum[1] = -s, s
	}
	return class, nil
}
