package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// at does something when an activity begins for the nth time, from 1 on.
func (w *world) at(name string, n int, do func()) {
	count := 0
	old := w.began
	w.began = func(started string) {
		if old != nil {
			old(started)
		}
		if started == name {
			if count++; count == n {
				do()
			}
		}
	}
	w.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		w.began(info.ActivityType.Name)
	})
}

// answer is what came of an update.
type answer struct {
	said string
	err  error // of a refusal too
	done bool
}

// ask sends an update to the workflow under test.
func (w *world) ask(name string, in contract.Control) *answer {
	a := &answer{}
	w.updates++
	w.env.UpdateWorkflow(name, fmt.Sprintf("update-%d", w.updates), &testsuite.TestUpdateCallback{
		OnAccept: func() {},
		OnReject: func(err error) { a.err, a.done = err, true },
		OnComplete: func(out any, err error) {
			a.err, a.done = err, true
			if err == nil {
				a.said, _ = out.(string)
			}
		}}, in)
	return a
}

func (w *world) metrics(n int) []contract.Metrics {
	w.t.Helper()
	v, err := w.env.QueryWorkflow(contract.QueryMetrics, n)
	require.NoError(w.t, err)
	var out []contract.Metrics
	require.NoError(w.t, v.Get(&out))
	return out
}

func TestSetHoldsFromTheNextRound(t *testing.T) {
	w := newWorld(t)
	values := pipelines.Tuning{"lr": 1e-4, "temperature": 0.5}
	var a *answer
	w.at(contract.Rollout, 2, func() { a = w.ask(contract.UpdateSet, contract.Control{Values: values, Who: "ann", Why: "too slow"}) })
	out, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.NoError(t, a.err)
	require.Equal(t, "stage probe: lr 0.0001, temperature 0.5 after round 2 of 5", a.said)

	rollouts, updates := inputs[contract.RolloutInput](w, contract.Rollout), inputs[contract.PolicyInput](w, contract.UpdatePolicy)
	rounds := logged(w)
	for n := range 5 {
		want := values
		if n < 2 { // round 2 was under way
			want = nil
		}
		require.Equal(t, want, rollouts[n].Tuning, n)
		require.Equal(t, want, updates[n].Step.Tuning, n)
		require.Equal(t, want, rounds[n].Tuning, n)
	}
	interventions := []contract.Intervention{{Do: "set", Values: values, After: 2, Who: "ann", Why: "too slow"}}
	require.Equal(t, interventions, out.Interventions)
	require.Equal(t, interventions, inputs[contract.StateInput](w, contract.ExportModel)[0].Stage.Interventions, "the model's lineage says so")
	require.Equal(t, interventions, inputs[contract.RememberInput](w, contract.RememberStage)[0].Stage.Interventions)
	require.Contains(t, out.Summary, ", lr 0.0001, temperature 0.5 set by hand after round 2")
	require.Contains(t, w.details(), "set by hand: lr 0.0001, temperature 0.5")
	require.Equal(t, values, w.progress().Tuning)

	last := inputs[contract.StateInput](w, contract.SaveState)[2].Checkpoint
	require.Equal(t, "key-probe", last.Key)
	require.Equal(t, 5, last.Resume.Count())
	require.Equal(t, &contract.Controlled{Tuning: values, Interventions: interventions}, last.Resume.Control)
	first := inputs[contract.StateInput](w, contract.SaveState)[0].Checkpoint
	require.Equal(t, 2, first.Resume.Count())
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		stage, do string
		at        string
		n         int
		in        contract.Control
		want      string
	}{
		{"probe", "set", contract.Rollout, 1, contract.Control{}, `values: name what to set, such as {"values": {"lr": 0.0001}}; of a stage of kind rl: lr, kl_coef, entropy_coef, temperature`},
		{"probe", "set", contract.Rollout, 1, contract.Control{Values: pipelines.Tuning{"lr": 7}}, "lr: must be at most 1, is 7"},
		{"probe", "set", contract.Rollout, 1, contract.Control{Values: pipelines.Tuning{"learning_rate": 7}}, "learning_rate: is nothing that can be changed while a stage of kind rl runs"},
		{"probe", "set", contract.Rollout, 1, contract.Control{Stage: "sft", Values: pipelines.Tuning{"lr": 1}}, "stage: this is probe, not sft"},
		{"probe", "set", contract.Rollout, 5, contract.Control{Values: pipelines.Tuning{"lr": 1}}, "the last iteration (round 5 of 5) is under way"},
		{"probe", "stop", contract.Rollout, 5, contract.Control{}, "the last iteration (round 5 of 5) is under way"},
		{"probe", "resume", contract.Rollout, 1, contract.Control{}, "stage probe is not paused"},
		{"curate", "pause", contract.CurateData, 1, contract.Control{}, "stage curate (curate) does its work in one step: there is no iteration to pause after"},
		{"curate", "set", contract.CurateData, 1, contract.Control{Values: pipelines.Tuning{"lr": 1}}, "lr: stage curate is of kind curate, of which nothing can be changed while it runs"},
		{"evaluate", "stop", contract.EvaluateModel, 1, contract.Control{}, "stage evaluate (evaluate) has nothing to keep before its end"},
		{"evaluate", "set", contract.EvaluateModel, 1, contract.Control{}, "stage evaluate is of kind evaluate, of which nothing can be changed while it runs"},
	} {
		t.Run(c.stage+" "+c.do+" "+c.want, func(t *testing.T) {
			w := newWorld(t)
			var a *answer
			w.at(c.at, c.n, func() { a = w.ask(c.do, c.in) })
			out, err := w.stage(alone(t, parse(t, small), c.stage))
			require.NoError(t, err)
			require.ErrorContains(t, a.err, c.want)
			require.Empty(t, out.Interventions, "what is refused changes nothing")
		})
	}
}

