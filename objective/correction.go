package objective

import "math"

// Correction makes up for tokens that were sampled by another policy than the one that an update starts from: an older one, or the same one in
// another arithmetic. With d_t = log π(y_t) − log μ(y_t), where π is the policy before the update and μ the one that sampled, a token's advantage is
// multiplied with
//
//	token_truncate: w_t = min(C, exp d_t)                                (truncated importance sampling, Ionides 2008; TIS in verl and OpenRLHF)
//	sequence_mask:  w_t = min(C, exp d_t) where 1/C ≤ exp(mean_t d_t) ≤ C, else 0   (whole sequences that π would hardly sample are left out)
//
// and the ratio of the loss is then taken against π instead of μ (decoupled PPO, Hilton et al. 2022, arXiv 2110.00641).
type Correction struct {
	Kind  string // token_truncate or sequence_mask
	Bound float64
}

// Weights are the w_t of one sequence, from the log-probabilities of its tokens.
func (c Correction) Weights(policy, sampler []float32) []float64 {
	out := make([]float64, len(policy))
	mean := 0.0
	for i := range policy {
		d := float64(policy[i]) - float64(sampler[i])
		mean += d / float64(len(policy))
		out[i] = math.Min(c.Bound, math.Exp(d))
	}
	if bound := math.Log(c.Bound); c.Kind == "sequence_mask" && math.Abs(mean) > bound {
		clear(out)
	}
	return out
}
