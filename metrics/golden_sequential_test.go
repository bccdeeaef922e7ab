package metrics

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// answer is a value by its name, or the error that there is none.
func answer(name string, v any, err error) map[string]any {
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{name: v}
}

// mixture makes the mixture that a function is named after.
func (c *goldenCase) mixture() (Mixture, error) {
	t := MixtureTuning{VOpt: c.num("v_opt"), AlphaOpt: c.num("alpha_opt")}
	oneSided := c.num("one_sided") == 1
	switch c.Fn[0] {
	case 'n':
		return NormalMixture(t, oneSided)
	case 'g':
		return GammaExponentialMixture(t, c.num("c"))
	}
	return BetaBinomialMixture(t, c.num("g"), c.num("h"), oneSided)
}

func runMixtureBound(_ *testing.T, c *goldenCase) map[string]any {
	m, err := c.mixture()
	if err != nil {
		return answer("", nil, err)
	}
	v, err := m.Bound(c.num("v"), c.num("alpha"))
	return answer("value", v, err)
}

func runLogMixture(_ *testing.T, c *goldenCase) map[string]any {
	m, err := c.mixture()
	if err != nil {
		return answer("", nil, err)
	}
	v, err := m.Log(c.num("s"), c.num("v"))
	return answer("value", v, err)
}

func runStitching(_ *testing.T, c *goldenCase) map[string]any {
	v, err := Stitching{c.num("v_min"), c.num("c"), c.num("s"), c.num("eta")}.Bound(c.num("v"), c.num("alpha"))
	return answer("value", v, err)
}

func runBernoulliSequence(t *testing.T, c *goldenCase) map[string]any {
	if c.num("alpha") != c.num("alpha_opt") {
		t.Fatal("BernoulliSequence is tuned for its own level")
	}
	e, err := BernoulliSequence(int64(c.num("successes")), int64(c.num("n")), c.num("alpha"), c.num("t_opt"))
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{"lower": e.Low, "upper": e.High}
}

func runEmpiricalBernstein(_ *testing.T, c *goldenCase) map[string]any {
	s, err := NewEmpiricalBernstein(c.num("alpha"))
	if err != nil {
		return answer("", nil, err)
	}
	var lower, upper, lambda []float64
	for _, x := range c.nums("x") {
		if err := s.Add(x); err != nil {
			return answer("", nil, err)
		}
		e := s.Estimate()
		lower, upper, lambda = append(lower, e.Low), append(upper, e.High), append(lambda, s.last)
	}
	return map[string]any{"lower": lower, "upper": upper, "lambda": lambda}
}

func runHedge(_ *testing.T, c *goldenCase) map[string]any {
	got := map[string]any{}
	for key := range c.Want {
		if key == "error" { // which mean is refused is not told
			continue
		}
		m, err := strconv.ParseFloat(strings.TrimPrefix(key, "capital_m"), 64)
		if err != nil {
			return answer("", nil, err)
		}
		h, err := NewHedge(m, c.num("alpha"), c.num("theta"))
		if err != nil {
			return answer("", nil, err)
		}
		var capital []float64
		for _, x := range c.nums("x") {
			if err := h.Add(x); err != nil {
				return answer("", nil, err)
			}
			capital = append(capital, math.Exp(h.LogCapital()))
		}
		got[key] = capital
	}
	return got
}

func runSPRT(_ *testing.T, c *goldenCase) map[string]any {
	l, err := SPRT{c.num("theta0"), c.num("sigma2"), c.num("tau2")}.LogRatio(c.num("xbar"), int64(c.num("n")))
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{"lambda": math.Exp(l), "log_lambda": l, "p_always_valid": AlwaysValidP(l)}
}

func runEBH(_ *testing.T, c *goldenCase) map[string]any {
	r, err := EBH(c.nums("e"), c.num("alpha"))
	return answer("rejected", r, err)
}
