package eval

import (
	"math"
	"slices"
)

// BestOfK is the chance that the sample of highest rank among k drawn without replacement from all is correct: best-of-n with the rank of a
// reward, or of the likelihood (perplexity-ranked). Samples that tie for the highest rank share the chance equally. It is NaN where that is
// undefined: k < 1, fewer than k samples, or a rank that is NaN.
//
// With a samples above a rank and s of that rank, the best of a draw has it with the chance (C(n−a, k) − C(n−a−s, k)) / C(n, k), and is then any of
// the s alike.
func BestOfK(ranks []float64, correct []bool, k int) float64 {
	n := len(ranks)
	if k < 1 || k > n || len(correct) != n || slices.ContainsFunc(ranks, math.IsNaN) {
		return math.NaN()
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case ranks[i] > ranks[j]:
			return -1
		case ranks[i] < ranks[j]:
			return 1
		}
		return i - j
	})
	won, none := 0.0, 1.0 // none: the chance that a draw has no sample of those passed so far
	for from := 0; from < n; {
		to, right := from, 0
		below := none
		for ; to < n && ranks[order[to]] == ranks[order[from]]; to++ {
			if correct[order[to]] {
				right++
			}
			below *= math.Max(0, float64(n-to-k)) / float64(n-to)
		}
		won += (none - below) * float64(right) / float64(to-from)
		from, none = to, below
	}
	return won
}
