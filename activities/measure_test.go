package activities

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/eval"
	"temper/pipelines"
	"temper/tasks"
)

func TestDistillOnPolicy(t *testing.T) {
	l := newLab(t)
	stage := l.stage("student")
	student, err := l.a.initModel(l.ctx, stage)
	require.NoError(t, err)
	export := func(a *Activities, s contract.State) artifact.Ref {
		return done(l, a, (*Activities).exportModel, contract.StateInput{Stage: stage, State: s}).Ref
	}
	calm := newWorker(t, l.store)
	states := []contract.State{start(student.Ref)}
	var rounds []contract.DistillOutput
	for n := range 2 {
		r := done(l, calm, (*Activities).distillRound, contract.DistillInput{Stage: stage, State: states[n], Round: n})
		require.Positive(t, r.Divergence, "student and teacher differ")
		require.Positive(t, r.Norm)
		rounds, states = append(rounds, r), append(states, r.State)
	}
	want := export(calm, states[2])
	require.NotEqual(t, student.Ref.Content, want.Content)

	crashed := newWorker(t, l.store)
	again := done(l, crashed, (*Activities).distillRound, contract.DistillInput{Stage: stage, State: states[1], Round: 1})
	require.Equal(t, rounds[1], again, "a replay samples and learns the same")
	require.Equal(t, want, export(crashed, again.State))
	require.Equal(t, want, export(newWorker(t, l.store), states[2]), "the whole log")
}

func TestSampleTeacher(t *testing.T) {
	l := newLab(t)
	out := done(l, l.a, (*Activities).sampleTeacher, l.stage("student"))
	demos, err := l.a.demonstrations(l.ctx, out.Data)
	require.NoError(t, err)
	require.Len(t, demos, out.Count)
	require.Positive(t, out.Count)
	e, err := l.a.open()
	require.NoError(t, err)
	teacher, err := l.a.model(l.ctx, e, l.out["probe"]["model"])
	require.NoError(t, err)
	for _, d := range demos {
		last, limit := d.Response[len(d.Response)-1], l.stage("student").Stage.Settings.(*pipelines.Distill).MaxTokens
		require.True(t, slices.Contains(teacher.text.stops, last) || len(d.Response) == limit, "a response ends by itself or is cut at the limit")
		require.NotEmpty(t, d.Prompt)
	}

	l = newLab(t, "stages.student.only_correct=true")
	_, err = do(l, l.a, (*Activities).sampleTeacher, l.stage("student"))
	require.EqualError(t, err, "stage student: none of the teacher's 16 responses can be used (only_correct: true, max_tokens: 12)")
}

func TestEvaluateModel(t *testing.T) {
	l := newLab(t)
	model := l.out["base"]["model"]
	evaluate := func(stage, name string) contract.EvaluateOutput {
		return done(l, l.a, (*Activities).evaluateModel, contract.EvaluateInput{Stage: l.stage(stage), Name: name, Model: model})
	}
	base, probe := evaluate("solved", "base"), evaluate("solved", "probe")
	require.Equal(t, 8, base.Result.N)
	require.Equal(t, 16, base.Result.Samples)
	require.Contains(t, base.Result.PassAt, 1)
	require.Contains(t, base.Result.PassAt, 2)
	require.Nil(t, base.Result.Reward)
	require.Positive(t, base.Result.Params)
	probe.Result.Model = "base"
	require.Equal(t, base.Result, probe.Result, "every model gets the same problems and the same noise")
	details, err := l.a.details(l.ctx, base.Ref)
	require.NoError(t, err)
	require.Len(t, details, 8)
	for _, d := range details {
		require.Equal(t, 2, d.Judged)
		require.Len(t, d.Responses, keepResponses)
	}
	node, err := l.store.Lineage(l.ctx, base.Ref)
	require.NoError(t, err)
	require.Contains(t, node.Ancestors(), model)
	require.Contains(t, node.Ancestors(), l.sets["pool"].Ref)

	liked := evaluate("liked", "base").Result
	require.Empty(t, liked.PassAt, "without a correct part nothing is right or wrong")
	require.NotNil(t, liked.Reward)
	require.ElementsMatch(t, []string{"format", "length"}, keys(liked.Reward.Parts))
	require.InDelta(t, liked.Reward.Parts["format"]+liked.Reward.Parts["length"], liked.Reward.Mean, 1e-9)

	unanswered(l, func(i int) bool { return i < 3 })
	some := evaluate("solved", "base").Result
	require.Equal(t, 10, some.Samples, "what cannot be judged is in none of the numbers")
	require.Equal(t, map[int]int{1: 3, 2: 3}, some.Skipped)
	unanswered(l, func(int) bool { return true })
	_, err = do(l, l.a, (*Activities).evaluateModel, contract.EvaluateInput{Stage: l.stage("solved"), Name: "base", Model: model})
	require.ErrorContains(t, err, "the reward of every sample failed; the first: ")
}

