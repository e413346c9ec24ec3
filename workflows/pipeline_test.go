package workflows

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"pgregory.net/rapid"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// small has every way in which a stage can use what is before it.
const small = `
name: small
seed: 7
base: {import: /models/m}
tasks:
  demos: {procedural: chain, seed: 2, count: 4}
  pool: {procedural: chain, seed: 3, count: 8}
  held: {procedural: chain, seed: 4, count: 6}
stages:
  - sft: {model: base, data: demos, steps: 3, chunk_steps: 2}
  - rl: {id: probe, model: sft, tasks: pool, recipe: relift, override: {interleave: {fill: 3}}, rounds: 5, prompts: 4, save_every: 2}
  - curate: {log: probe, tasks: pool}
  - curate: {id: chance, method: random, tasks: pool, like: curate}
  - synthesize: {id: sws, model: probe, log: probe, tasks: pool, budget: 6}
  - sft: {id: again, model: sft, data: [demos, sws], steps: 2}
  - distill: {id: student, teacher: probe, student: {layers: 1, hidden: 16, heads: 2}, tasks: [pool, curate], steps: 3, chunk_steps: 2, on_policy: {rounds: 11}}
  - evaluate: {models: [base, probe, student], tasks: held}
`

// childRun is one stage's child workflow as the pipeline ran it.
type childRun struct {
	id         string
	start, end time.Time
	input      contract.StageInput
}

// fakeStages replaces the stages' workflows with ones that take the time they are told and give each output of their kind.
type fakeStages struct {
	mu      sync.Mutex
	runs    []*childRun
	takes   map[string]time.Duration
	fails   map[string]error
	skipped map[string]bool
}

func (f *fakeStages) register(env *testsuite.TestWorkflowEnvironment) {
	for kind, name := range contract.StageWorkflows {
		env.RegisterWorkflowWithOptions(func(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
			id := in.Stage.Stage.ID
			r := &childRun{id: id, start: workflow.Now(ctx), input: in}
			f.mu.Lock()
			f.runs = append(f.runs, r)
			f.mu.Unlock()
			if err := workflow.Sleep(ctx, f.takes[id]); err != nil {
				return contract.StageOut{}, err
			}
			r.end = workflow.Now(ctx)
			out := contract.StageOut{Outputs: map[string]artifact.Ref{}, Summary: "did " + id, Skipped: f.skipped[id], Numbers: map[string]float64{"kept": 5}}
			for _, o := range pipelines.Outputs(kind) {
				out.Outputs[o] = ref(o, o+" of "+id)
			}
			return out, f.fails[id]
		}, workflow.RegisterOptions{Name: name})
	}
}

func (f *fakeStages) run(id string) *childRun {
	for _, r := range f.runs {
		if r.id == id {
			return r
		}
	}
	return nil
}

// faked is a world in which the stages are fakes too.
func faked(t *testing.T, f *fakeStages) *world {
	w := emptyWorld(t)
	w.env.RegisterWorkflowWithOptions(Pipeline, workflow.RegisterOptions{Name: contract.PipelineWorkflow})
	f.register(w.env)
	fakePipeline(w)
	return w
}

func (w *world) pipeline(in contract.PipelineInput) (contract.PipelineOut, error) {
	w.t.Helper()
	w.env.ExecuteWorkflow(contract.PipelineWorkflow, in)
	require.True(w.t, w.env.IsWorkflowCompleted())
	if err := w.env.GetWorkflowError(); err != nil {
		return contract.PipelineOut{}, err
	}
	var out contract.PipelineOut
	require.NoError(w.t, w.env.GetWorkflowResult(&out))
	return out, nil
}

