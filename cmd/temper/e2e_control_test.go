package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// steeredPipeline has a stage that is long enough to be steered.
const steeredPipeline = `
name: steered
seed: 7
base:
  pretrain: {model: {layers: 1, hidden: 32, heads: 2, max_positions: 64}, data: pool, steps: 4, rows: 8, length: 48, lr: 3.0e-3}
tasks:
  pool: {procedural: chain, seed: 3, count: 8, concepts: [a, b, m], difficulty: [1, 2]}
stages:
  - rl:
      id: train
      model: base
      tasks: pool
      recipe: grpo
      override: {group: 4, reward: [{correct: 1.0, answer: hash}, {format: 0.5, pattern: '\d$'}]}
      rounds: 60
      prompts: 4
      max_tokens: 16
      rows: 16
      save_every: 5
      lr: 1.0e-4
`

// TestTerminateResetAndRetry trains for real: a run that was terminated goes on from its last snapshot, one that was reset from the round
// that was named, and both end with the bits of a run that nobody disturbed.
func TestTerminateResetAndRetry(t *testing.T) {
	if testing.Short() {
		t.Skip("trains models; left out by -short")
	}
	file := filepath.Join(t.TempDir(), "steered.yaml")
	require.NoError(t, os.WriteFile(file, []byte(steeredPipeline), 0o600))
	calm := filepath.Join(t.TempDir(), "calm")
	output(t, calm, "run", file)
	want := models(output(t, calm, "show", "latest"))
	require.Len(t, want, 2)

	dir := filepath.Join(t.TempDir(), "data")
	up := temper(t, dir, "up")
	up.see("data      " + dir)
	started := output(t, dir, "run", file, "--detach")
	id := regexp.MustCompile(`run (steered-\w+) has started`).FindStringSubmatch(started)[1]
	past := func(round string) {
		t.Helper()
		require.Eventually(t, func() bool {
			p := temper(t, dir, "runs", "metrics", id+"/train", "-n", "1000")
			return p.end() == exitOK && strings.Contains(p.stdout(), "\n"+round+" ")
		}, e2eWithin, 100*time.Millisecond)
	}
	past("6")
	require.Contains(t, output(t, dir, "runs", "terminate", id, "--why", "the machine is needed"), "goes on from the last snapshots")
	require.Contains(t, output(t, dir, "artifacts", "ls", "state"), "snapshot of train after step 5")
	output(t, dir, "run", file, "--detach")
	past("8") // the first run may have come as far, before it ended
	require.Eventually(t, func() bool {
		p := temper(t, dir, "runs", "reset", id+"/train", "--to", "7")
		return p.end() == exitOK && strings.Contains(p.stdout(), "stage train goes on after 7")
	}, e2eWithin, 100*time.Millisecond)
	again := temper(t, dir, "run", file)
	require.Equal(t, exitOK, again.end(), again.stderr.String())
	require.Equal(t, want, models(output(t, dir, "show", "latest")), "the same bits")

	// Set and stop: another model, which the next run of the pipeline does not take.
	output(t, dir, "run", file, "--detach", "--fresh")
	told := func(want string, args ...string) {
		t.Helper()
		require.Eventually(t, func() bool {
			p := temper(t, dir, args...)
			return p.end() == exitOK && strings.Contains(p.stdout(), want)
		}, e2eWithin, 100*time.Millisecond, want)
	}
	told("stage train: lr 0.001 after round", "runs", "set", id+"/train", "lr=1e-3")
	told("told stage train: stop", "runs", "stop", id)
	told(" completed, started ", "show", "latest")
	last := output(t, dir, "show", "latest")
	require.Contains(t, last, "lr 0.001 set by hand after round")
	require.Contains(t, last, "stopped by hand after round")
	require.NotEqual(t, want, models(last))
	output(t, dir, "run", file)
	require.Equal(t, want, models(output(t, dir, "show", "latest")), "what was done by hand is not remembered")
}
