package workers

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"go.temporal.io/sdk/worker"

	"temper/activities/contract"
	"temper/configs"
)

// deadlockAfter is how long a workflow may compute between two steps. The SDK's one second is too little beside a program that
// keeps every core busy, as training on CPUs does.
const deadlockAfter = 20 * time.Second

// planned is how the worker of one queue is set up.
type planned struct {
	queue   string
	options worker.Options
}

// plan says how each queue in the settings is served. Workflows run on the light queue alone. code is the program's version.
func plan(s configs.Worker, code string) ([]planned, error) {
	deployment, err := deploymentOf(s, code)
	if err != nil {
		return nil, err
	}
	if len(s.Queues) == 0 {
		return nil, fmt.Errorf("worker.queues: is empty; known: %s", strings.Join(known, ", "))
	}
	cpu := s.Slots.CPU
	if cpu == 0 {
		cpu = runtime.NumCPU()
	}
	slots := map[string]int{contract.QueueLight: s.Slots.Light, contract.QueueCPU: cpu, contract.QueueGPU: s.Slots.GPU}
	var out []planned
	for i, name := range s.Queues {
		n, ok := slots[name]
		if !ok {
			return nil, fmt.Errorf("worker.queues[%d]: no queue is named %q%s", i, name, configs.Suggest(name, "", known))
		}
		if n < 1 {
			return nil, fmt.Errorf("worker.slots: queue %s has %d slots, and a worker needs at least 1", name, n)
		}
		out = append(out, planned{queue: name, options: worker.Options{
			MaxConcurrentActivityExecutionSize: n,
			DisableWorkflowWorker:              name != contract.QueueLight,
			WorkerStopTimeout:                  s.Drain,
			DeadlockDetectionTimeout:           deadlockAfter,
			DeploymentOptions:                  deployment,
		}})
	}
	return out, nil
}

// deploymentOf makes the worker one of a fleet in which each build keeps the stages that it has begun (workflows.Register).
func deploymentOf(s configs.Worker, code string) (worker.DeploymentOptions, error) {
	if s.Deployment == "" {
		if s.Build != "" {
			return worker.DeploymentOptions{}, fmt.Errorf("worker.build: is the program's name within worker.deployment, which is not set")
		}
		return worker.DeploymentOptions{}, nil
	}
	build := s.Build
	if build == "" {
		build = code
	}
	if build == "" {
		return worker.DeploymentOptions{}, fmt.Errorf("worker.build: is required, for this program does not know its version")
	}
	return worker.DeploymentOptions{UseVersioning: true, Version: worker.WorkerDeploymentVersion{DeploymentName: s.Deployment, BuildID: build}}, nil
}

var known = []string{contract.QueueLight, contract.QueueCPU, contract.QueueGPU}