func TestPipelineGivesEachStageItsInputs(t *testing.T) {
	f := &fakeStages{}
	w := faked(t, f)
	p := parse(t, small)
	out, err := w.pipeline(contract.PipelineInput{Pipeline: p, Fresh: "again"})
	require.NoError(t, err)
	require.Len(t, out.Stages, len(p.Stages))
	require.Equal(t, "did evaluate", out.Stages["evaluate"].Summary)

	model := func(id string) artifact.Ref { return ref("model", "model of "+id) }
	problems := func(id string) artifact.Ref { return ref("problems", "problems of "+id) }
	set := func(name string) artifact.Ref { return ref("problems", "set-"+name) }
	log := ref("log", "log of probe")
	for _, c := range []struct {
		id     string
		models map[string]artifact.Ref
		logs   map[string]artifact.Ref
		data   map[string]artifact.Ref
		counts map[string]int
		count  int
	}{
		{id: "base"},
		{id: "sft", models: map[string]artifact.Ref{"base": model("base")}, data: map[string]artifact.Ref{"demos": set("demos")}, counts: map[string]int{"demos": 4}},
		{id: "probe", models: map[string]artifact.Ref{"sft": model("sft")}, data: map[string]artifact.Ref{"pool": set("pool")}, counts: map[string]int{"pool": 8}},
		{id: "curate", logs: map[string]artifact.Ref{"probe": log}, data: map[string]artifact.Ref{"pool": set("pool")}, counts: map[string]int{"pool": 8}},
		{id: "chance", data: map[string]artifact.Ref{"pool": set("pool"), "curate": problems("curate")}, counts: map[string]int{"pool": 8, "curate": 5}, count: 5},
		{id: "sws", models: map[string]artifact.Ref{"probe": model("probe")}, logs: map[string]artifact.Ref{"probe": log},
			data: map[string]artifact.Ref{"pool": set("pool")}, counts: map[string]int{"pool": 8}},
		{id: "again", models: map[string]artifact.Ref{"sft": model("sft")}, data: map[string]artifact.Ref{"demos": set("demos"), "sws": problems("sws")},
			counts: map[string]int{"demos": 4, "sws": 5}},
		{id: "student", models: map[string]artifact.Ref{"probe": model("probe")}, data: map[string]artifact.Ref{"pool": set("pool"), "curate": problems("curate")},
			counts: map[string]int{"pool": 8, "curate": 5}},
		{id: "evaluate", models: map[string]artifact.Ref{"base": model("base"), "probe": model("probe"), "student": model("student")},
			data: map[string]artifact.Ref{"held": set("held")}, counts: map[string]int{"held": 6}},
	} {
		t.Run(c.id, func(t *testing.T) {
			in := f.run(c.id).input
			require.Equal(t, c.id, in.Stage.Stage.ID)
			require.EqualValues(t, 7, in.Stage.Seed)
			require.Equal(t, c.models, in.Stage.Models)
			require.Equal(t, c.logs, in.Stage.Logs)
			require.Equal(t, c.data, in.Stage.Data)
			require.Equal(t, c.counts, in.Counts)
			require.Equal(t, c.count, in.Count)
			require.True(t, strings.HasSuffix(in.Key, "-again"), "a fresh run takes no earlier result: %s", in.Key)
		})
	}
	report := inputs[contract.ReportInput](w, contract.WriteReport)
	require.Len(t, report, 1)
	require.Len(t, report[0].Stages, len(p.Stages))
	require.True(t, strings.HasPrefix(w.details(), "| the table |"))
}

func TestKeysFollowWhatIsInTheInputs(t *testing.T) {
	keys := func(set ...string) map[string]string {
		f := &fakeStages{}
		w := faked(t, f)
		_, err := w.pipeline(contract.PipelineInput{Pipeline: parse(t, small, set...)})
		require.NoError(t, err)
		out := map[string]string{}
		for _, r := range f.runs {
			require.NotContains(t, out, r.id)
			out[r.id] = r.input.Key
		}
		return out
	}
	plain := keys()
	require.Equal(t, plain, keys(), "the same pipeline has the same keys")
	changed := keys("stages.sws.budget=7")
	for id := range plain {
		require.Equal(t, id != "sws", plain[id] == changed[id], "%s: the fakes' outputs are the same, so only the changed stage has another key", id)
	}
	for id, key := range keys("seed=8") {
		require.NotEqual(t, plain[id], key, id)
	}
}

