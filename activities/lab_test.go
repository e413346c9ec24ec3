package activities

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/artifact/memory"
	"temper/device"
	"temper/device/devicetest"
	"temper/eval/report"
	"temper/lm/hf"
	"temper/pipelines"
	"temper/tasks"
)

// labYAML has every kind of stage around a small model. Rewards of a format make the samples of a random model differ. Lengths and batches
// are such that few programs are compiled: 16 sequences to sample, one micro-batch to train.
const labYAML = `
name: lab
seed: 7
base:
  pretrain:
    model: {layers: 1, hidden: 16, heads: 2, kv_heads: 1, ffn: 32, qk_norm: true, max_positions: 64}
    data: stream
    steps: 4
    rows: 4
    length: 48
    lr: 3.0e-3
tasks:
  stream: {procedural: chain, seed: 1, count: 50, concepts: [a, b, m], difficulty: [2, 2]}
  demos: {procedural: chain, seed: 2, count: 8, concepts: [a, b, m], difficulty: [2, 2]}
  pool: {procedural: chain, seed: 3, count: 8, concepts: [a, b, m], difficulty: [2, 2], exclude: [demos]}
stages:
  - sft: {model: base, data: demos, steps: 4, rows: 4, length: 48, packing: true, lr: 1.0e-3}
  - rl:
      id: probe
      model: base
      tasks: pool
      recipe: grpo
      override: &toy
        group: 4
        reward: [{correct: 1.0, answer: hash}, {format: 0.5, pattern: '\d$'}]
        interleave: {when: unsolved, fill: 2, lr: 1.0e-3}
      rounds: 3
      prompts: 3
      max_tokens: 12
      rows: 16
      lr: 1.0e-3
  - curate: {id: limr, log: probe, tasks: pool, keep: {min_score: 0.6}}
  - curate: {id: chance, method: random, tasks: pool, like: limr}
  - synthesize: {id: sws, model: probe, log: probe, tasks: pool, budget: 8, steps: [1, 2], answer_samples: 2, agree: 1, keep: {low: 0, high: 1}, max_tokens: 12}
  - rl: {id: more, model: probe, tasks: [limr, sws], recipe: grpo, override: *toy, rounds: 1, prompts: 3, max_tokens: 12, rows: 16, lr: 1.0e-3}
  - distill:
      id: student
      teacher: probe
      student: {layers: 1, hidden: 8, heads: 1, ffn: 16, max_positions: 64}
      tasks: pool
      samples: 2
      only_correct: false
      steps: 4
      rows: 4
      length: 48
      max_tokens: 12
      on_policy: {rounds: 2, prompts: 16}
  - evaluate: {id: solved, models: [base, probe], tasks: pool, k: [1, 2], samples: 2, max_tokens: 12, reward: [{correct: 1.0, answer: hash}]}
  - evaluate: {id: liked, models: [base], tasks: pool, k: [1], samples: 2, max_tokens: 12, reward: [{format: 0.5, pattern: '\d$'}, {length: 1.0, shape: linear}]}
`

// lab is a bucket, a worker and the outputs of stages so far.
type lab struct {
	t     *testing.T
	ctx   context.Context
	disk  *memory.Backend
	store *artifact.Store
	p     *pipelines.Pipeline
	a     *Activities
	sets  map[string]contract.Dataset
	out   map[string]map[string]artifact.Ref // stage -> output -> artifact
}

// newLab prepares the task sets and draws the base model.
func newLab(t *testing.T, set ...string) *lab {
	t.Helper()
	p, err := pipelines.Parse("lab.yaml", []byte(labYAML), set)
	require.NoError(t, err)
	l := &lab{t: t, ctx: context.Background(), disk: memory.New(), p: p, out: map[string]map[string]artifact.Ref{}}
	l.store = artifact.New(l.disk)
	l.a = newWorker(t, l.store)
	l.sets, err = l.a.prepareTasks(l.ctx, contract.PrepareInput{Run: "lab", Tasks: p.Tasks})
	require.NoError(t, err)
	base, err := l.a.initModel(l.ctx, l.stage("base"))
	require.NoError(t, err)
	l.gives("base", pipelines.ModelOutput, base.Ref)
	l.gives("probe", pipelines.ModelOutput, base.Ref) // a stage that needs the probe's model does not care how good it is
	return l
}

func (l *lab) gives(id, output string, ref artifact.Ref) {
	if l.out[id] == nil {
		l.out[id] = map[string]artifact.Ref{}
	}
	l.out[id][output] = ref
}

