package activities

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"

	"temper/activities/contract"
	"temper/artifact"
	"temper/device"
)

// inLittleMemory marks the process in which memory is taken away.
const inLittleMemory = "TEMPER_TEST_IN_LITTLE_MEMORY"

// TestTrainsInLessMemory: what does not fit is tried again as it is, then in parts, which the log keeps; what comes of it is the whole's but for rounding.
func TestTrainsInLessMemory(t *testing.T) {
	if os.Getenv(inLittleMemory) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
		cmd.Env = append(os.Environ(), inLittleMemory+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "--- PASS: "+t.Name(), string(out))
		return
	}
	l := newLab(t, "stages.sft.rows=2048", "stages.sft.steps=2")
	stage, first := l.stage("sft"), start(l.out["base"]["model"])
	worker := freshWorker(t, l.store)
	round(l, worker, l.stage("probe"), first, 0) // threads are started while there is memory for them
	in := contract.TrainInput{Stage: stage, State: first, Span: contract.Span{To: 1}, Total: 4}

	const spare = 160 << 20 // the whole takes some 280, and less than 90 is too little for the processes around it
	restore := limitData(t, dataSize(t)+spare)
	_, err := tried(t, worker, in)
	require.ErrorContains(t, err, errShort.Error())
	_, err = tried(t, worker, in)
	require.ErrorContains(t, err, errShort.Error())
	out, err := tried(t, worker, in)
	require.NoError(t, err)
	require.GreaterOrEqual(t, out.State.Parts, 2)
	next := in
	next.State, next.Span = out.State, contract.Span{From: 1, To: 2}
	again, err := tried(t, worker, next)
	require.NoError(t, err)
	require.GreaterOrEqual(t, again.State.Parts, out.State.Parts, "the next steps do not start with what did not fit")
	restore()

	whole := trained(l, freshWorker(t, l.store), stage, first, artifact.Ref{}, contract.Span{To: 1}, contract.Span{From: 1, To: 2})
	require.Zero(t, whole[1].State.Parts)
	require.InDelta(t, whole[0].Loss, out.Loss, 1e-5)
	require.InDelta(t, whole[1].Loss, again.Loss, 1e-5)
	l.damage(again.State.Snapshot, "model.safetensors", true)
	done(l, freshWorker(t, l.store), (*Activities).exportModel, contract.StateInput{Stage: stage, State: again.State})
	l.tensors(again.State.Snapshot) // made again to the same digest, with all memory at hand
}

// TestWhatCannotBeMadeSmallerFails once it was tried a few times.
func TestWhatCannotBeMadeSmallerFails(t *testing.T) {
	l := newLab(t)
	stage := l.stage("sft")
	in := contract.TrainInput{Stage: stage, State: start(l.out["base"]["model"]), Span: contract.Span{To: 1}, Total: 1}
	for n := range patience {
		_, err := tried(t, l.a, in, func(context.Context, *engine, contract.TrainInput) (contract.TrainOutput, error) {
			return contract.TrainOutput{}, device.ErrOutOfMemory
		})
		require.ErrorContains(t, err, "out of memory")
		require.Equal(t, n+1 < patience, strings.Contains(err.Error(), errShort.Error()), err)
	}
}

// tried runs trainDemos, or work in its place, as a worker does.
func tried(t *testing.T, a *Activities, in contract.TrainInput, work ...func(context.Context, *engine, contract.TrainInput) (contract.TrainOutput, error)) (out contract.TrainOutput, err error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(accelerated(a, append(work, a.trainDemos)[0]), activity.RegisterOptions{Name: "Work"})
	v, err := env.ExecuteActivity("Work", in)
	if err != nil {
		return out, err
	}
	return out, v.Get(&out)
}

// dataSize is what counts towards RLIMIT_DATA.
func dataSize(t *testing.T) uint64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmData:"); ok {
			n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			require.NoError(t, err)
			return n << 10
		}
	}
	t.Fatal("no VmData in /proc/self/status")
	return 0
}

func limitData(t *testing.T, to uint64) (restore func()) {
	t.Helper()
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_DATA, &old))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: to, Max: old.Max}))
	return func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_DATA, &old)) }
}
