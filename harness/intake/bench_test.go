package intake

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// census makes a CSV file like the demo's: 15 columns, six of them numbers.
func census(n int) string {
	rng := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("age,workclass,fnlwgt,education,education-num,marital,occupation,relationship,race,sex,gain,loss,hours,country,income\n")
	for range n {
		fmt.Fprintf(&b, "%d,Private,%d,Bachelors,%d,Never-married,Adm-clerical,Not-in-family,White,Male,%d,0,%d,United-States,<=50K\n",
			17+rng.IntN(60), 10_000+rng.IntN(400_000), 1+rng.IntN(16), rng.IntN(20_000), 1+rng.IntN(99))
	}
	return b.String()
}

// The demo's table takes well under a second, through the child.
func TestQuick(t *testing.T) {
	file := census(16_281)
	start := time.Now()
	tab, err := Decode(t.Context(), "csv", strings.NewReader(file), Options{})
	if err != nil || tab.Len() != 16_281 || len(tab.Columns()) != 15 {
		t.Fatalf("%v, %d rows", err, tab.Len())
	}
	if took := time.Since(start); took > 5*time.Second { // a loaded machine; .1 s on a quiet one
		t.Errorf("%v", took)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{16_281, 1_000_000} {
		file := census(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				tab, err := Decode(b.Context(), "csv", strings.NewReader(file), Options{})
				if err != nil || tab.Len() != n {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(file)))
		})
	}
}
