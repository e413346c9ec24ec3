package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"temper/activities/contract"
	"temper/pipelines"
)

// TestRollingUpgrade: a stage ends on the build that began it; the run and its further stages go on with the next one.
func TestRollingUpgrade(t *testing.T) {
	l := newLab(t)
	l.stopWorker()
	build := func(id string) {
		l.options.DeploymentOptions = worker.DeploymentOptions{UseVersioning: true, Version: worker.WorkerDeploymentVersion{DeploymentName: "lab", BuildID: id}}
		l.startWorker()
		fleet := l.c.client.WorkerDeploymentClient().GetHandle("lab")
		require.Eventually(t, func() bool { // the server learns of a build from its workers
			_, err := fleet.SetCurrentVersion(t.Context(), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: id})
			return err == nil
		}, 30*time.Second, 100*time.Millisecond, "build %s", id)
	}
	build("one")
	release := l.hold("first Rollout 2")
	l.start("upgraded")
	l.seen("first Rollout 2")
	build("two") // beside it
	release()
	out := l.result("upgraded")
	require.Equal(t, 4.0, out.Stages["first"].Numbers["rounds"])
	require.Equal(t, 3.0, out.Stages["second"].Numbers["rounds"])
	for call, want := range map[string]string{"first Rollout 1": "one", "first UpdatePolicy 2": "one", "first Rollout 4": "one", "first SaveState 4": "one",
		"second Rollout 1": "two", "second UpdatePolicy 3": "two", "WriteReport": "two"} {
		require.Equal(t, want, l.builds[call], call)
	}
}

// backlog starts runs whose first rollouts wait for the one slot, and returns the order in which they get it.
func backlog(t *testing.T, l *lab, start func(p *pipelines.Pipeline) (runs []string)) []string {
	t.Helper()
	p, err := pipelines.Parse("one.yaml", []byte(`
name: one
base: {import: /models/m}
tasks: {pool: {procedural: chain, seed: 3, count: 8}}
stages:
  - rl: {id: only, model: base, tasks: pool, recipe: grpo, rounds: 1, prompts: 4}
`), nil)
	require.NoError(t, err)
	release := l.hold("only Rollout 1")
	runs := start(p)
	backlogged := func() int64 {
		d, err := l.c.client.WorkflowService().DescribeTaskQueue(t.Context(), &workflowservice.DescribeTaskQueueRequest{Namespace: l.c.settings.Temporal.Namespace,
			TaskQueue: &taskqueue.TaskQueue{Name: contract.QueueGPU}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_ACTIVITY, ReportStats: true})
		require.NoError(t, err)
		return d.GetStats().GetApproximateBacklogCount()
	}
	// A run's history has the activity before its task is in the queue.
	require.Eventually(t, func() bool { return backlogged() == int64(len(runs)-1) }, 20*time.Second, 20*time.Millisecond, "all but the first wait in the queue")
	release()
	for _, id := range runs {
		l.result(id)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var order []string // of first turns
	for _, id := range l.order {
		if !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	return order
}

// TestTeamsShareTheWorkers: with one slot, a team's sweep does not keep another team's run waiting until it has ended.
func TestTeamsShareTheWorkers(t *testing.T) {
	l := newLab(t)
	l.stopWorker()
	l.options.MaxConcurrentActivityExecutionSize = 1
	l.startWorker()
	start := func(p *pipelines.Pipeline, id string, s share) string {
		_, err := l.app.startRun(t.Context(), l.c, p, id, runOptions{share: s})
		require.NoError(t, err)
		return id
	}
	t.Run("fairness", func(t *testing.T) {
		l.sub(t)
		order := backlog(t, l, func(p *pipelines.Pipeline) (runs []string) {
			for n := range 10 {
				runs = append(runs, start(p, fmt.Sprintf("sweep-%d", n), share{team: "sweepers"}))
			}
			l.seen("only Rollout 1")
			return append(runs, start(p, "other", share{team: "others"}))
		})
		require.LessOrEqual(t, slices.Index(order, "other"), 2, "in order of arrival it is the last, %v", order)
	})
	t.Run("priority", func(t *testing.T) {
		l.sub(t)
		l.mu.Lock()
		l.order = nil
		l.mu.Unlock()
		order := backlog(t, l, func(p *pipelines.Pipeline) (runs []string) {
			for n := range 12 {
				runs = append(runs, start(p, fmt.Sprintf("calm-%d", n), share{level: 4}))
			}
			l.seen("only Rollout 1")
			return append(runs, start(p, "urgent", share{level: 1}))
		})
		require.Equal(t, 1, slices.Index(order, "urgent"), "after the one that has the slot, %v", order)
	})
}
