package workflows

import (
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
	"temper/tasks"
)

// Pipeline runs the stages of a pipeline, each as a child workflow, in the order they are written and at most Concurrency at once; a
// stage waits for the stages it names. Then it writes the report.
func Pipeline(ctx workflow.Context, in contract.PipelineInput) (contract.PipelineOut, error) {
	r := &run{in: in, id: workflow.GetInfo(ctx).WorkflowExecution.ID, done: map[string]contract.StageOut{}}
	for _, st := range in.Pipeline.Stages {
		r.progress = append(r.progress, contract.StageProgress{ID: st.ID, Kind: st.Kind, Workflow: r.id + "/" + st.ID, Status: "waiting"})
	}
	if err := workflow.SetQueryHandler(ctx, contract.QueryProgress, r.report); err != nil {
		return contract.PipelineOut{}, err
	}
	workflow.SetCurrentDetails(ctx, r.details())

	sets, err := call[map[string]contract.Dataset](ctx, contract.QueueLight, contract.PrepareTasks,
		fmt.Sprintf("write %d task sets as data sets", len(in.Pipeline.Tasks)), contract.PrepareInput{Run: r.id, Tasks: in.Pipeline.Tasks})
	if err != nil {
		return contract.PipelineOut{}, err
	}
	r.sets = sets
	if err := r.stages(ctx); err != nil {
		return contract.PipelineOut{}, err
	}
	report, err := call[contract.ReportOut](ctx, contract.QueueCPU, contract.WriteReport, "write the report",
		contract.ReportInput{Run: r.id, Pipeline: in.Pipeline, Stages: r.done, Fresh: in.Fresh})
	if err != nil {
		return contract.PipelineOut{}, err
	}
	workflow.SetCurrentDetails(ctx, report.Table+"\n\n"+r.details())
	return contract.PipelineOut{Stages: r.done, Report: report}, nil
}

// run is the state of one Pipeline workflow.
type run struct {
	in       contract.PipelineInput
	id       string
	sets     map[string]contract.Dataset
	done     map[string]contract.StageOut
	progress []contract.StageProgress
}

// stages runs every stage; the first failure ends the run once the stages under way have ended.
func (r *run) stages(ctx workflow.Context) error {
	slots := workflow.NewSemaphore(ctx, int64(max(1, r.in.Pipeline.Concurrency)))
	wait := workflow.NewWaitGroup(ctx)
	var failure error
	for i, step := range r.in.Pipeline.Plan() {
		if err := workflow.Await(ctx, func() bool { return failure != nil || r.ready(step) }); err != nil {
			return err
		}
		if failure != nil {
			break
		}
		if err := slots.Acquire(ctx, 1); err != nil {
			return err
		}
		if failure != nil {
			slots.Release(1)
			break
		}
		wait.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wait.Done()
			defer slots.Release(1)
			if err := r.stage(ctx, i); err != nil && failure == nil {
				failure = err
			}
		})
	}
	wait.Wait(ctx)
	return failure
}

func (r *run) ready(step pipelines.Step) bool {
	for _, id := range step.Needs {
		if _, ok := r.done[id]; !ok {
			return false
		}
	}
	return true
}

// stage runs one stage's child workflow.
func (r *run) stage(ctx workflow.Context, i int) error {
	st := r.in.Pipeline.Stages[i]
	r.set(ctx, i, "running", "")
	input, err := r.input(st)
	if err != nil {
		r.set(ctx, i, "failed", "")
		return err
	}
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            r.progress[i].Workflow,
		TaskQueue:             contract.QueueLight,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_TERMINATE,
		StaticSummary:         r.in.Pipeline.Plan()[i].Title,
	})
	var out contract.StageOut
	started := workflow.Now(ctx)
	if err := workflow.ExecuteChildWorkflow(ctx, contract.StageWorkflows[st.Kind], input).Get(ctx, &out); err != nil {
		r.set(ctx, i, "failed", "")
		return fmt.Errorf("stage %s: %w", st.ID, err)
	}
	if !out.Skipped {
		out.Seconds = workflow.Now(ctx).Sub(started).Round(time.Millisecond).Seconds()
	}
	r.done[st.ID] = out
	status := "done"
	if out.Skipped {
		status = "skipped"
	}
	r.set(ctx, i, status, out.Summary)
	return nil
}

