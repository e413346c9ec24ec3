package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"temper/activities/contract"
	"temper/pipelines"
)

// A run and its stages are workflows of their own, and a reset of one must be seen by the other. What Temporal does (server 1.32):
//
//   - A stage that is reset while its run waits for it reports to the run when it ends: the run needs no reset.
//   - A run that has taken a stage's end, or has ended, must be put back to before that. A reset of it reconnects with the stages that it had
//     started by then, and their next ends reach it; but it is also told the ends that it has seen already, unless nothing at all is applied
//     again after the reset. So nothing is, and the stages that had ended after the point are made to end anew: from their last workflow
//     task, without doing any work again.
//   - The run comes first: a stage's end that reaches a run which is closed and not reset is lost.

// child is one stage's workflow as its run knows it.
type child struct {
	id        string // of the workflow
	initiated int64  // event
	closed    int64  // event; 0 while the run waits
	completed bool
}

// children finds the stages' workflows in a run's history, each as it was started last.
func children(events []*historypb.HistoryEvent) map[string]*child {
	out := map[string]*child{}
	end := func(id int64, x *commonpb.WorkflowExecution, completed bool) {
		if c := out[x.GetWorkflowId()]; c != nil {
			c.closed, c.completed = id, completed
		}
	}
	for _, e := range events {
		id := e.GetEventId()
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
			name := e.GetStartChildWorkflowExecutionInitiatedEventAttributes().GetWorkflowId()
			out[name] = &child{id: name, initiated: id}
		case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
			end(id, e.GetChildWorkflowExecutionCompletedEventAttributes().GetWorkflowExecution(), true)
		case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
			end(id, e.GetChildWorkflowExecutionFailedEventAttributes().GetWorkflowExecution(), false)
		case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
			end(id, e.GetChildWorkflowExecutionTimedOutEventAttributes().GetWorkflowExecution(), false)
		case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
			end(id, e.GetChildWorkflowExecutionCanceledEventAttributes().GetWorkflowExecution(), false)
		case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
			end(id, e.GetChildWorkflowExecutionTerminatedEventAttributes().GetWorkflowExecution(), false)
		}
	}
	return out
}

// place is a point in one run of a workflow.
type place struct {
	runID string
	point int64
	then  *contract.Control // is done to the workflow at once
}

// rewind puts stages back to places, and their run as far as that needs; point puts the run back at least to there.
func (c *conn) rewind(ctx context.Context, r runInfo, stages map[string]place, point int64, reason string) error {
	events, err := c.history(ctx, r.ID, r.RunID)
	if err != nil {
		return err
	}
	known := children(events)
	if point == 0 && !r.open() {
		point = lastPoint(events)
	}
	for id := range stages {
		if known[id] == nil {
			return fmt.Errorf("run %s has not started %s", r.ID, id)
		}
		if at := known[id].closed; at > 0 {
			if p := pointBefore(events, at); point == 0 || p < point {
				point = p
			}
		}
	}
	if point > 0 {
		if err := c.rewindRun(ctx, r, known, point, reason); err != nil {
			return err
		}
		if stages, err = c.rest(ctx, known, stages, point); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(stages)) {
		if err := c.reset(ctx, id, stages[id], reason); err != nil {
			return fmt.Errorf("%w; give the command again", err)
		}
	}
	return nil
}

// rewindRun resets a run. Stages that it starts only after the point are ended first: it will start them anew.
func (c *conn) rewindRun(ctx context.Context, r runInfo, known map[string]*child, point int64, reason string) error {
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if known[id].initiated < point {
			continue
		}
		err := c.client.TerminateWorkflow(ctx, id, "", reason)
		var ended *serviceerror.NotFound
		if err != nil && !errors.As(err, &ended) {
			return fmt.Errorf("end %s: %w", id, err)
		}
	}
	return c.reset(ctx, r.ID, place{runID: r.RunID, point: point}, reason)
}

// rest adds the stages that a run waits for again after its reset although they have ended: they end anew.
func (c *conn) rest(ctx context.Context, known map[string]*child, stages map[string]place, point int64) (map[string]place, error) {
	out := maps.Clone(stages)
	if out == nil {
		out = map[string]place{}
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		k := known[id]
		if _, asked := out[id]; asked || k.initiated >= point || k.closed > 0 && k.closed < point {
			continue
		}
		d, err := c.client.DescribeWorkflow(ctx, id, "")
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", id, err)
		}
		if d.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			continue
		}
		events, err := c.history(ctx, id, d.WorkflowExecution.RunID)
		if err != nil {
			return nil, err
		}
		at := lastPoint(events)
		if d.Status != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
			at = pointOfFailure(events)
		}
		out[id] = place{runID: d.WorkflowExecution.RunID, point: at}
	}
	return out, nil
}

