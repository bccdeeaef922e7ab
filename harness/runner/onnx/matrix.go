package onnx

import (
	"fmt"
	"math"
)

func matrixOps() []operator {
	return []operator{
		core("MatMul", 1, 2, 2, buildMatMul), core("Gemm", 7, 2, 3, buildGemm),
		core("Softmax", 1, 1, 1, buildSoftmax(false)), core("LogSoftmax", 1, 1, 1, buildSoftmax(true)),
	}
}

type real interface{ float32 | float64 }

// multiply writes the n×p product of a (n×k) and b (k×p). Each element is summed over
// k from the first to the last; a product is rounded before it is added.
func multiply[T real](dst, a, b []T, n, k, p int) {
	i := 0
	for ; i+1 < n; i += 2 {
		a0, a1 := a[i*k:i*k+k], a[i*k+k:i*k+2*k]
		d0, d1 := dst[i*p:i*p+p], dst[i*p+p:i*p+2*p]
		j := 0
		for ; j+3 < p; j += 4 {
			var s0, s1, s2, s3, t0, t1, t2, t3 T
			for l, x := range a0 {
				w := b[l*p+j : l*p+j+4 : l*p+j+4]
				y := a1[l]
				s0 += T(x * w[0])
				s1 += T(x * w[1])
				s2 += T(x * w[2])
				s3 += T(x * w[3])
				t0 += T(y * w[0])
				t1 += T(y * w[1])
				t2 += T(y * w[2])
				t3 += T(y * w[3])
			}
			d0[j], d0[j+1], d0[j+2], d0[j+3] = s0, s1, s2, s3
			d1[j], d1[j+1], d1[j+2], d1[j+3] = t0, t1, t2, t3
		}
		for ; j < p; j++ {
			var s, t T
			for l, x := range a0 {
				w := b[l*p+j]
				s += T(x * w)
				t += T(a1[l] * w)
			}
			d0[j], d1[j] = s, t
		}
	}
	for ; i < n; i++ {
		for j := range p {
			var s T
			for l, x := range a[i*k : i*k+k] {
				s += T(x * b[l*p+j])
			}
			dst[i*p+j] = s
		}
	}
}

func buildMatMul(*builder) (kernel, error) {
	return func(m *machine, in, out []*tensor) error {
		a, b := in[0], in[1]
		if len(a.shape) < 2 || len(b.shape) != 2 || a.kind != b.kind {
			return fmt.Errorf("inputs are %s %v and %s %v; supported are two matrices, or a stack of them times one", a.kind, a.shape, b.kind, b.shape)
		}
		last := len(a.shape) - 1
		k, p := b.shape[0], b.shape[1]
		if a.shape[last] != k {
			return fmt.Errorf("shapes %v and %v do not fit each other", a.shape, b.shape)
		}
		shape := append(append([]int(nil), a.shape[:last]...), p)
		n := count(a.shape[:last])
		return product(m, a, b, out[0], shape, n, k, p)
	}, nil
}

func product(m *machine, a, b, out *tensor, shape []int, n, k, p int) error {
	if err := m.spend(times(n, k, p)); err != nil {
		return err
	}
	if err := m.make(out, a.kind, shape); err != nil {
		return err
	}
	switch a.kind {
	case kindFloat:
		multiply(out.f32, a.f32, b.f32, n, k, p)
	case kindDouble:
		multiply(out.f64, a.f64, b.f64, n, k, p)
	default:
		return fmt.Errorf("inputs are %s, want float or double", a.kind)
	}
	return nil
}

