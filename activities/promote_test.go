package activities

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/artifact/memory"
	"temper/eval"
	"temper/eval/report"
	"temper/pipelines"
	"temper/tasks"
)

const promoteYAML = `
name: circle
base: {alias: champion, or: {import: /x}}
tasks: {held: {procedural: chain, count: 20}}
stages:
  - evaluate: {models: [base], tasks: held, k: [1, 2]}
  - promote: {model: base, alias: champion, gate: {p: 0.05}}
`

// podium is a bucket and the activities of a promotion.
type podium struct {
	t     *testing.T
	a     *Activities
	stage contract.Stage
}

func newPodium(t *testing.T, set ...string) *podium {
	p, err := pipelines.Parse("p.yaml", []byte(promoteYAML), set)
	require.NoError(t, err)
	return &podium{t: t, a: New(Config{Store: artifact.New(memory.New()), Log: slog.New(slog.DiscardHandler)}),
		stage: contract.Stage{Run: "circle-1", Seed: 3, Stage: *p.Stage("promote")}}
}

func (p *podium) commit(kind, name string, files map[string][]byte) artifact.Ref {
	p.t.Helper()
	ref, err := p.a.store.Commit(p.t.Context(), artifact.Manifest{Kind: kind, Summary: name, Metrics: map[string]float64{"params": 12}}, files)
	require.NoError(p.t, err)
	return ref
}

// measured is the evaluation of a model that got so many of two samples right on each problem.
func (p *podium) measured(name string, right ...int) artifact.Ref {
	p.t.Helper()
	details := make([]report.ProblemDetail, len(right))
	for i, n := range right {
		details[i] = report.ProblemDetail{ID: string(rune('a' + i)), Judged: 2, Correct: n, Scored: 2, Reward: float64(n) / 2}
	}
	files, err := evaluationFiles(eval.Result{Model: name}, details, make([]tasks.Problem, len(right)))
	require.NoError(p.t, err)
	return p.commit(kindEvaluation, name, files)
}

func TestCompareModels(t *testing.T) {
	worse := []int{0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0}
	better := []int{2, 1, 1, 2, 0, 2, 2, 1, 2, 2, 1, 2}
	slight := []int{0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0}
	for _, c := range []struct {
		name           string
		model, against []int
		set            []string
		holds          bool
		text           string
	}{
		{"better", better, worse, nil, true, "pass@1 75.0% against 8.3% over 12 problems, p 0.0005"},
		{"worse", worse, better, nil, false, "pass@1 8.3% against 75.0%"},
		{"equal", worse, worse, nil, false, "p 1"},
		{"better by chance", slight, worse, nil, false, "pass@1 12.5% against 8.3%"},
		{"better by chance, and that is enough", slight, worse, []string{"stages.promote.gate.test=none"}, true, "over 12 problems"},
		{"not by enough", better, worse, []string{"stages.promote.gate.margin=0.7"}, false, ""},
		{"by just enough", []int{1, 1, 1, 1}, []int{0, 0, 0, 0}, []string{"stages.promote.gate.margin=0.5", "stages.promote.gate.test=none"}, true, ""},
		{"another metric", []int{1, 1, 1, 1, 1, 1}, []int{2, 2, 0, 0, 0, 0}, []string{"stages.promote.gate.metric=pass@2"}, true, "pass@2 100.0% against 33.3%"},
		{"reward", better, worse, []string{"stages.promote.gate.metric=reward"}, true, "reward 0.750 against 0.083"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPodium(t, c.set...)
			model, champion := p.commit(kindModel, "model", nil), p.commit(kindModel, "champion", nil)
			in := contract.CompareInput{Stage: p.stage, Model: model, Champion: champion, Candidate: p.measured("new", c.model...), Against: p.measured("old", c.against...)}
			out, err := p.a.compareModels(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, c.holds, out.Holds, out.Text)
			require.Contains(t, out.Text, c.text)
			again, err := p.a.compareModels(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, out, again)

			node, err := p.a.store.Lineage(t.Context(), out.Ref)
			require.NoError(t, err)
			require.Len(t, node.Ancestors(), 4)
			body, err := p.a.store.Read(t.Context(), out.Ref, promotionFile)
			require.NoError(t, err)
			var record promotion
			require.NoError(t, json.Unmarshal(body, &record))
			require.Equal(t, []any{"champion", model, c.holds}, []any{record.Alias, record.Model, record.Result.Holds})
		})
	}
}

func TestCompareModelsErrors(t *testing.T) {
	p := newPodium(t)
	model := p.commit(kindModel, "model", nil)
	none := p.commit(kindEvaluation, "none", map[string][]byte{report.DetailsFile: nil})
	_, err := p.a.compareModels(t.Context(), contract.CompareInput{Stage: p.stage, Model: model, Champion: model, Candidate: p.measured("new", 1), Against: none})
	require.ErrorContains(t, err, "none of the 1 and 0 problems is measured for both")
	_, err = p.a.compareModels(t.Context(), contract.CompareInput{Stage: p.stage, Candidate: model, Against: none})
	require.ErrorIs(t, err, artifact.ErrNotFound)
}

func TestAliasActivities(t *testing.T) {
	p := newPodium(t)
	got, err := p.a.resolveAlias(t.Context(), "champion")
	require.NoError(t, err)
	require.Equal(t, contract.NamedModel{}, got)

	first, second := p.commit(kindModel, "first", nil), p.commit(kindModel, "second", map[string][]byte{"f": nil})
	in := contract.PromoteInput{Run: "circle-1", Stage: "promote", Alias: "champion", Model: first, Why: "the first"}
	for range 2 { // and a retry
		done, err := p.a.promoteModel(t.Context(), in)
		require.NoError(t, err)
		require.True(t, done.Done)
	}
	got, err = p.a.resolveAlias(t.Context(), "champion")
	require.NoError(t, err)
	require.Equal(t, contract.NamedModel{Found: true, Ref: first, Params: 12}, got)
	in.Model = second
	done, err := p.a.promoteModel(t.Context(), in)
	require.NoError(t, err)
	require.False(t, done.Done, "it expected no champion")
	in.Expect = first
	done, err = p.a.promoteModel(t.Context(), in)
	require.NoError(t, err)
	require.True(t, done.Done)
	values, err := p.a.store.AliasHistory(t.Context(), "champion")
	require.NoError(t, err)
	require.Len(t, values, 2)
	require.Equal(t, "circle-1/promote", values[1].Who)

	require.NoError(t, p.a.store.SetAlias(t.Context(), "data", p.commit("problems", "x", nil), nil, "me", ""))
	same, err := p.a.resolveAlias(t.Context(), got.Ref.Kind+"/"+got.Ref.Digest)
	require.NoError(t, err)
	require.Equal(t, got, same, "a full reference stands for itself")
	_, err = p.a.resolveAlias(t.Context(), "data")
	require.ErrorContains(t, err, "which is no model")
	in.Alias = "Not A Name"
	_, err = p.a.promoteModel(t.Context(), in)
	require.ErrorContains(t, err, "Not A Name")
}
