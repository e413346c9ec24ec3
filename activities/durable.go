package activities

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"temper/artifact"
	"temper/reward"
)

// work is an activity's own code.
type work[In, Out any] func(ctx context.Context, in In) (Out, error)

// beatEvery is well below the heartbeat timeout that workflows set.
const beatEvery = 3 * time.Second

// errStopping is returned by work that a worker's shutdown cut short; it is tried again elsewhere.
var errStopping = errors.New("the worker is shutting down")

// durable makes an activity of work: it beats in the background from before the first step, ends the work's context when a worker that is
// shutting down has given it its grace, turns a panic into an error and marks permanent errors as such. This is the one place that does.
func durable[In, Out any](grace time.Duration, fn work[In, Out]) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go func() {
			tick := time.NewTicker(beatEvery)
			defer tick.Stop()
			stopping := activity.GetWorkerStopChannel(ctx)
			var over <-chan time.Time
			for {
				activity.RecordHeartbeat(ctx)
				select {
				case <-ctx.Done():
					return
				case <-stopping:
					stopping, over = nil, time.After(grace)
				case <-over:
					cancel(errStopping)
					return
				case <-tick.C:
				}
			}
		}()
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
			err = classify(ctx, err)
		}()
		return fn(ctx, in)
	}
}

// classify makes an error that trying again cannot mend non-retryable. The world may come back: the bucket, the network, a reward service, another worker.
// Anything else (bad data, a step that is not finite, a bug) gives the same error again, so the stage fails and says why; it can be reset
// in the UI once the cause is mended.
func classify(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errStopping):
		return fmt.Errorf("%w: %w", errStopping, err)
	case errors.Is(err, errNotOwner), errors.Is(err, errShort), ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, artifact.ErrUnreachable),
		errors.Is(err, reward.ErrUnavailable):
		return err
	default:
		return temporal.NewNonRetryableApplicationError(err.Error(), "permanent", err)
	}
}

// accelerated is work that has the device to itself and gets it as an argument.
func accelerated[In, Out any](a *Activities, fn func(ctx context.Context, e *engine, in In) (Out, error)) work[In, Out] {
	return func(ctx context.Context, in In) (out Out, err error) {
		a.gpu.Lock()
		defer a.gpu.Unlock()
		if err := ctx.Err(); err != nil {
			return out, err
		}
		e, err := a.open()
		if err != nil {
			return out, fmt.Errorf("open the accelerator: %w", err)
		}
		return sparing(ctx, a, *e, func(e *engine) (Out, error) { return fn(ctx, e, in) })
	}
}
