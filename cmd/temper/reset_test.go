package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"temper/activities/contract"
	"temper/pipelines"
)

// labReference is what an undisturbed run of the lab's pipeline gives.
func labReference(t *testing.T, l *lab) (first, second string) {
	t.Helper()
	l.start("reference")
	out := l.result("reference")
	first, second = l.model(out, "first"), l.model(out, "second")
	l.mu.Lock()
	clear(l.memos) // the runs that follow do it themselves
	l.mu.Unlock()
	l.forget()
	return first, second
}

// TestReset holds what Temporal does when a stage is reset: under a run that waits for it, under one that has gone on, and under one that
// has ended.
func TestReset(t *testing.T) {
	l := newLab(t)
	ctx := t.Context()
	first, second := labReference(t, l)

	t.Run("the run waits for the stage", func(t *testing.T) {
		l.sub(t)
		release := l.hold("first Rollout 4")
		l.start("waits")
		l.seen("first Rollout 4")
		require.NoError(t, l.app.resetStage(ctx, l.c, "waits/first", 2, nil))
		release()
		out := l.result("waits")
		require.Equal(t, first, l.model(out, "first"), "the same rounds again give the same bits")
		require.Equal(t, second, l.model(out, "second"))
		require.Equal(t, 1, l.count("first UpdatePolicy 2"), "what was before the reset is not done again")
		require.Equal(t, 2, l.count("first UpdatePolicy 3"))
	})
	t.Run("with other settings", func(t *testing.T) {
		l.sub(t)
		release := l.hold("first Rollout 4")
		l.start("tuned")
		l.seen("first Rollout 4")
		require.ErrorContains(t, l.app.resetStage(ctx, l.c, "tuned/first", 2, pipelines.Tuning{"lr": 9}), "lr: must be at most 1, is 9")
		require.NoError(t, l.app.resetStage(ctx, l.c, "tuned/first", 2, pipelines.Tuning{"lr": 1e-4}))
		release()
		out := l.result("tuned")
		require.NotEqual(t, first, l.model(out, "first"))
		require.Equal(t, 2, out.Stages["first"].Interventions[0].After)
		require.Contains(t, out.Stages["first"].Summary, "lr 0.0001 set by hand after round 2")
		require.False(t, out.Stages["second"].Skipped, "its input is another model")
	})
	t.Run("the run has gone on", func(t *testing.T) {
		l.sub(t)
		release := l.hold("second Rollout 2")
		l.start("gone")
		l.seen("second Rollout 2")
		again := l.hold("first Rollout 4")
		require.NoError(t, l.app.resetStage(ctx, l.c, "gone/first", 3, pipelines.Tuning{"lr": 1e-4}))
		release()
		again()
		out := l.result("gone")
		require.Len(t, out.Stages["first"].Interventions, 1)
		require.NotEqual(t, first, l.model(out, "first"))
		require.NotEqual(t, second, l.model(out, "second"), "it trains the new model")
		require.Equal(t, 2, l.count("second UpdatePolicy 1"))
	})
	t.Run("the run has ended", func(t *testing.T) {
		l.sub(t)
		l.start("ended")
		l.result("ended")
		l.forget()
		release := l.hold("first Rollout 2")
		require.NoError(t, l.app.resetStage(ctx, l.c, "ended/first", 1, pipelines.Tuning{"temperature": 0.5}))
		release()
		out := l.result("ended")
		require.NotEqual(t, first, l.model(out, "first"))
		require.NotEqual(t, second, l.model(out, "second"))
		require.Zero(t, l.count("first UpdatePolicy 1"))
		require.Equal(t, 1, l.count("first UpdatePolicy 2"))
		require.Equal(t, 1, l.count("WriteReport"))
	})
	t.Run("again and again", func(t *testing.T) {
		l.sub(t)
		l.start("again")
		l.result("again")
		for _, to := range []int{1, 3, 2} {
			l.forget()
			require.NoError(t, l.app.resetStage(ctx, l.c, "again/second", to, nil))
			out := l.result("again")
			require.Equal(t, first, l.model(out, "first"))
			require.Equal(t, second, l.model(out, "second"))
			require.Equal(t, 3-to, l.count("second UpdatePolicy 2")+l.count("second UpdatePolicy 3"))
			require.Zero(t, l.count("first UpdatePolicy 4"), "the stage before is not done again")
		}
	})
	t.Run("to what was not done", func(t *testing.T) {
		require.ErrorContains(t, l.app.resetStage(ctx, l.c, "again/first", 9, nil), "--to 9: again/first has done 1, 2, 3, 4")
		require.ErrorContains(t, l.app.resetStage(ctx, l.c, "again/evaluate", 1, nil), "has no iterations to go back to")
		require.Error(t, l.app.resetStage(ctx, l.c, "again/nothing", 1, nil))
	})
}

