package activities

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// tunedRound is a round with settings changed by hand.
func tunedRound(l *lab, a *Activities, stage contract.Stage, state contract.State, n int, tuning pipelines.Tuning) (contract.RolloutOutput, contract.PolicyOutput) {
	l.t.Helper()
	samples := done(l, a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: state, Round: n, Tuning: tuning})
	update := done(l, a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: state,
		Step: contract.PolicyStep{Round: n, Rollouts: samples.Rollouts, Tuning: tuning}})
	samples.Seconds, update.Seconds = 0, 0
	return samples, update
}

// TestTunedRoundsReplayToTheSameBits: the log says what was in force at each step, so whoever replays it takes each step with its own.
func TestTunedRoundsReplayToTheSameBits(t *testing.T) {
	l := newLab(t)
	stage := l.stage("probe")
	export := func(a *Activities, s contract.State) artifact.Ref {
		return done(l, a, (*Activities).exportModel, contract.StateInput{Stage: stage, State: s}).Ref
	}
	calm := newWorker(t, l.store)
	_, first := tunedRound(l, calm, stage, start(l.out["base"]["model"]), 0, nil)
	tuning := pipelines.Tuning{"lr": 5e-3, "temperature": 0.5, "entropy_coef": 0.01, "kl_coef": 0.1}
	samples, second := tunedRound(l, calm, stage, first.State, 1, tuning)
	_, third := tunedRound(l, calm, stage, second.State, 2, pipelines.Tuning{"lr": 1e-4})
	want := export(calm, third.State)
	require.Equal(t, tuning, third.State.Log[1].Policy.Tuning)

	require.Equal(t, want, export(newWorker(t, l.store), third.State), "a worker that replays the log arrives at the same bits")
	b := newWorker(t, l.store) // one that replays round 1 to do round 2
	s, u := tunedRound(l, b, stage, first.State, 1, tuning)
	require.Equal(t, samples, s)
	require.Equal(t, second, u)

	plainSamples, plain := tunedRound(l, newWorker(t, l.store), stage, first.State, 1, nil)
	require.NotEqual(t, plainSamples.Rollouts.Content, samples.Rollouts.Content, "the temperature is another")
	require.NotEqual(t, plain.State.Key, second.State.Key, "the log is another")
	for _, name := range []string{"lr", "entropy_coef", "kl_coef"} {
		step := contract.PolicyStep{Round: 1, Rollouts: plainSamples.Rollouts, Tuning: pipelines.Tuning{name: tuning[name]}}
		u := done(l, newWorker(t, l.store), (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: first.State, Step: step})
		require.NotEqual(t, export(l.a, plain.State).Content, export(l.a, u.State).Content, name)
	}
}

func TestTunedSpansAndDistillation(t *testing.T) {
	l := newLab(t)
	tuning := pipelines.Tuning{"lr": 9e-3}
	train := func(a *Activities, span contract.Span) contract.TrainOutput {
		return done(l, a, (*Activities).trainDemos, contract.TrainInput{Stage: l.stage("sft"), State: start(l.out["base"]["model"]), Span: span, Total: 4})
	}
	plain := train(newWorker(t, l.store), contract.Span{To: 2})
	tuned := train(newWorker(t, l.store), contract.Span{To: 2, Tuning: tuning})
	require.NotEqual(t, plain.State.Snapshot.Content, tuned.State.Snapshot.Content)
	require.Equal(t, tuned, train(newWorker(t, l.store), contract.Span{To: 2, Tuning: tuning}))

	student, err := l.a.initModel(l.ctx, l.stage("student"))
	require.NoError(t, err)
	distil := func(a *Activities, tuning pipelines.Tuning) contract.State {
		out := done(l, a, (*Activities).distillRound, contract.DistillInput{Stage: l.stage("student"), State: start(student.Ref), Tuning: tuning})
		return done(l, newWorker(t, l.store), (*Activities).saveState, contract.StateInput{Stage: l.stage("student"), State: out.State}) // a replay
	}
	require.NotEqual(t, distil(newWorker(t, l.store), nil).Snapshot.Content, distil(newWorker(t, l.store), pipelines.Tuning{"on_policy_lr": 9e-3}).Snapshot.Content)
}