func TestPipelineProgressAndSkips(t *testing.T) {
	f := &fakeStages{skipped: map[string]bool{"base": true, "probe": true}, takes: map[string]time.Duration{"probe": time.Hour, "sft": time.Minute}}
	w := faked(t, f)
	p := parse(t, small)
	var middle contract.Progress
	w.env.RegisterDelayedCallback(func() { middle = w.progress() }, 30*time.Minute)
	out, err := w.pipeline(contract.PipelineInput{Pipeline: p})
	require.NoError(t, err)

	require.Equal(t, "small", middle.Name)
	require.Equal(t, len(p.Stages), middle.Total)
	require.Equal(t, 2, middle.Done)
	var statuses []string
	for _, s := range middle.Stages {
		statuses = append(statuses, s.ID+" "+s.Status)
		require.True(t, strings.HasSuffix(s.Workflow, "/"+s.ID))
	}
	require.Equal(t, []string{"base skipped", "sft done", "probe running", "curate waiting"}, statuses[:4])
	require.Equal(t, "did sft", middle.Stages[1].Summary)

	last := w.progress()
	require.Equal(t, last.Total, last.Done)
	require.True(t, out.Stages["probe"].Skipped)
	require.Zero(t, out.Stages["probe"].Seconds, "a skipped stage took no time of its own")
	require.InDelta(t, 60, out.Stages["sft"].Seconds, 1e-9)
	require.Contains(t, w.details(), "| base | import | skipped | did base |")
}

func TestPipelineFails(t *testing.T) {
	t.Run("with the stage's name", func(t *testing.T) {
		f := &fakeStages{fails: map[string]error{"probe": permanent("the loss is NaN")}}
		w := faked(t, f)
		_, err := w.pipeline(contract.PipelineInput{Pipeline: parse(t, small)})
		require.ErrorContains(t, err, "stage probe")
		require.ErrorContains(t, err, "the loss is NaN")
		require.Len(t, f.runs, 3, "nothing after the failure starts")
		require.NotContains(t, w.names(), contract.WriteReport)
		p := w.progress()
		require.Equal(t, "failed", p.Stages[2].Status)
		require.Equal(t, "waiting", p.Stages[3].Status)
	})
	t.Run("when a stage gives less than it should", func(t *testing.T) {
		f := &fakeStages{}
		w := faked(t, f)
		p := parse(t, small)
		p.Stages[2].Settings.(*pipelines.RL).Model = "curate" // validation would refuse it
		p.Stages[2], p.Stages[3] = p.Stages[3], p.Stages[2]
		p.Stages[2].Settings.(*pipelines.Curate).Log = ""
		_, err := w.pipeline(contract.PipelineInput{Pipeline: p})
		require.ErrorContains(t, err, "stage probe: stage curate gave no model")
		require.Equal(t, "failed", w.progress().Stages[3].Status)
	})
	t.Run("before the stages", func(t *testing.T) {
		f := &fakeStages{}
		w := faked(t, f)
		w.fails[contract.PrepareTasks] = permanent("no such file")
		_, err := w.pipeline(contract.PipelineInput{Pipeline: parse(t, small)})
		require.ErrorContains(t, err, "no such file")
		require.Empty(t, f.runs)
	})
}

