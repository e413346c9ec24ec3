package report

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/eval"
	"temper/pipelines"
	"temper/tasks"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const pipelineText = `name: demo
seed: 7
base: {import: /models/base}
tasks:
  pool: {procedural: chain, seed: 1, count: 10}
  test: {procedural: chain, seed: 2, count: 10}
stages:
  - sft: {model: base, data: pool}
  - rl: {id: rl1, model: sft, tasks: pool, recipe: relift, rounds: 6, prompts: 16}
  - rl: {id: grpo, model: sft, tasks: pool, rounds: 6, prompts: 16}
  - curate: {id: limr, log: grpo, tasks: pool}
  - curate: {id: random, method: random, tasks: pool, like: limr}
  - rl: {id: few, model: sft, tasks: limr, rounds: 3}
  - rl: {id: chance, model: sft, tasks: random, rounds: 3}
  - synthesize: {id: sws, model: rl1, log: rl1, tasks: [pool]}
  - rl: {id: rl2, model: rl1, tasks: [pool, sws], rounds: 5}
  - evaluate: {models: [base, sft, rl1, few, chance, rl2], tasks: test, k: [1, 4]}
  - evaluate: {id: questions, models: [sft, rl1, grpo], tasks: pool, k: [1, 4]}
  - evaluate: {id: style, models: [base, rl2], tasks: test, reward: [{distinct: 1}, {length: 1, shape: linear}]}
report:
  relift: {stage: rl1, control: grpo, base: sft, evaluation: questions}
  limr: {stage: limr, control: random, model: few, control_model: chance, evaluation: evaluate}
  sws: {stage: sws, before: rl1, after: rl2, evaluation: evaluate}
  samples: {evaluation: evaluate, models: [base, rl2], n: 2}
`

// problems of the fixture; the concept b is the hard one.
func problems(n int) []tasks.Problem {
	out := make([]tasks.Problem, n)
	for i := range out {
		out[i] = tasks.Problem{ID: fmt.Sprintf("chain-%d", i), Prompt: fmt.Sprintf("%02da%02d?", i, 3*i), Concepts: []string{"a"}, Difficulty: 1 + i%2}
		if i%3 == 0 {
			out[i].Concepts = []string{"a", "b"}
		}
	}
	return out
}

// measured is one model's result and details; skill is how many of four samples are right, less one for each hard concept or step.
func measured(model string, params int64, ps []tasks.Problem, skill int) (eval.Result, []ProblemDetail) {
	correct := make([][]bool, len(ps))
	details := make([]ProblemDetail, len(ps))
	for i, p := range ps {
		right := min(4, max(0, skill+i%3-p.Difficulty-2*(len(p.Concepts)-1)))
		correct[i] = []bool{right > 0, right > 1, right > 2, right > 3}
		details[i] = ProblemDetail{ID: p.ID, Prompt: p.Prompt, Concepts: p.Concepts, Difficulty: p.Difficulty, Correct: right, Judged: 4,
			Reward: float64(right) / 4, Responses: []string{fmt.Sprintf("%s=%d\n#%d", p.Prompt[:5], right, right), "#0"}}
	}
	result, err := eval.Summarise(ps, correct, nil, []int{1, 4}, 7)
	if err != nil {
		panic(err) // the fixture is sound
	}
	result.Model, result.Params = model, params
	return result, details
}

