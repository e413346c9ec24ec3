package workers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"temper/activities"
	"temper/activities/contract"
	"temper/artifact"
	"temper/configs"
	"temper/device"
	"temper/device/plugin"
	"temper/workflows"
)

// Options say what a group of workers works with. Client, Store and Settings are needed.
type Options struct {
	Client   client.Client // stays open until the group has stopped; the caller closes it
	Store    *artifact.Store
	Settings configs.Settings
	// OpenDevice opens the accelerator at the first activity that needs it; nil loads the plugin that Settings.XLA names.
	OpenDevice func() (*device.Client, error)
	Code       string // version of the program, for lineage records
	Holder     string // see activities.Config
	Log        *slog.Logger
}

// Group is the workers of one process: one for each queue, sharing one device and one store.
type Group struct {
	log    *slog.Logger
	queues []queue
	closer func() // what the workers share; nil in tests
	health *health
	failed chan error

	stopOnce sync.Once
	stopped  chan struct{}
	stopErr  error
}

// queue is one worker of a group.
type queue struct {
	name   string
	worker sdkWorker
	home   bool // of this group alone
}

// sdkWorker is the part of worker.Worker that a group uses. Stop waits for running activities, at most the worker's stop timeout.
type sdkWorker interface {
	Start() error
	Stop()
}

// Start starts a worker for each queue of Settings.Worker.Queues and the health page, if one is set. When it returns an error, nothing
// is left running. ctx bounds the start only; Stop ends the group.
func Start(ctx context.Context, o Options) (*Group, error) {
	plans, err := plan(o.Settings.Worker, o.Code)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OpenDevice == nil {
		o.OpenDevice = DeviceOpener(o.Settings.XLA, o.Log)
	}
	home, leave, err := takeHome(o.Settings.Worker, plans[0].options.DeploymentOptions.Version.BuildID)
	if err != nil {
		return nil, err
	}
	acts := activities.New(activities.Config{Store: o.Store, OpenDevice: o.OpenDevice, Holder: o.Holder, Home: home, Grace: grace(o.Settings.Worker.Drain), Code: o.Code, Log: o.Log})
	g := newGroup(o.Log)
	g.closer = func() { acts.Close(); leave() }
	for _, p := range atHome(plans, home) {
		options := p.options
		options.OnFatalError = func(err error) { g.fail(fmt.Errorf("worker of queue %s: %w", p.queue, err)) }
		w := worker.New(o.Client, p.queue, options)
		switch p.queue {
		case contract.QueueLight:
			workflows.Register(w)
			acts.RegisterLight(w)
		case contract.QueueCPU:
			acts.RegisterCPU(w)
		case contract.QueueGPU, home:
			acts.RegisterGPU(w)
		}
		g.queues = append(g.queues, queue{name: p.queue, worker: w, home: p.queue == home})
	}
	reach := func(ctx context.Context) error {
		_, err := o.Client.CheckHealth(ctx, &client.CheckHealthRequest{})
		return err
	}
	if err := g.start(ctx, o.Settings.Worker.Health, reach); err != nil {
		return nil, err
	}
	return g, nil
}

// DeviceOpener loads the XLA plugin that the settings name, or the one in the cache.
func DeviceOpener(s configs.XLA, log *slog.Logger) func() (*device.Client, error) {
	return func() (*device.Client, error) {
		path, err := plugin.Find(s.Plugin, s.Cache)
		if err != nil {
			return nil, err
		}
		o := device.Options{Create: s.Options, Deterministic: s.Deterministic, Flash: s.FlashAttention, TF32: s.TF32, CacheBytes: int64(s.CacheMB) << 20, Log: log}
		if cache, err := plugin.CacheDir(s.Cache); err != nil {
			log.Warn("compiled programs are not cached", "error", err)
		} else {
			o.Cache = filepath.Join(cache, "programs")
		}
		return device.Open(path, o)
	}
}

func newGroup(log *slog.Logger) *Group {
	return &Group{log: log, failed: make(chan error, 1), stopped: make(chan struct{})}
}

// start starts the workers in order; on an error it stops those that run.
func (g *Group) start(ctx context.Context, healthAddress string, reach func(context.Context) error) error {
	started := 0
	undo := func(cause error) error {
		g.queues = g.queues[:started]
		return errors.Join(cause, g.Stop(context.WithoutCancel(ctx)))
	}
	if healthAddress != "" {
		h, err := serveHealth(ctx, healthAddress, g.Queues(), reach)
		if err != nil {
			return undo(err)
		}
		g.health = h
	}
	for _, q := range g.queues {
		if err := ctx.Err(); err != nil {
			return undo(fmt.Errorf("start the worker of queue %s: %w", q.name, err))
		}
		if err := q.worker.Start(); err != nil {
			return undo(fmt.Errorf("start the worker of queue %s: %w", q.name, err))
		}
		started++
	}
	if g.health != nil {
		g.health.ready.Store(true)
	}
	g.log.Info("worker is ready", "queues", g.Queues(), "health", g.Health())
	return nil
}

// Queues lists the queues that the group shares with others.
func (g *Group) Queues() []string {
	var names []string
	for _, q := range g.queues {
		if !q.home {
			names = append(names, q.name)
		}
	}
	return names
}

// Health is the address of the health page, or empty.
func (g *Group) Health() string {
	if g.health == nil {
		return ""
	}
	return g.health.address
}

// Failed delivers the first error that ends a worker by itself; the group should be stopped then.
func (g *Group) Failed() <-chan error { return g.failed }

func (g *Group) fail(err error) {
	select {
	case g.failed <- err:
	default:
	}
}

// Stop takes no more work and waits for the running activities, for at most the time that the settings give them; an activity that
// is still running then is told to end and will be retried by another worker. It may be called any number of times; each call returns
// when all has stopped, or when ctx ends, with the stopping going on.
func (g *Group) Stop(ctx context.Context) error {
	g.stopOnce.Do(func() {
		if g.health != nil {
			g.health.ready.Store(false) // so that nobody waits for this process any more
		}
		go func() {
			defer close(g.stopped)
			began := time.Now()
			var all sync.WaitGroup
			for _, q := range g.queues {
				all.Go(q.worker.Stop)
			}
			all.Wait()
			if g.closer != nil {
				g.closer()
			}
			if g.health != nil {
				g.stopErr = g.health.close()
			}
			g.log.Info("worker has stopped", "after", time.Since(began).Round(time.Millisecond))
		}()
	})
	select {
	case <-g.stopped:
		return g.stopErr
	case <-ctx.Done():
		return fmt.Errorf("the worker is still draining: %w", ctx.Err())
	}
}

// grace is the part of the drain that activities may use to finish; the rest is for them to notice and return.
func grace(drain time.Duration) time.Duration { return drain * 4 / 5 }
