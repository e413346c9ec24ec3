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

// identity names this process to Temporal: its number, the machine, and where the number means something.
func identity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name this process: %w", err)
	}
	return fmt.Sprintf("%d@%s", os.Getpid(), whereabouts(host)), nil
}

// whereabouts are host@boot/namespace: a number of a process is that process's until the machine starts anew, and in one namespace of processes. Of a system
// that does not tell, the last part is empty.
func whereabouts(host string) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, linkErr := os.Readlink("/proc/self/ns/pid")
	if err != nil || linkErr != nil {
		return host + "@"
	}
	return fmt.Sprintf("%s@%.8s/%s", host, boot, strings.Trim(space, "pid:[]"))
}

// releaseOrphans fails the activities whose worker was a process of this machine that is gone, so that they are tried again at once instead of after
// their heartbeat timeout. It returns how many there were. It is for a process whose own worker has not started yet; alone says that the
// server is this process's own, so that nobody else can be at work for it.
func releaseOrphans(ctx context.Context, c client.Client, namespace string, alone bool) (released int, err error) {
	host, err := os.Hostname()
	if err != nil {
		return 0, fmt.Errorf("activities of a killed worker: %w", err)
	}
	gone := func(a *workflowpb.PendingActivityInfo) bool {
		return orphaned(a, func(at string) bool { return at == whereabouts(host) })
	}
	if alone {
		gone = func(a *workflowpb.PendingActivityInfo) bool {
			return orphaned(a, func(at string) bool { name, _, _ := strings.Cut(at, "@"); return name == host })
		}
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
				if !gone(a) {
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

// orphaned says whether an activity is being done by a process that is gone, of a place that is this process's. A number that is this process's own was
// another's before: none of this process's workers has started.
func orphaned(a *workflowpb.PendingActivityInfo, here func(place string) bool) bool {
	number, at, ok := strings.Cut(a.GetLastWorkerIdentity(), "@")
	pid, err := strconv.Atoi(number)
	if a.GetState() != enumspb.PENDING_ACTIVITY_STATE_STARTED || !ok || err != nil || !here(at) {
		return false
	}
	return pid == os.Getpid() || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
