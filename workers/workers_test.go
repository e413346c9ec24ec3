package workers

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.uber.org/goleak"

	"temper/activities/contract"
	"temper/configs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPlan(t *testing.T) {
	s := configs.Default().Worker
	s.Drain = 7 * time.Second
	plans, err := plan(s, "v1")
	require.NoError(t, err)
	require.Len(t, plans, 3)
	for _, p := range plans {
		require.Equal(t, 7*time.Second, p.options.WorkerStopTimeout, p.queue)
		require.Equal(t, p.queue != contract.QueueLight, p.options.DisableWorkflowWorker, p.queue)
		require.Positive(t, p.options.MaxConcurrentActivityExecutionSize, p.queue)
		require.False(t, p.options.DeploymentOptions.UseVersioning)
		if p.queue == contract.QueueGPU {
			require.Equal(t, 1, p.options.MaxConcurrentActivityExecutionSize)
		}
	}
}

func TestPlanOfADeployment(t *testing.T) {
	s := configs.Default().Worker
	s.Deployment = "fleet"
	for build, want := range map[string]string{"": "v1", "blue": "blue"} {
		s.Build = build
		plans, err := plan(s, "v1")
		require.NoError(t, err)
		for _, p := range plans {
			require.True(t, p.options.DeploymentOptions.UseVersioning)
			require.Equal(t, worker.WorkerDeploymentVersion{DeploymentName: "fleet", BuildID: want}, p.options.DeploymentOptions.Version)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*configs.Worker)
		want   string
	}{
		{"unknown queue", func(s *configs.Worker) { s.Queues = []string{"temper", "tempr-gpu"} }, `worker.queues[1]: no queue is named "tempr-gpu"; did you mean temper-gpu?`},
		{"no queue", func(s *configs.Worker) { s.Queues = nil }, "worker.queues: is empty"},
		{"build without deployment", func(s *configs.Worker) { s.Build = "blue" }, "worker.build: is the program's name within worker.deployment, which is not set"},
		{"no build", func(s *configs.Worker) { s.Deployment = "fleet" }, "worker.build: is required"},
		{"no slots", func(s *configs.Worker) { s.Slots.GPU = 0 }, "worker.slots: queue temper-gpu has 0 slots"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := configs.Default().Worker
			tt.change(&s)
			_, err := plan(s, "")
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// fake is a worker whose Stop waits until it is released, as a running activity makes it.
type fake struct {
	startErr       error
	started, ended atomic.Bool
	release, asked chan struct{}
}

func newFake(startErr error) *fake {
	return &fake{startErr: startErr, release: make(chan struct{}), asked: make(chan struct{})}
}

func (f *fake) Start() error { f.started.Store(true); return f.startErr }
func (f *fake) Stop()        { close(f.asked); <-f.release; f.ended.Store(true) }

func groupOf(workers ...*fake) *Group {
	g := newGroup(slog.New(slog.DiscardHandler))
	for _, w := range workers {
		g.queues = append(g.queues, queue{name: "q", worker: w})
	}
	return g
}

func reachable(context.Context) error { return nil }

func TestStopDrainsAllAtOnce(t *testing.T) {
	a, b := newFake(nil), newFake(nil)
	g := groupOf(a, b)
	closed := false
	g.closer = func() { closed = a.ended.Load() && b.ended.Load() }
	require.NoError(t, g.start(t.Context(), "", reachable))

	over, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorContains(t, g.Stop(over), "still draining")
	<-a.asked
	<-b.asked // both were asked although neither has ended
	close(a.release)
	close(b.release)
	require.NoError(t, g.Stop(context.Background()))
	require.True(t, closed, "what the workers share is closed after the last has ended")
	require.NoError(t, g.Stop(context.Background()), "stopping twice is harmless")
}

func TestStartUndoesWhatRan(t *testing.T) {
	a, b := newFake(nil), newFake(errors.New("no server at example:7233"))
	close(a.release)
	g := groupOf(a, b)
	err := g.start(t.Context(), "127.0.0.1:0", reachable)
	require.ErrorContains(t, err, "start the worker of queue q: no server at example:7233")
	require.True(t, a.ended.Load())
	require.False(t, b.ended.Load())
}

func TestHealthAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	require.ErrorContains(t, groupOf().start(t.Context(), l.Addr().String(), reachable), "worker.health: ")
}

func TestHealthPage(t *testing.T) {
	w := newFake(nil)
	var away atomic.Bool
	g := groupOf(w)
	require.NoError(t, g.start(t.Context(), ":0", func(context.Context) error {
		if away.Load() {
			return errors.New("server away")
		}
		return nil
	}))
	host, _, err := net.SplitHostPort(g.Health())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)

	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(path string) (int, string) {
		answer, err := web.Get("http://" + g.Health() + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		var body struct{ Status, Problem string }
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&body))
		return answer.StatusCode, body.Status + body.Problem
	}
	check := func(path string, wantCode int, want string) {
		t.Helper()
		code, got := ask(path)
		require.Equal(t, wantCode, code)
		require.Equal(t, want, got)
	}
	check("/healthz", 200, "alive")
	check("/readyz", 200, "ready")
	away.Store(true)
	check("/readyz", 503, "no serverserver away")
	check("/healthz", 200, "alive")
	away.Store(false)

	over, cancel := context.WithCancel(context.Background())
	cancel()
	require.Error(t, g.Stop(over))
	<-w.asked
	check("/readyz", 503, "starting or draining")
	check("/healthz", 200, "alive")
	close(w.release)
	require.NoError(t, g.Stop(context.Background()))
	_, err = web.Get("http://" + g.Health() + "/healthz")
	require.Error(t, err)
}

func TestFailedKeepsTheFirst(t *testing.T) {
	g := groupOf()
	g.fail(errors.New("first"))
	g.fail(errors.New("second"))
	require.EqualError(t, <-g.Failed(), "first")
}
