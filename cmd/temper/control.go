package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"temper/activities/contract"
	"temper/pipelines"
)

// updateWithin is how long a worker may take to answer an update; the work itself is never waited for.
const updateWithin = 10 * time.Second

// controlCommands are what people do to runs that are open.
func (a *app) controlCommands() []*cobra.Command {
	const which = "the run, RUN or RUN/STAGE,"
	control := func(do, use, short, long string, args cobra.PositionalArgs) *cobra.Command {
		var why string
		c := &cobra.Command{Use: do + " " + use, Short: short, Long: long, Args: args, RunE: func(c *cobra.Command, args []string) error {
			in := contract.Control{Who: whoami(), Why: why}
			if do == contract.UpdateSet {
				values, err := parseValues(args[1:])
				if err != nil {
					return err
				}
				in.Values = values
			}
			return a.talking(c.Context(), func(ctx context.Context, to *conn) error { return a.control(ctx, to, args[0], do, in) })
		}}
		c.Flags().StringVar(&why, "why", "", "a `REASON`, kept with the run")
		return c
	}
	return []*cobra.Command{
		control(contract.UpdatePause, "RUN[/STAGE]", "Pause a run, or one stage, after the iteration under way",
			"A paused run starts no further stage, and its stages stop after their round, span of steps or model. Its worker is free meanwhile.", arguments(1, 1, which)),
		control(contract.UpdateResume, "RUN[/STAGE]", "Let a paused run or stage go on", "", arguments(1, 1, which)),
		control(contract.UpdateSet, "RUN[/STAGE] NAME=VALUE…", "Change settings of a running stage from its next iteration on",
			settable(), arguments(2, math.MaxInt, "the run and NAME=VALUE, such as lr=1e-4,")),
		control(contract.UpdateStop, "RUN[/STAGE]", "End a stage after the iteration under way and keep what it has",
			"The stage exports its model as it is then, and the run goes on with that. Such a result is not remembered for other runs.", arguments(1, 1, which)),
		control(contract.UpdateApprove, "RUN[/STAGE]", "Let a run pass the gate at which it waits", "", arguments(1, 1, which)),
		control(contract.UpdateReject, "RUN[/STAGE]", "Fail a run at the gate at which it waits", "", arguments(1, 1, which)),
		a.metricsCommand(),
	}
}

// settable lists what set can change.
func settable() string {
	var b strings.Builder
	b.WriteString("What can be set, by kind of stage:\n\n")
	for _, kind := range pipelines.Kinds() {
		if names := pipelines.Tunable(kind); len(names) > 0 {
			fmt.Fprintf(&b, "  %-10s %s\n", kind, strings.Join(names, ", "))
		}
	}
	b.WriteString("\nThe values are recorded with every step that they hold for. The result of such a stage is not remembered for other runs.")
	return b.String()
}

// parseValues reads NAME=VALUE.
func parseValues(args []string) (pipelines.Tuning, error) {
	out := pipelines.Tuning{}
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		v, err := strconv.ParseFloat(text, 64)
		switch {
		case !ok || name == "":
			return nil, usagef("%q: write it as NAME=VALUE, such as lr=1e-4", arg)
		case err != nil:
			return nil, usagef("%s: %q is not a number", name, text)
		}
		if _, twice := out[name]; twice {
			return nil, usagef("%s is given twice", name)
		}
		out[name] = v
	}
	return out, nil
}

// whoami is who gives a command, for the record.
func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// talking connects for a command that a worker answers: the servers must run, for a worker beside servers of this command's own would
// end with it.
func (a *app) talking(ctx context.Context, f func(context.Context, *conn) error) error {
	return a.looking(ctx, func(ctx context.Context, c *conn) error {
		if c.own != nil {
			return fmt.Errorf("no servers run for %s, so nobody works on its runs: start temper up, or give the temper run command again", c.settings.Dir)
		}
		return f(ctx, c)
	})
}

