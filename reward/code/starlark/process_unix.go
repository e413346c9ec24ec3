//go:build unix

package starlark

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

// Limits of one program.
type Limits struct {
	Wall   time.Duration `json:"wall"`
	Memory int64         `json:"memory"` // bytes that the program's values may hold
}

// childName is what the process that judges a program is called by. It is this program, which sees its name before it does anything of its own.
const childName = "temper-starlark"

const (
	processors = 2         // of a child
	maxStack   = 64 << 20  // bytes: some 100,000 calls deep, where Python allows 1,000
	slack      = 512 << 20 // bytes of the program itself, and for collecting garbage
	exitMemory = 4         // the exit status of a child whose program holds too much
)

func init() {
	if os.Args[0] != childName {
		return
	}
	if err := child(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

// request is what the child reads.
type request struct {
	Program
	Limits
}

// child sets its own limits, then judges. The memory is looked at often; the hard limit is where the Go runtime cannot go on, and is not met when a
// value doubles between two looks.
func child(in io.Reader, out io.Writer) error {
	var r request
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return err
	}
	if err := limit(syscall.RLIMIT_DATA, uint64(4*r.Memory+slack)); err != nil {
		return fmt.Errorf("limit the memory: %w", err)
	}
	if err := limit(syscall.RLIMIT_CPU, uint64(processors*r.Wall/time.Second+2)); err != nil {
		return fmt.Errorf("limit the processor time: %w", err)
	}
	debug.SetMaxStack(maxStack)
	go watch(r.Memory)
	return json.NewEncoder(out).Encode(judge(r.Program))
}

func limit(what int, most uint64) error {
	return syscall.Setrlimit(what, &syscall.Rlimit{Cur: most, Max: most})
}

// watch ends this process when its values hold too much.
func watch(most int64) {
	held := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	for range time.Tick(5 * time.Millisecond) {
		metrics.Read(held)
		if held[0].Value.Uint64()+held[1].Value.Uint64() <= uint64(most) {
			continue
		}
		runtime.GC()
		if metrics.Read(held); held[0].Value.Uint64()+held[1].Value.Uint64() > uint64(most) {
			os.Exit(exitMemory)
		}
	}
}

// Judge judges an answer in a process of its own, which is gone when it returns. An error says nothing about the answer.
func Judge(ctx context.Context, p Program, l Limits) (Outcome, error) {
	self, err := program()
	if err != nil {
		return Outcome{}, err
	}
	in, err := json.Marshal(request{p, l})
	if err != nil {
		return Outcome{}, err
	}
	timed, cancel := context.WithTimeout(ctx, l.Wall)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(timed, self)
	cmd.Args = []string{childName}
	cmd.Env = []string{"GOTRACEBACK=none", fmt.Sprint("GOMAXPROCS=", processors)}
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return Outcome{}, ctx.Err()
	case timed.Err() != nil:
		// Starlark can be ten times slower than Python, so this says nothing.
		return Outcome{"error", fmt.Sprintf("timeout: not done after %s", l.Wall)}, nil
	case cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitMemory, bytes.Contains(stderr.Bytes(), []byte("out of memory")):
		return Outcome{"wrong", fmt.Sprintf("memory: held more than %d MiB", l.Memory>>20)}, nil
	case bytes.Contains(stderr.Bytes(), []byte("stack overflow")):
		return Outcome{"wrong", "recursion: deeper than the stack"}, nil
	case err != nil:
		return Outcome{}, fmt.Errorf("the interpreter: %w: %s", err, bytes.TrimSpace(stderr.Bytes()[:min(stderr.Len(), 500)]))
	}
	var o Outcome
	if err := json.Unmarshal(out, &o); err != nil {
		return Outcome{}, fmt.Errorf("the interpreter's answer: %w", err)
	}
	return o, nil
}

// program is the file of this program, also when an upgrade has put another in its place.
func program() (string, error) {
	const running = "/proc/self/exe"
	if _, err := os.Stat(running); err == nil {
		return running, nil
	}
	return os.Executable()
}

// Check reports whether programs can be judged here.
func Check() error { return nil }
