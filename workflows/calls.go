package workflows

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
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
	return execute[Out](ctx, options(queue, summary), activity, input)
}

// homeWait is how long work waits for the worker that holds its state before any other may take it. That one then restores the state: it takes
// longer than going on, and comes to the same bits.
const homeWait = 10 * time.Second

// callAt is call for work on a state: by the worker that holds it, or any that has an accelerator.
func callAt[Out any](ctx workflow.Context, s contract.State, activity, summary string, input any) (Out, error) {
	if s.Home != "" {
		o := options(s.Home, summary)
		o.ScheduleToStartTimeout = homeWait
		out, err := execute[Out](ctx, o, activity, input)
		var late *temporal.TimeoutError
		if !errors.As(err, &late) || late.TimeoutType() != enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START {
			return out, err
		}
	}
	return call[Out](ctx, contract.QueueGPU, activity, summary, input)
}

func options(queue, summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           queue,
		Summary:             summary,
		StartToCloseTimeout: longestActivity,
		HeartbeatTimeout:    heartbeatTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	}
}

func execute[Out any](ctx workflow.Context, o workflow.ActivityOptions, activity string, input any) (Out, error) {
	var out Out
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), activity, input).Get(ctx, &out)
	return out, err
}
