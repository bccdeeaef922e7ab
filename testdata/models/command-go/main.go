// Command serve stands for your model. Build it into the package with
//
//	CGO_ENABLED=0 go build -o serve main.go kit.go
package main

import "math"

func main() { Wrap(toy{}) }

// toy answers from the column "age".
type toy struct{}

func (toy) PredictProba(rows []Row) ([][]float64, error) {
	out := make([][]float64, len(rows))
	for i, r := range rows {
		v, _ := r["age"].(float64)
		yes := 0.5 + 0.5*v/(1+math.Abs(v))
		out[i] = []float64{1 - yes, yes}
	}
	return out, nil
}
