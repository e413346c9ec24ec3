package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"temper/activities/contract"
)

// scheduleOptions are the flags of temper schedule create.
type scheduleOptions struct {
	cron            string
	zone            string
	jitter          time.Duration
	catchup, period time.Duration
	overlap         string
	paused          bool
	share           share
}

// overlaps are the policies for a run that comes while the one before is still open.
var overlaps = map[string]enumspb.ScheduleOverlapPolicy{
	"skip": enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, "buffer-one": enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, "buffer-all": enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
	"terminate-other": enumspb.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER, "allow-all": enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
}

const (
	scheduleCron     = "cron"     // of a schedule's memo, for listings
	schedulePipeline = "pipeline" // its name
)

func (a *app) scheduleCommand() *cobra.Command {
	const which = "the schedule's name"
	named := func(use, short string, do func(context.Context, *conn, client.ScheduleHandle) error) *cobra.Command {
		return &cobra.Command{Use: use + " NAME", Short: short, Args: arguments(1, 1, which), RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error {
				if err := do(ctx, in, in.client.ScheduleClient().GetHandle(ctx, args[0])); err != nil {
					return scheduleError(args[0], err)
				}
				return nil
			})
		}}
	}
	done := func(format string, args ...any) error {
		_, err := fmt.Fprintf(a.out, format+"\n", args...)
		return err
	}
	return group("schedule", "Run a pipeline again and again", `Each run of a schedule is an occurrence of its pipeline: it has its own name, seed, and problems in the task sets with vary: true. A run waits for a
worker as long as it takes; a server that was down takes up what it missed within --catchup.`,
		a.scheduleCreateCommand(),
		&cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List the schedules", Args: arguments(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error {
			return a.looking(c.Context(), a.schedules)
		}},
		named("trigger", "Start a run now", func(ctx context.Context, _ *conn, h client.ScheduleHandle) error {
			if err := h.Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
				return err
			}
			return done("schedule %s starts a run now, unless the one before is open and its overlap is skip", h.GetID())
		}),
		named("pause", "Start no runs until unpause", func(ctx context.Context, _ *conn, h client.ScheduleHandle) error {
			if err := h.Pause(ctx, client.SchedulePauseOptions{Note: "paused by " + whoami()}); err != nil {
				return err
			}
			return done("schedule %s is paused; runs that are open go on", h.GetID())
		}),
		named("unpause", "Start runs again", func(ctx context.Context, _ *conn, h client.ScheduleHandle) error {
			if err := h.Unpause(ctx, client.ScheduleUnpauseOptions{Note: "unpaused by " + whoami()}); err != nil {
				return err
			}
			return done("schedule %s starts runs again", h.GetID())
		}),
		named("delete", "Remove a schedule; its runs stay", func(ctx context.Context, _ *conn, h client.ScheduleHandle) error {
			if err := h.Delete(ctx); err != nil {
				return err
			}
			return done("schedule %s is removed", h.GetID())
		}),
		a.backfillCommand())
}

func (a *app) scheduleCreateCommand() *cobra.Command {
	o := scheduleOptions{}
	c := &cobra.Command{Use: "create NAME FILE|PIPELINE --cron '0 1 * * *'", Short: "Run a pipeline at set times", Args: arguments(2, 2, "the schedule's name and the pipeline"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args[0]); err != nil {
				return err
			}
			return a.writing(c.Context(), func(ctx context.Context, in *conn) error { return a.createSchedule(ctx, in, args[0], args[1], o) })
		}}
	f := c.Flags()
	f.StringVar(&o.cron, "cron", "", "when, as cron has it: minute hour day-of-month month day-of-week, or @daily")
	f.StringVar(&o.zone, "time-zone", "UTC", "the `ZONE` of cron, such as Europe/Paris")
	f.DurationVar(&o.jitter, "jitter", 0, "start up to this much later, at random")
	f.DurationVar(&o.catchup, "catchup", 12*time.Hour, "how late a run may still be started by a server that was down")
	f.DurationVar(&o.period, "period", 24*time.Hour, "the time from one occurrence of the pipeline to the next")
	f.StringVar(&o.overlap, "overlap", "skip", "what to do while the run before is open: "+strings.Join(slices.Sorted(maps.Keys(overlaps)), ", "))
	f.BoolVar(&o.paused, "paused", false, "start no run until temper schedule unpause")
	o.share.flags(f)
	return c
}

// scheduleNames become the beginnings of the runs' names.
var scheduleNames = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

func (o scheduleOptions) check(name string) error {
	switch _, ok := overlaps[o.overlap]; {
	case !scheduleNames.MatchString(name):
		return usagef("the schedule's name must be lower-case letters, digits, - and _, begin with a letter and have at most 63, is %q", name)
	case o.cron == "":
		return usagef("--cron is missing: when to run, such as '0 1 * * *' for every night at one")
	case !ok:
		return usagef("--overlap %s: want one of %s", o.overlap, strings.Join(slices.Sorted(maps.Keys(overlaps)), ", "))
	case o.jitter < 0:
		return usagef("--jitter %s: want a duration of at least 0", o.jitter)
	case o.catchup < 10*time.Second:
		return usagef("--catchup %s: want a duration of at least 10s", o.catchup)
	case o.period < time.Second:
		return usagef("--period %s: want a duration of at least 1s", o.period)
	}
	if _, err := time.LoadLocation(o.zone); err != nil {
		return usagef("--time-zone %s: there is no such zone", o.zone)
	}
	return o.share.check()
}

