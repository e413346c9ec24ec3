package sandbox

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func shell(t *testing.T, script string, l Limits) Spec {
	t.Helper()
	sh, err := Program("sh")
	require.NoError(t, err)
	cat, err := Program("cat")
	require.NoError(t, err)
	return Spec{Argv: []string{sh[0].Target, "-c", script}, Mounts: append(sh, cat...), Env: map[string]string{"PATH": "/usr/bin:/bin"}, Limits: l}
}

func TestRunGivesWhatTheProgramSays(t *testing.T) {
	needsSandbox(t)
	s := shell(t, `cat; cat /data/a/b; echo "$COLOUR"; echo bad >&2; echo said >&3; exit 7`, Limits{})
	s.Stdin, s.Env["COLOUR"] = []byte("in "), "blue"
	s.Files = map[string][]byte{"/data/a/b": []byte(strings.Repeat("x", 300_000) + "\n")}
	r, err := Run(context.Background(), s)
	require.NoError(t, err)
	assert.Equal(t, 7, r.ExitCode)
	assert.Equal(t, "in "+strings.Repeat("x", 300_000)+"\nblue\n", string(r.Stdout))
	assert.Equal(t, "bad\n", string(r.Stderr))
	assert.Equal(t, "said\n", string(r.Report))
	assert.Empty(t, r.Stopped())
}

func TestRunRefusesABadSpec(t *testing.T) {
	needsSandbox(t)
	for want, change := range map[string]func(*Spec){
		"argv: the program": func(s *Spec) { s.Argv = nil },
		"argv: an argument": func(s *Spec) { s.Argv = append(s.Argv, "a\x00b") },
		"mounts":            func(s *Spec) { s.Mounts = append(s.Mounts, Mount{"/", "/"}) },
		"files":             func(s *Spec) { s.Files = map[string][]byte{"/a/../b": nil} },
		"env":               func(s *Spec) { s.Env = map[string]string{"A=B": ""} },
	} {
		s := shell(t, "echo ran", Limits{})
		change(&s)
		_, err := Run(context.Background(), s)
		assert.ErrorContains(t, err, want)
	}
}

func TestAProgramThatIsNotThereIsTheSandboxesError(t *testing.T) {
	needsSandbox(t)
	s := shell(t, "", Limits{})
	s.Argv[0] = "/usr/bin/nothing"
	_, err := Run(context.Background(), s)
	assert.ErrorContains(t, err, "/usr/bin/nothing")
}

func TestRunEndsWithItsContext(t *testing.T) {
	needsSandbox(t)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := Run(ctx, shell(t, "while :; do :; done", Limits{}))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), 3*time.Second)
	assert.Empty(t, descendants(t))
}

// Without bubblewrap nothing runs, and the error says what to install.
func TestRefusalWithoutBubblewrap(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	b, err := find()
	assert.Nil(t, b)
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "apt-get install bubblewrap")
}

// A bwrap that cannot confine, as where user namespaces are forbidden, is no sandbox either.
func TestRefusalWhereBubblewrapCannotConfine(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/bwrap", []byte("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"), 0o755))
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	_, err := find()
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "No permissions to create new namespace")
}

// One that runs programs without confining them is found out by the limit of processes.
func TestRefusalOfABubblewrapThatDoesNotLimit(t *testing.T) {
	dir := t.TempDir()
	fake := `#!/bin/sh
while [ "$1" != -- ]; do [ "$1" = --info-fd ] && eval "echo '{\"child-pid\": 1999999999}' >&$2"; shift; done
while [ "$1" != -c ]; do shift; done
exec sh "$@"
`
	require.NoError(t, os.WriteFile(dir+"/bwrap", []byte(fake), 0o755))
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	_, err := find()
	require.ErrorIs(t, err, ErrUnavailable)
}

// TestDeathOfTheWorker kills a process that waits for a program: the program must not outlive it.
func TestDeathOfTheWorker(t *testing.T) {
	needsSandbox(t)
	if os.Getenv("TEMPER_SANDBOX_WORKER") != "" {
		_, err := Run(context.Background(), shell(t, "while :; do :; done", Limits{Wall: time.Minute}))
		t.Fatal("it ended: ", err)
	}
	worker := exec.Command("/proc/self/exe", "-test.run", "^TestDeathOfTheWorker$")
	worker.Env = append(os.Environ(), "TEMPER_SANDBOX_WORKER=1")
	require.NoError(t, worker.Start())
	var inside []int
	require.Eventually(t, func() bool {
		inside = inside[:0]
		for queue := children(worker.Process.Pid); len(queue) > 0; queue = queue[1:] {
			inside = append(inside, queue[0])
			queue = append(queue, children(queue[0])...)
		}
		return len(inside) >= 3 // bwrap, the first process inside, the shell
	}, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, worker.Process.Kill())
	_ = worker.Wait()
	assert.Eventually(t, func() bool {
		for _, pid := range inside {
			if memory(pid) > 0 {
				return false
			}
		}
		return true
	}, 5*time.Second, 10*time.Millisecond, "processes outlive the worker")
}
