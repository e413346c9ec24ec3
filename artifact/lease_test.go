package artifact_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
)

const lasts = 400 * time.Millisecond

func TestLeaseHasOneHolder(t *testing.T) {
	s := artifact.New(memory.New())
	first, second := s.Lease("run/stage", "a", lasts), s.Lease("run/stage", "b", lasts)
	require.NoError(t, first.Hold(t.Context()))
	require.NoError(t, s.Lease("run/stage", "a", lasts).Hold(t.Context()), "another process of the same holder")
	require.NoError(t, s.Lease("run/other", "b", lasts).Hold(t.Context()))

	until := time.Now().Add(3 * lasts)
	for time.Now().Before(until) { // a holder that renews keeps it
		require.NoError(t, first.Hold(t.Context()))
		err := second.Hold(t.Context())
		require.ErrorIs(t, err, artifact.ErrHeld)
		require.ErrorContains(t, err, "run%2Fstage.json: held by another: a")
		time.Sleep(lasts / 8)
	}
	silent := time.Now()
	require.Eventually(t, func() bool { return second.Hold(t.Context()) == nil }, 10*lasts, lasts/20)
	require.Greater(t, time.Since(silent), lasts/2, "not before the first has been silent for long enough")
	require.ErrorIs(t, first.Hold(t.Context()), artifact.ErrHeld, "who comes back has lost it")
}

func TestLeaseIsTakenOnce(t *testing.T) {
	s := artifact.New(memory.New())
	require.NoError(t, s.Lease("x", "dead", lasts).Hold(t.Context()))
	var all sync.WaitGroup
	var winners sync.Map
	for i := range 16 {
		l := s.Lease("x", string(rune('a'+i)), lasts)
		all.Go(func() {
			for until := time.Now().Add(3 * lasts); time.Now().Before(until); time.Sleep(lasts / 40) {
				if err := l.Hold(t.Context()); err == nil {
					winners.Store(i, true)
				} else if !errors.Is(err, artifact.ErrHeld) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	n := 0
	winners.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
}
