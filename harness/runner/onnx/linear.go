package onnx

import "fmt"

func linearOps() []operator {
	return []operator{
		ml("LinearClassifier", 1, 1, 2, buildLinearClassifier), ml("LinearRegressor", 1, 1, 1, buildLinearRegressor),
	}
}

// weights are coefficients (targets × features, turned to features × targets) and
// intercepts of a linear operator.
type weights struct {
	matrix    []float32
	intercept []float32
	targets   int
	features  int
}

func newWeights(coefficients, intercepts []float32, targets int) (weights, error) {
	w := weights{intercept: intercepts, targets: targets}
	if targets < 1 || len(coefficients) == 0 || len(coefficients)%targets != 0 {
		return w, fmt.Errorf("%d coefficients for %d targets", len(coefficients), targets)
	}
	w.features = len(coefficients) / targets
	w.matrix = make([]float32, len(coefficients))
	for t := range targets {
		for f := range w.features {
			w.matrix[f*targets+t] = coefficients[t*w.features+f]
		}
	}
	return w, nil
}

// scores writes x·w + intercept for each row.
func (w weights) scores(m *machine, x, out *tensor) (rows int, err error) {
	rows, cols, err := x.matrix()
	if err != nil {
		return 0, err
	}
	if cols != w.features {
		return 0, fmt.Errorf("input has %d columns, and there are coefficients for %d", cols, w.features)
	}
	v, err := x.asFloats()
	if err != nil {
		return 0, err
	}
	if err := m.spend(times(rows, cols+16, w.targets)); err != nil {
		return 0, err
	}
	if err := m.make(out, kindFloat, []int{rows, w.targets}); err != nil {
		return 0, err
	}
	multiply(out.f32, v, w.matrix, rows, cols, w.targets)
	if w.intercept != nil {
		for i := range out.f32 {
			out.f32[i] += w.intercept[i%w.targets]
		}
	}
	return rows, nil
}

func buildLinearRegressor(b *builder) (kernel, error) {
	targets, intercepts := b.integer("targets", 1), b.floats("intercepts")
	post := postTransform(b)
	if int64(len(intercepts)) != targets {
		intercepts = nil // as onnxruntime
	}
	w, err := newWeights(b.floats("coefficients"), intercepts, int(min(targets, maxElements)))
	if err != nil {
		return nil, err
	}
	return func(m *machine, in, out []*tensor) error {
		if in[0].kind != kindFloat {
			return fmt.Errorf("input is %s, want float", in[0].kind)
		}
		rows, err := w.scores(m, in[0], out[0])
		if err != nil {
			return err
		}
		for r := 0; r < rows && w.targets > 1; r++ { // one target is not transformed
			transform(post, out[0].f32[r*w.targets:(r+1)*w.targets])
		}
		return nil
	}, nil
}

// buildLinearClassifier follows onnxruntime: the label comes from the raw scores; with
// one target and two labels the scores are 1-s and s, or with LOGISTIC the logistic
// of -s and s.
func buildLinearClassifier(b *builder) (kernel, error) {
	intercepts := b.floats("intercepts")
	w, err := newWeights(b.floats("coefficients"), intercepts, len(intercepts))
	if err != nil {
		return nil, err
	}
	post := postTransform(b)
	b.integer("multi_class", 0) // no runtime reads it
	labels, err := b.classes("classlabels_strings", "classlabels_ints")
	if err != nil {
		return nil, err
	}
	if n := len(b.labels); n < 2 || n != w.targets && (w.targets != 1 || n != 2) {
		return nil, fmt.Errorf("%d labels for %d targets", n, w.targets)
	}
	return func(m *machine, in, out []*tensor) error {
		label, score := outputs2(out)
		rows, err := w.scores(m, in[0], score)
		if err != nil {
			return err
		}
		if err := m.make(label, labels.kind, []int{rows}); err != nil {
			return err
		}
		if w.targets == 1 {
			return w.binary(m, rows, post, score, label, labels)
		}
		for r := range rows {
			s := score.f32[r*w.targets : (r+1)*w.targets]
			best := 0
			for j, v := range s {
				if v > s[best] {
					best = j
				}
			}
			move(label, r, labels, best, 1)
			transform(post, s)
		}
		return nil
	}, nil
}

func (w weights) binary(m *machine, rows, post int, score, label, labels *tensor) error {
	raw := *score
	*score = tensor{}
	defer m.release(&raw)
	if err := m.make(score, kindFloat, []int{rows, 2}); err != nil {
		return err
	}
	for r, s := range raw.f32 {
		best := 0
		if s > 0 {
			best = 1
		}
		move(label, r, labels, best, 1)
		score.f32[2*r], score.f32[2*r+1] = 1-s, s
		if post == postLogistic {
			score.f32[2*r], score.f32[2*r+1] = float32(logistic(float64(-s))), float32(logistic(float64(s)))
		}
	}
	return nil
}

// outputs2 gives both outputs of a classifier, scratch ones where the graph takes none.
func outputs2(out []*tensor) (label, score *tensor) {
	label, score = out[0], &tensor{}
	if len(out) > 1 {
		score = out[1]
	}
	return label, score
}
