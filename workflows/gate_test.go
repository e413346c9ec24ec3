package workflows

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/pipelines"
)

// gated is the small pipeline with a gate.
func gated(t *testing.T, set ...string) contract.PipelineInput {
	return contract.PipelineInput{Pipeline: parse(t, small, set...)}
}

func TestGateOfANumber(t *testing.T) {
	for _, c := range []struct {
		name, gate, err string
	}{
		{"passes", "stages.probe.gate={metric: last_reward, at_least: 0.5}", ""},
		{"below", "stages.probe.gate={metric: last_reward, at_least: 0.7}", "stage probe, gate: last_reward is 0.625, must be at least 0.7"},
		{"above", "stages.sft.gate={metric: loss, at_most: 0.1}", "stage sft, gate: loss is 0.142857, must be at most 0.1"},
		{"evaluation", "stages.evaluate.gate={metric: student.pass@1, at_least: 0.5}", ""},
		{"evaluation below", "stages.evaluate.gate={metric: student.pass@1, at_least: 0.75}", "stage evaluate, gate: student.pass@1 is 0.5, must be at least 0.75"},
		{"no such number", "stages.evaluate.gate={metric: student.reward, at_least: 0.75}", "stage evaluate, gate: it gave no number student.reward"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			out, err := w.pipeline(gated(t, c.gate))
			if c.err == "" {
				require.NoError(t, err)
				require.Len(t, out.Stages, 9)
				return
			}
			require.ErrorContains(t, err, c.err)
			require.NotContains(t, w.names(), contract.WriteReport)
		})
	}
}

// TestGatesKnowTheNumbers holds the numbers that a gate may name to what the stages give here; those of curate and synthesize come from
// their activities.
func TestGatesKnowTheNumbers(t *testing.T) {
	p := parse(t, small)
	for _, st := range p.Stages {
		if st.Kind == "curate" || st.Kind == "synthesize" || st.Kind == "evaluate" {
			continue
		}
		out, err := newWorld(t).stage(alone(t, p, st.ID))
		require.NoError(t, err)
		require.Equal(t, strings.Join(pipelines.Numbers(st.Kind), ", "), pipelines.NumberNames(out.Numbers), st.ID)
	}
	require.Contains(t, pipelines.Numbers("curate"), "kept")
}

func TestGateAsksAPerson(t *testing.T) {
	ask := "stages.probe.gate={approve: true, within: 24h}"
	t.Run("approved", func(t *testing.T) {
		w := newWorld(t)
		var early, a, late *answer
		var held contract.Progress
		w.at(contract.Rollout, 1, func() { early = w.ask(contract.UpdateApprove, contract.Control{}) })
		w.env.RegisterDelayedCallback(func() {
			held = w.progress()
			a = w.ask(contract.UpdateApprove, contract.Control{Stage: "probe", Who: "ann"})
		}, 20*time.Hour)
		w.env.RegisterDelayedCallback(func() {}, 21*time.Hour)
		w.at(contract.CurateData, 1, func() { late = w.ask(contract.UpdateApprove, contract.Control{Stage: "probe"}) })
		_, err := w.pipeline(gated(t, ask))
		require.NoError(t, err)
		require.ErrorContains(t, early.err, "no gate waits for approval")
		require.ErrorContains(t, late.err, "stage probe waits for no approval")
		require.Equal(t, "stage probe is approved by ann", a.said)
		probe := held.Stages[2]
		require.Equal(t, "gate", probe.Status)
		require.Contains(t, probe.Summary, "waits for approval: temper runs approve default-test-workflow-id/probe")
		require.Equal(t, "waiting", held.Stages[3].Status, "what needs the stage waits")
	})
	t.Run("rejected", func(t *testing.T) {
		w := newWorld(t)
		w.env.RegisterDelayedCallback(func() { w.ask(contract.UpdateReject, contract.Control{Who: "ann", Why: "too chatty"}) }, time.Hour)
		_, err := w.pipeline(gated(t, ask))
		require.ErrorContains(t, err, "stage probe, gate: rejected by ann: too chatty")
		require.NotContains(t, w.names(), contract.CurateData)
	})
	t.Run("nobody comes", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.pipeline(gated(t, ask))
		require.ErrorContains(t, err, "stage probe, gate: nobody approved within 24h0m0s")
	})
	t.Run("only after the number", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.pipeline(gated(t, "stages.probe.gate={metric: last_reward, at_least: 2, approve: true}"))
		require.ErrorContains(t, err, "last_reward is 0.625")
	})
}

// A stage that waits at its gate keeps no other from running.
func TestGateHoldsNoSlot(t *testing.T) {
	w := newWorld(t)
	before := []string{}
	w.env.RegisterDelayedCallback(func() {
		before = w.names()
		w.ask(contract.UpdateApprove, contract.Control{})
	}, time.Hour)
	const independent = `
name: two
base: {import: /models/m}
tasks: {held: {procedural: chain, seed: 4, count: 6}}
stages:
  - sft: {model: base, data: held, steps: 2, gate: {approve: true}}
  - evaluate: {models: base, tasks: held}
`
	_, err := w.pipeline(contract.PipelineInput{Pipeline: parse(t, independent)})
	require.NoError(t, err)
	require.Contains(t, before, contract.EvaluateModel)
}
