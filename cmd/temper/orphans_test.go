package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"temper/configs"
)

// What a killed worker of this machine was doing is tried again at once; what a worker that lives, or one elsewhere, is doing goes on.
func TestOrphansAreReleased(t *testing.T) {
	s := configs.Default()
	s.Dir = t.TempDir()
	c, err := startStack(t.Context(), s, freePorts, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	host, err := os.Hostname()
	require.NoError(t, err)

	attempts, release := make(chan int32, 10), make(chan struct{})
	defer close(release)
	start := func(queue, identity string) client.WorkflowRun {
		connection, err := client.NewClientFromExisting(c.client, client.Options{Namespace: c.own.Namespace, Identity: identity})
		require.NoError(t, err)
		w := worker.New(connection, queue, worker.Options{})
		w.RegisterActivityWithOptions(func(ctx context.Context) error {
			attempt := activity.GetInfo(ctx).Attempt
			attempts <- attempt
			if attempt == 1 {
				<-release
			}
			return nil
		}, activityNamed("Hang"))
		w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Hour, HeartbeatTimeout: time.Hour})
			return workflow.ExecuteActivity(ctx, "Hang").Get(ctx, nil)
		}, workflow.RegisterOptions{Name: "Wait"})
		require.NoError(t, w.Start())
		r, err := c.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: queue, TaskQueue: queue}, "Wait")
		require.NoError(t, err)
		require.EqualValues(t, 1, <-attempts)
		return r
	}
	dead := start("dead", fmt.Sprintf("%d@%s", gone.Process.Pid, whereabouts(host)))
	rebooted := start("rebooted", fmt.Sprintf("%d@%s@long-ago/1", gone.Process.Pid, host))
	start("parent", fmt.Sprintf("%d@%s@", os.Getppid(), host))
	start("elsewhere", fmt.Sprintf("%d@elsewhere@", gone.Process.Pid))

	for _, step := range []struct {
		alone bool
		run   client.WorkflowRun
	}{{false, dead}, {true, rebooted}} {
		require.Eventually(t, func() bool { // the list of open runs follows their starts
			released, err := releaseOrphans(t.Context(), c.client, c.own.Namespace, step.alone)
			require.NoError(t, err)
			return released == 1
		}, e2eWithin, 100*time.Millisecond)
		require.EqualValues(t, 2, <-attempts)
		require.NoError(t, step.run.Get(t.Context(), nil))
		require.Empty(t, attempts, "alone: %v", step.alone)
	}
}