// stage resolves a stage's names as the Pipeline workflow does.
func (l *lab) stage(id string) contract.Stage {
	l.t.Helper()
	st := l.p.Stage(id)
	require.NotNil(l.t, st, id)
	s := contract.Stage{Run: "lab", Seed: l.p.Seed, Stage: *st, Data: map[string]artifact.Ref{}, Models: map[string]artifact.Ref{}, Logs: map[string]artifact.Ref{}}
	for _, use := range st.Inputs() {
		group := map[string]map[string]artifact.Ref{pipelines.ModelOutput: s.Models, pipelines.LogOutput: s.Logs, pipelines.ProblemsOutput: s.Data}[use.Output]
		group[use.Stage] = l.out[use.Stage][use.Output]
	}
	for _, name := range st.TaskSets() {
		s.Data[name] = l.sets[name].Ref
	}
	if p, ok := st.Settings.(*pipelines.Pretrain); ok {
		s.Streams = map[string]tasks.Source{p.Data: l.p.Tasks[p.Data]}
	}
	// What an activity gets has travelled as JSON.
	body, err := json.Marshal(s)
	require.NoError(l.t, err)
	var out contract.Stage
	require.NoError(l.t, json.Unmarshal(body, &out))
	return out
}

// start is the state that a stage begins with.
func start(model artifact.Ref) contract.State { return contract.State{Snapshot: model, Key: "start"} }

// commitLog stores a log that was made up.
func (l *lab) commitLog(id string, problems []report.LogProblem) {
	l.t.Helper()
	body, err := json.Marshal(report.Log{Problems: problems})
	require.NoError(l.t, err)
	ref, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindLog}, map[string][]byte{logFile: body})
	require.NoError(l.t, err)
	l.gives(id, pipelines.LogOutput, ref)
}

// problems reads a data set.
func (l *lab) problems(ref artifact.Ref) []tasks.Problem {
	l.t.Helper()
	out, err := l.a.dataset(l.ctx, ref)
	require.NoError(l.t, err)
	return out
}

// replaceSet puts another data set in the place of a task set.
func (l *lab) replaceSet(name string, problems []tasks.Problem) {
	l.t.Helper()
	ref, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindProblems}, map[string][]byte{problemsFile: tasks.WriteJSONL(problems)})
	require.NoError(l.t, err)
	l.sets[name] = contract.Dataset{Ref: ref, Count: len(problems)}
}

// do runs an accelerated activity as a worker does.
func do[In, Out any](l *lab, a *Activities, fn func(*Activities, context.Context, *engine, In) (Out, error), in In) (Out, error) {
	return accelerated(a, func(ctx context.Context, e *engine, in In) (Out, error) { return fn(a, ctx, e, in) })(l.ctx, in)
}

// done is do where no error is expected.
func done[In, Out any](l *lab, a *Activities, fn func(*Activities, context.Context, *engine, In) (Out, error), in In) Out {
	l.t.Helper()
	out, err := do(l, a, fn, in)
	require.NoError(l.t, err)
	return out
}

// freshWorker is a worker with nothing resident and nothing compiled, as after a crash.
func freshWorker(t *testing.T, store *artifact.Store) *Activities {
	a := New(Config{Store: store, Code: "test", Log: slog.New(slog.DiscardHandler),
		OpenDevice: func() (*device.Client, error) { return devicetest.Client(t), nil }})
	t.Cleanup(a.Close)
	return a
}

var compiled struct {
	once sync.Once
	e    *engine
	err  error
}

// newWorker is a worker with nothing resident. It shares its compiled programs, which hold no state, with the other tests.
func newWorker(t *testing.T, store *artifact.Store) *Activities {
	a := freshWorker(t, store)
	compiled.once.Do(func() { compiled.e, compiled.err = a.open() })
	a.open = func() (*engine, error) { return compiled.e, compiled.err }
	if compiled.e != nil {
		description := compiled.e.client.Description()
		a.device.Store(&description)
	}
	return a
}

// directory writes a model artifact out as a Hugging Face directory.
func (l *lab) directory(ref artifact.Ref) string {
	l.t.Helper()
	dir := filepath.Join(l.t.TempDir(), "model")
	require.NoError(l.t, l.store.Fetch(l.ctx, ref, dir))
	_, err := os.Stat(filepath.Join(dir, "config.json"))
	require.NoError(l.t, err)
	return dir
}

// tensors reads the parameters of a model artifact or a snapshot.
func (l *lab) tensors(ref artifact.Ref) map[string]hf.Tensor {
	l.t.Helper()
	files, err := l.a.files(l.ctx, ref)
	require.NoError(l.t, err)
	m, err := hf.ReadFrom(files)
	require.NoError(l.t, err)
	return m.Tensors
}