func (a *app) createSchedule(ctx context.Context, c *conn, name, target string, o scheduleOptions) error {
	_, p, err := a.pipeline(target)
	if err == nil {
		err = checkPipeline(ctx, p)
	}
	if err != nil {
		return err
	}
	summary, details := describe(p)
	_, err = c.client.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:   name,
		Spec: client.ScheduleSpec{CronExpressions: []string{o.cron}, TimeZoneName: o.zone, Jitter: o.jitter},
		Action: &client.ScheduleWorkflowAction{ID: name, Workflow: contract.PipelineWorkflow, TaskQueue: contract.QueueLight,
			Args:          []any{contract.PipelineInput{Pipeline: p, Period: int64(o.period / time.Second)}},
			StaticSummary: summary, StaticDetails: details, Priority: o.share.priority()},
		Overlap: overlaps[o.overlap], CatchupWindow: o.catchup, Paused: o.paused,
		Memo: map[string]any{scheduleCron: o.cron + " " + o.zone, schedulePipeline: p.Name},
	})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("there is a schedule %s already; temper schedule delete %s removes it", name, name)
	}
	if err != nil {
		return fmt.Errorf("create schedule %s: %w", name, err)
	}
	fmt.Fprintf(a.out, "schedule %s runs %s at %s (%s)\n", name, p.Name, o.cron, o.zone)
	if c.own != nil {
		fmt.Fprintln(a.out, "it runs while temper up does")
	}
	return nil
}

func scheduleError(name string, err error) error {
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("no schedule is named %s; temper schedule ls lists them", name)
	}
	return fmt.Errorf("schedule %s: %w", name, err)
}

func (a *app) schedules(ctx context.Context, c *conn) error {
	list, err := c.client.ScheduleClient().List(ctx, client.ScheduleListOptions{})
	rows := [][]string{{"SCHEDULE", "PIPELINE", "WHEN", "NEXT", "LAST RUN", "NOTE"}}
	for err == nil && list.HasNext() {
		var s *client.ScheduleListEntry
		if s, err = list.Next(); err == nil {
			rows = append(rows, scheduleRow(s))
		}
	}
	if err != nil {
		return fmt.Errorf("list the schedules: %w", err)
	}
	if len(rows) == 1 {
		_, err := fmt.Fprintln(a.out, "there are no schedules yet")
		return err
	}
	return table(a.out, rows)
}

func scheduleRow(s *client.ScheduleListEntry) []string {
	memo := func(name string) (text string) {
		if err := converter.GetDefaultDataConverter().FromPayload(s.Memo.GetFields()[name], &text); err != nil {
			return "" // not made by temper
		}
		return text
	}
	next, last, note := "-", "-", s.Note
	if len(s.NextActionTimes) > 0 {
		next = when(s.NextActionTimes[0])
	}
	if n := len(s.RecentActions); n > 0 && s.RecentActions[n-1].StartWorkflowResult != nil {
		last = s.RecentActions[n-1].StartWorkflowResult.WorkflowID
	}
	if s.Paused {
		next = "paused"
	}
	return []string{s.ID, memo(schedulePipeline), memo(scheduleCron), next, last, note}
}

func (a *app) backfillCommand() *cobra.Command {
	var from, to, overlap string
	c := &cobra.Command{Use: "backfill NAME --from TIME --to TIME", Short: "Do the runs of a time that has passed, one after the other",
		Args: arguments(1, 1, "the schedule's name"),
		RunE: func(c *cobra.Command, args []string) error {
			first, err := parseTime("--from", from)
			if err != nil {
				return err
			}
			last, err := parseTime("--to", to)
			if err != nil {
				return err
			}
			policy, ok := overlaps[overlap]
			if !ok {
				return usagef("--overlap %s: want one of %s", overlap, strings.Join(slices.Sorted(maps.Keys(overlaps)), ", "))
			}
			if last.Before(first) {
				return usagef("--to %s is before --from %s", to, from)
			}
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.backfill(ctx, in, args[0], first, last, policy) })
		}}
	f := c.Flags()
	f.StringVar(&from, "from", "", "the first `TIME`, such as 2026-01-31 or 2026-01-31T01:00:00Z")
	f.StringVar(&to, "to", "", "the last `TIME`")
	f.StringVar(&overlap, "overlap", "buffer-all", "what to do while the run before is open")
	return c
}

func (a *app) backfill(ctx context.Context, c *conn, name string, first, last time.Time, policy enumspb.ScheduleOverlapPolicy) error {
	h := c.client.ScheduleClient().GetHandle(ctx, name)
	// The server leaves the first moment out.
	err := h.Backfill(ctx, client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{{Start: first.Add(-time.Millisecond), End: last, Overlap: policy}}})
	if err != nil {
		return scheduleError(name, err)
	}
	_, err = fmt.Fprintf(a.out, "schedule %s does the runs from %s to %s\n", name, first.Format(time.RFC3339), last.Format(time.RFC3339))
	return err
}

// parseTime reads a date or a time of RFC 3339; a date is its first moment in UTC.
func parseTime(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%s %q: want a date such as 2026-01-31, or a time such as 2026-01-31T01:00:00Z", flag, text)
}
