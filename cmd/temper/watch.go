package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"temper/activities/contract"
	"temper/pipelines"
	"temper/workers"
)

const (
	lookEvery     = time.Second
	progressEvery = 5 * time.Second
	queryWithin   = 3 * time.Second
	silentAfter   = 15 * time.Second // without an answer from a worker
)

// watcher follows one run and tells what happens.
type watcher struct {
	app      *app
	conn     *conn
	pipeline *pipelines.Pipeline
	progress bool // also inside stages

	seen     map[string]string // stage -> status last told
	lastLine string
	lastTold time.Time // of a progress line
	answered time.Time // of the newest answer to a query
	silent   bool      // said that no worker answers
}

// outcome is how a run ended.
type outcome struct {
	out contract.PipelineOut
	err error
}

// follow returns when the run ends: nil when it completed. group is the worker of this process, if it has one.
func (w *watcher) follow(ctx context.Context, r client.WorkflowRun, group *workers.Group) error {
	w.seen, w.answered = map[string]string{}, time.Now()
	var workerFailed <-chan error
	if group != nil {
		workerFailed = group.Failed()
	}
	watching, cancel := context.WithCancel(ctx)
	ended := make(chan outcome, 1)
	wait := func(r client.WorkflowRun) {
		var o outcome
		o.err = r.Get(watching, &o.out)
		ended <- o
	}
	go wait(r)
	running := true
	defer func() {
		cancel()
		if running {
			<-ended
		}
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case o := <-ended:
			running = false
			if ctx.Err() != nil {
				return w.interrupted(ctx, r)
			}
			if next := w.successor(ctx, r, o.err); next != nil {
				w.say("the run was reset; following it")
				w.seen, r, running = map[string]string{}, next, true
				go wait(r)
				continue
			}
			return w.finish(ctx, r, o)
		case <-tick.C:
			w.look(ctx, r)
		case err := <-w.conn.failed():
			return fmt.Errorf("the built-in servers ended; give the command again to go on: %w", err)
		case err := <-workerFailed:
			return fmt.Errorf("the worker ended; give the command again to go on: %w", err)
		case <-ctx.Done():
			return w.interrupted(ctx, r)
		}
	}
}

func (w *watcher) interrupted(ctx context.Context, r client.WorkflowRun) error {
	where := "goes on without this command; give it again to watch"
	if w.conn.own != nil {
		where = "stays open; give the command again to go on"
	}
	return fmt.Errorf("%w: run %s %s", context.Cause(ctx), r.GetID(), where)
}

// successor is the run that took the place of one that was ended by a reset.
func (w *watcher) successor(ctx context.Context, r client.WorkflowRun, err error) client.WorkflowRun {
	var terminated *temporal.TerminatedError
	if !errors.As(err, &terminated) {
		return nil
	}
	d, err := w.conn.client.DescribeWorkflow(ctx, r.GetID(), "")
	if err != nil || d.Status != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || d.WorkflowExecution.RunID == r.GetRunID() {
		return nil
	}
	return w.conn.client.GetWorkflow(ctx, r.GetID(), d.WorkflowExecution.RunID)
}

func (w *watcher) finish(ctx context.Context, r client.WorkflowRun, o outcome) error {
	if o.err != nil {
		w.look(ctx, r)
		var gone *serviceerror.Unavailable
		if errors.As(o.err, &gone) {
			return fmt.Errorf("the Temporal server at %s went away; give the command again to go on: %w", w.conn.settings.Temporal.Address, o.err)
		}
		text := fmt.Sprintf("run %s failed: %s", r.GetID(), cause(o.err))
		if link := w.conn.link(r.GetID(), r.GetRunID()); link != "" {
			text += "\nhistory: " + link + w.lasting()
		}
		return errors.New(text)
	}
	for _, st := range w.pipeline.Stages {
		out := o.out.Stages[st.ID]
		status := "done"
		if out.Skipped {
			status = "skipped"
		}
		w.tell(contract.StageProgress{ID: st.ID, Kind: st.Kind, Status: status, Summary: out.Summary})
	}
	text, err := w.conn.store.Read(ctx, o.out.Report.Ref, reportText)
	if err != nil {
		text = []byte(o.out.Report.Table) // the same in Markdown; the run has completed whether or not the bucket answers now
	}
	fmt.Fprintf(w.app.out, "\n%s\n", strings.TrimSpace(string(text)))
	fmt.Fprintf(w.app.out, "\nrun     %s has completed\nreport  %s: temper report %s\n", r.GetID(), o.out.Report.Ref.Short(), r.GetID())
	if link := w.conn.link(r.GetID(), r.GetRunID()); link != "" {
		fmt.Fprintf(w.app.out, "ui      %s%s\n", link, w.lasting())
	}
	return nil
}

