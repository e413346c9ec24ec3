package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mib = 1 << 20

// hostile is a program that tries to do harm, and what shows that it could not.
type hostile struct {
	name    string
	program string
	limits  Limits
	check   func(t *testing.T, r Result)
}

// prints wants the program to end by itself with just this output.
func prints(want string) func(*testing.T, Result) {
	return func(t *testing.T, r Result) {
		assert.Empty(t, r.Stopped())
		assert.Equal(t, want, strings.TrimSpace(string(r.Stdout)), "stderr: %s", r.Stderr)
	}
}

// stoppedFor wants the program to be stopped, within a second of its deadline.
func stoppedFor(why func(Result) bool) func(*testing.T, Result) {
	return func(t *testing.T, r Result) {
		assert.True(t, why(r), "stopped: %q, exit status %d, output %.300q, %.300q", r.Stopped(), r.ExitCode, r.Stdout, r.Stderr)
	}
}

func timedOut(r Result) bool    { return r.TimedOut }
func outOfMemory(r Result) bool { return r.OutOfMemory }
func outputCut(r Result) bool   { return r.OutputCut }

// tries runs statements that must all fail with OSError, and prints those that did not.
func tries(setup string, statements ...string) string {
	p := setup + "\n"
	for _, s := range statements {
		p += fmt.Sprintf("try:\n    %s\n    print('done:', %q)\nexcept OSError: pass\n", s, s)
	}
	return p + "print('end')\n"
}

// calls makes system calls through libc, raising OSError.
const calls = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(n, *args):
    r = libc.syscall(ctypes.c_long(n), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if r < 0: raise OSError(ctypes.get_errno(), n)
    return r`

func hostiles(worker int, canary string) []hostile {
	second := Limits{Wall: time.Second}
	return []hostile{
		{"fork bomb", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", second, stoppedFor(timedOut)},
		{"fork bomb, counted", `
import os, time
n = 0
try:
    while n < 1000:
        if os.fork() == 0: time.sleep(60)
        n += 1
except OSError: pass
print(n < 20)`, Limits{Processes: 20}, prints("True")},
		{"thread bomb", `
import threading, time
n = 0
try:
    while n < 1000:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); n += 1
except RuntimeError: pass
import os
os.write(1, str(n < 20).encode()); os._exit(0)`, Limits{Processes: 20}, prints("True")},
		{"memory bomb", "x = []\nwhile True: x.append(bytearray(1 << 20))", Limits{Memory: 128 * mib, AddressSpace: 192 * mib}, func(t *testing.T, r Result) {
			assert.True(t, r.OutOfMemory || strings.Contains(string(r.Stderr), "MemoryError"), "%s", r.Stderr)
		}},
		{"memory bomb in many processes", `
import os, time
for _ in range(20):
    if os.fork() == 0: break
x = bytearray(b"1") * (100 << 20)
time.sleep(60)`, Limits{Memory: 256 * mib}, stoppedFor(outOfMemory)},
		{"memory bomb in shared pages", `
import mmap, os, time
x = [mmap.mmap(-1, 50 << 20) for _ in range(10)]
for m in x:
    for i in range(0, len(m), 4096): m[i] = 1
time.sleep(60)`, Limits{Memory: 256 * mib}, stoppedFor(outOfMemory)},
		{"memory bomb in files", `
import os, time
for i in range(1000):
    with open("/tmp/%d" % i, "wb") as f: f.write(bytes(1 << 20))
time.sleep(60)`, Limits{Memory: 32 * mib, Disk: 64 * mib}, func(t *testing.T, r Result) {
			assert.True(t, r.OutOfMemory || strings.Contains(string(r.Stderr), "No space left"), "%s", r.Stderr)
		}},
		{"a disk that fills up", "f = open('/tmp/a', 'wb')\nwhile True: f.write(bytes(1 << 20))", Limits{Disk: 8 * mib, Memory: 512 * mib}, func(t *testing.T, r Result) {
			assert.Contains(t, string(r.Stderr), "No space left")
		}},
		{"a file that is too large", "f = open('/tmp/a', 'wb')\nwhile True: f.write(bytes(1 << 20))", Limits{FileSize: 4 * mib}, func(t *testing.T, r Result) {
			assert.Contains(t, string(r.Stderr), "File too large")
		}},
		{"many empty files", "i = 0\nwhile True:\n    open('/tmp/%d' % i, 'w').close(); i += 1", Limits{}, stoppedFor(outOfMemory)},
		{"endless output", "while True: print('x' * 1000)", Limits{Output: 100_000}, func(t *testing.T, r Result) {
			assert.True(t, r.OutputCut)
			assert.Len(t, r.Stdout, 100_000)
		}},
		{"endless errors", "import sys\nwhile True: sys.stderr.write('x' * 1000)", Limits{Output: 100_000}, stoppedFor(outputCut)},
		{"endless report", "import os\nwhile True: os.write(3, bytes(1000))", Limits{Output: 100_000}, stoppedFor(outputCut)},
		{"sleep past the deadline", `
