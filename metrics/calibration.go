package metrics

import (
	"fmt"
	"math"
	"slices"
)

// A Calibration is probabilities with whether what they speak of happened. Only
// [NewCalibration] makes one; the zero value has no metric. The method of an
// estimate is the id of its definition. All errors here are lower-is-better, and
// those of bins are biased upwards where bins hold few rows.
type Calibration struct {
	p   []float64
	hit []bool
}

// NewCalibration takes n probabilities and whether each came true. It is an error
// if lengths differ, there are no rows, or a number is not in [0, 1]. The slices
// are kept: the caller does not change them.
func NewCalibration(p []float64, hit []bool) (*Calibration, error) {
	if len(p) != len(hit) {
		return nil, fmt.Errorf("calibration: %d probabilities, %d outcomes", len(p), len(hit))
	}
	if !inUnit(p) || len(p) == 0 {
		if err := checkNumbers("calibration", p); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("calibration: some probabilities are outside [0, 1]")
	}
	return &Calibration{p, hit}, nil
}

// Calibration is that of the positive class's probability, or else of the largest
// probability of each row, the first of equals, being of the true class. It is an
// error if the model gave no probabilities.
func (f *Frame) Calibration() (*Calibration, error) { return f.calibration() }

func (v *view) calibration() (*Calibration, error) {
	if why := v.withoutProbs(); why != "" {
		return nil, fmt.Errorf("calibration: %s", why)
	}
	c := &Calibration{make([]float64, len(v.answers)), make([]bool, len(v.answers))}
	for i := range c.p {
		c.p[i], c.hit[i] = v.confidence(i)
	}
	return c, nil
}

// A Bin is the rows whose probabilities fall into one bin.
type Bin struct {
	N          int
	Confidence float64 // mean probability
	Right      float64 // share that came true
}

// Bins are a binning of all rows, from low to high; those without rows are left out.
type Bins struct {
	bins  []Bin
	n     int
	name  string // part of the ids
	wrong string // why there are none
}

// All returns the bins: the reliability curve, right against confidence.
func (b Bins) All() []Bin { return append([]Bin(nil), b.bins...) }

// maxBins bounds the bins of one binning.
const maxBins = 1 << 20

func (c *Calibration) binned(name string, bins, slots int, at func(p float64) int) Bins {
	if len(c.p) == 0 || bins < 1 || bins > maxBins {
		return Bins{wrong: fmt.Sprintf("%d bins of %d rows", bins, len(c.p))}
	}
	type sums struct {
		n       int
		p, hits float64
	}
	all := make([]sums, slots)
	for i, p := range c.p {
		s := &all[at(p)]
		s.n++
		s.p += p
		s.hits += float64(oneIf(c.hit[i]))
	}
	out := Bins{n: len(c.p), name: name}
	for _, s := range all {
		if s.n > 0 {
			out.bins = append(out.bins, Bin{s.n, s.p / float64(s.n), s.hits / float64(s.n)})
		}
	}
	return out
}

// EqualWidth puts probabilities into [j/bins, (j+1)/bins), and exactly 1 into a bin
// of its own, as torchmetrics does: the bins of "ece@1".
func (c *Calibration) EqualWidth(bins int) Bins {
	return c.binned(fmt.Sprintf("left_closed_%d", bins), bins, max(0, bins)+1, func(p float64) int { return binOf(p, bins) })
}

// EqualWidthRight puts probabilities into (j/bins, (j+1)/bins], 0 into the first,
// as Guo 2017 does.
func (c *Calibration) EqualWidthRight(bins int) Bins {
	width := 1 / float64(bins)
	return c.binned(fmt.Sprintf("right_closed_%d", bins), bins, max(0, bins)+1, func(p float64) int {
		b := binOf(p, bins)
		if b > 0 && float64(b)*width == p || b == bins {
			b--
		}
		return b
	})
}

// EqualMass splits the sorted probabilities into bins of equal numbers of rows,
// the first ones one larger where they do not divide, with edges midway between
// neighbours; a bin holds what is above the edge below and at most the edge above,
// so that equal probabilities are together (as verified_calibration).
func (c *Calibration) EqualMass(bins int) Bins {
	edges := massEdges(sorted(c.p), bins)
	return c.binned(fmt.Sprintf("equal_mass_%d", bins), bins, len(edges)+1, func(p float64) int {
		at, _ := slices.BinarySearch(edges, p)
		return at
	})
}

