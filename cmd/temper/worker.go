package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"temper/device/plugin"
)

func (a *app) workerCommand() *cobra.Command {
	return &cobra.Command{Use: "worker", Short: "Run a worker for servers that run elsewhere",
		Long: `worker takes work from the queues in worker.queues of the server at temporal.address, with the bucket at s3.endpoint. At SIGTERM it takes
no more, and its activities get the time in worker.drain to end.`,
		Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := a.withSignals(c.Context())
			defer stop()
			return a.worker(ctx)
		}}
}

func (a *app) worker(ctx context.Context) (err error) {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if !elsewhere(s) {
		return errors.New("temporal.address and s3.endpoint are not set: name the servers to work for. temper up runs servers and a worker on this machine")
	}
	if accelerated(s) {
		if _, err := plugin.Find(s.XLA.Plugin, s.XLA.Cache); err != nil {
			return err
		}
	}
	log, err := logger(s.Log, a.err)
	if err != nil {
		return err
	}
	c, err := attach(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	group, err := a.startWorker(ctx, c, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drain(group, s)) }()
	fmt.Fprintf(a.out, "working on %s for %s (namespace %s)\n", strings.Join(group.Queues(), ", "), s.Temporal.Address, s.Temporal.Namespace)
	select {
	case <-ctx.Done():
		return nil
	case err := <-group.Failed():
		return err
	}
}
