package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/pipelines"
)

// temporalCLI is Temporal's own command line as make temporal-cli builds it.
func temporalCLI(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/temporal")
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Skip("bin/temporal is not there: make temporal-cli builds it")
	}
	return path
}

// TestTemporalCLI does through Temporal's own command line what the UI and temper do: nothing is needed but what the server offers.
func TestTemporalCLI(t *testing.T) {
	path := temporalCLI(t)
	l := newLab(t)
	temporal := func(args ...string) (string, error) {
		c := exec.Command(path, append(args, "--address", l.c.own.TemporalAddress, "--namespace", l.c.own.Namespace)...)
		c.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := c.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		l.t.Helper()
		out, err := temporal(args...)
		require.NoError(l.t, err, "%v\n%s", args, out)
		return out
	}
	update := func(workflow, name, input string) (string, error) {
		args := []string{"workflow", "update", "execute", "--workflow-id", workflow, "--name", name}
		if input != "" {
			args = append(args, "--input", input)
		}
		return temporal(args...)
	}

	p, err := pipelines.Parse("lab.yaml", []byte(labPipeline), []string{"stages.second.gate={approve: true}"})
	require.NoError(t, err)
	body, err := inputJSON(p, "") // what temper pipeline input prints
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "input.json")
	require.NoError(t, os.WriteFile(file, body, 0o600))

	release := l.hold("first Rollout 2")
	must("workflow", "start", "--type", contract.PipelineWorkflow, "--task-queue", contract.QueueLight, "--workflow-id", "cli", "--input-file", file)
	l.seen("first Rollout 2")

	out, err := update("cli/first", "set", `{"values": {"lr": 7}}`)
	require.Error(t, err)
	require.Contains(t, out, "lr: must be at most 1, is 7")
	out, err = update("cli/first", "set", `{"values": {"lr": 0.0001}}`)
	require.NoError(t, err, out)
	require.Contains(t, out, "stage first: lr 0.0001 after round 2 of 4")
	out, err = update("cli", "pause", "") // no input
	require.NoError(t, err, out)
	require.Contains(t, out, "no further stage starts; pause: first")
	release()
	require.Eventually(t, func() bool { return l.count("first SaveState 2") > 0 }, 20*time.Second, 10*time.Millisecond)
	require.Contains(t, must("workflow", "query", "--workflow-id", "cli/first", "--name", "progress"), `"paused":true`)
	require.Contains(t, must("workflow", "query", "--workflow-id", "cli/first", "--name", "metrics", "--input", "1"), `"iteration":2`)
	require.Zero(t, l.count("first Rollout 3"))
	out, err = update("cli", "resume", "")
	require.NoError(t, err, out)
	require.Eventually(t, func() bool {
		_, err := update("cli", "approve", `{"stage": "second", "who": "ann"}`)
		return err == nil
	}, 30*time.Second, 100*time.Millisecond)
	result := l.result("cli")
	require.Equal(t, 2, result.Stages["first"].Interventions[0].After)

	// A reset of a stage under a run that waits for it.
	release = l.hold("first Rollout 4")
	l.again()
	must("workflow", "start", "--type", contract.PipelineWorkflow, "--task-queue", contract.QueueLight, "--workflow-id", "reset", "--input-file", file)
	l.seen("first Rollout 4")
	events, err := l.c.history(t.Context(), "reset/first", "")
	require.NoError(t, err)
	done, err := iterations(events)
	require.NoError(t, err)
	point := pointAfter(events, done[2])
	number, err := json.Marshal(point)
	require.NoError(t, err)
	third := l.hold("first Rollout 3")
	out = must("workflow", "reset", "--workflow-id", "reset/first", "--event-id", string(number), "--reason", "again")
	require.Contains(t, out, "Resetting workflow reset/first to event ID")
	release()
	require.Eventually(t, func() bool { return l.count("first Rollout 3") == 2 }, 20*time.Second, 10*time.Millisecond)
	out, err = update("reset/first", "stop", "")
	require.NoError(t, err, out)
	third()
	require.Eventually(t, func() bool {
		_, err := update("reset", "approve", "")
		return err == nil
	}, 30*time.Second, 100*time.Millisecond)
	first := l.result("reset").Stages["first"]
	require.Equal(t, "stop", first.Interventions[0].Do)
	require.Equal(t, 3.0, first.Numbers["rounds"], "the run takes the new branch")
}
