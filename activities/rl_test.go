package activities

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
	"temper/train"
)

// demosOf are the problems whose demonstrations a round of these tests trains on.
func demosOf(round int, ordinals []int) []int {
	if round == 1 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(ordinals)))[:2]
}

// round samples and updates; it returns both answers.
func round(l *lab, a *Activities, stage contract.Stage, state contract.State, n int) (contract.RolloutOutput, contract.PolicyOutput) {
	l.t.Helper()
	samples := done(l, a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: state, Round: n})
	samples.Seconds = 0
	update := done(l, a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: state,
		Step: contract.PolicyStep{Round: n, Rollouts: samples.Rollouts, Interleave: demosOf(n, samples.Ordinals)}})
	update.Seconds = 0
	return samples, update
}

// TestAnyWorkerArrivesAtTheSameBits: what a state leads to does not depend on who holds it, on where it was interrupted, or on snapshots.
func TestAnyWorkerArrivesAtTheSameBits(t *testing.T) {
	t.Run("parameters", func(t *testing.T) { arriveAtTheSameBits(t) })
	t.Run("adapter", func(t *testing.T) {
		arriveAtTheSameBits(t, "stages.probe.lora={rank: 2, targets: [q_proj, down_proj]}")
	})
}

func arriveAtTheSameBits(t *testing.T, set ...string) {
	l := newLab(t, set...)
	stage := l.stage("probe")
	export := func(a *Activities, s contract.State) artifact.Ref {
		return done(l, a, (*Activities).exportModel, contract.StateInput{Stage: stage, State: s}).Ref
	}

	// Undisturbed: three rounds by one worker, which keeps the state on its device.
	calm := newWorker(t, l.store)
	states := []contract.State{start(l.out["base"]["model"])}
	var samples []contract.RolloutOutput
	var updates []contract.PolicyOutput
	for n := range 3 {
		s, u := round(l, calm, stage, states[n], n)
		samples, updates, states = append(samples, s), append(updates, u), append(states, u.State)
		require.Positive(t, u.Norm, "the round's rewards differ, so there is something to learn")
		require.Equal(t, n != 1, u.SFTLoss > 0)
	}
	require.Len(t, states[3].Log, 3)
	want := export(calm, states[3])
	require.NotEqual(t, l.out["base"]["model"].Content, want.Content)
	saved := done(l, calm, (*Activities).saveState, contract.StateInput{Stage: stage, State: states[3]})
	require.Equal(t, want, export(calm, saved), "the undisturbed worker goes on with what it holds")

	t.Run("replay of the whole log", func(t *testing.T) {
		l.t = t
		fresh := freshWorker(t, l.store)
		require.Equal(t, want, export(fresh, states[3]))
		again := done(l, fresh, (*Activities).saveState, contract.StateInput{Stage: stage, State: states[3]})
		require.Equal(t, saved, again, "moments and counters too")
	})
	t.Run("a crash before each round", func(t *testing.T) {
		l.t = t
		for n := range 3 {
			s, u := round(l, newWorker(t, l.store), stage, states[n], n)
			require.Equal(t, samples[n], s, "round %d samples the same", n)
			require.Equal(t, updates[n], u)
		}
	})
	t.Run("a crash between sampling and update", func(t *testing.T) {
		l.t = t
		b := newWorker(t, l.store)
		u := done(l, b, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: states[2], Step: *states[3].Log[2].Policy})
		u.Seconds = 0
		require.Equal(t, updates[2], u)
		require.Equal(t, want, export(b, u.State))
	})
	t.Run("a snapshot in the middle", func(t *testing.T) {
		l.t = t
		b := newWorker(t, l.store)
		s := done(l, b, (*Activities).saveState, contract.StateInput{Stage: stage, State: states[1]})
		require.Empty(t, s.Log)
		require.Equal(t, states[1].Key, s.Key, "a snapshot is another way to the same state")
		for _, worker := range []*Activities{b, newWorker(t, l.store)} { // one holds the state, one loads the snapshot
			s := s
			for n := 1; n < 3; n++ {
				_, u := round(l, worker, stage, s, n)
				s = u.State
			}
			require.Equal(t, want.Content, export(worker, s).Content)
		}
	})
	t.Run("another seed is another run", func(t *testing.T) {
		l.t = t
		b := newWorker(t, l.store)
		other := stage
		other.Seed++
		s, _ := round(l, b, other, states[0], 0)
		require.NotEqual(t, samples[0].Rollouts.Content, s.Rollouts.Content)
	})
	t.Run("the log of the rounds", func(t *testing.T) {
		l.t = t
		var rounds []contract.Round
		for n, s := range samples {
			rounds = append(rounds, contract.Round{Rollouts: s.Rollouts, Reward: s.Reward, Solved: s.Solved, Interleave: states[3].Log[n].Policy.Interleave})
		}
		ref, err := l.a.writeLog(l.ctx, contract.LogInput{Stage: stage, Rounds: rounds})
		require.NoError(t, err)
		log, err := l.a.readLog(l.ctx, ref)
		require.NoError(t, err)
		require.Len(t, log.Rounds, 3)
		visits := 0
		for _, p := range log.Problems {
			require.Equal(t, "pool", p.Source)
			visits += len(p.Visits)
		}
		require.Equal(t, 9, visits, "three problems a round")
		require.Len(t, log.Rounds[0].Demos, 2)
		node, err := l.store.Lineage(l.ctx, ref)
		require.NoError(t, err)
		for _, s := range samples {
			require.Contains(t, node.Ancestors(), s.Rollouts)
		}
	})
}