// TestAnEvaluationKeepsItsResponses: they are drawn a shard at a time, are the same in whatever shard, and are not drawn again.
func TestAnEvaluationKeepsItsResponses(t *testing.T) {
	first := func(samples string) (*lab, [][]response, eval.Result) {
		l := newLab(t, "stages.solved.samples="+samples, "stages.solved.max_tokens=8")
		in := contract.EvaluateInput{Stage: l.stage("solved"), Name: "base", Model: l.out["base"]["model"]}
		result := done(l, l.a, (*Activities).evaluateModel, in).Result
		var out [][]response
		for e, err := range l.store.List(l.ctx, kindResponses) {
			require.NoError(t, err)
			var part [][]response
			require.NoError(t, l.a.readGzip(l.ctx, e.Ref, responsesFile, &part))
			if e.Manifest.Summary == "responses of base to problems 1 to 2 of pool" || len(part) == 8 {
				out = part[:2]
			}
		}
		return l, out, result
	}
	count := func(l *lab) (n int) {
		for _, err := range l.store.List(l.ctx, kindResponses) {
			require.NoError(t, err)
			n++
		}
		return n
	}
	few, one, _ := first("2")
	require.Equal(t, 1, count(few))
	many, parts, result := first("2048")
	require.Equal(t, 4, count(many), "two problems each")
	require.Len(t, parts[1], 2048)
	for i := range one {
		require.Equal(t, one[i], parts[i][:2], "problem %d", i+1)
	}
	require.Contains(t, result.Calibration, eval.Votes)
	require.Contains(t, result.Likeliest, 2)
	again := done(many, newWorker(t, many.store), (*Activities).evaluateModel, contract.EvaluateInput{Stage: many.stage("solved"), Name: "again", Model: many.out["base"]["model"]})
	require.Equal(t, 4, count(many))
	again.Result.Model = "base"
	require.Equal(t, result, again.Result)

	fresh := many.stage("solved")
	fresh.Fresh = "tonight"
	anew := done(many, newWorker(t, many.store), (*Activities).evaluateModel, contract.EvaluateInput{Stage: fresh, Name: "base", Model: many.out["base"]["model"]})
	require.Equal(t, result, anew.Result, "drawn again")
	_, ok, err := many.store.Recall(many.ctx, keyOf(t, fresh, many.out["base"]["model"]))
	require.NoError(t, err)
	require.True(t, ok)
}

// keyOf is the name of the first two problems' responses.
func keyOf(t *testing.T, stage contract.Stage, model artifact.Ref) string {
	t.Helper()
	x := examination{in: contract.EvaluateInput{Stage: stage, Model: model}, settings: stage.Stage.Settings.(*pipelines.Evaluate)}
	key, err := x.key(contract.Span{To: 2})
	require.NoError(t, err)
	return key
}

