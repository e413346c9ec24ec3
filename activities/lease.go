package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"temper/activities/contract"
	"temper/artifact"
)

// A stage is trained for one Temporal at a time. Within it, Temporal itself sees to it that each piece of work is done by one worker; the lease is for
// two of them that share a bucket and have both started the same run: the second waits while the first is at work, and goes on when it is not.
const (
	leaseLasts = 20 * time.Second
	leaseBeat  = 5 * time.Second
)

// errNotOwner ends work on a stage that another Temporal has taken over.
var errNotOwner = errors.New("the stage is trained elsewhere")

// leases are those of the stages that this worker has trained.
type leases map[string]*artifact.Lease

// owned is work that changes the state of a stage.
func owned[In, Out any](a *Activities, stageOf func(In) contract.Stage, fn func(context.Context, *engine, In) (Out, error)) func(context.Context, *engine, In) (Out, error) {
	return func(ctx context.Context, e *engine, in In) (Out, error) {
		ctx, done, err := a.own(ctx, stageOf(in))
		if err != nil {
			var none Out
			return none, err
		}
		defer done()
		out, err := fn(ctx, e, in)
		if cause := context.Cause(ctx); err != nil && errors.Is(cause, errNotOwner) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return out, err
	}
}

// own takes the lease of a stage and keeps it until done is called. When it is lost the context ends.
func (a *Activities) own(ctx context.Context, stage contract.Stage) (_ context.Context, done func(), err error) {
	if a.holder == "" {
		return ctx, func() {}, nil
	}
	name := stage.Run + "/" + stage.Stage.ID
	l := a.leases[name]
	if l == nil {
		l = a.store.Lease(name, a.holder, leaseLasts)
		a.leases[name] = l
	}
	for began := time.Now(); ; {
		err := l.Hold(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, artifact.ErrHeld) {
			return nil, nil, err
		}
		if time.Since(began) > leaseBeat { // the accelerator is for others meanwhile; the lease remembers what it has seen
			return nil, nil, fmt.Errorf("%w: %w", errNotOwner, err)
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(leaseBeat / 5):
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(leaseBeat)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// A store that does not answer is no reason to stop: what is written there is named by what it is.
			if err := l.Hold(ctx); errors.Is(err, artifact.ErrHeld) {
				cancel(fmt.Errorf("%w: %w", errNotOwner, err))
			}
		}
	}()
	return ctx, func() { cancel(nil) }, nil
}
