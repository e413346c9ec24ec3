package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// work is a folder for the binary, removed when all tests have ended.
var work string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "temper-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	work = dir
	for _, pair := range os.Environ() { // the tests' settings are their own, but for the plugin
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "TEMPER_") && !strings.HasPrefix(name, "TEMPER_XLA_") {
			if err := os.Unsetenv(name); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// binary builds the program, once.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(work, "temper")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// cli runs a command line in this process; it must not be one that starts the built-in servers.
func cli(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = execute(context.WithoutCancel(t.Context()), args, &out, &err)
	return code, out.String(), err.String()
}

func TestExitCodes(t *testing.T) {
	dir := "dir=" + filepath.Join(t.TempDir(), "data")
	tests := []struct {
		name string
		args []string
		code int
		want string // in stdout of a success, in stderr otherwise
	}{
		{"help", []string{"--help"}, exitOK, "temper [command]"},
		{"no command", nil, exitOK, "temper [command]"},
		{"group without command", []string{"artifacts"}, exitOK, "lineage"},
		{"version", []string{"--version"}, exitOK, "temper version"},
		{"unknown command", []string{"runz"}, exitUsage, `temper has no command "runz"; did you mean run`},
		{"unknown command of a group", []string{"artifacts", "sho"}, exitUsage, `temper artifacts has no command "sho"; did you mean show?`},
		{"unknown flag", []string{"run", "tiny", "--whatch"}, exitUsage, "unknown flag: --whatch"},
		{"missing argument", []string{"run"}, exitUsage, "the pipeline, a FILE or a NAME, is missing"},
		{"missing run", []string{"report"}, exitUsage, "the run, its id or latest, is missing"},
		{"one argument too many", []string{"show", "a", "b"}, exitUsage, `unexpected argument "b"`},
		{"flags that exclude each other", []string{"run", "tiny", "--watch", "--detach"}, exitUsage, "exclude each other"},
		{"set without a value", []string{"run", "tiny", "--set", "stages.sft.lr"}, exitUsage, "--set stages.sft.lr: write it as a.b=c"},
		{"pipeline setting elsewhere", []string{"runs", "--set", "stages.sft.lr=1"}, exitError, "stages"},
		{"no such pipeline", []string{"pipeline", "plan", "tinny"}, exitError, `no built-in pipeline named "tinny"; did you mean tiny?`},
		{"no such file", []string{"run", "no/such.yaml"}, exitError, "no/such.yaml"},
		{"built-in pipelines", []string{"pipeline", "ls"}, exitOK, "tiny"},
		{"one server of two", []string{"up", "--set", "temporal.address=127.0.0.1:7233"}, exitError, "set both"},
		{"nothing to start", []string{"up", "--set", "temporal.address=127.0.0.1:1", "--set", "s3.endpoint=127.0.0.1:2"}, exitError, "there is nothing to start"},
		{"worker without servers", []string{"worker", "--set", dir}, exitError, "temporal.address and s3.endpoint are not set"},
		{"no runs yet", []string{"runs", "--set", dir}, exitError, "there are no runs in"},
		{"bad limit", []string{"runs", "-n", "-1"}, exitUsage, "--limit -1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := cli(t, tt.args...)
			require.Equal(t, tt.code, code, "stdout: %s\nstderr: %s", stdout, stderr)
			if tt.code == exitOK {
				require.Contains(t, stdout, tt.want)
				require.Empty(t, stderr)
			} else {
				require.Contains(t, stderr, tt.want)
				require.Empty(t, stdout)
			}
		})
	}
}

func TestSecretsStayHidden(t *testing.T) {
	for _, args := range [][]string{{"config", "show"}, {"run", "tiny", "--dry-run"}} {
		args = append(args, "--set", "dir="+t.TempDir(), "--set", "s3.access_key=me", "--set", "s3.secret_key=hush-hush", "--set", "temporal.api_key=hush-hush",
			"--set", "temporal.port=0", "--set", "temporal.ui_port=0", "--set", "s3.port=0", "--set", "worker.queues=temper")
		code, stdout, stderr := cli(t, args...)
		require.Equal(t, exitOK, code, stderr)
		require.Contains(t, stdout, "access_key: me")
		require.NotContains(t, stdout+stderr, "hush-hush")
	}
}

func TestSplit(t *testing.T) {
	ours, its, err := split([]string{"dir=/x", "stages.sft.lr=1e-3", "s3.bucket=b=c", "base.import=/m", "log.level=debug", "seed=4"})
	require.NoError(t, err)
	require.Equal(t, []string{"dir=/x", "s3.bucket=b=c", "log.level=debug"}, ours)
	require.Equal(t, []string{"stages.sft.lr=1e-3", "base.import=/m", "seed=4"}, its)
	require.Subset(t, sections, []string{"dir", "temporal", "s3", "xla", "worker", "log"})
}
