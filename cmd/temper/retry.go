package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// retry lets a run that ended without completing go on: what failed is asked for again, what was done stays.
func (a *app) retry(ctx context.Context, c *conn, name string) error {
	r, err := c.findRun(ctx, name)
	if err != nil {
		return err
	}
	if r.Status == "completed" {
		return fmt.Errorf("run %s has completed; there is nothing to try again", r.ID)
	}
	if err := c.awaitStages(ctx, r); err != nil {
		return err
	}
	events, err := c.history(ctx, r.ID, r.RunID)
	if err != nil {
		return err
	}
	stages, err := c.failures(ctx, children(events))
	if err != nil {
		return err
	}
	if r.open() && len(stages) == 0 {
		return fmt.Errorf("run %s is running and none of its stages has failed", r.ID)
	}
	var point int64
	if !r.open() {
		point = pointOfFailure(events)
	}
	if err := c.rewind(ctx, r, stages, point, "temper runs retry "+r.ID); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "run %s goes on", r.ID)
	for _, id := range slices.Sorted(maps.Keys(stages)) {
		fmt.Fprintf(a.out, "; stage %s from before what failed", strings.TrimPrefix(id, r.ID+"/"))
	}
	_, err = fmt.Fprintln(a.out)
	return err
}

// newsWithin is how long the server may take to tell a run of the end of a stage.
const newsWithin = 2 * time.Second

// awaitStages waits until the stages of a run that has ended have ended too, and until the server has told the run of that: a stage that goes on sooner is ended
// with the run that was, and a run that goes on sooner is told of an end that it was put back to before.
func (c *conn) awaitStages(ctx context.Context, r runInfo) error {
	if r.open() {
		return nil
	}
	events, err := c.history(ctx, r.ID, r.RunID)
	if err != nil {
		return err
	}
	var last time.Time
	for id, k := range children(events) {
		if k.closed > 0 {
			continue // the run was told
		}
		theirs, err := c.endsWith(ctx, id, r.RunID)
		if err == nil && theirs {
			err = c.awaitEnd(ctx, id)
		}
		if err != nil {
			return err
		}
		d, err := c.stage(ctx, id)
		if err != nil {
			return err
		}
		if d != nil && d.WorkflowCloseTime != nil && d.WorkflowCloseTime.After(last) {
			last = *d.WorkflowCloseTime
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(newsWithin-time.Since(last), newsWithin)):
		return nil
	}
}

// failures are the stages that have ended without completing, each with the place before what failed.
func (c *conn) failures(ctx context.Context, known map[string]*child) (map[string]place, error) {
	out := map[string]place{}
	for id, k := range known {
		if k.closed > 0 && k.completed {
			continue
		}
		d, err := c.client.DescribeWorkflow(ctx, id, "")
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", id, err)
		}
		if d.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || d.Status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
			continue
		}
		events, err := c.history(ctx, id, d.WorkflowExecution.RunID)
		if err != nil {
			return nil, err
		}
		out[id] = place{runID: d.WorkflowExecution.RunID, point: pointOfFailure(events)}
	}
	return out, nil
}
