package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/lm/hf"
	"temper/pipelines"
)

// e2eWithin bounds every wait of these tests; a run takes a minute on two busy cores.
const e2eWithin = 8 * time.Minute

// process is a running temper.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan string // of stdout, as they come
	stderr bytes.Buffer

	mu  sync.Mutex
	all strings.Builder
}

// temper starts the binary with free ports and its own data folder.
func temper(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	p := &process{t: t, lines: make(chan string, 10000)}
	p.cmd = exec.Command(path, append(args, "--set", "dir="+dir, "--set", "temporal.port=0", "--set", "temporal.ui_port=0", "--set", "s3.port=0")...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		scan := bufio.NewScanner(out)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			p.mu.Lock()
			p.all.WriteString(scan.Text() + "\n")
			p.mu.Unlock()
			select {
			case p.lines <- scan.Text():
			default: // a test that does not look at the lines
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended unless the test failed
		<-read
	})
	return p
}

func (p *process) stdout() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.String()
}

// see waits for a line with the text.
func (p *process) see(text string) {
	p.t.Helper()
	late := time.NewTimer(e2eWithin)
	defer late.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				require.FailNow(p.t, "the process ended", "before it said %q\nstdout: %s\nstderr: %s", text, p.stdout(), p.stderr.String())
			}
			if strings.Contains(line, text) {
				return
			}
		case <-late.C:
			require.FailNow(p.t, "too late", "no line with %q in\n%s", text, p.stdout())
		}
	}
}

// end waits for the end and returns the exit code; -1 is a process that was killed.
func (p *process) end() int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), e2eWithin)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })
	defer stop()
	for range p.lines { // to the end of stdout, which Wait would cut off
	}
	_ = p.cmd.Wait() // what it says is the exit code
	require.NoError(p.t, ctx.Err(), "the process did not end\n%s", p.stdout())
	return p.cmd.ProcessState.ExitCode()
}

// output runs a command that must succeed.
func output(t *testing.T, dir string, args ...string) string {
	t.Helper()
	p := temper(t, dir, args...)
	code := p.end()
	require.Equal(t, exitOK, code, "stdout: %s\nstderr: %s", p.stdout(), p.stderr.String())
	return p.stdout()
}

// statuses reads the stages' statuses from temper show.
func statuses(t *testing.T, shown string) map[string]string {
	t.Helper()
	out := map[string]string{}
	p, err := pipelines.Load("tiny", nil)
	require.NoError(t, err)
	for _, st := range p.Stages {
		m := regexp.MustCompile(`(?m)^` + st.ID + ` +` + st.Kind + ` +(\w+) `).FindStringSubmatch(shown)
		require.NotNil(t, m, "stage %s in\n%s", st.ID, shown)
		out[st.ID] = m[1]
	}
	return out
}

// models reads the digests of the models from temper show.
func models(shown string) []string {
	return regexp.MustCompile(`(?m)^\w+\.model +(model/\w+)`).FindAllString(shown, -1)
}

