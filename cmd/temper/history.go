package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"temper/activities/contract"
)

// runInfo is one run as the server lists it.
type runInfo struct {
	ID, RunID    string
	Status       string // running, completed, failed, …
	Start, Close time.Time
}

func (r runInfo) open() bool { return r.Status == "running" }

func (r runInfo) took() time.Duration {
	if r.Close.IsZero() {
		return time.Since(r.Start)
	}
	return r.Close.Sub(r.Start)
}

func statusName(s enumspb.WorkflowExecutionStatus) string { return strings.ToLower(s.String()) }

// errNoRun says that the server knows no such run.
var errNoRun = errors.New("no such run")

// runs lists the newest runs, at most limit of them; 0 is all.
func (c *conn) runs(ctx context.Context, limit int) ([]runInfo, error) {
	var out []runInfo
	var page []byte
	for {
		answer, err := c.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType = '" + contract.PipelineWorkflow + "'", NextPageToken: page})
		if err != nil {
			return nil, fmt.Errorf("list the runs: %w", err)
		}
		for _, e := range answer.GetExecutions() {
			r := runInfo{ID: e.GetExecution().GetWorkflowId(), RunID: e.GetExecution().GetRunId(), Status: statusName(e.GetStatus()), Start: e.GetStartTime().AsTime()}
			if e.GetCloseTime() != nil {
				r.Close = e.GetCloseTime().AsTime()
			}
			out = append(out, r)
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Start.After(out[j].Start) })
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, nil
}

// findRun finds the run that a person means: latest, an id, or the beginning of one. Of runs with one id it is the newest.
func (c *conn) findRun(ctx context.Context, name string) (runInfo, error) {
	if name != "latest" {
		d, err := c.client.DescribeWorkflow(ctx, name, "")
		var missing *serviceerror.NotFound
		if err == nil {
			return infoOf(d), nil
		}
		if !errors.As(err, &missing) {
			return runInfo{}, fmt.Errorf("look for run %s: %w", name, err)
		}
	}
	all, err := c.runs(ctx, 0)
	if err != nil {
		return runInfo{}, err
	}
	found := map[string]bool{}
	var first runInfo
	for _, r := range all {
		if name == "latest" || strings.HasPrefix(r.ID, name) {
			if len(found) == 0 {
				first = r
			}
			found[r.ID] = true
			if name == "latest" {
				break
			}
		}
	}
	switch {
	case len(found) == 0 && name == "latest":
		return runInfo{}, fmt.Errorf("%w: there are none yet", errNoRun)
	case len(found) == 0:
		return runInfo{}, fmt.Errorf("%w: %q; temper runs lists them", errNoRun, name)
	case len(found) > 1:
		return runInfo{}, fmt.Errorf("%d runs have names that begin with %q; temper runs lists them", len(found), name)
	}
	// A listing may be late; the run itself is not.
	d, err := c.client.DescribeWorkflow(ctx, first.ID, first.RunID)
	if err != nil {
		return runInfo{}, fmt.Errorf("look for run %s: %w", first.ID, err)
	}
	return infoOf(d), nil
}

func infoOf(d *client.WorkflowExecutionDescription) runInfo {
	r := runInfo{ID: d.WorkflowExecution.ID, RunID: d.WorkflowExecution.RunID, Status: statusName(d.Status), Start: d.WorkflowStartTime}
	if d.WorkflowCloseTime != nil {
		r.Close = *d.WorkflowCloseTime
	}
	return r
}

// record is what the history of a run tells, whether or not a worker is there to answer queries.
type record struct {
	In     contract.PipelineInput
	Out    *contract.PipelineOut // of a completed run
	Stages map[string]*stageRecord
	Cause  string // of a failed run
}

// stageRecord is one stage of a run.
type stageRecord struct {
	Status         string // running, done, skipped or failed
	Started, Ended time.Time
	Out            contract.StageOut
	Cause          string
}

// read goes through the history of a run.
func (c *conn) read(ctx context.Context, r runInfo) (*record, error) {
	rec := &record{Stages: map[string]*stageRecord{}}
	events := c.client.GetWorkflowHistory(ctx, r.ID, r.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err == nil {
			err = rec.add(r.ID, e)
		}
		if err != nil {
			return nil, fmt.Errorf("read the history of run %s: %w", r.ID, err)
		}
	}
	return rec, nil
}

func (rec *record) add(run string, e *historypb.HistoryEvent) error {
	stage := func(child *commonpb.WorkflowExecution) *stageRecord {
		id := strings.TrimPrefix(child.GetWorkflowId(), run+"/")
		if rec.Stages[id] == nil {
			rec.Stages[id] = &stageRecord{}
		}
		return rec.Stages[id]
	}
	end := func(child *commonpb.WorkflowExecution, status, cause string) *stageRecord {
		s := stage(child)
		s.Status, s.Ended, s.Cause = status, e.GetEventTime().AsTime(), cause
		return s
	}
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		return decode(e.GetWorkflowExecutionStartedEventAttributes().GetInput(), &rec.In)
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
		s := stage(e.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution())
		s.Status, s.Started = "running", e.GetEventTime().AsTime()
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
		a := e.GetChildWorkflowExecutionCompletedEventAttributes()
		s := end(a.GetWorkflowExecution(), "done", "")
		if err := decode(a.GetResult(), &s.Out); err != nil {
			return err
		}
		if s.Out.Skipped {
			s.Status = "skipped"
		}
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
		a := e.GetChildWorkflowExecutionFailedEventAttributes()
		end(a.GetWorkflowExecution(), "failed", rootCause(a.GetFailure()))
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
		end(e.GetChildWorkflowExecutionTimedOutEventAttributes().GetWorkflowExecution(), "failed", "timed out")
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
		end(e.GetChildWorkflowExecutionCanceledEventAttributes().GetWorkflowExecution(), "failed", "cancelled")
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
		end(e.GetChildWorkflowExecutionTerminatedEventAttributes().GetWorkflowExecution(), "failed", "terminated")
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		rec.Out = &contract.PipelineOut{}
		return decode(e.GetWorkflowExecutionCompletedEventAttributes().GetResult(), rec.Out)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		rec.Cause = rootCause(e.GetWorkflowExecutionFailedEventAttributes().GetFailure())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		rec.Cause = strings.TrimSpace("terminated " + e.GetWorkflowExecutionTerminatedEventAttributes().GetReason())
	}
	return nil
}

// running lists the stages under way, by id.
func (rec *record) running() []string {
	var ids []string
	for id, s := range rec.Stages {
		if s.Status == "running" {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

func decode(payloads *commonpb.Payloads, into any) error {
	return converter.GetDefaultDataConverter().FromPayloads(payloads, into)
}

// rootCause is the innermost message of a recorded failure.
func rootCause(f *failurepb.Failure) string {
	for f.GetCause() != nil {
		f = f.GetCause()
	}
	return f.GetMessage()
}
