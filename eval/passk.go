package eval

import (
	"maps"
	"math"
	"slices"
)

// Evaluating Large Language Models Trained on Code, arXiv 2107.03374: the unbiased estimator of pass@k from n >= k samples of
// which c are correct,
//
//	pass@k = 1 − C(n−c, k) / C(n, k) = 1 − Π_{i=n−c+1}^{n} (1 − k/i)
//
// Deviations: none.

// PassAtK is the chance that at least one of k samples drawn without replacement from the n is correct. It is NaN where that is
// undefined: k < 1, k > n, or c outside [0, n].
func PassAtK(n, c, k int) float64 {
	if k < 1 || k > n || c < 0 || c > n {
		return math.NaN()
	}
	if n-c < k {
		return 1
	}
	miss := 1.0
	for i := n - c + 1; i <= n; i++ {
		miss *= 1 - float64(k)/float64(i)
	}
	return 1 - miss
}

// maxVotes bounds n in MajAtK: beyond it, binomial coefficients leave the range of float64.
const maxVotes = 1000

// MajAtK is the exact chance that the most frequent answer among k samples drawn without replacement from the answers is correct.
// Answers that tie for most frequent share the chance equally. An empty answer is a sample without an answer: it takes a
// place and has no vote. It is NaN where that is undefined (k < 1, k > n) and for more than 1,000 answers.
//
// For each correct answer with m samples and each number t of its votes, the draws are counted in which every other answer has at
// most t votes, j of them exactly t; such a draw counts 1/(j+1).
func MajAtK(answers []string, k int, correct func(answer string) bool) float64 {
	n := len(answers)
	if k < 1 || k > n || n > maxVotes {
		return math.NaN()
	}
	size := map[string]int{}
	for _, a := range answers {
		size[a]++
	}
	blank := size[""]
	delete(size, "")
	names := slices.Sorted(maps.Keys(size))
	won := 0.0
	for _, a := range names {
		if !correct(a) {
			continue
		}
		var others []int
		for _, b := range names {
			if b != a {
				others = append(others, size[b])
			}
		}
		for t := 1; t <= min(k, size[a]); t++ {
			for ties, draws := range countDraws(others, blank, k-t, t) {
				won += choose(size[a], t) * draws / float64(ties+1)
			}
		}
	}
	return won / choose(n, k)
}

// countDraws gives, for each number of ties, how many draws of `places` samples from the groups (and `blank` ones without a vote)
// take at most t of each group and exactly t of that many groups.
func countDraws(groups []int, blank, places, t int) []float64 {
	maxTies := places / t
	ways := make([][]float64, maxTies+1) // ways[ties][drawn]
	for i := range ways {
		ways[i] = make([]float64, places+1)
	}
	ways[0][0] = 1
	for _, size := range groups {
		next := make([][]float64, len(ways))
		for i := range next {
			next[i] = make([]float64, places+1)
		}
		for take := 0; take <= min(t, size, places); take++ {
			c, tie := choose(size, take), 0
			if take == t {
				tie = 1
			}
			for ties := 0; ties+tie <= maxTies; ties++ {
				for drawn := 0; drawn+take <= places; drawn++ {
					next[ties+tie][drawn+take] += c * ways[ties][drawn]
				}
			}
		}
		ways = next
	}
	out := make([]float64, maxTies+1)
	for ties := range out {
		for drawn, w := range ways[ties] {
			out[ties] += w * choose(blank, places-drawn)
		}
	}
	return out
}

// choose is the binomial coefficient; 0 for k outside [0, n].
func choose(n, k int) float64 {
	if k < 0 || k > n {
		return 0
	}
	k = min(k, n-k)
	c := 1.0
	for i := 1; i <= k; i++ {
		c = c * float64(n-k+i) / float64(i)
	}
	return c
}
