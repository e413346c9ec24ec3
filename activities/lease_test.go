package activities

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
)

// TestAStageHasOneOwner: a worker of another Temporal is kept out while the stage is leased, and work whose lease is lost ends.
func TestAStageHasOneOwner(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a beat; left out by -short")
	}
	l := newLab(t)
	stage := l.stage("probe")
	mine, other := newWorker(t, l.store), newWorker(t, l.store)
	mine.holder, other.holder = "mine", "other"
	ctx, done, err := mine.own(l.ctx, stage)
	require.NoError(t, err)
	require.NoError(t, ctx.Err())
	done()

	colleague := newWorker(t, l.store)
	colleague.holder = "mine"
	_, done, err = colleague.own(l.ctx, stage)
	require.NoError(t, err, "workers of one Temporal do not keep each other out")
	done()

	_, err = owned(other, contract.PolicyInput.Of, func(context.Context, *engine, contract.PolicyInput) (contract.PolicyOutput, error) {
		t.Error("it must wait")
		return contract.PolicyOutput{}, nil
	})(l.ctx, nil, contract.PolicyInput{Stage: stage})
	require.ErrorIs(t, err, errNotOwner, "it is tried again later, and the accelerator is free meanwhile")

	elsewhere := l.stage("sft")
	_, done, err = other.own(l.ctx, elsewhere)
	require.NoError(t, err, "another stage is another lease")
	done()
}

// TestALostLeaseEndsTheWork when the next beat finds another holder.
func TestALostLeaseEndsTheWork(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for beats; left out by -short")
	}
	l := newLab(t)
	stage := l.stage("probe")
	a := newWorker(t, l.store)
	a.holder = "mine"
	_, err := owned(a, contract.PolicyInput.Of, func(ctx context.Context, _ *engine, _ contract.PolicyInput) (contract.PolicyOutput, error) {
		for info := range l.disk.List(ctx, "leases/") {
			require.NoError(t, l.disk.Delete(ctx, info.Key))
		}
		require.NoError(t, l.store.Lease(stage.Run+"/"+stage.Stage.ID, "thief", leaseLasts).Hold(ctx))
		select {
		case <-ctx.Done():
			return contract.PolicyOutput{}, ctx.Err()
		case <-time.After(3 * leaseBeat):
			return contract.PolicyOutput{}, nil
		}
	})(l.ctx, nil, contract.PolicyInput{Stage: stage})
	require.ErrorIs(t, err, errNotOwner)
	require.ErrorContains(t, err, "thief")
	require.NoError(t, classify(l.ctx, nil))
	require.ErrorIs(t, classify(l.ctx, err), errNotOwner, "it is tried again")
}
