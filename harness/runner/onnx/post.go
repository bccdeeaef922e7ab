package onnx

import "math"

// How scores become answers in the operators of ai.onnx.ml.
const (
	postNone = iota
	postSoftmax
	postLogistic
	postSoftmaxZero
)

// postTransform reads the attribute. PROBIT is refused: no converter that we know of
// emits it, and onnxruntime's is a rough approximation.
func postTransform(b *builder) int {
	return b.one("post_transform", "NONE", "NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")
}

// transform replaces the scores of one row.
func transform[T real](post int, v []T) {
	switch post {
	case postLogistic:
		for i, x := range v {
			v[i] = T(logistic(float64(x)))
		}
	case postSoftmax:
		softmax(v, len(v), 1, false)
	case postSoftmaxZero:
		softmaxZero(v)
	}
}

// softmaxZero leaves scores of zero out of the sum.
func softmaxZero[T real](v []T) {
	top := T(math.Inf(-1))
	for _, x := range v {
		top = max(top, x)
	}
	small, sum := T(exp(float64(-top))), T(0)
	for i, x := range v {
		if x > 0.0000001 || x < -0.0000001 {
			v[i] = T(exp(float64(x - top)))
			sum += v[i]
		} else {
			v[i] = x * small
		}
	}
	for i := range v {
		v[i] /= sum
	}
}