// reset is Temporal's own, with what is to be done to the workflow at once. The server has no reset that signals, and the workflow may be
// on its way before a signal is there; so the signal goes to the new run, which is reset once more to where it began, and signals that a
// run has got are applied again.
func (c *conn) reset(ctx context.Context, id string, at place, reason string) error {
	runID, err := c.resetOnce(ctx, id, at, reason, true)
	if err != nil || at.then == nil {
		return err
	}
	if err := c.client.SignalWorkflow(ctx, id, runID, contract.SignalControl, at.then); err != nil {
		return fmt.Errorf("signal %s after its reset: %w", id, err)
	}
	if _, err := c.resetOnce(ctx, id, place{runID: runID, point: at.point}, reason, false); err != nil {
		return err
	}
	d, err := c.client.DescribeWorkflow(ctx, id, runID)
	if err == nil && d.Status != enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED { // not by this reset: its run has taken a result without what was set
		err = fmt.Errorf("%s ended before it could be told", id)
	}
	return err
}

// resetOnce resets a workflow and returns the new run's id. With nothing, none of what came after the point is applied again.
func (c *conn) resetOnce(ctx context.Context, id string, at place, reason string, nothing bool) (string, error) {
	if at.point == 0 {
		return "", fmt.Errorf("%s has no point to go back to: it has not begun", id)
	}
	request := &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: c.settings.Temporal.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: at.runID},
		Reason: reason, WorkflowTaskFinishEventId: at.point, RequestId: rand.Text(), Identity: whoami(),
	}
	for number := range enumspb.ResetReapplyExcludeType_name { // only where all are there is nothing applied again, children's ends included
		kind := enumspb.ResetReapplyExcludeType(number)
		if kind != enumspb.RESET_REAPPLY_EXCLUDE_TYPE_UNSPECIFIED && (nothing || kind != enumspb.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL) {
			request.ResetReapplyExcludeTypes = append(request.ResetReapplyExcludeTypes, kind)
		}
	}
	answer, err := c.client.ResetWorkflowExecution(ctx, request)
	if err != nil {
		return "", fmt.Errorf("reset %s to event %d: %w", id, at.point, err)
	}
	return answer.GetRunId(), nil
}

// resetStage puts a stage back to where an iteration was done; the training goes on from there as a new branch.
func (a *app) resetStage(ctx context.Context, c *conn, name string, to int, values pipelines.Tuning) error {
	run, stage := splitRun(name)
	r, err := c.findRun(ctx, run)
	if err != nil {
		return err
	}
	if err := c.awaitStages(ctx, r); err != nil {
		return err
	}
	id := r.ID + "/" + stage
	at, in, err := c.iteration(ctx, id, to)
	if err != nil {
		return err
	}
	if len(values) > 0 {
		if _, err := in.Stage.Stage.Tuned(values); err != nil {
			return err
		}
		at.then = &contract.Control{Do: contract.UpdateSet, Stage: stage, Values: values, Who: whoami(), Why: "reset"}
	}
	if err := c.rewind(ctx, r, map[string]place{id: at}, 0, fmt.Sprintf("temper runs reset %s --to %d", id, to)); err != nil {
		return err
	}
	text := fmt.Sprintf("stage %s goes on after %d", stage, to)
	if len(values) > 0 {
		text += " with " + values.String()
	}
	_, err = fmt.Fprintln(a.out, text)
	return err
}

// iteration finds the place in a stage's history where an iteration was done: in its newest run or in one that it continued.
func (c *conn) iteration(ctx context.Context, id string, n int) (place, contract.StageInput, error) {
	d, err := c.client.DescribeWorkflow(ctx, id, "")
	if err != nil {
		return place{}, contract.StageInput{}, fmt.Errorf("look for %s: %w", id, err)
	}
	var known []int
	for runID := d.WorkflowExecution.RunID; runID != ""; {
		events, err := c.history(ctx, id, runID)
		if err != nil {
			return place{}, contract.StageInput{}, err
		}
		done, err := iterations(events)
		if err != nil {
			return place{}, contract.StageInput{}, fmt.Errorf("read the history of %s: %w", id, err)
		}
		started := events[0].GetWorkflowExecutionStartedEventAttributes()
		if event, ok := done[n]; ok {
			var in contract.StageInput
			if err := decode(started.GetInput(), &in); err != nil {
				return place{}, in, err
			}
			return place{runID: runID, point: pointAfter(events, event)}, in, nil
		}
		known = append(known, slices.Collect(maps.Keys(done))...)
		runID = started.GetContinuedExecutionRunId()
	}
	slices.Sort(known)
	if len(known) == 0 {
		return place{}, contract.StageInput{}, fmt.Errorf("%s has no iterations to go back to", id)
	}
	texts := make([]string, len(known))
	for i, k := range known {
		texts[i] = fmt.Sprint(k)
	}
	return place{}, contract.StageInput{}, fmt.Errorf("--to %d: %s has done %s", n, id, strings.Join(texts, ", "))
}

// offPolicySteps is how many steps a distillation does before its rounds.
func offPolicySteps(in contract.StageInput) int {
	if s, ok := in.Stage.Stage.Settings.(*pipelines.Distill); ok {
		return s.Steps
	}
	return 0
}