func TestRetry(t *testing.T) {
	l := newLab(t)
	ctx := t.Context()
	first, second := labReference(t, l)
	fail := func(call string, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.fails[call] = err
	}
	broken := temporal.NewNonRetryableApplicationError("the disk is full", "permanent", nil)

	t.Run("an activity failed in a stage", func(t *testing.T) {
		l.sub(t)
		fail("second UpdatePolicy 2", broken)
		l.start("stage")
		require.ErrorContains(t, l.failure("stage"), "the disk is full")
		fail("second UpdatePolicy 2", nil)
		l.forget()
		require.NoError(t, l.app.retry(ctx, l.c, "stage"))
		require.Contains(t, l.out.String(), "run stage goes on; stage second from before what failed")
		out := l.result("stage")
		require.Equal(t, first, l.model(out, "first"))
		require.Equal(t, second, l.model(out, "second"))
		require.Zero(t, l.count("first UpdatePolicy 1"))
		require.Zero(t, l.count("second UpdatePolicy 1"), "it goes on from its last state")
		require.Zero(t, l.count("second Rollout 2"))
		require.Equal(t, 1, l.count("second UpdatePolicy 2"))
		require.ErrorContains(t, l.app.retry(ctx, l.c, "stage"), "has completed")
	})
	t.Run("it fails again", func(t *testing.T) {
		l.sub(t)
		fail("first UpdatePolicy 3", broken)
		l.start("twice")
		require.Error(t, l.failure("twice"))
		require.NoError(t, l.app.retry(ctx, l.c, "twice"))
		require.ErrorContains(t, l.failure("twice"), "the disk is full")
		fail("first UpdatePolicy 3", nil)
		require.NoError(t, l.app.retry(ctx, l.c, "twice"))
		require.Equal(t, second, l.model(l.result("twice"), "second"))
	})
	t.Run("an activity of the run", func(t *testing.T) {
		l.sub(t)
		fail("WriteReport", broken)
		l.start("report")
		require.Error(t, l.failure("report"))
		fail("WriteReport", nil)
		l.forget()
		require.NoError(t, l.app.retry(ctx, l.c, "report"))
		require.Equal(t, second, l.model(l.result("report"), "second"))
		require.Zero(t, l.count("second UpdatePolicy 3"))
	})
	t.Run("a rejected gate asks again", func(t *testing.T) {
		l.sub(t)
		l.start("gate", "stages.first.gate.approve=true")
		beside := *l.c
		beside.own = nil // as a command that does not run the servers
		require.Eventually(t, func() bool {
			l.out.Reset()
			require.NoError(t, l.app.runs(ctx, &beside, 1))
			return strings.Contains(l.out.String(), "first (gate)")
		}, time.Minute, 20*time.Millisecond)
		l.answer("gate/first", contract.UpdateReject)
		require.ErrorContains(t, l.failure("gate"), "rejected by")
		require.NoError(t, l.app.retry(ctx, l.c, "gate"))
		l.answer("gate/first", contract.UpdateApprove)
		require.Equal(t, second, l.model(l.result("gate"), "second"))
	})
	t.Run("a terminated run goes on where it was", func(t *testing.T) {
		l.sub(t)
		release := l.hold("second Rollout 2")
		l.start("ended")
		l.seen("second Rollout 2")
		require.NoError(t, l.app.terminate(ctx, l.c, "ended", "the machine is needed"))
		require.ErrorContains(t, l.app.terminate(ctx, l.c, "ended", ""), "run ended is terminated")
		release()
		l.forget()
		require.NoError(t, l.app.retry(ctx, l.c, "ended"))
		require.Equal(t, second, l.model(l.result("ended"), "second"))
		require.Zero(t, l.count("second UpdatePolicy 1"))
	})
	t.Run("a run goes on that was terminated a moment ago", func(t *testing.T) {
		l.sub(t)
		release := l.hold("second Rollout 2")
		l.start("moment")
		l.seen("second Rollout 2")
		require.NoError(t, l.c.client.TerminateWorkflow(ctx, "moment", "", "in the UI"))
		require.NoError(t, l.app.retry(ctx, l.c, "moment"), "while the server ends its stage")
		release()
		require.Equal(t, second, l.model(l.result("moment"), "second"))
	})
	t.Run("a stage ends with its run that was put back", func(t *testing.T) {
		l.sub(t)
		l.start("back")
		l.result("back")
		release := l.hold("first Rollout 2")
		require.NoError(t, l.app.resetStage(ctx, l.c, "back/first", 1, nil))
		l.seen("first Rollout 2")
		require.NoError(t, l.app.terminate(ctx, l.c, "back", ""))
		release()
		d, err := l.c.client.DescribeWorkflow(ctx, "back/first", "")
		require.NoError(t, err)
		require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, d.Status)
	})
	t.Run("or the same pipeline goes on from its snapshots", func(t *testing.T) {
		l.sub(t)
		release := l.hold("first Rollout 4")
		l.start("snapshots")
		l.seen("first Rollout 4")
		require.NoError(t, l.app.terminate(ctx, l.c, "snapshots", ""))
		release()
		l.forget()
		l.start("snapshots")
		require.Equal(t, second, l.model(l.result("snapshots"), "second"))
		require.Zero(t, l.count("first UpdatePolicy 2"), "it was saved")
		require.Equal(t, 1, l.count("first UpdatePolicy 3"))
	})
	t.Run("a run that goes on needs none", func(t *testing.T) {
		l.sub(t)
		release := l.hold("first Rollout 2")
		l.start("open")
		l.seen("first Rollout 2")
		require.ErrorContains(t, l.app.retry(ctx, l.c, "open"), "run open is running and none of its stages has failed")
		release()
		l.result("open")
	})
}

