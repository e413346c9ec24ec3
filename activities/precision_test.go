package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
)

// A stage that samples in bfloat16 records other log-probabilities than one in float32: here those of rollouts and of an evaluation's responses.
func TestStagesSampleInTheirPrecision(t *testing.T) {
	recorded := func(set ...string) (rollouts string, logProb float64) {
		l := newLab(t, append(set, "stages.solved.max_tokens=8")...)
		in := contract.RolloutInput{Stage: l.stage("probe"), State: start(l.out["base"]["model"])}
		rollouts = done(l, l.a, (*Activities).rollout, in).Rollouts.Content
		done(l, l.a, (*Activities).evaluateModel, contract.EvaluateInput{Stage: l.stage("solved"), Name: "base", Model: l.out["base"]["model"]})
		for e, err := range l.store.List(l.ctx, kindResponses) {
			require.NoError(t, err)
			var part [][]response
			require.NoError(t, l.a.readGzip(l.ctx, e.Ref, responsesFile, &part))
			for _, responses := range part {
				for _, r := range responses {
					logProb += r.LogProb
				}
			}
		}
		require.NotZero(t, logProb)
		return rollouts, logProb
	}
	rollouts, logProb := recorded()
	again, same := recorded("stages.probe.override.sampling.precision=float32", "stages.solved.sampling_precision=float32")
	require.Equal(t, rollouts, again)
	require.InDelta(t, logProb, same, 1e-9)
	half, rounded := recorded("stages.probe.override.sampling.precision=bfloat16", "stages.solved.sampling_precision=bfloat16")
	require.NotEqual(t, rollouts, half)
	require.NotEqual(t, logProb, rounded)
}
