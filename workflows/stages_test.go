package workflows

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

const pretrains = `
name: scratch
seed: 3
base:
  pretrain: {model: {layers: 1, hidden: 16, heads: 2}, data: stream, steps: 5, chunk_steps: 2}
tasks:
  stream: {procedural: chain, seed: 1, count: 9}
stages: []
`

func TestSkippedStageSaysSo(t *testing.T) {
	p := parse(t, small)
	for _, id := range []string{"sft", "probe", "curate", "sws", "student", "evaluate"} {
		t.Run(id, func(t *testing.T) {
			w := newWorld(t)
			before := contract.StageOut{Outputs: map[string]artifact.Ref{"model": ref("model", "before")}, Summary: "as before", Numbers: map[string]float64{"kept": 3}}
			fake(w, contract.RecallStage, func(string) contract.Recalled { return contract.Recalled{Found: true, Stage: before} })
			out, err := w.stage(alone(t, p, id))
			require.NoError(t, err)
			require.Equal(t, []string{contract.RecallStage}, w.names(), "nothing is done or remembered anew")
			require.Equal(t, []string{"key-" + id}, inputs[string](w, contract.RecallStage))
			require.True(t, out.Skipped)
			out.Skipped = false
			require.Equal(t, before, out)
			require.Equal(t, "**Skipped**: the inputs have not changed; the result is taken from the bucket.\n\nas before", w.details())
		})
	}
}

func TestImportIsNeverSkipped(t *testing.T) {
	w := newWorld(t)
	out, err := w.stage(alone(t, parse(t, small), "base"))
	require.NoError(t, err)
	require.Equal(t, []string{contract.ImportModel}, w.names())
	require.Equal(t, ref("model", "import-base"), out.Outputs[pipelines.ModelOutput])
	require.Equal(t, map[string]float64{"params": 5}, out.Numbers)
}

func TestTrainingInSpans(t *testing.T) {
	step := func(n int) artifact.Ref { return ref("state", fmt.Sprintf("step-%d", n)) }
	for _, c := range []struct {
		yaml, id string
		model    artifact.Ref
		spans    []contract.Span
		names    []string
		numbers  map[string]float64
	}{
		{pretrains, "base", ref("model", "init-base"), []contract.Span{{From: 0, To: 2}, {From: 2, To: 4}, {From: 4, To: 5}},
			[]string{contract.RecallStage, contract.InitModel, contract.TrainDemos, contract.TrainDemos, contract.TrainDemos, contract.ExportModel, contract.RememberStage},
			map[string]float64{"steps": 5, "loss": 0.2, "params": 11}},
		{small, "sft", ref("model", "base"), []contract.Span{{From: 0, To: 2}, {From: 2, To: 4}, {From: 4, To: 6}, {From: 6, To: 7}}, // planned: 7
			[]string{contract.RecallStage, contract.PlanDemos, contract.TrainDemos, contract.TrainDemos, contract.TrainDemos, contract.TrainDemos, contract.ExportModel, contract.RememberStage},
			map[string]float64{"steps": 7, "loss": 1.0 / 7, "params": 11}},
	} {
		t.Run(c.id, func(t *testing.T) {
			w := newWorld(t)
			in := alone(t, parse(t, c.yaml), c.id)
			out, err := w.stage(in)
			require.NoError(t, err)
			require.Equal(t, c.names, w.names())
			require.Equal(t, c.numbers, out.Numbers)
			last := c.spans[len(c.spans)-1].To
			state := contract.State{Snapshot: c.model, Key: in.Key + "/" + c.model.Content}
			for i, call := range inputs[contract.TrainInput](w, contract.TrainDemos) {
				require.Equal(t, c.spans[i], call.Span)
				require.Equal(t, last, call.Total, "the schedule is that of the whole stage")
				require.Equal(t, state, call.State)
				require.True(t, call.Data.IsZero())
				to := c.spans[i].To
				state = contract.State{Snapshot: step(to), Key: fmt.Sprintf("k%d", to), Step: to}
			}
			require.Equal(t, state, inputs[contract.StateInput](w, contract.ExportModel)[0].State)
			p := w.progress()
			require.Equal(t, []int{last, last}, []int{p.Done, p.Total})
		})
	}
}

