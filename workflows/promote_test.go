package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

const circle = `
name: circle
seed: 7
base: {alias: champion, or: {pretrain: {model: {layers: 1, hidden: 16, heads: 2}, data: pool, steps: 3}}}
tasks:
  pool: {procedural: chain, seed: 3, count: 8}
  held: {procedural: chain, seed: 4, count: 6}
stages:
  - sft: {model: base, data: pool, steps: 3}
  - evaluate: {models: [base, sft], tasks: held}
  - promote: {model: sft, alias: champion, gate: {p: 0.1}}
`

func TestAliasStage(t *testing.T) {
	input := func(t *testing.T, yaml string) contract.StageInput {
		p := parse(t, yaml)
		r := &run{in: contract.PipelineInput{Pipeline: p}, id: "run", sets: map[string]contract.Dataset{"pool": {Ref: ref("problems", "set-pool"), Count: 8}}}
		in, err := r.input(*p.Stage("base"))
		require.NoError(t, err)
		return in
	}
	t.Run("the model that the alias means", func(t *testing.T) {
		w := newWorld(t)
		w.aliases["champion"] = ref("model", "earlier")
		out, err := w.stage(input(t, circle))
		require.NoError(t, err)
		require.Equal(t, modelOut(ref("model", "earlier"), "champion is "+ref("model", "earlier").Short(), map[string]float64{"params": 17}), out)
		require.Equal(t, []string{contract.ResolveAlias}, w.names())
	})
	t.Run("or the one behind it", func(t *testing.T) {
		w := newWorld(t)
		out, err := w.stage(input(t, circle))
		require.NoError(t, err)
		require.Contains(t, out.Summary, "no champion yet; 3 steps")
		require.Equal(t, ref("model", "base"), out.Outputs[pipelines.ModelOutput])
		require.Equal(t, []string{contract.ResolveAlias, contract.RecallStage, contract.InitModel, contract.TrainDemos, contract.ExportModel, contract.RememberStage}, w.names())
		init := inputs[contract.Stage](w, contract.InitModel)[0]
		require.Equal(t, "base", init.Stage.ID)
		require.Contains(t, init.Streams, "pool")
		require.Equal(t, 3, w.progress().Total)
	})
	t.Run("or behind that", func(t *testing.T) {
		w := newWorld(t)
		out, err := w.stage(input(t, "name: p\nbase: {alias: a, or: {alias: b, or: {import: /x}}}"))
		require.NoError(t, err)
		require.Equal(t, "no a yet; no b yet; imported /x", out.Summary)
	})
	t.Run("or none", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.stage(input(t, "name: p\nbase: {alias: a}"))
		require.ErrorContains(t, err, "there is no alias a")
	})
}

// promoting is the input of the promotion as the pipeline makes it.
func promoting(t *testing.T, set ...string) contract.StageInput {
	p := parse(t, circle, set...)
	r := &run{in: contract.PipelineInput{Pipeline: p}, id: "run", sets: map[string]contract.Dataset{"held": {Ref: ref("problems", "set-held"), Count: 6}},
		done: map[string]contract.StageOut{
			"base":     modelOut(ref("model", "base"), "", nil),
			"sft":      modelOut(ref("model", "sft"), "", nil),
			"evaluate": {Outputs: map[string]artifact.Ref{"model/base": ref("evaluation", "of base"), "model/sft": ref("evaluation", "of sft"), "report": ref("evaluation", "of sft")}},
		}}
	in, err := r.input(*p.Stage("promote"))
	require.NoError(t, err)
	return in
}

func TestPromoteWithoutChampion(t *testing.T) {
	for name, set := range map[string][]string{"with a gate": nil, "without": {"stages.promote.gate=null"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			out, err := w.stage(promoting(t, set...))
			require.NoError(t, err)
			require.Contains(t, out.Summary, "promoted sft to champion: there was no")
			require.Equal(t, map[string]float64{"promoted": 1}, out.Numbers)
			require.Equal(t, ref("model", "sft"), out.Outputs[pipelines.ModelOutput])
			require.Equal(t, ref("model", "sft"), w.aliases["champion"])
			require.Equal(t, []string{contract.ResolveAlias, contract.PromoteModel}, w.names())
		})
	}
}

func TestPromoteAgainstAChampion(t *testing.T) {
	for _, holds := range []bool{true, false} {
		w := newWorld(t)
		w.holds = holds
		w.aliases["champion"] = ref("model", "old")
		out, err := w.stage(promoting(t))
		require.NoError(t, err)
		measured := inputs[contract.EvaluateInput](w, contract.EvaluateModel)
		require.Len(t, measured, 1)
		require.Equal(t, ref("model", "old"), measured[0].Model)
		require.Equal(t, ref("problems", "set-held"), measured[0].Stage.Data["held"])
		require.EqualValues(t, 7, measured[0].Stage.Seed, "the noise of the evaluation")
		require.Equal(t, pipelines.Names{"champion"}, measured[0].Stage.Stage.Settings.(*pipelines.Evaluate).Models)
		compared := inputs[contract.CompareInput](w, contract.CompareModels)
		require.Len(t, compared, 1)
		require.Equal(t, []artifact.Ref{ref("model", "sft"), ref("model", "old"), ref("evaluation", "of sft"), ref("evaluation", "champion")},
			[]artifact.Ref{compared[0].Model, compared[0].Champion, compared[0].Candidate, compared[0].Against})
		require.Equal(t, ref("promotion", "of sft"), out.Outputs["promotion"])
		require.Equal(t, 0.25, out.Numbers["difference"])
		if holds {
			require.Equal(t, "promoted sft to champion: pass@1 75.0% against 50.0% ("+ref("model", "old").Short()+")", out.Summary)
			require.Equal(t, ref("model", "sft"), w.aliases["champion"])
			require.Equal(t, ref("model", "sft"), out.Outputs[pipelines.ModelOutput])
			require.Equal(t, 1.0, out.Numbers["promoted"])
		} else {
			require.Equal(t, "kept the champion of champion: pass@1 75.0% against 50.0% ("+ref("model", "old").Short()+")", out.Summary)
			require.Equal(t, ref("model", "old"), w.aliases["champion"])
			require.Equal(t, ref("model", "old"), out.Outputs[pipelines.ModelOutput])
			require.Equal(t, 0.0, out.Numbers["promoted"])
		}
	}
}

