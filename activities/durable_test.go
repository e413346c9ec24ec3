package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/goleak"

	"temper/activities/contract"
	"temper/artifact"
	"temper/artifact/memory"
	"temper/device"
)

func TestClassify(t *testing.T) {
	plain := errors.New("bad data")
	alive := func() context.Context { return context.Background() }
	cancelled := func() context.Context {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx
	}
	stopping := func() context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errStopping)
		return ctx
	}
	for _, c := range []struct {
		name      string
		ctx       func() context.Context
		err       error
		permanent bool
		stops     bool
	}{
		{"unreachable", alive, fmt.Errorf("read x: %w", artifact.ErrUnreachable), false, false},
		{"cancelled", alive, fmt.Errorf("sample: %w", context.Canceled), false, false},
		{"late", alive, context.DeadlineExceeded, false, false},
		{"any error after the context's end", cancelled, plain, false, false},
		{"any error of a worker that stops", stopping, plain, false, true},
		{"bad data", alive, plain, true, false},
		{"denied", alive, fmt.Errorf("put x: %w", artifact.ErrDenied), true, false},
		{"corrupt", alive, artifact.ErrCorrupt, true, false},
		{"not found", alive, artifact.ErrNotFound, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := classify(c.ctx(), c.err)
			require.ErrorIs(t, err, c.err, "the cause is kept")
			require.ErrorContains(t, err, c.err.Error())
			require.Equal(t, c.stops, errors.Is(err, errStopping))
			var app *temporal.ApplicationError
			require.Equal(t, c.permanent, errors.As(err, &app) && app.NonRetryable())
		})
	}
	require.NoError(t, classify(cancelled(), nil), "what is done is done")
}

// environment runs an activity named Work as a worker would.
func environment(fn func(context.Context, string) (string, error)) *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: "Work"})
	return env
}

func TestDurable(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("gives what the work gives", func(t *testing.T) {
		env := environment(durable(0, func(_ context.Context, in string) (string, error) { return in + "!", nil }))
		v, err := env.ExecuteActivity("Work", "done")
		require.NoError(t, err)
		var out string
		require.NoError(t, v.Get(&out))
		require.Equal(t, "done!", out)
	})
	t.Run("a panic is an error that names the place", func(t *testing.T) {
		env := environment(durable(0, func(context.Context, string) (string, error) {
			var none []int
			return fmt.Sprint(none[3]), nil
		}))
		_, err := env.ExecuteActivity("Work", "")
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.True(t, app.NonRetryable())
		require.Contains(t, app.Message(), "panic: runtime error: index out of range [3]")
		require.Contains(t, app.Message(), "durable_test.go")
	})
	t.Run("a worker that stops ends the work", func(t *testing.T) {
		stop := make(chan struct{})
		env := environment(durable(0, func(ctx context.Context, _ string) (string, error) {
			close(stop)
			<-ctx.Done()
			return "half", ctx.Err()
		}))
		env.SetWorkerStopChannel(stop)
		_, err := env.ExecuteActivity("Work", "")
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.False(t, app.NonRetryable(), "another worker goes on")
		require.Contains(t, app.Message(), errStopping.Error())
	})
	t.Run("it beats before the work's first slow step", func(t *testing.T) {
		beat := make(chan struct{}, 100)
		env := environment(durable(0, func(ctx context.Context, _ string) (string, error) {
			select {
			case <-beat:
				return "", nil
			case <-time.After(10 * time.Second):
				return "", errors.New("no heartbeat")
			}
		}))
		env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { beat <- struct{}{} })
		_, err := env.ExecuteActivity("Work", "")
		require.NoError(t, err)
	})
}

func TestAcceleratedWork(t *testing.T) {
	opened := 0
	a := New(Config{Store: artifact.New(memory.New()), Log: slog.New(slog.DiscardHandler), OpenDevice: func() (*device.Client, error) {
		opened++
		return nil, errors.New("no such plugin")
	}})
	never := accelerated(a, func(context.Context, *engine, string) (string, error) {
		t.Error("the work runs without a device")
		return "", nil
	})
	for range 2 {
		_, err := never(context.Background(), "")
		require.EqualError(t, err, "open the accelerator: no such plugin")
	}
	require.Equal(t, 1, opened, "the device is opened once")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := never(ctx, "")
	require.ErrorIs(t, err, context.Canceled, "work that was cancelled while it waited for the device does not begin")
}

// registry writes down the names of activities.
type registry struct{ names []string }

func (r *registry) RegisterActivity(any) {}
func (r *registry) RegisterActivityWithOptions(_ any, o activity.RegisterOptions) {
	r.names = append(r.names, o.Name)
}
func (r *registry) RegisterDynamicActivity(any, activity.DynamicRegisterOptions) {}

func TestEveryActivityHasItsQueue(t *testing.T) {
	a := New(Config{})
	var light, cpu, gpu registry
	a.RegisterLight(&light)
	a.RegisterCPU(&cpu)
	a.RegisterGPU(&gpu)
	require.ElementsMatch(t, []string{contract.PrepareTasks, contract.RecallStage, contract.RememberStage, contract.ImportModel, contract.InitModel, contract.PlanDemos, contract.ResolveAlias, contract.PromoteModel}, light.names)
	require.ElementsMatch(t, []string{contract.ScoreShard, contract.GatherRollouts, contract.WriteLog, contract.CurateData, contract.WriteReport, contract.CompareModels}, cpu.names)
	require.ElementsMatch(t, []string{contract.TrainDemos, contract.Rollout, contract.SampleShard, contract.UpdatePolicy, contract.SaveState, contract.ExportModel, contract.WriteProblems, contract.FilterProblems, contract.SampleTeacher, contract.DistillRound, contract.EvaluateModel}, gpu.names)
}

func TestCacheForgetsTheOldest(t *testing.T) {
	var c cache[int]
	loads := 0
	get := func(key string) int {
		v, err := c.get(key, func() (int, error) { loads++; return loads, nil })
		require.NoError(t, err)
		return v
	}
	require.Equal(t, 1, get("first"))
	for i := range cacheSize - 1 {
		get(fmt.Sprint(i))
	}
	require.Equal(t, 1, get("first"), "use keeps it")
	get("one more")
	require.Equal(t, 1, get("first"))
	require.Equal(t, cacheSize+2, get("0"), "the one used longest ago is gone")
	_, err := c.get("bad", func() (int, error) { return 0, errors.New("unreadable") })
	require.Error(t, err)
	require.Equal(t, cacheSize+3, get("bad"), "a failure is not kept")
}