import os, signal, time
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
if os.fork() == 0: os.setsid()
time.sleep(60)`, second, stoppedFor(timedOut)},
		{"a loop past the deadline", "while True: pass", second, stoppedFor(timedOut)},
		{"a loop past the processor time", "while True: pass", Limits{CPU: time.Second}, func(t *testing.T, r Result) {
			assert.Empty(t, r.Stopped())
			assert.Equal(t, 128+int(syscall.SIGKILL), r.ExitCode)
		}},
		{"a stop of itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", second, stoppedFor(timedOut)},
		{"a process that outlives its parent", `
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
print("left")`, Limits{}, prints("left")},
		{"signals to others", fmt.Sprintf(`
import os, signal
try: os.kill(%d, signal.SIGKILL); print("reached the worker")
except ProcessLookupError: pass
for s in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    try: os.kill(1, s)
    except PermissionError: pass
print("pid", os.getpid() < 10)`, worker), Limits{}, prints("pid True")},
		{"signals to all", "import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(0, signal.SIGKILL)", Limits{}, func(t *testing.T, r Result) {
			assert.NotZero(t, r.ExitCode)
		}},
		{"/proc", `import os
print(os.path.exists("/proc"), os.path.exists("/sys"), os.path.exists("/proc/self/environ"))`, Limits{}, prints("False False False")},
		{"files of the machine", fmt.Sprintf(`
import os
for p in ("/etc", "/etc/passwd", "/root", "/home", "/work", "/var", "/usr/bin/env", "/bin/sh", "/tmp/../etc", %q):
    if os.path.lexists(p): print(p)
print(sorted(os.listdir("/dev")), os.listdir("/tmp"))`, canary), Limits{}, prints("['null', 'random', 'urandom', 'zero'] []")},
		{"links out", tries("import os\nos.symlink('/etc/passwd', '/tmp/a'); os.symlink('/', '/tmp/b'); os.symlink('../../../..', '/tmp/c')",
			"open('/tmp/a')", "open('/tmp/b/etc/passwd')", "open('/tmp/c/etc/passwd')", "open('/tmp/c/root/.bashrc')", "os.link('/python/lib', '/tmp/d')"), Limits{}, prints("end")},
		{"writes outside", tries("import os, sys", "open('/a', 'w')", "open('/python/a', 'w')", "open(os.__file__, 'a')", "open(sys.executable, 'a')", "open('/dev/a', 'w')", "os.mkdir('/etc')",
			"os.chmod('/', 0o777)", "os.chmod(os.__file__, 0o777)", "os.remove(os.__file__)", "os.rename('/tmp', '/b')", "os.mknod('/tmp/a', 0o60666, 0)", fmt.Sprintf("open(%q, 'w')", canary)), Limits{}, prints("end")},
		{"sockets", tries("import socket", "socket.socket(socket.AF_INET, socket.SOCK_STREAM)", "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)", "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
			"socket.socket(16, socket.SOCK_RAW)", "socket.socket(40, socket.SOCK_STREAM)", "socket.create_connection(('127.0.0.1', 80), 1)"), Limits{}, prints("end")},
		{"system calls", tries(calls,
			"call(272, 0x10000000)" /* unshare user */, "call(56, 0x10000000 | 17, 0, 0, 0, 0)" /* clone user */, "call(435, 0, 0)", /* clone3 */
			"call(308, 0, 0)" /* setns */, "call(165, 0, 0, 0, 0, 0)" /* mount */, "call(155, 0, 0)" /* pivot_root */, "call(161, 0)", /* chroot */
			"call(101, 0, 0, 0, 0)" /* ptrace */, "call(310, 1, 0, 0, 0, 0, 0)" /* process_vm_readv */, "call(311, 1, 0, 0, 0, 0, 0)", "call(321, 0, 0, 0)", /* bpf */
			"call(298, 0, 0, 0, 0, 0)" /* perf_event_open */, "call(323, 1)" /* userfaultfd */, "call(425, 1, 0)" /* io_uring_setup */, "call(250, 0, 0, 0, 0, 0)", /* keyctl */
			"call(319, b'a', 0)" /* memfd_create */, "call(29, 0, 1 << 20, 0o1777)" /* shmget */, "call(135, 0x0400000)" /* personality */, "call(304, 0, 0, 0)", /* open_by_handle_at */
			"call(428, -100, b'/', 1)" /* open_tree */, "call(16, 0, 0x5412, b'x')" /* TIOCSTI */, "call(457, 0, 0, 0, 0)" /* statmount */, "call(9999)"), Limits{}, prints("end")},
		{"the third set of system calls", calls + "\ncall(0x40000000 + 39)\nprint('passed')", Limits{}, func(t *testing.T, r Result) {
			assert.Equal(t, 128+int(syscall.SIGSYS), r.ExitCode)
			assert.Empty(t, r.Stdout)
		}},
		{"rights", tries(calls+`