// as does something as an activity of a workflow.
func as(t *testing.T, workflow string, f func(ctx context.Context) error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		require.Equal(t, workflow, workflowID(ctx))
		return f(ctx)
	}, activity.RegisterOptions{Name: "as"})
	env.SetTestTimeout(0)
	_, err := env.ExecuteActivity("as")
	require.NoError(t, err)
}

// TestCheckpoints: whoever does a stage next goes on from its last snapshot, until it is done.
func TestCheckpoints(t *testing.T) {
	l := newLab(t)
	in := contract.TrainInput{Stage: l.stage("sft"), State: start(l.out["base"]["model"]), Span: contract.Span{To: 2}, Total: 4,
		Checkpoint: &contract.Checkpoint{Key: "abc"}}
	none, err := l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.Nil(t, none.Resume)

	out := done(l, l.a, (*Activities).trainDemos, in)
	recalled, err := l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.False(t, recalled.Found)
	require.Equal(t, &contract.Resume{State: out.State, Done: 2, Numbers: map[string]float64{"loss": out.Loss},
		Note: "goes on from " + out.State.Snapshot.Short() + ", which an earlier run left"}, recalled.Resume)

	// What people had a hand in is for the run of the same name.
	people := &contract.Controlled{Tuning: pipelines.Tuning{"lr": 2e-3}, Paused: true, Interventions: []contract.Intervention{{Do: "set", After: 2}}}
	in.State, in.Span = out.State, contract.Span{From: 2, To: 4, Tuning: people.Tuning}
	in.Checkpoint.Resume.Control = people
	touched := done(l, l.a, (*Activities).trainDemos, in)
	recalled, err = l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.Equal(t, out.State, recalled.Resume.State, "another run goes on without")
	same := checkpointKey("abc", "lab/sft", true)
	resume, err := l.a.recallCheckpoint(l.ctx, same)
	require.NoError(t, err)
	require.Equal(t, touched.State, resume.State)
	require.Equal(t, &contract.Controlled{Tuning: people.Tuning, Interventions: people.Interventions}, resume.Control, "but the pause was the run's")

	// The lineage keeps what is needed to go on.
	ref := memoOf(l, same)
	node, err := l.store.Lineage(l.ctx, ref)
	require.NoError(t, err)
	require.Contains(t, node.Ancestors(), touched.State.Snapshot)

	// A result that people had a hand in is not remembered, any other is, and then nobody needs the way there.
	result := contract.StageOut{Outputs: map[string]artifact.Ref{"model": l.out["base"]["model"]}, Interventions: people.Interventions}
	_, err = l.a.rememberStage(l.ctx, contract.RememberInput{Key: "abc", Stage: result})
	require.NoError(t, err)
	recalled, err = l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.False(t, recalled.Found)
	require.NotNil(t, recalled.Resume)
	result.Interventions = nil
	_, err = l.a.rememberStage(l.ctx, contract.RememberInput{Key: "abc", Stage: result})
	require.NoError(t, err)
	recalled, err = l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.True(t, recalled.Found)
	resume, err = l.a.begun(l.ctx, "abc")
	require.NoError(t, err)
	require.Nil(t, resume)
}

func memoOf(l *lab, key string) artifact.Ref {
	memo, ok, err := l.store.Recall(l.ctx, key)
	require.NoError(l.t, err)
	require.True(l.t, ok)
	return memo.Outputs[checkpointResume]
}

