package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Ranking is one query's items in the order of a model's scores, the highest
// first. Equal scores stay in the order in which the items came: the rule is part
// of every definition here, and whoever lists the items must not know which of
// them are relevant. Only [Rank] makes one.
//
// An item is relevant if its relevance is above 0. A query without a relevant
// item, or without items, scores 0 everywhere; [MeanOver] says how many there
// are. Ranks beyond the items hold nothing. All values are in [0, 1], higher is
// better, but for DCG, which has no bound.
type Ranking struct {
	gains  []float64 // relevance by rank
	scores []float64 // by rank
	ideal  []float64 // relevance, descending
	hits   int       // relevant items
}

// leastRelevance and mostRelevance keep the gain 2^relevance - 1 above 0 and its
// sums finite.
const leastRelevance, mostRelevance = 0x1p-20, 900

// Rank orders n items by n scores. It is an error if the lengths differ, a
// number is NaN or infinite, or a relevance is neither 0 nor in [2^-20, 900].
func Rank(relevance, scores []float64) (*Ranking, error) {
	if len(relevance) != len(scores) {
		return nil, fmt.Errorf("ranking: %d items, %d scores", len(relevance), len(scores))
	}
	r := &Ranking{}
	if len(relevance) == 0 {
		return r, nil
	}
	if err := errors.Join(checkNumbers("relevance", relevance), checkNumbers("scores", scores)); err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	for _, g := range relevance {
		if g != 0 && !(g >= leastRelevance && g <= mostRelevance) {
			return nil, fmt.Errorf("ranking: a relevance is neither 0 nor in [2^-20, %d]", mostRelevance)
		}
		r.hits += oneIf(g > 0)
	}
	rows := allRows(len(scores))
	slices.SortStableFunc(rows, func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) })
	for _, i := range rows {
		r.gains, r.scores = append(r.gains, relevance[i]), append(r.scores, scores[i])
	}
	r.ideal = slices.Clone(relevance)
	slices.SortFunc(r.ideal, func(a, b float64) int { return cmp.Compare(b, a) })
	return r, nil
}

// Relevant is the number of relevant items.
func (r *Ranking) Relevant() int { return r.hits }

// A Gain turns relevance into what an item is worth.
type Gain func(relevance float64) float64

// Linear gain is the relevance itself, as in scikit-learn and torchmetrics;
// Exponential is 2^relevance - 1 (Burges 2005).
func Linear(relevance float64) float64      { return relevance }
func Exponential(relevance float64) float64 { return math.Exp2(relevance) - 1 }

// top is the number of items within the first k; k < 1 means all.
func (r *Ranking) top(k int) int {
	if k < 1 {
		return len(r.gains)
	}
	return min(k, len(r.gains))
}

func discount(rank int) float64 { return 1 / math.Log2(float64(rank)+1) }

func dcg(relevance []float64, gain Gain) float64 {
	return blockSum(len(relevance), func(i int) float64 { return float64(gain(relevance[i]) * discount(i+1)) })
}

// DCG is the sum of gain / log2(rank + 1) over the first k ranks ("dcg@1";
// Jarvelin and Kekalainen 2002). k < 1 means all.
func (r *Ranking) DCG(k int, gain Gain) float64 { return dcg(r.gains[:r.top(k)], gain) }

// NDCG is DCG over that of the best order ("ndcg@1" with linear gain,
// "ndcg_exp@1" with exponential).
func (r *Ranking) NDCG(k int, gain Gain) float64 {
	if r.hits == 0 {
		return 0
	}
	return r.DCG(k, gain) / dcg(r.ideal[:r.top(k)], gain)
}

// DCGTied is DCG with linear gain where items of equal score share the mean of
// their gains ("dcg_tied@1"): the expectation over random orders of the ties
// (McSherry and Najork 2008), as scikit-learn's dcg_score has it.
func (r *Ranking) DCGTied(k int) float64 {
	top, total := r.top(k), 0.0
	for from := 0; from < top; {
		to, gains, discounts := from, 0.0, 0.0
		for to < len(r.gains) && r.scores[to] == r.scores[from] {
			gains += r.gains[to]
			if to < top {
				discounts += discount(to + 1)
			}
			to++
		}
		total += float64(gains / float64(to-from) * discounts)
		from = to
	}
	return total
}

// NDCGTied is DCGTied over the DCG of the best order ("ndcg_tied@1").
func (r *Ranking) NDCGTied(k int) float64 {
	if r.hits == 0 {
		return 0
	}
	return r.DCGTied(k) / dcg(r.ideal[:r.top(k)], Linear)
}

// found is the number of relevant items within the first k ranks.
func (r *Ranking) found(k int) int {
	n := 0
	for _, g := range r.gains[:r.top(k)] {
		n += oneIf(g > 0)
	}
	return n
}

// Precision is the share of the first k ranks that hold a relevant item
// ("precision_at_k@1"). It divides by k even where there are fewer items; k < 1
// means the number of items.
func (r *Ranking) Precision(k int) float64 {
	if r.hits == 0 {
		return 0
	}
	if k < 1 {
		k = len(r.gains)
	}
	return float64(r.found(k)) / float64(k)
}

// Recall is the share of the relevant items within the first k ranks
// ("recall_at_k@1").
func (r *Ranking) Recall(k int) float64 {
	if r.hits == 0 {
		return 0
	}
	return float64(r.found(k)) / float64(r.hits)
}

// Hit is 1 if a relevant item is within the first k ranks ("hit_at_k@1").
func (r *Ranking) Hit(k int) float64 { return float64(oneIf(r.found(k) > 0)) }

// ReciprocalRank is 1 / rank of the first relevant item ("mrr@1" as a mean).
func (r *Ranking) ReciprocalRank() float64 {
	for i, g := range r.gains {
		if g > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// AveragePrecision is the mean over the relevant items of the precision at their
// ranks ("map@1" as a mean).
func (r *Ranking) AveragePrecision() float64 {
	if r.hits == 0 {
		return 0
	}
	found, total := 0, 0.0
	for i, g := range r.gains {
		if g > 0 {
			found++
			total += float64(found) / float64(i+1)
		}
	}
	return total / float64(r.hits)
}

// MeanOver is the mean of a value over queries, each counting once, with the
// interval of Student's t where there are two queries or more. Its warnings say
// how many queries have no relevant item and count 0: leaving them out would let
// a value rise by losing relevant items. It is an error if confidence is not in
// (0, 1), a query is nil or a value is NaN or infinite.
func MeanOver(queries []*Ranking, confidence float64, value func(*Ranking) float64) (Estimate, error) {
	if err := checkConfidence(confidence); err != nil {
		return Estimate{}, err
	}
	if len(queries) == 0 {
		return undefined("no queries", 0), nil
	}
	x, empty := make([]float64, len(queries)), 0
	for i, q := range queries {
		if q == nil {
			return Estimate{}, fmt.Errorf("query %d has no ranking", i)
		}
		x[i] = value(q)
		empty += oneIf(q.hits == 0)
	}
	if err := checkNumbers("values of queries", x); err != nil {
		return Estimate{}, err
	}
	s := columnMean(x)
	s.variance = max(s.variance, leastMean(float64(len(x))))
	if empty > 0 {
		s.warnings = append(s.warnings, fmt.Sprintf("%d of %d queries have no relevant item and count 0", empty, len(queries)))
	}
	return metric{}.estimate(&s, confidence), nil
}