func TestPauseHoldsBetweenRounds(t *testing.T) {
	w := newWorld(t)
	var paused, resumed *answer
	w.at(contract.Rollout, 2, func() { paused = w.ask(contract.UpdatePause, contract.Control{}) })
	var held contract.Progress
	details := ""
	w.env.RegisterDelayedCallback(func() {
		held, details = w.progress(), w.details()
		require.Len(t, inputs[contract.RolloutInput](w, contract.Rollout), 2)
		resumed = w.ask(contract.UpdateResume, contract.Control{})
	}, 5*time.Hour)
	out, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.Equal(t, "stage probe pauses after round 2 of 5", paused.said)
	require.Equal(t, "stage probe goes on after round 2 of 5", resumed.said)
	require.True(t, held.Paused)
	require.Equal(t, 2, held.Done)
	require.Contains(t, details, "**paused** after round 2 of 5")
	require.Equal(t, 5.0, out.Numbers["rounds"])
	require.Empty(t, out.Interventions, "a pause changes no result")
	require.NotContains(t, w.details(), "**paused**")
}

func TestStopKeepsWhatThereIs(t *testing.T) {
	for _, c := range []struct {
		stage, activity string
		n               int
		done            int
		numbers         map[string]float64
		summary         string
	}{
		{"probe", contract.Rollout, 2, 2, map[string]float64{"rounds": 2, "demonstrations": 3, "first_reward": 0.125, "last_reward": 0.25, "samples": 64, "params": 11,
			"sampling_seconds": 1, "training_seconds": 0.5, "rounds_seconds": 0},
			"2 rounds, reward 0.125 → 0.250, 3 demonstrations, stopped by hand after round 2"},
		{"sft", contract.TrainDemos, 2, 4, map[string]float64{"steps": 4, "loss": 0.25, "params": 11}, "4 steps, loss 0.250, stopped by hand after step 4"},
		{"student", contract.TrainDemos, 1, 2, map[string]float64{"teacher_samples": 4, "teacher_correct": 0.5, "loss": 0.5, "params": 11},
			"2 steps on the teacher's samples, 0 on-policy rounds, divergence 0.0000, stopped by hand after step 2"},
		{"student", contract.DistillRound, 4, 7, map[string]float64{"teacher_samples": 4, "teacher_correct": 0.5, "loss": 1.0 / 3, "divergence": 0.25, "params": 11},
			"3 steps on the teacher's samples, 4 on-policy rounds, divergence 0.2500, stopped by hand after step 7"},
	} {
		t.Run(fmt.Sprintf("%s %d", c.stage, c.done), func(t *testing.T) {
			w := newWorld(t)
			w.at(c.activity, c.n, func() { w.ask(contract.UpdateStop, contract.Control{}) })
			out, err := w.stage(alone(t, parse(t, small), c.stage))
			require.NoError(t, err)
			require.Equal(t, c.numbers, out.Numbers)
			require.Equal(t, c.summary, out.Summary)
			require.Equal(t, []contract.Intervention{{Do: "stop", After: c.done}}, out.Interventions)
			require.Equal(t, ref("model", c.stage), out.Outputs[pipelines.ModelOutput])
			require.Equal(t, out.Interventions, inputs[contract.RememberInput](w, contract.RememberStage)[0].Stage.Interventions)
		})
	}
}