func TestPromoteTheChampionItself(t *testing.T) {
	w := newWorld(t)
	w.aliases["champion"] = ref("model", "sft")
	out, err := w.stage(promoting(t))
	require.NoError(t, err)
	require.Equal(t, "kept the champion of champion: it names this model already", out.Summary)
	require.Equal(t, []string{contract.ResolveAlias}, w.names())
}

func TestPromoteAgainstAnother(t *testing.T) {
	w := newWorld(t)
	w.aliases["baseline"] = ref("model", "baseline")
	out, err := w.stage(promoting(t, "stages.promote.gate.better_than=baseline"))
	require.NoError(t, err)
	require.Contains(t, out.Summary, "left champion unset: ")
	require.NotContains(t, out.Outputs, pipelines.ModelOutput)
	w = newWorld(t)
	w.aliases["baseline"], w.aliases["champion"] = ref("model", "baseline"), ref("model", "old")
	w.holds = true
	_, err = w.stage(promoting(t, "stages.promote.gate.better_than=baseline"))
	require.NoError(t, err)
	require.Equal(t, ref("model", "baseline"), inputs[contract.CompareInput](w, contract.CompareModels)[0].Champion)
	require.Equal(t, ref("model", "old"), inputs[contract.PromoteInput](w, contract.PromoteModel)[0].Expect)
	require.Equal(t, ref("model", "sft"), w.aliases["champion"])
}

// A champion that another run made meanwhile is the one to beat.
func TestPromoteLosesARace(t *testing.T) {
	race := func(t *testing.T, times int) (*world, contract.StageOut) {
		w := newWorld(t)
		w.holds = true
		w.aliases["champion"] = ref("model", "old")
		fake(w, contract.PromoteModel, func(in contract.PromoteInput) contract.PromoteOut {
			if times--; times >= 0 {
				w.aliases[in.Alias] = ref("model", "of another run "+string(rune('a'+times)))
				return contract.PromoteOut{}
			}
			return contract.PromoteOut{Done: w.aliases[in.Alias] == in.Expect}
		})
		out, err := w.stage(promoting(t))
		require.NoError(t, err)
		return w, out
	}
	w, out := race(t, 1)
	require.Contains(t, out.Summary, "promoted sft to champion")
	compared := inputs[contract.CompareInput](w, contract.CompareModels)
	require.Len(t, compared, 2)
	require.Equal(t, ref("model", "of another run a"), compared[1].Champion)

	_, out = race(t, 100)
	require.Contains(t, out.Summary, "kept the champion of champion: it was changed by others 5 times")
}

// The measurement of a champion is remembered under a key that follows from the champion, the problems and the settings.
func TestPromoteRemembersTheChampion(t *testing.T) {
	key := func(champion string, set ...string) string {
		w := newWorld(t)
		w.aliases["champion"] = ref("model", champion)
		_, err := w.stage(promoting(t, set...))
		require.NoError(t, err)
		return inputs[contract.RememberInput](w, contract.RememberStage)[0].Key
	}
	require.Equal(t, key("a"), key("a", "stages.promote.gate.p=0.2", "stages.sft.lr=1e-3"))
	require.NotEqual(t, key("a"), key("b"))
	require.NotEqual(t, key("a"), key("a", "seed=8"))
	require.NotEqual(t, key("a"), key("a", "stages.evaluate.k=[2]"))
}

// TestPipelineGivesAPromotionItsGate runs all of it, with fakes for the stages' work.
func TestPipelineComesFullCircle(t *testing.T) {
	w := newWorld(t)
	out, err := w.pipeline(contract.PipelineInput{Pipeline: parse(t, circle)})
	require.NoError(t, err)
	require.Contains(t, out.Stages["promote"].Summary, "promoted sft to champion")
	require.Equal(t, ref("model", "sft"), w.aliases["champion"])

	again := newWorld(t)
	again.aliases = w.aliases
	out, err = again.pipeline(contract.PipelineInput{Pipeline: parse(t, circle)})
	require.NoError(t, err)
	require.Equal(t, ref("model", "sft"), out.Stages["base"].Outputs[pipelines.ModelOutput], "the run begins where the last one ended")
	require.Empty(t, inputs[contract.Stage](again, contract.InitModel))
}
