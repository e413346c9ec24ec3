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
	in.Pipeline = in.Pipeline.At(occurrence(ctx, in))
	r := &run{in: in, id: workflow.GetInfo(ctx).WorkflowExecution.ID, done: map[string]contract.StageOut{}}
	for _, st := range in.Pipeline.Stages {
		r.progress = append(r.progress, contract.StageProgress{ID: st.ID, Kind: st.Kind, Workflow: r.id + "/" + st.ID, Status: "waiting"})
	}
	if err := r.steer(ctx); err != nil {
		return contract.PipelineOut{}, err
	}
	if err := workflow.SetQueryHandler(ctx, contract.QueryProgress, r.report); err != nil {
		return contract.PipelineOut{}, err
	}
	workflow.SetCurrentDetails(ctx, r.details())
	r.marks = newMarks(ctx)
	r.marks.pipeline(ctx, in.Pipeline.Name)

	sets, err := call[map[string]contract.Dataset](ctx, contract.QueueLight, contract.PrepareTasks,
		fmt.Sprintf("write %d task sets as data sets", len(in.Pipeline.Tasks)), contract.PrepareInput{Run: r.id, Tasks: in.Pipeline.Tasks})
	if err != nil {
		return contract.PipelineOut{}, err
	}
	r.sets = sets
	if err := r.stages(ctx); err != nil {
		return contract.PipelineOut{}, err
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
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
	marks    marks
	paused   bool                // no further stage starts
	asked    map[string]*verdict // gates that wait for a person, by stage
}

// stages runs every stage; the first failure ends the run once the stages under way have ended.
func (r *run) stages(ctx workflow.Context) error {
	slots := workflow.NewSemaphore(ctx, int64(max(1, r.in.Pipeline.Concurrency)))
	wait := workflow.NewWaitGroup(ctx)
	var failure error
	for i, step := range r.in.Pipeline.Plan() {
		if err := workflow.Await(ctx, func() bool { return failure != nil || !r.paused && r.ready(step) }); err != nil {
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
			out, err := r.stage(ctx, i)
			slots.Release(1) // a stage that waits at its gate keeps no other from running
			if err == nil {
				err = r.gate(ctx, i, out)
			}
			if err != nil {
				r.set(ctx, i, "failed", "")
				if failure == nil {
					failure = err
				}
				return
			}
			r.pass(ctx, i, out)
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
func (r *run) stage(ctx workflow.Context, i int) (contract.StageOut, error) {
	st := r.in.Pipeline.Stages[i]
	var out contract.StageOut
	input, err := r.input(st)
	if err != nil {
		return out, err
	}
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            r.progress[i].Workflow,
		TaskQueue:             contract.QueueLight,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_TERMINATE,
		StaticSummary:         r.in.Pipeline.Plan()[i].Title,
	})
	began := workflow.Now(ctx)
	child := workflow.ExecuteChildWorkflow(ctx, contract.StageWorkflows[st.Kind], input)
	if err := child.GetChildWorkflowExecution().Get(ctx, nil); err == nil { // an error is the child's too
		if err := r.started(ctx, i); err != nil {
			return out, err
		}
	}
	if err := child.Get(ctx, &out); err != nil {
		return out, fmt.Errorf("stage %s: %w", st.ID, err)
	}
	if !out.Skipped {
		out.Seconds = workflow.Now(ctx).Sub(began).Round(time.Millisecond).Seconds()
	}
	return out, nil
}

// started notes that a stage's workflow is there and can be told things.
func (r *run) started(ctx workflow.Context, i int) error {
	r.set(ctx, i, "running", "")
	r.marks.stage(ctx, r.progress[i].ID)
	if r.paused && possible(r.in.Pipeline.Stages[i], contract.UpdatePause, nil) == nil { // it was on its way when the run was paused
		return r.signal(ctx, i, contract.UpdatePause, contract.Control{})
	}
	return nil
}

// pass lets the stages that need this one go on.
func (r *run) pass(ctx workflow.Context, i int, out contract.StageOut) {
	r.done[r.progress[i].ID] = out
	status := "done"
	if out.Skipped {
		status = "skipped"
	}
	r.marks.model(ctx, out)
	r.set(ctx, i, status, out.Summary)
}

// input resolves the names in a stage's settings to artifacts and computes its key.
func (r *run) input(st pipelines.Stage) (in contract.StageInput, err error) {
	stage := contract.Stage{Run: r.id, Seed: r.in.Pipeline.Seed, Stage: st, Data: map[string]artifact.Ref{}, Models: map[string]artifact.Ref{}, Logs: map[string]artifact.Ref{}}
	in = contract.StageInput{Pipeline: r.in.Pipeline.Name, Counts: map[string]int{}}
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
			if in.Gate, err = r.contest(s); err != nil {
				return in, fmt.Errorf("stage %s: %w", st.ID, err)
			}
		}
	}
	in.Stage = stage
	in.Key = st.Key(contents, digests, r.in.Pipeline.Seed)
	if r.in.Fresh != "" {
		in.Key += "-" + r.in.Fresh
		in.Stage.Fresh = r.in.Fresh
	}
	return in, nil
}

// contest gives a promotion the evaluation that measured its model.
func (r *run) contest(s *pipelines.Promote) (*contract.GateInput, error) {
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
	if r.paused {
		b.WriteString("**paused**: no further stage starts\n\n")
	}
	b.WriteString("| stage | kind | status | result |\n|---|---|---|---|\n")
	for _, s := range r.progress {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.ID, s.Kind, s.Status, s.Summary)
	}
	return b.String()
}

func (r *run) report() (contract.Progress, error) {
	p := contract.Progress{Name: r.in.Pipeline.Name, Stages: r.progress, Total: len(r.progress), Paused: r.paused}
	for _, s := range r.progress {
		if s.Status == "done" || s.Status == "skipped" {
			p.Done++
		}
	}
	return p, nil
}
