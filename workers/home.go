package workers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"go.temporal.io/sdk/worker"

	"temper/activities/contract"
	"temper/configs"
)

// takeHome gives a worker with an accelerator the queue for work that needs the states it holds. In a deployment the queue is one build's, so
// that a worker of the next build, started in its place, takes nothing that belongs to this one.
func takeHome(s configs.Worker, build string) (queue string, leave func(), err error) {
	if !slices.Contains(s.Queues, contract.QueueGPU) {
		return "", func() {}, nil
	}
	queue, leave, err = home(filepath.Join(os.TempDir(), fmt.Sprintf("temper-workers-%d", os.Getuid())))
	if err == nil && build != "" {
		queue += "/" + build
	}
	return queue, leave, err
}

// atHome adds the home queue, which is served as the queue of accelerators is. It is no part of a deployment: the server makes a build current
// only when it has all queues of the one before it, and no other worker has this one.
func atHome(plans []planned, home string) []planned {
	for _, p := range plans {
		if p.queue == contract.QueueGPU {
			options := p.options
			options.DeploymentOptions = worker.DeploymentOptions{}
			return append(slices.Clone(plans), planned{queue: home, options: options})
		}
	}
	return plans
}

// home names the queue of this worker alone: by the machine, and by the first number that no other worker of this machine has. A worker that is
// started again usually gets the number of the one before it, so that what waits for that one goes on at once. The number is a locked file in
// dir, and free again when the process ends, however it ends.
func home(dir string) (queue string, leave func(), err error) {
	machine, err := os.Hostname()
	if err != nil {
		return "", nil, fmt.Errorf("name the worker: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("name the worker: %w", err)
	}
	for n := 1; ; n++ {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprint(n)), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return "", nil, fmt.Errorf("name the worker: %w", err)
		}
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return fmt.Sprintf("%s/%s/%d", contract.QueueGPU, machine, n), func() { f.Close() }, nil
		}
		f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return "", nil, fmt.Errorf("name the worker: lock %s: %w", f.Name(), err)
		}
	}
}
