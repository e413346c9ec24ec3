package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"temper/activities/contract"
	"temper/artifact"
	"temper/configs"
	"temper/pipelines"
	"temper/workflows"
)

// lab is the built-in servers with a worker whose workflows are the real ones and whose activities are fakes: what they make is a hash of
// what they are asked, so equal work has equal bits, and a test can hold or fail an activity.
type lab struct {
	t   *testing.T
	c   *conn
	out bytes.Buffer
	app *app

	mu      sync.Mutex
	calls   []string                     // "Rollout 2": activity and iteration, from 1 on
	memos   map[string]contract.StageOut // by stage key
	begun   map[string]*contract.Resume
	holds   map[string]chan struct{} // an activity that is called as named waits
	fails   map[string]error         // or fails, permanently
	stops   []func()
	options worker.Options    // of the workers of QueueGPU and, but for the slots, the others
	builds  map[string]string // call -> build of the worker that did it, where the options have one
	order   []string          // of the runs whose activities of QueueGPU began
}

const labPipeline = `
name: lab
seed: 7
base: {import: /models/m}
tasks:
  pool: {procedural: chain, seed: 3, count: 8}
stages:
  - rl: {id: first, model: base, tasks: pool, recipe: grpo, rounds: 4, prompts: 4, save_every: 2}
  - rl: {id: second, model: first, tasks: pool, recipe: grpo, rounds: 3, prompts: 4, save_every: 2}
  - evaluate: {models: [base, second], tasks: pool}
`

func newLab(t *testing.T) *lab {
	t.Helper()
	s := configs.Default()
	s.Dir = t.TempDir()
	c, err := startStack(t.Context(), s, freePorts, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	l := &lab{t: t, c: c, memos: map[string]contract.StageOut{}, begun: map[string]*contract.Resume{}, holds: map[string]chan struct{}{}, fails: map[string]error{}, builds: map[string]string{}}
	l.app = &app{out: &l.out, err: &l.out}
	t.Cleanup(func() {
		l.stopWorker()
		require.NoError(t, c.Close())
	})
	l.startWorker()
	return l
}

// sub begins a test of its own: nothing is held when it ends, and nothing is remembered.
func (l *lab) sub(t *testing.T) {
	l.t = t
	t.Cleanup(func() {
		l.releaseAll()
		l.again()
	})
}

// again forgets what the runs before have left.
func (l *lab) again() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.memos)
	clear(l.begun)
	clear(l.fails)
	l.calls = nil
}

func (l *lab) releaseAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, hold := range l.holds {
		close(hold)
		delete(l.holds, name)
	}
}

func (l *lab) startWorker() {
	l.t.Helper()
	for _, queue := range []string{contract.QueueLight, contract.QueueCPU, contract.QueueGPU} {
		options := l.options
		options.WorkerStopTimeout, options.DisableWorkflowWorker = time.Second, queue != contract.QueueLight
		if queue != contract.QueueGPU {
			options.MaxConcurrentActivityExecutionSize = 0
		}
		w := worker.New(l.c.client, queue, options)
		if queue == contract.QueueLight {
			workflows.Register(w)
		}
		l.register(w, options.DeploymentOptions.Version.BuildID)
		require.NoError(l.t, w.Start())
		l.stops = append(l.stops, w.Stop)
	}
}

// stopWorker leaves the runs without one.
func (l *lab) stopWorker() {
	l.releaseAll()
	for _, stop := range l.stops {
		stop()
	}
	l.stops = nil
}

// hold makes the next call of an activity wait until the function that it returns is called.
func (l *lab) hold(call string) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hold := make(chan struct{})
	l.holds[call] = hold
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.holds[call] == hold {
			delete(l.holds, call)
			close(hold)
		}
	}
}

// seen waits until an activity is called.
func (l *lab) seen(call string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return l.count(call) > 0 }, 20*time.Second, 10*time.Millisecond, "no %s", call)
}

func (l *lab) count(call string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, c := range l.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (l *lab) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = nil
}

// enter notes a call, and holds or fails it.
func (l *lab) enter(ctx context.Context, call string) error {
	l.mu.Lock()
	l.calls = append(l.calls, call)
	hold, err := l.holds[call], l.fails[call]
	l.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// start starts a run of the pipeline.
func (l *lab) start(id string, set ...string) client.WorkflowRun {
	l.t.Helper()
	p, err := pipelines.Parse("lab.yaml", []byte(labPipeline), set)
	require.NoError(l.t, err)
	r, err := l.app.startRun(l.t.Context(), l.c, p, id, runOptions{})
	require.NoError(l.t, err)
	return r
}

// result waits for the newest run of a workflow.
func (l *lab) result(id string) contract.PipelineOut {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 20*time.Second)
	defer cancel()
	var out contract.PipelineOut
	require.NoError(l.t, l.c.client.GetWorkflow(ctx, id, "").Get(ctx, &out))
	return out
}

func (l *lab) failure(id string) error {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 20*time.Second)
	defer cancel()
	err := l.c.client.GetWorkflow(ctx, id, "").Get(ctx, nil)
	require.Error(l.t, err)
	require.NoError(l.t, ctx.Err())
	return err
}

func (l *lab) model(out contract.PipelineOut, stage string) string {
	l.t.Helper()
	ref := out.Stages[stage].Outputs[pipelines.ModelOutput]
	require.False(l.t, ref.IsZero(), stage)
	return ref.Content
}

