// Package activities holds the durable units of work. Each resolves references, calls the domain, commits what it made and returns a
// reference and a few numbers; it beats while it works, and doing it twice gives the same bits under the same names. It may import the
// domain packages; what it says to workflows is in activities/contract.
package activities

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"temper/activities/contract"
	"temper/artifact"
	"temper/device"
	"temper/rollout"
	"temper/tasks"
	"temper/train"
)

// Config is what the activities depend on.
type Config struct {
	Store      *artifact.Store
	OpenDevice func() (*device.Client, error) // called once, at the first activity that needs the accelerator
	Holder     string                         // in whose name stages are leased: the Temporal namespace; empty: there is no other
	Home       string                         // queue of this worker alone, for work that needs the states it holds; empty: none
	Grace      time.Duration                  // how long work may go on once the worker is asked to stop; less than the worker waits
	Code       string                         // version of the program, for lineage
	Log        *slog.Logger
}

// Activities carries the dependencies of all activities.
type Activities struct {
	store        *artifact.Store
	code         string
	home, holder string
	grace        time.Duration
	log          *slog.Logger
	open         func() (*engine, error)

	device atomic.Pointer[string] // description of the accelerator once it is open

	gpu       sync.Mutex // held by the activity that uses the accelerator
	leases    leases
	residents residents
	loaded    loadedModels
	problems  cache[[]tasks.Problem]
	shortages shortages
}

// engine is the accelerator with what has been compiled for it.
type engine struct {
	client  *device.Client
	trainer *train.Trainer
	sampler *rollout.Sampler
	room    *room // of the activity that has the device
}

// New makes the activities of one worker process.
func New(c Config) *Activities {
	a := &Activities{store: c.Store, home: c.Home, holder: c.Holder, leases: leases{}, code: c.Code, grace: c.Grace, log: c.Log}
	a.open = sync.OnceValues(func() (*engine, error) {
		client, err := c.OpenDevice()
		if err != nil {
			return nil, err
		}
		description := client.Description()
		a.device.Store(&description)
		return &engine{client: client, trainer: train.NewTrainer(client), sampler: rollout.NewSampler(client)}, nil
	})
	return a
}

// RegisterLight adds the activities of contract.QueueLight.
func (a *Activities) RegisterLight(r worker.ActivityRegistry) {
	register(a, r, contract.PrepareTasks, a.prepareTasks)
	register(a, r, contract.RecallStage, a.recallStage)
	register(a, r, contract.RememberStage, a.rememberStage)
	register(a, r, contract.ImportModel, a.importModel)
	register(a, r, contract.InitModel, a.initModel)
	register(a, r, contract.PlanDemos, a.planDemos)
	register(a, r, contract.ResolveAlias, a.resolveAlias)
	register(a, r, contract.PromoteModel, a.promoteModel)
}

// RegisterCPU adds the activities of contract.QueueCPU.
func (a *Activities) RegisterCPU(r worker.ActivityRegistry) {
	register(a, r, contract.ScoreShard, a.scoreShard)
	register(a, r, contract.GatherRollouts, a.gatherRollouts)
	register(a, r, contract.WriteLog, a.writeLog)
	register(a, r, contract.CurateData, a.curateData)
	register(a, r, contract.WriteReport, a.writeReport)
	register(a, r, contract.CompareModels, a.compareModels)
}

// RegisterGPU adds the activities of contract.QueueGPU.
func (a *Activities) RegisterGPU(r worker.ActivityRegistry) {
	register(a, r, contract.TrainDemos, accelerated(a, owned(a, contract.TrainInput.Of, a.trainDemos)))
	register(a, r, contract.Rollout, accelerated(a, a.rollout))
	register(a, r, contract.SampleShard, accelerated(a, a.sampleShard))
	register(a, r, contract.UpdatePolicy, accelerated(a, owned(a, contract.PolicyInput.Of, a.updatePolicy)))
	register(a, r, contract.SaveState, accelerated(a, owned(a, contract.StateInput.Of, a.saveState)))
	register(a, r, contract.ExportModel, accelerated(a, a.exportModel))
	register(a, r, contract.WriteProblems, accelerated(a, a.writeProblems))
	register(a, r, contract.FilterProblems, accelerated(a, a.filterProblems))
	register(a, r, contract.SampleTeacher, accelerated(a, a.sampleTeacher))
	register(a, r, contract.DistillRound, accelerated(a, owned(a, contract.DistillInput.Of, a.distillRound)))
	register(a, r, contract.EvaluateModel, accelerated(a, a.evaluateModel))
}

// Close frees what is resident on the device. No activity may be running.
func (a *Activities) Close() {
	a.residents.clear()
	a.loaded.clear()
}

func register[In, Out any](a *Activities, r worker.ActivityRegistry, name string, fn work[In, Out]) {
	r.RegisterActivityWithOptions(durable(a.grace, fn), activity.RegisterOptions{Name: name})
}