// answer gives a verdict as soon as the gate asks for it.
func (l *lab) answer(name, verdict string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		err := l.app.control(l.t.Context(), l.c, name, verdict, contract.Control{Who: "ann"})
		return err == nil
	}, time.Minute, 20*time.Millisecond)
}

// TestRetryWithStagesAtOnce: a stage that ended after the one that failed keeps its result.
func TestRetryWithStagesAtOnce(t *testing.T) {
	l := newLab(t)
	l.mu.Lock()
	l.fails["left UpdatePolicy 2"] = temporal.NewNonRetryableApplicationError("the disk is full", "permanent", nil)
	l.mu.Unlock()
	release := l.hold("right Rollout 2")
	p, err := pipelines.Parse("two.yaml", []byte(`
name: two
concurrency: 2
base: {import: /models/m}
tasks: {pool: {procedural: chain, seed: 3, count: 8}}
stages:
  - rl: {id: left, model: base, tasks: pool, recipe: grpo, rounds: 3, prompts: 4}
  - rl: {id: right, model: base, tasks: pool, recipe: grpo, rounds: 3, prompts: 8}
`), nil)
	require.NoError(t, err)
	_, err = l.app.startRun(t.Context(), l.c, p, "two", runOptions{})
	require.NoError(t, err)
	l.seen("right Rollout 2")
	require.Eventually(t, func() bool {
		d, err := l.c.client.DescribeWorkflow(t.Context(), "two/left", "")
		return err == nil && d.Status == enumspb.WORKFLOW_EXECUTION_STATUS_FAILED
	}, time.Minute, 10*time.Millisecond)
	release()
	require.Error(t, l.failure("two"))
	l.mu.Lock()
	clear(l.fails)
	clear(l.memos)
	l.mu.Unlock()
	l.forget()
	require.NoError(t, l.app.retry(t.Context(), l.c, "two"))
	out := l.result("two")
	require.Equal(t, 3.0, out.Stages["left"].Numbers["rounds"])
	require.Equal(t, 3.0, out.Stages["right"].Numbers["rounds"])
	require.Zero(t, l.count("right UpdatePolicy 1")+l.count("right UpdatePolicy 3"), "it is not done again")
	require.Equal(t, 1, l.count("left UpdatePolicy 2"))
}