func TestAFailedUpdateLeavesNothingBehind(t *testing.T) {
	l := newLab(t)
	pool, first := l.problems(l.sets["pool"].Ref), start(l.out["base"]["model"])
	drawn := done(l, l.a, (*Activities).rollout, contract.RolloutInput{Stage: l.stage("probe"), State: first}).Ordinals
	bare := 0 // a problem that the round does not draw
	for slices.Contains(drawn, bare) {
		bare++
	}
	pool = slices.Clone(pool)
	pool[bare].Solution = ""
	l.replaceSet("pool", pool)
	stage, a := l.stage("probe"), newWorker(t, l.store)
	samples, want := round(l, newWorker(t, l.store), stage, first, 0)
	again := done(l, a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: first})
	require.Equal(t, samples.Rollouts, again.Rollouts)
	require.Equal(t, []string{"start"}, a.residents.keys)

	step := contract.PolicyStep{Rollouts: samples.Rollouts, Interleave: []int{bare}} // fails after the policy's own update
	_, err := do(l, a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: first, Step: step})
	require.ErrorContains(t, err, "interleaved SFT: problem "+pool[bare].ID+" has no demonstration")
	require.Empty(t, a.residents.keys, "a state that was half changed is not held under the old name")

	step = *want.State.Log[0].Policy
	step.Rollouts = artifact.Ref{Kind: kindRollouts, Digest: samples.Rollouts.Content}
	_, err = do(l, a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: first, Step: step})
	require.ErrorIs(t, err, artifact.ErrNotFound)

	_, got := round(l, a, stage, first, 0)
	require.Equal(t, want, got)
}

func TestResidentsAreBounded(t *testing.T) {
	l := newLab(t)
	e, err := l.a.open()
	require.NoError(t, err)
	for n := range 4 {
		held, err := l.a.restore(l.ctx, e, l.stage("probe"), contract.State{Snapshot: l.out["base"]["model"], Key: fmt.Sprint(n)})
		require.NoError(t, err)
		l.a.residents.put(fmt.Sprint(n), held)
	}
	require.Equal(t, []string{"2", "3"}, l.a.residents.keys, "the oldest go")
	require.Len(t, l.a.residents.byKey, keepResidents)
	require.Nil(t, l.a.residents.take("0"))
	held := l.a.residents.take("2")
	require.NotNil(t, held)
	require.Equal(t, []string{"3"}, l.a.residents.keys)
	held.state.Free()
}

func TestKeysNameTheWayToAState(t *testing.T) {
	step := contract.Update{Policy: &contract.PolicyStep{Round: 1, Rollouts: made("rollouts", "x"), Interleave: []int{3}}}
	key, err := nextKey("a", step)
	require.NoError(t, err)
	for name, other := range map[string]contract.Update{
		"round":      {Policy: &contract.PolicyStep{Round: 2, Rollouts: made("rollouts", "x"), Interleave: []int{3}}},
		"rollouts":   {Policy: &contract.PolicyStep{Round: 1, Rollouts: made("rollouts", "y"), Interleave: []int{3}}},
		"interleave": {Policy: &contract.PolicyStep{Round: 1, Rollouts: made("rollouts", "x")}},
		"kind":       {OnPolicy: &contract.DistillStep{Round: 1}},
	} {
		k, err := nextKey("a", other)
		require.NoError(t, err)
		require.NotEqual(t, key, k, name)
	}
	k, err := nextKey("b", step)
	require.NoError(t, err)
	require.NotEqual(t, key, k)
}

func TestRolloutsKeepLogProbabilitiesExactly(t *testing.T) {
	l := newLab(t)
	rapid.Check(t, func(rt *rapid.T) {
		var want rollouts
		for range rapid.IntRange(1, 3).Draw(rt, "groups") {
			bits := rapid.SliceOfN(rapid.Uint32(), 1, 20).Draw(rt, "bits")
			s := rolloutSample{Verdict: reward.Wrong, Reward: rapid.Float64().Draw(rt, "reward"), Text: rapid.String().Draw(rt, "text")}
			for i, b := range bits {
				f := math.Float32frombits(b)
				if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
					f = -math.SmallestNonzeroFloat32
				}
				s.Tokens, s.LogProbs = append(s.Tokens, int32(i)), append(s.LogProbs, f)
			}
			want.Groups = append(want.Groups, rolloutGroup{Samples: []rolloutSample{s}, Prompt: []int32{1}})
		}
		body, err := gzipJSON(want)
		require.NoError(rt, err)
		ref, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindRollouts}, map[string][]byte{rolloutsFile: body})
		require.NoError(rt, err)
		var got rollouts
		require.NoError(rt, l.a.readGzip(l.ctx, ref, rolloutsFile, &got))
		for i, g := range want.Groups {
			for j, f := range g.Samples[0].LogProbs {
				require.Equal(rt, math.Float32bits(f), math.Float32bits(got.Groups[i].Samples[0].LogProbs[j]))
			}
			require.Equal(rt, g.Samples[0].Reward, got.Groups[i].Samples[0].Reward)
		}
	})
}

