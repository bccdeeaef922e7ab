package onnx

import "math"

// exp, log, tanh and pow are ours because those of package math differ in the last
// bit between machines (assembly on some, fused multiply-add on others). Each product
// is rounded by an explicit conversion, which the language says prevents fusing.
// The polynomials are those of FreeBSD's msun (e_exp.c, e_log.c); the error is below
// one unit in the last place of float64, so rounding to float32 is all but exact.

func exp(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		log2e = 1.44269504088896338700e+00
		p1    = 1.66666666666666657415e-01
		p2    = -2.77777777770155933842e-03
		p3    = 6.61375632143793436117e-05
		p4    = -1.65339022054652515390e-06
		p5    = 4.13813679705723846039e-08
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019411:
		return 0
	}
	half := 0.5
	if x < 0 {
		half = -0.5
	}
	k := int(float64(log2e*x) + half)
	hi := x - float64(float64(k)*ln2Hi)
	lo := float64(float64(k) * ln2Lo)
	r := hi - lo
	t := float64(r * r)
	q := p4 + float64(t*p5)
	q = p3 + float64(t*q)
	q = p2 + float64(t*q)
	q = p1 + float64(t*q)
	c := r - float64(t*q)
	y := 1 - ((lo - float64(r*c)/(2-c)) - hi)
	if k > -1000 && k < 1000 {
		return math.Float64frombits(math.Float64bits(y) + uint64(k)<<52)
	}
	return math.Ldexp(y, k)
}

func log(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		l1    = 6.666666666666735130e-01
		l2    = 3.999999999940941908e-01
		l3    = 2.857142874366239149e-01
		l4    = 2.222219843214978396e-01
		l5    = 1.818357216161805012e-01
		l6    = 1.531383769920937332e-01
		l7    = 1.479819860511658591e-01
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f, n := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		n--
	}
	f--
	k := float64(n)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	odd := l5 + float64(s4*l7)
	odd = l3 + float64(s4*odd)
	odd = l1 + float64(s4*odd)
	even := l4 + float64(s4*l6)
	even = l2 + float64(s4*even)
	r := float64(s2*odd) + float64(s4*even)
	hfsq := float64(0.5 * float64(f*f))
	return float64(k*ln2Hi) - ((hfsq - (float64(s*(hfsq+r)) + float64(k*ln2Lo))) - f)
}

// tanh is within 1e-11 of the true value, relatively.
func tanh(x float64) float64 {
	a := math.Abs(x)
	if a < 1e-5 {
		return x - float64(float64(x*x)*x)/3
	}
	y := 1 - 2/(exp(2*a)+1)
	if math.IsNaN(x) {
		return x
	}
	return math.Copysign(y, x)
}

// logistic is the sigmoid, without overflow on either side.
func logistic(x float64) float64 {
	v := 1 / (1 + exp(-math.Abs(x)))
	if x < 0 {
		return 1 - v
	}
	return v
}

// pow is exact for small whole exponents up to rounding of each product, and
// exp(y log x) otherwise.
func pow(x, y float64) float64 {
	whole := y == math.Trunc(y)
	switch {
	case y == 0 || x == 1:
		return 1
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	case y == 0.5:
		return math.Sqrt(x)
	case whole && math.Abs(y) <= 64:
		p := 1.0
		for range int(math.Abs(y)) {
			p = float64(p * x)
		}
		if y < 0 {
			return 1 / p
		}
		return p
	case x < 0 && !whole && !math.IsInf(x, -1):
		return math.NaN()
	case math.Abs(x) == 1:
		if math.IsInf(y, 0) || math.Mod(y, 2) == 0 {
			return 1
		}
		return -1
	}
	p := exp(float64(y * log(math.Abs(x))))
	if x < 0 && whole && math.Abs(math.Mod(y, 2)) == 1 {
		return -p
	}
	return p
}
