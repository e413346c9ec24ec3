package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Every activity beats from before its first slow step, so a dead worker is noticed within heartbeatTimeout while a compilation or a long
// generation may take as long as it needs.
const (
	heartbeatTimeout = 15 * time.Second
	longestActivity  = 12 * time.Hour
)

// call runs an activity on a queue and waits for its result. summary is what a person reads beside it in the UI. An error that the
// activity marks as permanent fails at once, any other is tried again until it works: a worker that is gone comes back, a bucket that is
// down comes up.
func call[Out any](ctx workflow.Context, queue, activity, summary string, input any) (Out, error) {
	var out Out
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           queue,
		Summary:             summary,
		StartToCloseTimeout: longestActivity,
		HeartbeatTimeout:    heartbeatTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	})
	err := workflow.ExecuteActivity(ctx, activity, input).Get(ctx, &out)
	return out, err
}
