package activities

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
)

// TestShardsAreAnybodysWork: a round in shards is the same whether the worker that holds the state does them all, or workers that only have its
// published parameters do one each; and in one shard it is what Rollout makes.
func TestShardsAreAnybodysWork(t *testing.T) {
	for name, set := range map[string][]string{"parameters": nil, "adapter": {"stages.probe.lora={rank: 2, targets: [q_proj, down_proj]}"}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, append(set, "stages.probe.shards=3")...)
			stage := l.stage("probe")
			trainer := newWorker(t, l.store)
			_, update := round(l, trainer, stage, start(l.out["base"]["model"]), 0)
			require.True(t, update.State.Policy.IsZero(), "nobody asked for it")
			published := done(l, newWorker(t, l.store), (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: start(l.out["base"]["model"]),
				Step: *update.State.Log[0].Policy, Publish: true})
			state := published.State
			require.Equal(t, kindPolicy, state.Policy.Kind)

			inShards := func(n int, worker func() *Activities) contract.RolloutOutput {
				gather := contract.GatherInput{Stage: stage, State: state, Round: 1}
				for i := range n {
					ref := done(l, worker(), (*Activities).sampleShard, contract.RolloutInput{Stage: stage, State: state, Round: 1, Shard: &contract.Span{From: i * 3 / n, To: (i + 1) * 3 / n}})
					ref, err := worker().scoreShard(l.ctx, contract.ScoreInput{Stage: stage, Samples: ref})
					require.NoError(t, err)
					gather.Shards = append(gather.Shards, ref)
				}
				out, err := l.a.gatherRollouts(l.ctx, gather)
				require.NoError(t, err)
				return out
			}
			all := inShards(3, func() *Activities { return trainer })
			one := func() *Activities {
				a := newWorker(t, l.store)
				t.Cleanup(func() { require.Empty(t, a.residents.byKey, "the published parameters are enough") })
				return a
			}
			require.Equal(t, all, inShards(3, one))

			whole := done(l, trainer, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: state, Round: 1})
			single := inShards(1, one)
			require.Equal(t, whole.Rollouts.Content, single.Rollouts.Content)
			whole.Seconds, whole.Rollouts, single.Rollouts = 0, artifact.Ref{}, artifact.Ref{}
			require.Equal(t, whole, single, "what the round was worth, too")

			_, err := l.a.gatherRollouts(l.ctx, contract.GatherInput{Stage: stage, State: state, Round: 2, Shards: []artifact.Ref{all.Rollouts}})
			require.ErrorContains(t, err, "shard 0 of round 2 is of round 1")
		})
	}
}

// TestCorrectionOfAnOlderPolicy: samples of the policy itself are hardly weighed, those of an older one are, and the ratio is taken against the
// policy before the update.
func TestCorrectionOfAnOlderPolicy(t *testing.T) {
	l := newLab(t, "stages.probe.override.off_policy={correction: token_truncate}", "stages.probe.lr=0.05")
	stage := l.stage("probe")
	a := newWorker(t, l.store)
	old := start(l.out["base"]["model"])
	samples := done(l, a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: old})
	step := contract.PolicyStep{Rollouts: samples.Rollouts}
	own := done(l, a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: old, Step: step})
	require.InDelta(t, 1, own.Metrics["off_policy_weight"], 1e-4)
	require.InDelta(t, 0, own.Metrics["sampler_log_prob_gap"], 1e-4)

	plain := newLab(t, "stages.probe.lr=0.05")
	without := done(plain, newWorker(t, l.store), (*Activities).updatePolicy, contract.PolicyInput{Stage: plain.stage("probe"), State: old, Step: step})
	require.InDelta(t, without.Norm, own.Norm, 1e-3*without.Norm, "with fresh samples the correction changes next to nothing")

	step.Round = 1
	later := done(l, a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: own.State, Step: step})
	require.Greater(t, later.Metrics["sampler_log_prob_gap"], 0.01, "the policy has moved since it sampled")
	require.Greater(t, math.Abs(later.Metrics["off_policy_weight"]-1), 1e-3)
	require.LessOrEqual(t, later.Metrics["off_policy_weight"], 2.0)
}