// splitRun takes RUN/STAGE apart.
func splitRun(name string) (run, stage string) {
	if i := strings.LastIndex(name, "/"); i >= 0 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// control asks a run, or the workflow of one of its stages, for something. Gates are the run's.
func (a *app) control(ctx context.Context, c *conn, name, do string, in contract.Control) error {
	run, stage := splitRun(name)
	r, err := c.findRun(ctx, run)
	if err != nil {
		return err
	}
	if !r.open() {
		return fmt.Errorf("run %s is %s", r.ID, r.Status)
	}
	in.Stage = stage
	to := r.ID
	if stage != "" && do != contract.UpdateApprove && do != contract.UpdateReject {
		to += "/" + stage
	}
	said, err := c.update(ctx, to, do, in)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, said)
	return err
}

// update sends an update and waits for its answer.
func (c *conn) update(ctx context.Context, workflow, name string, in contract.Control) (string, error) {
	within, cancel := context.WithTimeout(ctx, updateWithin)
	defer cancel()
	var said string
	h, err := c.client.UpdateWorkflow(within, client.UpdateWorkflowOptions{WorkflowID: workflow, UpdateName: name, Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err == nil {
		err = h.Get(within, &said)
	}
	var missing *serviceerror.NotFound
	var refused *temporal.ApplicationError
	var unanswered *client.WorkflowUpdateServiceTimeoutOrCanceledError // the server gives up a moment before the deadline
	switch {
	case err == nil:
		return said, nil
	case errors.As(err, &refused):
		return "", errors.New(refused.Message())
	case errors.As(err, &missing):
		return "", fmt.Errorf("%s is not running: %w", workflow, err)
	case (within.Err() != nil || errors.As(err, &unanswered)) && ctx.Err() == nil:
		return "", fmt.Errorf("no worker answered on queue %s within %s; temper worker starts one. The %s may still come to it", contract.QueueLight, updateWithin, name)
	}
	return "", fmt.Errorf("%s %s: %w", name, workflow, err)
}

func (a *app) metricsCommand() *cobra.Command {
	var n int
	c := &cobra.Command{Use: "metrics RUN/STAGE", Short: "Show the numbers of a stage's last iterations", Args: arguments(1, 1, "the stage, RUN/STAGE,"),
		RunE: func(c *cobra.Command, args []string) error {
			run, stage := splitRun(args[0])
			if stage == "" {
				return usagef("name a stage: %s/STAGE", run)
			}
			if n < 1 {
				return usagef("--last %d: want a number of at least 1", n)
			}
			return a.talking(c.Context(), func(ctx context.Context, to *conn) error { return a.metrics(ctx, to, run, stage, n) })
		}}
	c.Flags().IntVarP(&n, "last", "n", 20, "show the last `N` iterations")
	return c
}

func (a *app) metrics(ctx context.Context, c *conn, run, stage string, n int) error {
	r, err := c.findRun(ctx, run)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, updateWithin)
	defer cancel()
	var found []contract.Metrics
	answer, err := c.client.QueryWorkflow(within, r.ID+"/"+stage, "", contract.QueryMetrics, n)
	if err == nil {
		err = answer.Get(&found)
	}
	if err != nil {
		return fmt.Errorf("metrics of %s/%s: %w", r.ID, stage, err)
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(a.out, "there are none yet")
		return err
	}
	names := map[string]bool{}
	for _, m := range found {
		for name := range m.Values {
			names[name] = true
		}
	}
	order := slices.Sorted(maps.Keys(names))
	rows := [][]string{append([]string{"DONE"}, upper(order)...)}
	for _, m := range found {
		row := []string{strconv.Itoa(m.Iteration)}
		for _, name := range order {
			v, ok := m.Values[name]
			text := "-"
			if ok {
				text = fmt.Sprintf("%.4g", v)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return table(a.out, rows)
}

func upper(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToUpper(name)
	}
	return out
}