func TestStopEndsAPause(t *testing.T) {
	w := newWorld(t)
	w.at(contract.Rollout, 1, func() { w.ask(contract.UpdatePause, contract.Control{}) })
	w.env.RegisterDelayedCallback(func() { w.ask(contract.UpdateStop, contract.Control{}) }, time.Hour)
	out, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.Equal(t, 1.0, out.Numbers["rounds"])
}

// A stage that was stopped before its first iteration does that one: there must be something to keep.
func TestStopBeforeTheFirstRound(t *testing.T) {
	w := newWorld(t)
	w.at(contract.RecallStage, 1, func() { w.ask(contract.UpdateStop, contract.Control{}) })
	out, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.Equal(t, 1.0, out.Numbers["rounds"])
}

func TestSetReachesSpansAndRoundsOfDistillation(t *testing.T) {
	w := newWorld(t)
	w.at(contract.TrainDemos, 1, func() { w.ask(contract.UpdateSet, contract.Control{Values: pipelines.Tuning{"lr": 0.5}}) })
	w.at(contract.DistillRound, 3, func() { w.ask(contract.UpdateSet, contract.Control{Values: pipelines.Tuning{"on_policy_lr": 0.25}}) })
	_, err := w.stage(alone(t, parse(t, small), "student"))
	require.NoError(t, err)
	spans := inputs[contract.TrainInput](w, contract.TrainDemos)
	require.Equal(t, contract.Span{From: 0, To: 2}, spans[0].Span)
	require.Equal(t, contract.Span{From: 2, To: 3, Tuning: pipelines.Tuning{"lr": 0.5}}, spans[1].Span)
	rounds := inputs[contract.DistillInput](w, contract.DistillRound)
	require.Equal(t, pipelines.Tuning{"lr": 0.5}, rounds[2].Tuning)
	require.Equal(t, pipelines.Tuning{"lr": 0.5, "on_policy_lr": 0.25}, rounds[3].Tuning)
}

// What was asked of a stage holds in the workflow that continues it.
func TestControlContinuesAsNew(t *testing.T) {
	w := newWorld(t)
	w.env.SetContinueAsNewSuggested(true)
	values := pipelines.Tuning{"entropy_coef": 0.5}
	w.at(contract.Rollout, 1, func() {
		w.ask(contract.UpdateSet, contract.Control{Values: values})
		w.ask(contract.UpdatePause, contract.Control{})
	})
	_, err := w.stage(alone(t, parse(t, small), "probe"))
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(err, &again), "%v", err)
	var next contract.StageInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	require.Equal(t, &contract.Controlled{Tuning: values, Paused: true, Interventions: []contract.Intervention{{Do: "set", Values: values, After: 1}}}, next.Resume.Control)

	w = newWorld(t)
	w.env.RegisterDelayedCallback(func() {
		require.Empty(t, inputs[contract.RolloutInput](w, contract.Rollout), "it is still paused")
		w.ask(contract.UpdateResume, contract.Control{})
	}, time.Hour)
	out, err := w.stage(next)
	require.NoError(t, err)
	require.Equal(t, values, inputs[contract.RolloutInput](w, contract.Rollout)[0].Tuning)
	require.Len(t, out.Interventions, 1)
}

