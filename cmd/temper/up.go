package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"temper/devstack"
)

func (a *app) upCommand() *cobra.Command {
	var only string
	c := &cobra.Command{Use: "up", Short: "Run Temporal, its UI, S3 and a worker on this machine until stopped",
		Long: `up runs everything that runs need in one process, listening on the loopback only. What it keeps is in the data folder (dir).
SIGINT and SIGTERM let the worker finish its activities first; a second signal ends the process at once.

With --only one server runs, without a worker. Runs and workers then name it (temporal.address, s3.endpoint) beside the other.`,
		Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := a.withSignals(c.Context())
			defer stop()
			if c.Flags().Changed("only") {
				return a.upOnly(ctx, devstack.Server(only))
			}
			return a.up(ctx)
		}}
	c.Flags().StringVar(&only, "only", "", "run one `SERVER`: temporal or s3")
	return c
}

// upOnly runs one server.
func (a *app) upOnly(ctx context.Context, only devstack.Server) (err error) {
	s, err := a.settings()
	if err != nil {
		return err
	}
	log, err := logger(s.Log, a.err)
	if err != nil {
		return err
	}
	o, err := stackOptions(s, settingsPorts, log)
	if err != nil {
		return err
	}
	o.Only = only
	stack, err := devstack.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopStack(stack)) }()
	if only == devstack.Temporal {
		fmt.Fprintf(a.out, "UI        %s\nTemporal  %s (namespace %s)\n", stack.UIURL, stack.TemporalAddress, stack.Namespace)
	} else {
		fmt.Fprintf(a.out, "S3        %s (bucket %s, keys in %s)\n", stack.S3Endpoint, stack.Bucket, stack.KeysFile())
	}
	fmt.Fprintf(a.out, "data      %s\n", stack.Dir)
	select {
	case <-ctx.Done():
		return nil
	case err := <-stack.Failed():
		return err
	}
}

func (a *app) up(ctx context.Context) (err error) {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if elsewhere(s) {
		return fmt.Errorf("there is nothing to start: temporal.address is %s and s3.endpoint is %s. temper worker starts a worker for them",
			s.Temporal.Address, s.S3.Endpoint)
	}
	there, err := find(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if there != nil {
		return errors.Join(fmt.Errorf("temper %s (process %d) runs the servers of %s already; its UI is %s", there.owner.Command, there.owner.PID, s.Dir, there.ui), there.Close())
	}
	if err := checkLocal(s); err != nil {
		return err
	}
	log, err := logger(s.Log, a.err)
	if err != nil {
		return err
	}
	c, err := startStack(ctx, s, settingsPorts, "up", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	group, err := a.startWorker(ctx, c, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drain(group, s)) }()
	fmt.Fprintf(a.out, "UI        %s\nTemporal  %s (namespace %s)\nS3        %s (bucket %s)\nworker    %s\ndata      %s\n",
		c.ui, c.own.TemporalAddress, c.own.Namespace, c.own.S3Endpoint, c.own.Bucket, strings.Join(group.Queues(), ", "), s.Dir)
	select {
	case <-ctx.Done():
		return nil
	case err := <-c.failed():
		return err
	case err := <-group.Failed():
		return err
	}
}