print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups() in ([], [65534]))
import ctypes
head, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
call(125, head, data)
print(list(data), libc.prctl(39, 0, 0, 0, 0))`, "os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.chown('/tmp', 0, 0)", "os.nice(-1)"), Limits{},
			prints("65534 65534 65534 True\n[0, 0, 0, 0, 0, 0] 1\nend")},
		{"limits raised", tries("import resource as r", "r.setrlimit(r.RLIMIT_NPROC, (1000, 1000))", "r.setrlimit(r.RLIMIT_AS, (1 << 40, 1 << 40))") +
			"try: r.setrlimit(r.RLIMIT_CPU, (r.RLIM_INFINITY, r.RLIM_INFINITY)); print('raised')\nexcept ValueError: pass", Limits{}, func(t *testing.T, r Result) {
			assert.NotContains(t, string(r.Stdout), "done")
			assert.NotContains(t, string(r.Stdout), "raised")
		}},
		{"descriptors", `
import os
for fd in range(1024):
    try: os.fstat(fd); print(fd, end=" ")
    except OSError: pass`, Limits{}, prints("0 1 2 3")},
		{"the environment", "import os\nprint(sorted(os.environ.items()))", Limits{}, prints("[('LD_LIBRARY_PATH', '/python/shared'), ('PWD', '/tmp')]")},
		{"open files", "import os\nx = []\ntry:\n    while True: x.append(os.open('/dev/null', 0))\nexcept OSError: print(len(x) < 64)", Limits{}, prints("True")},
		{"deep recursion in C", "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()", Limits{}, func(t *testing.T, r Result) {
			assert.NotEqual(t, 0, r.ExitCode)
		}},
	}
}

// TestHostilePrograms runs each program and looks at what it leaves behind: nothing.
func TestHostilePrograms(t *testing.T) {
	needsSandbox(t)
	python, err := Python()
	require.NoError(t, err)
	canary := filepath.Join(t.TempDir(), "canary")
	require.NoError(t, os.WriteFile(canary, []byte("alive"), 0o666))
	// A descriptor that a C library left open for children, as one of a device.
	loose, err := syscall.Open(canary, syscall.O_RDONLY, 0)
	require.NoError(t, err)
	defer syscall.Close(loose)
	for _, h := range hostiles(os.Getpid(), canary) {
		t.Run(h.name, func(t *testing.T) {
			limits := h.limits.withDefaults()
			began := time.Now()
			r, err := Run(context.Background(), Spec{Argv: append(python.Argv, "-c", h.program), Env: python.Env, Mounts: python.Mounts, Limits: h.limits})
			require.NoError(t, err)
			h.check(t, r)
			assert.Less(t, time.Since(began), limits.Wall+5*time.Second)
			assert.Empty(t, descendants(t), "processes are left")
			text, err := os.ReadFile(canary)
			require.NoError(t, err)
			assert.Equal(t, "alive", string(text))
		})
	}
	assert.Less(t, residentMiB(t), 200, "the worker's memory")
	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	assert.Less(t, len(open), 20, "the worker's descriptors")
}

// TestHostileProgramsOfAUser does so as a user without rights, when root runs the tests: root's sandbox is made in another way.
func TestHostileProgramsOfAUser(t *testing.T) {
	needsSandbox(t)
	if os.Getuid() != 0 {
		t.Skip("the tests are a user's already")
	}
	if _, err := os.Stat("/usr/bin/python3"); err != nil {
		t.Skip("no Python that every user may run: ", err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "temper-sandbox-")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o777))
	program := filepath.Join(dir, "tests")
	require.NoError(t, os.WriteFile(program, self, 0o755))
	for _, test := range []string{"TestHostilePrograms", "TestDeathOfTheWorker"} {
		cmd := exec.Command(program, "-test.run", "^"+test+"$", "-test.v")
		cmd.Dir = dir
		cmd.Env = []string{"PATH=/usr/bin:/bin", "TMPDIR=" + dir, "CI=true"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "--- PASS: "+test)
	}
}

// descendants of this process but for the zombies that the runtime is about to collect.
func descendants(t *testing.T) []string {
	var left []string
	for queue := children(os.Getpid()); len(queue) > 0; queue = queue[1:] {
		name, err := os.ReadFile("/proc/" + strconv.Itoa(queue[0]) + "/comm")
		if err == nil {
			left = append(left, strings.TrimSpace(string(name)))
		}
		queue = append(queue, children(queue[0])...)
	}
	return left
}

func residentMiB(t *testing.T) int {
	return int(memory(os.Getpid()) / mib)
}

func needsSandbox(t *testing.T) {
	t.Helper()
	if err := Check(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