// lasting says when a link to the UI works.
func (w *watcher) lasting() string {
	if w.conn.own != nil {
		return " (after temper up)"
	}
	return ""
}

// look asks the run how far it is and tells what is new. That it does not answer now and then is no failure of the run.
func (w *watcher) look(ctx context.Context, r client.WorkflowRun) {
	p, err := w.conn.ask(ctx, r.GetID(), r.GetRunID())
	if err != nil {
		if since := time.Since(w.answered); since > silentAfter && !w.silent && ctx.Err() == nil {
			w.silent = true
			w.say("no worker answers on queue %s since %s; temper worker starts one", contract.QueueLight, took(since))
		}
		return
	}
	w.answered, w.silent = time.Now(), false
	var running []contract.StageProgress
	for _, st := range p.Stages {
		w.tell(st)
		if st.Status == "running" {
			running = append(running, st)
		}
	}
	if w.progress && time.Since(w.lastTold) >= progressEvery {
		w.inside(ctx, running)
	}
}

// tell prints a stage's status once.
func (w *watcher) tell(st contract.StageProgress) {
	if st.Status == "waiting" || w.seen[st.ID] == st.Status {
		return
	}
	w.seen[st.ID] = st.Status
	text := st.Summary
	if st.Status == "running" {
		text = w.title(st.ID)
	}
	w.say("%-8s %-12s %s", st.Status, st.ID, text)
}

func (w *watcher) title(stage string) string {
	for _, step := range w.pipeline.Plan() {
		if step.Stage == stage {
			return step.Title
		}
	}
	return ""
}

// inside prints a line with the progress of the running stages, when it is another than the last.
func (w *watcher) inside(ctx context.Context, running []contract.StageProgress) {
	var parts []string
	for _, st := range running {
		p, err := w.conn.ask(ctx, st.Workflow, "")
		if err != nil || p.Total == 0 {
			continue
		}
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %d/%d %s", st.ID, p.Done, p.Total, p.Line)))
	}
	line := strings.Join(parts, " | ")
	if line == "" || line == w.lastLine {
		return
	}
	w.lastLine, w.lastTold = line, time.Now()
	w.say("         %s", line)
}

func (w *watcher) say(format string, args ...any) {
	fmt.Fprintln(w.app.out, time.Now().Format("15:04:05")+"  "+strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// ask queries a pipeline or a stage for its progress.
func (c *conn) ask(ctx context.Context, workflow, run string) (contract.Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, queryWithin)
	defer cancel()
	var p contract.Progress
	answer, err := c.client.QueryWorkflow(ctx, workflow, run, contract.QueryProgress)
	if err == nil {
		err = answer.Get(&p)
	}
	return p, err
}

// settle waits a moment until listings know how a run ended: the server tells them a little later, and this process is about to stop
// it. A listing that is late is no reason to fail.
func (c *conn) settle(ctx context.Context, r client.WorkflowRun) {
	ctx, cancel := context.WithTimeout(ctx, queryWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	query := fmt.Sprintf("WorkflowId = '%s' AND RunId = '%s' AND ExecutionStatus != 'Running'", r.GetID(), r.GetRunID())
	for {
		found, err := c.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: 1})
		if err == nil && len(found.GetExecutions()) > 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