// unanswered takes the gold answers of some problems, so that their reward cannot be computed.
func unanswered(l *lab, some func(i int) bool) []tasks.Problem {
	problems := slices.Clone(l.problems(l.sets["pool"].Ref))
	for i := range problems {
		if some(i) {
			problems[i].Answer = ""
		}
	}
	l.replaceSet("pool", problems)
	return problems
}

func TestAnErrorIsNeverWrong(t *testing.T) {
	l := newLab(t, "stages.probe.prompts=8", "stages.probe.override.group=2") // a round is all problems
	unanswered(l, func(i int) bool { return i%2 == 0 })
	stage, first := l.stage("probe"), start(l.out["base"]["model"])
	out := done(l, l.a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: first})
	require.Equal(t, 8, out.Errors, "4 problems of 8, 2 samples each")
	var record rollouts
	require.NoError(t, l.a.readGzip(l.ctx, out.Rollouts, rolloutsFile, &record))
	sum, n := 0.0, 0.0
	for _, g := range record.Groups {
		for _, s := range g.Samples {
			require.Equal(t, g.Ordinal%2 == 0, s.Verdict == reward.Error)
			if s.Verdict != reward.Error {
				sum += s.Reward
				n++
			}
		}
	}
	require.Equal(t, sum/n, out.Reward, "the mean over the samples that were judged")
	for _, o := range out.Unsolved {
		require.Equal(t, 1, o%2, "a problem that was not judged is not unsolved")
	}
	examples, _, err := policyExamples(record, stage.Stage.Settings.(*pipelines.RL).RecipeSettings, 12)
	require.NoError(t, err)
	require.Len(t, examples, 8)
	done(l, l.a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: first, Step: contract.PolicyStep{Rollouts: out.Rollouts}})

	ref, err := l.a.writeLog(l.ctx, contract.LogInput{Stage: stage, Rounds: []contract.Round{{Rollouts: out.Rollouts}}})
	require.NoError(t, err)
	log, err := l.a.readLog(l.ctx, ref)
	require.NoError(t, err)
	require.Len(t, log.Problems, 4, "the log has no solve rate for what was not judged")

	unanswered(l, func(int) bool { return true })
	_, err = do(l, l.a, (*Activities).rollout, contract.RolloutInput{Stage: l.stage("probe"), State: first, Round: 1})
	require.ErrorContains(t, err, "round 2: the reward of every sample failed; the first: ")
	require.ErrorContains(t, err, "no gold answer")
}

func TestPolicyExamples(t *testing.T) {
	sample := func(v reward.Verdict, r float64, tokens ...int32) rolloutSample {
		return rolloutSample{Verdict: v, Reward: r, Tokens: tokens, LogProbs: make([]float32, len(tokens))}
	}
	recipe := pipelines.DefaultRecipe() // group mean, no scale, token weights
	record := rollouts{Groups: []rolloutGroup{
		{Prompt: []int32{1, 2}, Samples: []rolloutSample{sample(reward.Correct, 1, 5, 6), sample(reward.Error, 0, 5, 6, 7), sample(reward.Wrong, 0, 8, 9)}},
		{Prompt: []int32{1, 2, 3}, Samples: []rolloutSample{sample(reward.Correct, 1, 5), sample(reward.Error, 0, 5), sample(reward.Correct, 1, 5, 6, 7)}},
		{Prompt: []int32{1}, Samples: []rolloutSample{sample(reward.Error, 0, 5), sample(reward.Error, 0, 6)}},
	}}
	advantages := func(examples []train.Example) (out []float32, weight float32) {
		for _, e := range examples {
			out = append(out, e.Columns["advantage"][len(e.Tokens)-1])
			weight = e.Weight[len(e.Tokens)-1]
		}
		return out, weight
	}
	examples, longest, err := policyExamples(record, recipe, 12)
	require.NoError(t, err)
	require.Equal(t, 3, longest)
	got, weight := advantages(examples)
	require.Equal(t, []float32{0.5, -0.5}, got, "the failed sample is not in the baseline; the second group has nothing to teach")
	require.Equal(t, float32(1)/8, weight, "a share of the judged tokens: 2+2 and 1+3")

	recipe.DropZeroVariance = true
	examples, _, err = policyExamples(record, recipe, 12)
	require.NoError(t, err)
	got, weight = advantages(examples)
	require.Equal(t, []float32{0.5, -0.5}, got)
	require.Equal(t, float32(1)/4, weight, "the group whose judged rewards are all equal is dropped, failed samples or not")
}
