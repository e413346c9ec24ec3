package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"temper/activities/contract"
	"temper/configs"
	"temper/pipelines"
	"temper/workers"
)

// runOptions are the flags of temper run.
type runOptions struct {
	watch, fresh, dryRun, detach bool
	share                        share
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{Use: "run FILE|NAME", Short: "Run a pipeline, or go on with the run of it that is open",
		Long: `run checks a pipeline, starts it and stays until it ends. FILE is a YAML file, NAME a built-in pipeline (temper pipeline ls).

With temporal.address and s3.endpoint set the run goes there, and workers elsewhere do it. Else it uses the servers that temper up runs
in the data folder; when none run there, it brings up its own for as long as the run takes, worker included.

The name of a run follows from the pipeline, so the same command goes on with a run that is open: after an interruption, a killed
process or a machine that went down. Stages whose inputs have not changed since an earlier run are not done again.`,
		Args: arguments(1, 1, "the pipeline, a FILE or a NAME,"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.watch && o.detach {
				return usagef("--watch and --detach exclude each other")
			}
			if err := o.share.check(); err != nil {
				return err
			}
			ctx, stop := a.withSignals(c.Context())
			defer stop()
			return a.run(ctx, args[0], o)
		}}
	f := c.Flags()
	f.BoolVar(&o.watch, "watch", false, "also show the progress inside stages (always, when the servers are this process's)")
	f.BoolVar(&o.fresh, "fresh", false, "do every stage again, whatever earlier runs have left")
	f.BoolVar(&o.dryRun, "dry-run", false, "check, print the settings and the plan, and start nothing")
	f.BoolVar(&o.detach, "detach", false, "start the run and return")
	o.share.flags(f)
	return c
}

func (a *app) run(ctx context.Context, target string, o runOptions) error {
	s, p, err := a.pipeline(target)
	if err != nil {
		return err
	}
	return a.runPipeline(ctx, s, p, o)
}

// runPipeline starts a pipeline, or goes on with the run of it that is open, and stays until it ends.
func (a *app) runPipeline(ctx context.Context, s configs.Settings, p *pipelines.Pipeline, o runOptions) (err error) {
	id, err := runID(p)
	if err != nil {
		return err
	}
	c, err := find(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		return errors.Join(err, checkPipeline(ctx, p))
	}
	defer func() {
		if c != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	err = checkPipeline(ctx, p)
	if c == nil && !o.dryRun {
		err = errors.Join(err, checkLocal(s))
	}
	if err != nil {
		return err
	}
	if o.dryRun {
		return a.dryRun(s, p, id, c)
	}
	if c == nil {
		if o.detach {
			return errors.New("--detach needs servers that stay: start temper up, or set temporal.address and s3.endpoint")
		}
		return a.runHere(ctx, s, p, id, o)
	}
	if c.owner != nil {
		fmt.Fprintf(a.out, "using the servers of temper %s (process %d) in %s\n", c.owner.Command, c.owner.PID, s.Dir)
		if c.owner.Command == "run" && !o.detach {
			fmt.Fprintln(a.out, "they end with that run; should that be first, give this command again")
		}
	} else {
		fmt.Fprintf(a.out, "using Temporal at %s and S3 at %s\n", s.Temporal.Address, s.S3.Endpoint)
	}
	r, err := a.startRun(ctx, c, p, id, o)
	if err != nil || o.detach {
		return err
	}
	w := &watcher{app: a, conn: c, pipeline: p, progress: o.watch}
	return w.follow(ctx, r, nil)
}

func (a *app) dryRun(s configs.Settings, p *pipelines.Pipeline, id string, c *conn) error {
	text, err := s.YAML()
	if err != nil {
		return fmt.Errorf("print the settings: %w", err)
	}
	where := "servers and a worker in this process"
	switch {
	case c != nil && c.owner != nil:
		where = fmt.Sprintf("the servers of temper %s (process %d)", c.owner.Command, c.owner.PID)
	case c != nil:
		where = fmt.Sprintf("Temporal at %s, S3 at %s", s.Temporal.Address, s.S3.Endpoint)
	}
	fmt.Fprintf(a.out, "# settings\n%s\n# plan\n", text)
	if err := printPlan(a.out, p); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "\nrun %s on %s; nothing was started\n", id, where)
	return err
}

// runHere brings up servers and a worker in this process for one run.
func (a *app) runHere(ctx context.Context, s configs.Settings, p *pipelines.Pipeline, id string, o runOptions) (err error) {
	log, logFile, closeLog, err := fileLogger(s)
	if err != nil {
		return err
	}
	defer closeLog.Close()
	c, err := startStack(ctx, s, settingsPorts, "run", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	group, err := a.startWorker(ctx, c, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drain(group, s)) }()
	fmt.Fprintf(a.out, "Temporal's UI %s, data %s, log %s\n", c.ui, s.Dir, logFile)
	r, err := a.startRun(ctx, c, p, id, o)
	if err != nil {
		return err
	}
	w := &watcher{app: a, conn: c, pipeline: p, progress: true}
	err = w.follow(ctx, r, group)
	c.settle(ctx, r)
	return err
}

// startWorker starts a worker with the settings' queues on a connection. First it frees what a killed one of this machine was doing.
func (a *app) startWorker(ctx context.Context, c *conn, s configs.Settings, log *slog.Logger) (*workers.Group, error) {
	within, cancel := context.WithTimeout(ctx, reachWithin)
	released, err := releaseOrphans(within, c.client, c.settings.Temporal.Namespace, c.own != nil)
	cancel()
	if err != nil {
		log.Warn("activities of a killed worker are tried again only after their heartbeat timeout", "error", err)
	} else if released > 0 {
		log.Info("activities of a killed worker are tried again", "activities", released)
	}
	if err := checkAttributes(ctx, c.client, s.Temporal.Namespace); err != nil {
		return nil, err
	}
	space, err := c.client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: c.settings.Temporal.Namespace})
	if err != nil {
		return nil, fmt.Errorf("temporal.namespace: %w", err)
	}
	return workers.Start(ctx, workers.Options{Client: c.client, Store: c.store, Settings: s, Holder: space.GetNamespaceInfo().GetId(), Code: codeVersion(), Log: log})
}

// drain stops a worker, and gives it a little longer than it gives its activities.
func drain(g *workers.Group, s configs.Settings) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.Worker.Drain+stopWithin)
	defer cancel()
	return g.Stop(ctx)
}

// startRun starts the run, or finds the one of the same name that is open.
func (a *app) startRun(ctx context.Context, c *conn, p *pipelines.Pipeline, id string, o runOptions) (client.WorkflowRun, error) {
	in := contract.PipelineInput{Pipeline: p}
	if o.fresh {
		in.Fresh = strings.ToLower(rand.Text()[:10])
	}
	summary, details := describe(p)
	r, err := c.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: contract.QueueLight,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary: summary, StaticDetails: details, Priority: o.share.priority()}, contract.PipelineWorkflow, in)
	var open *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case err == nil:
		fmt.Fprintf(a.out, "run %s has started, %d stages\n", id, len(p.Stages))
	case errors.As(err, &open):
		r = c.client.GetWorkflow(ctx, id, open.RunId)
		fmt.Fprintf(a.out, "run %s is open since an earlier start; going on with it\n", id)
		if o.fresh {
			fmt.Fprintln(a.out, "(--fresh is for new runs: this one keeps what it has done)")
		}
	default:
		return nil, fmt.Errorf("start run %s: %w", id, err)
	}
	if link := c.link(r.GetID(), r.GetRunID()); link != "" {
		fmt.Fprintln(a.out, link)
	}
	return r, nil
}
