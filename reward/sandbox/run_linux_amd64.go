package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// run starts bwrap, limits its child before the child may go on, and watches over it.
func (b *bubblewrap) run(ctx context.Context, spec Spec) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &pipes{}
	defer p.close()

	// The order gives the numbers in the child: the first is 3.
	report := p.fromChild()
	p.toChild(filter())
	info := p.fromChild()
	block := p.held()
	files := make([]int, 0, len(spec.Files))
	for _, name := range names(spec.Files) {
		p.toChild(spec.Files[name])
		files = append(files, p.last())
	}
	stdout, stderr := p.output(), p.output()
	if err := errors.Join(p.err, keep()); err != nil {
		return Result{}, fmt.Errorf("sandbox: %w", err)
	}

	cmd := exec.Command(b.path, b.arguments(spec, 4, 5, 6, files)...)
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(spec.Stdin)
	cmd.Stdout, cmd.Stderr = stdout.theirs, stderr.theirs
	cmd.ExtraFiles = p.theirs
	cmd.SysProcAttr = b.attributes()
	cmd.WaitDelay = time.Second // for the standard input of a program that did not read it
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Result{}, fmt.Errorf("sandbox: start %s: %w", b.path, err)
	}
	p.started()

	var r Result
	var once sync.Once
	stop := func(why *bool) {
		once.Do(func() {
			if why != nil {
				*why = true
			}
			_ = cmd.Process.Kill() // the sandbox's first process dies with bwrap, and all others with that one
		})
	}
	var readers sync.WaitGroup
	collect := func(from io.Reader, into *[]byte) {
		readers.Go(func() {
			*into, _ = io.ReadAll(io.LimitReader(from, spec.Limits.Output))
			if n, _ := io.CopyN(io.Discard, from, 1); n > 0 {
				stop(&r.OutputCut)
				_, _ = io.Copy(io.Discard, from) // until the sandbox is gone
			}
		})
	}
	collect(stdout.ours, &r.Stdout)
	collect(stderr.ours, &r.Stderr)
	collect(report, &r.Report)

	child, startErr := firstProcess(info)
	if startErr == nil {
		startErr = limit(child, spec.Limits)
	}
	if startErr == nil {
		_, startErr = block.Write([]byte{1})
	}
	if startErr != nil {
		stop(nil)
	}
	ended := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		deadline := time.NewTimer(spec.Limits.Wall)
		defer deadline.Stop()
		look := time.NewTicker(25 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ctx.Done():
				stop(nil)
				return
			case <-deadline.C:
				stop(&r.TimedOut)
				return
			case <-look.C:
				if startErr == nil && excess(child, spec.Limits) {
					stop(&r.OutOfMemory)
					return
				}
			}
		}
	})
	readers.Wait() // the pipes end with the last process that holds them, so with the sandbox
	waitErr := cmd.Wait()
	close(ended)
	watch.Wait()
	r.Wall = time.Since(began)
	r.ExitCode = exitCode(cmd.ProcessState)
	var exit *exec.ExitError
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("sandbox: %w", context.Cause(ctx))
	}
	if startErr != nil {
		return Result{}, fmt.Errorf("sandbox: bwrap: %w: %s", startErr, bytes.TrimSpace(r.Stderr))
	}
	if waitErr != nil && !errors.As(waitErr, &exit) && !errors.Is(waitErr, exec.ErrWaitDelay) {
		return Result{}, fmt.Errorf("sandbox: %w", waitErr)
	}
	// bwrap and setpriv say so when they cannot start the program.
	if r.ExitCode != 0 && len(r.Report) == 0 && len(r.Stdout) == 0 && (bytes.HasPrefix(r.Stderr, []byte("bwrap: ")) || b.drop && bytes.HasPrefix(r.Stderr, []byte("setpriv: "))) {
		return Result{}, fmt.Errorf("sandbox: %s", bytes.TrimSpace(r.Stderr))
	}
	return r, nil
}

func exitCode(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// firstProcess reads the process of the sandbox that has number 1 inside from bwrap's information.
func firstProcess(info io.Reader) (int, error) {
	var about struct {
		Child int `json:"child-pid"`
	}
	if err := json.NewDecoder(info).Decode(&about); err != nil || about.Child <= 0 {
		return 0, errors.New("it did not start")
	}
	return about.Child, nil
}

// limit sets the resource limits of the process that waits; all others in the sandbox come from it.
func limit(pid int, l Limits) error {
	seconds := uint64((l.CPU + time.Second - 1) / time.Second)
	for _, x := range []struct {
		resource int
		value    uint64
	}{
		{syscall.RLIMIT_CORE, 0},
		{syscall.RLIMIT_CPU, seconds},
		{syscall.RLIMIT_AS, uint64(l.AddressSpace)},
		{syscall.RLIMIT_FSIZE, uint64(l.FileSize)},
		{syscall.RLIMIT_NOFILE, uint64(l.OpenFiles)},
		{6, uint64(l.Processes)}, // RLIMIT_NPROC: of this user in this user namespace
		{8, 0},                   // RLIMIT_MEMLOCK
		{11, 256},                // RLIMIT_SIGPENDING
		{12, 0},                  // RLIMIT_MSGQUEUE
		{13, 0},                  // RLIMIT_NICE
		{14, 0},                  // RLIMIT_RTPRIO
	} {
		rlimit := syscall.Rlimit{Cur: x.value, Max: x.value}
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(x.resource), uintptr(unsafe.Pointer(&rlimit)), 0, 0, 0); errno != 0 {
			return fmt.Errorf("set resource limit %d: %w", x.resource, errno)
		}
	}
	return nil
}
