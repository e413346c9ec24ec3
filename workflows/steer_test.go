package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"temper/activities/contract"
	"temper/pipelines"
)

func TestRunPausesAndResumes(t *testing.T) {
	w := newWorld(t)
	var paused, resumed, again *answer
	w.at(contract.Rollout, 2, func() { paused = w.ask(contract.UpdatePause, contract.Control{}) })
	w.env.RegisterDelayedCallback(func() {
		require.Len(t, inputs[contract.RolloutInput](w, contract.Rollout), 2, "the stage under way is held")
		require.True(t, w.progress().Paused)
		require.Contains(t, w.details(), "**paused**: no further stage starts")
		resumed = w.ask(contract.UpdateResume, contract.Control{})
	}, time.Hour)
	w.at(contract.WriteReport, 1, func() { again = w.ask(contract.UpdateResume, contract.Control{}) })
	out, err := w.pipeline(gated(t))
	require.NoError(t, err)
	require.Equal(t, "no further stage starts; pause: probe", paused.said)
	require.Equal(t, "stages start again; resume: probe", resumed.said)
	require.ErrorContains(t, again.err, "is not paused")
	require.Len(t, out.Stages, 9)
	require.Empty(t, out.Stages["probe"].Interventions)
}

func TestPausedRunStartsNoStage(t *testing.T) {
	w := newWorld(t)
	w.at(contract.CurateData, 1, func() { w.ask(contract.UpdatePause, contract.Control{}) })
	w.env.RegisterDelayedCallback(func() {
		require.Len(t, inputs[contract.CurateInput](w, contract.CurateData), 1)
		require.NotContains(t, w.names(), contract.WriteProblems)
		w.ask(contract.UpdateResume, contract.Control{})
	}, time.Hour)
	_, err := w.pipeline(gated(t))
	require.NoError(t, err)
}

func TestRunForwardsToTheStage(t *testing.T) {
	w := newWorld(t)
	values := pipelines.Tuning{"lr": 1e-4}
	var set, wrong, elsewhere, unknown *answer
	w.at(contract.Rollout, 2, func() {
		set = w.ask(contract.UpdateSet, contract.Control{Values: values})
		wrong = w.ask(contract.UpdateSet, contract.Control{Values: pipelines.Tuning{"lr": 5}})
		elsewhere = w.ask(contract.UpdateSet, contract.Control{Stage: "student", Values: values})
		unknown = w.ask(contract.UpdateStop, contract.Control{Stage: "probbe"})
	})
	w.at(contract.Rollout, 4, func() { w.ask(contract.UpdateStop, contract.Control{Stage: "probe"}) })
	out, err := w.pipeline(gated(t))
	require.NoError(t, err)
	require.NoError(t, set.err)
	require.Equal(t, "told stage probe: set lr 0.0001, after the iteration under way", set.said)
	require.ErrorContains(t, wrong.err, "lr: must be at most 1, is 5")
	require.ErrorContains(t, elsewhere.err, "stage student is not running: waiting")
	require.ErrorContains(t, unknown.err, `the run has no stage "probbe"`)
	rollouts := inputs[contract.RolloutInput](w, contract.Rollout)
	require.Len(t, rollouts, 4, "it was stopped")
	require.Equal(t, values, rollouts[3].Tuning)
	require.Len(t, out.Stages["probe"].Interventions, 2)
	require.Equal(t, 4.0, out.Stages["probe"].Numbers["rounds"], "the run goes on with what there was")
	require.Len(t, out.Stages, 9)
}

func TestNothingToForwardTo(t *testing.T) {
	w := newWorld(t)
	var curating, writing *answer
	w.at(contract.CurateData, 1, func() { curating = w.ask(contract.UpdateSet, contract.Control{Values: pipelines.Tuning{"lr": 1e-4}}) })
	w.at(contract.WriteReport, 1, func() { writing = w.ask(contract.UpdateStop, contract.Control{}) })
	_, err := w.pipeline(gated(t))
	require.NoError(t, err)
	require.ErrorContains(t, curating.err, "lr: stage curate is of kind curate, of which nothing can be changed while it runs")
	require.ErrorContains(t, writing.err, "no stage is running")
}

// Each occurrence of a schedule has its own seed and problems, and is the same again when it is done again.
func TestOccurrences(t *testing.T) {
	at := func(scheduled time.Time, in contract.PipelineInput) (seed uint64, task uint64) {
		w := newWorld(t)
		if !scheduled.IsZero() {
			require.NoError(t, w.env.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(scheduledFor.ValueSet(scheduled))))
		}
		_, err := w.pipeline(in)
		require.NoError(t, err)
		prepared := inputs[contract.PrepareInput](w, contract.PrepareTasks)[0]
		require.EqualValues(t, 4, prepared.Tasks["held"].Seed, "what does not vary stays")
		return inputs[contract.RolloutInput](w, contract.Rollout)[0].Stage.Seed, prepared.Tasks["pool"].Seed
	}
	nightly := gated(t, "tasks.pool.vary=true")
	nightly.Period = 86400
	first := time.Date(2026, 1, 31, 1, 0, 0, 0, time.UTC)
	seed, pool := at(first, nightly)
	sameSeed, samePool := at(first.Add(3*time.Hour), nightly)
	require.Equal(t, []uint64{seed, pool}, []uint64{sameSeed, samePool}, "the same night")
	nextSeed, nextPool := at(first.Add(24*time.Hour), nightly)
	require.NotEqual(t, seed, nextSeed)
	require.NotEqual(t, pool, nextPool)
	byHand := nightly
	byHand.Occurrence = uint64(first.Unix() / 86400)
	handSeed, handPool := at(time.Time{}, byHand)
	require.Equal(t, []uint64{seed, pool}, []uint64{handSeed, handPool})
	plainSeed, plainPool := at(time.Time{}, nightly)
	require.Equal(t, []uint64{7, 3}, []uint64{plainSeed, plainPool}, "a run that no schedule started is the pipeline itself")
}
