package activities

import (
	"math"

	"temper/objective"
	"temper/pipelines"
	"temper/train"
)

// correct prepares batches for a policy that is not the one that sampled them: advantages are weighed by objective.Correction, and the
// log-probabilities that the loss takes its ratio against become those of the policy before the update. It returns the metrics of it: the mean
// |sampler's − policy's log-probability| in nats, and the mean weight.
func (e *engine) correct(held *resident, recipe pipelines.Recipe, batches []*train.Batch) (map[string]float64, error) {
	if recipe.OffPolicy.Correction == "none" {
		return nil, nil
	}
	correction := objective.Correction{Kind: recipe.OffPolicy.Correction, Bound: recipe.OffPolicy.Bound}
	params, err := e.trainer.Reading(held.state)
	if err != nil {
		return nil, err
	}
	gap, weight, n := 0.0, 0.0, 0.0
	for _, b := range batches {
		policy, err := e.trainer.LogProbs(held.state.Config, params, recipe.Sampling.Temperature, b)
		if err != nil {
			return nil, err
		}
		sampler, advantage := b.Columns[objective.OldLogProb], b.Columns[objective.Advantage]
		for _, span := range b.TrainedSpans() {
			weights := correction.Weights(policy[span.From:span.To], sampler[span.From:span.To])
			for i, w := range weights {
				at := span.From + i
				gap += math.Abs(float64(policy[at]) - float64(sampler[at]))
				advantage[at] *= float32(w)
				weight += w
			}
			n += float64(len(weights))
			copy(sampler[span.From:span.To], policy[span.From:span.To])
		}
	}
	if n == 0 {
		return nil, nil
	}
	return map[string]float64{"sampler_log_prob_gap": gap / n, "off_policy_weight": weight / n}, nil
}
