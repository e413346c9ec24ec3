package main

import (
	"context"
	"math"

	"github.com/spf13/cobra"
)

// resetCommands are what people do to the histories of runs.
func (a *app) resetCommands() []*cobra.Command {
	to := 0
	reset := &cobra.Command{Use: "reset RUN/STAGE --to ITERATION [NAME=VALUE…]", Short: "Put a stage back to where an iteration was done",
		Long: `reset lets a stage's training go on from the state after an iteration, as a new branch: a round of rl, a step of pretrain, sft and distill
(the rounds of distill count on after its steps). Values are set as temper runs set does, from the next iteration on. The run takes the new
branch's result; where it has gone on, or ended, with the old one, it is put back to wait for it. The old branch stays in Temporal's history.`,
		Args: arguments(1, math.MaxInt, "the stage, RUN/STAGE,"),
		RunE: func(c *cobra.Command, args []string) error {
			if _, stage := splitRun(args[0]); stage == "" {
				return usagef("name a stage: %s/STAGE", args[0])
			}
			if to < 1 {
				return usagef("--to %d: name an iteration that was done, from 1 on", to)
			}
			values, err := parseValues(args[1:])
			if err != nil {
				return err
			}
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.resetStage(ctx, in, args[0], to, values) })
		}}
	reset.Flags().IntVar(&to, "to", 0, "go back to where `ITERATION` was done")
	retry := &cobra.Command{Use: "retry RUN|latest", Short: "Let a failed or terminated run go on",
		Long: `retry asks again for the work that failed; what was done before stays, inside a stage too. Mend the cause first. A gate that refused the run
asks again.`,
		Args: arguments(1, 1, "the run, its id or latest,"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.retry(ctx, in, args[0]) })
		}}
	why := ""
	terminate := &cobra.Command{Use: "terminate RUN|latest", Short: "End a run at once; its snapshots stay", Args: arguments(1, 1, "the run, its id or latest,"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.terminate(ctx, in, args[0], why) })
		}}
	terminate.Flags().StringVar(&why, "why", "", "a `REASON`, kept with the run")
	return []*cobra.Command{reset, retry, terminate}
}
