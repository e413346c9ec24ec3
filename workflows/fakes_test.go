package workflows

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"temper/activities/contract"
	"temper/artifact"
	"temper/eval"
	"temper/pipelines"
)

// world is a test environment whose activities are fakes that write down what they are asked.
type world struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	mu      sync.Mutex
	calls   []called
	fails   map[string]error           // by activity; an error is given once for each in times, or always
	leftOut map[int][]contract.LeftOut // by round
	aliases map[string]artifact.Ref
	holds   bool // every gate
	times   map[string]int
	home    string                // of the states that updates lead to
	away    error                 // what work at home fails with
	began   func(activity string) // see at
	updates int
}

// called is one call of an activity.
type called struct {
	name, queue string
	input       any
}

// newWorld has every workflow and fakes of every activity.
func newWorld(t *testing.T) *world {
	w := emptyWorld(t)
	Register(w.env)
	fakePipeline(w)
	fakeModels(w)
	fakeData(w)
	fakePromotion(w)
	return w
}

// emptyWorld has nothing registered.
func emptyWorld(t *testing.T) *world {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	return &world{t: t, env: suite.NewTestWorkflowEnvironment(), fails: map[string]error{}, times: map[string]int{}, aliases: map[string]artifact.Ref{}}
}

// fakePipeline registers what the Pipeline workflow itself calls.
func fakePipeline(w *world) {
	fake(w, contract.PrepareTasks, func(in contract.PrepareInput) map[string]contract.Dataset {
		out := map[string]contract.Dataset{}
		for name, source := range in.Tasks {
			out[name] = contract.Dataset{Ref: ref("problems", "set-"+name), Count: source.Count}
		}
		return out
	})
	fake(w, contract.WriteReport, func(in contract.ReportInput) contract.ReportOut {
		return contract.ReportOut{Ref: ref("report", in.Run), Table: "| the table |"}
	})
}

// fakeModels registers what makes, trains and measures models.
func fakeModels(w *world) {
	fake(w, contract.RecallStage, func(string) contract.Recalled { return contract.Recalled{} })
	fake(w, contract.RememberStage, func(contract.RememberInput) struct{} { return struct{}{} })
	fake(w, contract.ImportModel, func(s contract.Stage) contract.ModelInfo {
		return contract.ModelInfo{Ref: ref("model", "import-"+s.Stage.ID), Params: 5}
	})
	fake(w, contract.InitModel, func(s contract.Stage) contract.ModelInfo {
		return contract.ModelInfo{Ref: ref("model", "init-"+s.Stage.ID), Params: 3}
	})
	fake(w, contract.PlanDemos, func(contract.Stage) contract.Span { return contract.Span{To: 7} })
	fake(w, contract.TrainDemos, func(in contract.TrainInput) contract.TrainOutput {
		return contract.TrainOutput{Loss: 1 / float64(in.Span.To),
			State: contract.State{Snapshot: ref("state", fmt.Sprintf("step-%d", in.Span.To)), Key: fmt.Sprintf("k%d", in.Span.To), Step: in.Span.To}}
	})
	fake(w, contract.ExportModel, func(in contract.StateInput) contract.ModelInfo {
		return contract.ModelInfo{Ref: ref("model", in.Stage.Stage.ID), Params: 11}
	})
	fake(w, contract.Rollout, func(in contract.RolloutInput) contract.RolloutOutput {
		return contract.RolloutOutput{Rollouts: ref("rollouts", fmt.Sprintf("round-%d", in.Round)), Reward: float64(in.Round+1) / 8, Solved: 0.25, Length: 9, Seconds: 0.5,
			Unsolved: []int{in.Round % 3, 10 + in.Round}}
	})
	fake(w, contract.SampleShard, func(in contract.RolloutInput) artifact.Ref {
		return ref("shard", fmt.Sprintf("samples-%d-%d", in.Round, in.Shard.From))
	})
	fake(w, contract.UpdatePolicy, func(in contract.PolicyInput) contract.PolicyOutput {
		s := in.State
		s.Home = w.home
		s.Log = append(append([]contract.Update{}, s.Log...), contract.Update{Policy: &in.Step})
		s.Key, s.Step = fmt.Sprintf("after-%d", in.Step.Round), s.Step+1
		return contract.PolicyOutput{State: s, Norm: 2, Seconds: 0.25, Metrics: map[string]float64{"entropy": 3 - float64(in.Step.Round)/4, "sampler_log_prob_gap": 0.01},
			LeftOut: w.leftOut[in.Step.Round]}
	})
	fake(w, contract.SaveState, func(in contract.StateInput) contract.State {
		out := contract.State{Snapshot: ref("state", "saved-"+in.State.Key), Key: in.State.Key, Step: in.State.Step}
		if in.Checkpoint != nil && in.Checkpoint.Resume.Count() > 0 {
			out.Progress = ref("progress", in.State.Key)
		}
		return out
	})
	fake(w, contract.DistillRound, func(in contract.DistillInput) contract.DistillOutput {
		s := in.State
		s.Log = append(append([]contract.Update{}, s.Log...), contract.Update{OnPolicy: &contract.DistillStep{Round: in.Round}})
		s.Key = fmt.Sprintf("distilled-%d", in.Round)
		return contract.DistillOutput{State: s, Divergence: 1 / float64(in.Round+1), Solved: 0.5}
	})
	fake(w, contract.EvaluateModel, func(in contract.EvaluateInput) contract.EvaluateOutput {
		return contract.EvaluateOutput{Ref: ref("evaluation", in.Name), Result: eval.Result{Model: in.Name, N: 4, PassAt: map[int]float64{1: 0.5}}}
	})
}