func TestDistillThenOnPolicy(t *testing.T) {
	w := newWorld(t)
	out, err := w.stage(alone(t, parse(t, small), "student")) // 3 steps in spans of 2, then 11 rounds
	require.NoError(t, err)
	names := []string{contract.RecallStage, contract.InitModel, contract.SampleTeacher, contract.TrainDemos, contract.TrainDemos}
	for range 10 {
		names = append(names, contract.DistillRound)
	}
	require.Equal(t, append(names, contract.SaveState, contract.DistillRound, contract.ExportModel, contract.RememberStage), w.names())
	for _, call := range inputs[contract.TrainInput](w, contract.TrainDemos) {
		require.Equal(t, ref("demonstrations", "student"), call.Data, "the teacher's samples")
	}
	rounds := inputs[contract.DistillInput](w, contract.DistillRound)
	require.Equal(t, ref("state", "step-3"), rounds[0].State.Snapshot)
	require.Len(t, rounds[9].State.Log, 9)
	require.Equal(t, ref("state", "saved-distilled-9"), rounds[10].State.Snapshot, "the log starts anew after a snapshot")
	for n, r := range rounds {
		require.Equal(t, n, r.Round)
	}
	require.Equal(t, map[string]float64{"teacher_samples": 4, "teacher_correct": 0.5, "loss": 1.0 / 3, "divergence": 1.0 / 11, "params": 11}, out.Numbers)
	require.Equal(t, 14, w.progress().Done)
	require.Contains(t, w.details(), "`divergence` 1 █▄▂▂▁▁▁▁▁▁▁ 0.09091")
}

func TestDistillOnPolicyAlone(t *testing.T) {
	w := newWorld(t)
	_, err := w.stage(alone(t, parse(t, small, "stages.student.steps=0", "stages.student.on_policy.rounds=1"), "student"))
	require.NoError(t, err)
	require.Equal(t, []string{contract.RecallStage, contract.InitModel, contract.DistillRound, contract.ExportModel, contract.RememberStage}, w.names())
	require.Equal(t, ref("model", "init-student"), inputs[contract.DistillInput](w, contract.DistillRound)[0].State.Snapshot)
}

func TestDataStages(t *testing.T) {
	p := parse(t, small)
	t.Run("curate", func(t *testing.T) {
		w := newWorld(t)
		out, err := w.stage(alone(t, p, "curate"))
		require.NoError(t, err)
		require.Equal(t, map[string]float64{"of": 8, "kept": 5}, out.Numbers)
	})
	t.Run("control", func(t *testing.T) {
		w := newWorld(t)
		in := alone(t, p, "chance")
		in.Count = 2
		out, err := w.stage(in)
		require.NoError(t, err)
		require.Equal(t, 2, inputs[contract.CurateInput](w, contract.CurateData)[0].Count)
		require.Equal(t, 2.0, out.Numbers["kept"])
	})
	t.Run("synthesize", func(t *testing.T) {
		w := newWorld(t)
		out, err := w.stage(alone(t, p, "sws"))
		require.NoError(t, err)
		require.Equal(t, []string{contract.RecallStage, contract.WriteProblems, contract.FilterProblems, contract.RememberStage}, w.names())
		require.Equal(t, ref("problems", "written-sws"), inputs[contract.FilterInput](w, contract.FilterProblems)[0].Written.Ref)
		require.Equal(t, ref("problems", "sws"), out.Outputs[pipelines.ProblemsOutput])
		require.Equal(t, map[string]float64{"written": 6, "kept": 4}, out.Numbers)
	})
}

func TestEvaluateEveryModel(t *testing.T) {
	w := newWorld(t)
	in := alone(t, parse(t, small), "evaluate")
	out, err := w.stage(in)
	require.NoError(t, err)
	for i, call := range inputs[contract.EvaluateInput](w, contract.EvaluateModel) {
		name := []string{"base", "probe", "student"}[i]
		require.Equal(t, name, call.Name)
		require.Equal(t, ref("model", name), call.Model)
		require.Equal(t, ref("evaluation", name), out.Outputs["model/"+name])
		require.Equal(t, name, out.Results[i].Model)
	}
	require.Equal(t, "base 50.0%, probe 50.0%, student 50.0%", out.Summary)
}

// TestTransientErrorsAreTriedAgain: a bucket that comes back ends in success.
func TestTransientErrorsAreTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.fails[contract.ImportModel], w.times[contract.ImportModel] = errors.New("store unreachable"), 3
	_, err := w.stage(alone(t, parse(t, small), "base"))
	require.NoError(t, err)
	require.Equal(t, []string{contract.ImportModel, contract.ImportModel, contract.ImportModel, contract.ImportModel}, w.names())
}
