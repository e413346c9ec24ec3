package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// releaseOrphans fails the activities whose worker was a process of this machine that is gone, so that they are tried again at once instead of after
// their heartbeat timeout. It returns how many there were. It is for built-in servers that have just started, before their worker has.
func releaseOrphans(ctx context.Context, c client.Client, namespace string) (released int, err error) {
	host, err := os.Hostname()
	if err != nil {
		return 0, fmt.Errorf("activities of a killed worker: %w", err)
	}
	var page []byte
	for {
		runs, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: `ExecutionStatus = "Running"`, NextPageToken: page})
		if err != nil {
			return released, fmt.Errorf("activities of a killed worker: list the open runs: %w", err)
		}
		for _, r := range runs.GetExecutions() {
			id, runID := r.GetExecution().GetWorkflowId(), r.GetExecution().GetRunId()
			described, err := c.DescribeWorkflowExecution(ctx, id, runID)
			if err != nil {
				return released, fmt.Errorf("activities of a killed worker: describe %s: %w", id, err)
			}
			for _, a := range described.GetPendingActivities() {
				if !orphaned(a, host) {
					continue
				}
				cause := temporal.NewApplicationError("the worker "+a.GetLastWorkerIdentity()+" was killed", "WorkerKilled")
				err := c.CompleteActivityByID(ctx, namespace, id, runID, a.GetActivityId(), nil, cause)
				var ended *serviceerror.NotFound
				switch {
				case err == nil:
					released++
				case !errors.As(err, &ended):
					return released, fmt.Errorf("activities of a killed worker: release %s of %s: %w", a.GetActivityType().GetName(), id, err)
				}
			}
		}
		if page = runs.GetNextPageToken(); len(page) == 0 {
			return released, nil
		}
	}
}

// orphaned says whether an activity is being done by a process of this machine that is gone; a worker's identity is PID@HOST@. A number that is this
// process's own was another's before: none of this process's workers has started.
func orphaned(a *workflowpb.PendingActivityInfo, host string) bool {
	number, where, ok := strings.Cut(a.GetLastWorkerIdentity(), "@")
	pid, err := strconv.Atoi(number)
	if a.GetState() != enumspb.PENDING_ACTIVITY_STATE_STARTED || !ok || err != nil || where != host+"@" {
		return false
	}
	return pid == os.Getpid() || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