// fakeData registers what makes logs and data sets.
func fakeData(w *world) {
	fake(w, contract.WriteLog, func(in contract.LogInput) artifact.Ref { return ref("log", in.Stage.Stage.ID) })
	fake(w, contract.ScoreShard, func(in contract.ScoreInput) artifact.Ref { return ref("shard", "scored-"+in.Samples.Content) })
	fake(w, contract.GatherRollouts, func(in contract.GatherInput) contract.RolloutOutput {
		return contract.RolloutOutput{Rollouts: ref("rollouts", fmt.Sprintf("gathered-%d", in.Round)), Reward: 0.5}
	})
	fake(w, contract.CurateData, func(in contract.CurateInput) contract.ProblemsOut {
		n := in.Count
		if n == 0 {
			n = 5
		}
		return contract.ProblemsOut{Ref: ref("problems", in.Stage.Stage.ID), Count: n, Summary: "kept", Numbers: map[string]float64{"of": 8}}
	})
	fake(w, contract.WriteProblems, func(s contract.Stage) contract.ProblemsOut {
		return contract.ProblemsOut{Ref: ref("problems", "written-"+s.Stage.ID), Count: 6, Summary: "6 written", Numbers: map[string]float64{"written": 6}}
	})
	fake(w, contract.FilterProblems, func(in contract.FilterInput) contract.ProblemsOut {
		return contract.ProblemsOut{Ref: ref("problems", in.Stage.Stage.ID), Count: in.Written.Count - 2, Summary: "4 kept", Numbers: in.Written.Numbers}
	})
	fake(w, contract.SampleTeacher, func(s contract.Stage) contract.TeacherOut {
		return contract.TeacherOut{Data: ref("demonstrations", s.Stage.ID), Count: 4, Correct: 0.5}
	})
}

// fakePromotion registers what looks at aliases and changes them.
func fakePromotion(w *world) {
	fake(w, contract.ResolveAlias, func(name string) contract.NamedModel {
		r, ok := w.aliases[name]
		return contract.NamedModel{Found: ok, Ref: r, Params: 17}
	})
	fake(w, contract.CompareModels, func(in contract.CompareInput) contract.CompareOut {
		return contract.CompareOut{Ref: ref("promotion", in.Candidate.Content), Holds: w.holds, Model: 0.75, Champion: 0.5,
			Paired: eval.Paired{N: 4, Difference: 0.25, P: 0.01}, Text: "pass@1 75.0% against 50.0%"}
	})
	fake(w, contract.PromoteModel, func(in contract.PromoteInput) contract.PromoteOut {
		if w.aliases[in.Alias] != in.Expect {
			return contract.PromoteOut{}
		}
		w.aliases[in.Alias] = in.Model
		return contract.PromoteOut{Done: true}
	})
}

