package metrics

import "math"

func (t *Tally) mcc() reading   { return t.onLabels(oneModel.mcc) }
func (t *Tally) kappa() reading { return t.onLabels(oneModel.kappa) }

// mcc is [Confusion.MCC] with the delta method over the table's margins.
func (m oneModel) mcc() labelScore {
	return m.agreement(func(m margins) (float64, func(i, j int) float64, string) {
		value, ok := m.mcc()
		if !ok {
			return 0, nil, constantLabels
		}
		b, t := left(m.said), left(m.truth)
		root := math.Sqrt(b) * math.Sqrt(t)
		return value, func(i, j int) float64 {
			db, dt := 2*(1-b-m.said[j]), 2*(1-t-m.truth[i])
			return m.gain(i, j)/root - float64(value/2*(db/b+dt/t))
		}, ""
	})
}

// kappa is [Confusion.Kappa] with the delta method over the table's margins.
func (m oneModel) kappa() labelScore {
	return m.agreement(func(m margins) (float64, func(i, j int) float64, string) {
		free := 1 - m.chance
		if !(free > 0) {
			return 0, nil, "true and predicted classes are all the same one"
		}
		value := (m.right - m.chance) / free
		return value, func(i, j int) float64 {
			return (m.gain(i, j) + float64(value*m.moreChance(i, j))) / free
		}, ""
	})
}

// moreChance is how a row of class i said to be of j moves the agreement by chance,
// times the number of rows; gain is how it moves the agreement beyond it.
func (m margins) moreChance(i, j int) float64 {
	return m.said[i] + m.truth[j] - float64(2*m.chance)
}
func (m margins) gain(i, j int) float64 {
	return float64(oneIf(i == j)) - m.right - m.moreChance(i, j)
}

// agreement is a value of the table with the influence of each row. As for ratios
// of counts, the variance takes in one row turned right and one turned wrong,
// those that move the value most.
func (m oneModel) agreement(of func(margins) (value float64, influence func(i, j int) float64, why string)) labelScore {
	if m.rows == 0 {
		return labelScore{score: noScore(noRows)}
	}
	c := m.confusion()
	value, influence, why := of(c.margins())
	if why != "" {
		return labelScore{score: noScore(why)}
	}
	n, most := float64(m.rows), 0.0
	for i := range c.classes {
		for j := range c.classes + 1 {
			if c.truth[i] > 0 {
				most = math.Max(most, math.Abs(influence(i, i)-influence(i, j))/n)
			}
		}
	}
	s := labelScore{score: score{value: value, n: m.rows, method: methodDelta}, extra: float64(2 * most * most)}
	s.influence = func(truth, said int32) float64 {
		j := int(said)
		if j < 0 {
			j = c.classes
		}
		return influence(int(truth), j) / n
	}
	return s
}

func (m oneModel) confusion() *Confusion {
	side := len(m.classes) + 1
	c := &Confusion{classes: len(m.classes), rows: int(m.rows), cells: make([]float64, len(m.classes)*side)}
	for _, x := range m.cells {
		j := int(x.said)
		if j < 0 {
			j = c.classes
		}
		c.cells[int(x.truth)*side+j] += float64(x.n)
	}
	c.addUp()
	return c
}
