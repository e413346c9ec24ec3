package pipelines

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// reported is small with a control for each comparison and a report of every part.
const reported = small + `  - rl: {id: plain, model: sft, tasks: pool, rounds: 5}
  - curate: {id: random, method: random, tasks: pool, like: curate}
  - rl: {id: rl3, model: sft, tasks: random, rounds: 5}
  - evaluate: {id: questions, models: [sft, rl1, plain, rl2, rl3], tasks: pool}
  - evaluate: {id: style, models: [base, rl2], tasks: other, reward: [{distinct: 1}]}
report:
  models: questions
  relift: {stage: rl1, control: plain, base: sft, evaluation: questions}
  limr: {stage: curate, control: random, model: rl2, control_model: rl3, evaluation: questions}
  sws: {stage: sws, before: rl1, after: rl2, evaluation: questions}
  samples: {evaluation: style, models: [base, rl2]}
`

func TestReport(t *testing.T) {
	p, err := Parse("r.yaml", []byte(reported), nil)
	require.NoError(t, err)
	require.Equal(t, "questions", p.MainEvaluation())
	require.Equal(t, &ReLIFTReport{Stage: "rl1", Control: "plain", Base: "sft", Evaluation: "questions"}, p.Report.ReLIFT)
	require.Equal(t, &SamplesReport{Evaluation: "style", Models: Names{"base", "rl2"}, N: 3}, p.Report.Samples)

	data, err := json.Marshal(p)
	require.NoError(t, err)
	var again Pipeline
	require.NoError(t, json.Unmarshal(data, &again))
	require.NoError(t, again.Validate())
	require.Equal(t, p.Report, again.Report)

	p, err = Parse("r.yaml", []byte(small), nil)
	require.NoError(t, err)
	require.Nil(t, p.Report)
	require.Equal(t, "evaluate", p.MainEvaluation(), "the first evaluate stage")
	data, err = json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(data), `"report":{`)

	_, err = Parse("r.yaml", []byte(reported), []string{"report.models=evaluat"})
	require.ErrorContains(t, err, `--set: report.models: no stage named "evaluat"; did you mean evaluate?`)
	p, err = Parse("r.yaml", []byte("base: {import: x}\nreport: {}"), nil)
	require.NoError(t, err)
	require.Empty(t, p.MainEvaluation())
}

func TestTransferIsChecked(t *testing.T) {
	with := func(report string) error {
		_, err := Parse("r.yaml", []byte(reported[:strings.Index(reported, "report:")]+"report:\n  transfer: "+report), nil)
		return err
	}
	require.NoError(t, with("{base: sft, domains: [{name: a, model: rl1, evaluation: questions}, {name: b, model: rl2, evaluation: questions}]}"))
	for says, report := range map[string]string{
		"transfer.domains": "{base: sft, domains: [{name: a, model: rl1, evaluation: questions}]}",
		"domains[1].evaluation: no stage named \"nothing\"":              "{base: sft, domains: [{name: a, model: rl1, evaluation: questions}, {name: b, model: rl2, evaluation: nothing}]}",
		"domains[1].model: stage \"questions\" does not measure \"sws\"": "{base: sft, domains: [{name: a, model: rl1, evaluation: questions}, {name: b, model: sws, evaluation: questions}]}",
		"transfer.domains:": "{base: sft, domains: [{name: a, model: rl1, evaluation: questions}, {name: a, model: rl2, evaluation: questions}]}",
	} {
		require.ErrorContains(t, with(report), says)
	}
}

func TestReportIsInNoKey(t *testing.T) {
	plain := parsed(t)
	told := parsed(t, "report.samples={evaluation: evaluate, models: [base], n: 2}")
	require.Equal(t, 2, told.Report.Samples.N)
	for i := range plain.Stages {
		require.Equal(t, plain.Stages[i].Key(nil, nil, 1), told.Stages[i].Key(nil, nil, 1))
	}
}

func TestReportRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"models: questions\n", "models: qestions\n", `r.yaml:25: report.models: no stage named "qestions"; did you mean questions?`},
		{"models: questions\n", "models: rl1\n", `r.yaml:25: report.models: stage "rl1" is of kind rl, not evaluate`},
		{"{stage: rl1, control", "{stage: sft, control", `r.yaml:26: report.relift.stage: stage "sft" is of kind sft, not rl`},
		{"base: sft,", "base: base,", `r.yaml:26: report.relift.base: stage "questions" does not measure "base"; it measures sft, rl1, plain, rl2, rl3`},
		{"base: sft, evaluation: questions", "base: sft", `r.yaml:26: report.relift.evaluation: is required`},
		{"base: sft, evaluation: questions", "base: sft, evaluation: style", `r.yaml:26: report.relift.evaluation: stage "style" has no correct part`},
		{"{stage: curate, control: random", "{stage: random, control: curate", `r.yaml:27: report.limr.stage: stage "random" has method random, not limr`},
		{"control_model: rl3, ", "", `r.yaml:27: report.limr.control_model: is required together with control`},
		{"after: rl2", "after: rl4", `r.yaml:28: report.sws.after: stage "questions" does not measure "rl4"`},
		{"{stage: sws, before", "{stage: rl2, before", `r.yaml:28: report.sws.stage: stage "rl2" is of kind rl, not synthesize`},
		{"style, models: [base, rl2]}", "style, models: [base, rl1]}", `r.yaml:29: report.samples.models[1]: stage "style" does not measure "rl1"`},
		{"style, models: [base, rl2]}", "style, models: []}", `r.yaml:29: report.samples.models: `},
		{"style, models: [base, rl2]}", "style, models: base, n: -1}", `r.yaml:29: report.samples.n: must be at least 1, is -1`},
		{"  sws: {stage", "  swd: {stage", `r.yaml:28: report.swd: unknown setting; did you mean report.sws?`},
	} {
		require.Equal(t, 1, strings.Count(reported, c.old), "%q must stand there once", c.old)
		_, err := Parse("r.yaml", []byte(strings.Replace(reported, c.old, c.new, 1)), nil)
		require.ErrorContains(t, err, c.want)
	}
}

func TestEvaluateWithoutAJudge(t *testing.T) {
	p := parsed(t, "stages.evaluate.reward=[{distinct: 1}]", "stages.evaluate.k=[1, 2]", "stages.evaluate.samples=4")
	require.Equal(t, "measure mean reward of base, rl2 with 4 samples on other", p.Plan()[6].Title)
	_, err := Parse("small.yaml", []byte(small), []string{"stages.evaluate.reward=[]"})
	require.ErrorContains(t, err, "stages.evaluate.reward: needs at least one part")
}

func TestRowsOfTraining(t *testing.T) {
	p := parsed(t, "stages.rl2.length=300", "stages.sft.examples=8")
	rl := p.Stage("rl1").Settings.(*RL)
	require.Equal(t, []any{64, 0, true}, []any{rl.Rows, rl.Length, rl.Packing})
	require.Equal(t, 300, p.Stage("rl2").Settings.(*RL).Length)
	require.Equal(t, 8, p.Stage("sft").Settings.(*SFT).Examples)

	tiny, err := Load("tiny", nil)
	require.NoError(t, err)
	require.False(t, tiny.Stage("base").Settings.(*Pretrain).MaskPrompt)
	_, err = Load("tiny", []string{"stages.student.length=24"})
	require.ErrorContains(t, err, "stages.student.length: must be above max_tokens (24) for on_policy")
	_, err = Load("tiny", []string{"stages.student.length=24", "stages.student.on_policy.rounds=0"})
	require.NoError(t, err)
}