// hashed is an artifact whose bits follow from what made it.
func hashed(kind string, of ...any) artifact.Ref {
	body, err := json.Marshal(of)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(body)
	text := hex.EncodeToString(sum[:])
	return artifact.Ref{Kind: kind, Digest: text, Content: text}
}

func (l *lab) register(to worker.Worker, build string) {
	w := registry{to, build}
	fake(l, w, contract.PrepareTasks, nil, func(in contract.PrepareInput) map[string]contract.Dataset {
		out := map[string]contract.Dataset{}
		for name, source := range in.Tasks {
			out[name] = contract.Dataset{Ref: hashed("problems", source), Count: source.Count}
		}
		return out
	})
	fake(l, w, contract.RecallStage, nil, func(key string) contract.Recalled {
		l.mu.Lock()
		defer l.mu.Unlock()
		out, ok := l.memos[key]
		if !ok {
			return contract.Recalled{Resume: l.begun[key]}
		}
		return contract.Recalled{Found: true, Stage: out}
	})
	fake(l, w, contract.RememberStage, nil, func(in contract.RememberInput) struct{} {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(in.Stage.Interventions) == 0 {
			l.memos[in.Key] = in.Stage
		}
		delete(l.begun, in.Key)
		return struct{}{}
	})
	fake(l, w, contract.InitModel, nil, func(s contract.Stage) contract.ModelInfo { return contract.ModelInfo{Ref: hashed("model", s.Seed)} })
	fake(l, w, contract.TrainDemos, nil, func(in contract.TrainInput) contract.TrainOutput {
		key := hashed("key", in.State.Key, in.Span).Content
		return contract.TrainOutput{State: contract.State{Snapshot: hashed("state", key), Key: key, Step: in.Span.To}}
	})
	fake(l, w, contract.ImportModel, nil, func(s contract.Stage) contract.ModelInfo { return contract.ModelInfo{Ref: hashed("model", "base")} })
	fake(l, w, contract.Rollout, func(in contract.RolloutInput) int { return in.Round + 1 }, func(in contract.RolloutInput) contract.RolloutOutput {
		return contract.RolloutOutput{Rollouts: hashed("rollouts", in.State.Key, in.Round, in.Tuning, in.Stage.Seed), Reward: float64(in.Round+1) / 8}
	})
	fake(l, w, contract.UpdatePolicy, func(in contract.PolicyInput) int { return in.Step.Round + 1 }, func(in contract.PolicyInput) contract.PolicyOutput {
		return contract.PolicyOutput{State: contract.State{Snapshot: in.State.Snapshot, Log: append(in.State.Log, contract.Update{Policy: &in.Step}),
			Key: hashed("key", in.State.Key, in.Step).Content, Step: in.State.Step + 1}}
	})
	fake(l, w, contract.SaveState, func(in contract.StateInput) int { return in.State.Step }, func(in contract.StateInput) contract.State {
		out := contract.State{Snapshot: hashed("state", in.State.Key), Key: in.State.Key, Step: in.State.Step}
		l.mu.Lock()
		defer l.mu.Unlock()
		resume := in.Checkpoint.Resume
		resume.State = out
		l.begun[in.Checkpoint.Key] = &resume
		return out
	})
	fake(l, w, contract.ExportModel, nil, func(in contract.StateInput) contract.ModelInfo {
		return contract.ModelInfo{Ref: hashed("model", in.State.Key), Params: 11}
	})
	fake(l, w, contract.WriteLog, nil, func(in contract.LogInput) artifact.Ref { return hashed("log", in.Rounds) })
	fake(l, w, contract.EvaluateModel, nil, func(in contract.EvaluateInput) contract.EvaluateOutput {
		return contract.EvaluateOutput{Ref: hashed("evaluation", in.Model)}
	})
	fake(l, w, contract.WriteReport, nil, func(in contract.ReportInput) contract.ReportOut {
		return contract.ReportOut{Ref: hashed("report", in.Run)}
	})
}

// registry is a worker with the name of its build.
type registry struct {
	worker worker.Worker
	build  string
}

// fake registers an activity. Its calls are noted as "NAME" or, with iteration, "STAGE NAME n".
func fake[In, Out any](l *lab, w registry, name string, iteration func(In) int, answer func(In) Out) {
	w.worker.RegisterActivityWithOptions(func(ctx context.Context, in In) (Out, error) {
		call := name
		if iteration != nil {
			call = fmt.Sprintf("%s %s %d", stageOf(in), name, iteration(in))
		}
		l.mu.Lock()
		l.builds[call] = w.build
		if activity.GetInfo(ctx).TaskQueue == contract.QueueGPU {
			run, _ := splitRun(activity.GetInfo(ctx).WorkflowExecution.ID)
			l.order = append(l.order, run)
		}
		l.mu.Unlock()
		if err := l.enter(ctx, call); err != nil {
			var none Out
			return none, err
		}
		return answer(in), nil
	}, activityNamed(name))
}

func stageOf(in any) string {
	switch in := in.(type) {
	case contract.RolloutInput:
		return in.Stage.Stage.ID
	case contract.PolicyInput:
		return in.Stage.Stage.ID
	case contract.StateInput:
		return in.Stage.Stage.ID
	}
	return "?"
}

// empty says whether a listing has nothing in it.
func (l *lab) empty() bool { return strings.Contains(l.out.String(), "there are no") }

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}