// A stage that an earlier run has begun goes on from its last snapshot, and ends as if one run had done it.
func TestGoesOnFromACheckpoint(t *testing.T) {
	p := parse(t, small)
	for _, c := range []struct {
		stage string
		save  string
		nth   int // of the activities that save
		begun func(call any) contract.Resume
	}{
		{"probe", contract.SaveState, 0, savedState},
		{"sft", contract.TrainDemos, 1, savedSpan},
		{"student", contract.TrainDemos, 0, savedSpan},
		{"student", contract.SaveState, 0, savedState},
	} {
		t.Run(c.stage+" "+c.save, func(t *testing.T) {
			through := newWorld(t)
			want, err := through.stage(alone(t, p, c.stage))
			require.NoError(t, err)
			var calls []int
			for i, call := range through.calls {
				if call.name == c.save {
					calls = append(calls, i)
				}
			}
			saved := calls[c.nth]
			resume := c.begun(through.calls[saved].input)
			resume.Note = "goes on from state/x"

			w := newWorld(t)
			fake(w, contract.RecallStage, func(string) contract.Recalled { return contract.Recalled{Resume: &resume} })
			got, err := w.stage(alone(t, p, c.stage))
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Contains(t, w.details(), "goes on from state/x")
			rest := w.calls[1:]
			if c.stage == "sft" {
				require.Equal(t, contract.PlanDemos, rest[0].name)
				rest = rest[1:]
			}
			require.Equal(t, names(through.calls[saved+1:]), names(rest), "nothing is done again")
		})
	}
}

func savedState(call any) contract.Resume {
	in := call.(contract.StateInput)
	r := in.Checkpoint.Resume
	r.State = contract.State{Snapshot: ref("state", "saved-"+in.State.Key), Key: in.State.Key, Step: in.State.Step}
	return r
}

func savedSpan(call any) contract.Resume {
	in := call.(contract.TrainInput)
	r := in.Checkpoint.Resume
	r.Done, r.Numbers = in.Span.To, merge(r.Numbers, map[string]float64{"loss": 1 / float64(in.Span.To)})
	r.State = contract.State{Snapshot: ref("state", fmt.Sprintf("step-%d", in.Span.To)), Key: fmt.Sprintf("k%d", in.Span.To), Step: in.Span.To}
	return r
}

func names(calls []called) (out []string) {
	for _, c := range calls {
		out = append(out, c.name)
	}
	return out
}

// A result that the bucket remembers is not taken by a stage that was asked for another one meanwhile.
func TestSetWhileLookingIntoTheBucket(t *testing.T) {
	w := newWorld(t)
	fake(w, contract.RecallStage, func(string) contract.Recalled {
		return contract.Recalled{Found: true, Stage: contract.StageOut{Outputs: map[string]artifact.Ref{}}}
	})
	w.at(contract.RecallStage, 1, func() { w.ask(contract.UpdateSet, contract.Control{Values: pipelines.Tuning{"lr": 1e-4}}) })
	out, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.False(t, out.Skipped)
	require.Equal(t, pipelines.Tuning{"lr": 1e-4}, inputs[contract.RolloutInput](w, contract.Rollout)[0].Tuning)
}

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	_, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.Equal(t, []contract.Metrics{{Iteration: 4, Values: map[string]float64{"reward": 0.5, "solved": 0.25, "entropy": 2.25}},
		{Iteration: 5, Values: map[string]float64{"reward": 0.625, "solved": 0.25, "entropy": 2}}}, w.metrics(2))
	require.Len(t, w.metrics(0), 5)
	_, err = w.env.QueryWorkflow(contract.QueryMetrics, -1)
	require.ErrorContains(t, err, "want a number of at least 1")

	w = newWorld(t)
	_, err = w.stage(alone(t, parse(t, small), "student"))
	require.NoError(t, err)
	require.Equal(t, []contract.Metrics{{Iteration: 14, Values: map[string]float64{"divergence": 1.0 / 11}}}, w.metrics(1))
}

// A signal, by which runs and resets reach a stage, does what an update does; what cannot be done is noted.
func TestSignalled(t *testing.T) {
	w := newWorld(t)
	w.at(contract.Rollout, 1, func() {
		w.env.SignalWorkflow(contract.SignalControl, contract.Control{Do: "set", Values: pipelines.Tuning{"lr": 1e-4}})
		w.env.SignalWorkflow(contract.SignalControl, contract.Control{Do: "set", Values: pipelines.Tuning{"lr": 9}})
	})
	_, err := w.stage(alone(t, parse(t, small), "probe"))
	require.NoError(t, err)
	require.Equal(t, pipelines.Tuning{"lr": 1e-4}, inputs[contract.RolloutInput](w, contract.Rollout)[1].Tuning)
	require.Contains(t, w.details(), "**ignored** set: lr: must be at most 1, is 9")
	require.Equal(t, 1, strings.Count(w.details(), "**ignored**"))
}
