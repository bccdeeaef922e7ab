package metrics

import "math"

// mcc is [Confusion.MCC] with the delta method over the table's margins.
func (v view) mcc() score {
	return v.agreement(func(m margins) (float64, func(i, j int) float64, string) {
		value, ok := m.mcc()
		if !ok {
			return 0, nil, constantLabels
		}
		b, t := left(m.said), left(m.truth)
		root := math.Sqrt(b) * math.Sqrt(t)
		return value, func(i, j int) float64 {
			db, dt := 2*(1-b-m.said[j]), 2*(1-t-m.truth[i])
			return m.gain(i, j)/root - value/2*(db/b+dt/t)
		}, ""
	})
}

// kappa is [Confusion.Kappa] with the delta method over the table's margins.
func (v view) kappa() score {
	return v.agreement(func(m margins) (float64, func(i, j int) float64, string) {
		free := 1 - m.chance
		if !(free > 0) {
			return 0, nil, "true and predicted classes are all the same one"
		}
		value := (m.right - m.chance) / free
		return value, func(i, j int) float64 {
			return (m.gain(i, j) + value*m.moreChance(i, j)) / free
		}, ""
	})
}

// moreChance is how a row of class i said to be of j moves the agreement by chance,
// times the number of rows; gain is how it moves the agreement beyond it.
func (m margins) moreChance(i, j int) float64 { return m.said[i] + m.truth[j] - 2*m.chance }
func (m margins) gain(i, j int) float64 {
	return float64(oneIf(i == j)) - m.right - m.moreChance(i, j)
}

// agreement is a value of the table with the influence of each row. As for ratios
// of counts, the variance takes in one row turned right and one turned wrong,
// those that move the value most.
func (v view) agreement(of func(margins) (value float64, influence func(i, j int) float64, why string)) score {
	if len(v.answers) == 0 {
		return noScore(noRows)
	}
	c := &Confusion{classes: len(v.classes), rows: len(v.answers), cells: make([]float64, len(v.classes)*(len(v.classes)+1))}
	c.count(v.answers, v.labels, nil)
	value, influence, why := of(c.margins())
	if why != "" {
		return noScore(why)
	}
	n, side := float64(len(v.answers)), c.classes+1
	s := score{value: value, n: int64(len(v.answers)), parts: make([]float64, len(v.answers)), method: methodDelta}
	cells, most := make([]float64, c.classes*side), 0.0
	for i := range c.classes {
		for j := range side {
			cells[i*side+j] = influence(i, j) / n
		}
		for j := range side {
			if c.truth[i] > 0 {
				most = math.Max(most, math.Abs(cells[i*side+i]-cells[i*side+j]))
			}
		}
	}
	s.extra = float64(2 * most * most)
	for row, y := range v.answers {
		j := int(v.labels[row])
		if j < 0 {
			j = c.classes
		}
		s.parts[row] = cells[int(y)*side+j]
	}
	return s
}