// input resolves the names in a stage's settings to artifacts and computes its key.
func (r *run) input(st pipelines.Stage) (in contract.StageInput, err error) {
	stage := contract.Stage{Run: r.id, Seed: r.in.Pipeline.Seed, Stage: st, Data: map[string]artifact.Ref{}, Models: map[string]artifact.Ref{}, Logs: map[string]artifact.Ref{}}
	in = contract.StageInput{Counts: map[string]int{}}
	contents, digests := map[string]string{}, map[string]string{}
	for _, use := range st.Inputs() {
		out, ok := r.done[use.Stage].Outputs[use.Output]
		if !ok {
			return in, fmt.Errorf("stage %s: stage %s gave no %s", st.ID, use.Stage, use.Output)
		}
		contents[use.Role] = out.Content
		switch use.Output {
		case pipelines.ModelOutput:
			stage.Models[use.Stage] = out
		case pipelines.LogOutput:
			stage.Logs[use.Stage] = out
		case pipelines.ProblemsOutput:
			stage.Data[use.Stage] = out
			in.Counts[use.Stage] = int(r.done[use.Stage].Numbers["kept"])
		}
	}
	for _, name := range st.TaskSets() {
		stage.Data[name] = r.sets[name].Ref
		in.Counts[name] = r.sets[name].Count
		digests[name] = r.sets[name].Ref.Content
	}
	if p, ok := st.Settings.(*pipelines.Pretrain); ok {
		stage.Streams = map[string]tasks.Source{p.Data: r.in.Pipeline.Tasks[p.Data]}
	}
	if c, ok := st.Settings.(*pipelines.Curate); ok && c.Like != "" {
		in.Count = int(r.done[c.Like].Numbers["kept"])
	}
	switch s := st.Settings.(type) {
	case *pipelines.Alias:
		if s.Or != nil {
			or, err := r.input(*s.Or)
			if err != nil {
				return in, err
			}
			in.Or = &or
		}
	case *pipelines.Promote:
		if s.Gate != nil {
			if in.Gate, err = r.gate(s); err != nil {
				return in, fmt.Errorf("stage %s: %w", st.ID, err)
			}
		}
	}
	in.Stage = stage
	in.Key = st.Key(contents, digests, r.in.Pipeline.Seed)
	if r.in.Fresh != "" {
		in.Key += "-" + r.in.Fresh
	}
	return in, nil
}

// gate gives a promotion the evaluation that measured its model.
func (r *run) gate(s *pipelines.Promote) (*contract.GateInput, error) {
	evaluation := r.in.Pipeline.Stage(s.Gate.Evaluation)
	if evaluation == nil {
		return nil, fmt.Errorf("there is no stage %s", s.Gate.Evaluation)
	}
	candidate, ok := r.done[evaluation.ID].Outputs[evaluated+s.Model]
	if !ok {
		return nil, fmt.Errorf("stage %s has not measured %s", evaluation.ID, s.Model)
	}
	in, err := r.input(*evaluation)
	return &contract.GateInput{Evaluation: in.Stage, Candidate: candidate, Fresh: r.in.Fresh}, err
}

func (r *run) set(ctx workflow.Context, i int, status, summary string) {
	r.progress[i].Status = status
	if summary != "" {
		r.progress[i].Summary = summary
	}
	workflow.SetCurrentDetails(ctx, r.details())
}

// details is the Markdown that the UI shows for the run.
func (r *run) details() string {
	var b strings.Builder
	b.WriteString("| stage | kind | status | result |\n|---|---|---|---|\n")
	for _, s := range r.progress {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.ID, s.Kind, s.Status, s.Summary)
	}
	return b.String()
}

func (r *run) report() (contract.Progress, error) {
	p := contract.Progress{Name: r.in.Pipeline.Name, Stages: r.progress, Total: len(r.progress)}
	for _, s := range r.progress {
		if s.Status == "done" || s.Status == "skipped" {
			p.Done++
		}
	}
	return p, nil
}