func keys(m map[string]float64) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestWriteReport(t *testing.T) {
	l := newLab(t)
	l.commitLog("probe", nil)
	evaluated := func(stage string, names ...string) contract.StageOut {
		out := contract.StageOut{Outputs: map[string]artifact.Ref{}}
		for _, name := range names {
			row := done(l, l.a, (*Activities).evaluateModel, contract.EvaluateInput{Stage: l.stage(stage), Name: name, Model: l.out[name]["model"]})
			out.Outputs["model/"+name], out.Results = row.Ref, append(out.Results, row.Result)
		}
		return out
	}
	solved := evaluated("solved", "base", "probe")
	in := contract.ReportInput{Run: "lab", Pipeline: l.p, Stages: map[string]contract.StageOut{
		"base":   {Outputs: l.out["base"], Summary: "drawn"},
		"probe":  {Outputs: l.out["probe"], Summary: "3 rounds", Numbers: map[string]float64{"rounds": 3}},
		"solved": solved, "liked": evaluated("liked", "base"),
	}}
	out, err := l.a.writeReport(l.ctx, in)
	require.NoError(t, err)
	require.Contains(t, out.Table, "base")
	for _, file := range []string{"report.json", "report.md", "report.html", "report.txt"} {
		body, err := l.store.Read(l.ctx, out.Ref, file)
		require.NoError(t, err)
		require.NotEmpty(t, body, file)
		require.Equal(t, file == "report.json", json.Valid(body), file)
	}
	again, err := newWorker(t, l.store).writeReport(l.ctx, in)
	require.NoError(t, err)
	require.Equal(t, out, again, "maps do not shuffle the report")
	node, err := l.store.Lineage(l.ctx, out.Ref)
	require.NoError(t, err)
	require.Contains(t, node.Ancestors(), l.out["base"]["model"])
	require.Contains(t, node.Ancestors(), solved.Outputs["model/probe"])

	in.Stages["liked"].Outputs["model/base"] = made(kindEvaluation, strings.Repeat("0", 64))
	_, err = l.a.writeReport(l.ctx, in)
	require.ErrorIs(t, err, artifact.ErrNotFound)
	require.ErrorContains(t, err, "stage liked")
}

// TestContaminationIsNoted: problems that the model's lineage was trained on, and a model of which nothing is known.
func TestContaminationIsNoted(t *testing.T) {
	l := newLab(t)
	evaluate := func(model artifact.Ref) *eval.Contamination {
		return done(l, l.a, (*Activities).evaluateModel, contract.EvaluateInput{Stage: l.stage("solved"), Name: "m", Model: model}).Result.Contamination
	}
	require.Equal(t, &eval.Contamination{Words: 13, Sets: 1}, evaluate(l.out["base"]["model"]), "its stream is another")
	files, err := l.a.files(l.ctx, l.out["base"]["model"])
	require.NoError(t, err)
	imported, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindModel}, files)
	require.NoError(t, err)
	require.Nil(t, evaluate(imported))
	pool := l.problems(l.sets["pool"].Ref)
	seen, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindProblems}, map[string][]byte{problemsFile: tasks.WriteJSONL(pool[:3])})
	require.NoError(t, err)
	trained, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindModel, Parents: []artifact.Parent{{Role: "tasks/x", Ref: seen}}}, files)
	require.NoError(t, err)
	next, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindModel, Parents: []artifact.Parent{{Role: "model", Ref: trained}, {Role: "tasks/demos", Ref: l.sets["demos"].Ref}}}, files)
	require.NoError(t, err)
	require.Equal(t, &eval.Contamination{Problems: 3, Whole: 3, Words: 13, Sets: 2}, evaluate(next))
}

// TestPartsBesideRightAndWrongAreMeasured: an evaluation with pass@k says what the reward's other parts came to.
func TestPartsBesideRightAndWrongAreMeasured(t *testing.T) {
	l := newLab(t, "stages.solved.reward=[{correct: 1.0, answer: hash}, {length: 0.5, shape: linear}]")
	got := done(l, l.a, (*Activities).evaluateModel, contract.EvaluateInput{Stage: l.stage("solved"), Name: "m", Model: l.out["base"]["model"]}).Result
	require.NotEmpty(t, got.PassAt)
	require.ElementsMatch(t, []string{"correct", "length"}, keys(got.Reward.Parts))
	require.InDelta(t, got.Reward.Parts["correct"]+got.Reward.Parts["length"], got.Reward.Mean, 1e-9)
}
