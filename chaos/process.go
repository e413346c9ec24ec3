package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a program that is started again whenever it ends, as systemd or Kubernetes would, until it is closed.
type process struct {
	name  string
	close func()

	mu  sync.Mutex
	cmd *exec.Cmd // nil while it is down
}

// restartAfter is how long a program that has ended stays down.
const restartAfter = 200 * time.Millisecond

// supervise starts a program; what it prints goes to name.log in dir.
func supervise(dir, name string, environment []string, path string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	p := &process{name: name}
	p.close = func() {
		cancel()
		p.signal(syscall.SIGTERM)
		stubborn := time.AfterFunc(closeWithin, func() { p.signal(syscall.SIGKILL) })
		<-done
		stubborn.Stop()
	}
	go func() {
		defer close(done)
		defer log.Close()
		runtime.LockOSThread() // Pdeathsig is of the thread that starts the child
		defer runtime.UnlockOSThread()
		for ctx.Err() == nil {
			cmd := exec.Command(path, args...)
			cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append(os.Environ(), environment...), dir, log, log
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			p.mu.Lock()
			err := cmd.Start()
			if err == nil {
				p.cmd = cmd
			}
			p.mu.Unlock()
			if err == nil {
				err = cmd.Wait()
			}
			p.mu.Lock()
			p.cmd = nil
			p.mu.Unlock()
			fmt.Fprintf(log, "---- %s ended: %v\n", name, err)
			select {
			case <-ctx.Done():
			case <-time.After(restartAfter):
			}
		}
	}()
	return p, nil
}

// closeWithin is how long a program may take to end by itself.
const closeWithin = 20 * time.Second

// signal sends a signal, and says whether there was a process to get it.
func (p *process) signal(s syscall.Signal) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd != nil && p.cmd.Process.Signal(s) == nil
}

// pid is 0 while the process is down.
func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}
