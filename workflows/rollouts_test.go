package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"temper/activities/contract"
	"temper/artifact"
)

func TestRoundsInShards(t *testing.T) {
	w := newWorld(t)
	_, err := w.stage(alone(t, parse(t, small, "stages.probe.shards=3", "stages.probe.rounds=2"), "probe"))
	require.NoError(t, err)
	require.Empty(t, inputs[contract.RolloutInput](w, contract.Rollout))
	shards := inputs[contract.RolloutInput](w, contract.SampleShard)
	require.Len(t, shards, 6)
	var spans []contract.Span
	for _, s := range shards[:3] {
		require.Equal(t, ref("model", "sft"), s.State.Policy, "the first round samples with the model that the stage starts from")
		spans = append(spans, *s.Shard)
	}
	require.ElementsMatch(t, []contract.Span{{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 4}}, spans, "four prompts")
	gathered := inputs[contract.GatherInput](w, contract.GatherRollouts)
	require.Len(t, gathered, 2)
	require.Equal(t, []artifact.Ref{ref("shard", "scored-samples-1-0"), ref("shard", "scored-samples-1-1"), ref("shard", "scored-samples-1-2")}, gathered[1].Shards,
		"in the order of the prompts, whoever was first")
	for i, u := range inputs[contract.PolicyInput](w, contract.UpdatePolicy) {
		require.True(t, u.Publish)
		require.Equal(t, ref("rollouts", []string{"gathered-0", "gathered-1"}[i]), u.Step.Rollouts)
	}
}

func TestRoundsAhead(t *testing.T) {
	w := newWorld(t)
	_, err := w.stage(alone(t, parse(t, small, "stages.probe.ahead=1", "stages.probe.override.off_policy={correction: token_truncate}", "stages.probe.rounds=3"), "probe"))
	require.NoError(t, err)
	rollouts, updates := inputs[contract.RolloutInput](w, contract.Rollout), inputs[contract.PolicyInput](w, contract.UpdatePolicy)
	require.Len(t, rollouts, 3, "none after the last round")
	require.Len(t, updates, 3)
	require.Equal(t, updates[0].State, rollouts[0].State)
	require.Equal(t, updates[0].State, rollouts[1].State, "the second round is sampled with the policy that the first one trains")
	require.Equal(t, updates[1].State, rollouts[2].State)
	for n, u := range updates {
		require.Equal(t, n, u.Step.Round)
		require.True(t, u.Publish)
	}
}

// TestWorkGoesWhereItsStateIs, and elsewhere when the worker that holds it does not come.
func TestWorkGoesWhereItsStateIs(t *testing.T) {
	const home = contract.QueueGPU + "/machine/1"
	w := newWorld(t)
	w.home = home
	_, err := w.stage(alone(t, parse(t, small, "stages.probe.rounds=2"), "probe"))
	require.NoError(t, err)
	queues := func(w *world) (out []string) {
		for _, c := range w.calls {
			if c.name == contract.Rollout || c.name == contract.UpdatePolicy {
				out = append(out, c.queue)
			}
		}
		return out
	}
	require.Equal(t, []string{contract.QueueGPU, contract.QueueGPU, home, home}, queues(w))

	w = newWorld(t)
	w.home = home
	w.away = temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)
	_, err = w.stage(alone(t, parse(t, small, "stages.probe.rounds=2"), "probe"))
	require.NoError(t, err)
	require.Equal(t, []string{contract.QueueGPU, contract.QueueGPU, home, contract.QueueGPU, home, contract.QueueGPU}, queues(w))
}

// TestASnapshotIsDueByTime too.
func TestASnapshotIsDueByTime(t *testing.T) {
	w := newWorld(t)
	w.env.OnActivity(contract.UpdatePolicy, mock.Anything, mock.Anything).After(40 * time.Second).Return(func(_ context.Context, in contract.PolicyInput) (contract.PolicyOutput, error) {
		in.State.Step++
		return contract.PolicyOutput{State: in.State}, nil
	})
	_, err := w.stage(alone(t, parse(t, small, "stages.probe.rounds=6", "stages.probe.save_every=100", "stages.probe.save_seconds=60"), "probe"))
	require.NoError(t, err)
	var saved []int
	for _, s := range inputs[contract.StateInput](w, contract.SaveState) {
		saved = append(saved, s.State.Step)
	}
	require.Equal(t, []int{2, 4, 6}, saved, "every second round of 40 seconds")
}
