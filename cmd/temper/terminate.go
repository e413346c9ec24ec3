package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// terminate ends a run and its stages. What its stages have saved stays: the same pipeline goes on from there.
func (a *app) terminate(ctx context.Context, c *conn, name, why string) error {
	r, err := c.findRun(ctx, name)
	if err != nil {
		return err
	}
	if !r.open() {
		return fmt.Errorf("run %s is %s", r.ID, r.Status)
	}
	if err := c.client.TerminateWorkflow(ctx, r.ID, r.RunID, why); err != nil {
		return fmt.Errorf("terminate run %s: %w", r.ID, err)
	}
	events, err := c.history(ctx, r.ID, r.RunID)
	if err != nil {
		return err
	}
	for id, k := range children(events) {
		if k.closed == 0 {
			if err := c.endStage(ctx, id, r.RunID, why); err != nil {
				return err
			}
		}
	}
	_, err = fmt.Fprintf(a.out, "run %s is terminated. The same pipeline goes on from the last snapshots (temper run); temper runs retry %s goes on where it was\n", r.ID, r.ID)
	return err
}

// endStage ends a stage of a run that was terminated. The server does so by itself, but not where the run was reset since it started the stage: then
// it takes the stage for another run's. Where the server does it, this waits: ended twice, a stage that goes on in between would be ended by the second.
func (c *conn) endStage(ctx context.Context, id, runID, why string) error {
	theirs, err := c.endsWith(ctx, id, runID)
	if err != nil {
		return err
	}
	if !theirs {
		err := c.client.TerminateWorkflow(ctx, id, "", why)
		var ended *serviceerror.NotFound
		if err != nil && !errors.As(err, &ended) {
			return fmt.Errorf("terminate stage %s: %w", id, err)
		}
	}
	return c.awaitEnd(ctx, id)
}

// endsWith says whether a stage is running that the server ends with one run of its pipeline.
func (c *conn) endsWith(ctx context.Context, id, runID string) (bool, error) {
	d, err := c.stage(ctx, id)
	if err != nil || d == nil {
		return false, err
	}
	return d.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && d.ParentWorkflowExecution != nil && d.ParentWorkflowExecution.RunID == runID, nil
}

// stage describes a stage's workflow; nil where it was never started.
func (c *conn) stage(ctx context.Context, id string) (*client.WorkflowExecutionDescription, error) {
	d, err := c.client.DescribeWorkflow(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("look for %s: %w", id, err)
	}
	return d, nil
}

// awaitEnd waits until the server has ended a stage.
func (c *conn) awaitEnd(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, updateWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := c.stage(ctx, id)
		if err != nil || d == nil || d.Status != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stage %s is still running: %w", id, ctx.Err())
		case <-tick.C:
		}
	}
}