func TestRunSkipKillAndReport(t *testing.T) {
	if testing.Short() {
		t.Skip("trains models; left out by -short")
	}
	dir := filepath.Join(t.TempDir(), "data")
	tiny := []string{"run", "tiny", "--set", "stages.relift.rounds=16"} // long enough to be killed in

	first := output(t, dir, tiny...)
	require.Contains(t, first, "has completed")
	require.Contains(t, first, "pass@1")
	shown := output(t, dir, "show", "latest")
	for stage, status := range statuses(t, shown) {
		require.Equal(t, "done", status, stage)
	}
	made := models(shown)
	require.Len(t, made, 5)

	second := output(t, dir, tiny...)
	require.NotContains(t, second, "  done ")
	for stage, status := range statuses(t, output(t, dir, "show", "latest")) {
		require.Equal(t, "skipped", status, stage)
	}

	// A third run does all again, and its process is killed where nothing is saved yet of the stage under way.
	killed := temper(t, dir, append(tiny, "--fresh", "--watch")...)
	killed.see("running  relift")
	require.NoError(t, killed.cmd.Process.Kill())
	require.Equal(t, -1, killed.end())
	require.Equal(t, "running", statuses(t, output(t, dir, "show", "latest"))["relift"])
	resumed := output(t, dir, append(tiny, "--fresh", "--watch")...)
	require.Contains(t, resumed, "is open since an earlier start")
	require.Contains(t, resumed, "has completed")
	shown = output(t, dir, "show", "latest")
	for stage, status := range statuses(t, shown) {
		require.Equal(t, "done", status, stage)
	}
	require.Equal(t, made, models(shown), "a run that was killed ends with the same bits")

	var report struct {
		Run    string
		Models []struct {
			Name   string
			N      int
			PassAt map[string]float64 `json:"pass_at"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(output(t, dir, "report", "latest", "--json")), &report))
	require.Regexp(t, `^tiny-`, report.Run)
	var names []string
	for _, m := range report.Models {
		names = append(names, m.Name)
		require.Equal(t, 8, m.N)
		require.Contains(t, m.PassAt, "1")
	}
	require.Equal(t, []string{"base", "sft", "probe", "relift", "student"}, names)
	require.Equal(t, 3, strings.Count(output(t, dir, "runs"), report.Run))

	page := filepath.Join(t.TempDir(), "report.html")
	output(t, dir, "report", report.Run, "--html", page)
	body, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(body), "<svg")

	digest := regexp.MustCompile(`student\.model +(model/\w+)`).FindStringSubmatch(shown)[1]
	require.Contains(t, output(t, dir, "artifacts", "lineage", digest), "teacher: model/")
	require.Contains(t, output(t, dir, "artifacts", "show", digest), `"kind": "model"`)
	folder := filepath.Join(t.TempDir(), "student")
	output(t, dir, "artifacts", "get", digest, folder)
	_, err = hf.Load(folder)
	require.NoError(t, err, "a model artifact is a model directory")
}

func TestUpServesOtherCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers; left out by -short")
	}
	dir := filepath.Join(t.TempDir(), "data")
	up := temper(t, dir, "up")
	up.see("worker    temper")
	up.see("data      " + dir)

	again := temper(t, dir, "up")
	require.Equal(t, exitError, again.end())
	require.Contains(t, again.stderr.String(), "runs the servers of "+dir+" already")

	require.Contains(t, output(t, dir, "doctor"), "run in temper up")
	require.Contains(t, output(t, dir, "runs"), "there are no runs yet")
	require.Contains(t, output(t, dir, "run", "tiny", "--detach"), "has started")
	require.Contains(t, output(t, dir, "runs"), "running")
	same := temper(t, dir, "run", "tiny", "--watch")
	same.see("using the servers of temper up")
	same.see("is open since an earlier start")
	same.see("done     base")
	require.NoError(t, same.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, exitError, same.end())
	require.Contains(t, same.stderr.String(), "goes on without this command")

	// A run that cannot go on says why, and that is the exit code.
	missing := filepath.Join(dir, "gone.jsonl")
	require.NoError(t, os.WriteFile(missing, []byte(`{"prompt":"1+1?","answer":"2"}`+"\n"), 0o600))
	broken := temper(t, dir, "run", "tiny", "--set", "tasks.held_out={file: "+missing+"}", "--set", "stages.report.max_tokens=1000")
	require.Equal(t, exitError, broken.end(), broken.stdout())
	require.Contains(t, broken.stderr.String(), "failed: stage report, EvaluateModel: ")

	require.NoError(t, up.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, up.end(), up.stderr.String())
	require.NoFileExists(t, recordPath(dir))

	// What was open goes on in a process of its own, which can be interrupted too.
	alone := temper(t, dir, "run", "tiny")
	require.Equal(t, exitOK, alone.end(), alone.stderr.String())
	require.Contains(t, alone.stdout(), "has completed")
}

func TestInterruptedRunGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("trains models; left out by -short")
	}
	dir := filepath.Join(t.TempDir(), "data")
	tiny := []string{"run", "tiny", "--set", "stages.sft.steps=1000", "--set", "stages.sft.chunk_steps=100"} // long enough to be interrupted in
	run := temper(t, dir, tiny...)
	run.see("running  sft")
	require.NoError(t, run.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitError, run.end(), run.stdout())
	require.Contains(t, run.stderr.String(), "stays open; give the command again to go on")
	require.Contains(t, output(t, dir, "runs"), "running")
	require.Contains(t, output(t, dir, tiny...), "has completed")
}

func TestWorkersElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("trains models; left out by -short")
	}
	dir := filepath.Join(t.TempDir(), "data")
	up := temper(t, dir, "up", "--set", "worker.queues=temper") // servers and light work; the rest is the other worker's
	up.see("data      " + dir)
	r, ok := readRecord(dir)
	require.True(t, ok)
	there := []string{"--set", "temporal.address=" + r.Temporal, "--set", "s3.endpoint=" + r.S3, "--set", "s3.access_key=" + r.AccessKey, "--set", "s3.secret_key=" + r.SecretKey}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")

	wrong := temper(t, elsewhere, append([]string{"worker", "--set", "temporal.namespace=nobody"}, there...)...)
	require.Equal(t, exitError, wrong.end())
	require.Contains(t, wrong.stderr.String(), `has no namespace "nobody"`)
	wrong = temper(t, elsewhere, append(append([]string{"worker"}, there...), "--set", "s3.secret_key=guessed")...)
	require.Equal(t, exitError, wrong.end())
	require.Contains(t, wrong.stderr.String(), "s3.access_key, s3.secret_key: refused")
	require.NotContains(t, wrong.stderr.String(), "guessed")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	health := l.Addr().String()
	require.NoError(t, l.Close())
	worker := temper(t, elsewhere, append([]string{"worker", "--set", "worker.queues=temper-cpu,temper-gpu", "--set", "worker.health=" + health}, there...)...)
	worker.see("working on temper-cpu, temper-gpu for " + r.Temporal)
	answer, err := http.Get("http://" + health + "/readyz")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	done := output(t, elsewhere, append([]string{"run", "tiny"}, there...)...)
	require.Contains(t, done, "using Temporal at "+r.Temporal)
	require.Contains(t, done, "has completed")
	for _, p := range []*process{worker, up} {
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
		require.Equal(t, exitOK, p.end(), p.stderr.String())
	}
	require.NoDirExists(t, elsewhere, "a command that uses servers elsewhere keeps nothing")
}