// A run of the same name goes on from what people had a hand in, and forgets it with the stage's end.
func TestCheckpointOfTheSameRun(t *testing.T) {
	l := newLab(t)
	const workflow = "default-test-workflow-id"
	state := contract.State{Snapshot: l.out["base"]["model"], Key: "k"}
	touched := &contract.Controlled{Interventions: []contract.Intervention{{Do: "set"}}}
	for _, c := range []*contract.Controlled{nil, touched} {
		body, err := json.Marshal(contract.Resume{State: state, Done: 1, Control: c})
		require.NoError(t, err)
		ref, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindProgress}, map[string][]byte{resumeFile: body})
		require.NoError(t, err)
		require.NoError(t, l.store.Remember(l.ctx, checkpointKey("abc", workflow, c != nil), map[string]artifact.Ref{checkpointResume: ref}))
	}
	begun := func() (resume *contract.Resume) {
		as(t, workflow, func(ctx context.Context) (err error) {
			resume, err = l.a.begun(ctx, "abc")
			return err
		})
		return resume
	}
	require.Equal(t, touched, begun().Control)
	as(t, workflow, func(ctx context.Context) error {
		_, err := l.a.rememberStage(ctx, contract.RememberInput{Key: "abc", Stage: contract.StageOut{Interventions: touched.Interventions}})
		return err
	})
	require.Nil(t, begun().Control, "the stage is done; what is left is what nobody had a hand in")
}

func TestInterventionsAreInTheLineage(t *testing.T) {
	l := newLab(t)
	stage := l.stage("probe")
	stage.Interventions = []contract.Intervention{{Do: "stop", After: 3, Who: "ann"}}
	out := done(l, l.a, (*Activities).exportModel, contract.StateInput{Stage: stage, State: start(l.out["base"]["model"])})
	m, err := l.store.Load(l.ctx, out.Ref)
	require.NoError(t, err)
	var settings struct {
		ID            string
		Interventions []contract.Intervention
	}
	require.NoError(t, json.Unmarshal(m.Settings, &settings))
	require.Equal(t, "probe", settings.ID)
	require.Equal(t, stage.Interventions, settings.Interventions)
}

// TestACheckpointNeedsItsRounds: the log of the stage is made of them, so going on without one would fail at the end.
func TestACheckpointNeedsItsRounds(t *testing.T) {
	l := newLab(t)
	stage := l.stage("probe")
	samples, update := round(l, l.a, stage, start(l.out["base"]["model"]), 0)
	done(l, l.a, (*Activities).saveState, contract.StateInput{Stage: stage, State: update.State,
		Checkpoint: &contract.Checkpoint{Key: "abc", Resume: contract.Resume{Rounds: []contract.Round{{Rollouts: samples.Rollouts}}}}})
	recalled, err := l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.Equal(t, 1, recalled.Resume.Count())
	l.damage(samples.Rollouts, rolloutsFile, true)
	recalled, err = l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.Nil(t, recalled.Resume)
}

// TestRoundsTravelOnce: what is in a checkpoint is named from then on, and the log has all of it.
func TestRoundsTravelOnce(t *testing.T) {
	l := newLab(t)
	stage := l.stage("probe")
	state := start(l.out["base"]["model"])
	var all, since []contract.Round
	var earlier *contract.Earlier
	for n := range 3 {
		samples, update := round(l, l.a, stage, state, n)
		one := contract.Round{Rollouts: samples.Rollouts, Reward: samples.Reward}
		all, since = append(all, one), append(since, one)
		state = update.State
		if n < 2 {
			state = done(l, l.a, (*Activities).saveState, contract.StateInput{Stage: stage, State: state,
				Checkpoint: &contract.Checkpoint{Key: "abc", Resume: contract.Resume{Earlier: earlier, Rounds: since}}})
			require.False(t, state.Progress.IsZero())
			earlier, since = earlier.Keep(state.Progress, since), nil
		}
	}
	require.Equal(t, &contract.Earlier{Progress: earlier.Progress, Count: 2, First: all[0], Last: all[:2]}, earlier)
	whole, err := l.a.writeLog(l.ctx, contract.LogInput{Stage: stage, Rounds: all})
	require.NoError(t, err)
	parts, err := l.a.writeLog(l.ctx, contract.LogInput{Stage: stage, Earlier: earlier, Rounds: since})
	require.NoError(t, err)
	require.Equal(t, whole, parts)
	recalled, err := l.a.recallStage(l.ctx, "abc")
	require.NoError(t, err)
	require.Empty(t, recalled.Resume.Rounds)
	require.Equal(t, earlier, recalled.Resume.Earlier)
	_, err = l.a.allRounds(l.ctx, &contract.Earlier{Progress: earlier.Progress, Count: 3}, nil)
	require.ErrorContains(t, err, "has 2 rounds, not 3")
}
