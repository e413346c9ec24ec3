package objective

import "math"

// AdvantageRule turns the rewards of a group of samples of one prompt into advantages.
//
//	baseline group_mean:  A_i = r_i − mean(r)                         (GRPO, arXiv 2402.03300; Dr. GRPO, arXiv 2503.20783)
//	baseline rloo:        A_i = r_i − mean of the others              (Ahmadian et al. 2024, arXiv 2402.14740)
//	baseline none:        A_i = r_i
//	scale group_std:      A_i / (std(r) + 1e-4), std with n−1          (as TRL computes GRPO)
//	scale batch_std:      A_i / (std of all rewards of the batch + 1e-4)  (Lite PPO, arXiv 2508.08221)
//	signs:                positive advantages × Positive, negative × Negative (PSR/NSR, arXiv 2506.01347)
type AdvantageRule struct {
	Baseline, Scale    string
	Positive, Negative float64
}

const stdFloor = 1e-4

// Compute returns advantages [groups][samples] for rewards of the same shape.
func (a AdvantageRule) Compute(rewards [][]float64) [][]float64 {
	var all []float64
	for _, g := range rewards {
		all = append(all, g...)
	}
	batchStd := standardDeviation(all)
	out := make([][]float64, len(rewards))
	for i, group := range rewards {
		mean, std := average(group), standardDeviation(group)
		out[i] = make([]float64, len(group))
		for j, r := range group {
			v := r
			switch {
			case a.Baseline == "group_mean":
				v = r - mean
			case a.Baseline == "rloo" && len(group) > 1:
				v = r - (mean*float64(len(group))-r)/float64(len(group)-1)
			}
			switch a.Scale {
			case "group_std":
				v /= std + stdFloor
			case "batch_std":
				v /= batchStd + stdFloor
			}
			if v > 0 {
				v *= a.Positive
			} else {
				v *= a.Negative
			}
			out[i][j] = v
		}
	}
	return out
}

func average(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	var total float64
	for _, v := range x {
		total += v
	}
	return total / float64(len(x))
}

// standardDeviation uses n−1 (Bessel); it is 0 for fewer than two values.
func standardDeviation(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	mean, total := average(x), 0.0
	for _, v := range x {
		total += (v - mean) * (v - mean)
	}
	return math.Sqrt(total / float64(len(x)-1))
}