// TestPipelineOrder draws pipelines with random uses, times, failures and concurrency.
func TestPipelineOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(rt, "stages")
		p := &pipelines.Pipeline{Name: "random", Seed: 1, Concurrency: rapid.IntRange(1, 4).Draw(rt, "concurrency")}
		f := &fakeStages{takes: map[string]time.Duration{}, fails: map[string]error{}}
		models := []string{}
		for i := range n {
			id := fmt.Sprintf("s%d", i)
			st := pipelines.Stage{ID: id, Kind: "import", Settings: &pipelines.Import{Path: "x"}}
			if len(models) > 0 && rapid.Bool().Draw(rt, "evaluates") {
				st.Kind = "evaluate"
				st.Settings = &pipelines.Evaluate{Models: rapid.SliceOfNDistinct(rapid.SampledFrom(models), 1, min(3, len(models)), rapid.ID[string]).Draw(rt, "models"), K: []int{1}}
			} else if len(models) > 0 && rapid.Bool().Draw(rt, "trains") {
				st.Kind, st.Settings = "sft", &pipelines.SFT{Model: rapid.SampledFrom(models).Draw(rt, "model"), Steps: 1}
			}
			if st.Kind != "evaluate" {
				models = append(models, id)
			}
			p.Stages = append(p.Stages, st)
			f.takes[id] = time.Duration(rapid.IntRange(0, 5).Draw(rt, "minutes")) * time.Minute
		}
		failing := rapid.IntRange(-2, n-1).Draw(rt, "failing")
		if failing >= 0 {
			f.fails[p.Stages[failing].ID] = permanent("broken")
		}
		w := faked(t, f)
		w.env.SetTestTimeout(time.Minute)
		_, err := w.pipeline(contract.PipelineInput{Pipeline: p})

		order := []string{}
		for _, r := range f.runs {
			order = append(order, r.id)
			running := 0
			for _, o := range f.runs {
				if !o.start.After(r.start) && o.end.After(r.start) {
					running++
				}
			}
			require.LessOrEqual(rt, running, p.Concurrency)
		}
		var written []string
		for i, step := range p.Plan() {
			written = append(written, step.Stage)
			r := f.run(step.Stage)
			if r == nil {
				continue
			}
			for _, need := range step.Needs {
				require.NotNil(rt, f.run(need))
				require.False(rt, r.start.Before(f.run(need).end), "%s waits for %s", step.Stage, need)
				require.NotEqual(rt, failing, slices.IndexFunc(p.Stages, func(s pipelines.Stage) bool { return s.ID == need }))
			}
			if failing >= 0 && failing < i && f.run(p.Stages[failing].ID) != nil {
				require.False(rt, r.start.After(f.run(p.Stages[failing].ID).end), "%s starts after the failure", step.Stage)
			}
		}
		require.ElementsMatch(rt, written[:len(order)], order, "no stage starts before one that is written before it")
		for i := 1; i < len(order); i++ {
			require.False(rt, f.run(written[i]).start.Before(f.run(written[i-1]).start))
		}
		if failing < 0 {
			require.NoError(rt, err)
			require.Len(rt, order, n)
			return
		}
		require.ErrorContains(rt, err, "stage "+p.Stages[failing].ID)
		require.NotContains(rt, w.names(), contract.WriteReport)
		for _, r := range f.runs {
			require.False(rt, r.end.IsZero(), "stages under way end before the run does")
		}
	})
}

func TestPipelineRunsItsStages(t *testing.T) {
	w := newWorld(t)
	out, err := w.pipeline(contract.PipelineInput{Pipeline: parse(t, small)})
	require.NoError(t, err)
	require.Equal(t, ref("model", "student"), out.Stages["student"].Outputs[pipelines.ModelOutput])
	require.Equal(t, ref("log", "probe"), out.Stages["probe"].Outputs[pipelines.LogOutput])
	require.Equal(t, 5.0, out.Stages["chance"].Numbers["kept"], "the control keeps as many")
	require.Len(t, out.Stages["evaluate"].Results, 3)
	require.Equal(t, "| the table |", out.Report.Table)
	for _, c := range w.calls {
		require.Equal(t, queueOf(c.name), c.queue, c.name)
	}
	require.Len(t, inputs[contract.RememberInput](w, contract.RememberStage), 8, "every stage but the import is remembered")
}

// queueOf is the queue of each activity's worker.
func queueOf(name string) string {
	switch name {
	case contract.PrepareTasks, contract.RecallStage, contract.RememberStage, contract.ImportModel, contract.InitModel, contract.PlanDemos:
		return contract.QueueLight
	case contract.WriteLog, contract.CurateData, contract.WriteReport:
		return contract.QueueCPU
	default:
		return contract.QueueGPU
	}
}
