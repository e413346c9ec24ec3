package eval

import (
	"fmt"
	"math"
	"slices"

	"temper/tasks"
)

// RewardStat is the mean reward of a model on one task set.
type RewardStat struct {
	Mean float64    `json:"mean"` // over problems, of the mean over each problem's samples
	CI95 [2]float64 `json:"ci95"` // percentile bootstrap over problems
	// Deciles are the least of the problems' mean rewards, the tenth part's greatest, and so on to the greatest: 11 values.
	Deciles []float64 `json:"deciles,omitempty"`
	// Parts are the means of the reward's parts by kind; set by the caller.
	Parts map[string]float64 `json:"parts,omitempty"`
	// ByConcept is the mean over the problems of a concept; a problem counts in each of its concepts.
	ByConcept map[string]float64 `json:"by_concept,omitempty"`
}

// SummariseRewards measures rewards: rewards[i][j] is that of sample j of problem i. Samples that could not be scored are left out by
// the caller, and so are, here, values that are not finite and problems without samples. The zero RewardStat says that
// nothing was scored.
func SummariseRewards(problems []tasks.Problem, rewards [][]float64, seed uint64) RewardStat {
	var means []float64
	concepts := map[string][]float64{}
	for i := range min(len(problems), len(rewards)) {
		var scored []float64
		for _, r := range rewards[i] {
			if !math.IsNaN(r) && !math.IsInf(r, 0) {
				scored = append(scored, r)
			}
		}
		if len(scored) == 0 {
			continue
		}
		m := mean(scored)
		means = append(means, m)
		for _, c := range problems[i].Concepts {
			concepts[c] = append(concepts[c], m)
		}
	}
	if len(means) == 0 {
		return RewardStat{}
	}
	out := RewardStat{Mean: mean(means), CI95: Bootstrap(means, seed), Deciles: deciles(means)}
	for c, values := range concepts {
		if out.ByConcept == nil {
			out.ByConcept = map[string]float64{}
		}
		out.ByConcept[c] = mean(values)
	}
	return out
}

func deciles(values []float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, 11)
	for i := range out {
		out[i] = quantile(sorted, float64(i)/10)
	}
	return out
}

// String writes the mean with its interval: "0.731 [0.702–0.760]"; "-" for nil.
func (s *RewardStat) String() string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f [%.3f–%.3f]", s.Mean, s.CI95[0], s.CI95[1])
}
