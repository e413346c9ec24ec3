package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// LIMR: Less is More for RL Scaling, arXiv 2502.11886: learning impact measurement.
//
//	s_i = 1 − Σ_k (a_{i,k} − ā_k)² / Σ_k (1 − ā_k)²
//
// with a_{i,k} the solve rate of problem i in epoch k of a reinforcement-learning run and ā_k its mean over the problems. A
// problem whose curve follows the average one scores near 1; one that is solved from the start, or never, scores low.
//
// Deviations:
//   - Missing epochs are carried over as far as needed by Fill; the published script looks one epoch back only and drops the rest.
//   - Σ_k (1 − ā_k)² = 0 means that every problem was solved in every epoch: all scores are 1, where the formula has 0/0.

// LIMRKeep is the threshold of the paper's selection (s >= 0.6).
const LIMRKeep = 0.6

// LIMR scores the curves [problems][epochs] of solve rates in [0, 1]; all must have the same length of at least one epoch. Scores
// are finite.
func LIMR(curves [][]float64) ([]float64, error) {
	if len(curves) == 0 || len(curves[0]) == 0 {
		return nil, fmt.Errorf("data: limr: needs at least one problem and one epoch")
	}
	epochs := len(curves[0])
	mean := make([]float64, epochs)
	for i, c := range curves {
		if len(c) != epochs {
			return nil, fmt.Errorf("data: limr: problem %d has %d epochs, problem 0 has %d", i, len(c), epochs)
		}
		for k, a := range c {
			if !(a >= 0 && a <= 1) {
				return nil, fmt.Errorf("data: limr: problem %d, epoch %d: the solve rate must lie in [0, 1], is %v", i, k, a)
			}
			mean[k] += a / float64(len(curves))
		}
	}
	scale := 0.0
	for _, m := range mean {
		scale += (1 - m) * (1 - m)
	}
	scores := make([]float64, len(curves))
	for i, c := range curves {
		distance := 0.0
		for k, a := range c {
			distance += (a - mean[k]) * (a - mean[k])
		}
		if scores[i] = 1 - distance/scale; !finite(scores[i]) || scale < 1e-24 {
			scores[i] = 1
		}
	}
	return scores, nil
}

// Fill makes curves of a log complete: a missing epoch (NaN, or beyond the end of a curve) takes the value of the last epoch
// before it that has one, and of the first after it where there is none before. Problems without any value are left out; kept
// holds the index of each curve in the input.
func Fill(curves [][]float64) (filled [][]float64, kept []int) {
	epochs := 0
	for _, c := range curves {
		epochs = max(epochs, len(c))
	}
	for i, c := range curves {
		first := slices.IndexFunc(c, func(a float64) bool { return !math.IsNaN(a) })
		if first < 0 {
			continue
		}
		out, last := make([]float64, epochs), c[first]
		for k := range out {
			if k < len(c) && !math.IsNaN(c[k]) {
				last = c[k]
			}
			out[k] = last
		}
		filled, kept = append(filled, out), append(kept, i)
	}
	return filled, kept
}

// Keep gives the indices of the scores that reach least, ascending.
func Keep(scores []float64, least float64) []int {
	var out []int
	for i, s := range scores {
		if s >= least {
			out = append(out, i)
		}
	}
	return out
}

// KeepTop gives the indices of the count highest scores, ascending; of equal scores the earlier ones.
func KeepTop(scores []float64, count int) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	order = order[:max(0, min(count, len(order)))]
	slices.Sort(order)
	return order
}

// RandomLike is the control of a selection: min(k, n) of n indices, uniformly without replacement, ascending.
func RandomLike(n, k int, seed uint64) []int {
	out := rand.New(rand.NewPCG(seed, 0x11a7)).Perm(n)[:max(0, min(k, n))]
	slices.Sort(out)
	return out
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