// fake registers an activity that writes its call down and answers.
func fake[In, Out any](w *world, name string, answer func(In) Out) {
	w.env.RegisterActivityWithOptions(func(ctx context.Context, in In) (Out, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.calls = append(w.calls, called{name: name, queue: activity.GetInfo(ctx).TaskQueue, input: in})
		var none Out
		if w.away != nil && activity.GetInfo(ctx).TaskQueue == w.home {
			return none, w.away
		}
		if err := w.fails[name]; err != nil {
			if w.times[name]--; w.times[name] == 0 {
				delete(w.fails, name)
			}
			return none, err
		}
		return answer(in), nil
	}, activity.RegisterOptions{Name: name, DisableAlreadyRegisteredCheck: true})
}

// permanent is an error that is not tried again.
func permanent(text string) error {
	return temporal.NewNonRetryableApplicationError(text, "permanent", nil)
}

// names lists the activities that were called, in order.
func (w *world) names() []string {
	var out []string
	for _, c := range w.calls {
		out = append(out, c.name)
	}
	return out
}

// inputs lists what an activity was asked.
func inputs[In any](w *world, name string) []In {
	var out []In
	for _, c := range w.calls {
		if c.name == name {
			out = append(out, c.input.(In))
		}
	}
	return out
}

// stage runs a stage's workflow to its end.
func (w *world) stage(in contract.StageInput) (contract.StageOut, error) {
	w.t.Helper()
	w.env.ExecuteWorkflow(contract.StageWorkflows[in.Stage.Stage.Kind], in)
	require.True(w.t, w.env.IsWorkflowCompleted())
	if err := w.env.GetWorkflowError(); err != nil {
		return contract.StageOut{}, err
	}
	var out contract.StageOut
	require.NoError(w.t, w.env.GetWorkflowResult(&out))
	return out, nil
}

// details is the Markdown that the UI shows.
func (w *world) details() string {
	w.t.Helper()
	v, err := w.env.QueryWorkflow("__temporal_workflow_metadata")
	require.NoError(w.t, err)
	var m sdk.WorkflowMetadata
	require.NoError(w.t, v.Get(&m))
	return m.CurrentDetails
}

// progress asks the workflow how far it is.
func (w *world) progress() contract.Progress {
	w.t.Helper()
	v, err := w.env.QueryWorkflow(contract.QueryProgress)
	require.NoError(w.t, err)
	var p contract.Progress
	require.NoError(w.t, v.Get(&p))
	return p
}

func ref(kind, content string) artifact.Ref {
	return artifact.Ref{Kind: kind, Digest: "digest of " + content, Content: content}
}

// parse reads the YAML of a pipeline.
func parse(t *testing.T, yaml string, set ...string) *pipelines.Pipeline {
	t.Helper()
	p, err := pipelines.Parse("test.yaml", []byte(yaml), set)
	require.NoError(t, err)
	return p
}

// alone is the input of one stage whose inputs are made up.
func alone(t *testing.T, p *pipelines.Pipeline, id string) contract.StageInput {
	t.Helper()
	st := p.Stage(id)
	require.NotNil(t, st)
	s := contract.Stage{Run: "run", Seed: p.Seed, Stage: *st, Data: map[string]artifact.Ref{}, Models: map[string]artifact.Ref{}, Logs: map[string]artifact.Ref{}}
	in := contract.StageInput{Key: "key-" + id, Counts: map[string]int{}}
	for _, use := range st.Inputs() {
		switch use.Output {
		case pipelines.ModelOutput:
			s.Models[use.Stage] = ref("model", use.Stage)
		case pipelines.LogOutput:
			s.Logs[use.Stage] = ref("log", use.Stage)
		case pipelines.ProblemsOutput:
			s.Data[use.Stage] = ref("problems", use.Stage)
			in.Counts[use.Stage] = 5
		}
	}
	for _, name := range st.TaskSets() {
		s.Data[name], in.Counts[name] = ref("problems", "set-"+name), p.Tasks[name].Count
	}
	in.Stage = s
	return in
}
