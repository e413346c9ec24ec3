package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"pgregory.net/rapid"

	"temper/activities/contract"
	"temper/configs"
	"temper/pipelines"
)

func activityNamed(name string) activity.RegisterOptions { return activity.RegisterOptions{Name: name} }

func TestRunIDNamesThePipeline(t *testing.T) {
	id := func(set ...string) string {
		p, err := pipelines.Load("tiny", set)
		require.NoError(t, err)
		name, err := runID(p)
		require.NoError(t, err)
		return name
	}
	require.Regexp(t, `^tiny-[0-9a-f]{12}$`, id())
	require.Equal(t, id(), id())
	require.NotEqual(t, id(), id("seed=8"))
	require.NotEqual(t, id(), id("stages.sft.lr=2.0e-3"))
}

func TestPipelineInputIsWhatTheWorkflowTakes(t *testing.T) {
	code, stdout, stderr := cli(t, "pipeline", "input", "tiny", "--set", "seed=11", "--set", "tasks.pool={file: some/file.jsonl}")
	require.Equal(t, exitOK, code, stderr)
	var in contract.PipelineInput
	require.NoError(t, json.Unmarshal([]byte(stdout), &in))
	require.NoError(t, in.Pipeline.Validate())
	require.EqualValues(t, 11, in.Pipeline.Seed)
	require.True(t, filepath.IsAbs(in.Pipeline.Tasks["pool"].File), "a worker has another working directory")
}

func TestPlanNamesEveryStage(t *testing.T) {
	code, stdout, stderr := cli(t, "pipeline", "plan", "tiny")
	require.Equal(t, exitOK, code, stderr)
	p, err := pipelines.Load("tiny", nil)
	require.NoError(t, err)
	summary, details := describe(p)
	require.LessOrEqual(t, len(summary), maxSummary)
	require.LessOrEqual(t, len(details), maxDetails)
	for _, st := range p.Stages {
		require.Contains(t, stdout, "\n"+st.ID+" ")
		require.Contains(t, details, "| "+st.ID+" |")
	}
}

func TestStackRecord(t *testing.T) {
	write := func(r stackRecord) string {
		dir := t.TempDir()
		body, err := json.Marshal(r)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(recordPath(dir), body, 0o600))
		return dir
	}
	_, ok := readRecord(t.TempDir())
	require.False(t, ok, "no file")
	live := stackRecord{PID: os.Getpid(), Command: "up", Temporal: "127.0.0.1:1", Namespace: "temper", S3: "127.0.0.1:2", Bucket: "b", AccessKey: "k", SecretKey: "s"}
	r, ok := readRecord(write(live))
	require.True(t, ok)
	s := r.apply(configs.Default())
	require.True(t, elsewhere(s))
	require.Equal(t, "s", s.S3.SecretKey.Reveal())

	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	dead := live
	dead.PID = gone.Process.Pid
	_, ok = readRecord(write(dead))
	require.False(t, ok, "its process has ended")

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(recordPath(dir), []byte("{half"), 0o600))
	_, ok = readRecord(dir)
	require.False(t, ok, "not whole")

	// A process that lives but does not answer, as after the number of a dead one was given away.
	settings := configs.Default()
	settings.Dir = write(live)
	c, err := find(t.Context(), settings, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Nil(t, c)
}

func TestWatcherTellsOnce(t *testing.T) {
	p, err := pipelines.Load("tiny", nil)
	require.NoError(t, err)
	var out bytes.Buffer
	w := &watcher{app: &app{out: &out}, pipeline: p, seen: map[string]string{}}
	for _, status := range []string{"waiting", "running", "running", "done", "done"} {
		w.tell(contract.StageProgress{ID: "sft", Status: status, Summary: "loss 0.1"})
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], "running  sft")
	require.Contains(t, lines[0], "fine-tune base")
	require.Contains(t, lines[1], "done     sft          loss 0.1")
}

func TestForPeople(t *testing.T) {
	require.Equal(t, "-", took(0))
	require.Equal(t, "12ms", took(12*time.Millisecond))
	require.Equal(t, "1.2s", took(1234*time.Millisecond))
	require.Equal(t, "2m3s", took(123456*time.Millisecond))
	require.Equal(t, "512 B", size(512))
	require.Equal(t, "1.5 KiB", size(1536))
	require.Equal(t, "3.0 GiB", size(3<<30))
	require.Equal(t, "-", when(time.Time{}))
	var out bytes.Buffer
	require.NoError(t, table(&out, [][]string{{"A", "B"}, {"one\ttwo", "x\ny"}, {"1", ""}}))
	require.Equal(t, "A        B\none two  x y\n1\n", out.String())
}

func TestShorten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, n := rapid.String().Draw(t, "text"), rapid.IntRange(3, 40).Draw(t, "n")
		got := shorten(text, n)
		if len(text) <= n {
			require.Equal(t, text, got)
			return
		}
		require.LessOrEqual(t, len(got), n)
		require.True(t, utf8.ValidString(got) || !utf8.ValidString(text))
		require.True(t, strings.HasPrefix(text, strings.TrimSuffix(got, "…")))
	})
}

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	code, stdout, stderr := cli(t, "doctor", "--set", "dir="+t.TempDir(), "--set", "xla.plugin=/no/plugin.so",
		"--set", "temporal.port=0", "--set", "temporal.ui_port=0", "--set", "s3.port=0")
	require.Equal(t, exitError, code)
	require.Contains(t, stdout, "FAIL  plugin")
	require.Contains(t, stdout, "ok    dir")
	require.Contains(t, stdout, "ok    ports")
	require.Contains(t, stderr, "1 of 6 checks failed")

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, checkFolder(filepath.Join(file, "below")).err)
}