func massEdges(p []float64, bins int) []float64 {
	n := len(p)
	bins = min(bins, n)
	var edges []float64
	for b, to := 0, 0; b < bins-1; b++ {
		to += n/bins + oneIf(b < n%bins)
		if e := (p[to-1] + p[to]) / 2; len(edges) == 0 || e > edges[len(edges)-1] {
			edges = append(edges, e)
		}
	}
	return edges
}

// Quantiles puts probabilities into bins between their type-7 quantiles, each
// closed on the right, as scikit-learn's calibration_curve does.
func (c *Calibration) Quantiles(bins int) Bins {
	var edges []float64
	if s := sorted(c.p); bins > 1 && bins <= maxBins && len(s) > 0 {
		for b := 1; b < bins; b++ {
			edges = append(edges, quantileOfSorted(s, float64(b)/float64(bins)))
		}
	}
	return c.binned(fmt.Sprintf("quantiles_%d", bins), bins, len(edges)+1, func(p float64) int {
		at, _ := slices.BinarySearch(edges, p)
		return at
	})
}

func (b Bins) id(name string) string { return name + "_" + b.name + "@1" }

func (b Bins) none() (Estimate, bool) {
	if b.wrong != "" || b.n == 0 {
		return undefined(b.wrong+" have no calibration error", int64(b.n)), true
	}
	return Estimate{}, false
}

// ECE is the expected calibration error: the mean over rows of |right -
// confidence| of the row's bin ("ece_left_closed_15@1", ...), in [0, 1].
func (b Bins) ECE() Estimate {
	if e, none := b.none(); none {
		return e
	}
	s := 0.0
	for _, x := range b.bins {
		s += float64(float64(x.N) / float64(b.n) * math.Abs(x.Right-x.Confidence))
	}
	return number(b.id("ece"), s, b.n)
}

// RMS is the root of the mean over rows of the square of it ("ece_l2_..."), in
// [0, 1].
func (b Bins) RMS() Estimate {
	if e, none := b.none(); none {
		return e
	}
	s := 0.0
	for _, x := range b.bins {
		d := x.Right - x.Confidence
		s += float64(float64(x.N) / float64(b.n) * d * d)
	}
	return number(b.id("ece_l2"), math.Sqrt(s), b.n)
}

// Max is the largest |right - confidence| of a bin ("mce_..."), in [0, 1].
func (b Bins) Max() Estimate {
	if e, none := b.none(); none {
		return e
	}
	most := 0.0
	for _, x := range b.bins {
		most = math.Max(most, math.Abs(x.Right-x.Confidence))
	}
	return number(b.id("mce"), most, b.n)
}

// DebiasedRMS takes what chance adds off each bin's square, r(1-r)/(n-1) for n
// rows of which a share r came true ("ece_l2_debiased_..."; Kumar, Liang and Ma
// 2019), in [0, 1]. Bins of one row count 0, and a sum below 0 does too.
func (b Bins) DebiasedRMS() Estimate {
	if e, none := b.none(); none {
		return e
	}
	s := 0.0
	for _, x := range b.bins {
		if x.N < 2 {
			continue
		}
		d := x.Right - x.Confidence
		s += float64(float64(x.N) / float64(b.n) * (float64(d*d) - float64(x.Right*(1-x.Right))/float64(x.N-1)))
	}
	return number(b.id("ece_l2_debiased"), math.Sqrt(math.Max(0, s)), b.n)
}

// Ratio is the sum of the probabilities over the number that came true
// ("calibration_ratio@1", TFMA's "calibration"), in [0, inf), 1 is best.
func (c *Calibration) Ratio() Estimate {
	hits := 0
	for _, h := range c.hit {
		hits += oneIf(h)
	}
	if hits == 0 {
		return undefined("nothing came true", int64(len(c.p)))
	}
	return number("calibration_ratio@1", sum(c.p)/float64(hits), len(c.p))
}