func buildGemm(b *builder) (kernel, error) {
	alpha, beta := b.float("alpha", 1), b.float("beta", 1)
	transA, transB := b.integer("transA", 0) != 0, b.integer("transB", 0) != 0
	return func(m *machine, in, out []*tensor) error {
		x, w := in[0], in[1]
		if len(x.shape) != 2 || len(w.shape) != 2 || x.kind != w.kind {
			return fmt.Errorf("inputs are %s %v and %s %v, want two matrices", x.kind, x.shape, w.kind, w.shape)
		}
		for i, turn := range []bool{transA, transB} {
			if !turn {
				continue
			}
			var t tensor
			if err := transpose(m, in[i], &t, []int{1, 0}); err != nil {
				return err
			}
			defer m.release(&t)
			if i == 0 {
				x = &t
			} else {
				w = &t
			}
		}
		n, k, p := x.shape[0], x.shape[1], w.shape[1]
		if w.shape[0] != k {
			return fmt.Errorf("shapes %v and %v do not fit each other", x.shape, w.shape)
		}
		if err := product(m, x, w, out[0], []int{n, p}, n, k, p); err != nil {
			return err
		}
		var c *tensor
		if len(in) > 2 {
			c = in[2]
		}
		if c != nil && c.kind != x.kind {
			return fmt.Errorf("the third input is %s, want %s", c.kind, x.kind)
		}
		if x.kind == kindDouble {
			return finish(out[0], c, float64(alpha), float64(beta))
		}
		return finish(out[0], c, alpha, beta)
	}, nil
}

// finish computes alpha·out + beta·c in place.
func finish[T real](out, c *tensor, alpha, beta T) error {
	dst := *slot[T](out)
	if alpha != 1 {
		for i := range dst {
			dst[i] *= alpha
		}
	}
	if c == nil || beta == 0 {
		return nil
	}
	shape, err := spread(out.shape, c.shape)
	if err != nil || len(shape) != 2 || count(shape) != len(dst) {
		return fmt.Errorf("the third input has shape %v, which does not fit %v", c.shape, out.shape)
	}
	add, o := *slot[T](c), 0
	for w := newWalk(shape, c.shape); w.more; w.next() {
		for k := range w.n {
			dst[o] += T(beta * add[w.at[0]+k*w.step[0]])
			o++
		}
	}
	return nil
}

// buildSoftmax works over the last axes: before opset 13 all from `axis` on, since
// then the one axis.
func buildSoftmax(logarithm bool) func(*builder) (kernel, error) {
	return func(b *builder) (kernel, error) {
		axis, flat := b.integer("axis", -1), false
		if b.version < 13 {
			axis, flat = b.integer("axis", 1), true
		}
		return func(m *machine, in, out []*tensor) error {
			x := in[0]
			if x.kind != kindFloat && x.kind != kindDouble {
				return fmt.Errorf("input is %s, want float or double", x.kind)
			}
			at, err := axisOf(axis, len(x.shape))
			if err != nil {
				return err
			}
			n, inner := x.shape[at], count(x.shape[at+1:])
			if flat {
				n, inner = n*inner, 1
			}
			if err := m.spend(times(16, x.len())); err != nil {
				return err
			}
			if err := duplicate(m, x, out[0], x.shape); err != nil {
				return err
			}
			if x.kind == kindFloat {
				softmaxAll(out[0].f32, n, inner, logarithm)
			} else {
				softmaxAll(out[0].f64, n, inner, logarithm)
			}
			return nil
		}, nil
	}
}

func softmaxAll[T real](v []T, n, inner int, logarithm bool) {
	if n == 0 || inner == 0 {
		return
	}
	for base := 0; base+n*inner <= len(v); base += n * inner {
		for i := range inner {
			softmax(v[base+i:base+n*inner], n, inner, logarithm)
		}
	}
}

// softmax replaces n values that stand step apart.
func softmax[T real](v []T, n, step int, logarithm bool) {
	top := T(math.Inf(-1))
	for i := range n {
		top = max(top, v[i*step])
	}
	var sum T
	for i := range n {
		e := T(exp(float64(v[i*step] - top)))
		sum += e
		if !logarithm {
			v[i*step] = e
		}
	}
	below := T(log(float64(sum)))
	for i := range n {
		if logarithm {
			v[i*step] = v[i*step] - top - below
		} else {
			v[i*step] /= sum
		}
	}
}
