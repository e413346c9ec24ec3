package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/tasks"
)

// TestScheduleCountsRoundsOfEpochs: with epochs, a schedule that falls to nothing does so at the stage's end, not after its first round.
func TestScheduleCountsRoundsOfEpochs(t *testing.T) {
	l := newLab(t, "stages.probe.rounds=0", "stages.probe.epochs=1", "stages.probe.schedule=linear") // 8 problems, 3 a round: 3 rounds
	stage, first := l.stage("probe"), start(l.out["base"]["model"])
	weights := func(n int) artifact.Ref {
		samples := done(l, l.a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: first, Round: 0})
		u := done(l, l.a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: first, Step: contract.PolicyStep{Round: n, Rollouts: samples.Rollouts}})
		return done(l, l.a, (*Activities).exportModel, contract.StateInput{Stage: stage, State: u.State}).Ref
	}
	require.NotEqual(t, first.Snapshot.Content, weights(2).Content, "the third of three rounds still learns")
	require.Equal(t, first.Snapshot.Content, weights(3).Content, "after the end the rate is 0")
}

// TestDemonstrationsOfAnotherSet: with demos, a problem may be interleaved although it has no demonstration of its own.
func TestDemonstrationsOfAnotherSet(t *testing.T) {
	l := newLab(t, "stages.probe.demos=demos", "stages.probe.prompts=8", "stages.probe.override.group=2")
	pool := l.problems(l.sets["pool"].Ref)
	l.replaceSet("demos", append([]tasks.Problem{}, pool[:3]...))
	bare := append([]tasks.Problem{}, pool...)
	for i := range bare {
		bare[i].Solution = ""
	}
	l.replaceSet("pool", bare)
	stage, first := l.stage("probe"), start(l.out["base"]["model"])
	out := done(l, l.a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: first})
	require.Zero(t, out.Solved, "a random model solves nothing")
	require.ElementsMatch(t, []int{0, 1, 2}, out.Unsolved, "the unsolved problems that have a demonstration")

	u := done(l, l.a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: first, Step: contract.PolicyStep{Rollouts: out.Rollouts, Interleave: []int{2, 0}}})
	require.Positive(t, u.SFTLoss)
	_, err := do(l, l.a, (*Activities).updatePolicy, contract.PolicyInput{Stage: stage, State: first, Step: contract.PolicyStep{Rollouts: out.Rollouts, Interleave: []int{5}}})
	require.ErrorContains(t, err, "interleaved SFT: problem "+pool[5].ID+" has no demonstration")
	require.Empty(t, l.problems(l.sets["pool"].Ref)[0].Solution, "the cached data set is left as it is")
}

func TestDrawGoesThroughTheProblems(t *testing.T) {
	p := &pool{names: []string{"x", "y"}, sizes: []int{3, 2}}
	seen := map[int]int{}
	for round := range 5 { // 5 rounds of 3 are three passes over 5
		for _, o := range p.draw(1, nil, round, 3) {
			seen[o]++
		}
	}
	require.Equal(t, map[int]int{0: 3, 1: 3, 2: 3, 3: 3, 4: 3}, seen)
	require.Equal(t, []string{"x", "x", "x", "y", "y", ""}, []string{p.name(0), p.name(1), p.name(2), p.name(3), p.name(4), p.name(5)})
	for _, o := range p.draw(1, map[string]float64{"x": 0, "y": 1}, 3, 4) {
		require.Equal(t, "y", p.name(o))
	}
}

func TestPoolsMayHaveAnEmptyPart(t *testing.T) {
	l := newLab(t)
	none, err := l.a.commitProblems(l.ctx, l.stage("sws"), nil, "nothing", nil)
	require.NoError(t, err)
	l.gives("sws", "problems", none.Ref)
	l.gives("limr", "problems", l.sets["pool"].Ref)
	pool, err := l.a.pooled(l.ctx, l.stage("more"), []string{"limr", "sws"})
	require.NoError(t, err)
	require.Equal(t, []int{8, 0}, pool.sizes)
	require.Len(t, pool.draw(1, map[string]float64{"limr": 0.5, "sws": 0.5}, 0, 4), 4)
	_, err = l.a.pooled(l.ctx, l.stage("more"), []string{"sws"})
	require.EqualError(t, err, "stage more: no problems in sws")
}
