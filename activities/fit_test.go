package activities

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
	"temper/tasks"
	"temper/train"
)

// TestLongPromptsAreFoundAtTheBeginning: a prompt that leaves no room for an answer ends a stage before its first round, not in the round that draws it.
func TestLongPromptsAreFoundAtTheBeginning(t *testing.T) {
	l := newLab(t, "stages.solved.max_tokens=52", "stages.probe.max_tokens=52")
	set := func(longest int) artifact.Ref { // chains of one and of many steps
		var all []tasks.Problem
		for i := range 40 {
			p, err := tasks.Source{Procedural: "chain", Seed: 5, Difficulty: []int{1 + 5*(i/39), 1 + 5*(i/39)}}.At(i)
			require.NoError(t, err)
			if longest == 0 || len(p.Prompt) <= longest {
				all = append(all, p)
			}
		}
		ref, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindProblems}, map[string][]byte{problemsFile: tasks.WriteJSONL(all)})
		require.NoError(t, err)
		return ref
	}
	rollout := func(pool artifact.Ref) error {
		stage := l.stage("probe")
		stage.Data["pool"] = pool
		_, err := do(l, l.a, (*Activities).rollout, contract.RolloutInput{Stage: stage, State: start(l.out["base"]["model"])})
		return err
	}
	evaluate := func(pool artifact.Ref) error {
		stage := l.stage("solved")
		stage.Data[stage.Stage.Settings.(*pipelines.Evaluate).Tasks] = pool
		_, err := do(l, l.a, (*Activities).evaluateModel, contract.EvaluateInput{Stage: stage, Name: "m", Model: l.out["base"]["model"]})
		return err
	}
	remedy := regexp.MustCompile(`^.*1 of 40 prompts are too long for the model: problem chain:\w+ has \d+ tokens, with max_tokens 52 more than its 64 positions; .*clean: \{longest: (\d+)\}`)
	for name, run := range map[string]func(artifact.Ref) error{"rollout": rollout, "evaluate": evaluate} {
		err := run(set(0))
		require.Error(t, err, name)
		require.Regexp(t, remedy, err.Error(), name)
		longest, _ := strconv.Atoi(remedy.FindStringSubmatch(err.Error())[1])
		require.NoError(t, run(set(longest)), "%s: the remedy helps", name)
	}
}

// TestLongDemonstrationsAreFoundAtTheBeginning, not in the step that draws one.
func TestLongDemonstrationsAreFoundAtTheBeginning(t *testing.T) {
	l := newLab(t)
	for length, says := range map[int]string{48: "", 24: "length: 8 of 8 demonstrations do not fit a row of 24: problem chain:"} {
		stage := l.stage("sft")
		stage.Stage.Settings.(*pipelines.SFT).Length = length
		_, err := do(l, l.a, (*Activities).trainDemos, contract.TrainInput{Stage: stage, State: start(l.out["base"]["model"]), Span: contract.Span{To: 1}, Total: 4})
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says)
	}
	demo := func(n int) train.Demo { return train.Demo{Prompt: make([]int32, n), Response: make([]int32, 2)} }
	name := func(i int) string { return string(rune('a' + i)) }
	require.NoError(t, fitRows([]train.Demo{demo(1), demo(9)}, 10, name))
	require.EqualError(t, fitRows([]train.Demo{demo(1), demo(10), demo(12)}, 10, name), "length: 2 of 3 demonstrations do not fit a row of 10: c needs one of 13")
}