// full is a run with every part of the report.
func full(t *testing.T) Input {
	t.Helper()
	p, err := pipelines.Parse("demo.yaml", []byte(pipelineText), nil)
	require.NoError(t, err)
	in := Input{Run: "demo-20250102", Pipeline: p, Stages: map[string]StageInfo{}, Results: map[string][]eval.Result{},
		Details: map[string]map[string][]ProblemDetail{"evaluate": {}, "questions": {}}, Logs: map[string]Log{}}
	for i, st := range p.Stages {
		in.Stages[st.ID] = StageInfo{Kind: st.Kind, Summary: "summary of " + st.ID, Seconds: math.Pow(4, float64(i)) / 10,
			Outputs: map[string]artifact.Ref{pipelines.Outputs(st.Kind)[0]: {Kind: "model", Digest: fmt.Sprintf("%064x", i)}}}
	}
	in.Stages["base"] = StageInfo{Kind: "import", Summary: "3.4M parameters", Skipped: true}
	number := func(stage string, numbers map[string]float64) {
		info := in.Stages[stage]
		info.Numbers = numbers
		in.Stages[stage] = info
	}
	number("limr", map[string]float64{"kept": 12, "of": 40, "mislabelled_all": 5, "mislabelled_kept": 1})
	number("random", map[string]float64{"kept": 12})
	number("sws", map[string]float64{"written": 2000, "agreed": 1500, "kept": 800, "weak/b": 0.75, "weak/m": 0.5})
	for _, e := range []struct {
		stage  string
		n      int
		skills map[string]int
	}{
		{"evaluate", 24, map[string]int{"base": 0, "sft": 2, "rl1": 3, "few": 3, "chance": 2, "rl2": 5}},
		{"questions", 40, map[string]int{"sft": 1, "rl1": 4, "grpo": 2}},
	} {
		for _, model := range p.Stage(e.stage).Settings.(*pipelines.Evaluate).Models {
			result, details := measured(model, 3_410_000, problems(e.n), e.skills[model])
			in.Results[e.stage] = append(in.Results[e.stage], result)
			in.Details[e.stage][model] = details
		}
	}
	for i, model := range []string{"base", "rl2"} {
		in.Results["style"] = append(in.Results["style"], eval.Result{Model: model, N: 24, Samples: 96,
			Reward: &eval.RewardStat{Mean: 0.5 + 0.25*float64(i), CI95: [2]float64{0.4, 0.8}, Parts: map[string]float64{"distinct": 0.25, "length": 0.25 * float64(1+i)}}})
	}
	in.Logs["rl1"], in.Logs["grpo"] = rlLog(6, 3), rlLog(6, 0)
	return in
}

// rlLog interleaves every so many rounds; 0 for never.
func rlLog(rounds, every int) Log {
	var log Log
	for r := range rounds {
		line := LogRound{Round: r, Reward: float64(r) / 10, Solved: float64(r) / 8, Entropy: 1 / float64(r+1), Norm: 0.5}
		if every > 0 && r%every == every-1 {
			line.Interleave, line.Demos = 2, []string{"chain-3", fmt.Sprintf("chain-%d", r)}
		}
		log.Rounds = append(log.Rounds, line)
	}
	for i, p := range problems(40) {
		problem := LogProblem{ID: p.ID, Concepts: p.Concepts, Source: "pool", Mislabelled: i%8 == 0}
		if i < 32 {
			problem.Visits = []Visit{{Round: i % rounds, Rate: 0.5}}
		}
		log.Problems = append(log.Problems, problem)
	}
	return log
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s; go test -update rewrites it", path)
}

func TestGolden(t *testing.T) {
	doc, err := Build(full(t))
	require.NoError(t, err)
	body, err := doc.JSON()
	require.NoError(t, err)
	golden(t, "full.json", body)
	golden(t, "full.md", []byte(doc.Markdown()))
	golden(t, "full.txt", []byte(doc.Text()))
	html, err := doc.HTML()
	require.NoError(t, err)
	golden(t, "full.html", html)
}

// What people see needs nothing that is not in the JSON.
func TestDocumentComesBackFromItsJSON(t *testing.T) {
	doc, err := Build(full(t))
	require.NoError(t, err)
	body, err := doc.JSON()
	require.NoError(t, err)
	var back Document
	require.NoError(t, json.Unmarshal(body, &back))
	require.Equal(t, doc.Markdown(), back.Markdown())
	require.Equal(t, doc.Text(), back.Text())
	want, err := doc.HTML()
	require.NoError(t, err)
	got, err := back.HTML()
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestShapeOfJSON(t *testing.T) {
	in := full(t)
	in.Pipeline.Report = nil
	doc, err := Build(in)
	require.NoError(t, err)
	body, err := doc.JSON()
	require.NoError(t, err)
	var wire map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &wire))
	var keys []string
	for k := range wire {
		keys = append(keys, k)
	}
	require.ElementsMatch(t, []string{"run", "pipeline", "seeds", "models", "evaluation", "stages"}, keys, "parts that nobody asked for are absent")
	require.JSONEq(t, `[7]`, string(wire["seeds"]))
	var models []struct {
		Name   string                `json:"name"`
		Params int64                 `json:"params"`
		N      int                   `json:"n"`
		PassAt map[string]float64    `json:"pass_at"`
		CI95   map[string][2]float64 `json:"ci95"`
	}
	require.NoError(t, json.Unmarshal(wire["models"], &models))
	require.Len(t, models, 6)
	require.Equal(t, "base", models[0].Name)
	require.EqualValues(t, 3_410_000, models[0].Params)
	require.Len(t, models[0].PassAt, 2)
	require.Contains(t, models[0].CI95, "4")
}
