package workflows

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/pipelines"
)

var update = flag.Bool("update", false, "write the golden files")

func TestRLRounds(t *testing.T) {
	w := newWorld(t)
	in := alone(t, parse(t, small), "probe") // relift: 5 rounds, a snapshot every 2, the buffer is full with 3
	out, err := w.stage(in)
	require.NoError(t, err)
	require.Equal(t, []string{
		contract.RecallStage,
		contract.Rollout, contract.UpdatePolicy,
		contract.Rollout, contract.UpdatePolicy, contract.SaveState,
		contract.Rollout, contract.UpdatePolicy,
		contract.Rollout, contract.UpdatePolicy, contract.SaveState,
		contract.Rollout, contract.UpdatePolicy, contract.SaveState,
		contract.ExportModel, contract.WriteLog, contract.RememberStage,
	}, w.names())

	// The fakes leave {r mod 3, 10+r} unsolved in round r, so the buffer fills in every second round; the newest come first.
	rollouts, updates := inputs[contract.RolloutInput](w, contract.Rollout), inputs[contract.PolicyInput](w, contract.UpdatePolicy)
	demos := [][]int{nil, {11, 1, 10}, nil, {13, 0, 12}, nil}
	for n := range 5 {
		require.Equal(t, n, rollouts[n].Round)
		require.Equal(t, rollouts[n].State, updates[n].State, "the update is of the state that sampled")
		require.Equal(t, contract.PolicyStep{Round: n, Rollouts: ref("rollouts", fmt.Sprintf("round-%d", n)), Interleave: demos[n]}, updates[n].Step)
	}
	require.Equal(t, contract.State{Snapshot: ref("model", "sft"), Key: "key-probe/sft"}, rollouts[0].State)
	require.Len(t, rollouts[1].State.Log, 1, "the log goes on until a snapshot")
	require.Equal(t, ref("state", "saved-after-1"), rollouts[2].State.Snapshot)
	require.Empty(t, rollouts[2].State.Log)

	rounds := logged(w)
	require.Len(t, rounds, 5)
	for n, r := range rounds {
		require.Equal(t, contract.Round{Rollouts: ref("rollouts", fmt.Sprintf("round-%d", n)), Reward: float64(n+1) / 8, Solved: 0.25,
			Entropy: 3 - float64(n)/4, Norm: 2, Gap: 0.01, Interleave: demos[n]}, r)
	}
	require.Equal(t, ref("model", "probe"), out.Outputs[pipelines.ModelOutput])
	require.Equal(t, ref("log", "probe"), out.Outputs[pipelines.LogOutput])
	require.Equal(t, map[string]float64{"rounds": 5, "demonstrations": 6, "first_reward": 0.125, "last_reward": 0.625, "samples": 160, "params": 11,
		"sampling_seconds": 5 * 0.5, "training_seconds": 5 * 0.25, "rounds_seconds": out.Numbers["rounds_seconds"]}, out.Numbers)
	require.Equal(t, "5 rounds, reward 0.125 → 0.625, 6 demonstrations", out.Summary)
	remembered := inputs[contract.RememberInput](w, contract.RememberStage)
	require.Equal(t, "key-probe", remembered[0].Key)
	require.Equal(t, out, remembered[0].Stage)
}

// logged are the rounds that the log is made of: all are in the last checkpoint.
func logged(w *world) []contract.Round {
	in := inputs[contract.LogInput](w, contract.WriteLog)[0]
	require.Empty(w.t, in.Rounds)
	return in.Earlier.Last
}

func TestRLRoundsFollowEpochs(t *testing.T) {
	w := newWorld(t)
	_, err := w.stage(alone(t, parse(t, small, "stages.probe.rounds=0", "stages.probe.epochs=1.5"), "probe"))
	require.NoError(t, err)
	require.Len(t, inputs[contract.RolloutInput](w, contract.Rollout), 3, "8 problems 1.5 times, 4 a round")
}

func TestRLWithoutInterleaving(t *testing.T) {
	w := newWorld(t)
	_, err := w.stage(alone(t, parse(t, small, "stages.probe.recipe=grpo"), "probe"))
	require.NoError(t, err)
	for _, u := range inputs[contract.PolicyInput](w, contract.UpdatePolicy) {
		require.Empty(t, u.Step.Interleave)
	}
}

// TestRLContinuesAsNew holds a stage that starts anew after every round equal to one that runs through.
func TestRLContinuesAsNew(t *testing.T) {
	in := alone(t, parse(t, small), "probe")
	through := newWorld(t)
	want, err := through.stage(in)
	require.NoError(t, err)

	var calls []called
	next, runs := in, 0
	for {
		runs++
		require.LessOrEqual(t, runs, 5)
		w := newWorld(t)
		w.env.SetContinueAsNewSuggested(true)
		out, err := w.stage(next)
		calls = append(calls, w.calls...)
		if err == nil {
			require.Equal(t, want, out)
			break
		}
		var again *workflow.ContinueAsNewError
		require.True(t, errors.As(err, &again), "%v", err)
		require.Equal(t, contract.StageWorkflows["rl"], again.WorkflowType.Name)
		next = contract.StageInput{}
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
		require.Equal(t, runs, next.Resume.Count())
		require.Equal(t, runs, w.progress().Done, "the progress goes on")
	}
	require.Equal(t, 5, runs, "the last round ends the stage")
	require.Equal(t, through.calls, calls, "no activity is asked anything else than in one long history")
}

func TestRLProgressAndDetails(t *testing.T) {
	w := newWorld(t)
	var seen []contract.Progress
	w.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == contract.Rollout {
			seen = append(seen, w.progress())
		}
	})
	_, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.Len(t, seen, 5)
	for n, p := range seen {
		require.Equal(t, contract.Progress{Name: "probe", Done: n, Total: 5, Line: p.Line}, p)
		require.Equal(t, n > 0, p.Line != "")
	}
	require.Equal(t, "rounds, reward 0.500, solved 25.0%, entropy 2.250, length 9.0, 6 demonstrations", seen[4].Line)

	const golden = "testdata/rl_details.md"
	got := w.details()
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestRLFails(t *testing.T) {
	for _, name := range []string{contract.RecallStage, contract.Rollout, contract.UpdatePolicy, contract.SaveState, contract.ExportModel, contract.WriteLog, contract.RememberStage} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fails[name] = permanent("broken")
			_, err := w.stage(alone(t, parse(t, small), "probe"))
			require.ErrorContains(t, err, "broken")
			require.Equal(t, name, w.names()[len(w.calls)-1], "nothing is asked after the failure")
			require.Equal(t, 1, len(slices.DeleteFunc(w.names(), func(n string) bool { return n != name })), "a permanent error is not tried again")
		})
	}
}

func TestRLTellsOfUpdatesLeftOut(t *testing.T) {
	left := []contract.LeftOut{{Update: "round 2", Loss: "NaN", Batch: []string{"1+1="}}}
	w := newWorld(t)
	w.leftOut = map[int][]contract.LeftOut{1: left, 2: left, 4: left}
	out, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.Equal(t, "5 rounds, reward 0.125 → 0.625, 6 demonstrations, 3 updates left out (gradient not finite)", out.Summary)
	require.Equal(t, left, logged(w)[1].LeftOut)

	w = newWorld(t)
	w.leftOut = map[int][]contract.LeftOut{1: left, 2: left, 3: left}
	_, err = w.stage(alone(t, parse(t, small), "probe"))
	require.ErrorContains(t, err, "the gradients of 3 rounds in a row are not finite (round 2, loss NaN)")
	require.NotContains(t, w.names(), contract.ExportModel)
}
