package metrics

import (
	"fmt"
	"math"
)

// Numbers that are part of smece@1.
const (
	smoothBisections = 10
	smoothLeast      = 0.001  // bandwidths below are good enough
	smoothPoints     = 200    // at least so many points are compared
	smoothGrid       = 2000   // at least twice as many as the grid has
	smoothDensity    = 0.0001 // added to the density
)

// Smooth is the smooth calibration error ("smece@1"; Blasiok and Nakkiran 2024):
// the residuals p - y smoothed by a Gaussian reflected at 0 and 1, their mean
// absolute value by the density of the probabilities, at the smallest of ten
// bisected bandwidths that is no less than the error at it. In [0, 1], lower is
// better. It returns that bandwidth too.
func (c *Calibration) Smooth() (e Estimate, bandwidth float64) {
	if len(c.p) == 0 {
		return undefined(noRows, 0), 0
	}
	below := func(sigma float64) bool { return sigma < smoothLeast || sigma < c.smooth(sigma) }
	lo, hi := 0.0, 1.0
	for range smoothBisections {
		if mid := (lo + hi) / 2; below(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return number("smece@1", c.smooth(hi), len(c.p)), hi
}

// SmoothAt is the same at a given bandwidth ("smece_at@1") in [0.001, 1]; another
// one is undefined.
func (c *Calibration) SmoothAt(sigma float64) Estimate {
	if !(sigma >= smoothLeast && sigma <= 1) || len(c.p) == 0 {
		return undefined(fmt.Sprintf("bandwidth %v of %d rows", sigma, len(c.p)), int64(len(c.p)))
	}
	return number("smece_at@1", c.smooth(sigma), len(c.p))
}

func (c *Calibration) smooth(sigma float64) float64 {
	s := c.smoothing(sigma)
	return s.wrong / s.dense
}

// A smoothing is the rows and residuals spread linearly over a grid, smoothed, and
// compared at evenly spaced points between grid points: the error is wrong / dense.
type smoothing struct {
	kernel
	residual     []float64 // smoothed, by point
	wrong, dense float64   // sums over the points of |residual| and of the density
}

func (c *Calibration) smoothing(sigma float64) smoothing {
	grid := max(smoothGrid, int(math.RoundToEven(20/sigma)))/2 + 1
	rows, residuals := make([]float64, grid), make([]float64, grid)
	for i, p := range c.p {
		j, frac := between(p, grid)
		r := p - float64(oneIf(c.hit[i]))
		rows[j] += 1 - frac
		rows[j+1] += frac
		residuals[j] += float64((1 - frac) * r)
		residuals[j+1] += float64(frac * r)
	}
	s := smoothing{kernel: newKernel(sigma, grid), residual: make([]float64, max(smoothPoints, int(math.RoundToEven(10/sigma))))}
	for i := range s.residual {
		j, frac := s.point(i)
		r0, d0 := s.at(residuals, rows, j)
		r1, d1 := s.at(residuals, rows, j+1)
		s.residual[i] = float64(r0*(1-frac)) + float64(r1*frac)
		s.wrong += math.Abs(s.residual[i])
		s.dense += float64(d0*(1-frac)) + float64(d1*frac) + smoothDensity
	}
	return s
}

// point is where point i lies on the grid.
func (s *smoothing) point(i int) (j int, frac float64) {
	return between(float64(i)/float64(len(s.residual)-1), s.grid)
}

// between is the grid point below p in [0, 1], and how far p is on the way to the next.
func between(p float64, grid int) (j int, frac float64) {
	j = min(grid-2, int(p*float64(grid-1)))
	return j, float64(p*float64(grid-1)) - float64(j)
}

// A kernel is a Gaussian at the distances of the grid's points from its middle,
// from the first where it is not 0.
type kernel struct {
	first, grid int
	w           []float64
}

// farTail is from how many bandwidths on the Gaussian is 0 in a float64.
const farTail = 39

func newKernel(sigma float64, grid int) kernel {
	k := kernel{grid: grid}
	for i := range grid {
		d := (float64(i)/float64(grid-1) - 0.5) / sigma
		switch {
		case math.Abs(d) < farTail:
			k.w = append(k.w, math.Exp(-d*d/2)/(math.Sqrt(2*math.Pi)*sigma))
		case d < 0:
			k.first = i + 1
		}
	}
	return k
}

// at is both columns smoothed at grid point j, reflected at the ends.
func (k kernel) at(x, y []float64, j int) (sx, sy float64) {
	from := j + k.grid/2 - k.first
	for i, w := range k.w {
		at := k.inside(from - i)
		sx += float64(w * x[at])
		sy += float64(w * y[at])
	}
	return sx, sy
}

// inside is a place on the grid, or its reflection.
func (k kernel) inside(at int) int {
	if at < 0 {
		at = -at
	}
	if last := k.grid - 1; at > last {
		at = 2*last - at
	}
	return at
}
